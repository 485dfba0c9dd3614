/* SPDX-License-Identifier: Apache-2.0 */
#include <gnutls/gnutls.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "mhd_body.h"
#include "mhd_internal.h"

/* One request and its answer, for libmicrohttpd. The library takes an answer only as a whole and only at two
 * moments: before the body, or after all of it. So the answer is collected in memory, and where the core
 * refuses in the middle of a body the rest is read and dropped. Each connection has a thread; an exchange is
 * used by that thread alone, but for the time in which a body's own thread has the core (mhd_body.h). */

#define LONG_BODY       OTAPULT_HTTP_SMALL_BODY
#define LINE_MAX_LEN    8192u /* RFC 9112, section 3, asks for 8000 at least */
#define HEADERS_MAX_LEN (64u * 1024u)

struct exchange {
    struct mhd_server *server;
    struct MHD_Connection *connection;
    struct otapult_request request;
    struct otapult_exchange core;
    size_t line_len;         /* of the address */
    char *query;             /* behind '?', as it was sent */
    bool begun;              /* the core knows of it */
    struct mhd_body *reader; /* of a long body; while it is there, the core is its */
    uint64_t dropped;        /* of a body whose answer is there already */
    bool spoken;             /* the answer went out by itself: the connection has only to end */

    /* the answer */
    int status;
    char *content_type, *headers;
    uint8_t *body;
    size_t len, cap;
    bool out_of_memory;

    /* an event stream's */
    unsigned events;
    size_t event_len, event_sent;
    char event[OTAPULT_HTTP_EVENT];
};

/* ---- the request, as the core sees it ---- */

struct wanted {
    const char *name, *value;
    unsigned count;
};

static enum MHD_Result compare_header(void *ctx, enum MHD_ValueKind kind, const char *name, const char *value)
{
    struct wanted *w = ctx;

    (void)kind;
    if (strcasecmp(name, w->name) == 0 && w->count++ == 0)
        w->value = value == NULL ? "" : value;
    return MHD_YES;
}

static const char *find_header(void *ctx, const char *name, unsigned *count)
{
    const struct exchange *e = ctx;
    struct wanted w = {.name = name};

    MHD_get_connection_values(e->connection, MHD_HEADER_KIND, compare_header, &w);
    if (count != NULL)
        *count = w.count;
    return w.value;
}

/* ---- the answer, collected ---- */

static void take_head(void *ctx, int status, const char *content_type, const char *headers, const char *more)
{
    struct exchange *e = ctx;

    e->status = status;
    e->content_type = strdup(content_type);
    e->out_of_memory = asprintf(&e->headers, "%s%s", headers, more) < 0 || e->content_type == NULL;
    if (e->out_of_memory)
        e->headers = NULL; /* what asprintf leaves there is undefined */
}

static void take_body(void *ctx, const void *data, size_t len)
{
    struct exchange *e = ctx;

    if (len == 0)
        return;
    if (len > e->cap - e->len) {
        size_t cap = (e->len + len) * 2;
        uint8_t *body = realloc(e->body, cap);

        e->out_of_memory |= body == NULL;
        if (body == NULL)
            return;
        e->body = body;
        e->cap = cap;
    }
    memcpy(e->body + e->len, data, len);
    e->len += len;
}

static void add_headers(struct MHD_Response *response, struct exchange *e)
{
    char *rest = e->headers, *line, *value;

    MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, e->content_type);
    while ((line = strsep(&rest, "\r\n")) != NULL) {
        value = strstr(line, ": ");
        if (value == NULL)
            continue;
        *value = '\0';
        MHD_add_response_header(response, line, value + 2);
    }
}

/* ---- event streams ---- */

/* Waits until the next event is due. false: the server stops. */
static bool wait_for_turn(struct mhd_server *s, bool first)
{
    struct timespec until = mhd_after_ms(OTAPULT_HTTP_EVENT_MS);

    pthread_mutex_lock(&s->mutex);
    while (!first && !s->stopping && mhd_wait_until(s, &until))
        ;
    bool go_on = !s->stopping;
    pthread_mutex_unlock(&s->mutex);
    return go_on;
}

static ssize_t read_event(void *ctx, uint64_t pos, char *dst, size_t cap)
{
    struct exchange *e = ctx;

    (void)pos;
    if (e->event_sent == e->event_len) {
        if (!wait_for_turn(e->server, e->events++ == 0))
            return MHD_CONTENT_READER_END_OF_STREAM;
        if (mhd_is_cut(e->server))
            return MHD_CONTENT_READER_END_WITH_ERROR;
        e->event_sent = 0;
        e->event_len = otapult_http_event(&e->core, e->event, sizeof e->event);
        if (e->event_len == 0)
            return MHD_CONTENT_READER_END_OF_STREAM;
    }
    size_t left = e->event_len - e->event_sent;
    size_t n = left < cap ? left : cap;
    memcpy(dst, e->event + e->event_sent, n);
    e->event_sent += n;
    return (ssize_t)n;
}

