/* SPDX-License-Identifier: Apache-2.0 */
#include <lwip/sockets.h>
#include <sdkconfig.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "esp_board.h"

/* Server adapter: esp_http_server.
 *
 * Every request begins in the server's task. One with a body that is longer than a button's goes on in the
 * upload task, so that page and API stay reachable; the server's task takes it where ESP-IDF cannot hand
 * it over, or when the upload task still drops the rest of an earlier one.
 *
 * Answers go out through httpd_send(): httpd_resp_…() keeps pointers to headers which the core has on its
 * stack, limits their number, allocates (5.5+), and always sends a body, to HEAD too.
 *
 * Each of the three tasks has an exchange of its own in static memory: the server's task `here`, the upload
 * task `handed_over`, the task of the redirecting server `plain`. `uploading` says whose handed_over is: the
 * server's task sets it before it touches the struct, the upload task clears it when it has touched it for
 * the last time. */

#define LONG_BODY      OTAPULT_HTTP_SMALL_BODY
#define EARLY_BYTES    128u   /* that may lie in the server's own buffer already */
#define STALL_GRACE_MS 5000u  /* beyond the core's patience, so that the core ends the upload first */
#define SHORT_BODY_MS  10000u /* for all of a body that is no longer than a button's */
#define DROP_MS        60000u
#define DROP_HERE_MS   3000u /* in the server's task, where everybody else waits meanwhile */
#define RETRY          "retry: 1000\n"

/* Through TLS the codes of esp-tls come out unmapped (esp_tls_errors.h), also for a mere timeout. */
#define TLS_WANT_READ  (-0x6900)
#define TLS_WANT_WRITE (-0x6880)

struct exchange {
    struct otapult_exchange core;
    struct otapult_request request;
    httpd_req_t *r;
    uint32_t left;    /* of the body, not received yet */
    uint32_t drop_ms; /* patience with the rest of a body whose answer is there */
    uint16_t text_len;
    uint8_t early;  /* bytes received so far, up to EARLY_BYTES */
    bool close;     /* the connection cannot go on behind this request */
    bool broken;    /* the answer does not get out any more */
    bool head_only; /* HEAD, and answers that have no body: 204 */
    bool expects;   /* the client sends no body before it is told to */
    char text[320]; /* values of the headers that the core asked for */
    uint8_t piece[256];
};
_Static_assert(sizeof(void *) > 4 || sizeof(struct exchange) <= 2048, "an exchange takes 2 KB of RAM");

static struct exchange here, handed_over, plain; /* `plain` is linked in the secure profile only */

/* ---- the request, as the core sees it ---- */

static const struct {
    const char *name;
    httpd_method_t method;
} methods[] = {
    {"GET", HTTP_GET},     {"HEAD", HTTP_HEAD},     {"POST", HTTP_POST},       {"PUT", HTTP_PUT},
    {"PATCH", HTTP_PATCH}, {"DELETE", HTTP_DELETE}, {"OPTIONS", HTTP_OPTIONS},
};

static const char *method_name(int method)
{
    for (size_t i = 0; i < sizeof methods / sizeof *methods; i++)
        if ((int)methods[i].method == method)
            return methods[i].name;
    return "OTHER";
}

static const char *query_of(const httpd_req_t *r)
{
    const char *mark = strchr(r->uri, '?');
    return mark == NULL ? "" : mark + 1;
}

/* The core asks for some headers twice: a value that is there already is not kept again. */
static const char *known_text(const struct exchange *e, const char *value)
{
    for (const char *p = e->text; p < value; p += strlen(p) + 1)
        if (strcmp(p, value) == 0)
            return p;
    return NULL;
}

/* A value for which there is no room counts as empty: every header that matters is refused then. The server
 * refuses a second Content-Length by itself; of other headers it shows the first. */
static const char *find_header(void *ctx, const char *name, unsigned *count)
{
    /* Copied as soon as it is asked for: ESP-IDF reuses the memory of the headers for the answer's first
     * byte. */
    struct exchange *e = ctx;
    char *value = e->text + e->text_len;
    esp_err_t err = httpd_req_get_hdr_value_str(e->r, name, value, sizeof e->text - e->text_len);

    if (count != NULL)
        *count = err == ESP_OK || err == ESP_ERR_HTTPD_RESULT_TRUNC;
    if (err == ESP_ERR_HTTPD_RESULT_TRUNC)
        return "";
    if (err != ESP_OK)
        return NULL;
    const char *known = known_text(e, value);
    if (known == NULL)
        e->text_len = (uint16_t)(e->text_len + strlen(value) + 1);
    return known == NULL ? value : known;
}

