/* SPDX-License-Identifier: Apache-2.0 */
#include "mhd_server.h"

#include <errno.h>
#include <microhttpd.h>
#include <netdb.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define CONNECTIONS_MAX 512u
#define CONNECTION_RAM  (64u * 1024u) /* half of it is the receive buffer, so the size of our pieces */
#define THREAD_STACK    (512u * 1024u)
#define STOP_MS         2000 /* what answers under way get */

struct mhd_server {
    struct MHD_Daemon *daemon;
    const struct otapult_site *sites;
    size_t site_count;
    pthread_mutex_t mutex;
    pthread_cond_t moved; /* stopping was set, or an exchange ended */
    bool stopping;
    unsigned exchanges; /* begun and not completed */
};

struct exchange {
    struct mhd_server *server;
    struct MHD_Connection *connection;
    struct otapult_request request;
    struct otapult_exchange core;
    uint64_t dropped; /* of a body whose answer is there already */

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

/* ---- waiting ---- */

static struct timespec after_ms(long ms)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    t.tv_sec += ms / 1000;
    t.tv_nsec += ms % 1000 * 1000000L;
    t.tv_sec += t.tv_nsec / 1000000000L;
    t.tv_nsec %= 1000000000L;
    return t;
}

/* false: the time is over. Under the mutex. */
static bool wait_until(struct mhd_server *s, const struct timespec *until)
{
    return pthread_cond_clockwait(&s->moved, &s->mutex, CLOCK_MONOTONIC, until) != ETIMEDOUT;
}

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

/* The core compares addresses as they were sent. */
static size_t leave_escaped(void *ctx, struct MHD_Connection *connection, char *s)
{
    (void)ctx;
    (void)connection;
    return strlen(s);
}

/* ---- the answer, collected ---- */

