/* SPDX-License-Identifier: Apache-2.0 */
#include "wire.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "certificate.h"
#include "say.h"

/* libcurl does the talking; this file is the loop around it. Four rules hold for every request, and that is
 * why no other file may call libcurl for one: a token or password goes only through TLS and only to a pinned
 * key (set_security()); no proxy and no redirect is followed, because a robot stands in this network; an
 * answer longer than ANSWER_MAX is refused, because any machine may answer; and what changes something is
 * sent once (send_once()), because only the caller knows whether a second time does harm. */

#define ANSWER_MAX  (256u * 1024u)
#define TURN_MS     100 /* how long a stop may go unnoticed */
#define STALL_S     60L /* a body that does not move for so long; a board reads its slot back meanwhile */
#define UPLOAD_BUF  65536L
#define RECEIVE_BUF 4096L /* answers are small, and there may be fifty of them at once */
#define EXPECT_MS   1500L /* for the answer to Expect: 100-continue; then the body goes out all the same */

/* One request on its way. */
struct exchange {
    CURL *curl;
    struct curl_slist *headers, *connect_to;
    curl_mime *form;
    const uint8_t *body;
    size_t body_len, at;
    bool answerless; /* a look at the certificate: no answer comes */
    bool changes;    /* something on the robot: it goes out once */
    bool head_came;  /* the whole head of an answer, with its blank line */
    const char *name;
    void *ctx;
    void (*done)(void *ctx, const struct wire_answer *answer);
    void (*sent)(void *ctx, uint64_t sent);
    struct wire_answer answer;
    struct exchange *next; /* in one of the wire's lists */
};

struct wire {
    CURLM *multi;
    struct exchange *under_way, *failed; /* failed: could not even begin */
    struct wire_timer *timers;           /* the next one first */
};

uint64_t wire_now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000u + (uint64_t)t.tv_nsec / 1000000u;
}

struct wire *wire_open(void)
{
    struct wire *w = calloc(1, sizeof *w);

    curl_global_init(CURL_GLOBAL_DEFAULT);
    if (w != NULL && (w->multi = curl_multi_init()) != NULL)
        return w;
    free(w);
    complain("libcurl does not start");
    return NULL;
}

static void enlist(struct exchange **list, struct exchange *x)
{
    x->next = *list;
    *list = x;
}

static void unlist(struct exchange **list, const struct exchange *x)
{
    while (*list != NULL && *list != x)
        list = &(*list)->next;
    if (*list != NULL)
        *list = x->next;
}

static void exchange_free(struct exchange *x)
{
    curl_easy_cleanup(x->curl);
    curl_mime_free(x->form);
    curl_slist_free_all(x->headers);
    curl_slist_free_all(x->connect_to);
    free(x->answer.body);
    free(x);
}

void wire_cut(struct wire *w)
{
    w->timers = NULL;
    while (w->under_way != NULL) {
        struct exchange *x = w->under_way;
        w->under_way = x->next;
        curl_multi_remove_handle(w->multi, x->curl);
        exchange_free(x);
    }
}

void wire_close(struct wire *w)
{
    wire_cut(w);
    curl_multi_cleanup(w->multi);
    free(w);
    curl_global_cleanup();
}

/* ---- what curl asks of an exchange ---- */

static size_t take_body(char *data, size_t size, size_t count, void *ctx)
{
    struct wire_answer *a = &((struct exchange *)ctx)->answer;
    size_t n = size * count;

    if (n > ANSWER_MAX - a->len)
        return 0;
    char *body = realloc(a->body, a->len + n + 1);
    if (body == NULL)
        return 0;
    memcpy(body + a->len, data, n);
    a->body = body;
    a->len += n;
    body[a->len] = '\0';
    return n;
}

/* If line[len] is the header `name`, copies its value into dst[cap], cut where it is too long. */
static bool header_value(const char *line, size_t len, const char *name, char *dst, size_t cap)
{
    size_t n = strlen(name);

    if (len <= n || strncasecmp(line, name, n) != 0 || line[n] != ':')
        return false;
    for (n++; n < len && (line[n] == ' ' || line[n] == '\t'); n++)
        ;
    while (len > n && (line[len - 1] == '\r' || line[len - 1] == '\n' || line[len - 1] == ' '))
        len--;
    snprintf(dst, cap, "%.*s", (int)(len - n), line + n);
    return true;
}

