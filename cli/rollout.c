/* SPDX-License-Identifier: Apache-2.0 */
#include "rollout.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ask.h"
#include "interrupt.h"

#define POLL_MS        500u /* how often a robot that restarts is asked */
#define TRIAL_POLL_MS  1000u
#define PACKING_MS     100u   /* how often it is asked whether the patch is made */
#define ATTEMPTS       4u     /* of sending, over a link that breaks */
#define RETRY_MS       1000u  /* after the first; twice as long after each */
#define TRIAL_SLACK_MS 15000u /* a robot that goes back by itself restarts once more */

const struct outcome_row outcome_table[OUTCOMES] = {
#define OUTCOME(id, word, words, status, proved) [OUTCOME_##id] = {word, words, status, proved},
#include "outcomes.def"
};

static void start_more(struct rollout *r);
static void ask_again(struct job *j, unsigned ms, enum job_state state);
static void probe(struct job *j);
static void send_form(struct job *j);

/* ---- the end of a job ---- */

static void stop_rollout(struct rollout *r, const char *why, const char *name)
{
    if (r->stopped)
        return;
    r->stopped = true;
    snprintf(r->why_stopped, sizeof r->why_stopped, "%s%s%s", why, name[0] != '\0' ? ": " : "", name);
}

/* What the next robots are to learn from this one. */
static void draw_conclusions(struct rollout *r, const struct job *j)
{
    bool proved = outcome_table[j->outcome].proved, offline = j->outcome == OUTCOME_OFFLINE;

    if (j->canary && offline)
        r->canaries--; /* the next robot takes its place */
    if (j->canary && proved)
        r->canaries_proved++;
    if (!proved && !offline)
        r->failures++;
    if (j->canary && !proved && !offline)
        stop_rollout(r, "a canary failed", j->robot->name);
    else if (r->options->max_failures > 0 && r->failures >= r->options->max_failures)
        stop_rollout(r, "too many failures", "");
}

static void finish(struct job *j, enum outcome outcome)
{
    struct rollout *r = j->rollout;

    j->state = JOB_DONE;
    j->outcome = outcome;
    r->active--;
    draw_conclusions(r, j);
    view_done(r, j);
    if (r->options->resume != NULL)
        state_save(r, r->options->resume);
    start_more(r);
}

static enum outcome outcome_of_fault(const struct fault *f)
{
    switch (f->status) {
    case STATUS_UNREACHABLE: return OUTCOME_OFFLINE;
    case STATUS_STRANGER: return OUTCOME_STRANGER;
    default: return OUTCOME_REFUSED;
    }
}

static void fail(struct job *j, enum outcome outcome, const struct fault *f)
{
    j->fault = *f;
    snprintf(j->words, sizeof j->words, "%s%s%s", f->caption, f->detail[0] != '\0' ? ": " : "", f->detail);
    finish(j, outcome);
}

static void come_to(struct job *j, enum job_state state)
{
    bool news = j->state != state;

    j->state = state;
    if (news)
        view_began(j->rollout, j);
}

/* ---- does it stay? ---- */

static void poll_trial(struct job *j, const struct device *d)
{
    uint32_t left = d->confirm_left_ms > d->soak_left_ms ? d->confirm_left_ms : d->soak_left_ms;

    if (j->state != JOB_TRIAL)
        j->deadline = wire_now() + left + TRIAL_SLACK_MS + j->rollout->options->wait_s * 1000u;
    come_to(j, JOB_TRIAL);
    if (wire_now() < j->deadline) {
        ask_again(j, TRIAL_POLL_MS, JOB_TRIAL);
        return;
    }
    snprintf(j->words, sizeof j->words, "%s",
             d->waiting_for[0] != '\0' ? d->waiting_for : "its confirmation");
    finish(j, OUTCOME_ON_TRIAL);
}

static bool tells_why_back(const struct device_event *e, const struct job *j)
{
    static const char *const events[] = {"rejected", "crashed",     "not_loaded",
                                         "gave_up",  "rolled_back", "power_lost"};

    for (size_t i = 0; i < sizeof events / sizeof events[0]; i++) {
        if (strcmp(e->event, events[i]) == 0)
            return e->boot >= j->boot && (e->build[0] == '\0' || strcmp(e->build, j->build) == 0 ||
                                          strcmp(e->event, "rolled_back") == 0);
    }
    return false;
}

