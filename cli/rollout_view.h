/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_ROLLOUT_VIEW_H
#define CLI_ROLLOUT_VIEW_H

#include "job.h"

/* What people and programs see of a roll-out. */

struct view *view_open(struct rollout *r);
void view_began(struct rollout *r, const struct job *j); /* a job has come to its state */
void view_done(struct rollout *r, const struct job *j);
void view_close(struct rollout *r);                      /* the table, or the summary */
void outcome_text(const struct job *j, char dst[600]);
int view_write_junit(const struct rollout *r, const char *path); /* 0 or an errno */

#endif
