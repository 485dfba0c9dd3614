/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "esp_https_server.h"
#include "fake_idf.h"
#include "freertos/idf_additions.h"

#define SERVERS     2
#define HANDLERS    64
#define WORKS       8
#define PURGE_PIECE 32u
#define STACK_USED  700u /* of a server's stack, before work is called */

struct handler {
    char uri[64];
    httpd_method_t method;
    esp_err_t (*call)(httpd_req_t *r);
    void *ctx;
};

struct work {
    httpd_work_fn_t call;
    void *arg;
    struct fake_connection *close;
};

struct fake_httpd {
    bool running, tls;
    httpd_config_t config;
    struct handler handler[HANDLERS];
    unsigned handlers;
    httpd_err_handler_func_t on_error[HTTPD_ERR_CODE_MAX];
    struct work work[WORKS];
    unsigned works;
    bool busy;                            /* in a handler */
    uint8_t certificate[2048], key[2048]; /* of a server with TLS */
    size_t certificate_len, key_len;
};

static struct fake_httpd servers[SERVERS];
static struct fake_httpd *working; /* whose task runs */
static struct fake_connection *connections[4];
static int last_fd = 50;

/* ---- servers ---- */

static esp_err_t start(httpd_handle_t *handle, const httpd_config_t *config, uint16_t port, bool tls)
{
    for (unsigned n = 0; n < SERVERS; n++)
        if (servers[n].running && servers[n].config.ctrl_port == config->ctrl_port)
            return ESP_FAIL;
    if (port == fake_idf.taken_port && port != 0)
        return ESP_FAIL;
    struct fake_httpd *s = servers[0].running ? &servers[1] : &servers[0];
    if (s->running)
        return ESP_ERR_HTTPD_TASK;
    *s = (struct fake_httpd){.running = true, .tls = tls, .config = *config};
    s->config.server_port = port;
    *handle = s;
    return ESP_OK;
}

esp_err_t httpd_start(httpd_handle_t *handle, const httpd_config_t *config)
{
    return start(handle, config, config->server_port, false);
}

esp_err_t httpd_stop(httpd_handle_t handle)
{
    struct fake_httpd *s = handle;

    for (unsigned n = 0; n < sizeof connections / sizeof *connections; n++)
        if (connections[n] != NULL && connections[n]->server == s && connections[n]->async)
            fake_idf_punish("a server is stopped while another task has a request");
    s->running = false;
    return ESP_OK;
}

static void keep_identity(struct fake_httpd *s, const httpd_ssl_config_t *config)
{
    if (config->servercert_len > sizeof s->certificate || config->prvtkey_len > sizeof s->key)
        fake_idf_punish("a certificate larger than the test has room for");
    memcpy(s->certificate, config->servercert, config->servercert_len);
    memcpy(s->key, config->prvtkey_pem, config->prvtkey_len);
    s->certificate_len = config->servercert_len;
    s->key_len = config->prvtkey_len;
}

const uint8_t *fake_httpd_certificate(httpd_handle_t server, size_t *len)
{
    *len = ((struct fake_httpd *)server)->certificate_len;
    return ((struct fake_httpd *)server)->certificate;
}

const uint8_t *fake_httpd_key(httpd_handle_t server, size_t *len)
{
    *len = ((struct fake_httpd *)server)->key_len;
    return ((struct fake_httpd *)server)->key;
}

esp_err_t httpd_ssl_start(httpd_handle_t *handle, httpd_ssl_config_t *config)
{
    if (config->servercert == NULL || config->prvtkey_pem == NULL)
        return ESP_ERR_INVALID_ARG;
    esp_err_t err = start(handle, &config->httpd, config->port_secure, true);
    if (err == ESP_OK)
        keep_identity(*handle, config);
    return err;
}

esp_err_t httpd_ssl_stop(httpd_handle_t handle)
{
    return httpd_stop(handle);
}

unsigned fake_httpd_handlers(httpd_handle_t server)
{
    return ((struct fake_httpd *)server)->handlers;
}

bool fake_httpd_is_running(httpd_handle_t server)
{
    return ((struct fake_httpd *)server)->running;
}

bool fake_httpd_speaks_tls(httpd_handle_t server)
{
    return ((struct fake_httpd *)server)->tls;
}

httpd_handle_t fake_httpd_on(uint16_t port)
{
    for (unsigned n = 0; n < SERVERS; n++)
        if (servers[n].running && servers[n].config.server_port == port)
            return &servers[n];
    return NULL;
}

