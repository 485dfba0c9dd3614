/* SPDX-License-Identifier: Apache-2.0 */
#include <esp_http_client.h>
#include <sdkconfig.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "esp_board.h"
#include "otapult/esp_pull.h"
#include "update/door.h"

#if CONFIG_MBEDTLS_CERTIFICATE_BUNDLE
#include <esp_crt_bundle.h>
#endif

/* One HTTP request through esp_http_client, and the task in which releases are fetched. Nothing else:
 * redirects, passwords and another try are the core's (src/offer/call.c), so they are switched off here. A
 * redirect that ESP-IDF followed by itself would take the token in a header to another host.
 *
 * The client allocates, TLS with it some 40 KB while a request lasts; without that memory a request fails and
 * the next one is tried later. */

#ifndef CONFIG_OTAPULT_PULL_STACK
#define CONFIG_OTAPULT_PULL_STACK 8192
#endif

#define SILENCE_MS 20000
#define POLL_MS    250

/* One request while it runs. */
struct transfer {
    const struct otapult_fetch_request *request;
    struct otapult_esp_fetch *fetch;
    esp_http_client_handle_t client;
};

/* ---- the request ---- */

static esp_http_client_method_t method_of(const char *name)
{
    if (strcmp(name, "POST") == 0)
        return HTTP_METHOD_POST;
    return strcmp(name, "PUT") == 0 ? HTTP_METHOD_PUT : HTTP_METHOD_GET;
}

static esp_err_t on_event(esp_http_client_event_t *event)
{
    const struct transfer *t = event->user_data;

    if (event->event_id == HTTP_EVENT_ON_HEADER)
        t->request->header(t->request->to, event->header_key, event->header_value);
    return ESP_OK;
}

static esp_http_client_handle_t make_client(struct transfer *t)
{
    const esp_http_client_config_t config = {
        .url = t->request->url,
        .method = method_of(t->request->method),
        .timeout_ms = SILENCE_MS,
        .disable_auto_redirect = true,
        .max_authorization_retries = -1,
        .event_handler = on_event,
        .user_data = t,
        .buffer_size = sizeof t->fetch->buffer,
        .buffer_size_tx = sizeof t->fetch->buffer,
        .cert_pem = t->fetch->ca_pem,
#if CONFIG_MBEDTLS_CERTIFICATE_BUNDLE
        .crt_bundle_attach = t->fetch->ca_pem == NULL ? esp_crt_bundle_attach : NULL,
#endif
    };

    return esp_http_client_init(&config);
}

/* "Name: value" each; copied by the client. */
static bool set_headers(struct transfer *t)
{
    const char *line = t->request->headers;
    char *copy = t->fetch->buffer;

    while (*line != '\0') {
        size_t len = strcspn(line, "\r\n");
        if (len >= sizeof t->fetch->buffer)
            return false;
        memcpy(copy, line, len);
        copy[len] = '\0';
        char *value = strchr(copy, ':');
        if (value == NULL)
            return false;
        *value++ = '\0';
        value += strspn(value, " ");
        if (esp_http_client_set_header(t->client, copy, value) != ESP_OK)
            return false;
        line += len;
        line += strspn(line, "\r\n");
    }
    return true;
}

/* ---- what may go wrong ---- */

static int fail(struct transfer *t, int err, const char *words, int number, struct otapult_finding *why)
{
    snprintf(t->fetch->words, sizeof t->fetch->words, "%s 0x%x", words, (unsigned)number);
    *why = (struct otapult_finding){.text = t->fetch->words};
    return err;
}

#define X509_CERT_VERIFY_FAILED 0x2700 /* MBEDTLS_ERR_…, whose sign differs between versions of esp-tls */

/* The flags are mbedTLS's words on the certificate. */
static int no_connection(struct transfer *t, esp_err_t err, struct otapult_finding *why)
{
    int code = 0, flags = 0;

    if (esp_http_client_get_and_clear_last_tls_error(t->client, &code, &flags) == ESP_OK)
        code = 0;
    if (flags != 0 || code == X509_CERT_VERIFY_FAILED || code == -X509_CERT_VERIFY_FAILED)
        return fail(t, OTAPULT_E_SOURCE_CERTIFICATE, "certificate, flags", flags, why);
    return fail(t, OTAPULT_E_SOURCE_UNREACHABLE, "esp_http_client", err, why);
}

/* ---- the answer ---- */

