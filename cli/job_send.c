/* SPDX-License-Identifier: Apache-2.0 */
#include "job_send.h"

#include "job_tus.h"

/* Chooses the form of the file. While a patch is still being made the job waits, and other robots go on. */

#define PACKING_MS 100u /* how often it is asked whether the patch is made */

static void send_packed(void *ctx)
{
    job_send(ctx);
}

void job_send(struct job *j)
{
    if (payload_waits(j->rollout->payload, &j->robot->device, j->no_patch)) {
        job_come_to(j, JOB_PACKING);
        job_after(j, PACKING_MS, send_packed);
        return;
    }
    if (j->send_began == 0)
        j->send_began = wire_now();
    j->form = payload_form(j->rollout->payload, &j->robot->device, j->no_patch, &j->form_len, &j->form_word);
    job_come_to(j, JOB_SENDING);
    job_send_resumable(j);
}
