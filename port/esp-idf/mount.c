/* SPDX-License-Identifier: Apache-2.0 */
#include <esp_log.h>
#include <freertos/idf_additions.h>
#include <sdkconfig.h>
#include <string.h>

#include "esp_board.h"

#if CONFIG_ESP_HTTPS_SERVER_ENABLE
#include <esp_https_server.h>
#endif

/* From routes to servers. ESP-IDF's server needs a handler for each path and has a fixed number of places for
 * them; the core has tables. This file registers one handler for every path of the tables. Where one cannot
 * be registered all others are taken off again, so that a server never has only some of the routes.
 *
 * All of it is called by the application's set-up, from one task. */

#ifndef CONFIG_OTAPULT_UPLOAD_STACK
#define CONFIG_OTAPULT_UPLOAD_STACK 6144
#endif

/* A stack in PSRAM must not reach the flash driver: this one is in internal RAM, as all static data is. */
static StackType_t upload_stack[CONFIG_OTAPULT_UPLOAD_STACK / sizeof(StackType_t)];

/* ---- the routes ---- */

#if ESP_BOARD_ANY_METHOD
static httpd_method_t method_of(const struct otapult_route *route)
{
    (void)route;
    return (httpd_method_t)HTTP_ANY; /* the core answers 405 itself, and HEAD */
}
#else
static httpd_method_t method_of(const struct otapult_route *route)
{
    static const struct {
        const char *name;
        httpd_method_t method;
    } methods[] = {{"HEAD", HTTP_HEAD},   {"POST", HTTP_POST},     {"PUT", HTTP_PUT},
                   {"PATCH", HTTP_PATCH}, {"DELETE", HTTP_DELETE}, {"OPTIONS", HTTP_OPTIONS}};

    for (size_t i = 0; i < sizeof methods / sizeof *methods; i++)
        if (strcmp(methods[i].name, route->method) == 0)
            return methods[i].method;
    return HTTP_GET;
}
#endif

/* Route n of all sites together; NULL behind the last. */
static const struct otapult_route *route_at(size_t n)
{
    const struct esp_board *b = &otapult_esp_board;

    for (size_t i = 0; i < b->site_count; i++) {
        if (n < b->sites[i].count)
            return &b->sites[i].routes[n];
        n -= b->sites[i].count;
    }
    return NULL;
}

/* An earlier route with the same path and method has registered both. */
static bool is_registered(size_t n)
{
    const struct otapult_route *route = route_at(n);

    for (size_t i = 0; i < n; i++)
        if (strcmp(route_at(i)->path, route->path) == 0 && method_of(route_at(i)) == method_of(route))
            return true;
    return false;
}

typedef esp_err_t (*handler_fn)(httpd_req_t *r);

static esp_err_t register_route(httpd_handle_t server, const struct otapult_route *route, handler_fn handler)
{
    const httpd_uri_t uri = {
        .uri = route->path,
        .method = method_of(route),
        .handler = handler,
        .user_ctx = (void *)(uintptr_t)route->path,
    };
    return httpd_register_uri_handler(server, &uri);
}

static size_t count_routes(void)
{
    size_t n = 0;

    while (route_at(n) != NULL)
        n++;
    return n;
}

static size_t count_handlers(void)
{
    size_t count = 0;

    for (size_t n = 0; route_at(n) != NULL; n++)
        count += !is_registered(n);
    return count;
}

/* Where it is noted whether route n of the front was registered; NULL: route n is not one of the front. */
static bool *front_at(size_t n)
{
    struct esp_board *b = &otapult_esp_board;
    const size_t front = b->sites[b->site_count - 1].count, before = count_routes() - front;

    return n < before ? NULL : &b->has_front[n - before];
}

static void unregister_below(httpd_handle_t server, size_t end)
{
    for (size_t n = 0; n < end; n++) {
        const bool is_ours = front_at(n) == NULL || *front_at(n);
        if (is_ours && !is_registered(n))
            (void)httpd_unregister_uri_handler(server, route_at(n)->path, method_of(route_at(n)));
    }
}