unsigned fake_httpd_servers(void)
{
    unsigned count = 0;

    for (unsigned n = 0; n < SERVERS; n++)
        count += servers[n].running;
    return count;
}

const httpd_config_t *fake_httpd_config(httpd_handle_t server)
{
    return &((struct fake_httpd *)server)->config;
}

/* ---- handlers ---- */

static bool takes_any(httpd_method_t method)
{
#ifdef HTTP_ANY
    return (int)method == HTTP_ANY;
#else
    (void)method;
    return false;
#endif
}

static struct handler *find_handler(struct fake_httpd *s, const char *uri, size_t len, httpd_method_t method)
{
    for (unsigned n = 0; n < s->handlers; n++) {
        struct handler *h = &s->handler[n];
        if (strlen(h->uri) == len && memcmp(h->uri, uri, len) == 0 &&
            (h->method == method || takes_any(h->method)))
            return h;
    }
    return NULL;
}

esp_err_t httpd_register_uri_handler(httpd_handle_t handle, const httpd_uri_t *uri_handler)
{
    struct fake_httpd *s = handle;

    if (handle == NULL || uri_handler == NULL)
        return ESP_ERR_INVALID_ARG;
    if (find_handler(s, uri_handler->uri, strlen(uri_handler->uri), uri_handler->method) != NULL)
        return ESP_ERR_HTTPD_HANDLER_EXISTS;
    if (s->handlers == s->config.max_uri_handlers || s->handlers == HANDLERS)
        return ESP_ERR_HTTPD_HANDLERS_FULL;
    struct handler *h = &s->handler[s->handlers++];
    *h = (struct handler){.method = uri_handler->method, .call = uri_handler->handler};
    h->ctx = uri_handler->user_ctx;
    snprintf(h->uri, sizeof h->uri, "%s", uri_handler->uri);
    return ESP_OK;
}

esp_err_t httpd_unregister_uri_handler(httpd_handle_t handle, const char *uri, httpd_method_t method)
{
    struct fake_httpd *s = handle;

    for (unsigned n = 0; n < s->handlers; n++) {
        if (strcmp(s->handler[n].uri, uri) != 0 || s->handler[n].method != method)
            continue;
        s->handler[n] = s->handler[--s->handlers];
        return ESP_OK;
    }
    return ESP_ERR_NOT_FOUND;
}

/* ---- a request ---- */

static struct fake_connection *connection_of(const httpd_req_t *r)
{
    struct fake_connection *c = r == NULL ? NULL : r->aux;
    if (c == NULL)
        fake_idf_punish("no request");
    if (!c->open)
        fake_idf_punish("a request whose connection is closed");
    if (r == c->copy)
        return c;
    if (r != &c->handler_req || c->async || !c->server->busy)
        fake_idf_punish("a request outside its handler");
    return c;
}

static const char *header_value(const struct fake_request *request, const char *name)
{
    for (size_t n = 0; n < sizeof request->header / sizeof *request->header; n++)
        if (request->header[n].name != NULL && strcasecmp(request->header[n].name, name) == 0)
            return request->header[n].value;
    return NULL;
}

esp_err_t httpd_req_get_hdr_value_str(httpd_req_t *r, const char *field, char *val, size_t val_size)
{
    const char *value = header_value(connection_of(r)->request, field);

    if (value == NULL)
        return ESP_ERR_NOT_FOUND;
    size_t n = strlen(value) < val_size ? strlen(value) : val_size - 1;
    if (val_size > 0) {
        memcpy(val, value, n);
        val[n] = '\0';
    }
    return strlen(value) < val_size ? ESP_OK : ESP_ERR_HTTPD_RESULT_TRUNC;
}

int httpd_req_to_sockfd(httpd_req_t *r)
{
    return connection_of(r)->fd;
}

/* What the socket's own receive function gives. */
static int read_socket(struct fake_connection *c, char *buf, size_t len)
{
    const struct fake_request *q = c->request;

    if (q->on_read != NULL)
        q->on_read(q->ctx);
    int step = c->step < q->step_count ? q->steps[c->step++] : (int)len;
    size_t left = q->len - c->read;
    if (step > 0 && left == 0)
        step = q->close_at_end ? 0 : c->tls ? -0x6900 : HTTPD_SOCK_ERR_TIMEOUT;
    if (step == HTTPD_SOCK_ERR_TIMEOUT || step == -0x6900)
        fake_idf_pass(c->server->config.recv_wait_timeout * 1000000u);
    if (step <= 0)
        return step;
    size_t n = (size_t)step < len ? (size_t)step : len;
    n = n < left ? n : left;
    memcpy(buf, (const char *)q->body + c->read, n);
    c->read += n;
    return (int)n;
}

