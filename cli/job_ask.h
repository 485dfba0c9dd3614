/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_JOB_ASK_H
#define CLI_JOB_ASK_H

#include "job.h"

/* Asks what the robot is and runs, and goes on with what follows from the answer. */
void job_ask(struct job *j);

#endif