static int send_request(struct transfer *t, struct otapult_finding *why)
{
    const struct otapult_fetch_request *r = t->request;
    int len = (int)r->body_len;

    if (!set_headers(t))
        return fail(t, OTAPULT_E_INTERNAL, "headers", 0, why);
    esp_err_t err = esp_http_client_open(t->client, r->body != NULL ? len : 0);
    if (err != ESP_OK)
        return no_connection(t, err, why);
    if (r->body != NULL && esp_http_client_write(t->client, r->body, len) != len)
        return fail(t, OTAPULT_E_SOURCE_LOST, "while sending", 0, why);
    if (esp_http_client_fetch_headers(t->client) < 0)
        return fail(t, OTAPULT_E_SOURCE_LOST, "no answer", 0, why);
    return r->status(r->to, esp_http_client_get_status_code(t->client));
}

/* RFC 9112, section 6.3: these two end with their headers and say no length, for want of which ESP-IDF never
 * calls them complete. */
static bool has_body(int status)
{
    return status != 204 && status != 304;
}

/* esp_http_client_read() gives 0 at the end of the body and at the end of the connection; only the question
 * behind the loop tells them apart, and an answer cut short must not pass for a whole one. */
static int take_answer(struct transfer *t, struct otapult_finding *why)
{
    char *buffer = t->fetch->buffer;

    for (;;) {
        int n = esp_http_client_read(t->client, buffer, sizeof t->fetch->buffer);
        if (n < 0)
            return fail(t, OTAPULT_E_SOURCE_LOST, "while reading", -n, why);
        if (n == 0)
            break;
        int err = t->request->data(t->request->to, (const uint8_t *)buffer, (size_t)n);
        if (err != 0)
            return err;
    }
    if (esp_http_client_is_complete_data_received(t->client))
        return 0;
    return fail(t, OTAPULT_E_SOURCE_LOST, "it ended early", 0, why);
}

static int esp_fetch_run(void *ctx, const struct otapult_fetch_request *request, struct otapult_finding *why)
{
    struct transfer t = {.request = request, .fetch = ctx};

    t.client = make_client(&t);
    if (t.client == NULL)
        return fail(&t, OTAPULT_E_SOURCE_UNREACHABLE, "no memory for a connection", 0, why);
    int err = send_request(&t, why);
    if (err == 0 && has_body(esp_http_client_get_status_code(t.client)))
        err = take_answer(&t, why);
    (void)esp_http_client_cleanup(t.client);
    return err;
}

void otapult_esp_fetch_init(struct otapult_esp_fetch *f, const char *ca_pem)
{
    *f = (struct otapult_esp_fetch){.fetch = {.ctx = f, .run = esp_fetch_run}, .ca_pem = ca_pem};
}

/* ---- the clock ---- */

static bool esp_wall_now(void *ctx, struct otapult_wall_time *out)
{
    time_t t = time(NULL);
    struct tm here;

    (void)ctx;
    if (t <= 0 || localtime_r(&t, &here) == NULL)
        return false;
    *out = (struct otapult_wall_time){.unix_s = (uint32_t)t,
                                      .minute = (uint16_t)(here.tm_hour * 60 + here.tm_min),
                                      .weekday = (uint8_t)here.tm_wday};
    return true;
}

const struct otapult_clock otapult_esp_clock = {.now = esp_wall_now};

/* ---- the task ---- */

/* In internal RAM, as all static data is: a stack in PSRAM must not reach the flash driver. */
static StackType_t pull_stack[CONFIG_OTAPULT_PULL_STACK / sizeof(StackType_t)];
static StaticTask_t pull_memory;

static void pull_task(void *arg)
{
    (void)arg;
    for (;;) {
        otapult_pull_poll(otapult_esp_device());
        (void)ulTaskNotifyTake(pdTRUE, pdMS_TO_TICKS(POLL_MS));
    }
}

esp_err_t otapult_esp_pull(uint8_t priority)
{
    if (otapult_esp_device() == NULL || otapult_device_pull(otapult_esp_device()) == NULL)
        return ESP_ERR_INVALID_STATE;
    if (otapult_esp_board.pull_task == NULL)
        otapult_esp_board.pull_task = xTaskCreateStatic(pull_task, "otapult pull", CONFIG_OTAPULT_PULL_STACK,
                                                        NULL, priority, pull_stack, &pull_memory);
    return ESP_OK;
}