static bool an_end_loses_early_bytes(void)
{
    return ESP_IDF_VERSION >= ESP_IDF_VERSION_VAL(5, 5, 3) ||
           (ESP_IDF_VERSION >= ESP_IDF_VERSION_VAL(5, 4, 4) &&
            ESP_IDF_VERSION < ESP_IDF_VERSION_VAL(5, 5, 0)) ||
           (ESP_IDF_VERSION >= ESP_IDF_VERSION_VAL(5, 3, 5) &&
            ESP_IDF_VERSION < ESP_IDF_VERSION_VAL(5, 4, 0));
}

/* Early bytes first, then the socket, as httpd_recv_with_opt(). */
static int receive(struct fake_connection *c, char *buf, size_t len)
{
    size_t n = c->early < len ? c->early : len;

    len = len < c->remaining ? len : c->remaining;
    n = n < len ? n : len;
    if (len == 0)
        return 0;
    memcpy(buf, (const char *)c->request->body + c->read, n);
    c->read += n;
    c->early -= n;
    if (n < len) {
        int more = read_socket(c, buf + n, len - n);
        if ((more < 0 || (more == 0 && an_end_loses_early_bytes())) &&
            !(more == HTTPD_SOCK_ERR_TIMEOUT && n > 0))
            return more; /* the early bytes are lost */
        n += more > 0 ? (size_t)more : 0;
    }
    c->remaining -= n;
    return (int)n;
}

int httpd_req_recv(httpd_req_t *r, char *buf, size_t buf_len)
{
    return receive(connection_of(r), buf, buf_len);
}

int httpd_send(httpd_req_t *r, const char *buf, size_t buf_len)
{
    struct fake_connection *c = connection_of(r);
    const struct fake_request *q = c->request;
    size_t n = q->send_piece != 0 && buf_len > q->send_piece ? q->send_piece : buf_len;

    if (q->send_limit != 0 && c->sent_len + n > q->send_limit)
        return HTTPD_SOCK_ERR_FAIL;
    if (n > sizeof c->sent - c->sent_len)
        fake_idf_punish("an answer larger than the test has room for");
    memcpy(c->sent + c->sent_len, buf, n);
    c->sent_len += n;
    return (int)n;
}

void *httpd_sess_get_transport_ctx(httpd_handle_t handle, int sockfd)
{
    (void)sockfd;
    return ((struct fake_httpd *)handle)->tls ? handle : NULL;
}

void *httpd_get_global_transport_ctx(httpd_handle_t handle)
{
    return ((struct fake_httpd *)handle)->tls ? handle : NULL;
}

/* ---- requests in another task ---- */

#if ESP_IDF_VERSION >= ESP_IDF_VERSION_VAL(5, 2, 0)
esp_err_t httpd_req_async_handler_begin(httpd_req_t *r, httpd_req_t **out)
{
    struct fake_connection *c = connection_of(r);

    if (ESP_IDF_VERSION < ESP_IDF_VERSION_VAL(5, 2, 4) ||
        (ESP_IDF_VERSION >= ESP_IDF_VERSION_VAL(5, 3, 0) && ESP_IDF_VERSION < ESP_IDF_VERSION_VAL(5, 3, 2)))
        fake_idf_punish("this version's server reads the body of an async request itself");
    if (fake_idf.no_heap)
        return ESP_ERR_NO_MEM;
    c->copy = malloc(sizeof *c->copy);
    memcpy(c->copy, r, sizeof *r);
    c->async = true;
    *out = c->copy;
    return ESP_OK;
}

esp_err_t httpd_req_async_handler_complete(httpd_req_t *r)
{
    struct fake_connection *c = r->aux;

    if (r != c->copy || !c->async)
        fake_idf_punish("completing a request that is not one");
    c->async = false;
    c->copy = NULL;
    c->listening =
        ESP_IDF_VERSION >= ESP_IDF_VERSION_VAL(5, 5, 2) ||
        (ESP_IDF_VERSION >= ESP_IDF_VERSION_VAL(5, 4, 3) && ESP_IDF_VERSION < ESP_IDF_VERSION_VAL(5, 5, 0));
    free(r);
    return ESP_OK;
}
#endif

