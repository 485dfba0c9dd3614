/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <nettle/sha2.h>
#include <stdio.h>
#include <string.h>

#include "client.h"
#include "esp_board.h"
#include "images.h"
#include "life.h"
#include "otapult/esp_pull.h"

/* Requests of a board, over the fake of esp_http_client. */

static struct otapult_esp_fetch fetch;
static char got[4096];
static int status_got, stop_after;

static int on_status(void *to, int status)
{
    (void)to;
    status_got = status;
    return 0;
}

static void on_header(void *to, const char *name, const char *value)
{
    (void)to;
    snprintf(got + strlen(got), sizeof got - strlen(got), "%s:%s;", name, value);
}

static int on_data(void *to, const uint8_t *p, size_t n)
{
    (void)to;
    snprintf(got + strlen(got), sizeof got - strlen(got), "%.*s|", (int)n, (const char *)p);
    return stop_after-- == 0 ? OTAPULT_E_OFFER_WITHDRAWN : 0;
}

static struct otapult_finding why;

static int run(const char *method, const char *headers, const char *body)
{
    const struct otapult_fetch_request r = {.method = method,
                                            .url = "https://a.org/f",
                                            .headers = headers,
                                            .body = body,
                                            .body_len = body != NULL ? strlen(body) : 0,
                                            .status = on_status,
                                            .header = on_header,
                                            .data = on_data};

    got[0] = '\0';
    why = (struct otapult_finding){0};
    return fetch.fetch.run(fetch.fetch.ctx, &r, &why);
}

static int set_up(void **state)
{
    (void)state;
    fake_http_server_begin("abcdefgh", 3);
    stop_after = -1;
    otapult_esp_fetch_init(&fetch, NULL);
    return 0;
}

static int nothing_left(void **state)
{
    (void)state;
    assert_int_equal(fake_http_server.alive, 0);
    return 0;
}

static void an_answer_comes_with_its_headers(void **state)
{
    (void)state;
    fake_http_server.head[0][0] = "ETag";
    fake_http_server.head[0][1] = "\"1\"";
    assert_int_equal(run("GET", "Range: bytes=5-\r\nIf-Range: \"1\"\r\n", NULL), 0);
    assert_string_equal(got, "ETag:\"1\";abc|def|gh|");
    assert_int_equal(status_got, 200);
    assert_string_equal(fake_http_server.headers, "Range=bytes=5-;If-Range=\"1\";");
    assert_true(fake_http_server.config.disable_auto_redirect);
    assert_int_equal(fake_http_server.config.max_authorization_retries, -1);
}

static void a_body_is_sent(void **state)
{
    (void)state;
    assert_int_equal(run("PUT", "Content-Type: application/json\r\n", "{}"), 0);
    assert_string_equal(fake_http_server.sent, "{}");
    assert_int_equal(fake_http_server.config.method, HTTP_METHOD_PUT);
}

static void somebody_vouches_for_the_server_always(void **state)
{
    (void)state;
    assert_int_equal(run("GET", "", NULL), 0);
    assert_non_null(fake_http_server.config.crt_bundle_attach);
    otapult_esp_fetch_init(&fetch, "-----BEGIN CERTIFICATE-----");
    assert_int_equal(run("GET", "", NULL), 0);
    assert_null(fake_http_server.config.crt_bundle_attach); /* the bundle would vouch for others, too */
    assert_string_equal(fake_http_server.config.cert_pem, "-----BEGIN CERTIFICATE-----");
}

/* ESP-IDF counts none of its bytes as complete, for nobody says how many there are. */
static void an_answer_that_has_no_body_is_complete(void **state)
{
    static const int statuses[] = {304, 204};

    (void)state;
    for (size_t i = 0; i < sizeof statuses / sizeof *statuses; i++) {
        fake_http_server.status = statuses[i];
        fake_http_server.breaks_at = 1;
        assert_int_equal(run("GET", "If-None-Match: \"1\"\r\n", NULL), 0);
        assert_int_equal(status_got, statuses[i]);
        assert_string_equal(got, "");
    }
}

static void every_bad_end_has_its_error(void **state)
{
    (void)state;
    fake_http_server.open = ESP_ERR_HTTP_CONNECT;
    assert_int_equal(run("GET", "", NULL), OTAPULT_E_SOURCE_UNREACHABLE);
    fake_http_server.tls_code = 0x2700;
    fake_http_server.tls_flags = 8;
    assert_int_equal(run("GET", "", NULL), OTAPULT_E_SOURCE_CERTIFICATE);
    assert_string_equal(why.text, "certificate, flags 0x8");
    fake_http_server.open = ESP_OK;
    fake_http_server.status = 0;
    assert_int_equal(run("GET", "", NULL), OTAPULT_E_SOURCE_LOST);
    fake_http_server.status = 200;
    fake_http_server.breaks_at = 5;
    assert_int_equal(run("GET", "", NULL), OTAPULT_E_SOURCE_LOST);
    assert_string_equal(got, "abc|de|");
    fake_http_server.breaks_at = 0;
    stop_after = 1;
    assert_int_equal(run("GET", "", NULL), OTAPULT_E_OFFER_WITHDRAWN);
    assert_string_equal(got, "abc|def|");
    fake_http_server.no_memory = true;
    assert_int_equal(run("GET", "", NULL), OTAPULT_E_SOURCE_UNREACHABLE);
}

/* ---- a whole device ---- */

static struct life l;
static union otapult_pull_memory memory;
static const struct otapult_folder folder = {.url = "https://a.org/otapult.json", .unsigned_is_enough = true};
static struct otapult_pull pull;

static void without_a_source_there_is_no_task(void **state)
{
    (void)state;
    life_init(&l, WORLD_TWO_OTA, v1, v1_len);
    assert_true(life_start(&l, ESP_RST_POWERON));
    assert_int_equal(otapult_esp_pull(2), ESP_ERR_INVALID_STATE);
    life_end(&l);
}

static void a_device_asks_in_a_task_of_its_own(void **state)
{
    struct otapult_offer_view v;

    (void)state;
    pull = (struct otapult_pull){.code = &otapult_pulling,
                                 .source = &otapult_folder,
                                 .source_config = &folder,
                                 .fetch = &fetch.fetch,
                                 .clock = &otapult_esp_clock,
                                 .memory = &memory,
                                 .id = "a1b2c3",
                                 .ask_s = 100,
                                 .retry_s = 100};
    fake_http_server.body = "nonsense";
    life_init(&l, WORLD_TWO_OTA, v1, v1_len);
    l.config.device.pull = &pull;
    assert_true(life_start(&l, ESP_RST_POWERON));
    assert_int_equal(otapult_esp_pull(2), ESP_OK);
    assert_int_equal(otapult_esp_pull(2), ESP_OK);
    fake_tasks_run();
    assert_int_equal(fake_http_server.requests, 1);
    assert_string_equal(fake_http_server.url, "https://a.org/otapult.json");
    assert_true(otapult_offer_view(otapult_esp_device(), false, &v));
    assert_int_equal(v.error, OTAPULT_E_SOURCE_ANSWER);
    life_end(&l);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, nothing_left)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(an_answer_comes_with_its_headers),
        TEST(a_body_is_sent),
        TEST(an_answer_that_has_no_body_is_complete),
        TEST(somebody_vouches_for_the_server_always),
        TEST(every_bad_end_has_its_error),
        TEST(without_a_source_there_is_no_task),
        TEST(a_device_asks_in_a_task_of_its_own),
    };
    return cmocka_run_group_tests(tests, images_make, images_free);
}
