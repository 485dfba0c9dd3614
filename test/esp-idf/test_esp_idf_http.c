/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "esp_board.h"
#include "life.h"

/* Otapult mounted on a fake esp_http_server. The build makes this program once more for the oldest version,
 * where an upload stays in the server's task. */

#define TLS_TIMEOUT (-0x6900)
#define TLS_RESET   (-0x50)

static struct life l;
static uint8_t *v1, *v2;
static size_t v1_len, v2_len;
static char form[16384];
static size_t form_len;
static struct fake_connection connection;

/* ---- requests ---- */

static struct fake_request upload_of(const uint8_t *image, size_t len)
{
    return life_post("/api/ota/upload", "application/octet-stream", image, len);
}

static struct fake_request form_upload(void)
{
    return life_post("/api/ota/upload", "multipart/form-data; boundary=xyz", form, form_len);
}

static void make_form(const uint8_t *image, size_t len)
{
    form_len = life_form(form, sizeof form, "xyz", "firmware.bin", 12, image, len);
}

static void expect_answer(const struct fake_connection *c, int status, const char *word)
{
    if (c->status != status || strstr(c->body, word) == NULL)
        print_error("status %d: %s\n", c->status, c->body);
    assert_int_equal(c->status, status);
    assert_non_null(strstr(c->body, word));
    assert_true(c->complete);
}

static void start(void)
{
    life_init(&l, WORLD_TWO_OTA, v1, v1_len);
    assert_true(life_start(&l, ESP_RST_POWERON));
}

/* Sends 2.0.0, whatever comes of it. */
static void upload(void)
{
    const struct fake_request r = upload_of(v2, v2_len);

    life_send(&l, &connection, &r);
}

static int tear_down(void **state)
{
    (void)state;
    life_end(&l);
    return 0;
}

static enum otapult_phase phase(void)
{
    struct otapult_status s;

    otapult_status(otapult_esp_device(), &s);
    return s.phase;
}

static const char *last_event(void)
{
    static struct otapult_log_entry e;

    return otapult_log_entry(otapult_esp_device(), 0, &e) ? otapult_event_name(e.event) : "";
}

static const char *last_code(void)
{
    static struct otapult_log_entry e;

    return otapult_log_entry(otapult_esp_device(), 0, &e) ? e.code : "";
}

static void expect_update_runs(void)
{
    assert_true(life_settle(&l));
    assert_string_equal(life_version(), "2.0.0");
    assert_string_equal(last_event(), "confirmed");
}

/* ---- looking ---- */

static void the_page_comes_compressed_with_its_policy(void **state)
{
    struct fake_request r = life_get("/api/ota");

    (void)state;
    start();
    life_send(&l, &connection, &r);
    assert_int_equal(connection.status, 200);
    assert_true(connection.complete && connection.open);
    assert_non_null(strstr(connection.sent, "\r\nContent-Encoding: gzip\r\n"));
    assert_non_null(strstr(connection.sent, "\r\nContent-Security-Policy: default-src 'none'"));
    assert_non_null(strstr(connection.sent, "\r\nTransfer-Encoding: chunked\r\n\r\n"));
    assert_int_equal((uint8_t)connection.body[0], 0x1F);
}

static void the_status_tells_of_this_board(void **state)
{
    struct fake_request r = life_get("/api/ota/status?now");

    (void)state;
    start();
    life_send(&l, &connection, &r);
    expect_answer(&connection, 200, "\"running\":\"app0\"");
    assert_non_null(strstr(connection.body, "\"chip\":\"ESP32-S3\""));
}

static void an_answer_survives_a_socket_that_takes_little(void **state)
{
    struct fake_request r = life_get("/api/ota/status");

    (void)state;
    start();
    r.send_piece = 3;
    life_send(&l, &connection, &r);
    expect_answer(&connection, 200, "\"running\":\"app0\"");
}

static void an_answer_that_does_not_get_out_closes_the_connection(void **state)
{
    struct fake_request r = life_get("/api/ota/status");

    (void)state;
    start();
    r.send_limit = 100;
    life_send(&l, &connection, &r);
    assert_false(connection.open);
    r.send_limit = 0;
    life_send(&l, &connection, &r);
    expect_answer(&connection, 200, "\"running\":\"app0\"");
}

#if ESP_BOARD_ANY_METHOD
static void head_has_no_body(void **state)
{
    struct fake_request r = life_get("/api/ota/status");

    (void)state;
    start();
    r.method = HTTP_HEAD;
    life_send(&l, &connection, &r);
    assert_int_equal(connection.status, 200);
    assert_memory_equal(connection.sent + connection.sent_len - 4, "\r\n\r\n", 4);
    assert_int_equal(connection.body_len, 0);
    assert_null(strstr(connection.sent, "\r\n\r\n0\r\n"));
    assert_true(connection.open);
}

static void a_target_that_names_the_host_is_understood(void **state)
{
    struct fake_request r = life_get("http://192.168.4.1/api/ota/status?x=1");

    (void)state;
    start();
    life_send(&l, &connection, &r);
    assert_int_equal(connection.status, 200);
    r.method = HTTP_DELETE;
    life_send(&l, &connection, &r);
    expect_answer(&connection, 405, "GET, HEAD");
}

static void another_method_is_refused_in_our_words(void **state)
{
    struct fake_request r = life_get("/api/ota/upload");

    (void)state;
    start();
    life_send(&l, &connection, &r);
    expect_answer(&connection, 405, "\"code\":\"method_not_allowed\"");
    r = life_get("/api/ota/status");
    r.method = HTTP_DELETE;
    life_send(&l, &connection, &r);
    expect_answer(&connection, 405, "GET, HEAD");
}
#endif

static void a_stream_gives_one_event_and_asks_to_come_again(void **state)
{
    struct fake_request r = life_get("/api/ota/events");

    (void)state;
    start();
    life_send(&l, &connection, &r);
    expect_answer(&connection, 200, "event: status\ndata: {");
    assert_non_null(strstr(connection.sent, "Content-Type: text/event-stream\r\n"));
    assert_memory_equal(connection.body, "retry: 1000\n", 12);
    assert_true(connection.open);
}

