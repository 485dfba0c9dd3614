/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <dirent.h>
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "mhd_server.h"

#define COUNT(a) (sizeof(a) / sizeof(a)[0])
#define PATIENCE 30 /* seconds until a hanging test gives up */

/* ---- a small site ---- */

static atomic_uint begun, ended, lost, events;

static enum otapult_http_next say_hello(struct otapult_exchange *x)
{
    otapult_http_json(x, 200, "{\"hello\":1}", 11);
    return OTAPULT_HTTP_ANSWERED;
}

static enum otapult_http_next say_path(struct otapult_exchange *x)
{
    unsigned count;
    const char *value = x->req->header(x->req->ctx, "x-twice", &count);
    char text[128];
    int n =
        snprintf(text, sizeof text, "%s %s %u %s", x->req->method, x->req->path, count, value ? value : "-");

    otapult_http_json(x, 200, text, (size_t)n);
    return OTAPULT_HTTP_ANSWERED;
}

static enum otapult_http_next refuse(struct otapult_exchange *x)
{
    atomic_fetch_add(&begun, 1);
    otapult_http_error(x, OTAPULT_E_BUSY, NULL);
    return OTAPULT_HTTP_ANSWERED;
}

static enum otapult_http_next want_body(struct otapult_exchange *x)
{
    (void)x;
    atomic_fetch_add(&begun, 1);
    return OTAPULT_HTTP_BODY;
}

/* A checksum that notices bytes in a wrong order. */
static void add_up(uint32_t *sum, const uint8_t *data, size_t len)
{
    for (size_t i = 0; i < len; i++)
        *sum = *sum * 31 + data[i];
}

static enum otapult_http_next take_body(struct otapult_exchange *x, const uint8_t *data, size_t len)
{
    x->count += (uint32_t)len;
    add_up(&x->mark, data, len);
    return OTAPULT_HTTP_BODY;
}

static enum otapult_http_next take_some(struct otapult_exchange *x, const uint8_t *data, size_t len)
{
    (void)take_body(x, data, len);
    if (x->count < 100000)
        return OTAPULT_HTTP_BODY;
    otapult_http_error(x, OTAPULT_E_IMAGE_MERGED, NULL);
    return OTAPULT_HTTP_ANSWERED;
}

/* As one who is busy with the first bytes while more come. */
static atomic_uint busy, may_go_on, taken;

static enum otapult_http_next take_slowly(struct otapult_exchange *x, const uint8_t *data, size_t len)
{
    atomic_store(&busy, 1);
    for (int i = 0; i < PATIENCE * 1000 && !atomic_load(&may_go_on); i++)
        usleep(1000);
    atomic_fetch_add(&taken, (unsigned)len);
    return take_body(x, data, len);
}

static void say_sum(struct otapult_exchange *x)
{
    char text[64];
    int n = snprintf(text, sizeof text, "{\"count\":%u,\"sum\":%u}", (unsigned)x->count, (unsigned)x->mark);

    atomic_fetch_add(&ended, 1);
    otapult_http_json(x, 200, text, (size_t)n);
}

static void say_stalled(struct otapult_exchange *x)
{
    otapult_http_error(x, OTAPULT_E_STALLED, NULL);
}

static void count_lost(struct otapult_exchange *x)
{
    (void)x;
    atomic_fetch_add(&lost, 1);
}

static enum otapult_http_next stream(struct otapult_exchange *x)
{
    (void)x;
    return OTAPULT_HTTP_STREAM;
}

/* Long, so that one does not fit beside another. */
#define LONG_EVENT (OTAPULT_HTTP_EVENT - 1) /* and its NUL */

static void write_event(struct otapult_exchange *x, struct otapult_json *out)
{
    char text[OTAPULT_HTTP_EVENT];

    memset(text, '.', sizeof text);
    x->count++;
    text[snprintf(text, sizeof text, "data: %u ", (unsigned)x->count)] = '.';
    memcpy(text + LONG_EVENT - 2, "\n\n", 3);
    otapult_json_raw(out, text);
    atomic_fetch_add(&events, 1);
}

#define BIG (8u * 1024u * 1024u)

