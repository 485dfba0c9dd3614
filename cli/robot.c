/* SPDX-License-Identifier: Apache-2.0 */
#include "robot.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "command.h"
#include "interrupt.h"

/* How a robot is found, and how it is made sure that it is the one. Ways are tried one after another (doors),
 * TLS before plain HTTP. With TLS the key is known, or the user has allowed the first use, before anything is
 * asked; a request that carries a token goes only to the pinned key. Once a robot was met, later questions
 * take the same way. */

/* "rover.local:8080" says "rover" already. */
static bool says_already(const char *name, const char *own)
{
    size_t len = strlen(own);

    if (len == 0)
        return true;
    if (strncasecmp(name, own, len) != 0)
        return false;
    return name[len] == '\0' || strncasecmp(name + len, ".local", 6) == 0;
}

void robot_called(const struct robot *r, char dst[ROBOT_CALLED])
{
    const char *own = r->device.name;

    if (says_already(r->name, own))
        snprintf(dst, ROBOT_CALLED, "%s", r->name);
    else
        snprintf(dst, ROBOT_CALLED, "%s (%s)", r->name, own);
}

void robot_free(struct robot *r)
{
    free(r->status_text);
    r->status_text = NULL;
}

/* ---- what went wrong ---- */

static enum trouble_id refused_how(long os_error)
{
    switch (os_error) {
    case ECONNREFUSED: return TROUBLE_REFUSED;
    case EHOSTUNREACH:
    case ENETUNREACH:
    case EADDRNOTAVAIL: return TROUBLE_NO_ROUTE;
    default: return TROUBLE_NO_ANSWER;
    }
}

static enum trouble_id trouble_of(const struct wire_answer *a)
{
    switch (a->err) {
    case CURLE_COULDNT_RESOLVE_HOST: return TROUBLE_NAME_UNKNOWN;
    case CURLE_COULDNT_CONNECT: return refused_how(a->os_error);
    case CURLE_OPERATION_TIMEDOUT: return TROUBLE_NO_ANSWER;
    case CURLE_SSL_CONNECT_ERROR: return TROUBLE_TLS;
    case CURLE_SSL_PINNEDPUBKEYNOTMATCH: return TROUBLE_OTHER_DEVICE;
    case CURLE_WRITE_ERROR: /* longer than any answer of this API */
    case CURLE_UNSUPPORTED_PROTOCOL:
    case CURLE_WEIRD_SERVER_REPLY: return TROUBLE_NOT_OTAPULT;
    case CURLE_GOT_NOTHING:
    case CURLE_SEND_ERROR:
    case CURLE_RECV_ERROR:
    case CURLE_PARTIAL_FILE: return TROUBLE_CONNECTION_LOST;
    default: return TROUBLE_TRANSFER;
    }
}

void wire_fault(struct fault *f, const struct wire_answer *a)
{
    enum trouble_id id = trouble_of(a);
    const char *detail = curl_easy_strerror(a->err);

    if (id == TROUBLE_NAME_UNKNOWN || id == TROUBLE_REFUSED || id == TROUBLE_NO_ANSWER)
        detail = ""; /* the caption says it all */
    if (a->err == CURLE_WRITE_ERROR)
        detail = "its answer does not end";
    fault_of_trouble(f, id, detail);
}

/* What a reverse proxy says of its own: too large for it, too often, or nobody behind it. A robot says the
 * same with a body of this API. */
static bool is_of_a_proxy(long status)
{
    return status == 413 || status == 429 || (status >= 502 && status <= 504);
}

static void not_otapult(struct fault *f, const struct wire_answer *a)
{
    char detail[100];

    snprintf(detail, sizeof detail, "it answers %ld, and nothing of this API", a->status);
    fault_of_trouble(f, is_of_a_proxy(a->status) ? TROUBLE_PROXY : TROUBLE_NOT_OTAPULT, detail);
}

bool robot_was_reached(const struct wire_answer *a)
{
    struct fault f = {0};

    if (a->err != CURLE_OK)
        return false;
    if (!is_of_a_proxy(a->status) || a->status == 413)
        return true;
    robot_fault(&f, a);
    return strcmp(f.code, "proxy_answers") != 0;
}