/* ---- the answer, sent ---- */

static enum MHD_Result queue_answer(struct exchange *e, bool stream)
{
    struct MHD_Response *response;

    if (e->out_of_memory || mhd_is_cut(e->server))
        return MHD_NO;
    if (stream)
        response = MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, sizeof e->event, read_event, e, NULL);
    else
        response = MHD_create_response_from_buffer(e->len, e->body, MHD_RESPMEM_MUST_FREE);
    if (response == NULL)
        return MHD_NO;
    e->body = NULL; /* the response's from here on */
    add_headers(response, e);
    enum MHD_Result queued = MHD_queue_response(e->connection, (unsigned)e->status, response);
    MHD_destroy_response(response);
    return queued;
}

/* ---- the exchange ---- */

/* false: the server stops, and begins nothing new. */
static bool count_exchange(struct mhd_server *s)
{
    pthread_mutex_lock(&s->mutex);
    bool go_on = !s->stopping;
    s->exchanges += go_on;
    pthread_mutex_unlock(&s->mutex);
    return go_on;
}

/* IPv4 as ::ffff:a.b.c.d */
static void read_source(struct MHD_Connection *connection, uint8_t source[16])
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    const struct sockaddr *address = info == NULL ? NULL : info->client_addr;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;

    if (address != NULL && address->sa_family == AF_INET) {
        memcpy(&v4, address, sizeof v4);
        memset(source + 10, 0xFF, 2);
        memcpy(source + 12, &v4.sin_addr, 4);
    } else if (address != NULL && address->sa_family == AF_INET6) {
        memcpy(&v6, address, sizeof v6);
        memcpy(source, &v6.sin6_addr, 16);
    }
}

/* libmicrohttpd calls this with the request line, before it reads a header. */
void *mhd_on_request_line(void *ctx, const char *uri, struct MHD_Connection *connection)
{
    struct mhd_server *s = ctx;
    const char *mark = strchr(uri, '?');
    struct exchange *e = calloc(1, sizeof *e);
    char *query = strdup(mark == NULL ? "" : mark + 1);

    if (e == NULL || query == NULL || !count_exchange(s)) {
        free(query);
        free(e);
        return NULL;
    }
    e->server = s;
    e->connection = connection;
    e->query = query;
    e->line_len = strlen(uri);
    return e;
}

static void describe(struct exchange *e, const char *method, const char *path, const char *version)
{
    e->request = (struct otapult_request){
        .method = method,
        .path = path,
        .query = e->query,
        .ctx = e,
        .header = find_header,
        .host_optional = strcmp(version, "HTTP/1.0") == 0,
        .tls = e->server->tls,
        .https_port = e->server->https_port,
    };
    read_source(e->connection, e->request.source);
    e->begun = true;
}

/* A client that waits for `100 Continue` sends no body when it gets the answer instead. Any other may lose
 * the answer to a reset connection, unless its body is read first; where that can be: it says how long it is.
 */
static bool answers_before_body(struct exchange *e, const char *version)
{
    unsigned lengths;
    const char *length = find_header(e, "Content-Length", &lengths);
    const char *coding = find_header(e, "Transfer-Encoding", NULL);
    const char *expect = find_header(e, "Expect", NULL);

    if (expect != NULL && strcasecmp(expect, "100-continue") == 0 && strcmp(version, "HTTP/1.1") == 0)
        return true;
    if (lengths > 1 || coding != NULL) /* where such a body ends nobody can tell: it is not read */
        return true;
    return length != NULL && strtoull(length, NULL, 10) > OTAPULT_HTTP_DRAIN;
}

/* libmicrohttpd answers between a request's bytes to nobody: a client that is silent in the middle of its
 * body would lose its connection without a word. So these words go past it, whose thread waits for the
 * client; then the connection ends. They are few enough for the kernel to take all at once. */
