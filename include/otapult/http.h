/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OTAPULT_HTTP_H
#define OTAPULT_HTTP_H

#include "otapult/json.h"
#include "otapult/otapult.h"

/* The HTTP side, without a server. A server adapter turns each request into one exchange:
 *
 *   otapult_http_begin()   when the headers are in, before any byte of the body; returns what comes next
 *   otapult_http_body()    for each piece of the body; returns what comes next
 *   otapult_http_end()     when the body is complete; the answer is written when it returns
 *   otapult_http_lost()    instead of end(), when the connection ends early; nothing is answered
 *
 * The core answers through the exchange's reply, in whichever of these calls knows the answer.
 * An adapter whose server can answer only after the body reads and drops the rest of a refused body, up
 * to OTAPULT_HTTP_DRAIN bytes, so that the sender sees our words and not a reset connection.
 * HEAD is answered like GET: the adapter leaves the body out, and streams nothing. */

#define OTAPULT_HTTP_DRAIN (32u * 1024u * 1024u)

enum otapult_http_next {
    OTAPULT_HTTP_ANSWERED, /* the reply is written; give the core nothing more */
    OTAPULT_HTTP_BODY,     /* give body(), then end() */
    OTAPULT_HTTP_STREAM,   /* the head of an event stream is written: call otapult_http_event() */
};

/* What the adapter knows of a request. Strings live until the exchange ends. */
struct otapult_request {
    const char *method; /* "GET" */
    const char *path;   /* the request-target without the query, not decoded: "/a", or "http://host/a" */
    const char *query;  /* behind '?', not decoded; "" when there is none */
    void       *ctx;
    /* The value of a header, NULL when absent. Names are compared without case. When the request has
     * the header more than once, *count (may be NULL) says how often. */
    const char *(*header)(void *ctx, const char *name, unsigned *count);
    /* IP address of the client, IPv4 as ::ffff:a.b.c.d; all 0 where it is not known. Logins from one
     * address wait for each other; it proves nothing. */
    uint8_t  source[16];
    bool     host_optional; /* HTTP/1.0: a request without Host is allowed */
    bool     tls;        /* it came through TLS: the secure profile refuses what did not */
    uint16_t https_port; /* where the same sites are served through TLS; 0: nowhere */
};

/* Where the answer goes. head() once, then body() for each piece. The adapter adds Date, Connection and
 * Content-Length (or chunks). The pieces are copied or sent before body() returns. */
struct otapult_reply {
    void *ctx;
    /* `headers` and `more`: "Name: value\r\n" lines, ASCII, already valid; "" for none. All are sent. */
    void (*head)(void *ctx, int status, const char *content_type, const char *headers, const char *more);
    void (*body)(void *ctx, const void *data, size_t len);
};

struct otapult_exchange;

/* Who may ask, in the secure profile. Looked at when the headers are in. What a route does not say is the
 * strict one. */
enum otapult_level {
    OTAPULT_ADMIN,  /* the password, a session, or an API token */
    OTAPULT_OWNER,  /* not an API token: a stolen one cannot make others */
    OTAPULT_PUBLIC, /* everybody, through TLS */
    OTAPULT_PAGE,   /* everybody; without TLS: redirected */
};

/* Whose request it is. */
struct otapult_who {
    uint8_t  kind; /* these three are the login's own; otapult_http_who() makes a name of them */
    uint8_t  slot;
    uint32_t serial;
};

/* One address. `begin` looks at the headers and either answers or asks for the body. A request whose login
 * ends meanwhile is answered LOGIN_ENDED, and `lost` is called; nothing else of the route is. */
struct otapult_route {
    const char *method, *path;
    enum otapult_http_next (*begin)(struct otapult_exchange *x);
    enum otapult_http_next (*body)(struct otapult_exchange *x, const uint8_t *data, size_t len);
    void (*end)(struct otapult_exchange *x);
    void (*lost)(struct otapult_exchange *x);  /* may be NULL */
    void (*event)(struct otapult_exchange *x, struct otapult_json *out); /* of a STREAM: writes the next event */
    enum otapult_level level;
    void (*idle)(struct otapult_exchange *x);  /* may be NULL: nothing comes; answers where waiting is of no use */
};

/* A table of routes and what its handlers work on. An application mounts its own beside Otapult's: the
 * device of otapult_site() then guards them too. */
struct otapult_site {
    const struct otapult_route *routes;
    size_t                      count;
    void                       *app;
    struct otapult             *guard; /* NULL in an application's own site */
};

/* Otapult's own routes: /api/ota and what is below. `o` must outlive the site. */
void otapult_site(struct otapult_site *site, struct otapult *o);

/* Addresses that lead to the page: /api/ota with a slash behind it, /update, which people know from elsewhere, and
 * with `root` the server's own. Behind all other sites, so that what an application serves there comes first. */
#define OTAPULT_FRONT_ROUTES 3u
void otapult_front_site(struct otapult_site *site, bool root);

#define OTAPULT_HTTP_SMALL_BODY 256

/* Where the body of an upload in a form is read: src/web/multipart.h. */
#define OTAPULT_HTTP_FORM_RAM 1280

union otapult_form_memory {
    uint64_t      align;
    unsigned char bytes[OTAPULT_HTTP_FORM_RAM];
};

/* One request while it lasts. Allocated by the adapter, filled by begin(). The fields below are for
 * route handlers. */