static size_t take_header(char *line, size_t size, size_t count, void *ctx)
{
    struct exchange *x = ctx;
    struct wire_answer *a = &x->answer;
    size_t len = size * count;
    char number[24], *end;

    if (len > 0 && (line[0] == '\r' || line[0] == '\n'))
        x->head_came = true;
    else if (len >= 5 && memcmp(line, "HTTP/", 5) == 0)
        x->head_came = false; /* of the next answer, behind a 100 */
    header_value(line, len, "Location", a->location, sizeof a->location);
    header_value(line, len, "Tus-Resumable", a->tus, sizeof a->tus);
    if (header_value(line, len, "Upload-Offset", number, sizeof number)) {
        long long offset = strtoll(number, &end, 10);
        a->offset = end != number && *end == '\0' && offset >= 0 ? offset : -1;
    }
    return len;
}

static size_t give_body(char *dst, size_t size, size_t count, void *ctx)
{
    struct exchange *x = ctx;
    size_t n = size * count, left = x->body_len - x->at;

    if (n > left)
        n = left;
    memcpy(dst, x->body + x->at, n);
    x->at += n;
    if (x->sent != NULL)
        x->sent(x->ctx, x->at);
    return n;
}

static int seek_body(void *ctx, curl_off_t offset, int origin)
{
    struct exchange *x = ctx;

    if (origin != SEEK_SET || offset < 0 || (uint64_t)offset > x->body_len)
        return CURL_SEEKFUNC_FAIL;
    x->at = (size_t)offset;
    return CURL_SEEKFUNC_OK;
}

/* libcurl calls this before it sends a request, and once more before it repeats one of its own accord, as it
 * does where a connection that it had used before ends without an answer. The robot may have done by then
 * what it was told. */
static int send_once(void *ctx, char *ip, char *own_ip, int port, int own_port)
{
    struct exchange *x = ctx;
    bool repeated = x->answer.told && x->changes && !x->head_came; /* after a 417 it is meant to */

    (void)ip;
    (void)own_ip;
    (void)port;
    (void)own_port;
    x->answer.told = true;
    return repeated ? CURL_PREREQFUNC_ABORT : CURL_PREREQFUNC_OK;
}

/* ---- --verbose: heads of requests and answers, without what opens a robot ---- */

static bool is_secret(const char *line, size_t len)
{
    static const char *const names[] = {"Authorization", "Cookie", "Set-Cookie", "Proxy-Authorization"};
    char value[8];

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (header_value(line, len, names[i], value, sizeof value))
            return true;
    }
    return false;
}

static void show_lines(const char *name, char way, const char *data, size_t size)
{
    char line[300];

    while (size > 0) {
        const char *end = memchr(data, '\n', size);
        size_t len = end != NULL ? (size_t)(end - data) + 1 : size;
        size_t shown = len - (end != NULL) - (end != NULL && len > 1 && data[len - 2] == '\r');
        if (is_secret(data, len))
            snprintf(line, sizeof line, "%.*s: (not shown)", (int)strcspn(data, ":"), data);
        else
            snprintf(line, sizeof line, "%.*s", (int)shown, data);
        if (line[0] != '\0')
            fprintf(stderr, "%s %c %s\n", say_clean(name), way, say_clean(line));
        data += len;
        size -= len;
    }
}

static int show(CURL *curl, curl_infotype type, char *data, size_t size, void *ctx)
{
    const char *name = ctx;

    (void)curl;
    if (type == CURLINFO_HEADER_OUT)
        show_lines(name, '>', data, size);
    else if (type == CURLINFO_HEADER_IN)
        show_lines(name, '<', data, size);
    else if (type == CURLINFO_TEXT)
        show_lines(name, '*', data, size);
    return 0;
}

/* ---- sending ---- */