/* The newest entry of its log that is about this firmware. */
static void log_came(void *ctx, const struct wire_answer *a)
{
    struct job *j = ctx;
    struct device_event e = {.text = ""};
    const cJSON *entry;
    cJSON *json = a->body != NULL ? cJSON_ParseWithLength(a->body, a->len) : NULL;

    cJSON_ArrayForEach(entry, cJSON_GetObjectItemCaseSensitive(json, "entries"))
    {
        device_read_event(&e, entry);
        if (tells_why_back(&e, j))
            break;
        e = (struct device_event){.text = ""};
    }
    cJSON_Delete(json);
    if (strcmp(e.event, "power_lost") == 0 && wire_now() < j->deadline) {
        ask_again(j, TRIAL_POLL_MS, JOB_RESTARTING); /* it gets another try */
        return;
    }
    snprintf(j->words, sizeof j->words, "%s%s%s", e.event, e.text[0] != '\0' ? ": " : "", e.text);
    finish(j, OUTCOME_ROLLED_BACK);
}

static void ask_why_back(struct job *j)
{
    struct wire_request q;
    char url[ROBOT_URL];

    robot_request(j->robot, "/api/ota/log", &q, url);
    q.ctx = j;
    q.done = log_came;
    wire_send(j->rollout->wire, &q);
}

/* ---- does it come back? ---- */

static void not_back(struct job *j)
{
    if (wire_now() < j->deadline) {
        ask_again(j, POLL_MS, j->state);
        return;
    }
    snprintf(j->words, sizeof j->words, "in %lu s", (unsigned long)j->rollout->options->wait_s);
    finish(j, OUTCOME_NOT_BACK);
}

static bool runs_it(const struct job *j, const struct device *d)
{
    return d->image.there && strcmp(d->image.build, j->build) == 0 &&
           strcmp(d->image.version, j->version) == 0;
}

/* It had all bytes, and did not take them. */
static void send_again(struct job *j)
{
    struct fault f = {0};

    j->unsure = false;
    if (++j->attempts < ATTEMPTS) {
        send_form(j);
        return;
    }
    fault_of_trouble(&f, TROUBLE_CONNECTION_LOST,
                     "each time before the robot answered; it keeps what it runs");
    fail(j, OUTCOME_LOST, &f);
}

static bool differ(const char *a, const char *b)
{
    return a[0] != '\0' && b[0] != '\0' && strcmp(a, b) != 0;
}

/* The network may have given its address to another robot while it restarted. A firmware may call its robot
 * otherwise, but goes on counting its boots. */
static bool is_another(const struct job *j)
{
    const struct device *d = &j->robot->device;
    bool goes_on = d->boot > j->boot && d->boot - j->boot <= 3;

    return differ(d->chip, j->chip) || (differ(d->name, j->name) && !goes_on);
}

static void refuse_another(struct job *j)
{
    const struct device *d = &j->robot->device;
    char detail[4 * DEVICE_WORD + 40];
    struct fault f;

    snprintf(detail, sizeof detail, "%s (%s), and it was %s (%s)", d->name, d->chip, j->name, j->chip);
    fault_of_trouble(&f, TROUBLE_OTHER_ROBOT, detail);
    fail(j, OUTCOME_STRANGER, &f);
}

/* It answers after the file was sent. What it ran before may have the same build: the boot tells. */
static void came_back(struct job *j)
{
    const struct device *d = &j->robot->device;

    if (d->boot == j->boot && j->unsure && strcmp(d->state, "idle") == 0)
        send_again(j);
    else if (d->boot == j->boot || strcmp(d->state, "rebooting") == 0)
        not_back(j);
    else if (!runs_it(j, d))
        ask_why_back(j);
    else if (d->pending)
        poll_trial(j, d);
    else
        finish(j, OUTCOME_CONFIRMED);
}

static void polled(void *ctx, struct robot *robot)
{
    struct job *j = ctx;

    if (robot->fault.status == 0 && is_another(j))
        refuse_another(j);
    else if (robot->fault.status == 0)
        came_back(j);
    else if (robot->fault.status == STATUS_STRANGER && strcmp(robot->fault.code, "not_otapult") != 0)
        fail(j, OUTCOME_STRANGER, &robot->fault);
    else
        not_back(j);
}

static void poll_now(void *ctx)
{
    struct job *j = ctx;

    robot_ask(j->robot, j->rollout->wire, polled, j);
}

