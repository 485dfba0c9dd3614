/* SPDX-License-Identifier: Apache-2.0 */
#include "job_upload.h"

#include <stdio.h>
#include <string.h>

#include "job_return.h"

/* One request with the whole file; and, for both ways of sending, what an answer means. An id goes along
 * (job_draw_id()): a robot that gets the same id again answers with what became of it and does not begin a
 * second update. */

/* The connection broke after all bytes had gone out: the robot may have taken the file, and only a look at it
 * tells. Of a resumable upload the robot is asked instead. */
static bool may_be_taken(const struct job *j)
{
    return j->form_len > 0 && j->sent >= j->form_len && !j->bare && !j->rollout->options->stage &&
           j->upload_url[0] == '\0';
}

void job_link_broke(struct job *j, const struct wire_answer *a)
{
    struct fault f = {0};

    robot_fault(&f, a);
    if (may_be_taken(j)) {
        j->unsure = true;
        job_wait_for_restart(j);
        return;
    }
    if (job_retry(j))
        return;
    snprintf(f.detail + strlen(f.detail), sizeof f.detail - strlen(f.detail),
             "%s%llu of %zu bytes were sent; it keeps what it runs", f.detail[0] != '\0' ? "; " : "",
             (unsigned long long)j->sent, j->form_len);
    job_fail(j, OUTCOME_LOST, &f);
}

void job_taken(struct job *j, const cJSON *json)
{
    if (member_is_true(json, "already"))
        job_end(j, OUTCOME_ALREADY);
    else if (j->rollout->options->stage)
        job_end(j, OUTCOME_STAGED);
    else
        job_wait_for_restart(j);
}

/* Where the robot refuses a patch that was made here, the whole file is sent instead: the robot may have the
 * same build with another signature, and then the patch does not fit. */
void job_refused(struct job *j, const struct fault *f)
{
    bool of_patch = strncmp(f->code, "patch_", 6) == 0;

    if (of_patch && strcmp(j->form_word, "patch") == 0 && !j->rollout->payload->is_patch && !j->no_patch) {
        j->no_patch = true;
        j->upload_url[0] = '\0';
        j->most = 0;
        if (job_draw_id(j)) /* under the old id the robot would answer what became of the patch */
            j->rollout->ways->send(j);
        else
            job_fail(j, OUTCOME_REFUSED, f);
        return;
    }
    if (strcmp(f->code, "busy") == 0 && j->rollout->count > 1 && !j->looked_again) {
        /* Another job may be sending to the same robot, by another name, and for a moment the robot's status
         * does not show yet whose update it is. */
        j->looked_again = true;
        job_ask_after(j, LOOK_AGAIN_MS);
        return;
    }
    job_fail(j, f->status == STATUS_STRANGER ? OUTCOME_STRANGER : OUTCOME_REFUSED, f);
}

static void uploaded(void *ctx, const struct wire_answer *a)
{
    struct job *j = ctx;
    struct fault f = {0};

    if (!robot_was_reached(a)) {
        job_link_broke(j, a);
        return;
    }
    if (robot_fault(&f, a)) {
        job_refused(j, &f);
        return;
    }
    cJSON *json = cJSON_ParseWithLength(a->body, a->len);
    job_taken(j, json);
    cJSON_Delete(json);
}

void job_note_sent(void *ctx, uint64_t sent)
{
    struct job *j = ctx;

    j->sent = j->safe + sent;
}

void job_upload_path(const struct job *j, const char *base, char path[200])
{
    snprintf(path, 200, "%s?id=%s%s%s", base, j->id, j->rollout->options->stage ? "&activate=later" : "",
             j->rollout->options->force ? "&force=1" : "");
}

void job_send_plain(struct job *j)
{
    struct wire_request q;
    char url[ROBOT_URL], path[200];

    job_upload_path(j, "/api/ota/upload", path);
    robot_request(j->robot, path, &q, url);
    j->sent = j->safe = 0;
    q.body = j->form;
    q.body_len = j->form_len;
    q.expect = true;
    q.ctx = j;
    q.done = uploaded;
    q.sent = job_note_sent;
    wire_send(j->rollout->wire, &q);
}