/* ---- the server's task ---- */

static void add_work(struct fake_httpd *s, struct work work)
{
    if (s->works == WORKS)
        fake_idf_punish("the server's queue is full");
    s->work[s->works++] = work;
}

esp_err_t httpd_queue_work(httpd_handle_t handle, httpd_work_fn_t work, void *arg)
{
    if (handle == NULL || work == NULL)
        return ESP_ERR_INVALID_ARG;
    add_work(handle, (struct work){.call = work, .arg = arg});
    return ESP_OK;
}

esp_err_t httpd_sess_trigger_close(httpd_handle_t handle, int sockfd)
{
    for (unsigned n = 0; n < sizeof connections / sizeof *connections; n++) {
        if (connections[n] == NULL || connections[n]->fd != sockfd || !connections[n]->open)
            continue;
        add_work(handle, (struct work){.close = connections[n]});
        return ESP_OK;
    }
    return ESP_ERR_NOT_FOUND;
}

uint8_t *pxTaskGetStackStart(TaskHandle_t task)
{
    if (task != NULL || working == NULL)
        fake_idf_punish("whose stack?");
    return (uint8_t *)__builtin_frame_address(0) - working->config.stack_size + STACK_USED;
}

static void work_off(struct fake_httpd *s)
{
    working = s;
    for (unsigned n = 0; n < s->works; n++) {
        struct work *w = &s->work[n];
        if (w->close != NULL)
            w->close->open = w->close->listening = false;
        else
            w->call(w->arg);
    }
    if (s->works == 0)
        return;
    s->works = 0; /* awake: whatever is not in another task's hands is listened to */
    for (unsigned n = 0; n < sizeof connections / sizeof *connections; n++)
        if (connections[n] != NULL && connections[n]->server == s)
            connections[n]->listening = connections[n]->open && !connections[n]->async;
}

void fake_httpd_work(void)
{
    for (unsigned n = 0; n < SERVERS && !fake_idf.server_hangs; n++)
        if (!servers[n].busy)
            work_off(&servers[n]);
    working = NULL;
}

void fake_httpd_power_off(void)
{
    for (unsigned n = 0; n < sizeof connections / sizeof *connections; n++) {
        if (connections[n] != NULL)
            free(connections[n]->copy);
        connections[n] = NULL;
    }
    memset(servers, 0, sizeof servers);
}

/* As httpd_req_delete(): what is left of the body is read in small pieces. */
static bool purge(struct fake_connection *c)
{
    char dummy[PURGE_PIECE];

    while (c->remaining > 0)
        if (receive(c, dummy, sizeof dummy) <= 0)
            return false;
    c->purged = true;
    return true;
}

static void keep(struct fake_connection *c)
{
    const unsigned room = sizeof connections / sizeof *connections;

    for (unsigned n = 0; n < room; n++)
        if (connections[n] == c)
            connections[n] = NULL;
    memmove(connections + 1, connections, (room - 1) * sizeof *connections);
    connections[0] = c;
}

static void open_request(struct fake_httpd *s, const struct fake_request *request, struct fake_connection *c,
                         void *user_ctx)
{
    const char *length = header_value(request, "Content-Length");
    httpd_req_t r = {.handle = s, .method = request->method, .aux = c, .user_ctx = user_ctx};

    r.content_len = length == NULL ? 0 : (uint32_t)strtoull(length, NULL, 10);
    memcpy(&c->handler_req, &r, sizeof r);
    snprintf((char *)(uintptr_t)c->handler_req.uri, sizeof r.uri, "%s", request->uri);
    c->remaining = r.content_len;
}

esp_err_t httpd_register_err_handler(httpd_handle_t handle, httpd_err_code_t error,
                                     httpd_err_handler_func_t handler_fn)
{
    if (handle == NULL || error >= HTTPD_ERR_CODE_MAX)
        return ESP_ERR_INVALID_ARG;
    ((struct fake_httpd *)handle)->on_error[error] = handler_fn;
    return ESP_OK;
}

static bool has_path(const struct fake_httpd *s, const char *uri, size_t len)
{
    for (unsigned n = 0; n < s->handlers; n++)
        if (strlen(s->handler[n].uri) == len && memcmp(s->handler[n].uri, uri, len) == 0)
            return true;
    return false;
}