static void ask_again(struct job *j, unsigned ms, enum job_state state)
{
    come_to(j, state);
    j->timer = (struct wire_timer){.ctx = j, .fire = poll_now};
    wire_after(j->rollout->wire, &j->timer, ms);
}

static void wait_for_restart(struct job *j)
{
    j->deadline = wire_now() + j->rollout->options->wait_s * 1000u;
    ask_again(j, POLL_MS, JOB_RESTARTING);
}

/* ---- sending ---- */

static void start_again(void *ctx);

/* What had been sent whole may well have been taken, and only a look at the robot tells. A resumable upload
 * knows by itself how far it has come. */
static bool may_be_taken(const struct job *j)
{
    return j->form_len > 0 && j->sent >= j->form_len && !j->bare && !j->rollout->options->stage &&
           j->upload_url[0] == '\0';
}

static void link_broke(struct job *j, const struct wire_answer *a)
{
    struct fault f = {0};

    wire_fault(&f, a);
    if (may_be_taken(j)) {
        j->unsure = true;
        wait_for_restart(j);
        return;
    }
    if (++j->attempts < ATTEMPTS && !interrupted()) {
        j->timer = (struct wire_timer){.ctx = j, .fire = start_again};
        wire_after(j->rollout->wire, &j->timer, RETRY_MS << (j->attempts - 1));
        return;
    }
    snprintf(f.detail + strlen(f.detail), sizeof f.detail - strlen(f.detail),
             "%s%llu of %zu bytes were sent; it keeps what it runs", f.detail[0] != '\0' ? "; " : "",
             (unsigned long long)j->sent, j->form_len);
    fail(j, OUTCOME_LOST, &f);
}

static void taken(struct job *j, const cJSON *json)
{
    if (member_is_true(json, "already"))
        finish(j, OUTCOME_ALREADY);
    else if (j->rollout->options->stage)
        finish(j, OUTCOME_STAGED);
    else
        wait_for_restart(j);
}

/* Of a patch that was made here the whole file can be sent instead: the same build may be signed otherwise.
 */
static void refused(struct job *j, const struct fault *f)
{
    bool of_patch = strncmp(f->code, "patch_", 6) == 0;

    if (of_patch && strcmp(j->form_word, "patch") == 0 && !j->rollout->payload->is_patch && !j->no_patch) {
        j->no_patch = true;
        j->upload_url[0] = '\0';
        send_form(j);
        return;
    }
    fail(j, f->status == STATUS_STRANGER ? OUTCOME_STRANGER : OUTCOME_REFUSED, f);
}

static void uploaded(void *ctx, const struct wire_answer *a)
{
    struct job *j = ctx;
    struct fault f = {0};

    if (a->err != CURLE_OK) {
        link_broke(j, a);
        return;
    }
    if (robot_fault(&f, a)) {
        refused(j, &f);
        return;
    }
    cJSON *json = cJSON_ParseWithLength(a->body, a->len);
    taken(j, json);
    cJSON_Delete(json);
}

static void note_sent(void *ctx, uint64_t sent)
{
    struct job *j = ctx;

    j->sent = j->safe + sent;
}

static void upload_path(const struct job *j, const char *base, char path[200])
{
    snprintf(path, 200, "%s%s%s%s", base, j->rollout->options->stage ? "?activate=later" : "",
             j->rollout->options->force ? (j->rollout->options->stage ? "&" : "?") : "",
             j->rollout->options->force ? "force=1" : "");
}

static void send_plain(struct job *j)
{
    struct wire_request q;
    char url[ROBOT_URL], path[200];

    upload_path(j, "/api/ota/upload", path);
    robot_request(j->robot, path, &q, url);
    j->sent = j->safe = 0;
    q.body = j->form;
    q.body_len = j->form_len;
    q.expect = true;
    q.ctx = j;
    q.done = uploaded;
    q.sent = note_sent;
    wire_send(j->rollout->wire, &q);
}

/* ---- resumable: tus 1.0 ---- */

static void append(struct job *j);

static void go_on(struct job *j, uint64_t safe)
{
    bool nothing = safe <= j->safe;
    struct fault f;

    j->safe = safe;
    if (!nothing || ++j->attempts < ATTEMPTS) {
        append(j);
        return;
    }
    fault_of_trouble(&f, TROUBLE_CONNECTION_LOST, "the robot keeps nothing of what it is sent");
    fail(j, OUTCOME_LOST, &f);
}