static enum otapult_http_next say_much(struct otapult_exchange *x)
{
    static const uint8_t zeros[BIG / 16];
    const struct otapult_asset asset = {zeros, sizeof zeros, "X-One: 1\r\nX-Two: 2\r\n"};

    atomic_fetch_add(&begun, 1);
    otapult_http_asset(x, &asset);
    for (int i = 1; i < 16; i++)
        x->reply.body(x->reply.ctx, zeros, sizeof zeros);
    return OTAPULT_HTTP_ANSWERED;
}

static const struct otapult_route routes[] = {
    {.method = "GET", .path = "/hello", .begin = say_hello},
    {.method = "GET", .path = "/p%41th", .begin = say_path},
    {.method = "GET", .path = "/events", .begin = stream, .event = write_event},
    {.method = "GET", .path = "/big", .begin = say_much},
    {.method = "POST", .path = "/refuse", .begin = refuse, .lost = count_lost},
    {.method = "POST",
     .path = "/echo",
     .begin = want_body,
     .body = take_body,
     .end = say_sum,
     .lost = count_lost},
    {.method = "POST",
     .path = "/later",
     .begin = want_body,
     .body = take_some,
     .end = say_sum,
     .lost = count_lost},
    {.method = "POST",
     .path = "/patient",
     .begin = want_body,
     .body = take_body,
     .end = say_sum,
     .lost = count_lost,
     .idle = say_stalled},
    {.method = "POST",
     .path = "/slow",
     .begin = want_body,
     .body = take_slowly,
     .end = say_sum,
     .lost = count_lost},
};
static const struct otapult_site site = {.routes = routes, .count = COUNT(routes)};

/* ---- a server for each test, which leaves nothing behind ---- */

static struct mhd_server *server;
static unsigned threads_before, files_before;

static unsigned entries(const char *folder)
{
    DIR *d = opendir(folder);
    unsigned n = 0;

    assert_non_null(d);
    while (readdir(d) != NULL)
        n++;
    closedir(d);
    return n;
}

static int start_with(unsigned idle_s)
{
    threads_before = entries("/proc/self/task");
    files_before = entries("/proc/self/fd");
    begun = ended = lost = events = 0;
    busy = may_go_on = taken = 0;
    server = mhd_server_start("127.0.0.1", 0, &site, 1, idle_s, NULL);
    return server != NULL ? 0 : -1;
}

static int start(void **state)
{
    (void)state;
    return start_with(PATIENCE);
}

static void stop_server(void)
{
    mhd_server_stop(server);
    server = NULL;
}

static int stop(void **state)
{
    (void)state;
    if (server != NULL)
        stop_server();
    /* A thread that was joined may stay in /proc for a moment. */
    for (int i = 0; i < 2000 && entries("/proc/self/task") != threads_before; i++)
        usleep(1000);
    assert_int_equal(entries("/proc/self/task"), threads_before);
    assert_int_equal(entries("/proc/self/fd"), files_before);
    return 0;
}

static void wait_for(atomic_uint *counter, unsigned value)
{
    for (int i = 0; i < PATIENCE * 1000 && atomic_load(counter) < value; i++)
        usleep(1000);
    assert_int_equal(atomic_load(counter), value);
}

/* ---- a client ---- */

static int dial(void)
{
    const struct timeval patience = {.tv_sec = PATIENCE};
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(mhd_server_port(server))};
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert_true(fd >= 0);
    assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience), 0);
    assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience), 0);
    assert_int_equal(connect(fd, (const struct sockaddr *)&a, sizeof a), 0);
    return fd;
}

/* false: the server has closed the connection. */
static bool put(int fd, const void *data, size_t len)
{
    const char *p = data;

    while (len > 0) {
        ssize_t n = send(fd, p, len, MSG_NOSIGNAL);
        if (n <= 0) {
            assert_true(errno == EPIPE || errno == ECONNRESET);
            return false;
        }
        p += n;
        len -= (size_t)n;
    }
    return true;
}

static void put_text(int fd, const char *text)
{
    assert_true(put(fd, text, strlen(text)));
}

