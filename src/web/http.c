/* SPDX-License-Identifier: Apache-2.0 */
#include "otapult/http.h"

#include <string.h>

#include "web/answer.h"
#include "web/header.h"
#include "web/status_json.h"

_Static_assert(sizeof(struct otapult_exchange) <= 448, "an exchange fits into 448 bytes");

#define JSON_TYPE    "application/json; charset=utf-8"
#define EVERY_ANSWER "Cache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\n"

/* ---- answers ---- */

/* `more`: further header lines. */
static void send_head(struct otapult_exchange *x, int status, const char *type, const char *more)
{
    char headers[1024];
    struct otapult_text t;

    otapult_text_init(&t, headers, sizeof headers);
    otapult_text_str(&t, EVERY_ANSWER);
    otapult_text_str(&t, more);
    x->answered = true;
    if (t.full) /* an asset's headers are the build's: the page's test sees this */
        x->reply.head(x->reply.ctx, 500, "text/plain", EVERY_ANSWER);
    else
        x->reply.head(x->reply.ctx, status, type, headers);
}

static void begin_answer(struct otapult_answer *a, struct otapult_exchange *x, int status, const char *more)
{
    send_head(x, status, JSON_TYPE, more);
    otapult_json_stream(&a->json, a->buf, sizeof a->buf, x->reply.body, x->reply.ctx);
}

void otapult_answer_begin(struct otapult_answer *a, struct otapult_exchange *x, int status)
{
    begin_answer(a, x, status, "");
}

void otapult_answer_end(struct otapult_answer *a)
{
    otapult_json_flush(&a->json);
}

static void send_error(struct otapult_exchange *x, int err, const struct otapult_finding *why,
                       const char *more)
{
    struct otapult_answer a;

    begin_answer(&a, x, otapult_error_row(err)->status, more);
    otapult_error_json(&a.json, NULL, err, why, x->russian);
    otapult_answer_end(&a);
}

void otapult_http_error(struct otapult_exchange *x, int err, const struct otapult_finding *why)
{
    send_error(x, err, why, "");
}

void otapult_http_json(struct otapult_exchange *x, int status, const char *json, size_t len)
{
    send_head(x, status, JSON_TYPE, "");
    x->reply.body(x->reply.ctx, json, len);
}

void otapult_http_asset(struct otapult_exchange *x, const struct otapult_asset *asset)
{
    send_head(x, 200, "text/html; charset=utf-8", asset->headers);
    x->reply.body(x->reply.ctx, asset->gzip, asset->len);
}

/* ---- what every request must keep to ---- */

static const char *header_of(const struct otapult_exchange *x, const char *name, unsigned *count)
{
    *count = 0;
    const char *value = x->req->header(x->req->ctx, name, count);
    if (value == NULL)
        *count = 0;
    return value;
}

static bool prefers_russian(const struct otapult_exchange *x)
{
    unsigned count;
    const char *value = header_of(x, "Accept-Language", &count);

    if (value == NULL)
        return false;
    value += strspn(value, " \t");
    return otapult_same_word(value, strcspn(value, "-,; \t"), "ru");
}

/* A number above what 32 bits hold counts as one less than OTAPULT_SIZE_UNKNOWN: too large for anything. */
static bool read_length(const char *digits, uint32_t *out)
{
    uint32_t v = 0;

    if (*digits == '\0' || strspn(digits, "0123456789") != strlen(digits))
        return false;
    for (; *digits != '\0'; digits++) {
        uint32_t digit = (uint32_t)(*digits - '0');
        v = v > (OTAPULT_SIZE_UNKNOWN - 1 - digit) / 10 ? OTAPULT_SIZE_UNKNOWN - 1 : v * 10 + digit;
    }
    *out = v;
    return true;
}

/* RFC 9112, section 6: one of the two, once. Anything else is how requests are smuggled. */
static const char *length_fault(struct otapult_exchange *x)
{
    unsigned lengths, codings;
    const char *length = header_of(x, "Content-Length", &lengths);
    const char *coding = header_of(x, "Transfer-Encoding", &codings);

    if (lengths > 1)
        return "given more than once";
    if (length != NULL && coding != NULL)
        return "given beside Transfer-Encoding";
    if (length != NULL)
        return read_length(length, &x->length) ? NULL : "not a number";
    if (coding == NULL)
        return NULL; /* no body */
    x->length = OTAPULT_SIZE_UNKNOWN;
    return codings == 1 && otapult_same_word(coding, strlen(coding), "chunked")
               ? NULL
               : "missing, and the Transfer-Encoding is not chunked";
}

static bool is_get(const struct otapult_request *req)
{
    return strcmp(req->method, "GET") == 0 || strcmp(req->method, "HEAD") == 0;
}

/* A page of another site can make a browser send a POST, but not without saying where it comes from.
 * Programs send no Origin. */
static const char *foreign_origin(const struct otapult_exchange *x)
{
    unsigned origins, hosts;
    const char *origin = header_of(x, "Origin", &origins);
    const char *host = header_of(x, "Host", &hosts);

    if (is_get(x->req) || origin == NULL)
        return NULL;
    const char *site = strstr(origin, "://");
    bool same = origins == 1 && hosts == 1 && site != NULL &&
                otapult_same_word(site + 3, strlen(site + 3), host);
    return same ? NULL : origin;
}

