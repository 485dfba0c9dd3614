/* SPDX-License-Identifier: Apache-2.0 */
#include "otapult/http.h"

#include <string.h>

#include "base/text.h"
#include "otapult/offer.h"
#include "trust/secret.h"
#include "update/door.h"
#include "web/answer.h"
#include "web/gate.h"
#include "web/request.h"

/* One request from its headers to its answer, whatever the route. Here stands what holds for all of them:
 * which route it is, that the gate comes before the route, that a request gets exactly one answer, and that a
 * login which ends stops a request in its middle. What a route does is in the file with its table.
 *
 * One exchange is used by one task at a time, its adapter's; two requests run at the same time in two
 * exchanges. All they share is the device, behind update/door.h, which locks for itself. */

_Static_assert(sizeof(struct otapult_exchange) <= 1472, "an exchange fits into 1472 bytes");

/* ---- which route ---- */

/* A route of GET takes HEAD, too; the adapter leaves the body of the answer out. */
static bool serves(const struct otapult_route *route, const struct otapult_exchange *x)
{
    return strcmp(route->method, x->req->method) == 0 ||
           (strcmp(route->method, "GET") == 0 && otapult_only_looks(x));
}

struct lookup {
    const struct otapult_route *route;
    void *app;
    struct otapult_text methods; /* of all routes with that path */
};

static void look_in_site(struct lookup *l, const struct otapult_site *site, const struct otapult_exchange *x)
{
    const char *path = otapult_http_path(x->req->path);

    for (size_t i = 0; i < site->count && l->route == NULL; i++) {
        const struct otapult_route *route = &site->routes[i];

        if (strcmp(route->path, path) != 0)
            continue;
        if (serves(route, x)) {
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
    otapult_http_error_with(x, OTAPULT_E_METHOD, &why, allow);
}

/* The one of `routes` with the same method and path; `route` itself: there is none. */
static const struct otapult_route *own_route(const struct otapult_route *routes, size_t count,
                                             const struct otapult_route *route)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(routes[i].path, route->path) == 0 && strcmp(routes[i].method, route->method) == 0)
            return &routes[i];
    return route;
}

/* A row of ota_routes.c that only refuses ("no such address", "this profile is open") stands in for a part of
 * the firmware. Where the configuration names that part, its own row takes the place. Naming the real routes
 * in the table would link the part into every firmware. */
static const struct otapult_route *part_route(const struct otapult_exchange *x,
                                              const struct otapult_route *route)
{
    const struct otapult_secure *profile = otapult_profile_of(x);
    const struct otapult_pull *pull = x->guard != NULL ? otapult_device_pull(x->guard) : NULL;
    const struct otapult_resumable *resumable = x->guard != NULL ? otapult_device_resumable(x->guard) : NULL;

    if (profile != NULL)
        route = own_route(profile->routes, profile->route_count, route);
    if (pull != NULL)
        route = own_route(pull->code->routes, pull->code->route_count, route);
    if (resumable != NULL)
        route = own_route(resumable->routes, resumable->route_count, route);
    return route;
}

static bool find_route(struct otapult_exchange *x, const struct otapult_site *sites, size_t site_count)
{
    char methods[64];
    struct lookup l = {0};

    otapult_text_init(&l.methods, methods, sizeof methods);
    for (size_t i = 0; i < site_count && l.route == NULL; i++)
        look_in_site(&l, &sites[i], x);
    x->route = l.route == NULL ? NULL : part_route(x, l.route);
    x->app = l.app;
    /* RFC 9110, section 15.5.6: the address exists, and Allow has to say for which methods. */
    if (l.route == NULL && l.methods.len == 0)
        otapult_http_refuse(x, OTAPULT_E_NOT_FOUND, NULL);
    else if (l.route == NULL)
        refuse_method(x, methods);
    return l.route != NULL;
}

/* A server that serves Otapult's site lets Otapult guard every site beside it: an application's own pages are
 * what an attacker would use next, and each application would have to think of it. */
static struct otapult *find_guard(const struct otapult_site *sites, size_t site_count)
{
    for (size_t i = 0; i < site_count; i++) {
        if (sites[i].guard != NULL)
            return sites[i].guard;
    }
    return NULL;
}

/* ---- the exchange ---- */

/* The client gets an answer, also where a handler forgot it. */
static void answer_somehow(struct otapult_exchange *x)
{
    static const struct otapult_finding why = {.text = "a request without an answer"};

    if (!x->answered)
        otapult_http_error(x, OTAPULT_E_INTERNAL, &why);
}

static void open_exchange(struct otapult_exchange *x, const struct otapult_site *sites, size_t site_count,
                          const struct otapult_request *req, struct otapult_reply reply)
{
    memset(x, 0, sizeof *x);
    x->req = req;
    x->reply = reply;
    x->guard = find_guard(sites, site_count);
    if (x->guard != NULL && otapult_prefers_russian(x))
        x->language = otapult_russian_texts(x->guard);
}