static void say_why(size_t n, size_t registered, esp_err_t err)
{
    if (err == ESP_ERR_HTTPD_HANDLERS_FULL)
        ESP_LOGE(ESP_BOARD_TAG,
                 "the server has room for %u of Otapult's %u handlers: httpd_config_t.max_uri_handlers "
                 "must be at least %u more",
                 (unsigned)registered, (unsigned)count_handlers(), (unsigned)(count_handlers() - registered));
    else
        ESP_LOGE(ESP_BOARD_TAG, "%s: %s", route_at(n)->path, esp_err_to_name(err));
}

/* Registers route n, unless it is there already. Where the application serves an address of the front, its
 * own handler stays. */
static esp_err_t register_one(httpd_handle_t server, size_t n, handler_fn handler)
{
    esp_err_t err = is_registered(n) ? ESP_OK : register_route(server, route_at(n), handler);
    bool *front = front_at(n);

    if (front != NULL)
        *front = err == ESP_OK;
    return front != NULL && err == ESP_ERR_HTTPD_HANDLER_EXISTS ? ESP_OK : err;
}

static esp_err_t register_all(httpd_handle_t server, handler_fn handler)
{
    size_t registered = 0;

    for (size_t n = 0; route_at(n) != NULL; n++) {
        esp_err_t err = register_one(server, n, handler);
        if (err != ESP_OK) {
            say_why(n, registered, err);
            unregister_below(server, n);
            return err;
        }
        registered += !is_registered(n);
    }
    return ESP_OK;
}

/* ---- the server's stack ---- */

/* What is gone of it by then is the server's own: its loop, and what it reads a request into. */
#define STACK_OF_LOOP 1024u
#define STACK_OF_TLS  4096u
#define STACK_WAIT_MS 1000u

static void measure_stack(void *arg)
{
    const uint8_t *here = __builtin_frame_address(0);

    (void)arg;
    atomic_store(&otapult_esp_board.server_stack, (unsigned)(here - pxTaskGetStackStart(NULL)));
}

/* Too small a stack is found here and not by the first request, which would crash the chip. Only the server's
 * task can measure its own. When it does not answer in time, because otapult_mount() was called from that
 * very task, nothing is known, and the server is taken as it is. */
static esp_err_t check_stack(httpd_handle_t server)
{
    atomic_uint *room = &otapult_esp_board.server_stack;
    unsigned need = OTAPULT_ESP_SERVER_STACK;

    if (httpd_get_global_transport_ctx(server) != NULL)
        need += STACK_OF_TLS;
    atomic_store(room, 0);
    esp_err_t err = httpd_queue_work(server, measure_stack, NULL);
    for (unsigned ms = 0; err == ESP_OK && ms < STACK_WAIT_MS && atomic_load(room) == 0; ms += 10)
        vTaskDelay(pdMS_TO_TICKS(10));
    if (atomic_load(room) == 0 || atomic_load(room) >= need - STACK_OF_LOOP)
        return ESP_OK;
    ESP_LOGE(ESP_BOARD_TAG,
             "the server's stack has %u bytes left where a request begins, Otapult needs %u: "
             "httpd_config_t.stack_size must be at least %u",
             atomic_load(room), need - STACK_OF_LOOP, need);
    return ESP_ERR_INVALID_SIZE;
}

/* ---- mounting ---- */

/* `root`: the server is Otapult's own, so its root leads to the page where no site of the application's has
 * one. */
static esp_err_t prepare(const struct otapult_esp_config *config, bool root)
{
    struct esp_board *b = &otapult_esp_board;
    const size_t own = config == NULL ? 0 : config->site_count;

    if (b->server != NULL)
        return ESP_ERR_INVALID_STATE;
    if (own > OTAPULT_SITES_MAX || (config == NULL && b->device == NULL))
        return ESP_ERR_INVALID_ARG;
    if (b->device != NULL && config != NULL && config->secure != b->secure)
        return ESP_ERR_INVALID_ARG; /* it was started in the other profile */
    esp_err_t err = b->device == NULL ? otapult_esp_start(config) : ESP_OK;
    if (err != ESP_OK)
        return err;
    otapult_site(&b->sites[0], b->device);
    for (size_t i = 0; i < own; i++)
        b->sites[1 + i] = config->sites[i];
    otapult_front_site(&b->sites[1 + own], root);
    b->site_count = 2 + own;
    return ESP_OK;
}