/* An answer without a body of this API: tus knows only numbers. */
static void appended(void *ctx, const struct wire_answer *a)
{
    struct job *j = ctx;
    struct fault f = {0};

    if (a->err != CURLE_OK) {
        link_broke(j, a);
    } else if (a->status == 204 || a->status == 200) {
        cJSON *json = a->body != NULL ? cJSON_ParseWithLength(a->body, a->len) : NULL;
        uint64_t safe = a->offset >= 0 ? (uint64_t)a->offset : j->form_len;
        if (safe < j->form_len)
            go_on(j, safe);
        else
            taken(j, json);
        cJSON_Delete(json);
    } else if (a->status == 409 && a->offset >= 0 && ++j->attempts < ATTEMPTS) {
        j->safe = (uint64_t)a->offset;
        append(j);
    } else {
        robot_fault(&f, a);
        refused(j, &f);
    }
}

static void append(struct job *j)
{
    struct wire_request q;
    char url[ROBOT_URL], offset[64];

    robot_request(j->robot, "", &q, url);
    if (j->safe > j->form_len)
        j->safe = 0;
    snprintf(offset, sizeof offset, "Upload-Offset: %llu", (unsigned long long)j->safe);
    j->sent = j->safe;
    q.url = j->upload_url;
    q.method = "PATCH";
    q.header[0] = "Tus-Resumable: 1.0.0";
    q.header[1] = offset;
    q.type = "application/offset+octet-stream";
    q.body = j->form + j->safe;
    q.body_len = j->form_len - (size_t)j->safe;
    q.ctx = j;
    q.done = appended;
    q.sent = note_sent;
    wire_send(j->rollout->wire, &q);
}

static void offset_came(void *ctx, const struct wire_answer *a)
{
    struct job *j = ctx;

    if (a->err != CURLE_OK) {
        link_broke(j, a);
    } else if (a->status < 300 && a->offset >= 0) {
        j->safe = (uint64_t)a->offset;
        append(j);
    } else { /* it knows nothing of this upload any more: anew */
        j->upload_url[0] = '\0';
        send_form(j);
    }
}

static void ask_offset(struct job *j)
{
    struct wire_request q;
    char url[ROBOT_URL];

    robot_request(j->robot, "", &q, url);
    q.url = j->upload_url;
    q.method = "HEAD";
    q.header[0] = "Tus-Resumable: 1.0.0";
    q.ctx = j;
    q.done = offset_came;
    wire_send(j->rollout->wire, &q);
}

/* Where the upload lives: the robot's own, or nowhere. An address elsewhere is not followed. A relative one
 * is beside the address that made it. */
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

    if (a->err != CURLE_OK) {
        link_broke(j, a);
    } else if (a->status == 201 && set_upload_url(j, a->location)) {
        j->safe = 0;
        append(j);
    } else if (robot_fault(&f, a) && strcmp(f.code, "not_otapult") != 0) {
        fail(j, f.status == STATUS_STRANGER ? OUTCOME_STRANGER : OUTCOME_REFUSED, &f);
    } else {
        send_plain(j);
    }
}

static void create(struct job *j)
{
    struct wire_request q;
    char url[ROBOT_URL], path[200], length[64];

    upload_path(j, "/api/ota/uploads", path);
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
        send_plain(j);
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

static void send_packed(void *ctx)
{
    send_form(ctx);
}

static void send_form(struct job *j)
{
    if (payload_waits(j->rollout->payload, &j->robot->device, j->no_patch)) {
        come_to(j, JOB_PACKING);
        j->timer = (struct wire_timer){.ctx = j, .fire = send_packed};
        wire_after(j->rollout->wire, &j->timer, PACKING_MS);
        return;
    }
    if (j->send_began == 0)
        j->send_began = wire_now();
    j->form = payload_form(j->rollout->payload, &j->robot->device, j->no_patch, &j->form_len, &j->form_word);
    come_to(j, JOB_SENDING);
    if (j->upload_url[0] != '\0')
        ask_offset(j);
    else
        ask_tus(j);
}

/* ---- devices of other kinds ---- */

static void bare_uploaded(void *ctx, const struct wire_answer *a)
{
    struct job *j = ctx;
    const struct kind_row *k = &kind_table[j->kind];
    struct fault f = {0};

    if (a->err != CURLE_OK) {
        wire_fault(&f, a);
        fail(j, OUTCOME_LOST, &f);
    } else if (a->status == 200 && a->body != NULL && strstr(a->body, k->success) != NULL) {
        snprintf(j->words, sizeof j->words,
                 "a device of kind %s took the file; what it runs now it does not say", k->word);
        finish(j, OUTCOME_UNPROVED);
    } else {
        char detail[200];
        snprintf(detail, sizeof detail, "it answers %ld: %.120s", a->status, a->body != NULL ? a->body : "");
        if (!fault_of_answer(&f, a->status, NULL))
            fault_of_trouble(&f, TROUBLE_BARE_REFUSED, detail);
        fail(j, OUTCOME_REFUSED, &f);
    }
}

/* Some of them obey only what their own page sends. */
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
    come_to(j, JOB_SENDING);
    bare_request(j, k->upload, &q, url);
    q.body = j->form;
    q.body_len = j->form_len;
    q.field = k->field;
    q.file_name = "firmware.bin";
    q.done = bare_uploaded;
    q.sent = note_sent;
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
    fail(j, OUTCOME_REFUSED, &f);
}