#if CONFIG_LWIP_IPV6
static void copy_ipv6(const struct sockaddr_storage *peer, uint8_t source[16])
{
    if (peer->ss_family == AF_INET6)
        memcpy(source, &((const struct sockaddr_in6 *)(const void *)peer)->sin6_addr, 16);
}
#else
static void copy_ipv6(const struct sockaddr_storage *peer, uint8_t source[16])
{
    (void)peer;
    (void)source;
}
#endif

static void find_source(int fd, uint8_t source[16])
{
    struct sockaddr_storage peer;
    socklen_t len = sizeof peer;

    if (getpeername(fd, (struct sockaddr *)&peer, &len) != 0)
        return;
    copy_ipv6(&peer, source);
    if (peer.ss_family == AF_INET) {
        source[10] = source[11] = 0xFF;
        memcpy(source + 12, &((const struct sockaddr_in *)(const void *)&peer)->sin_addr, 4);
    }
}

/* Only esp_https_server gives a connection a transport context. */
static void open_exchange(struct exchange *e, httpd_req_t *r)
{
    const int fd = httpd_req_to_sockfd(r);

    memset(e, 0, sizeof *e);
    e->r = r;
    e->left = (uint32_t)r->content_len;
    e->head_only = r->method == HTTP_HEAD;
    e->request = (struct otapult_request){
        .method = method_name(r->method),
        .path = r->user_ctx, /* the server has found it in the target, whatever the target's form */
        .query = query_of(r),
        .ctx = e,
        .header = find_header,
        .tls = httpd_sess_get_transport_ctx(r->handle, fd) != NULL,
    };
    find_source(fd, e->request.source);
    const char *expect = find_header(e, "Expect", NULL);
    e->expects = expect != NULL && strcasecmp(expect, "100-continue") == 0 && e->left > 0;
    e->text_len = 0;
}

/* ---- the answer ---- */

static void send_bytes(struct exchange *e, const void *data, size_t len)
{
    const char *p = data;

    while (len > 0 && !e->broken) {
        int n = httpd_send(e->r, p, len);
        if (n <= 0 || (size_t)n > len) {
            e->broken = true;
            return;
        }
        p += n;
        len -= (size_t)n;
    }
}

static void send_text(struct exchange *e, const char *text)
{
    send_bytes(e, text, strlen(text));
}

static void reply_head(void *ctx, int status, const char *content_type, const char *headers, const char *more)
{
    struct exchange *e = ctx;
    char line[48];

    (void)snprintf(line, sizeof line, "HTTP/1.1 %d %s\r\nContent-Type: ", status,
                   status < 400 ? "OK" : "Error");
    send_text(e, line);
    send_text(e, content_type);
    send_text(e, "\r\n");
    send_text(e, headers);
    send_text(e, more);
    e->head_only |= status == 204; /* RFC 9112, section 6.1: nor a word of how it is sent */
    send_text(e, status == 204 ? "\r\n" : "Transfer-Encoding: chunked\r\n\r\n");
}

static void reply_body(void *ctx, const void *data, size_t len)
{
    struct exchange *e = ctx;
    char size[12];

    if (len == 0 || e->head_only)
        return;
    (void)snprintf(size, sizeof size, "%x\r\n", (unsigned)len);
    send_text(e, size);
    send_bytes(e, data, len);
    send_text(e, "\r\n");
}

/* One event a request, so that no viewer holds up the server; EventSource comes again by itself. */
static void send_event(struct exchange *e)
{
    reply_body(e, RETRY, sizeof RETRY - 1);
    otapult_http_write_event(&e->core);
}

/* ---- the body ---- */

static bool is_timeout(int n)
{
    return n == HTTPD_SOCK_ERR_TIMEOUT || n == TLS_WANT_READ || n == TLS_WANT_WRITE;
}

/* The bytes that came together with the headers are fetched one by one: a call that also reads from the
 * socket loses them when TLS times out. false: the connection ended, or nothing came for too long, or there
 * is an answer by now. */
static bool receive(struct exchange *e, uint32_t patience_ms, size_t *len)
{
    const uint32_t since = otapult_esp_now_ms();
    const size_t want = e->early < EARLY_BYTES ? 1 : sizeof e->piece;

    for (;;) {
        int n = httpd_req_recv(e->r, (char *)e->piece, want);
        if (n > 0 && (size_t)n <= want && (uint32_t)n <= e->left) {
            e->early = (uint8_t)(e->early + (want == 1));
            e->left -= (uint32_t)n;
            *len = (size_t)n;
            return true;
        }
        if (!is_timeout(n) || (!e->core.answered && otapult_http_idle(&e->core) == OTAPULT_HTTP_ANSWERED) ||
            otapult_esp_now_ms() - since >= patience_ms)
            return false;
    }
}