static esp_err_t mount(httpd_handle_t server, unsigned priority)
{
    struct esp_board *b = &otapult_esp_board;

    if (b->upload_task == NULL)
        b->upload_task = xTaskCreateStatic(otapult_esp_upload_task, "otapult upload",
                                           CONFIG_OTAPULT_UPLOAD_STACK, NULL, priority, upload_stack,
                                           &b->upload_memory);
    esp_err_t err = register_all(server, otapult_esp_on_request);
    if (err != ESP_OK)
        return err;
    b->server = server;
    atomic_store(&b->proof, ESP_PROOF_TASK);
    return ESP_OK;
}

static unsigned upload_priority(const struct otapult_esp_config *config)
{
    const struct otapult_esp_config usual = OTAPULT_ESP_CONFIG_DEFAULT;

    return config == NULL ? usual.upload_priority : config->upload_priority;
}

esp_err_t otapult_mount(httpd_handle_t server, const struct otapult_esp_config *config)
{
    esp_err_t err = prepare(config, false);

    if (err != ESP_OK)
        return err;
    const esp_err_t stack = check_stack(server);
    if (otapult_esp_board.secure != NULL && httpd_get_global_transport_ctx(server) == NULL)
        ESP_LOGE(ESP_BOARD_TAG, "the secure profile on a server without TLS: every request is refused");
    /* Mounted for a moment even with too small a stack: registering finds out whether there is room for the
     * handlers, so that the log says all that is wrong at the first start. */
    err = mount(server, upload_priority(config));
    if (err == ESP_OK && stack != ESP_OK)
        (void)otapult_unmount();
    return err == ESP_OK ? stack : err;
}

esp_err_t otapult_unmount(void)
{
    struct esp_board *b = &otapult_esp_board;

    if (b->server == NULL || atomic_load(&b->uploading))
        return ESP_ERR_INVALID_STATE;
    unregister_below(b->server, count_routes());
    atomic_store(&b->proof, ESP_PROOF_NONE);
    b->port.lock(b); /* the health check may be about to use it, see ask_task() */
    b->server = NULL;
    b->port.unlock(b);
    if (b->redirect != NULL)
        (void)httpd_stop(b->redirect);
    b->redirect = NULL;
    return ESP_OK;
}

/* ---- a server of Otapult's own ---- */

/* What all kinds of server have in common. Their default control ports are taken where the application
 * has servers of its own. */
static void fill_in(httpd_config_t *c)
{
    c->stack_size = OTAPULT_ESP_SERVER_STACK;
    c->max_uri_handlers = (uint16_t)count_routes();
    c->ctrl_port = ESP_HTTPD_DEF_CTRL_PORT + 2;
    c->lru_purge_enable = true; /* or idle browsers hold every socket; one handed over is never closed so */
}

static esp_err_t start_plain(uint16_t port, httpd_handle_t *server)
{
    httpd_config_t c = HTTPD_DEFAULT_CONFIG();

    fill_in(&c);
    c.server_port = port;
    return httpd_start(server, &c);
}

#if CONFIG_ESP_HTTPS_SERVER_ENABLE
#define SPEAKS_TLS true

static esp_err_t start_tls(uint16_t port, const struct otapult_esp_tls *tls, httpd_handle_t *server)
{
    httpd_ssl_config_t c = HTTPD_SSL_CONFIG_DEFAULT();

    fill_in(&c.httpd);
    c.httpd.stack_size += 4096;
    c.port_secure = port;
    c.servercert = tls->certificate;
    c.servercert_len = tls->certificate_len;
    c.prvtkey_pem = tls->key;
    c.prvtkey_len = tls->key_len;
    otapult_esp_board.https_port = port;
    return httpd_ssl_start(server, &c);
}

static void stop(httpd_handle_t server, bool tls)
{
    if (tls)
        (void)httpd_ssl_stop(server);
    else
        (void)httpd_stop(server);
}
#else
#define SPEAKS_TLS false

static esp_err_t start_tls(uint16_t port, const struct otapult_esp_tls *tls, httpd_handle_t *server)
{
    (void)port;
    (void)tls;
    (void)server;
    return ESP_ERR_NOT_SUPPORTED;
}

static void stop(httpd_handle_t server, bool tls)
{
    (void)tls;
    (void)httpd_stop(server);
}
#endif

