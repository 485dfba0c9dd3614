/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_JOB_TUS_H
#define CLI_JOB_TUS_H

#include "job.h"

/* Sends j->form by tus 1.0, from where it broke off; in one request to a robot that has no resumable uploads. */
void job_send_resumable(struct job *j);

/* Tells the robot that the rest does not come; j->given_up, once it says that it knows. An upload in one request has
 * ended with its connection. */
void job_give_up(struct job *j);

#endif