static void headers_beyond_the_room_for_them_are_refused(void **state)
{
    static char origin[1000];
    struct fake_request r = life_post("/api/ota/reboot", "application/json", "", 0);

    (void)state;
    start();
    memset(origin, 'a', sizeof origin - 1);
    r.header[3] = (struct fake_header){"Origin", origin};
    life_send(&l, &connection, &r);
    assert_int_equal(connection.status, 403);
    assert_int_equal(phase(), OTAPULT_IDLE);
}

static void a_page_of_another_site_is_refused(void **state)
{
    struct fake_request r = upload_of(v2, v2_len);

    (void)state;
    start();
    r.header[3] = (struct fake_header){"Origin", "http://evil.example"};
    life_send(&l, &connection, &r);
    expect_answer(&connection, 403, "foreign_origin");
}

/* ---- uploads ---- */

static void a_raw_upload_boots_and_stays(void **state)
{
    (void)state;
    start();
    upload();
    expect_answer(&connection, 200, "\"success\":true");
    assert_non_null(strstr(connection.body, "\"version\":\"2.0.0\""));
    assert_true(connection.open && connection.listening);
    assert_false(fake_idf.restarted); /* the answer leaves first */
    expect_update_runs();
}

static void what_runs_already_is_not_written(void **state)
{
    static uint8_t before[WORLD_FLASH];

    (void)state;
    start();
    world_save(&l.flash, before);
    const struct fake_request r = upload_of(v1, v1_len);
    life_send(&l, &connection, &r);
    expect_answer(&connection, 200, "\"already\":true");
    assert_memory_equal(l.flash.nor.data + 0x10000, before + 0x10000, WORLD_FLASH - 0x10000);
    assert_false(fake_idf.restarted);
    upload(); /* and the device is free */
    expect_answer(&connection, 200, "\"version\":\"2.0.0\"");
    expect_update_runs();
}

static void a_form_upload_boots_and_stays(void **state)
{
    struct fake_request r;

    (void)state;
    start();
    make_form(v2, v2_len);
    r = form_upload();
    r.header[1].value = "multipart/form-data; boundary=xyz";
    r.early = 128;
    life_send(&l, &connection, &r);
    expect_answer(&connection, 200, "Firmware uploaded successfully. Rebooting...");
    expect_update_runs();
}

/* As CONFIG_OTAPULT_GZIP has it. */
static void a_gzip_upload_boots_and_stays(void **state)
{
    static uint8_t packed[16384];
    z_stream z = {.next_in = v2, .avail_in = (uInt)v2_len, .next_out = packed, .avail_out = sizeof packed};

    (void)state;
    assert_int_equal(deflateInit2(&z, 9, Z_DEFLATED, 31, 8, Z_DEFAULT_STRATEGY), Z_OK);
    assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
    start();
    const struct fake_request r = upload_of(packed, z.total_out);
    deflateEnd(&z);
    life_send(&l, &connection, &r);
    expect_answer(&connection, 200, "\"version\":\"2.0.0\"");
    expect_update_runs();
}

static void any_split_of_the_body_will_do(void **state)
{
    static fake_step steps[8192];
    const fake_step timeout[] = {HTTPD_SOCK_ERR_TIMEOUT, TLS_TIMEOUT, -0x6880};
    uint32_t seed = 7;

    (void)state;
    for (int round = 0; round < 12; round++) {
        life_init(&l, WORLD_TWO_OTA, v1, v1_len);
        assert_true(life_start(&l, ESP_RST_POWERON));
        for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
            seed = seed * 1664525u + 1013904223u;
            steps[i] = (seed >> 24) % 40 == 0 ? timeout[(seed >> 20) % 3]
                                              : (fake_step)((seed >> 16) % 700 + 1);
        }
        make_form(v2, v2_len);
        struct fake_request r = round % 2 != 0 ? form_upload() : upload_of(v2, v2_len);
        r.steps = steps;
        r.step_count = round == 0 ? 0 : sizeof steps / sizeof *steps;
        r.early = (size_t)round * 11 % 129;
        life_send(&l, &connection, &r);
        expect_answer(&connection, 200, "\"success\":true");
        if (round < 11)
            life_end(&l);
    }
}

/* Both kinds of timeout while early bytes lie in the server's buffer: any other way of reading loses them. */
static void a_timeout_at_the_first_read_loses_nothing(void **state)
{
    const fake_step steps[] = {TLS_TIMEOUT, HTTPD_SOCK_ERR_TIMEOUT, TLS_TIMEOUT};
    struct fake_request r = upload_of(v2, v2_len);

    (void)state;
    start();
    r.early = 100;
    r.steps = steps;
    r.step_count = 3;
    r.method = HTTP_POST;
    life_send(&l, &connection, &r);
    expect_answer(&connection, 200, "\"success\":true");
}

static int took[2];

static esp_err_t take_much(httpd_req_t *r)
{
    char bytes[64];

    took[0] = httpd_req_recv(r, bytes, sizeof bytes);
    took[1] = httpd_req_recv(r, bytes, sizeof bytes);
    return ESP_FAIL;
}

/* What the port has no part in: what it would meet if it took the early bytes in one go. */
static void the_server_loses_early_bytes_where_the_peer_closes(void **state)
{
    const httpd_uri_t handler = {.uri = "/much", .method = HTTP_POST, .handler = take_much};
    struct fake_request r = upload_of(v2, v2_len);
    const bool loses = ESP_IDF_VERSION >= ESP_IDF_VERSION_VAL(5, 3, 5);

    (void)state;
    start();
    assert_int_equal(httpd_register_uri_handler(l.server, &handler), ESP_OK);
    r.method = HTTP_POST;
    r.uri = "/much";
    r.len = r.early = 40;
    r.close_at_end = true;
    fake_httpd_request(l.server, &r, &connection);
    assert_int_equal(took[0], loses ? 0 : 40);
    assert_int_equal(took[1], 0);
}