void otapult_http_reject(struct otapult_exchange *x, const struct otapult_site *sites, size_t site_count,
                         const struct otapult_request *req, struct otapult_reply reply, int err,
                         const struct otapult_finding *why)
{
    open_exchange(x, sites, site_count, req, reply);
    otapult_http_refuse(x, err, why);
}

/* A body that announces more than fits into x->small is refused before the client sends it. */
static bool is_too_long(const struct otapult_exchange *x)
{
    return !x->answered && x->route->body == otapult_http_small_body && x->length >= OTAPULT_HTTP_SMALL_BODY;
}

enum otapult_http_next otapult_http_begin(struct otapult_exchange *x, const struct otapult_site *sites,
                                          size_t site_count, const struct otapult_request *req,
                                          struct otapult_reply reply)
{
    open_exchange(x, sites, site_count, req, reply);
    if (!find_route(x, sites, site_count) || !otapult_gate(x))
        return OTAPULT_HTTP_ANSWERED;

    enum otapult_http_next next = x->route->begin(x);
    if (next == OTAPULT_HTTP_BODY && is_too_long(x))
        otapult_http_error(x, OTAPULT_E_BODY_TOO_LARGE,
                           &(struct otapult_finding){.want = OTAPULT_HTTP_SMALL_BODY - 1});
    if (next == OTAPULT_HTTP_STREAM) {
        otapult_http_head(x, 200, "text/event-stream", "");
        return next;
    }
    if (next == OTAPULT_HTTP_BODY && !x->answered && x->route->body != NULL && x->route->end != NULL)
        return next;
    answer_somehow(x);
    return OTAPULT_HTTP_ANSWERED;
}

/* false: the login that began this request has ended; that is answered. Asked for every piece of a body,
 * because an upload takes minutes, and a new password has to end a thief's upload now and not after it. */
static bool still_allowed(struct otapult_exchange *x)
{
    if (otapult_gate_still(x))
        return true;
    x->ended = OTAPULT_E_LOGIN_ENDED;
    if (x->route->lost != NULL)
        x->route->lost(x);
    otapult_http_error(x, x->ended, NULL);
    return false;
}

enum otapult_http_next otapult_http_body(struct otapult_exchange *x, const uint8_t *data, size_t len)
{
    if (x->answered || !still_allowed(x))
        return OTAPULT_HTTP_ANSWERED;
    if (len == 0)
        return OTAPULT_HTTP_BODY;
    enum otapult_http_next next = x->route->body(x, data, len);
    return x->answered ? OTAPULT_HTTP_ANSWERED : next;
}

enum otapult_http_next otapult_http_idle(struct otapult_exchange *x)
{
    if (x->answered || !still_allowed(x))
        return OTAPULT_HTTP_ANSWERED;
    if (x->route->idle != NULL)
        x->route->idle(x);
    return x->answered ? OTAPULT_HTTP_ANSWERED : OTAPULT_HTTP_BODY;
}

/* A short body may hold a password, so it does not stay in memory. */
static void forget_body(struct otapult_exchange *x)
{
    otapult_forget(x->small, x->len);
    x->len = 0;
}

void otapult_http_end(struct otapult_exchange *x)
{
    if (!x->answered && still_allowed(x)) {
        x->route->end(x);
        answer_somehow(x);
    }
    forget_body(x);
}

void otapult_http_lost(struct otapult_exchange *x)
{
    const bool was_answered = x->answered;

    x->answered = true; /* nothing can be answered any more, and `lost` must not try */
    if (!was_answered && x->route->lost != NULL)
        x->route->lost(x);
    forget_body(x);
}

/* The login is looked at before each event, because a stream lasts and brings no body with which to look. */
static bool goes_on(struct otapult_exchange *x)
{
    return x->route != NULL && x->route->event != NULL && otapult_gate_still(x);
}

size_t otapult_http_event(struct otapult_exchange *x, char *dst, size_t cap)
{
    struct otapult_json j;

    if (cap < OTAPULT_HTTP_EVENT || !goes_on(x))
        return 0;
    otapult_json_init(&j, dst, cap);
    x->route->event(x, &j);
    return j.full ? 0 : j.len; /* never full: OTAPULT_HTTP_EVENT holds the longest, a test says so */
}

void otapult_http_write_event(struct otapult_exchange *x)
{
    struct otapult_json j;
    char piece[256];

    if (!goes_on(x))
        return;
    otapult_json_stream(&j, piece, sizeof piece, x->reply.body, x->reply.ctx);
    x->route->event(x, &j);
    otapult_json_flush(&j);
}
