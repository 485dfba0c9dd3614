/* SPDX-License-Identifier: Apache-2.0 */
#include <esp_chip_info.h>
#include <esp_log.h>
#include <sdkconfig.h>
#include <string.h>

#include "esp_board.h"

#if CONFIG_ESP_HTTPS_SERVER_ENABLE
#include <esp_https_server.h>
#endif

#ifndef CONFIG_OTAPULT_UPLOAD_STACK
#define CONFIG_OTAPULT_UPLOAD_STACK 6144
#endif
#ifndef CONFIG_OTAPULT_POLL_STACK
#define CONFIG_OTAPULT_POLL_STACK 5120
#endif

#if CONFIG_BOOTLOADER_APP_ROLLBACK_ENABLE
#define GOES_BACK true
#else
#define GOES_BACK false
#endif

#define POLL_MS 100

struct esp_board otapult_esp_board;

/* A stack in PSRAM must not reach the flash driver: these are in internal RAM, as all static data is. */
static StackType_t upload_stack[CONFIG_OTAPULT_UPLOAD_STACK / sizeof(StackType_t)];
static StackType_t poll_stack[CONFIG_OTAPULT_POLL_STACK / sizeof(StackType_t)];

/* ---- the device ---- */

void otapult_esp_bind(void)
{
    struct esp_board *b = &otapult_esp_board;

    if (b->bound)
        return;
    otapult_esp_bind_system(b);
    otapult_esp_bind_slots(b);
    b->bound = true;
}

const struct otapult_port *otapult_esp_port(void)
{
    otapult_esp_bind();
    return &otapult_esp_board.port;
}

struct otapult *otapult_esp_device(void)
{
    return otapult_esp_board.device;
}

static void poll_task(void *arg)
{
    (void)arg;
    for (;;) {
        otapult_poll(otapult_esp_board.device);
        (void)ulTaskNotifyTake(pdTRUE, pdMS_TO_TICKS(POLL_MS));
    }
}

static void complete_config(struct otapult_config *config)
{
    struct esp_board *b = &otapult_esp_board;
    esp_chip_info_t chip;

    esp_chip_info(&chip);
    config->chip_id = CONFIG_IDF_FIRMWARE_CHIP_ID;
    config->chip_rev = chip.revision;
    if (config->port == NULL)
        config->port = otapult_esp_port();
    if (config->secure != NULL && config->users == NULL)
        config->users = &b->users;
}

/* Things that a firmware is built without, and would only be missed when it is too late. */
static void warn(void)
{
    if (!GOES_BACK)
        ESP_LOGW(ESP_BOARD_TAG, "built without CONFIG_BOOTLOADER_APP_ROLLBACK_ENABLE: a bad firmware stays");
    int err = otapult_esp_check();
    if (err != 0)
        ESP_LOGE(ESP_BOARD_TAG, "no updates over the air: %s", otapult_error_row(err)->hint_en);
}

static esp_err_t start_device(const struct otapult_esp_config *given)
{
    struct esp_board *b = &otapult_esp_board;
    struct otapult_config config = given->device;

    otapult_esp_bind();
    otapult_esp_open_store(b);
    complete_config(&config);
    warn();
    int err = otapult_start(&b->memory, &config, &b->device);
    if (err != 0) {
        ESP_LOGE(ESP_BOARD_TAG, "does not start: %s", otapult_error_row(err)->code);
        return ESP_FAIL;
    }
    b->stall_ms = config.stall_ms;
    b->poll_task = xTaskCreateStatic(poll_task, "otapult poll", CONFIG_OTAPULT_POLL_STACK, NULL,
                                     given->poll_priority, poll_stack, &b->poll_memory);
    return ESP_OK;
}

esp_err_t otapult_esp_start(const struct otapult_esp_config *config)
{
    const struct otapult_config *device = &config->device;

    if (otapult_esp_board.device != NULL)
        return ESP_ERR_INVALID_STATE;
    if (device->ready == NULL || (device->check_count > 0 && device->checks == NULL))
        return ESP_ERR_INVALID_ARG;
    return start_device(config);
}

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
    } methods[] = {{"POST", HTTP_POST}, {"PUT", HTTP_PUT}, {"DELETE", HTTP_DELETE}};

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

static esp_err_t register_route(httpd_handle_t server, const struct otapult_route *route)
{
    const httpd_uri_t handler = {
        .uri = route->path,
        .method = method_of(route),
        .handler = otapult_esp_on_request,
        .user_ctx = (void *)(uintptr_t)route->path,
    };
    return httpd_register_uri_handler(server, &handler);
}

static void unregister_below(httpd_handle_t server, size_t end)
{
    for (size_t n = 0; n < end; n++)
        if (!is_registered(n))
            (void)httpd_unregister_uri_handler(server, route_at(n)->path, method_of(route_at(n)));
}