static void speak(void *ctx)
{
    struct exchange *e = ctx;
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(e->connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    const int fd = info->connect_fd; /* from libmicrohttpd 1.0 on the next question overwrites this answer */
    char *words = NULL;
    int n = e->out_of_memory || mhd_is_cut(e->server)
                ? -1
                : asprintf(&words,
                           "HTTP/1.1 %d Ended\r\nContent-Type: %s\r\n%sConnection: close\r\n"
                           "Content-Length: %zu\r\n\r\n%.*s",
                           e->status, e->content_type, e->headers, e->len, (int)e->len,
                           (const char *)e->body);
    e->spoken = true;
    if (n > 0 && e->server->tls) {
        info = MHD_get_connection_info(e->connection, MHD_CONNECTION_INFO_GNUTLS_SESSION);
        (void)gnutls_record_send(info->tls_session, words, (size_t)n);
    } else if (n > 0) {
        (void)send(fd, words, (size_t)n, MSG_NOSIGNAL | MSG_DONTWAIT);
    }
    if (n >= 0)
        free(words);
    (void)shutdown(fd, SHUT_RD); /* so that the thread goes on */
}

static bool has_long_body(const struct exchange *e)
{
    return e->core.length > LONG_BODY; /* one of unknown length is */
}

static enum MHD_Result add_up(void *ctx, enum MHD_ValueKind kind, const char *name, const char *value)
{
    size_t *total = ctx;

    (void)kind;
    *total += strlen(name) + (value == NULL ? 0 : strlen(value)) + 4; /* colon, blank, CR LF */
    return MHD_YES;
}

/* The error for a request line or headers that are too long; 0: none. Our limits lie well below those of
 * libmicrohttpd, which would answer with HTML. */
static int excess(const struct exchange *e)
{
    size_t headers = 0;

    if (e->line_len > LINE_MAX_LEN)
        return OTAPULT_E_ADDRESS_TOO_LONG;
    MHD_get_connection_values(e->connection, MHD_HEADER_KIND, add_up, &headers);
    return headers > HEADERS_MAX_LEN ? OTAPULT_E_HEADERS_TOO_LARGE : 0;
}

static enum MHD_Result begin(struct exchange *e, const char *version)
{
    const struct mhd_server *s = e->server;
    const struct otapult_reply reply = {e, take_head, take_body};
    const int err = excess(e);

    if (err != 0) {
        otapult_http_reject(&e->core, s->sites, s->site_count, &e->request, reply, err, NULL);
        return queue_answer(e, false);
    }
    enum otapult_http_next next = otapult_http_begin(&e->core, s->sites, s->site_count, &e->request, reply);

    if (next == OTAPULT_HTTP_STREAM)
        return queue_answer(e, true);
    if (next == OTAPULT_HTTP_ANSWERED && answers_before_body(e, version))
        return queue_answer(e, false);
    if (next == OTAPULT_HTTP_BODY && has_long_body(e))
        e->reader = mhd_body_start(&e->core, speak, e); /* without it the pieces are fed from this thread */
    return MHD_YES;
}

static bool is_answered(const struct exchange *e)
{
    return e->reader != NULL ? mhd_body_is_answered(e->reader) : e->core.answered;
}

static enum MHD_Result take_piece(struct exchange *e, const char *data, size_t len)
{
    if (!is_answered(e)) {
        if (e->reader != NULL)
            return mhd_body_put(e->reader, data, len) ? MHD_YES : MHD_NO;
        (void)otapult_http_body(&e->core, (const uint8_t *)data, len);
        return MHD_YES;
    }
    e->dropped += len;
    return e->dropped > OTAPULT_HTTP_DRAIN ? MHD_NO : MHD_YES;
}

/* libmicrohttpd calls this with the headers, then for each piece of the body, then once without any. */
enum MHD_Result mhd_on_request(void *ctx, struct MHD_Connection *connection, const char *path,
                               const char *method, const char *version, const char *data, size_t *len,
                               void **slot)
{
    struct exchange *e = *slot;

    (void)ctx;
    (void)connection;
    if (e == NULL)
        return MHD_NO;
    if (!e->begun) {
        describe(e, method, path, version);
        return begin(e, version);
    }
    if (*len == 0) {
        if (e->reader != NULL)
            mhd_body_finish(e->reader);
        e->reader = NULL;
        if (e->spoken)
            return MHD_NO;
        otapult_http_end(&e->core); /* does nothing when an answer is written */
        return queue_answer(e, false);
    }
    size_t n = *len;
    *len = 0;
    return take_piece(e, data, n);
}

void mhd_on_completed(void *ctx, struct MHD_Connection *connection, void **slot,
                      enum MHD_RequestTerminationCode why)
{
    struct mhd_server *s = ctx;
    struct exchange *e = *slot;

    (void)connection;
    (void)why;
    if (e == NULL)
        return;
    if (e->reader != NULL)
        mhd_body_abandon(e->reader);
    if (e->begun)
        otapult_http_lost(&e->core); /* does nothing when an answer is written */
    free(e->query);
    free(e->content_type);
    free(e->headers);
    free(e->body);
    free(e);
    *slot = NULL;
    pthread_mutex_lock(&s->mutex);
    s->exchanges--;
    pthread_cond_broadcast(&s->moved);
    pthread_mutex_unlock(&s->mutex);
}