/* How long to wait for the next bytes. The server's task reads a short body while all other clients wait, and
 * anybody may send one (to log in). So the time of a short body is counted from its first byte to its last:
 * otherwise a client that sends a byte now and then would hold the server for ever. */
static uint32_t patience(const struct exchange *e, uint32_t since)
{
    const uint32_t gone = otapult_esp_now_ms() - since;

    if (e->r->content_len > LONG_BODY)
        return otapult_esp_board.stall_ms + STALL_GRACE_MS;
    return gone < SHORT_BODY_MS ? SHORT_BODY_MS - gone : 0;
}

static void take_body(struct exchange *e)
{
    const uint32_t since = otapult_esp_now_ms();
    enum otapult_http_next next = OTAPULT_HTTP_BODY;
    size_t len;

    if (e->expects)
        send_text(e, "HTTP/1.1 100 Continue\r\n\r\n");
    e->expects = false;
    while (next == OTAPULT_HTTP_BODY && e->left > 0) {
        const uint32_t wait = patience(e, since);
        if (e->broken || wait == 0 || !receive(e, wait, &len)) {
            e->close = true;
            e->broken |= !e->core.answered;
            otapult_http_lost(&e->core);
            return;
        }
        next = otapult_http_body(&e->core, e->piece, len);
    }
    if (next == OTAPULT_HTTP_BODY)
        otapult_http_end(&e->core);
}

/* Reads on, so that the client sees the answer: closing a socket with unread input makes lwIP send a reset,
 * and a browser then throws the answer away and speaks of the connection alone (RFC 9112, section 9.6). */
static void drop_rest(struct exchange *e)
{
    const uint32_t since = otapult_esp_now_ms();
    uint32_t dropped = 0;
    size_t len;

    while (e->left > 0 && !e->close) {
        e->close = e->expects || dropped > OTAPULT_HTTP_DRAIN || otapult_esp_now_ms() - since >= e->drop_ms ||
                   !receive(e, e->drop_ms, &len);
        dropped += (uint32_t)sizeof e->piece;
    }
}

static void end_answer(struct exchange *e)
{
    if (e->core.answered && !e->head_only)
        send_text(e, "0\r\n\r\n");
    if (e->core.answered && !e->broken)
        otapult_esp_note_answer(&otapult_esp_board);
    e->close |= e->broken;
    drop_rest(e);
}

/* ---- in two tasks ---- */

#if ESP_BOARD_HANDS_OVER
static void nothing(void *arg)
{
    (void)arg;
}

/* false: the heap is short; the server's task then takes the body itself. After the notification *e is the
 * upload task's, so it is the last statement. */
static bool hand_over(struct exchange *e)
{
    httpd_req_t *own;

    if (httpd_req_async_handler_begin(e->r, &own) != ESP_OK)
        return false;
    e->r = own;
    e->request.query = query_of(own);
    e->drop_ms = DROP_MS;
    xTaskNotifyGive(otapult_esp_board.upload_task);
    return true;
}

/* The close is asked for while the connection is still ours: later its number may be another's. Otherwise
 * the server is woken, which before 5.4.3 and 5.5.2 does not listen to the connection again by itself. */
static void give_back(struct exchange *e)
{
    const httpd_handle_t server = e->r->handle;

    if (e->close)
        (void)httpd_sess_trigger_close(server, httpd_req_to_sockfd(e->r));
    (void)httpd_req_async_handler_complete(e->r);
    if (!e->close)
        (void)httpd_queue_work(server, nothing, NULL);
}
#else
static bool hand_over(struct exchange *e)
{
    (void)e;
    return false;
}

static void give_back(struct exchange *e)
{
    (void)e;
}
#endif

void otapult_esp_upload_task(void *arg)
{
    (void)arg;
    for (;;) {
        (void)ulTaskNotifyTake(pdTRUE, portMAX_DELAY);
        if (!atomic_load(&otapult_esp_board.uploading))
            continue;
        take_body(&handed_over);
        end_answer(&handed_over);
        give_back(&handed_over);
        atomic_store(&otapult_esp_board.uploading, false);
    }
}

