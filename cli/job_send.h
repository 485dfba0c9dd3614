/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_JOB_SEND_H
#define CLI_JOB_SEND_H

#include "job.h"

/* Sends the file in the form that suits the robot, when that is made. */
void job_send(struct job *j);

#endif