/* One byte; -1: the end. A reset counts as a failure of the test. */
static int get_byte(int fd)
{
    unsigned char c;
    ssize_t n = recv(fd, &c, 1, 0);

    assert_true(n >= 0);
    return n == 1 ? c : -1;
}

struct answer {
    int status;
    char head[4096];
    char body[8192]; /* its first bytes, terminated */
    size_t len;
};

static void read_head(int fd, struct answer *a)
{
    size_t n = 0;

    memset(a, 0, sizeof *a);
    while (n < 4 || memcmp(a->head + n - 4, "\r\n\r\n", 4) != 0) {
        int c = get_byte(fd);
        assert_true(c >= 0 && n < sizeof a->head - 1);
        a->head[n++] = (char)c;
    }
    assert_int_equal(sscanf(a->head, "HTTP/1.%*d %d", &a->status), 1);
}

static void read_body(int fd, struct answer *a)
{
    const char *length = strcasestr(a->head, "\r\nContent-Length: ");
    size_t want = length == NULL ? SIZE_MAX : strtoull(length + 18, NULL, 10);
    char piece[65536];

    while (a->len < want) {
        size_t left = want - a->len;
        ssize_t n = recv(fd, piece, left < sizeof piece ? left : sizeof piece, 0);
        assert_true(n >= 0);
        if (n == 0)
            break;
        for (ssize_t i = 0; i < n; i++, a->len++) {
            if (a->len < sizeof a->body - 1)
                a->body[a->len] = piece[i];
        }
    }
    assert_true(want == SIZE_MAX || a->len == want);
}

static void read_answer(int fd, struct answer *a)
{
    read_head(fd, a);
    read_body(fd, a);
}

static void ask(const char *request, struct answer *a)
{
    int fd = dial();

    put_text(fd, request);
    read_answer(fd, a);
    close(fd);
}

static void assert_contains(const char *text, const char *part)
{
    if (strstr(text, part) == NULL)
        fail_msg("'%s' is not in '%s'", part, text);
}

static void post_head(int fd, const char *path, size_t len, const char *more)
{
    char head[512];

    snprintf(head, sizeof head, "POST %s HTTP/1.1\r\nHost: x\r\nContent-Length: %zu\r\n%s\r\n", path, len,
             more);
    put_text(fd, head);
}

static uint8_t *make_body(size_t len)
{
    uint8_t *body = malloc(len);

    assert_non_null(body);
    for (size_t i = 0; i < len; i++)
        body[i] = (uint8_t)(i * 7 + i / 251);
    return body;
}

static void assert_sum(const struct answer *a, const uint8_t *body, size_t len)
{
    char want[64];
    uint32_t sum = 0;

    add_up(&sum, body, len);
    snprintf(want, sizeof want, "{\"count\":%zu,\"sum\":%u}", len, (unsigned)sum);
    assert_int_equal(a->status, 200);
    assert_string_equal(a->body, want);
}

/* ---- a client that goes away while its bytes lie in the kernel ---- */

static void who_is_gone_is_not_fed(void **state)
{
    uint8_t *body = make_body(60000);
    int fd = dial();
    char c;

    (void)state;
    post_head(fd, "/slow", 90000, "");
    assert_true(put(fd, body, 60000));
    wait_for(&busy, 1);
    assert_int_equal(shutdown(fd, SHUT_WR), 0);
    assert_true(recv(fd, &c, 1, 0) <= 0); /* the server knows: an end, or a reset */
    atomic_store(&may_go_on, 1);
    wait_for(&lost, 1);
    assert_true(taken < 60000); /* not what lay there, but what the handler had when the client went */
    close(fd);
    assert_int_equal(ended, 0);
    free(body);
}

/* ---- a client that is silent ---- */

static void who_is_silent_hears_the_answer(void **state)
{
    struct answer a;
    int fd = dial();

    (void)state;
    post_head(fd, "/patient", 90000, "");
    assert_true(put(fd, "abc", 3));
    read_answer(fd, &a);
    assert_int_equal(a.status, 408);
    assert_contains(a.head, "Connection: close\r\n");
    assert_contains(a.body, "\"code\":\"stalled\"");
    assert_int_equal(get_byte(fd), -1);
    close(fd);
}

