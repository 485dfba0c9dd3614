/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/text.h"
#include "offer/call.h"
#include "offer/ddi.h"
#include "offer/source.h"
#include "offer/url.h"
#include "otapult/json.h"
#include "update/door.h"

/* hawkBit as a source. A question is a poll and, where the poll names one, the action behind it; reports are
 * the action's feedback.
 *
 * `closed` with `success` is sent for what runs and has confirmed itself, never for what was written: it is
 * what a roll-out counts, and the reason why one that is no good stops at its first group.
 *
 * The server keeps 1000 entries of an action, and a closed one is never offered again. So feedback is rare, a
 * lost network is not a failure, and 403 on feedback is final. */

#define LINES_MAX  208u /* Authorization and Content-Type */
#define TOKEN_MAX  128u
#define BODY_MAX   640u   /* of a request */
#define ANSWER_MAX 65536u /* of an answer: a deployment with its metadata has some KB */

struct hawkbit {
    bool told;    /* the server knows what runs; asked anew after each start */
    bool consent; /* what is offered waits for a person's yes: its reports go to confirmationBase */
    char known[OTAPULT_CALL_ETAG]; /* of a poll that had nothing to do; "": there was none */
    uint32_t known_s;              /* and when the server wanted the next one */
    bool home;                     /* the files are on the server itself: they are fetched with the token */
    char lines[LINES_MAX];
    char url[OTAPULT_OFFER_URL];
    struct otapult_call call;
    union { /* what comes, and what is sent */
        struct otapult_ddi ddi;
        char body[BODY_MAX];
    };
};
_Static_assert(sizeof(struct hawkbit) <= OTAPULT_SOURCE_RAM, "a source's memory");

static const struct otapult_hawkbit *config_of(const struct otapult_pull *pull)
{
    return pull->source_config;
}

/* ---- configuration ---- */

