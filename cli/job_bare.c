/* SPDX-License-Identifier: Apache-2.0 */
#include "job_bare.h"

#include <stdio.h>
#include <string.h>

#include "job_upload.h"

/* Devices with an upload page and no API of ours, by the rows of kinds.def. The steps are probe, announce
 * where the kind wants that, and send. The best end is OUTCOME_UNPROVED: none of them can say what it runs
 * afterwards. */

static void bare_uploaded(void *ctx, const struct wire_answer *a)
{
    struct job *j = ctx;
    const struct kind_row *k = &kind_table[j->kind];
    struct fault f = {0};

    if (a->err != CURLE_OK) {
        wire_fault(&f, a);
        job_fail(j, OUTCOME_LOST, &f);
    } else if (a->status == 200 && a->body != NULL && strstr(a->body, k->success) != NULL) {
        snprintf(j->words, sizeof j->words,
                 "a device of kind %s took the file; what it runs now it does not say", k->word);
        job_end(j, OUTCOME_UNPROVED);
    } else {
        char detail[200];
        snprintf(detail, sizeof detail, "it answers %ld: %.120s", a->status, a->body != NULL ? a->body : "");
        if (!fault_of_answer(&f, a->status, NULL))
            fault_of_trouble(&f, TROUBLE_BARE_REFUSED, detail);
        job_fail(j, OUTCOME_REFUSED, &f);
    }
}

/* Some obey only what their own page sends, and tell that by the Referer. */
static void bare_request(struct job *j, const char *path, struct wire_request *q, char url[ROBOT_URL])
{
    robot_request(j->robot, path, q, url);
    snprintf(j->referer, sizeof j->referer, "Referer: %s/", j->robot->base);
    q->header[0] = j->referer;
    q->ctx = j;
}

static void bare_send(struct job *j)
{
    const struct kind_row *k = &kind_table[j->kind];
    struct wire_request q;
    char url[ROBOT_URL];

    j->form = j->rollout->payload->in.data;
    j->form_len = j->rollout->payload->in.size;
    j->form_word = "plain";
    j->send_began = wire_now();
    job_come_to(j, JOB_SENDING);
    bare_request(j, k->upload, &q, url);
    q.body = j->form;
    q.body_len = j->form_len;
    q.field = k->field;
    q.file_name = "firmware.bin";
    q.done = bare_uploaded;
    q.sent = job_note_sent;
    wire_send(j->rollout->wire, &q);
}

static void announced(void *ctx, const struct wire_answer *a)
{
    struct job *j = ctx;
    struct fault f = {0};

    if (a->err == CURLE_OK && a->status == 200) {
        bare_send(j);
        return;
    }
    if (a->err != CURLE_OK)
        wire_fault(&f, a);
    else
        fault_of_trouble(&f, TROUBLE_BARE_REFUSED, "it does not begin an update");
    job_fail(j, OUTCOME_REFUSED, &f);
}

/* ElegantOTA wants the upload announced, with the file's MD5. */
void job_bare_begin(struct job *j)
{
    const struct kind_row *k = &kind_table[j->kind];
    struct wire_request q;
    char url[ROBOT_URL], path[200];

    j->bare = true;
    if (j->rollout->options->stage || j->rollout->payload->is_patch) {
        fault_of_trouble(&j->fault, j->rollout->options->stage ? TROUBLE_CANNOT_STAGE : TROUBLE_BUILD_UNFIT,
                         "");
        job_fail(j, OUTCOME_UNFIT, &j->fault);
        return;
    }
    if (k->before == NULL) {
        bare_send(j);
        return;
    }
    size_t head = strcspn(k->before, "%");
    snprintf(path, sizeof path, "%.*s%s", (int)head, k->before, j->rollout->payload->md5);
    bare_request(j, path, &q, url);
    q.done = announced;
    wire_send(j->rollout->wire, &q);
}

static void probed(void *ctx, const struct wire_answer *a)
{
    struct job *j = ctx;

    if (a->err == CURLE_OK && a->status == 200 && a->body != NULL &&
        strstr(a->body, kind_table[j->kind].evidence) != NULL) {
        job_bare_begin(j);
        return;
    }
    j->kind = (enum kind)(j->kind + 1);
    if (j->kind < KINDS)
        job_probe(j);
    else
        job_fail(j, OUTCOME_STRANGER, &j->fault);
}

void job_probe(struct job *j)
{
    struct wire_request q;
    char url[ROBOT_URL];

    job_come_to(j, JOB_PROBING);
    bare_request(j, kind_table[j->kind].probe, &q, url);
    q.done = probed;
    wire_send(j->rollout->wire, &q);
}