static bool refuse_request(struct otapult_exchange *x)
{
    struct otapult_finding why = {.text = length_fault(x)};

    if (why.text != NULL) {
        otapult_http_error(x, OTAPULT_E_CONTENT_LENGTH, &why);
        return true;
    }
    why.text = foreign_origin(x);
    if (why.text != NULL)
        otapult_http_error(x, OTAPULT_E_FOREIGN_ORIGIN, &why);
    return why.text != NULL;
}

/* ---- which route ---- */

/* HEAD is looked up as GET; the adapter leaves the body of the answer out. */
static bool serves(const struct otapult_route *route, const struct otapult_request *req)
{
    return strcmp(route->method, is_get(req) ? "GET" : req->method) == 0;
}

struct lookup {
    const struct otapult_route *route;
    void *app;
    struct otapult_text methods; /* of all routes with that path */
};

static void look_in_site(struct lookup *l, const struct otapult_site *site, const struct otapult_request *req)
{
    for (size_t i = 0; i < site->count && l->route == NULL; i++) {
        const struct otapult_route *route = &site->routes[i];

        if (strcmp(route->path, req->path) != 0)
            continue;
        if (serves(route, req)) {
            l->route = route;
            l->app = site->app;
        }
        otapult_text_str(&l->methods, l->methods.len == 0 ? "" : ", ");
        otapult_text_str(&l->methods, strcmp(route->method, "GET") == 0 ? "GET, HEAD" : route->method);
    }
}

static void refuse_method(struct otapult_exchange *x, const char *methods)
{
    const struct otapult_finding why = {.text = methods};
    char allow[80];
    struct otapult_text t;

    otapult_text_init(&t, allow, sizeof allow);
    otapult_text_str(&t, "Allow: ");
    otapult_text_str(&t, methods);
    otapult_text_str(&t, "\r\n");
    send_error(x, OTAPULT_E_METHOD, &why, allow);
}

static bool find_route(struct otapult_exchange *x, const struct otapult_site *sites, size_t site_count)
{
    char methods[64];
    struct lookup l = {0};

    otapult_text_init(&l.methods, methods, sizeof methods);
    for (size_t i = 0; i < site_count && l.route == NULL; i++)
        look_in_site(&l, &sites[i], x->req);
    x->route = l.route;
    x->app = l.app;
    if (l.route == NULL && l.methods.len == 0)
        otapult_http_error(x, OTAPULT_E_NOT_FOUND, NULL);
    else if (l.route == NULL)
        refuse_method(x, methods);
    return l.route != NULL;
}

/* ---- the exchange ---- */

/* Whatever a handler did, the client gets an answer. */
static void answer_somehow(struct otapult_exchange *x)
{
    const struct otapult_finding why = {.text = "a request without an answer"};

    if (!x->answered)
        otapult_http_error(x, OTAPULT_E_INTERNAL, &why);
}

enum otapult_http_next otapult_http_begin(struct otapult_exchange *x, const struct otapult_site *sites,
                                          size_t site_count, const struct otapult_request *req,
                                          struct otapult_reply reply)
{
    memset(x, 0, sizeof *x);
    x->req = req;
    x->reply = reply;
    x->russian = prefers_russian(x);
    if (!find_route(x, sites, site_count) || refuse_request(x))
        return OTAPULT_HTTP_ANSWERED;

    enum otapult_http_next next = x->route->begin(x);
    if (next == OTAPULT_HTTP_STREAM) {
        send_head(x, 200, "text/event-stream", "");
        return next;
    }
    if (next == OTAPULT_HTTP_BODY && !x->answered && x->route->body != NULL && x->route->end != NULL)
        return next;
    answer_somehow(x);
    return OTAPULT_HTTP_ANSWERED;
}

enum otapult_http_next otapult_http_body(struct otapult_exchange *x, const uint8_t *data, size_t len)
{
    if (x->answered)
        return OTAPULT_HTTP_ANSWERED;
    if (len == 0)
        return OTAPULT_HTTP_BODY;
    enum otapult_http_next next = x->route->body(x, data, len);
    return x->answered ? OTAPULT_HTTP_ANSWERED : next;
}

void otapult_http_end(struct otapult_exchange *x)
{
    if (x->answered)
        return;
    x->route->end(x);
    answer_somehow(x);
}

void otapult_http_lost(struct otapult_exchange *x)
{
    if (x->answered)
        return;
    x->answered = true; /* there is nobody to answer any more */
    if (x->route->lost != NULL)
        x->route->lost(x);
}

size_t otapult_http_event(struct otapult_exchange *x, char *dst, size_t cap)
{
    if (x->route == NULL || x->route->event == NULL || cap < OTAPULT_HTTP_EVENT)
        return 0;
    return x->route->event(x, dst, cap);
}

enum otapult_http_next otapult_http_small_body(struct otapult_exchange *x, const uint8_t *data, size_t len)
{
    const struct otapult_finding why = {.want = OTAPULT_HTTP_SMALL_BODY - 1};

    if (len > why.want - x->len) {
        otapult_http_error(x, OTAPULT_E_BODY_TOO_LARGE, &why);
        return OTAPULT_HTTP_ANSWERED;
    }
    memcpy(x->small + x->len, data, len);
    x->len = (uint16_t)(x->len + len);
    x->small[x->len] = '\0';
    return OTAPULT_HTTP_BODY;
}
