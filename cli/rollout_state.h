/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_ROLLOUT_STATE_H
#define CLI_ROLLOUT_STATE_H

#include "job.h"

/* The file of --resume. */

/* Takes the outcomes of an earlier call from the file, which need not be there. 0, or a status. */
int state_load(struct rollout *r, const char *path);
bool state_save(const struct rollout *r, const char *path);

#endif