static void set_form(struct exchange *x, const struct wire_request *r)
{
    x->form = curl_mime_init(x->curl);
    curl_mimepart *part = curl_mime_addpart(x->form);
    curl_mime_name(part, r->field);
    curl_mime_filename(part, r->file_name);
    curl_mime_type(part, "application/octet-stream");
    curl_mime_data_cb(part, (curl_off_t)r->body_len, give_body, seek_body, NULL, x);
    curl_easy_setopt(x->curl, CURLOPT_MIMEPOST, x->form);
}

static void add_header(struct exchange *x, const char *format, const char *value)
{
    char line[300];

    snprintf(line, sizeof line, format, value);
    x->headers = curl_slist_append(x->headers, line);
}

static void set_body(struct exchange *x, const struct wire_request *r)
{
    x->body = r->body;
    x->body_len = r->body_len;
    if (r->field != NULL) {
        set_form(x, r);
    } else {
        curl_easy_setopt(x->curl, CURLOPT_POST, 1L);
        curl_easy_setopt(x->curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)r->body_len);
        curl_easy_setopt(x->curl, CURLOPT_READFUNCTION, give_body);
        curl_easy_setopt(x->curl, CURLOPT_READDATA, x);
        curl_easy_setopt(x->curl, CURLOPT_SEEKFUNCTION, seek_body);
        curl_easy_setopt(x->curl, CURLOPT_SEEKDATA, x);
        add_header(x, "Content-Type: %s", r->type != NULL ? r->type : "application/octet-stream");
    }
    add_header(x, "%s", r->expect ? "Expect: 100-continue" : "Expect:");
    curl_easy_setopt(x->curl, CURLOPT_EXPECT_100_TIMEOUT_MS, EXPECT_MS);
    curl_easy_setopt(x->curl, CURLOPT_UPLOAD_BUFFERSIZE, UPLOAD_BUF);
}