struct otapult_exchange {
    const struct otapult_request *req;
    struct otapult_reply          reply;
    const struct otapult_route   *route;
    void    *app;           /* of the site the route is in */
    struct otapult    *guard; /* NULL: none of the sites is Otapult's */
    struct otapult_who who;
    int      ended;         /* what `lost` is called for; 0: the connection ended */
    uint32_t ticket;        /* the upload's */
    uint32_t length;        /* of the body; a body in chunks is refused, because esp_http_server hides it */
    uint32_t count;         /* bytes of the file, or events, so far */
    uint32_t mark;          /* of an event stream: what the last event showed; of a form: size of the slot */
    const struct otapult_language *language; /* which the client prefers */
    bool     multipart;     /* of an upload */
    bool     answered;
    uint16_t len;           /* of `small` */
    union { /* a request has one body */
        char small[OTAPULT_HTTP_SMALL_BODY]; /* a short one, as otapult_http_small_body() collects it */
        union otapult_form_memory form;      /* of an upload in a form */
    };
};

/* Fills *x and either answers, asks for the body or begins a stream. `sites` and `req` must live until the
 * exchange ends. What the gate refuses is answered here, before a byte of the body was read. */
enum otapult_http_next otapult_http_begin(struct otapult_exchange *x, const struct otapult_site *sites,
                                          size_t site_count, const struct otapult_request *req,
                                          struct otapult_reply reply);

/* Instead of begin(): answers a request that the server itself refuses, in the documented shape. Nothing but
 * the headers is asked of `req`; a header() that finds nothing will do. No other call may follow for *x. */
void otapult_http_reject(struct otapult_exchange *x, const struct otapult_site *sites, size_t site_count,
                         const struct otapult_request *req, struct otapult_reply reply, int err,
                         const struct otapult_finding *why);

/* The next bytes of the body. Returns BODY while more is wanted, ANSWERED when the answer is there. May block as
 * long as the route's handler does: an upload, for one erase. */
enum otapult_http_next otapult_http_body(struct otapult_exchange *x, const uint8_t *data, size_t len);

/* The body is complete. The answer is written when it returns. An upload blocks for its verification. */
void otapult_http_end(struct otapult_exchange *x);

/* Nothing of the body has come for a while: to be called between two pieces of it, as often as the adapter can while
 * it waits. Returns ANSWERED when there is an answer already, as to a client whose update has ended: send it, and
 * close. */
enum otapult_http_next otapult_http_idle(struct otapult_exchange *x);

/* The connection ended before the body did. Does nothing when the answer is there. */
void otapult_http_lost(struct otapult_exchange *x);

/* The next event of a stream as text, into dst[cap], cap at least OTAPULT_HTTP_EVENT. Returns its
 * length, 0 when the stream ends. To be called every OTAPULT_HTTP_EVENT_MS. */
#define OTAPULT_HTTP_EVENT    6976
#define OTAPULT_HTTP_EVENT_MS 200
size_t otapult_http_event(struct otapult_exchange *x, char *dst, size_t cap);

/* The same for a server that writes at once, through reply.body() in pieces of 256 bytes: no event lies in memory as a
 * whole. Writes nothing when the stream ends. */
void otapult_http_write_event(struct otapult_exchange *x);

/* ---- for route handlers ---- */

/* Answers with the JSON of an error. `why` may be NULL. */
void otapult_http_error(struct otapult_exchange *x, int err, const struct otapult_finding *why);

/* Answers with JSON of any length, sent as it is written:
 *
 *   struct otapult_answer a;
 *   otapult_answer_begin(&a, x, 200);
 *   otapult_json_open(&a.json, NULL, '{'); …
 *   otapult_answer_end(&a);
 */
struct otapult_answer {
    struct otapult_json json;
    char                buf[256];
};
void otapult_answer_begin(struct otapult_answer *a, struct otapult_exchange *x, int status);
void otapult_answer_end(struct otapult_answer *a);

/* Answers with JSON text that is there already. */
void otapult_http_json(struct otapult_exchange *x, int status, const char *json, size_t len);

/* Answers with a page of ui/, compressed by the build; `headers` as in struct otapult_reply. */
struct otapult_asset {
    const uint8_t *gzip;
    size_t         len;
    const char    *headers; /* Content-Encoding, Content-Security-Policy with the hashes of its parts */
};
void otapult_http_asset(struct otapult_exchange *x, const struct otapult_asset *asset);

/* `body` of a route that takes a short body: collects it in x->small[x->len], terminated. BODY_TOO_LARGE is
 * answered where it does not fit. `end` then reads it with otapult_json_member() or a JSON library. */
enum otapult_http_next otapult_http_small_body(struct otapult_exchange *x, const uint8_t *data,
                                               size_t len);

/* `begin` of a route that takes a short body of type application/json, which no form of another site can
 * send without asking first. */
enum otapult_http_next otapult_http_begin_json(struct otapult_exchange *x);

/* Where the path begins in a request-target, which a client that takes the device for a proxy writes in
 * absolute-form (RFC 9112, section 3.2.2). "" behind the host is "/". Points into `target` or at a constant. */
const char *otapult_http_path(const char *target);

/* Who asks, for the journal: "admin", "token ci"; "anyone" in the open profile. */
#define OTAPULT_WHO_NAME 28
void otapult_http_who(const struct otapult_exchange *x, char name[OTAPULT_WHO_NAME]);

#endif