static void a_connection_that_ends_ends_the_upload(void **state)
{
    const fake_step ends[] = {0, HTTPD_SOCK_ERR_FAIL, TLS_RESET, -0x7280};

    (void)state;
    start();
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
        fake_step steps[200];
        struct fake_request r = upload_of(v2, v2_len);
        for (size_t n = 0; n < 199; n++)
            steps[n] = 1000;
        steps[150] = ends[i];
        r.steps = steps;
        r.step_count = 199;
        life_send(&l, &connection, &r);
        assert_int_equal(connection.sent_len, 0);
        assert_false(connection.open);
        assert_int_equal(phase(), OTAPULT_IDLE);
        assert_string_equal(last_code(), "connection_lost");
        assert_int_equal(l.holds, 0);
    }
    struct fake_request r = upload_of(v2, v2_len);
    life_send(&l, &connection, &r);
    expect_answer(&connection, 200, "\"success\":true");
}

static void poll_meanwhile(void *ctx)
{
    (void)ctx;
    if (!otapult_esp_board.poll_task->running)
        fake_task_run(otapult_esp_board.poll_task);
}

/* ---- uploads that go on ---- */

static const char *upload_uri;
static char offset_text[16];

static struct fake_request piece(size_t at)
{
    snprintf(offset_text, sizeof offset_text, "%zu", at);
    return life_with(life_tus(HTTP_PATCH, upload_uri, v2 + at, v2_len - at), "Upload-Offset", offset_text);
}

static void an_upload_that_breaks_off_goes_on(void **state)
{
    fake_step steps[151]; /* the first 128 bytes come one by one */
    struct fake_request r;

    (void)state;
    start();
    upload_uri = life_create_upload(&l, v2_len);
    assert_int_equal(life_safe_offset(&l, upload_uri), 0);
    for (size_t n = 0; n < 150; n++)
        steps[n] = 200;
    steps[150] = 0;
    r = piece(0);
    r.steps = steps;
    r.step_count = sizeof steps / sizeof *steps;
    life_send(&l, &connection, &r);
    assert_false(connection.open);
    assert_int_equal(phase(), OTAPULT_RECEIVING);
    long at = life_safe_offset(&l, upload_uri);
    assert_true(at >= 1000 && (size_t)at < v2_len);
    r = piece((size_t)at);
    life_send(&l, &connection, &r);
    assert_int_equal(connection.status, 204);
    assert_null(strstr(connection.sent, "Transfer-Encoding"));
    assert_memory_equal(connection.sent + connection.sent_len - 4, "\r\n\r\n", 4);
    assert_true(connection.open);
    expect_update_runs();
}

static void the_limits_of_uploads_that_go_on(void **state)
{
    struct fake_request r = life_get("/api/ota/uploads");

    (void)state;
    start();
    r.method = HTTP_OPTIONS;
    life_send(&l, &connection, &r);
    assert_int_equal(connection.status, 204);
    assert_non_null(strstr(connection.sent, "Tus-Extension: creation,termination\r\n"));
    upload_uri = life_create_upload(&l, v2_len);
    r = life_tus(HTTP_DELETE, upload_uri, "", 0);
    life_send(&l, &connection, &r);
    assert_int_equal(connection.status, 204);
    assert_int_equal(phase(), OTAPULT_IDLE);
    assert_int_equal(life_safe_offset(&l, upload_uri), -1);
}

static void a_silent_sender_is_given_up(void **state)
{
    struct fake_request r = upload_of(v2, v2_len);

    (void)state;
    start();
    r.len = 3000; /* of what it announced */
    r.on_read = poll_meanwhile;
    life_send(&l, &connection, &r);
    assert_false(connection.open);
    assert_non_null(strstr(connection.sent, "\"code\":\"stalled\"")); /* it hears why */
    assert_int_equal(phase(), OTAPULT_IDLE);
    assert_string_equal(last_code(), "stalled");
    assert_int_equal(l.holds, 0);
    assert_true(fake_idf.now_us < 60u * 1000000u);
    assert_false(atomic_load(&otapult_esp_board.uploading));
}

static void a_busy_robot_says_no_before_the_body(void **state)
{
    struct fake_request r = upload_of(v2, v2_len);

    (void)state;
    start();
    l.ready = false;
    r.header[3] = (struct fake_header){"Expect", "100-continue"};
    r.len = 0;
    life_send(&l, &connection, &r);
    expect_answer(&connection, 423, "driving");
    assert_int_equal(connection.read, 0);
    assert_false(connection.open); /* whether its body comes after all, nobody knows */
}

static void a_sender_that_waits_is_told_to_go_on(void **state)
{
    struct fake_request r = upload_of(v2, v2_len);

    (void)state;
    start();
    r.header[3] = (struct fake_header){"Expect", "100-continue"};
    life_send(&l, &connection, &r);
    assert_true(connection.continued);
    expect_answer(&connection, 200, "\"success\":true");
}

static void a_wrong_file_is_refused_and_its_rest_dropped(void **state)
{
    static char text[9000];
    struct fake_request r;

    (void)state;
    start();
    memset(text, ' ', sizeof text);
    memcpy(text, "<!DOCTYPE html><html>", 21);
    r = upload_of((const uint8_t *)text, sizeof text);
    life_send(&l, &connection, &r);
    expect_answer(&connection, 415, "\"code\":\"file_text\"");
    assert_int_equal(connection.read, sizeof text);
    assert_true(connection.open && connection.listening);
    r = upload_of(v2, v2_len);
    life_send(&l, &connection, &r);
    expect_answer(&connection, 200, "\"success\":true");
}

static void a_damaged_image_is_refused_at_its_end(void **state)
{
    struct fake_request r = upload_of(v2, v2_len);

    (void)state;
    start();
    v2[v2_len - 1] ^= 1;
    life_send(&l, &connection, &r);
    v2[v2_len - 1] ^= 1;
    expect_answer(&connection, 422, "image_hash");
    assert_true(life_settle(&l));
    assert_string_equal(life_version(), "1.0.0");
}