static void set_security(struct exchange *x, const struct wire_request *r)
{
    bool tls = strncmp(r->url, "https:", 6) == 0;

    curl_easy_setopt(x->curl, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    curl_easy_setopt(x->curl, CURLOPT_SSL_VERIFYPEER, 0L); /* nobody vouches for a robot; its pin does */
    curl_easy_setopt(x->curl, CURLOPT_SSL_VERIFYHOST, 0L);
    curl_easy_setopt(x->curl, CURLOPT_CERTINFO, 1L);
    curl_easy_setopt(x->curl, CURLOPT_CAINFO, NULL); /* so the 400 authorities of a system are not read */
    curl_easy_setopt(x->curl, CURLOPT_CAPATH, NULL);
    if (r->pin != NULL)
        curl_easy_setopt(x->curl, CURLOPT_PINNEDPUBLICKEY, r->pin);
    if (r->shake_hands)
        curl_easy_setopt(x->curl, CURLOPT_CONNECT_ONLY, 1L);
    if (!tls || r->pin == NULL)
        return;
    if (r->token != NULL) {
        curl_easy_setopt(x->curl, CURLOPT_HTTPAUTH, (long)CURLAUTH_BEARER);
        curl_easy_setopt(x->curl, CURLOPT_XOAUTH2_BEARER, r->token);
    } else if (r->password != NULL) {
        curl_easy_setopt(x->curl, CURLOPT_HTTPAUTH, (long)CURLAUTH_BASIC);
        curl_easy_setopt(x->curl, CURLOPT_USERNAME, "admin");
        curl_easy_setopt(x->curl, CURLOPT_PASSWORD, r->password);
    }
}

static void set_patience(struct exchange *x, const struct wire_request *r)
{
    curl_easy_setopt(x->curl, CURLOPT_CONNECTTIMEOUT, r->timeout_s);
    if (r->body_len > UPLOAD_BUF) {
        curl_easy_setopt(x->curl, CURLOPT_LOW_SPEED_LIMIT, 1L);
        curl_easy_setopt(x->curl, CURLOPT_LOW_SPEED_TIME, STALL_S);
    } else {
        curl_easy_setopt(x->curl, CURLOPT_TIMEOUT, r->timeout_s * 3);
    }
}

static void set_request(struct exchange *x, const struct wire_request *r)
{
    char to[200];

    curl_easy_setopt(x->curl, CURLOPT_URL, r->url);
    curl_easy_setopt(x->curl, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(x->curl, CURLOPT_PROXY, ""); /* a robot stands in this network */
    curl_easy_setopt(x->curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(x->curl, CURLOPT_BUFFERSIZE, RECEIVE_BUF);
    curl_easy_setopt(x->curl, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(x->curl, CURLOPT_ACCEPT_ENCODING, ""); /* pages come compressed */
    curl_easy_setopt(x->curl, CURLOPT_USERAGENT, "otapult/" OTAPULT_VERSION);
    curl_easy_setopt(x->curl, CURLOPT_PRIVATE, x);
    curl_easy_setopt(x->curl, CURLOPT_WRITEFUNCTION, take_body);
    curl_easy_setopt(x->curl, CURLOPT_WRITEDATA, x);
    curl_easy_setopt(x->curl, CURLOPT_HEADERFUNCTION, take_header);
    curl_easy_setopt(x->curl, CURLOPT_HEADERDATA, x);
    curl_easy_setopt(x->curl, CURLOPT_PREREQFUNCTION, send_once);
    curl_easy_setopt(x->curl, CURLOPT_PREREQDATA, x);
    if (r->connect_to != NULL && r->connect_to[0] != '\0') {
        snprintf(to, sizeof to, "::%s:", r->connect_to);
        x->connect_to = curl_slist_append(NULL, to);
        curl_easy_setopt(x->curl, CURLOPT_CONNECT_TO, x->connect_to);
    }
    if (say_is_verbose()) {
        curl_easy_setopt(x->curl, CURLOPT_VERBOSE, 1L);
        curl_easy_setopt(x->curl, CURLOPT_DEBUGFUNCTION, show);
        curl_easy_setopt(x->curl, CURLOPT_DEBUGDATA, (void *)(uintptr_t)r->name);
    }
}

/* A POST without body and without content type. curl would say application/x-www-form-urlencoded, and a
 * robot's button refuses what any page's form could send (web/body.c). */
static void set_empty_body(struct exchange *x)
{
    curl_easy_setopt(x->curl, CURLOPT_COPYPOSTFIELDS, "");
    add_header(x, "%s", "Content-Type:");
}

static bool only_asks(const struct wire_request *r)
{
    if (r->method == NULL)
        return r->body == NULL;
    return strcmp(r->method, "HEAD") == 0 || strcmp(r->method, "OPTIONS") == 0;
}

static void set_method(struct exchange *x, const struct wire_request *r)
{
    x->changes = !only_asks(r);
    if (r->body != NULL)
        set_body(x, r);
    else if (r->method != NULL && strcmp(r->method, "POST") == 0)
        set_empty_body(x);
    if (r->method != NULL && strcmp(r->method, "HEAD") == 0)
        curl_easy_setopt(x->curl, CURLOPT_NOBODY, 1L);
    else if (r->method != NULL)
        curl_easy_setopt(x->curl, CURLOPT_CUSTOMREQUEST, r->method);
    for (size_t i = 0; i < sizeof r->header / sizeof r->header[0] && r->header[i] != NULL; i++)
        add_header(x, "%s", r->header[i]);
    add_header(x, "Accept-Language: %s", say_in_russian() ? "ru" : "en");
    curl_easy_setopt(x->curl, CURLOPT_HTTPHEADER, x->headers);
}

void wire_send(struct wire *w, const struct wire_request *r)
{
    struct exchange *x = calloc(1, sizeof *x);

    if (x == NULL)
        abort(); /* a few hundred bytes: nothing sensible is left to be done */
    x->answer.offset = -1;
    x->answerless = r->shake_hands;
    x->name = r->name;
    x->ctx = r->ctx;
    x->done = r->done;
    x->sent = r->sent;
    x->curl = curl_easy_init();
    if (x->curl != NULL) {
        set_request(x, r);
        set_security(x, r);
        set_patience(x, r);
        set_method(x, r);
    }
    if (x->curl != NULL && curl_multi_add_handle(w->multi, x->curl) == CURLM_OK) {
        enlist(&w->under_way, x);
        return;
    }
    x->answer.err = CURLE_FAILED_INIT;
    enlist(&w->failed, x);
}

/* ---- time ---- */

void wire_after(struct wire *w, struct wire_timer *timer, unsigned ms)
{
    struct wire_timer **at = &w->timers;

    timer->due = wire_now() + ms;
    while (*at != NULL && (*at)->due <= timer->due)
        at = &(*at)->next;
    timer->next = *at;
    *at = timer;
}

static void fire_due(struct wire *w)
{
    uint64_t now = wire_now();

    while (w->timers != NULL && w->timers->due <= now) {
        struct wire_timer *timer = w->timers;
        w->timers = timer->next;
        timer->fire(timer->ctx);
    }
}

static int patience(const struct wire *w)
{
    uint64_t now = wire_now();

    if (w->timers == NULL || w->timers->due > now + TURN_MS)
        return TURN_MS;
    return w->timers->due > now ? (int)(w->timers->due - now) : 0;
}

/* ---- the end of an exchange ---- */

static const char *first_certificate(const struct curl_certinfo *info)
{
    if (info == NULL || info->num_of_certs < 1)
        return NULL;
    for (const struct curl_slist *i = info->certinfo[0]; i != NULL; i = i->next) {
        if (strncmp(i->data, "Cert:", 5) == 0)
            return i->data + 5;
    }
    return NULL;
}

static void note_certificate(struct exchange *x)
{
    struct curl_certinfo *info = NULL;
    struct known_device shown;

    if (curl_easy_getinfo(x->curl, CURLINFO_CERTINFO, &info) != CURLE_OK ||
        !certificate_read(first_certificate(info), &shown))
        return;
    snprintf(x->answer.pin, sizeof x->answer.pin, "%s", shown.pin);
    snprintf(x->answer.fingerprint, sizeof x->answer.fingerprint, "%s", shown.fingerprint);
}

/* libcurl takes a connection that ends within the head of an answer for the end of a whole one. */
static CURLcode outcome_of(const struct exchange *x, CURLcode err)
{
    bool whole = x->answerless || (x->head_came && x->answer.status >= 200);

    if (err == CURLE_ABORTED_BY_CALLBACK) /* of send_once() */
        return CURLE_GOT_NOTHING;
    return err == CURLE_OK && !whole ? CURLE_RECV_ERROR : err;
}

static void finish(struct wire *w, struct exchange *x, CURLcode err)
{
    curl_easy_getinfo(x->curl, CURLINFO_RESPONSE_CODE, &x->answer.status);
    curl_easy_getinfo(x->curl, CURLINFO_OS_ERRNO, &x->answer.os_error);
    x->answer.err = outcome_of(x, err);
    note_certificate(x);
    curl_multi_remove_handle(w->multi, x->curl);
    unlist(&w->under_way, x);
    x->done(x->ctx, &x->answer);
    exchange_free(x);
}

static void finish_done(struct wire *w)
{
    CURLMsg *m;
    int left;

    while ((m = curl_multi_info_read(w->multi, &left)) != NULL) {
        char *x = NULL;
        CURLcode err = m->data.result;
        if (m->msg == CURLMSG_DONE && curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, &x) == CURLE_OK)
            finish(w, (struct exchange *)(void *)x, err);
    }
    while (w->failed != NULL) {
        struct exchange *x = w->failed;
        w->failed = x->next;
        x->done(x->ctx, &x->answer);
        exchange_free(x);
    }
}

void wire_run(struct wire *w, bool (*stop)(void *ctx), void *ctx)
{
    int running;

    while (w->under_way != NULL || w->failed != NULL || w->timers != NULL) {
        if (stop != NULL && stop(ctx))
            return;
        fire_due(w);
        curl_multi_perform(w->multi, &running);
        finish_done(w);
        if (w->under_way != NULL || w->timers != NULL)
            curl_multi_poll(w->multi, NULL, 0, patience(w), NULL);
    }
}