static esp_err_t register_all(httpd_handle_t server)
{
    for (size_t n = 0; route_at(n) != NULL; n++) {
        esp_err_t err = is_registered(n) ? ESP_OK : register_route(server, route_at(n));
        if (err != ESP_OK) {
            ESP_LOGE(ESP_BOARD_TAG, "%s: %s", route_at(n)->path, esp_err_to_name(err));
            unregister_below(server, n);
            return err;
        }
    }
    return ESP_OK;
}

static size_t count_routes(void)
{
    size_t n = 0;

    while (route_at(n) != NULL)
        n++;
    return n;
}

/* ---- mounting ---- */

static esp_err_t prepare(const struct otapult_esp_config *config)
{
    struct esp_board *b = &otapult_esp_board;
    const size_t own = config == NULL ? 0 : config->site_count;

    if (b->server != NULL)
        return ESP_ERR_INVALID_STATE;
    if (own > OTAPULT_SITES_MAX || (config == NULL && b->device == NULL))
        return ESP_ERR_INVALID_ARG;
    esp_err_t err = b->device == NULL ? otapult_esp_start(config) : ESP_OK;
    if (err != ESP_OK)
        return err;
    otapult_site(&b->sites[0], b->device);
    for (size_t i = 0; i < own; i++)
        b->sites[1 + i] = config->sites[i];
    b->site_count = 1 + own;
    return ESP_OK;
}

static esp_err_t mount(httpd_handle_t server, unsigned priority)
{
    struct esp_board *b = &otapult_esp_board;

    if (b->upload_task == NULL)
        b->upload_task = xTaskCreateStatic(otapult_esp_upload_task, "otapult upload",
                                           CONFIG_OTAPULT_UPLOAD_STACK, NULL, priority, upload_stack,
                                           &b->upload_memory);
    esp_err_t err = register_all(server);
    if (err == ESP_OK)
        b->server = server;
    return err;
}

static unsigned upload_priority(const struct otapult_esp_config *config)
{
    const struct otapult_esp_config usual = OTAPULT_ESP_CONFIG_DEFAULT;

    return config == NULL ? usual.upload_priority : config->upload_priority;
}

esp_err_t otapult_mount(httpd_handle_t server, const struct otapult_esp_config *config)
{
    esp_err_t err = prepare(config);

    return err == ESP_OK ? mount(server, upload_priority(config)) : err;
}

esp_err_t otapult_unmount(void)
{
    struct esp_board *b = &otapult_esp_board;

    if (b->server == NULL || atomic_load(&b->uploading))
        return ESP_ERR_INVALID_STATE;
    unregister_below(b->server, count_routes());
    b->server = NULL;
    return ESP_OK;
}

/* ---- a server of Otapult's own ---- */

/* What both kinds of server have in common. Their default control ports are taken where the application
 * has servers of its own. */
static void fill_in(httpd_config_t *c)
{
    c->stack_size = OTAPULT_ESP_SERVER_STACK + 4096; /* TLS takes more */
    c->max_uri_handlers = (uint16_t)count_routes();
    c->ctrl_port = ESP_HTTPD_DEF_CTRL_PORT + 2;
    c->lru_purge_enable = true; /* never a connection that the upload task has */
}

static esp_err_t start_plain(uint16_t port, httpd_handle_t *server)
{
    httpd_config_t c = HTTPD_DEFAULT_CONFIG();

    fill_in(&c);
    c.stack_size = OTAPULT_ESP_SERVER_STACK;
    c.server_port = port;
    return httpd_start(server, &c);
}

#if CONFIG_ESP_HTTPS_SERVER_ENABLE
static esp_err_t start_tls(uint16_t port, const struct otapult_esp_tls *tls, httpd_handle_t *server)
{
    httpd_ssl_config_t c = HTTPD_SSL_CONFIG_DEFAULT();

    fill_in(&c.httpd);
    c.port_secure = port;
    c.servercert = tls->certificate;
    c.servercert_len = tls->certificate_len;
    c.prvtkey_pem = tls->key;
    c.prvtkey_len = tls->key_len;
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

esp_err_t otapult_serve(const struct otapult_esp_config *config, const struct otapult_esp_tls *tls,
                        httpd_handle_t *server)
{
    httpd_handle_t own = NULL;
    esp_err_t err = config == NULL ? ESP_ERR_INVALID_ARG : prepare(config);

    if (err == ESP_OK)
        err = tls == NULL ? start_plain(config->port, &own) : start_tls(config->port, tls, &own);
    if (err != ESP_OK)
        return err;
    err = mount(own, config->upload_priority);
    if (err != ESP_OK)
        stop(own, tls != NULL);
    else if (server != NULL)
        *server = own;
    return err;
}