static void a_refused_body_is_not_read_for_ever(void **state)
{
    static char text[9000];
    struct fake_request r;

    (void)state;
    start();
    memset(text, ' ', sizeof text);
    memcpy(text, "<!DOCTYPE html><html>", 21);
    r = upload_of((const uint8_t *)text, sizeof text);
    r.len = 5000; /* then silence */
    life_send(&l, &connection, &r);
    expect_answer(&connection, 415, "file_text");
    assert_false(connection.open);
    assert_true(fake_idf.now_us < 90u * 1000000u);
}

static void a_body_in_chunks_is_refused(void **state)
{
    struct fake_request r = upload_of(v2, v2_len);

    (void)state;
    start();
    r.header[2] = (struct fake_header){"Transfer-Encoding", "chunked"};
    life_send(&l, &connection, &r);
    expect_answer(&connection, 400, "\"code\":\"content_length\"");
    assert_false(connection.open);
    assert_int_equal(phase(), OTAPULT_IDLE);
}

/* The server keeps 32 bits of it: the rest of the body would be taken for the next request. */
static void a_length_beyond_32_bits_closes_the_connection(void **state)
{
    struct fake_request r = upload_of(v2, v2_len);

    (void)state;
    start();
    r.header[2].value = "4294968296";
    life_send(&l, &connection, &r);
    expect_answer(&connection, 413, "image_too_large");
    assert_false(connection.open);
}

static void an_upload_whose_answer_is_lost_still_counts(void **state)
{
    struct fake_request r = upload_of(v2, v2_len);

    (void)state;
    start();
    r.send_limit = 1;
    life_send(&l, &connection, &r);
    assert_false(connection.open);
    assert_int_equal(phase(), OTAPULT_REBOOTING);
    expect_update_runs();
}

/* ---- while an upload runs ---- */

#if ESP_BOARD_HANDS_OVER
struct meanwhile {
    int reads, at;
    struct fake_request request;
    bool asked;
};

static struct fake_connection second;

static void ask_meanwhile(void *ctx)
{
    struct meanwhile *m = ctx;

    if (++m->reads != m->at)
        return;
    m->asked = true;
    fake_httpd_request(l.server, &m->request, &second);
}

static void status_is_answered_while_an_upload_runs(void **state)
{
    struct meanwhile m = {.at = 140, .request = life_get("/api/ota/status")};
    struct fake_request r = upload_of(v2, v2_len);

    (void)state;
    start();
    r.on_read = ask_meanwhile;
    r.ctx = &m;
    life_send(&l, &connection, &r);
    assert_true(m.asked);
    expect_answer(&second, 200, "\"state\":\"receiving\"");
    expect_answer(&connection, 200, "\"success\":true");
}

static void a_second_upload_is_told_to_wait(void **state)
{
    struct meanwhile m = {.at = 140};
    struct fake_request r = upload_of(v2, v2_len);

    (void)state;
    start();
    m.request = upload_of(v2, v2_len);
    r.on_read = ask_meanwhile;
    r.ctx = &m;
    life_send(&l, &connection, &r);
    assert_true(m.asked);
    expect_answer(&second, 409, "\"code\":\"busy\"");
    assert_int_equal(second.read, v2_len);
    expect_answer(&connection, 200, "\"success\":true");
}

static void an_upload_while_another_is_dropped_is_taken_here(void **state)
{
    static char text[9000];
    struct meanwhile m = {.at = 150, .request = upload_of(v2, v2_len)};
    struct fake_request r;

    (void)state;
    start();
    memset(text, ' ', sizeof text);
    memcpy(text, "<!DOCTYPE html><html>", 21);
    r = upload_of((const uint8_t *)text, sizeof text);
    m.request = upload_of(v2, v2_len);
    r.on_read = ask_meanwhile;
    r.ctx = &m;
    fake_step steps[300];
    for (size_t i = 0; i < 300; i++)
        steps[i] = 30;
    r.steps = steps;
    r.step_count = 300;
    life_send(&l, &connection, &r);
    assert_true(m.asked);
    expect_answer(&second, 200, "\"success\":true");
    expect_answer(&connection, 415, "file_text");
}

static void without_heap_the_server_takes_the_upload_itself(void **state)
{
    struct fake_request r = upload_of(v2, v2_len);

    (void)state;
    start();
    fake_idf.no_heap = true;
    fake_httpd_request(l.server, &r, &connection);
    expect_answer(&connection, 200, "\"success\":true");
    assert_false(atomic_load(&otapult_esp_board.uploading));
}

static void the_routes_stay_while_an_upload_runs(void **state)
{
    struct fake_request r = upload_of(v2, v2_len);

    (void)state;
    start();
    fake_httpd_request(l.server, &r, &connection);
    assert_true(connection.async);
    assert_int_equal(otapult_unmount(), ESP_ERR_INVALID_STATE);
    fake_task_run(otapult_esp_board.upload_task);
    assert_int_equal(otapult_unmount(), ESP_OK);
}

static void a_task_woken_for_nothing_sleeps_on(void **state)
{
    (void)state;
    start();
    xTaskNotifyGive(otapult_esp_board.upload_task);
    fake_task_run(otapult_esp_board.upload_task);
    assert_int_equal(phase(), OTAPULT_IDLE);
}
#else
static void the_server_takes_the_upload_itself(void **state)
{
    struct fake_request r = upload_of(v2, v2_len);

    (void)state;
    start();
    fake_httpd_request(l.server, &r, &connection);
    assert_false(connection.async);
    expect_answer(&connection, 200, "\"success\":true");
}
#endif

/* ---- afterwards ---- */

static void a_failed_health_check_brings_the_old_firmware_back(void **state)
{
    struct fake_request r;

    (void)state;
    start();
    upload();
    l.health = OTAPULT_HEALTH_FAIL;
    assert_true(life_settle(&l));
    assert_string_equal(life_version(), "1.0.0");
    r = life_get("/api/ota/log");
    life_send(&l, &connection, &r);
    expect_answer(&connection, 200, "\"event\":\"rejected\"");
    assert_non_null(strstr(connection.body, "told to fail"));
}