bool robot_fault(struct fault *f, const struct wire_answer *a)
{
    if (a->err != CURLE_OK) {
        wire_fault(f, a);
        return true;
    }
    cJSON *json = a->body != NULL ? cJSON_ParseWithLength(a->body, a->len) : NULL;
    bool good = a->status >= 200 && a->status < 300 && cJSON_IsObject(json);
    if (!good && !fault_of_answer(f, a->status, json))
        not_otapult(f, a);
    cJSON_Delete(json);
    return !good;
}

/* Of a request that changes something: it may have been done. */
static bool answer_was_lost(const struct fault *f, const struct wire_answer *a)
{
    return a->err != CURLE_OK && a->told && f->status == STATUS_UNREACHABLE;
}

bool robot_order_fault(struct fault *f, const struct wire_answer *a)
{
    bool wrong = robot_fault_without(f, a, "success");

    if (wrong && answer_was_lost(f, a))
        fault_of_trouble(f, TROUBLE_ANSWER_LOST, curl_easy_strerror(a->err));
    return wrong;
}

bool robot_fault_without(struct fault *f, const struct wire_answer *a, const char *member)
{
    if (robot_fault(f, a))
        return true;
    cJSON *json = cJSON_ParseWithLength(a->body, a->len);
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(json, member);
    bool good = item != NULL && !cJSON_IsFalse(item);

    if (!good)
        not_otapult(f, a);
    cJSON_Delete(json);
    return !good;
}

/* ---- asking ---- */

/* Where a robot is looked for, one after another. TLS is first, and a robot whose key is known is not asked
 * in the clear when TLS fails (status_came()): an attacker could make it fail. A robot of otapult_serve() or
 * of the Arduino class listens on 8080. */
#define SERVED 8080

static const struct {
    enum scheme scheme;
    unsigned port;
} doors[] = {{SCHEME_HTTPS, 443}, {SCHEME_HTTPS, SERVED}, {SCHEME_HTTP, 80}, {SCHEME_HTTP, SERVED}};

#define DOORS (sizeof doors / sizeof *doors)

/* Is this door to be tried? Port 8080 only where neither scheme nor port was given, and not at a host that
 * did not answer at all. Without a scheme plain HTTP is left out where a pin
 * was given: only TLS can show that. */
static bool leads(const struct robot *r, unsigned door)
{
    bool either = r->address.scheme == SCHEME_EITHER;

    if (doors[door].port == SERVED && (!either || r->address.port != 0 || r->silent))
        return false;
    return either ? doors[door].scheme == SCHEME_HTTPS || r->given_pin == NULL
                  : doors[door].scheme == r->address.scheme;
}

static unsigned next_door(const struct robot *r, unsigned door)
{
    while (door < DOORS && !leads(r, door))
        door++;
    return door;
}

static void asked(struct robot *r)
{
    r->under_way = NULL;
    r->asked(r->ctx, r);
}

static void fail(struct robot *r, enum trouble_id id, const char *detail)
{
    fault_of_trouble(&r->fault, id, detail);
    asked(r);
}

void robot_request(const struct robot *r, const char *path, struct wire_request *request, char url[ROBOT_URL])
{
    snprintf(url, ROBOT_URL, "%s%s", r->base, path);
    *request = (struct wire_request){.url = url,
                                     .name = r->name,
                                     .connect_to = r->connect_to,
                                     .timeout_s = r->timeout_s,
                                     .pin = r->tls ? r->pin : NULL};
    if (!r->tls)
        return;
    if (r->token != NULL)
        request->token = r->token;
    else if (r->stored_token[0] != '\0')
        request->token = r->stored_token;
    else
        request->password = r->password;
}

static void begin(struct robot *r);
static void ask_status(struct robot *r);

/* This door gave no connection, so the next one is tried. Behind the last one the robot is given up. */
static void try_next(struct robot *r, const struct wire_answer *a)
{
    struct fault f = {0};
    size_t len = strlen(r->tried);

    wire_fault(&f, a);
    snprintf(r->tried + len, sizeof r->tried - len, "%s%s: %s", len > 0 ? "; " : "",
             r->tls ? "https" : "http", f.caption);
    bool same = r->fault.caption[0] == '\0' || strcmp(r->fault.caption, f.caption) == 0;
    r->silent |= a->err == CURLE_OPERATION_TIMEDOUT;
    r->door = next_door(r, r->door + 1);
    r->fault = f;
    if (r->door < DOORS) {
        begin(r);
        return;
    }
    if (!same)
        snprintf(r->fault.detail, sizeof r->fault.detail, "%s", r->tried);
    asked(r);
}