/* `nc -N` closes its half behind the last byte, and waits for the answer. */
static void who_has_sent_all_may_close_that_half(void **state)
{
    uint8_t *body = make_body(200000);
    int fd = dial();
    struct answer a;

    (void)state;
    post_head(fd, "/slow", 200000, "Connection: close\r\n");
    assert_true(put(fd, body, 200000));
    assert_int_equal(shutdown(fd, SHUT_WR), 0);
    wait_for(&busy, 1);
    atomic_store(&may_go_on, 1);
    read_answer(fd, &a);
    close(fd);
    assert_sum(&a, body, 200000);
    assert_int_equal(lost, 0);
    free(body);
}

/* ---- plain requests ---- */

static void answers_with_head_and_body(void **state)
{
    struct answer a;

    (void)state;
    ask("GET /hello HTTP/1.1\r\nHost: x\r\n\r\n", &a);
    assert_int_equal(a.status, 200);
    assert_string_equal(a.body, "{\"hello\":1}");
    assert_contains(a.head, "Content-Type: application/json; charset=utf-8\r\n");
    assert_contains(a.head, "Cache-Control: no-store\r\n");
    assert_contains(a.head, "X-Content-Type-Options: nosniff\r\n");
    assert_contains(a.head, "Content-Length: 11\r\n");
    ask("GET /nothing HTTP/1.1\r\nHost: x\r\n\r\n", &a);
    assert_int_equal(a.status, 404);
    ask("PUT /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n", &a);
    assert_int_equal(a.status, 405);
    assert_contains(a.head, "Allow: POST\r\n");
}

static void hands_the_request_on_as_it_came(void **state)
{
    struct answer a;

    (void)state;
    ask("GET /p%41th?a=%20b HTTP/1.1\r\nHost: x\r\nX-Twice: one\r\nx-TWICE: two\r\n\r\n", &a);
    assert_string_equal(a.body, "GET /p%41th 2 one");
    ask("GET /p%41th HTTP/1.1\r\nHost: x\r\n\r\n", &a);
    assert_string_equal(a.body, "GET /p%41th 0 -");
    ask("GET /pAth HTTP/1.1\r\nHost: x\r\n\r\n", &a);
    assert_int_equal(a.status, 404);
}

static void head_has_no_body(void **state)
{
    struct answer a;
    int fd = dial();

    (void)state;
    put_text(fd, "HEAD /hello HTTP/1.1\r\nHost: x\r\n\r\nGET /hello HTTP/1.1\r\nHost: x\r\n\r\n");
    read_head(fd, &a);
    assert_int_equal(a.status, 200);
    assert_contains(a.head, "Content-Length: 11\r\n");
    read_answer(fd, &a); /* the next one follows at once */
    assert_string_equal(a.body, "{\"hello\":1}");
    close(fd);
}

static void serves_http_1_0_and_pipelining(void **state)
{
    struct answer a;
    int fd = dial();

    (void)state;
    put_text(fd, "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc"
                 "GET /hello HTTP/1.1\r\nHost: x\r\n\r\n");
    read_answer(fd, &a);
    assert_sum(&a, (const uint8_t *)"abc", 3);
    read_answer(fd, &a);
    assert_string_equal(a.body, "{\"hello\":1}");
    close(fd);

    fd = dial();
    put_text(fd, "GET /hello HTTP/1.0\r\n\r\n");
    read_answer(fd, &a);
    assert_string_equal(a.body, "{\"hello\":1}");
    assert_int_equal(get_byte(fd), -1);
    close(fd);
}

static void takes_bodies_of_any_size(void **state)
{
    static const size_t sizes[] = {0, 1, 1000, 65536, 300000, 6 * 1024 * 1024};

    (void)state;
    for (size_t i = 0; i < COUNT(sizes); i++) {
        uint8_t *body = make_body(sizes[i] + 1);
        struct answer a;
        int fd = dial();

        post_head(fd, "/echo", sizes[i], "");
        assert_true(put(fd, body, sizes[i]));
        read_answer(fd, &a);
        assert_sum(&a, body, sizes[i]);
        close(fd);
        free(body);
    }
    assert_int_equal(lost, 0);
}

/* ---- refusals ---- */