static void a_deadline_brings_the_old_firmware_back(void **state)
{
    (void)state;
    start();
    upload();
    l.health = OTAPULT_HEALTH_WAIT;
    assert_true(life_settle(&l));
    assert_string_equal(life_version(), "2.0.0");
    fake_idf_pass(60000000u);
    assert_true(life_settle(&l));
    assert_string_equal(life_version(), "1.0.0");
    assert_string_equal(last_event(), "rejected");
}

static void a_crash_brings_the_old_firmware_back(void **state)
{
    (void)state;
    start();
    upload();
    assert_true(life_start(&l, ESP_RST_SW));
    assert_true(life_start(&l, ESP_RST_PANIC));
    assert_string_equal(life_version(), "1.0.0");
    assert_string_equal(last_event(), "crashed");
}

static void a_power_cut_in_the_trial_is_tried_again(void **state)
{
    (void)state;
    start();
    upload();
    assert_true(life_start(&l, ESP_RST_SW));
    assert_true(life_start(&l, ESP_RST_BROWNOUT));
    assert_string_equal(life_version(), "1.0.0");
    assert_true(life_settle(&l));
    assert_string_equal(life_version(), "2.0.0");
    assert_string_equal(last_event(), "confirmed");
}

static void a_rollback_by_request(void **state)
{
    struct fake_request r;

    (void)state;
    start();
    upload();
    expect_update_runs();
    r = life_post("/api/ota/rollback", "application/json", "", 0);
    life_send(&l, &connection, &r);
    expect_answer(&connection, 200, "\"slot\":\"app0\"");
    assert_true(life_settle(&l));
    assert_string_equal(life_version(), "1.0.0");
}

static void a_restart_by_request_comes_after_its_answer(void **state)
{
    struct fake_request r = life_post("/api/ota/reboot", "application/json", "", 0);

    (void)state;
    start();
    life_send(&l, &connection, &r);
    expect_answer(&connection, 200, "Rebooting...");
    fake_tasks_run();
    assert_false(fake_idf.restarted);
    fake_idf_pass(500000);
    fake_tasks_run();
    assert_true(fake_idf.restarted);
}

/* ---- mounting ---- */

/* Of all routes, the front's with them but its root, which is the server's own. Where ESP-IDF knows HTTP_ANY,
 * one handler serves all methods of a path. */
static size_t handlers_wanted(void)
{
    struct otapult_site site;
    size_t count = OTAPULT_FRONT_ROUTES - 1;

    otapult_site(&site, otapult_esp_device());
    for (size_t i = 0; i < site.count; i++) {
        bool first = true;
        for (size_t k = 0; k < i; k++)
            if (strcmp(site.routes[k].path, site.routes[i].path) == 0)
                first = ESP_BOARD_ANY_METHOD == 0 &&
                        strcmp(site.routes[k].method, site.routes[i].method) != 0;
        count += first;
    }
    return count;
}

static void every_route_is_mounted_and_taken_off_again(void **state)
{
    (void)state;
    start();
    assert_int_equal(fake_httpd_handlers(l.server), handlers_wanted());
    assert_true(handlers_wanted() <= OTAPULT_ESP_HANDLERS);
    assert_int_equal(otapult_mount(l.server, &l.config), ESP_ERR_INVALID_STATE);
    assert_int_equal(otapult_unmount(), ESP_OK);
    assert_int_equal(fake_httpd_handlers(l.server), 0);
    assert_int_equal(otapult_unmount(), ESP_ERR_INVALID_STATE);
    assert_int_equal(otapult_mount(l.server, NULL), ESP_OK);
    assert_int_equal(fake_httpd_handlers(l.server), handlers_wanted());
}

static void a_server_without_room_gets_no_routes_at_all(void **state)
{
    httpd_config_t small = HTTPD_DEFAULT_CONFIG();
    httpd_handle_t server;

    (void)state;
    life_init(&l, WORLD_TWO_OTA, v1, v1_len);
    assert_true(life_boot(&l, ESP_RST_POWERON));
    assert_int_equal(httpd_start(&server, &small), ESP_OK); /* 8 handlers, as ESP-IDF has it */
    assert_int_equal(otapult_mount(server, &l.config), ESP_ERR_HTTPD_HANDLERS_FULL);
    assert_int_equal(fake_httpd_handlers(server), 0);
    char line[100];
    snprintf(line, sizeof line,
             "room for 8 of Otapult's %zu handlers: httpd_config_t.max_uri_handlers must be at least "
             "%zu more",
             handlers_wanted(), handlers_wanted() - 8);
    assert_non_null(strstr(fake_idf.log, line));
    assert_non_null(strstr(fake_idf.log, "stack has 3"));
    assert_non_null(
        strstr(fake_idf.log, "Otapult needs 5120: httpd_config_t.stack_size must be at least 6144"));
    assert_non_null(otapult_esp_device()); /* it lives, and can be mounted elsewhere */
    l.server = server;
}

static void a_server_with_a_small_stack_gets_no_routes_either(void **state)
{
    httpd_config_t config = HTTPD_DEFAULT_CONFIG(); /* 4096 bytes, as ESP-IDF has it */

    (void)state;
    config.max_uri_handlers = OTAPULT_ESP_HANDLERS;
    life_init(&l, WORLD_TWO_OTA, v1, v1_len);
    assert_true(life_boot(&l, ESP_RST_POWERON));
    assert_int_equal(httpd_start(&l.server, &config), ESP_OK);
    assert_int_equal(otapult_mount(l.server, &l.config), ESP_ERR_INVALID_SIZE);
    assert_int_equal(fake_httpd_handlers(l.server), 0);
    assert_int_equal(httpd_stop(l.server), ESP_OK);

    config.stack_size = OTAPULT_ESP_SERVER_STACK;
    assert_int_equal(httpd_start(&l.server, &config), ESP_OK);
    assert_int_equal(otapult_mount(l.server, NULL), ESP_OK);
}