static esp_err_t start_with_own_identity(const struct otapult_esp_config *config, httpd_handle_t *server)
{
    const struct otapult_esp_secure *secure = otapult_esp_board.secure;
    struct otapult_esp_tls tls;

    esp_err_t err = secure->identity(&config->device, &tls);
    if (err == ESP_OK)
        err = start_tls(config->port, &tls, server);
    secure->forget(); /* the server has copies */
    return err;
}

static esp_err_t start_server(const struct otapult_esp_config *config, const struct otapult_esp_tls *tls,
                              httpd_handle_t *server)
{
    const bool secure = otapult_esp_board.secure != NULL;

    if ((secure || tls != NULL) && !SPEAKS_TLS) {
        ESP_LOGE(ESP_BOARD_TAG, "built without CONFIG_ESP_HTTPS_SERVER_ENABLE: nothing is served");
        return ESP_ERR_NOT_SUPPORTED;
    }
    if (tls != NULL)
        return start_tls(config->port, tls, server);
    return secure ? start_with_own_identity(config, server) : start_plain(config->port, server);
}

/* Few connections, each for one answer. */
static esp_err_t start_redirect(uint16_t port)
{
    struct esp_board *b = &otapult_esp_board;
    httpd_config_t c = HTTPD_DEFAULT_CONFIG();

    if (port == 0)
        return ESP_OK;
    fill_in(&c);
    c.server_port = port;
    c.ctrl_port = ESP_HTTPD_DEF_CTRL_PORT + 3;
    c.max_open_sockets = 2;
    esp_err_t err = httpd_start(&b->redirect, &c);
    if (err != ESP_OK)
        b->redirect = NULL;
    return err == ESP_OK ? register_all(b->redirect, b->secure->on_plain_request) : err;
}

/* For an error whose handler cannot be registered the server sends its own page. */
static void register_errors(httpd_handle_t server)
{
    static const httpd_err_code_t refusals[] = {HTTPD_400_BAD_REQUEST, HTTPD_414_URI_TOO_LONG,
                                                HTTPD_431_REQ_HDR_FIELDS_TOO_LARGE,
                                                HTTPD_505_VERSION_NOT_SUPPORTED};

    for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++)
        (void)httpd_register_err_handler(server, refusals[i], otapult_esp_on_refusal);
    (void)httpd_register_err_handler(server, HTTPD_404_NOT_FOUND, otapult_esp_on_unknown);
    (void)httpd_register_err_handler(server, HTTPD_405_METHOD_NOT_ALLOWED, otapult_esp_on_unknown);
}

/* On an error nothing is mounted. */
static esp_err_t mount_own(const struct otapult_esp_config *config, httpd_handle_t server)
{
    esp_err_t err = mount(server, config->upload_priority);

    if (err != ESP_OK)
        return err;
    register_errors(server);
    err = start_redirect(config->redirect_port);
    if (err != ESP_OK)
        (void)otapult_unmount();
    return err;
}

/* The port is known, so requests can go there. Not where the certificate is the application's: it may be of a
 * kind that our own handshake does not offer. */
static void prove_by_requests(const struct otapult_esp_config *config, const struct otapult_esp_tls *tls)
{
    struct esp_board *b = &otapult_esp_board;

    if (tls != NULL)
        return;
    b->own_port = config->port;
    b->redirect_port = config->redirect_port;
    atomic_store(&b->proof, b->secure != NULL ? ESP_PROOF_TLS : ESP_PROOF_PLAIN);
}

esp_err_t otapult_serve(const struct otapult_esp_config *config, const struct otapult_esp_tls *tls,
                        httpd_handle_t *server)
{
    httpd_handle_t own = NULL;

    if (config == NULL || (config->redirect_port != 0 && config->secure == NULL))
        return ESP_ERR_INVALID_ARG;
    esp_err_t err = prepare(config, true);
    if (err == ESP_OK)
        err = start_server(config, tls, &own);
    if (err != ESP_OK)
        return err;
    err = mount_own(config, own);
    if (err != ESP_OK) {
        stop(own, tls != NULL || config->secure != NULL);
        return err;
    }
    prove_by_requests(config, tls);
    if (server != NULL)
        *server = own;
    return ESP_OK;
}
