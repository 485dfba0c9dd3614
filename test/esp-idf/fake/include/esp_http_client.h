/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FAKE_ESP_HTTP_CLIENT_H
#define FAKE_ESP_HTTP_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "esp_err.h"

/* esp_http_client/include/esp_http_client.h, v5.1 to v6.0.2; only the fields and functions that the port uses. */
typedef struct fake_http_client *esp_http_client_handle_t;

typedef enum {
    HTTP_EVENT_ERROR = 0,
    HTTP_EVENT_ON_CONNECTED,
    HTTP_EVENT_HEADERS_SENT,
    HTTP_EVENT_ON_HEADER,
    HTTP_EVENT_ON_DATA,
} esp_http_client_event_id_t;

typedef struct esp_http_client_event {
    esp_http_client_event_id_t event_id;
    esp_http_client_handle_t   client;
    void *data;
    int   data_len;
    void *user_data;
    char *header_key, *header_value;
} esp_http_client_event_t;

typedef esp_err_t (*http_event_handle_cb)(esp_http_client_event_t *evt);

typedef enum { HTTP_METHOD_GET = 0, HTTP_METHOD_POST, HTTP_METHOD_PUT } esp_http_client_method_t;

typedef struct {
    const char *url;
    const char *cert_pem;
    esp_http_client_method_t method;
    int  timeout_ms;
    bool disable_auto_redirect;
    int  max_authorization_retries; /* -1: none */
    http_event_handle_cb event_handler;
    int   buffer_size, buffer_size_tx;
    void *user_data;
    esp_err_t (*crt_bundle_attach)(void *conf);
} esp_http_client_config_t;

#define ESP_ERR_HTTP_BASE    0x7000
#define ESP_ERR_HTTP_CONNECT (ESP_ERR_HTTP_BASE + 2)

esp_http_client_handle_t esp_http_client_init(const esp_http_client_config_t *config);
/* Copies both. */
esp_err_t esp_http_client_set_header(esp_http_client_handle_t client, const char *key, const char *value);
/* Connects and sends the head, with Content-Length where write_len is above 0. */
esp_err_t esp_http_client_open(esp_http_client_handle_t client, int write_len);
int esp_http_client_write(esp_http_client_handle_t client, const char *buffer, int len); /* bytes, or -1 */
/* Reads the head; HTTP_EVENT_ON_HEADER for each. The content's length; 0: none or chunks; negative: no answer. */
int64_t esp_http_client_fetch_headers(esp_http_client_handle_t client);
int esp_http_client_get_status_code(esp_http_client_handle_t client);
int esp_http_client_read(esp_http_client_handle_t client, char *buffer, int len); /* 0: end; negative: an error */
bool esp_http_client_is_complete_data_received(esp_http_client_handle_t client);
/* ESP_OK: there was none. Else mbedTLS's code and its flags on the certificate. */
esp_err_t esp_http_client_get_and_clear_last_tls_error(esp_http_client_handle_t client, int *code, int *flags);
esp_err_t esp_http_client_cleanup(esp_http_client_handle_t client);

#endif