/* It cannot be asked, for instance because it is its own task that mounts. */
static void a_server_that_does_not_answer_is_believed(void **state)
{
    httpd_config_t config = HTTPD_DEFAULT_CONFIG();

    (void)state;
    config.max_uri_handlers = OTAPULT_ESP_HANDLERS;
    life_init(&l, WORLD_TWO_OTA, v1, v1_len);
    assert_true(life_boot(&l, ESP_RST_POWERON));
    assert_int_equal(httpd_start(&l.server, &config), ESP_OK);
    fake_idf.server_hangs = true;
    assert_int_equal(otapult_mount(l.server, &l.config), ESP_OK);
    assert_true(fake_idf.ticks_slept <= CONFIG_FREERTOS_HZ);
}

static void expect_location(const char *uri, const char *location)
{
    const struct fake_request r = life_get(uri);
    char line[60];

    snprintf(line, sizeof line, "Location: %s\r\n", location);
    life_send(&l, &connection, &r);
    assert_int_equal(connection.status, 302);
    assert_non_null(strstr(connection.sent, line));
}

static void addresses_that_people_try_lead_to_the_page(void **state)
{
    (void)state;
    start();
    expect_location("/update", "api/ota");
    expect_location("/api/ota/", "../ota");
    life_end(&l);
    life_init(&l, WORLD_TWO_OTA, v1, v1_len);
    l.own = true;
    assert_true(life_start(&l, ESP_RST_POWERON));
    expect_location("/", "api/ota");
    expect_location("/update", "api/ota");
}

static esp_err_t own_update(httpd_req_t *r)
{
    return httpd_send(r, "HTTP/1.1 200 OK\r\n\r\n", 19) > 0 ? ESP_OK : ESP_FAIL;
}

#ifdef HTTP_ANY
#define OWN_METHOD HTTP_ANY
#else
#define OWN_METHOD HTTP_GET
#endif

static void what_the_application_has_at_such_an_address_stays(void **state)
{
    const httpd_uri_t own = {.uri = "/update", .method = (httpd_method_t)OWN_METHOD, .handler = own_update};
    const struct fake_request r = life_get("/update");
    httpd_config_t config = HTTPD_DEFAULT_CONFIG();

    (void)state;
    config.max_uri_handlers = OTAPULT_ESP_HANDLERS + 1;
    config.stack_size = OTAPULT_ESP_SERVER_STACK;
    life_init(&l, WORLD_TWO_OTA, v1, v1_len);
    assert_true(life_boot(&l, ESP_RST_POWERON));
    assert_int_equal(httpd_start(&l.server, &config), ESP_OK);
    assert_int_equal(httpd_register_uri_handler(l.server, &own), ESP_OK);
    assert_int_equal(otapult_mount(l.server, &l.config), ESP_OK);
    fake_httpd_request(l.server, &r, &connection);
    assert_non_null(strstr(connection.sent, "200 OK"));
    assert_int_equal(otapult_unmount(), ESP_OK);
    assert_int_equal(fake_httpd_handlers(l.server), 1);
}

static enum otapult_http_next hello(struct otapult_exchange *x)
{
    otapult_http_json(x, 200, x->app, strlen(x->app));
    return OTAPULT_HTTP_ANSWERED;
}

static void the_applications_routes_are_served_beside(void **state)
{
    static char text[] = "{\"hello\":1}";
    static const struct otapult_route routes[] = {{.method = "GET", .path = "/hello", .begin = hello},
                                                  {.method = "POST", .path = "/hello", .begin = hello}};
    const struct otapult_site site = {.routes = routes, .count = 2, .app = text};
    struct fake_request r = life_get("/hello?x=1");

    (void)state;
    life_init(&l, WORLD_TWO_OTA, v1, v1_len);
    l.config.sites = &site;
    l.config.site_count = 1;
    assert_true(life_start(&l, ESP_RST_POWERON));
    life_send(&l, &connection, &r);
    expect_answer(&connection, 200, "{\"hello\":1}");
    r.method = HTTP_POST;
    life_send(&l, &connection, &r);
    expect_answer(&connection, 200, "{\"hello\":1}");
    l.config.site_count = OTAPULT_SITES_MAX + 1;
    assert_int_equal(otapult_unmount(), ESP_OK);
    assert_int_equal(otapult_mount(l.server, &l.config), ESP_ERR_INVALID_ARG);
}

static void a_configuration_that_cannot_be_is_refused(void **state)
{
    struct otapult_esp_config config = OTAPULT_ESP_CONFIG_DEFAULT;

    (void)state;
    life_init(&l, WORLD_TWO_OTA, v1, v1_len);
    assert_true(life_boot(&l, ESP_RST_POWERON));
    assert_int_equal(otapult_mount(NULL, NULL), ESP_ERR_INVALID_ARG);
    assert_int_equal(otapult_serve(NULL, NULL, NULL), ESP_ERR_INVALID_ARG);
    assert_int_equal(otapult_esp_start(&config), ESP_ERR_INVALID_ARG); /* no `ready` */
    config.device.ready = otapult_always_ready;
    assert_int_equal(otapult_esp_start(&config), ESP_ERR_INVALID_ARG); /* no `hold` */
    config.device.hold = otapult_nothing_moves;
    config.device.check_count = 1;
    assert_int_equal(otapult_esp_start(&config), ESP_ERR_INVALID_ARG);
    config.device.check_count = 0;
    assert_null(otapult_esp_device());
    assert_int_equal(otapult_esp_start(&config), ESP_OK);
    assert_int_equal(otapult_esp_start(&config), ESP_ERR_INVALID_STATE);
    assert_non_null(otapult_esp_device());
}

