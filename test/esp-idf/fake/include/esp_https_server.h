/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FAKE_ESP_HTTPS_SERVER_H
#define FAKE_ESP_HTTPS_SERVER_H

#include "esp_http_server.h"

/* esp_https_server/include/esp_https_server.h and src/https_server.c, v5.1 and v6.0.2; with
 * CONFIG_ESP_HTTPS_SERVER_ENABLE only. Only the fields that the port uses. */
struct httpd_ssl_config {
    httpd_config_t httpd;
    const uint8_t *servercert; /* PEM, its NUL counted, or DER; copied by the start */
    size_t         servercert_len;
    const uint8_t *prvtkey_pem;
    size_t         prvtkey_len;
    uint16_t       port_secure; /* used instead of httpd.server_port */
    uint16_t       port_insecure;
};
typedef struct httpd_ssl_config httpd_ssl_config_t;

#define HTTPD_SSL_CONFIG_DEFAULT()                                                                    \
    {                                                                                                 \
        .httpd = {.task_priority = tskIDLE_PRIORITY + 5, .stack_size = 10240,                         \
                  .ctrl_port = ESP_HTTPD_DEF_CTRL_PORT + 1, .max_open_sockets = 4,                    \
                  .max_uri_handlers = 8, .max_resp_headers = 8, .lru_purge_enable = true,             \
                  .recv_wait_timeout = 5, .send_wait_timeout = 5},                                    \
        .port_secure = 443, .port_insecure = 80,                                                      \
    }

/* As httpd_start(); INVALID_ARG: no certificate or key; NO_MEM. */
esp_err_t httpd_ssl_start(httpd_handle_t *handle, httpd_ssl_config_t *config);
esp_err_t httpd_ssl_stop(httpd_handle_t handle);

#endif