static void take_head(void *ctx, int status, const char *content_type, const char *headers)
{
    struct exchange *e = ctx;

    e->status = status;
    e->content_type = strdup(content_type);
    e->headers = strdup(headers);
    e->out_of_memory = e->content_type == NULL || e->headers == NULL;
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
    struct timespec until = after_ms(OTAPULT_HTTP_EVENT_MS);

    pthread_mutex_lock(&s->mutex);
    while (!first && !s->stopping && wait_until(s, &until))
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

    if (e->out_of_memory)
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

static struct exchange *new_exchange(struct mhd_server *s, struct MHD_Connection *connection,
                                     const char *method, const char *path)
{
    struct exchange *e = calloc(1, sizeof *e);

    if (e == NULL || !count_exchange(s)) {
        free(e);
        return NULL;
    }
    e->server = s;
    e->connection = connection;
    e->request = (struct otapult_request){method, path, "", e, find_header};
    return e;
}

/* A client that waits for `100 Continue` sends no body when it gets the answer instead. Any other loses
 * the answer to a reset connection, unless its body is read first; where that can be: it has an end. */
static bool answers_before_body(struct exchange *e, const char *version)
{
    unsigned lengths, codings;
    const char *length = find_header(e, "Content-Length", &lengths);
    const char *coding = find_header(e, "Transfer-Encoding", &codings);
    const char *expect = find_header(e, "Expect", NULL);

    if (expect != NULL && strcasecmp(expect, "100-continue") == 0 && strcmp(version, "HTTP/1.1") == 0)
        return true;
    if (lengths + codings > 1 || (coding != NULL && strcasecmp(coding, "chunked") != 0))
        return true;
    return length != NULL && strtoull(length, NULL, 10) > OTAPULT_HTTP_DRAIN;
}

static enum MHD_Result begin(struct exchange *e, const char *version)
{
    const struct mhd_server *s = e->server;
    const struct otapult_reply reply = {e, take_head, take_body};
    enum otapult_http_next next = otapult_http_begin(&e->core, s->sites, s->site_count, &e->request, reply);

    if (next == OTAPULT_HTTP_STREAM)
        return queue_answer(e, true);
    if (next == OTAPULT_HTTP_ANSWERED && answers_before_body(e, version))
        return queue_answer(e, false);
    return MHD_YES;
}

static enum MHD_Result take_piece(struct exchange *e, const char *data, size_t len)
{
    if (!e->core.answered) {
        (void)otapult_http_body(&e->core, (const uint8_t *)data, len);
        return MHD_YES;
    }
    e->dropped += len;
    return e->dropped > OTAPULT_HTTP_DRAIN ? MHD_NO : MHD_YES;
}

/* libmicrohttpd calls this with the headers, then for each piece of the body, then once without any. */
static enum MHD_Result on_request(void *ctx, struct MHD_Connection *connection, const char *path,
                                  const char *method, const char *version, const char *data, size_t *len,
                                  void **slot)
{
    struct mhd_server *s = ctx;
    struct exchange *e = *slot;

    if (e == NULL) {
        *slot = e = new_exchange(s, connection, method, path);
        return e == NULL ? MHD_NO : begin(e, version);
    }
    if (*len == 0) {
        otapult_http_end(&e->core); /* does nothing when an answer is written */
        return queue_answer(e, false);
    }
    size_t n = *len;
    *len = 0;
    return take_piece(e, data, n);
}

static void on_completed(void *ctx, struct MHD_Connection *connection, void **slot,
                         enum MHD_RequestTerminationCode why)
{
    struct mhd_server *s = ctx;
    struct exchange *e = *slot;

    (void)connection;
    (void)why;
    if (e == NULL)
        return;
    otapult_http_lost(&e->core); /* does nothing when an answer is written */
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

/* ---- the server ---- */

static struct MHD_Daemon *start_daemon(struct mhd_server *s, const struct addrinfo *a, unsigned idle_s)
{
    unsigned flags = MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_THREAD_PER_CONNECTION | MHD_USE_POLL |
                     MHD_USE_ITC | (a->ai_family == AF_INET6 ? MHD_USE_IPv6 : 0);
    struct MHD_OptionItem options[] = {
        {MHD_OPTION_CONNECTION_LIMIT, CONNECTIONS_MAX, NULL},
        {MHD_OPTION_CONNECTION_MEMORY_LIMIT, CONNECTION_RAM, NULL},
        {MHD_OPTION_CONNECTION_TIMEOUT, (intptr_t)idle_s, NULL},
        {MHD_OPTION_THREAD_STACK_SIZE, THREAD_STACK, NULL},
        {MHD_OPTION_SOCK_ADDR, 0, a->ai_addr},
        {MHD_OPTION_END, 0, NULL},
    };

    return MHD_start_daemon(flags, 0, NULL, NULL, on_request, s, MHD_OPTION_ARRAY, options,
                            MHD_OPTION_NOTIFY_COMPLETED, on_completed, s, MHD_OPTION_UNESCAPE_CALLBACK,
                            leave_escaped, s, MHD_OPTION_END);
}

/* NULL: errno says why. */
static struct MHD_Daemon *listen_on(struct mhd_server *s, const char *address, uint16_t port, unsigned idle_s)
{
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE | AI_NUMERICSERV};
    struct addrinfo *found = NULL;
    char service[8];

    snprintf(service, sizeof service, "%u", (unsigned)port);
    if (getaddrinfo(address, service, &hints, &found) != 0) {
        errno = EADDRNOTAVAIL;
        return NULL;
    }
    struct MHD_Daemon *daemon = start_daemon(s, found, idle_s);
    freeaddrinfo(found); /* glibc's free leaves errno alone */
    return daemon;
}

static void release(struct mhd_server *s)
{
    pthread_cond_destroy(&s->moved);
    pthread_mutex_destroy(&s->mutex);
    free(s);
}

struct mhd_server *mhd_server_start(const char *bind, uint16_t port, const struct otapult_site *sites,
                                    size_t count, unsigned idle_s)
{
    struct mhd_server *s = calloc(1, sizeof *s);

    if (s == NULL)
        return NULL;
    s->sites = sites;
    s->site_count = count;
    pthread_mutex_init(&s->mutex, NULL);
    pthread_cond_init(&s->moved, NULL);
    s->daemon = listen_on(s, bind, port, idle_s);
    if (s->daemon != NULL)
        return s;
    release(s);
    return NULL;
}

uint16_t mhd_server_port(const struct mhd_server *s)
{
    return MHD_get_daemon_info(s->daemon, MHD_DAEMON_INFO_BIND_PORT)->port;
}

void mhd_server_stop(struct mhd_server *s)
{
    MHD_socket listening = MHD_quiesce_daemon(s->daemon);
    struct timespec until = after_ms(STOP_MS);

    if (listening != MHD_INVALID_SOCKET)
        close(listening);
    pthread_mutex_lock(&s->mutex);
    s->stopping = true;
    pthread_cond_broadcast(&s->moved);
    while (s->exchanges > 0 && wait_until(s, &until))
        ;
    pthread_mutex_unlock(&s->mutex);
    MHD_stop_daemon(s->daemon);
    release(s);
}
