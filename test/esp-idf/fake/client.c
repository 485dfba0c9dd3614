/* SPDX-License-Identifier: Apache-2.0 */
#include "client.h"

#include <stdio.h>
#include <string.h>

#include "esp_crt_bundle.h"

struct fake_http_client {
    size_t at;
};
static struct fake_http_client only;
struct fake_http_server fake_http_server;

#define S fake_http_server

void fake_http_server_begin(const char *body, size_t piece)
{
    S = (struct fake_http_server){.status = 200, .body = body, .body_len = strlen(body), .piece = piece};
}

esp_err_t esp_crt_bundle_attach(void *conf)
{
    (void)conf;
    return ESP_OK;
}

esp_http_client_handle_t esp_http_client_init(const esp_http_client_config_t *config)
{
    if (S.no_memory)
        return NULL;
    S.config = *config;
    snprintf(S.url, sizeof S.url, "%s", config->url);
    S.headers[0] = S.sent[0] = '\0';
    S.requests++;
    S.alive++;
    only.at = 0;
    return &only;
}

esp_err_t esp_http_client_set_header(esp_http_client_handle_t client, const char *key, const char *value)
{
    size_t len = strlen(S.headers);

    (void)client;
    snprintf(S.headers + len, sizeof S.headers - len, "%s=%s;", key, value);
    return ESP_OK;
}

esp_err_t esp_http_client_open(esp_http_client_handle_t client, int write_len)
{
    (void)client;
    (void)write_len;
    return S.open;
}

int esp_http_client_write(esp_http_client_handle_t client, const char *buffer, int len)
{
    (void)client;
    snprintf(S.sent, sizeof S.sent, "%.*s", len, buffer);
    return len;
}

int64_t esp_http_client_fetch_headers(esp_http_client_handle_t client)
{
    if (S.status == 0)
        return -1;
    for (size_t i = 0; i < 4 && S.head[i][0] != NULL; i++) {
        char name[64], value[300];
        snprintf(name, sizeof name, "%s", S.head[i][0]);
        snprintf(value, sizeof value, "%s", S.head[i][1]);
        esp_http_client_event_t event = {.event_id = HTTP_EVENT_ON_HEADER,
                                         .client = client,
                                         .user_data = S.config.user_data,
                                         .header_key = name,
                                         .header_value = value};
        (void)S.config.event_handler(&event);
    }
    return (int64_t)S.body_len;
}

int esp_http_client_get_status_code(esp_http_client_handle_t client)
{
    (void)client;
    return S.status;
}

int esp_http_client_read(esp_http_client_handle_t client, char *buffer, int len)
{
    size_t end = S.breaks_at != 0 ? S.breaks_at : S.body_len, n = end - client->at;

    n = n < S.piece ? n : S.piece;
    n = n < (size_t)len ? n : (size_t)len;
    memcpy(buffer, S.body + client->at, n);
    client->at += n;
    return (int)n;
}

bool esp_http_client_is_complete_data_received(esp_http_client_handle_t client)
{
    return client->at == S.body_len;
}

esp_err_t esp_http_client_get_and_clear_last_tls_error(esp_http_client_handle_t client, int *code, int *flags)
{
    (void)client;
    *code = S.tls_code;
    *flags = S.tls_flags;
    return S.tls_code != 0 ? ESP_FAIL : ESP_OK;
}

esp_err_t esp_http_client_cleanup(esp_http_client_handle_t client)
{
    (void)client;
    S.alive--;
    return ESP_OK;
}