/* ElegantOTA wants to be told before. */
static void bare_begin(struct job *j)
{
    const struct kind_row *k = &kind_table[j->kind];
    struct wire_request q;
    char url[ROBOT_URL], path[200];

    j->bare = true;
    if (j->rollout->options->stage || j->rollout->payload->is_patch) {
        fault_of_trouble(&j->fault, j->rollout->options->stage ? TROUBLE_CANNOT_STAGE : TROUBLE_BUILD_UNFIT,
                         "");
        fail(j, OUTCOME_UNFIT, &j->fault);
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
        bare_begin(j);
        return;
    }
    j->kind = (enum kind)(j->kind + 1);
    if (j->kind < KINDS)
        probe(j);
    else
        fail(j, OUTCOME_STRANGER, &j->fault);
}

static void probe(struct job *j)
{
    struct wire_request q;
    char url[ROBOT_URL];

    come_to(j, JOB_PROBING);
    bare_request(j, kind_table[j->kind].probe, &q, url);
    q.done = probed;
    wire_send(j->rollout->wire, &q);
}

/* ---- what is it? ---- */

/* The device's own word on why it cannot be updated now. */
static bool says_it_cannot(const struct robot *r, struct fault *f)
{
    cJSON *json = cJSON_Parse(r->status_text);
    bool cannot = fault_of_answer(f, 500, cJSON_GetObjectItemCaseSensitive(json, "error"));

    cJSON_Delete(json);
    return cannot;
}

static void order_came(void *ctx, struct robot *robot, const struct wire_answer *a)
{
    struct job *j = ctx;

    (void)a;
    if (robot->fault.status == 0)
        wait_for_restart(j);
    else
        fail(j, OUTCOME_REFUSED, &robot->fault);
}

static void activate(struct job *j, const struct device *d)
{
    struct fault f = {0};

    if (!d->staged) {
        fault_of_trouble(&f, d->knows_staging ? TROUBLE_NOTHING_STAGED : TROUBLE_CANNOT_STAGE, "");
        fail(j, OUTCOME_REFUSED, &f);
        return;
    }
    memcpy(j->build, d->staged_image.build, sizeof j->build);
    memcpy(j->version, d->staged_image.version, sizeof j->version);
    robot_order(j->robot, j->rollout->wire, "/api/ota/activate", order_came, j);
}

static void push(struct job *j, const struct device *d)
{
    struct rollout *r = j->rollout;
    struct fault f = {0};

    if (runs_it(j, d) && !r->options->force && d->pending) {
        j->boot = 0; /* it came before this call; only its trial is left to be seen */
        poll_trial(j, d);
    } else if (runs_it(j, d) && !r->options->force) {
        finish(j, OUTCOME_ALREADY);
    } else if (payload_unfit(r->payload, d, &f)) {
        fail(j, OUTCOME_UNFIT, &f);
    } else if (d->has_error && says_it_cannot(j->robot, &f)) {
        fail(j, OUTCOME_REFUSED, &f);
    } else if (r->options->stage && !d->knows_staging) {
        fault_of_trouble(&f, TROUBLE_CANNOT_STAGE, "");
        fail(j, OUTCOME_UNFIT, &f);
    } else {
        send_form(j);
    }
}