static void a_board_without_slots_starts_and_says_why_not(void **state)
{
    struct fake_request r = upload_of(v2, v2_len);

    (void)state;
    life_init(&l, WORLD_FACTORY_ONLY, v1, v1_len);
    assert_true(life_start(&l, ESP_RST_POWERON));
    assert_non_null(strstr(fake_idf.log, "E otapult: no updates over the air: Choose a partition scheme"));
    life_send(&l, &connection, &r);
    expect_answer(&connection, 501, "No OTA partition");
}

static void a_board_without_a_store_still_updates(void **state)
{
    struct fake_request r = upload_of(v2, v2_len);

    (void)state;
    start();
    fake_idf.nvs_error = ESP_ERR_NVS_NOT_ENOUGH_SPACE;
    life_send(&l, &connection, &r);
    expect_answer(&connection, 200, "\"success\":true");
    fake_idf.nvs_error = ESP_OK;
    assert_true(life_settle(&l));
    assert_string_equal(life_version(), "2.0.0");
}

/* Also what esp_http_server refuses before a handler of ours sees it. On a server of the application's these
 * answers stay the application's. */
static void a_server_of_its_own_refuses_everything_in_our_words(void **state)
{
    static const struct {
        httpd_err_code_t error;
        int status;
        const char *code;
    } refusals[] = {{HTTPD_400_BAD_REQUEST, 400, "\"code\":\"bad_request\""},
                    {HTTPD_414_URI_TOO_LONG, 414, "\"code\":\"address_too_long\""},
                    {HTTPD_431_REQ_HDR_FIELDS_TOO_LARGE, 431, "\"code\":\"headers_too_large\""},
                    {HTTPD_505_VERSION_NOT_SUPPORTED, 505, "\"code\":\"http_version\""}};
    struct fake_request r = life_get("/nowhere?x=1");

    (void)state;
    life_init(&l, WORLD_TWO_OTA, v1, v1_len);
    assert_true(life_boot(&l, ESP_RST_POWERON));
    assert_int_equal(otapult_serve(&l.config, NULL, &l.server), ESP_OK);
    life_send(&l, &connection, &r);
    expect_answer(&connection, 404, "\"code\":\"not_found\"");
    assert_true(connection.open);
    r = life_get("/api/ota/status?x=1");
    r.method = HTTP_DELETE;
    life_send(&l, &connection, &r);
    expect_answer(&connection, 405, "GET, HEAD");
    for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++) {
        fake_httpd_refuse(l.server, refusals[i].error, 999, &r, &connection);
        expect_answer(&connection, refusals[i].status, refusals[i].code);
        assert_true(connection.complete);
        assert_false(connection.open);
    }
    life_end(&l);
    start();
    fake_httpd_refuse(l.server, HTTPD_414_URI_TOO_LONG, 414, &r, &connection);
    assert_int_equal(connection.sent_len, 0); /* nothing of ours */
}

static void a_server_of_our_own(void **state)
{
    httpd_handle_t server = NULL;
    struct fake_request r = life_get("/api/ota/status");

    (void)state;
    life_init(&l, WORLD_TWO_OTA, v1, v1_len);
    assert_true(life_boot(&l, ESP_RST_POWERON));
    assert_int_equal(otapult_serve(&l.config, NULL, &server), ESP_OK);
    l.server = server;
    assert_int_equal(fake_httpd_config(server)->server_port, 8080);
    assert_true(fake_httpd_config(server)->stack_size >= OTAPULT_ESP_SERVER_STACK);
    assert_int_equal(fake_httpd_config(server)->ctrl_port, ESP_HTTPD_DEF_CTRL_PORT + 2);
    life_send(&l, &connection, &r);
    expect_answer(&connection, 200, "\"running\":\"app0\"");
}

static void a_port_that_is_taken_is_an_error(void **state)
{
    (void)state;
    life_init(&l, WORLD_TWO_OTA, v1, v1_len);
    assert_true(life_boot(&l, ESP_RST_POWERON));
    fake_idf.taken_port = 8080;
    assert_int_equal(otapult_serve(&l.config, NULL, NULL), ESP_FAIL);
    l.config.port = 8081;
    assert_int_equal(otapult_serve(&l.config, NULL, &l.server), ESP_OK);
}

static void an_upload_through_tls(void **state)
{
    static const uint8_t pem[] = "-----BEGIN";
    const struct otapult_esp_tls none = {0}, half = {pem, sizeof pem, NULL, 0};
    const fake_step steps[] = {TLS_TIMEOUT, 700, TLS_TIMEOUT, -0x6880, 5};
    struct fake_request r = upload_of(v2, v2_len);

    (void)state;
    life_init(&l, WORLD_TWO_OTA, v1, v1_len);
    assert_true(life_boot(&l, ESP_RST_POWERON));
    assert_int_equal(otapult_serve(&l.config, &none, NULL), ESP_ERR_INVALID_ARG);
    assert_int_equal(otapult_serve(&l.config, &half, NULL), ESP_ERR_INVALID_ARG);
    l.tls = true;
    assert_true(life_start(&l, ESP_RST_POWERON));
    assert_int_equal(fake_httpd_config(l.server)->server_port, 8080);
    assert_true(fake_httpd_config(l.server)->stack_size >= 10240);
    r.early = 128;
    r.steps = steps;
    r.step_count = sizeof steps / sizeof *steps;
    life_send(&l, &connection, &r);
    expect_answer(&connection, 200, "\"success\":true");
}

/* ---- what a route sees ---- */

static struct otapult_request seen;
static uint32_t seen_headers;

static enum otapult_http_next look(struct otapult_exchange *x)
{
    unsigned count = 9;
    const char *a = x->req->header(x->req->ctx, "X-Word", &count);
    const char *again = x->req->header(x->req->ctx, "x-word", NULL);

    seen = *x->req;
    seen_headers = a != NULL && count == 1 && strcmp(a, "one") == 0 && again == a;
    seen_headers += x->req->header(x->req->ctx, "X-Not", &count) == NULL && count == 0;
    a = x->req->header(x->req->ctx, "X-Empty", &count);
    seen_headers += a != NULL && a[0] == '\0' && count == 1;
    otapult_http_json(x, 200, "{}", 2);
    return OTAPULT_HTTP_ANSWERED;
}