/* Was there no connection, or one on which the other side speaks something else than HTTP? */
static bool never_spoke(const struct wire_answer *a)
{
    return a->err != CURLE_OK && a->err != CURLE_SSL_PINNEDPUBKEYNOTMATCH && a->err != CURLE_WRITE_ERROR;
}

static void met(struct robot *r, const struct wire_answer *a)
{
    cJSON *json = a->body != NULL ? cJSON_ParseWithLength(a->body, a->len) : NULL;

    r->met = true;
    r->fault = (struct fault){0};
    r->http_status = a->status;
    free(r->status_text);
    r->status_text = NULL;
    if (a->fingerprint[0] != '\0')
        memcpy(r->fingerprint, a->fingerprint, sizeof r->fingerprint);
    if (a->status == 200 && device_read(&r->device, json))
        r->status_text = cJSON_PrintUnformatted(json);
    else if (!fault_of_answer(&r->fault, a->status, json))
        not_otapult(&r->fault, a);
    cJSON_Delete(json);
    asked(r);
}

/* ---- TLS: is it the one of last time? ---- */

static void show_other(void *ctx, const struct wire_answer *a)
{
    struct robot *r = ctx;
    struct known_device before;
    char detail[400];

    if (known_find(r->where, &before) != KNOWN_YES)
        snprintf(before.fingerprint, sizeof before.fingerprint, "%s", r->pin);
    int n = snprintf(detail, sizeof detail, "it shows %s, last time it was %s", a->fingerprint,
                     before.fingerprint);
    if (n > 0 && (size_t)n < sizeof detail)
        snprintf(detail + n, sizeof detail - (size_t)n, "; known_devices is %s", known_path());
    fail(r, TROUBLE_OTHER_DEVICE, detail);
}

static void shake_hands(struct robot *r, void (*done)(void *ctx, const struct wire_answer *a))
{
    struct wire_request q = {.url = r->base,
                             .name = r->name,
                             .connect_to = r->connect_to,
                             .shake_hands = true,
                             .timeout_s = r->timeout_s,
                             .ctx = r,
                             .done = done};
    wire_send(r->wire, &q);
}

static void meet(void *ctx, const struct wire_answer *a)
{
    struct robot *r = ctx;
    struct known_device shown;
    char detail[300];

    if (a->err != CURLE_OK) {
        try_next(r, a);
        return;
    }
    snprintf(shown.pin, sizeof shown.pin, "%s", a->pin);
    snprintf(shown.fingerprint, sizeof shown.fingerprint, "%s", a->fingerprint);
    memcpy(r->pin, shown.pin, sizeof r->pin);
    memcpy(r->fingerprint, shown.fingerprint, sizeof r->fingerprint);
    snprintf(detail, sizeof detail, "%s, certificate %s", r->where, shown.fingerprint);
    if (!r->first_use || shown.pin[0] == '\0') {
        fail(r, TROUBLE_UNKNOWN_DEVICE, detail);
        return;
    }
    remark("%s is noted as %s", r->where, shown.fingerprint);
    if (known_add(r->where, &shown))
        ask_status(r);
    else
        fail(r, TROUBLE_KNOWN_DAMAGED, known_path());
}

static void begin_tls(struct robot *r)
{
    struct known_device known;

    if (r->given_pin != NULL) {
        snprintf(r->pin, sizeof r->pin, "%s", r->given_pin);
        ask_status(r);
        return;
    }
    switch (known_find(r->where, &known)) {
    case KNOWN_YES:
        memcpy(r->pin, known.pin, sizeof r->pin);
        memcpy(r->fingerprint, known.fingerprint, sizeof r->fingerprint);
        ask_status(r);
        break;
    case KNOWN_NOT: shake_hands(r, meet); break;
    case KNOWN_UNREADABLE: fail(r, TROUBLE_KNOWN_DAMAGED, known_path()); break;
    }
}

/* ---- the way of a question ---- */