/* An answer of the server's own, or of the application's handler for it. */
static void refuse(struct fake_connection *c, httpd_err_code_t error, int status)
{
    struct fake_httpd *s = c->server;
    const bool goes_on = error == HTTPD_404_NOT_FOUND || error == HTTPD_405_METHOD_NOT_ALLOWED;

    c->status = status;
    if (s->on_error[error] == NULL) {
        c->open = goes_on;
        return;
    }
    open_request(s, c->request, c, NULL);
    s->busy = true;
    esp_err_t err = s->on_error[error](&c->handler_req, error);
    s->busy = false;
    c->open = c->listening = goes_on && err == ESP_OK && purge(c);
    fake_httpd_parse(c);
}

static void open_connection(struct fake_httpd *s, const struct fake_request *request,
                            struct fake_connection *c)
{
    if (!s->running || s->busy)
        fake_idf_punish("the server does not take a request now");
    memset(c, 0, sizeof *c);
    c->request = request;
    c->fd = ++last_fd;
    c->open = c->listening = true;
    c->tls = s->tls;
    c->server = s;
    c->early = request->early;
    keep(c);
}

void fake_httpd_refuse(httpd_handle_t server, httpd_err_code_t error, int status,
                       const struct fake_request *request, struct fake_connection *c)
{
    open_connection(server, request, c);
    refuse(c, error, status);
}

/* The server's parser finds the path behind "http://host", too, and looks for a handler by it alone. */
static const char *path_of_target(const char *uri)
{
    const char *host = strstr(uri, "://");
    const char *path = host == NULL ? NULL : strchr(host + 3, '/');

    return uri[0] == '/' || path == NULL ? uri : path;
}

void fake_httpd_request(httpd_handle_t server, const struct fake_request *request, struct fake_connection *c)
{
    struct fake_httpd *s = server;
    const char *path = path_of_target(request->uri);
    const size_t len = strcspn(path, "?");

    open_connection(s, request, c);
    struct handler *h = find_handler(s, path, len, (httpd_method_t)request->method);
    if (h == NULL) {
        bool known = has_path(s, path, len);
        refuse(c, known ? HTTPD_405_METHOD_NOT_ALLOWED : HTTPD_404_NOT_FOUND, known ? 405 : 404);
        return;
    }
    open_request(s, request, c, h->ctx);
    s->busy = true;
    esp_err_t err = h->call(&c->handler_req);
    s->busy = false;
    if (c->async || c->copy != NULL) {
        c->listening = false;
        if (err != ESP_OK)
            fake_idf_punish("a handler fails that has given its request away");
    } else if (err != ESP_OK || !purge(c)) {
        c->open = c->listening = false;
    }
    fake_httpd_parse(c);
}

/* ---- what came out ---- */

static const char *find(const char *p, const char *end, const char *what)
{
    for (; p + strlen(what) <= end; p++)
        if (memcmp(p, what, strlen(what)) == 0)
            return p;
    return NULL;
}

static void parse_chunks(struct fake_connection *c, const char *p, const char *end)
{
    for (;;) {
        char *line_end;
        unsigned long n = strtoul(p, &line_end, 16);
        if (line_end == p || end - line_end < 4 || memcmp(line_end, "\r\n", 2) != 0)
            return;
        p = line_end + 2;
        c->complete = n == 0 && end - p == 2;
        if (n == 0 || (unsigned long)(end - p) < n + 2)
            return;
        memcpy(c->body + c->body_len, p, n);
        c->body_len += n;
        p += n + 2;
    }
}

void fake_httpd_parse(struct fake_connection *c)
{
    static const char go_on[] = "HTTP/1.1 100 Continue\r\n\r\n";
    const char *p = c->sent, *end = c->sent + c->sent_len;

    c->body_len = 0;
    c->complete = c->continued = false;
    if (c->sent_len >= sizeof go_on - 1 && memcmp(p, go_on, sizeof go_on - 1) == 0) {
        c->continued = true;
        p += sizeof go_on - 1;
    }
    const char *body = find(p, end, "\r\n\r\n");
    if (body == NULL || sscanf(p, "HTTP/1.1 %d ", &c->status) != 1)
        return;
    parse_chunks(c, body + 4, end);
    c->body[c->body_len] = '\0';
}
