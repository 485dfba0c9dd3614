/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_ROLLOUT_H
#define CLI_ROLLOUT_H

#include "job.h"

/* A roll-out: one file, many robots, and the truth about each. */

/* Runs it to its end, or until Ctrl-C. The largest status of its robots. */
int rollout_run(struct rollout *r);

#endif
