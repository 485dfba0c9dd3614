/* SPDX-License-Identifier: Apache-2.0 */
#include "job_tus.h"

#include <stdio.h>
#include <string.h>

#include "job_upload.h"

/* An upload that survives broken links: tus 1.0. Only the robot knows how much it has, so after each break it
 * is asked (HEAD) and believed; what was sent beyond that is sent again. An upload that the robot no longer
 * knows begins anew, and a robot without tus gets the file in one request (job_upload.c). */

static void append(struct job *j);

static void go_on(struct job *j, uint64_t safe)
{
    struct fault f;

    if (job_has(j, safe) || job_try_again(j)) {
        append(j);
        return;
    }
    fault_of_trouble(&f, TROUBLE_CONNECTION_LOST, "the robot keeps nothing of what it is sent");
    job_fail(j, OUTCOME_LOST, &f);
}

static void append_now(void *ctx)
{
    append(ctx);
}

/* The link broke while the robot verified what it has: it is asked until it has done so. */
static bool verifies(struct job *j, const struct fault *f)
{
    if (strcmp(f->code, "busy") != 0 || j->safe < j->form_len ||
        ++j->verify_polls > j->rollout->options->wait_s)
        return false;
    job_after(j, 1000, append_now);
    return true;
}

static void anew(struct job *j)
{
    j->upload_url[0] = '\0';
    j->rollout->ways->send(j);
}

/* The answer to a piece. tus says with the status and a header how it went; a body of this API comes only
 * with an error, or when the file is complete. */
static void appended(void *ctx, const struct wire_answer *a)
{
    struct job *j = ctx;
    struct fault f = {0};

    if (!robot_was_reached(a)) {
        job_link_broke(j, a);
    } else if (a->status == 204 || a->status == 200) {
        cJSON *json = a->body != NULL ? cJSON_ParseWithLength(a->body, a->len) : NULL;
        uint64_t safe = a->offset >= 0 ? (uint64_t)a->offset : j->form_len;
        if (safe < j->form_len)
            go_on(j, safe);
        else
            job_taken(j, json);
        cJSON_Delete(json);
    } else if (a->status == 404 && job_try_again(j)) {
        anew(j); /* it has ended: under the same id the robot says what became of it */
    } else if (a->status == 409 && a->offset >= 0 && (job_has(j, (uint64_t)a->offset) || job_try_again(j))) {
        append(j);
    } else {
        robot_fault(&f, a);
        if (!verifies(j, &f))
            job_refused(j, &f);
    }
}

/* A request for the upload itself, whose address the robot gave. */
static struct wire_request request_of_upload(struct job *j, const char *method,
                                             void (*done)(void *ctx, const struct wire_answer *a))
{
    struct wire_request q;
    char base[ROBOT_URL];

    robot_request(j->robot, "", &q, base);
    q.url = j->upload_url;
    q.method = method;
    q.header[0] = "Tus-Resumable: 1.0.0";
    q.ctx = j;
    q.done = done;
    return q;
}

static void append(struct job *j)
{
    struct wire_request q = request_of_upload(j, "PATCH", appended);
    char offset[64];

    if (j->safe > j->form_len)
        j->safe = 0;
    snprintf(offset, sizeof offset, "Upload-Offset: %llu", (unsigned long long)j->safe);
    j->sent = j->safe;
    q.header[1] = offset;
    q.type = "application/offset+octet-stream";
    q.body = j->form + j->safe;
    q.body_len = j->form_len - (size_t)j->safe;
    q.sent = job_note_sent;
    wire_send(j->rollout->wire, &q);
}

static void offset_came(void *ctx, const struct wire_answer *a)
{
    struct job *j = ctx;

    if (!robot_was_reached(a)) {
        job_link_broke(j, a);
    } else if (a->status < 300 && a->offset >= 0) {
        job_has(j, (uint64_t)a->offset);
        append(j);
    } else { /* it knows nothing of this upload any more */
        anew(j);
    }
}

static void ask_offset(struct job *j)
{
    const struct wire_request q = request_of_upload(j, "HEAD", offset_came);

    wire_send(j->rollout->wire, &q);
}

/* Takes the address of the upload from Location. It must be on the same robot: another one is not followed. A
 * relative one is beside the address that made it. */
static bool set_upload_url(struct job *j, const char *location)
{
    size_t base = strlen(j->robot->base);

    if (strncmp(location, "uploads", strlen("uploads")) == 0)
        snprintf(j->upload_url, sizeof j->upload_url, "%s/api/ota/%s", j->robot->base, location);
    else if (location[0] == '/')
        snprintf(j->upload_url, sizeof j->upload_url, "%s%s", j->robot->base, location);
    else if (strncmp(location, j->robot->base, base) == 0 && location[base] == '/')
        snprintf(j->upload_url, sizeof j->upload_url, "%s", location);
    return j->upload_url[0] != '\0';
}

static void created(void *ctx, const struct wire_answer *a)
{
    struct job *j = ctx;
    struct fault f = {0};

    if (!robot_was_reached(a)) {
        job_link_broke(j, a);
    } else if (a->status == 201 && set_upload_url(j, a->location)) {
        j->safe = 0;
        append(j);
    } else if (robot_fault(&f, a) && strcmp(f.code, "not_otapult") != 0) {
        job_refused(j, &f);
    } else {
        job_send_plain(j);
    }
}

static void create(struct job *j)
{
    struct wire_request q;
    char url[ROBOT_URL], path[200], length[64];

    job_upload_path(j, "/api/ota/uploads", path);
    robot_request(j->robot, path, &q, url);
    snprintf(length, sizeof length, "Upload-Length: %zu", j->form_len);
    q.method = "POST";
    q.header[0] = "Tus-Resumable: 1.0.0";
    q.header[1] = length;
    q.header[2] = "Upload-Metadata: filename ZmlybXdhcmUuYmlu"; /* firmware.bin */
    q.ctx = j;
    q.done = created;
    wire_send(j->rollout->wire, &q);
}

static void options_came(void *ctx, const struct wire_answer *a)
{
    struct job *j = ctx;

    if (a->err == CURLE_OK && a->status < 300 && strcmp(a->tus, "1.0.0") == 0)
        create(j);
    else
        job_send_plain(j);
}

static void ask_tus(struct job *j)
{
    struct wire_request q;
    char url[ROBOT_URL];

    robot_request(j->robot, "/api/ota/uploads", &q, url);
    q.method = "OPTIONS";
    q.ctx = j;
    q.done = options_came;
    wire_send(j->rollout->wire, &q);
}

void job_send_resumable(struct job *j)
{
    if (j->upload_url[0] != '\0')
        ask_offset(j);
    else
        ask_tus(j);
}

static void given_up(void *ctx, const struct wire_answer *a)
{
    struct job *j = ctx;

    j->given_up = robot_was_reached(a) && (a->status == 204 || a->status == 404);
}

void job_give_up(struct job *j)
{
    const struct wire_request q = request_of_upload(j, "DELETE", given_up);

    if (j->upload_url[0] == '\0') {
        j->given_up = j->sent > 0;
        return;
    }
    wire_send(j->rollout->wire, &q);
}