static void assert_refusal(const struct answer *a, int status, const char *code)
{
    char want[64];

    snprintf(want, sizeof want, "\"code\":\"%s\"", code);
    assert_int_equal(a->status, status);
    assert_contains(a->body, want);
}

static void a_waiting_client_is_refused_before_its_body(void **state)
{
    struct answer a;
    int fd = dial();

    (void)state;
    post_head(fd, "/refuse", 6000000, "Expect: 100-continue\r\n");
    read_answer(fd, &a); /* the first thing to come; no 100 */
    assert_refusal(&a, 409, "busy");
    close(fd);
    assert_int_equal(lost, 0);
}

static void a_waiting_client_is_told_to_go_on(void **state)
{
    struct answer a;
    int fd = dial();

    (void)state;
    post_head(fd, "/echo", 3, "Expect: 100-continue\r\n");
    read_head(fd, &a);
    assert_int_equal(a.status, 100);
    put_text(fd, "abc");
    read_answer(fd, &a);
    assert_sum(&a, (const uint8_t *)"abc", 3);
    close(fd);
}

/* Sends all it has before it reads: the answer must not get lost in a reset. */
static void send_all_then_read(const char *path, size_t len, struct answer *a)
{
    uint8_t *body = make_body(len);
    int fd = dial();

    post_head(fd, path, len, "");
    assert_true(put(fd, body, len));
    read_answer(fd, a);
    close(fd);
    free(body);
}

static void a_refused_client_may_send_its_megabytes(void **state)
{
    struct answer a;

    (void)state;
    send_all_then_read("/refuse", 8 * 1024 * 1024, &a);
    assert_refusal(&a, 409, "busy");
    send_all_then_read("/later", 8 * 1024 * 1024, &a);
    assert_refusal(&a, 422, "image_merged");
    send_all_then_read("/later", 100000, &a);
    assert_refusal(&a, 422, "image_merged");
    send_all_then_read("/nothing", 1024 * 1024, &a);
    assert_refusal(&a, 404, "not_found");
    assert_int_equal(lost, 0);
    assert_int_equal(ended, 0);
}

static void a_body_beyond_all_bounds_is_answered_at_once(void **state)
{
    struct answer a;
    int fd = dial();

    (void)state;
    post_head(fd, "/refuse", OTAPULT_HTTP_DRAIN + 1, "");
    read_answer(fd, &a);
    assert_refusal(&a, 409, "busy");
    close(fd);
}

/* In words, and also where nobody reads so long a body to its end. */
static void refuses_bodies_in_chunks(void **state)
{
    static char chunk[65536 + 9] = "10000\r\n"; /* then 64 KB, and CR LF */
    uint64_t sent = 0;
    struct answer a;
    int fd = dial();

    (void)state;
    memcpy(chunk + sizeof chunk - 2, "\r\n", 2);
    put_text(fd, "POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n");
    read_answer(fd, &a);
    assert_refusal(&a, 400, "content_length");
    assert_contains(a.head, "Connection: close\r\n");
    while (sent < 2ull * OTAPULT_HTTP_DRAIN && put(fd, chunk, sizeof chunk))
        sent += 65536;
    assert_true(sent < 2ull * OTAPULT_HTTP_DRAIN); /* nobody reads them */
    assert_int_equal(begun, 0);
    close(fd);
}

/* The client goes on waiting with the connection open: nothing of the answer may hang on its body's end. */
static void a_body_without_a_clear_end_is_answered_at_once(void **state)
{
    static const char *const lengths[] = {
        "Content-Length: 5\r\nContent-Length: 60\r\n",
        "Content-Length: 60\r\nTransfer-Encoding: chunked\r\n",
        "Transfer-Encoding: gzip\r\n",
        "Transfer-Encoding: gzip, chunked\r\n",
    };

    (void)state;
    for (size_t i = 0; i < COUNT(lengths); i++) {
        char request[256];
        struct answer a;

        snprintf(request, sizeof request, "POST /echo HTTP/1.1\r\nHost: x\r\n%s\r\nabc", lengths[i]);
        ask(request, &a);
        if (strstr(a.body, "Unsupported Transfer-Encoding") !=
            NULL) /* said by libmicrohttpd itself, from 1.0 on */
            assert_int_equal(a.status, 400);
        else
            assert_refusal(&a, 400, "content_length");
        assert_contains(a.head, "Connection: close\r\n");
    }
    assert_int_equal(begun, 0);
}