static void a_route_sees_query_headers_and_sender(void **state)
{
    static const struct otapult_route routes[] = {{.method = "GET", .path = "/look", .begin = look}};
    const struct otapult_site site = {.routes = routes, .count = 1};
    static const uint8_t ipv4[16] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF, 10, 0, 0, 7};
    static const uint8_t ipv6[16] = {0xFE, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 9};
    struct fake_request r = life_get("/look?a=1&b=2");

    (void)state;
    life_init(&l, WORLD_TWO_OTA, v1, v1_len);
    l.config.sites = &site;
    l.config.site_count = 1;
    assert_true(life_start(&l, ESP_RST_POWERON));
    r.header[1] = (struct fake_header){"X-Word", "one"};
    r.header[2] = (struct fake_header){"X-Empty", ""};
    for (int i = 0; i < 2; i++) { /* the fake's clients take turns */
        life_send(&l, &connection, &r);
        assert_int_equal(seen_headers, 3);
        assert_string_equal(seen.method, "GET");
        assert_string_equal(seen.path, "/look");
        assert_string_equal(seen.query, "a=1&b=2");
        assert_false(seen.tls);
        assert_memory_equal(seen.source, connection.fd % 2 != 0 ? ipv4 : ipv6, 16);
    }
}

#define TEST_CASE(name) cmocka_unit_test_teardown(name, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST_CASE(the_page_comes_compressed_with_its_policy),
        TEST_CASE(the_status_tells_of_this_board),
        TEST_CASE(an_answer_survives_a_socket_that_takes_little),
        TEST_CASE(an_answer_that_does_not_get_out_closes_the_connection),
#if ESP_BOARD_ANY_METHOD
        TEST_CASE(head_has_no_body),
        TEST_CASE(a_target_that_names_the_host_is_understood),
        TEST_CASE(another_method_is_refused_in_our_words),
#endif
        TEST_CASE(a_stream_gives_one_event_and_asks_to_come_again),
        TEST_CASE(headers_beyond_the_room_for_them_are_refused),
        TEST_CASE(a_page_of_another_site_is_refused),
        TEST_CASE(a_raw_upload_boots_and_stays),
        TEST_CASE(what_runs_already_is_not_written),
        TEST_CASE(a_form_upload_boots_and_stays),
        TEST_CASE(a_gzip_upload_boots_and_stays),
        TEST_CASE(any_split_of_the_body_will_do),
        TEST_CASE(a_timeout_at_the_first_read_loses_nothing),
        TEST_CASE(the_server_loses_early_bytes_where_the_peer_closes),
        TEST_CASE(a_connection_that_ends_ends_the_upload),
        TEST_CASE(an_upload_that_breaks_off_goes_on),
        TEST_CASE(the_limits_of_uploads_that_go_on),
        TEST_CASE(a_silent_sender_is_given_up),
        TEST_CASE(a_busy_robot_says_no_before_the_body),
        TEST_CASE(a_sender_that_waits_is_told_to_go_on),
        TEST_CASE(a_wrong_file_is_refused_and_its_rest_dropped),
        TEST_CASE(a_damaged_image_is_refused_at_its_end),
        TEST_CASE(a_refused_body_is_not_read_for_ever),
        TEST_CASE(a_server_of_its_own_refuses_everything_in_our_words),
        TEST_CASE(a_body_in_chunks_is_refused),
        TEST_CASE(a_length_beyond_32_bits_closes_the_connection),
        TEST_CASE(an_upload_whose_answer_is_lost_still_counts),
#if ESP_BOARD_HANDS_OVER
        TEST_CASE(status_is_answered_while_an_upload_runs),
        TEST_CASE(a_second_upload_is_told_to_wait),
        TEST_CASE(an_upload_while_another_is_dropped_is_taken_here),
        TEST_CASE(without_heap_the_server_takes_the_upload_itself),
        TEST_CASE(the_routes_stay_while_an_upload_runs),
        TEST_CASE(a_task_woken_for_nothing_sleeps_on),
#else
        TEST_CASE(the_server_takes_the_upload_itself),
#endif
        TEST_CASE(a_failed_health_check_brings_the_old_firmware_back),
        TEST_CASE(a_deadline_brings_the_old_firmware_back),
        TEST_CASE(a_crash_brings_the_old_firmware_back),
        TEST_CASE(a_power_cut_in_the_trial_is_tried_again),
        TEST_CASE(a_rollback_by_request),
        TEST_CASE(a_restart_by_request_comes_after_its_answer),
        TEST_CASE(every_route_is_mounted_and_taken_off_again),
        TEST_CASE(a_server_without_room_gets_no_routes_at_all),
        TEST_CASE(a_server_with_a_small_stack_gets_no_routes_either),
        TEST_CASE(a_server_that_does_not_answer_is_believed),
        TEST_CASE(addresses_that_people_try_lead_to_the_page),
        TEST_CASE(what_the_application_has_at_such_an_address_stays),
        TEST_CASE(the_applications_routes_are_served_beside),
        TEST_CASE(a_configuration_that_cannot_be_is_refused),
        TEST_CASE(a_board_without_slots_starts_and_says_why_not),
        TEST_CASE(a_board_without_a_store_still_updates),
        TEST_CASE(a_server_of_our_own),
        TEST_CASE(a_port_that_is_taken_is_an_error),
        TEST_CASE(an_upload_through_tls),
        TEST_CASE(a_route_sees_query_headers_and_sender),
    };
    struct sample_spec spec = {SAMPLE_DEFAULT, .version = "1.0.0", .size = 9000, .seed = 1};

    v1 = sample_image(&spec, &v1_len);
    spec.version = "2.0.0";
    spec.seed = 2;
    v2 = sample_image(&spec, &v2_len);
    int failed = cmocka_run_group_tests_name("esp_idf_http", tests, NULL, NULL);
    free(v1);
    free(v2);
    return failed;
}
