/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_JOB_UPLOAD_H
#define CLI_JOB_UPLOAD_H

#include "job.h"

/* Sending j->form in one request, and what an answer to an upload means, however it was sent. */

void job_send_plain(struct job *j);

/* The address of an upload below `base`, with what the options say. */
void job_upload_path(const struct job *j, const char *base, char path[200]);

/* For `sent` of struct wire_request: notes how many bytes have gone out. */
void job_note_sent(void *ctx, uint64_t sent);

void job_taken(struct job *j, const cJSON *json);
void job_refused(struct job *j, const struct fault *f);
void job_link_broke(struct job *j, const struct wire_answer *a);

#endif