/* ---- connections that end early ---- */

static void a_lost_connection_is_told_once(void **state)
{
    (void)state;
    for (unsigned i = 1; i <= 3; i++) {
        int fd = dial();

        post_head(fd, "/echo", 100000, "");
        put_text(fd, "only this");
        wait_for(&begun, i);
        close(fd);
        wait_for(&lost, i);
    }
    stop_server();
    assert_int_equal(lost, 3);
    assert_int_equal(ended, 0);
}

static void a_refused_connection_is_not_lost(void **state)
{
    int fd = dial();

    (void)state;
    post_head(fd, "/refuse", 100000, "");
    wait_for(&begun, 1);
    close(fd);
    stop_server();
    assert_int_equal(lost, 0);
}

static void an_idle_connection_is_closed(void **state)
{
    char c;
    int fd;

    (void)state;
    stop_server();
    assert_int_equal(start_with(1), 0);
    fd = dial();
    post_head(fd, "/echo", 100000, "");
    put_text(fd, "only this");
    wait_for(&lost, 1);
    assert_true(recv(fd, &c, 1, 0) <= 0);
    close(fd);
}

/* ---- event streams ---- */

static int open_stream(struct answer *a)
{
    int fd = dial();

    put_text(fd, "GET /events HTTP/1.1\r\nHost: x\r\n\r\n");
    read_head(fd, a);
    assert_int_equal(a->status, 200);
    assert_contains(a->head, "Content-Type: text/event-stream\r\n");
    return fd;
}

static void a_stream_ends_when_the_server_stops(void **state)
{
    static char text[65536];
    struct answer a;
    size_t n = 0;
    int c, fd = open_stream(&a);

    (void)state;
    assert_contains(a.head, "Transfer-Encoding: chunked\r\n");
    wait_for(&events, 1);
    stop_server();
    while ((c = get_byte(fd)) >= 0 && n < sizeof text - 1)
        text[n++] = (char)c;
    assert_contains(text, "data: 1 ...");
    assert_true(n > LONG_EVENT);
    assert_string_equal(text + n - 5, "0\r\n\r\n"); /* the last chunk: ended, not cut */
    close(fd);
}

static void a_stream_goes_on(void **state)
{
    static char text[4 * OTAPULT_HTTP_EVENT];
    struct answer a;
    int fd;

    (void)state;
    fd = dial();
    put_text(fd, "GET /events HTTP/1.0\r\n\r\n"); /* no chunks to look through */
    read_head(fd, &a);
    for (size_t n = 0; n < 3 * LONG_EVENT; n++)
        text[n] = (char)get_byte(fd);
    assert_memory_equal(text, "data: 1 .", 9);
    assert_memory_equal(text + LONG_EVENT, "data: 2 .", 9);
    assert_memory_equal(text + 2 * LONG_EVENT - 2, "\n\ndata: 3 .", 11);
    close(fd);
}

static void many_streams_block_nobody(void **state)
{
    int fd[100];
    struct answer a;

    (void)state;
    for (size_t i = 0; i < COUNT(fd); i++)
        fd[i] = open_stream(&a);
    ask("GET /hello HTTP/1.1\r\nHost: x\r\n\r\n", &a);
    assert_int_equal(a.status, 200);
    for (size_t i = 0; i < COUNT(fd); i += 2)
        close(fd[i]); /* without a word */
    stop_server();
    for (size_t i = 1; i < COUNT(fd); i += 2)
        close(fd[i]);
}

/* ---- many at once, and the end ---- */

static void *upload_one(void *arg)
{
    int fd = *(int *)arg;
    uint8_t *body = make_body(100000);
    struct answer a;

    for (int i = 0; i < 3; i++) {
        post_head(fd, "/echo", 100000, "");
        assert_true(put(fd, body, 100000));
        read_answer(fd, &a);
        assert_sum(&a, body, 100000);
    }
    free(body);
    return NULL;
}