static void status_came(void *ctx, const struct wire_answer *a)
{
    struct robot *r = ctx;

    if (a->err == CURLE_SSL_PINNEDPUBKEYNOTMATCH) {
        shake_hands(r, show_other);
    } else if (!r->met && never_spoke(a) &&
               !(r->tls && r->address.scheme == SCHEME_EITHER && r->pin[0] != '\0' && r->given_pin == NULL)) {
        try_next(r, a);
    } else if (a->err != CURLE_OK) {
        wire_fault(&r->fault, a); /* a known robot is not asked in the clear because TLS fails today */
        asked(r);
    } else {
        met(r, a);
    }
}

static void ask_status(struct robot *r)
{
    struct wire_request q;
    char url[ROBOT_URL];

    if (r->tls && r->token == NULL && r->stored_token[0] == '\0' &&
        token_find(r->where, r->stored_token) == TOKEN_READABLE_BY_OTHERS) {
        char path[CONFIG_PATH];
        config_path("tokens", path);
        fail(r, TROUBLE_TOKENS_OPEN, path);
        return;
    }
    robot_request(r, "/api/ota/status", &q, url);
    q.ctx = r;
    q.done = status_came;
    wire_send(r->wire, &q);
}

static void begin(struct robot *r)
{
    r->tls = doors[r->door].scheme == SCHEME_HTTPS;
    unsigned port = r->address.port != 0 ? r->address.port : doors[r->door].port;

    snprintf(r->where, sizeof r->where, "%s:%u", r->address.host, port);
    snprintf(r->base, sizeof r->base, "%s://%s", r->tls ? "https" : "http", r->where);
    if (r->tls)
        begin_tls(r);
    else
        ask_status(r);
}

void robot_ask(struct robot *r, struct wire *w, void (*done)(void *ctx, struct robot *r), void *ctx)
{
    r->wire = w;
    r->under_way = "nothing was changed";
    r->asked = done;
    r->ctx = ctx;
    r->fault = (struct fault){0};
    r->tried[0] = '\0';
    if (r->met) {
        ask_status(r);
        return;
    }
    r->silent = false;
    r->door = next_door(r, 0);
    begin(r);
}

/* ---- orders ---- */

static void order_answered(void *ctx, const struct wire_answer *a)
{
    struct robot *r = ctx;

    r->under_way = NULL;
    (void)robot_order_fault(&r->fault, a);
    if (a->err == CURLE_OK && (a->status == 404 || a->status == 405))
        fault_of_trouble(&r->fault, TROUBLE_NO_SUCH_ORDER, "");
    r->answered(r->ctx, r, a);
}

void robot_order(struct robot *r, struct wire *w, const char *path,
                 void (*answered)(void *ctx, struct robot *r, const struct wire_answer *a), void *ctx)
{
    struct wire_request q;
    char url[ROBOT_URL];

    robot_request(r, path, &q, url);
    r->under_way = "it was told, and has not answered";
    r->fault = (struct fault){0};
    r->answered = answered;
    r->ctx = ctx;
    q.method = "POST";
    q.ctx = r;
    q.done = order_answered;
    wire_send(w, &q);
}

static void got(void *ctx, const struct wire_answer *a)
{
    struct robot *r = ctx;

    r->under_way = NULL;
    (void)robot_fault_without(&r->fault, a, r->wanted);
    r->answered(r->ctx, r, a);
}

void robot_get(struct robot *r, struct wire *w, const char *path, const char *member,
               void (*answered)(void *ctx, struct robot *r, const struct wire_answer *a), void *ctx)
{
    struct wire_request q;
    char url[ROBOT_URL];

    robot_request(r, path, &q, url);
    r->under_way = "nothing was changed";
    r->fault = (struct fault){0};
    r->wanted = member;
    r->answered = answered;
    r->ctx = ctx;
    q.ctx = r;
    q.done = got;
    wire_send(w, &q);
}

/* ---- Ctrl-C ---- */

static bool stopped(void *ctx)
{
    (void)ctx;
    return interrupted();
}

void robots_wait(struct wire *w)
{
    interrupt_catch();
    wire_run(w, stopped, NULL);
}

void robot_leave(struct robot *r)
{
    if (r->under_way == NULL)
        return;
    fault_of_trouble(&r->fault, TROUBLE_INTERRUPTED, r->under_way);
    r->under_way = NULL;
}