static enum otapult_http_next begin(struct exchange *e)
{
    const struct esp_board *b = &otapult_esp_board;
    const struct otapult_reply reply = {e, reply_head, reply_body};
    enum otapult_http_next next = otapult_http_begin(&e->core, b->sites, b->site_count, &e->request, reply);

    if (e->core.length != e->r->content_len) /* a length beyond 32 bits, which the server cuts */
        e->close = true;
    if (find_header(e, "Transfer-Encoding", NULL) != NULL) /* refused, and its chunks are not read */
        e->close = true;
    return next;
}

/* Returns true when the upload task has taken over. */
static bool serve(struct exchange *e, bool may_hand_over)
{
    enum otapult_http_next next = begin(e);

    if (next == OTAPULT_HTTP_BODY && may_hand_over && !e->close && hand_over(e))
        return true;
    if (next == OTAPULT_HTTP_BODY)
        take_body(e);
    if (next == OTAPULT_HTTP_STREAM)
        send_event(e);
    end_answer(e);
    return false;
}

esp_err_t otapult_esp_on_request(httpd_req_t *r)
{
    struct esp_board *b = &otapult_esp_board;
    const bool claimed = ESP_BOARD_HANDS_OVER && r->content_len > LONG_BODY &&
                         !atomic_exchange(&b->uploading, true);
    struct exchange *e = claimed ? &handed_over : &here;

    open_exchange(e, r);
    e->drop_ms = DROP_HERE_MS;
    if (serve(e, claimed))
        return ESP_OK;
    const bool close = e->close; /* read before another request may take handed_over */
    if (claimed)
        atomic_store(&b->uploading, false);
    return close ? ESP_FAIL : ESP_OK;
}

/* Without TLS no route is reached. A page is redirected and anything else refused, before any of a body is
 * read. */
esp_err_t otapult_esp_on_plain_request(httpd_req_t *r)
{
    open_exchange(&plain, r);
    plain.request.https_port = otapult_esp_board.https_port;
    plain.drop_ms = DROP_HERE_MS;
    (void)serve(&plain, false);
    return plain.close ? ESP_FAIL : ESP_OK;
}

/* ---- what the server itself refuses ---- */

static const char *no_header(void *ctx, const char *name, unsigned *count)
{
    (void)ctx;
    (void)name;
    if (count != NULL)
        *count = 0;
    return NULL;
}

static int error_of(httpd_err_code_t error)
{
    switch (error) {
    case HTTPD_414_URI_TOO_LONG: return OTAPULT_E_ADDRESS_TOO_LONG;
    case HTTPD_431_REQ_HDR_FIELDS_TOO_LARGE: return OTAPULT_E_HEADERS_TOO_LARGE;
    case HTTPD_505_VERSION_NOT_SUPPORTED: return OTAPULT_E_HTTP_VERSION;
    default: return OTAPULT_E_BAD_REQUEST;
    }
}

/* The server has refused a request before it had read all headers. So the core is asked for the words of the
 * error only, and nothing of the request; the connection is closed. */
esp_err_t otapult_esp_on_refusal(httpd_req_t *r, httpd_err_code_t error)
{
    static const struct otapult_finding why = {.text = "the server cannot read this request"};
    const struct otapult_reply reply = {&here, reply_head, reply_body};

    memset(&here, 0, sizeof here);
    here.r = r;
    here.request = (struct otapult_request){.method = "GET", .path = "", .query = "", .header = no_header};
    otapult_http_reject(&here.core, otapult_esp_board.sites, otapult_esp_board.site_count, &here.request,
                        reply, error_of(error), &why);
    send_text(&here, "0\r\n\r\n");
    return ESP_FAIL;
}

/* The path of a route at this address; "" where there is none. */
static const char *path_of(const char *uri)
{
    const struct esp_board *b = &otapult_esp_board;
    const char *wanted = otapult_http_path(uri);
    const size_t len = strcspn(wanted, "?");

    for (size_t s = 0; s < b->site_count; s++)
        for (size_t i = 0; i < b->sites[s].count; i++) {
            const char *path = b->sites[s].routes[i].path;
            if (strlen(path) == len && memcmp(path, wanted, len) == 0)
                return path;
        }
    return "";
}

/* The address has no handler, or none for this method. The core answers: it knows the words and what is
 * allowed. */
esp_err_t otapult_esp_on_unknown(httpd_req_t *r, httpd_err_code_t error)
{
    (void)error;
    open_exchange(&here, r);
    here.request.path = path_of(r->uri);
    here.drop_ms = DROP_HERE_MS;
    (void)serve(&here, false);
    return here.close ? ESP_FAIL : ESP_OK;
}