static void asked(void *ctx, struct robot *robot)
{
    struct job *j = ctx;
    const struct device *d = &robot->device;

    if (robot->fault.status == 0 && j->send_began != 0 && is_another(j)) {
        refuse_another(j);
    } else if (robot->fault.status == 0 && j->send_began != 0 && d->boot != j->boot) {
        j->deadline = wire_now() + j->rollout->options->wait_s * 1000u;
        came_back(j);
    } else if (robot->fault.status == 0) {
        j->boot = d->boot;
        j->before = d->image;
        memcpy(j->name, d->name, sizeof j->name);
        memcpy(j->chip, d->chip, sizeof j->chip);
        if (j->rollout->payload != NULL)
            push(j, d);
        else
            activate(j, d);
    } else if (strcmp(robot->fault.code, "not_otapult") == 0 && j->rollout->payload != NULL && robot->met) {
        j->fault = robot->fault;
        if (j->kind_given)
            bare_begin(j);
        else
            probe(j);
    } else if (j->attempts > 0 && robot->fault.status == STATUS_UNREACHABLE && ++j->attempts < ATTEMPTS) {
        j->timer = (struct wire_timer){.ctx = j, .fire = start_again};
        wire_after(j->rollout->wire, &j->timer, RETRY_MS << (j->attempts - 1));
    } else {
        fail(j,
             j->attempts > 0 && robot->fault.status == STATUS_UNREACHABLE ? OUTCOME_LOST
                                                                          : outcome_of_fault(&robot->fault),
             &robot->fault);
    }
}

/* After a broken link: it may have restarted meanwhile, so it is asked first. */
static void start_again(void *ctx)
{
    struct job *j = ctx;

    robot_ask(j->robot, j->rollout->wire, asked, j);
}

/* ---- who begins when ---- */

static bool in_canary_phase(const struct rollout *r)
{
    return r->options->canary > 0 && r->canaries_proved < r->options->canary;
}

static bool may_start(const struct rollout *r)
{
    if (r->stopped || interrupted() || r->next == r->count || r->active >= r->options->jobs)
        return false;
    return !in_canary_phase(r) || r->canaries < r->options->canary;
}

static void start(struct rollout *r, struct job *j)
{
    r->active++;
    j->canary = in_canary_phase(r);
    r->canaries += j->canary;
    j->began = wire_now();
    come_to(j, JOB_ASKING);
    robot_ask(j->robot, r->wire, asked, j);
}

static void start_more(struct rollout *r)
{
    while (may_start(r)) {
        struct job *j = &r->job[r->next++];
        if (j->state == JOB_QUEUED)
            start(r, j);
    }
}

/* What is known of a robot that was left in the middle. */
static void leave(struct job *j)
{
    static const char *const states[] = {
        [JOB_QUEUED] = "",
        [JOB_ASKING] = "nothing was sent; it keeps what it runs",
        [JOB_PROBING] = "nothing was sent; it keeps what it runs",
        [JOB_PACKING] = "nothing was sent; it keeps what it runs",
        [JOB_SENDING] = "while sending; it keeps what it runs",
        [JOB_RESTARTING] = "it has the file and restarts; nothing is proved",
        [JOB_TRIAL] = "it runs the new firmware, on trial; nothing is proved",
        [JOB_DONE] = "",
    };

    if (j->state == JOB_DONE)
        return;
    snprintf(j->words, sizeof j->words, "%s",
             j->state == JOB_QUEUED ? (interrupted() ? "interrupted" : j->rollout->why_stopped)
                                    : states[j->state]);
    j->outcome = j->state == JOB_QUEUED ? OUTCOME_NOT_STARTED : OUTCOME_INTERRUPTED;
    j->state = JOB_DONE;
}

int job_status(const struct job *j)
{
    bool done = j->outcome == OUTCOME_UNPROVED && j->rollout->options->accept_unproved;

    return done ? STATUS_OK : outcome_table[j->outcome].status;
}

int rollout_run(struct rollout *r)
{
    int worst = STATUS_OK;

    r->wire = wire_open();
    if (r->wire == NULL)
        return STATUS_NO;
    r->view = view_open(r);
    start_more(r);
    robots_wait(r->wire);
    for (size_t i = 0; i < r->count; i++) {
        leave(&r->job[i]);
        int status = job_status(&r->job[i]);
        worst = status > worst ? status : worst;
    }
    if (r->options->resume != NULL && !state_save(r, r->options->resume))
        worst = worst > STATUS_NO ? worst : STATUS_NO;
    view_close(r);
    wire_close(r->wire);
    return interrupted() ? STATUS_INTERRUPTED : worst;
}