static void serves_64_clients_at_once(void **state)
{
    pthread_t thread[64];
    int fd[64];

    (void)state;
    for (size_t i = 0; i < COUNT(fd); i++)
        fd[i] = dial();
    for (size_t i = 0; i < COUNT(thread); i++)
        assert_int_equal(pthread_create(&thread[i], NULL, upload_one, &fd[i]), 0);
    for (size_t i = 0; i < COUNT(thread); i++)
        pthread_join(thread[i], NULL);
    for (size_t i = 0; i < COUNT(fd); i++)
        close(fd[i]);
    assert_int_equal(ended, 3 * 64);
}

static void *stop_in_thread(void *arg)
{
    stop_server();
    return arg;
}

static void an_answer_under_way_gets_out(void **state)
{
    pthread_t thread;
    struct answer a;
    int fd = dial();

    (void)state;
    put_text(fd, "GET /big HTTP/1.1\r\nHost: x\r\n\r\n");
    wait_for(&begun, 1);
    assert_int_equal(pthread_create(&thread, NULL, stop_in_thread, NULL), 0);
    read_answer(fd, &a);
    assert_int_equal(a.len, BIG);
    assert_contains(a.head, "X-One: 1\r\n");
    assert_contains(a.head, "X-Two: 2\r\n");
    pthread_join(thread, NULL);
    close(fd);
}

static void stop_does_not_wait_for_ever(void **state)
{
    int fd = dial();

    (void)state;
    post_head(fd, "/echo", 100000, "");
    put_text(fd, "only this");
    wait_for(&begun, 1);
    stop_server();
    assert_int_equal(lost, 1);
    close(fd);
}

static void says_why_it_cannot_listen(void **state)
{
    (void)state;
    assert_null(mhd_server_start("127.0.0.1", mhd_server_port(server), &site, 1, 1, NULL));
    assert_int_equal(errno, EADDRINUSE);
    assert_null(mhd_server_start("203.0.113.7", 0, &site, 1, 1, NULL));
    assert_int_equal(errno, EADDRNOTAVAIL);
    assert_null(mhd_server_start("not an address", 0, &site, 1, 1, NULL));
    assert_int_equal(errno, EADDRNOTAVAIL);
}

static void listens_again_on_the_same_port(void **state)
{
    struct answer a;

    (void)state;
    for (int i = 0; i < 5; i++) {
        uint16_t port = mhd_server_port(server);
        ask("GET /hello HTTP/1.1\r\nHost: x\r\n\r\n", &a);
        assert_int_equal(a.status, 200);
        stop_server();
        server = mhd_server_start("127.0.0.1", port, &site, 1, PATIENCE, NULL);
        assert_non_null(server);
        assert_int_equal(mhd_server_port(server), port);
    }
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, start, stop)
    const struct CMUnitTest tests[] = {
        TEST(answers_with_head_and_body),
        TEST(hands_the_request_on_as_it_came),
        TEST(head_has_no_body),
        TEST(who_is_gone_is_not_fed),
        TEST(who_is_silent_hears_the_answer),
        TEST(who_has_sent_all_may_close_that_half),
        TEST(serves_http_1_0_and_pipelining),
        TEST(takes_bodies_of_any_size),
        TEST(refuses_bodies_in_chunks),
        TEST(a_waiting_client_is_refused_before_its_body),
        TEST(a_waiting_client_is_told_to_go_on),
        TEST(a_refused_client_may_send_its_megabytes),
        TEST(a_body_beyond_all_bounds_is_answered_at_once),
        TEST(a_body_without_a_clear_end_is_answered_at_once),
        TEST(a_lost_connection_is_told_once),
        TEST(a_refused_connection_is_not_lost),
        TEST(an_idle_connection_is_closed),
        TEST(a_stream_ends_when_the_server_stops),
        TEST(a_stream_goes_on),
        TEST(many_streams_block_nobody),
        TEST(serves_64_clients_at_once),
        TEST(an_answer_under_way_gets_out),
        TEST(stop_does_not_wait_for_ever),
        TEST(says_why_it_cannot_listen),
        TEST(listens_again_on_the_same_port),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