/* Can this word stand in an address without escapes? hawkBit itself refuses '%'. */
static bool is_word(const char *s)
{
    return s[0] != '\0' && s[0] != '.' &&
           s[strspn(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._:-")] == '\0';
}

static bool is_token(const char *s)
{
    size_t n = strlen(s);

    for (size_t i = 0; i < n; i++)
        if (s[i] <= ' ' || s[i] > '~')
            return false;
    return n > 0 && n <= TOKEN_MAX;
}

static const char *tenant_of(const struct otapult_hawkbit *c)
{
    return c->tenant != NULL ? c->tenant : "DEFAULT";
}

/* An address of this machine itself: nobody can stand between. */
static bool is_this_machine(const char *url)
{
    static const char *const hosts[] = {"127.0.0.1", "localhost", "[::1]", NULL};

    return otapult_url_host_in(url, hosts);
}

/* Makes the address of a request: the part that all of them begin with, and `words` behind it, the last one
 * NULL. */
static bool make_url(const struct otapult_pull *pull, char dst[OTAPULT_OFFER_URL], const char *const *words)
{
    const struct otapult_hawkbit *c = config_of(pull);
    struct otapult_text t;

    otapult_text_init(&t, dst, OTAPULT_OFFER_URL);
    otapult_text_str(&t, c->url);
    otapult_text_str(&t, c->url[strlen(c->url) - 1] == '/' ? "" : "/");
    otapult_text_str(&t, tenant_of(c));
    otapult_text_str(&t, "/controller/v1/");
    otapult_text_str(&t, pull->id);
    for (; *words != NULL; words++) {
        otapult_text_str(&t, "/");
        otapult_text_str(&t, *words);
    }
    return !t.full;
}

static const char *hawkbit_fault(const struct otapult_pull *pull, bool secure, unsigned trusted)
{
    const struct otapult_hawkbit *c = config_of(pull);
    static const char *const longest[] = {"confirmationBase", "1234567890123456789", "feedback", NULL};
    char url[OTAPULT_OFFER_URL];

    (void)trusted;
    if (c == NULL || c->url == NULL || c->url[0] == '\0')
        return "hawkbit without its address";
    if (otapult_url_fault(c->url, pull->plain_http) != NULL || strchr(c->url, '?') != NULL)
        return "hawkbit with an address that is none: https://hawkbit.example.org";
    if (c->token == NULL || !is_token(c->token))
        return "hawkbit without a token of 1 to 128 visible characters";
    if (!is_word(tenant_of(c)) || !is_word(pull->id))
        return "hawkbit with a tenant or an id of other than letters, digits, dot, dash, colon, underscore";
    if (!make_url(pull, url, longest))
        return "hawkbit with an address that is too long";
    if (pull->plain_http && !secure && !is_this_machine(c->url))
        return "plain_http without signatures";
    return NULL;
}

/* ---- requests ---- */

static const char *lines_of(struct hawkbit *h, const struct otapult_source_env *env, bool json)
{
    const struct otapult_hawkbit *c = config_of(env->pull);
    struct otapult_text t;

    otapult_text_init(&t, h->lines, sizeof h->lines);
    otapult_text_str(&t, c->gateway ? "Authorization: GatewayToken " : "Authorization: TargetToken ");
    otapult_text_str(&t, c->token);
    otapult_text_str(&t, json ? "\r\nContent-Type: application/json\r\n" : "\r\n");
    return h->lines;
}

static int run(struct otapult_source_env *env, struct hawkbit *h)
{
    struct otapult_finding why = {0};

    int err = otapult_call_run(&h->call, env->pull, &why);
    if (err != 0 && env->why.text == NULL)
        env->why = why;
    return err;
}

struct reading {
    struct otapult_source_env *env;
    struct otapult_ddi *ddi;
};

static int take_answer(void *to, const uint8_t *p, size_t n)
{
    struct reading *r = to;

    return otapult_ddi_feed(r->ddi, p, n, &r->env->why);
}

/* `url` is read into h->ddi; `offer` as in otapult_ddi_init(). `known`: as in struct otapult_call; with 304
 * h->ddi is empty. */
static int get(struct otapult_source_env *env, struct hawkbit *h, const char *url, const char *known,
               struct otapult_offer *offer)
{
    struct reading reading = {env, &h->ddi};

    memset(&h->call, 0, sizeof h->call);
    otapult_text_set(h->url, sizeof h->url, url); /* which may lie in h->ddi */
    otapult_ddi_init(&h->ddi, offer);
    h->call.url = h->url;
    h->call.headers = lines_of(h, env, false);
    h->call.known = known;
    h->call.max = ANSWER_MAX;
    h->call.to = &reading;
    h->call.data = take_answer;
    int err = run(env, h);
    return err == 0 && h->call.status != 304 ? otapult_ddi_finish(&h->ddi, &env->why) : err;
}

/* Sends h->body. *status is the answer's; 0, or there was no answer. */
static int send(struct otapult_source_env *env, struct hawkbit *h, const char *method,
                const char *const *words, int *status)
{
    if (!make_url(env->pull, h->url, words))
        return OTAPULT_E_INTERNAL;
    memset(&h->call, 0, sizeof h->call);
    h->call.method = method;
    h->call.url = h->url;
    h->call.headers = lines_of(h, env, true);
    h->call.body = h->body;
    h->call.body_len = strlen(h->body);
    h->call.max = ANSWER_MAX;
    h->call.any_status = true;
    int err = run(env, h);
    *status = h->call.status;
    return err;
}

static int bad_status(struct otapult_source_env *env, int status)
{
    env->why = (struct otapult_finding){.got = (uint32_t)status};
    return OTAPULT_E_SOURCE_STATUS;
}

/* ---- what is told of the robot ---- */

static void write_attributes(struct otapult_source_env *env, char *dst, size_t cap)
{
    const struct otapult_app_desc *runs = &env->running;
    const char *name = otapult_name(env->device);
    char build[OTAPULT_BUILD_ID_CHARS + 1], slot[17];
    struct otapult_status s;
    struct otapult_json j;

    otapult_status(env->device, &s);
    otapult_slot_label(env->device, s.slots.running, slot);
    otapult_build_id(runs, build);
    otapult_json_init(&j, dst, cap);
    otapult_json_open(&j, NULL, '{');
    otapult_json_str(&j, "mode", "merge");
    otapult_json_open(&j, "data", '{');
    otapult_json_str(&j, "name", name[0] != '\0' ? name : env->pull->id);
    otapult_json_str(&j, "chip", otapult_chip_name(otapult_device_chip(env->device)));
    otapult_json_str(&j, "project", runs->project);
    otapult_json_str(&j, "version", runs->version);
    otapult_json_str(&j, "build", build);
    otapult_json_str(&j, "slot", slot);
    otapult_json_str(&j, "profile", otapult_profile(env->device) != NULL ? "secure" : "open");
    otapult_json_close(&j, '}');
    otapult_json_close(&j, '}');
}

/* Told once after each start, because it changes only with the firmware. A server that refuses it for good
 * (4xx) is not told again before the next start. */
static int tell_attributes(struct otapult_source_env *env, struct hawkbit *h)
{
    static const char *const words[] = {"configData", NULL};
    int status;

    if (h->told)
        return 0;
    write_attributes(env, h->body, sizeof h->body);
    int err = send(env, h, "PUT", words, &status);
    if (err == 0 && (status >= 500 || status == 429))
        err = bad_status(env, status);
    h->told = err == 0;
    return err;
}

/* ---- feedback ---- */

struct feedback {
    const char *base; /* deploymentBase or cancelAction */
    const char *id;
    const char *execution, *finished; /* in DDI's words */
    int percent;                      /* -1: none */
    const char *detail;               /* "": none */
};

static void write_feedback(const struct feedback *f, char *dst, size_t cap)
{
    struct otapult_json j;

    otapult_json_init(&j, dst, cap);
    otapult_json_open(&j, NULL, '{');
    otapult_json_str(&j, "id", f->id);
    otapult_json_open(&j, "status", '{');
    otapult_json_str(&j, "execution", f->execution);
    otapult_json_open(&j, "result", '{');
    otapult_json_str(&j, "finished", f->finished);
    if (f->percent >= 0) {
        otapult_json_open(&j, "progress", '{');
        otapult_json_num(&j, "cnt", (uint32_t)f->percent);
        otapult_json_num(&j, "of", 100);
        otapult_json_close(&j, '}');
    }
    otapult_json_close(&j, '}');
    otapult_json_open(&j, "details", '[');
    if (f->detail[0] != '\0')
        otapult_json_str(&j, NULL, f->detail);
    otapult_json_close(&j, ']');
    otapult_json_close(&j, '}');
    otapult_json_close(&j, '}');
}

/* 403: the action's history is full, and nothing of it will ever be taken again. 404, 410: there is no such
 * action, or it is over. */
static int judge_feedback(struct otapult_source_env *env, int status)
{
    if ((status >= 200 && status < 300) || status == 403)
        return 0;
    if (status == 404 || status == 410)
        return OTAPULT_E_OFFER_WITHDRAWN;
    return bad_status(env, status);
}

static int send_feedback(struct otapult_source_env *env, struct hawkbit *h, const struct feedback *f)
{
    const char *const words[] = {f->base, f->id, "feedback", NULL};
    int status;

    write_feedback(f, h->body, sizeof h->body);
    int err = send(env, h, "POST", words, &status);
    return err == 0 ? judge_feedback(env, status) : err;
}

static int answer_consent(struct otapult_source_env *env, struct hawkbit *h, const char *id, const char *word)
{
    const char *const words[] = {"confirmationBase", id, "feedback", NULL};
    struct otapult_json j;
    int status;

    otapult_json_init(&j, h->body, sizeof h->body);
    otapult_json_open(&j, NULL, '{');
    otapult_json_str(&j, "confirmation", word);
    otapult_json_open(&j, "details", '[');
    otapult_json_str(&j, NULL, "by somebody at the robot");
    otapult_json_close(&j, ']');
    otapult_json_close(&j, '}');
    int err = send(env, h, "POST", words, &status);
    return err == 0 ? judge_feedback(env, status) : err;
}

/* ---- a question ---- */

static int poll(struct otapult_source_env *env, struct hawkbit *h, const char *known)
{
    static const char *const words[] = {NULL};
    char url[OTAPULT_OFFER_URL];

    if (!make_url(env->pull, url, words))
        return OTAPULT_E_INTERNAL;
    int err = get(env, h, url, known, NULL);
    env->unchanged = err == 0 && h->call.status == 304;
    env->next_s = err != 0 ? h->call.retry_s : env->unchanged ? h->known_s : h->ddi.sleep_s;
    if (err != 0 || h->ddi.link == OTAPULT_DDI_NOTHING)
        return err;
    if (otapult_url_same_origin(h->ddi.href, config_of(env->pull)->url))
        return 0;
    env->why = (struct otapult_finding){.text = "another host"};
    return OTAPULT_E_SOURCE_REDIRECT;
}

/* Answers a cancellation: yes, the action is over, and nothing was changed. That is true, because questions
 * are asked only between updates, and a download that is under way ends right after (still_wanted()). One
 * case is left: the action has come to its own end, which the server does not know yet. Then that end is told
 * first, and the cancellation waits. */
static int stop(struct otapult_source_env *env, struct hawkbit *h)
{
    char id[OTAPULT_DDI_ID], ends[OTAPULT_DDI_ID];

    int err = get(env, h, h->ddi.href, NULL, NULL);
    if (err != 0)
        return err;
    memcpy(id, h->ddi.id, sizeof id);
    memcpy(ends, h->ddi.stop_id, sizeof ends);
    if (id[0] == '\0' || ends[0] == '\0') {
        env->why.text = "an action without id";
        return OTAPULT_E_SOURCE_ANSWER;
    }
    if (env->owed != NULL && strcmp(ends, env->owed) == 0)
        return 0;
    err = send_feedback(
        env, h, &(struct feedback){"cancelAction", id, "closed", "success", -1, "nothing was changed"});
    return err == OTAPULT_E_OFFER_WITHDRAWN ? 0 : err;
}

/* A file elsewhere, as a server may have it in a cache, is fetched without the token, and only from where the
 * configuration says. */
static const char *look_at_hosts(const struct otapult_source_env *env, struct hawkbit *h,
                                 const struct otapult_offer *offer)
{
    const char *own = config_of(env->pull)->url;

    h->home = true;
    for (unsigned i = 0; i < offer->file_count; i++) {
        const char *url = offer->file[i].url;
        if (otapult_url_same_origin(url, own))
            continue;
        if (!otapult_url_host_in(url, env->pull->redirect_hosts))
            return "a file on another host";
        h->home = false;
    }
    return NULL;
}

/* The operator is told at once, because the action would stay open for ever. But one that still waits for a
 * person's yes is left open. */
static int refuse(struct otapult_source_env *env, struct hawkbit *h, const char *why)
{
    char id[OTAPULT_DDI_ID];

    memcpy(id, h->ddi.id, sizeof id);
    const struct feedback f = {"deploymentBase", id, "closed", "failure", -1, why};
    int err = h->consent ? 0 : send_feedback(env, h, &f);
    if (err != 0)
        return err;
    env->why = (struct otapult_finding){.text = why};
    return OTAPULT_E_SOURCE_ANSWER;
}

static int look_at_action(struct otapult_source_env *env, struct hawkbit *h, bool consent,
                          struct otapult_offer *out)
{
    int err = get(env, h, h->ddi.href, NULL, out);
    if (err != 0)
        return err;
    const char *why = h->ddi.unfit != NULL ? h->ddi.unfit : look_at_hosts(env, h, out);
    h->consent = out->needs_consent = consent;
    out->downgrade = true; /* an operator has named it; the robot's configuration says whether it is done */
    out->version_is_label = true;
    out->only_write = h->ddi.only_download;
    otapult_text_set(out->action, sizeof out->action, h->ddi.id);
    if (why == NULL)
        return 0;
    memset(out, 0, sizeof *out);
    return refuse(env, h, why);
}

static int look(struct otapult_source_env *env, struct hawkbit *h, struct otapult_offer *out)
{
    switch (h->ddi.link) {
    case OTAPULT_DDI_CANCEL: return stop(env, h);
    case OTAPULT_DDI_CONFIRMATION: return look_at_action(env, h, true, out);
    case OTAPULT_DDI_DEPLOYMENT: return look_at_action(env, h, false, out);
    default: return 0;
    }
}

/* The ETag is kept only of an answer with nothing to do. An answer that names an action is read each time,
 * because the report that ended the action here may have been lost. */
static void keep_poll(struct otapult_source_env *env, struct hawkbit *h)
{
    if (env->unchanged)
        return;
    bool idle = h->ddi.link == OTAPULT_DDI_NOTHING;
    otapult_text_set(h->known, sizeof h->known, idle ? h->call.etag : "");
    h->known_s = h->ddi.sleep_s;
}

static int hawkbit_ask(struct otapult_source_env *env, struct otapult_offer *out)
{
    struct hawkbit *h = env->memory;

    int err = poll(env, h, h->known);
    if (err == 0)
        keep_poll(env, h);
    uint32_t next_s = env->next_s;
    if (err == 0)
        err = look(env, h, out);
    if (err == 0)
        err = tell_attributes(env, h);
    env->next_s = next_s;
    return err;
}

static const char *headers(struct otapult_source_env *env)
{
    struct hawkbit *h = env->memory;

    return h->home ? lines_of(h, env, false) : "";
}

/* ---- reports ---- */

/* An operator may cancel while the download runs. Progress is told a few times only, so each time the server
 * is polled as well. */
static int still_wanted(struct otapult_source_env *env, struct hawkbit *h)
{
    int err = poll(env, h, NULL);

    if (err != 0 || h->ddi.link != OTAPULT_DDI_CANCEL)
        return 0; /* a question that gets no answer ends no download */
    err = stop(env, h);
    return err == 0 ? OTAPULT_E_OFFER_WITHDRAWN : err;
}

static int tell_progress(struct otapult_source_env *env, struct hawkbit *h, const struct otapult_report *r)
{
    uint32_t total = r->total > 0 ? r->total : 1;
    int percent = (int)((uint64_t)r->done * 100 / total);

    int err = still_wanted(env, h);
    if (err != 0)
        return err;
    return send_feedback(
        env, h,
        &(struct feedback){"deploymentBase", r->action, "proceeding", "none", percent, "downloading"});
}

static const struct {
    const char *execution, *finished, *detail; /* where the report itself has no text */
} words_of[] = {
    [OTAPULT_REPORT_DENIED] = {"rejected", "none", "somebody at the robot has skipped it"},
    [OTAPULT_REPORT_WRITTEN] = {"proceeding", "none",
                                "written and verified; it starts, and has to prove itself"},
    [OTAPULT_REPORT_STAGED] = {"downloaded", "none", "written and verified; it waits to be started"},
    [OTAPULT_REPORT_SUCCEEDED] = {"closed", "success",
                                  "it runs, and its own health checks have confirmed it"},
    [OTAPULT_REPORT_FAILED] = {"closed", "failure", ""},
};

static int tell(struct otapult_source_env *env, struct hawkbit *h, const struct otapult_report *r)
{
    const char *detail = r->text[0] != '\0' ? r->text : words_of[r->kind].detail;
    const struct feedback f = {"deploymentBase",           r->action, words_of[r->kind].execution,
                               words_of[r->kind].finished, -1,        detail};

    int err = send_feedback(env, h, &f);
    return err == OTAPULT_E_OFFER_WITHDRAWN ? 0 : err; /* no server waits for it any more */
}

static int hawkbit_report(struct otapult_source_env *env, const struct otapult_report *r)
{
    struct hawkbit *h = env->memory;

    if (r->action[0] == '\0' || strspn(r->action, "0123456789") != strlen(r->action))
        return 0; /* kept of another source */
    switch (r->kind) {
    case OTAPULT_REPORT_TAKEN: return answer_consent(env, h, r->action, "confirmed");
    case OTAPULT_REPORT_DENIED:
        return h->consent ? answer_consent(env, h, r->action, "denied") : tell(env, h, r);
    case OTAPULT_REPORT_PROGRESS: return tell_progress(env, h, r);
    default: return tell(env, h, r);
    }
}

const struct otapult_source otapult_hawkbit = {
    .name = "hawkbit",
    .fault = hawkbit_fault,
    .ask = hawkbit_ask,
    .headers = headers,
    .report = hawkbit_report,
};
