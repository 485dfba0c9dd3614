/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_JOB_RETURN_H
#define CLI_JOB_RETURN_H

#include "job.h"

/* A robot that has the file: does it come back, and does the new firmware stay? */

/* It restarts: it is asked until it answers, or --wait is over. */
void job_wait_for_restart(struct job *j);

/* It has answered; j->robot->device says how. */
void job_look(struct job *j);

/* Is what answers now another robot than the one that was asked at first? And its end. */
bool job_is_another(const struct job *j);
void job_refuse_another(struct job *j);

/* What it runs is on trial. */
void job_trial(struct job *j);

/* Is that what it is to run? */
bool job_runs_it(const struct job *j, const struct device *d);

#endif
