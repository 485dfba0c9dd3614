/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "http_client.h"
#include "images.h"
#include "oracle.h"
#include "packed.h"
#include "update/common.h"
#include "world.h"
#include <cmocka.h>

/* Resumable uploads by tus 1.0, through the routes and a whole device over the emulated board: what is safe,
 * what a broken connection and a restart cost, who may go on. The images are longer than two of the steps in
 * which the store keeps how far one has come. */

#define STEP 8192u
#define TUS                      \
    {                            \
        "Tus-Resumable", "1.0.0" \
    }
#define PIECE                                             \
    {                                                     \
        "Content-Type", "application/offset+octet-stream" \
    }
#define SLOT_1 0x20000u

static struct world w;
static struct http_client client, second;
static bool without;

static int make_images(void **state)
{
    (void)state;
    return images_make_of(40000);
}

static void configure(void *ctx, struct otapult_config *config)
{
    static const struct otapult_decoder *const decoders[] = {&otapult_gzip, NULL};
    static uint64_t memory[OTAPULT_GZIP_RAM / sizeof(uint64_t)];

    (void)ctx;
    config->resumable = without ? NULL : &otapult_resumable;
    config->resume_step = STEP;
    config->decoders = decoders;
    config->decoder_memory = memory;
    config->decoder_memory_size = sizeof memory;
}

static int set_up(void **state)
{
    (void)state;
    without = false;
    world_init(&w, WORLD_TWO_OTA, v1, v1_len);
    w.configure = configure;
    assert_true(world_boot(&w));
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    world_end(&w);
    return 0;
}

/* ---- a client of tus ---- */

static char upload[80]; /* the query that names it */

static enum otapult_http_next ask_as(struct http_client *c, const char *method, const char *query,
                                     const struct http_header *headers)
{
    const struct otapult_request line = {.method = method, .path = "/api/ota/uploads", .query = query};
    struct otapult_site site;

    otapult_site(&site, w.ota);
    return http_client_begin(c, &site, 1, &line, headers);
}

static enum otapult_http_next ask(const char *method, const char *query, const struct http_header *headers)
{
    return ask_as(&client, method, query, headers);
}

static const char *number(size_t n)
{
    static char text[4][24];
    static unsigned turn;

    char *t = text[turn++ % 4];
    snprintf(t, sizeof text[0], "%zu", n);
    return t;
}

/* A line of the answer's head; -1: it is not there. */
static long header(const char *name)
{
    const char *line = strstr(client.more, name);

    return line == NULL ? -1 : strtol(line + strlen(name) + 2, NULL, 10);
}

static void create(const char *options, size_t len)
{
    ask("POST", options, HEADERS(TUS, {"Upload-Length", number(len)}, {"Content-Length", "0"}));
    assert_int_equal(client.status, 201);
    const char *location = strstr(client.more, "Location: uploads?");
    assert_non_null(location);
    assert_int_equal(sscanf(location, "Location: uploads?%79[^\r]", upload), 1);
    assert_int_equal(strlen(upload), strlen("upload=") + 32);
    assert_non_null(strstr(client.more, "Tus-Resumable: 1.0.0\r\n"));
}

static long offset(void)
{
    ask("HEAD", upload, HEADERS(TUS));
    assert_int_equal(client.status, 200);
    assert_non_null(strstr(client.more, "Cache-Control: no-store"));
    return header("Upload-Offset");
}

static enum otapult_http_next begin_as(struct http_client *c, size_t at, size_t len)
{
    return ask_as(c, "PATCH", upload,
                  HEADERS(TUS, PIECE, {"Upload-Offset", number(at)}, {"Content-Length", number(len)}));
}

/* Sends file[at .. at + len) whole. */
static void patch(const uint8_t *file, size_t at, size_t len)
{
    if (begin_as(&client, at, len) != OTAPULT_HTTP_BODY)
        return;
    if (http_client_send(&client, file + at, len, 1000) == OTAPULT_HTTP_BODY)
        otapult_http_end(&client.x);
}

/* Announces all that is left, sends len bytes, and the connection ends. */
static void break_off(const uint8_t *file, size_t total, size_t at, size_t len)
{
    assert_int_equal(begin_as(&client, at, total - at), OTAPULT_HTTP_BODY);
    assert_int_equal(http_client_send(&client, file + at, len, 1000), OTAPULT_HTTP_BODY);
    otapult_http_lost(&client.x);
}

static struct otapult_status status(void)
{
    struct otapult_status s;

    otapult_status(w.ota, &s);
    return s;
}

static void assert_error(int status_code, const char *code)
{
    char member[60];

    snprintf(member, sizeof member, "\"code\":\"%s\"", code);
    if (client.status != status_code || strstr(client.text, member) == NULL)
        fail_msg("%d %s", client.status, client.text);
    assert_non_null(strstr(client.more, "Tus-Resumable: 1.0.0\r\n"));
}

static void restart(void)
{
    world_pull_plug(&w);
    assert_true(world_boot(&w));
}

static void assert_runs(const char *version)
{
    assert_true(world_settle(&w));
    assert_string_equal(world_version(&w), version);
    assert_int_equal(status().claim, OTAPULT_FREE);
}

/* ---- the good way ---- */

static void a_file_in_pieces(void **state)
{
    (void)state;
    for (size_t piece = 7000; piece < 60000; piece += 13001) {
        const uint8_t *file = piece % 2 == 0 ? v2 : v3;
        const size_t len = file == v2 ? v2_len : v3_len;
        create("", len);
        assert_int_equal(offset(), 0);
        assert_int_equal(header("Upload-Length"), len);
        for (size_t at = 0; at < len; at += piece) {
            patch(file, at, len - at < piece ? len - at : piece);
            assert_int_equal(client.status, 204);
            assert_int_equal(header("Upload-Offset"), len - at < piece ? len : at + piece);
            assert_int_equal(client.len, 0);
        }
        assert_int_equal(status().phase, OTAPULT_REBOOTING);
        assert_int_equal(offset(), len); /* the answer may have been lost */
        assert_runs(file == v2 ? "2.0.0" : "3.0.0");
    }
}

static void it_is_staged_where_that_is_asked_for(void **state)
{
    (void)state;
    create("activate=later", v2_len);
    patch(v2, 0, v2_len);
    assert_int_equal(client.status, 204);
    assert_string_equal(status().staged.version, "2.0.0");
    assert_int_equal(offset(), v2_len);
    patch(v2, v2_len, 0); /* a client that is not sure */
    assert_int_equal(client.status, 204);
    assert_runs("1.0.0");
}

static void limits_are_told(void **state)
{
    (void)state;
    ask("OPTIONS", "", NULL);
    assert_int_equal(client.status, 204);
    assert_non_null(strstr(client.more, "Tus-Version: 1.0.0\r\n"));
    assert_non_null(strstr(client.more, "Tus-Extension: creation,termination\r\n"));
    assert_int_equal(header("Tus-Max-Size"), 0x10000);
}

/* ---- broken connections ---- */

static void a_broken_connection_costs_nothing_that_came(void **state)
{
    (void)state;
    create("", v2_len);
    for (size_t at = 0; at < 36000; at += 9001) {
        break_off(v2, v2_len, at, 9001);
        w.clock += 20000; /* longer than an upload may be silent */
        otapult_poll(w.ota);
        assert_int_equal(offset(), at + 9001);
        assert_int_equal(status().phase, OTAPULT_RECEIVING);
    }
    patch(v2, 36004, v2_len - 36004);
    assert_int_equal(client.status, 204);
    assert_runs("2.0.0");
}

static void it_gives_way_after_resume_ms_and_not_before(void **state)
{
    struct otapult_log_entry e;
    (void)state;

    create("", v2_len);
    break_off(v2, v2_len, 0, 9000);
    w.clock += 119999;
    otapult_poll(w.ota);
    assert_int_equal(offset(), 9000);
    assert_int_equal(world_upload(&w, v3, v3_len, 4096), OTAPULT_E_BUSY);
    w.clock += 1;
    otapult_poll(w.ota);
    ask("HEAD", upload, HEADERS(TUS));
    assert_error(404, "no_such_upload");
    assert_true(otapult_log_entry(w.ota, 0, &e));
    assert_string_equal(e.code, "stalled");
    assert_int_equal(w.holds, 0);
    assert_int_equal(world_upload(&w, v3, v3_len, 4096), 0);
    assert_runs("3.0.0");
}

static void come_back(void *app, bool on)
{
    (void)app;
    if (on)
        return;
    ask("HEAD", upload, HEADERS(TUS));
    assert_error(404, "no_such_upload");
    begin_as(&client, 9000, v2_len - 9000);
    assert_error(404, "no_such_upload");
    ask("DELETE", upload, HEADERS(TUS));
    assert_error(404, "no_such_upload");
}

static void configure_coming_back(void *ctx, struct otapult_config *config)
{
    configure(ctx, config);
    config->hold = come_back;
}

/* The journal is written before the device is free, and a client may ask meanwhile. */
static void who_comes_back_while_it_ends_is_too_late(void **state)
{
    (void)state;
    w.configure = configure_coming_back;
    restart();
    create("", v2_len);
    break_off(v2, v2_len, 0, 9000);
    w.clock += 120000;
    otapult_poll(w.ota);
    assert_int_equal(status().claim, OTAPULT_FREE);
    assert_int_equal(world_upload(&w, v3, v3_len, 4096), 0);
}

static void the_device_is_not_held_for_ever(void **state)
{
    (void)state;
    create("", v2_len);
    for (unsigned n = 0; n < 36; n++) { /* a byte now and then, for an hour */
        patch(v2, n, 1);
        w.clock += 100001;
        otapult_poll(w.ota);
    }
    ask("HEAD", upload, HEADERS(TUS));
    assert_error(404, "no_such_upload");
}

/* The last byte came and the connection ended with it: nobody would send another request. */
static void a_connection_that_ends_with_the_last_byte_has_ended_well(void **state)
{
    (void)state;
    create("", v2_len);
    break_off(v2, v2_len, 0, v2_len);
    assert_int_equal(status().phase, OTAPULT_REBOOTING);
    assert_runs("2.0.0");
}

static void who_comes_back_takes_the_place_of_the_connection_that_hangs(void **state)
{
    (void)state;
    create("", v2_len);
    assert_int_equal(begin_as(&second, 0, v2_len), OTAPULT_HTTP_BODY);
    assert_int_equal(http_client_send(&second, v2, 5000, 1000), OTAPULT_HTTP_BODY);
    assert_int_equal(offset(), 5000);
    patch(v2, 5000, 5000);
    assert_int_equal(client.status, 204);
    assert_int_equal(http_client_send(&second, v2 + 5000, 1000, 1000), OTAPULT_HTTP_ANSWERED);
    assert_non_null(strstr(second.text, "\"connection_lost\""));
    assert_int_equal(offset(), 10000);
    patch(v2, 10000, v2_len - 10000);
    assert_runs("2.0.0");
}

/* ---- what is refused ---- */

static void a_wrong_offset_is_told_the_right_one(void **state)
{
    static const size_t wrong[] = {0, 6999, 7001, 40000, 4294967294};
    (void)state;

    create("", v2_len);
    break_off(v2, v2_len, 0, 7000);
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        begin_as(&client, wrong[i], 1);
        assert_error(409, "upload_offset");
        assert_int_equal(header("Upload-Offset"), 7000);
    }
    assert_int_equal(offset(), 7000);
}

static void a_request_that_is_no_tus_is_refused(void **state)
{
    (void)state;
    create("", v2_len);
    ask("HEAD", upload, HEADERS({"Host", "10.0.0.1"}));
    assert_error(412, "tus_version");
    assert_non_null(strstr(client.more, "Tus-Version: 1.0.0\r\n"));
    ask("PATCH", upload,
        HEADERS(TUS, {"Content-Type", "application/octet-stream"}, {"Upload-Offset", "0"},
                {"Content-Length", "1"}));
    assert_error(415, "content_type");
    ask("PATCH", upload, HEADERS(TUS, PIECE, {"Content-Length", "1"}));
    assert_error(400, "bad_request");
    begin_as(&client, 0, v2_len + 1);
    assert_error(400, "bad_request");
    assert_int_equal(offset(), 0);
    for (const char *const *length = (const char *const[]){"0", "x", "-1", "+1", "0x9", "9 ", "", NULL};
         *length != NULL; length++) {
        ask("POST", "", HEADERS(TUS, {"Upload-Length", *length}, {"Content-Length", "0"}));
        assert_error(400, "bad_request");
    }
    ask("POST", "activate=now", HEADERS(TUS, {"Upload-Length", "9"}, {"Content-Length", "0"}));
    assert_error(400, "bad_request");
}

static const char *const huge[] = {"65537",      "4294967294", "4294967295",
                                   "4294967296", "8589934592", "99999999999999999999999"};

static void what_no_slot_holds_is_too_large(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof huge / sizeof *huge; i++) {
        ask("POST", "", HEADERS(TUS, {"Upload-Length", huge[i]}, {"Content-Length", "0"}));
        assert_error(413, "image_too_large");
    }
    create("", v2_len);
    for (size_t i = 0; i < sizeof huge / sizeof *huge; i++) {
        ask("PATCH", upload, HEADERS(TUS, PIECE, {"Upload-Offset", huge[i]}, {"Content-Length", "1"}));
        assert_error(409, "upload_offset");
    }
    assert_int_equal(offset(), 0);
}

static char said[200]; /* the last line of the console */

static void keep_line(void *ctx, enum otapult_log_level level, const char *line)
{
    (void)ctx;
    (void)level;
    snprintf(said, sizeof said, "%s", line);
}

static void listen(void *ctx, struct otapult_port *port)
{
    (void)ctx;
    port->log = keep_line;
}

static void a_refusal_by_the_headers_has_its_line(void **state)
{
    (void)state;
    w.wrap = listen;
    restart();
    ask("POST", "", HEADERS(TUS, {"Upload-Length", "0"}, {"Content-Length", "0"}));
    assert_string_equal(said, "update refused: bad_request, by anyone: no Upload-Length from 1 on");
    ask("POST", "boot=x", HEADERS(TUS, {"Upload-Length", "900"}, {"Content-Length", "0"}));
    assert_non_null(strstr(said, "update refused: bad_request, 900 bytes, by anyone: "));
    w.wrap = NULL;
}

static void only_one_at_a_time_and_nobody_guesses_it(void **state)
{
    char mine[80];
    (void)state;

    create("", v2_len);
    break_off(v2, v2_len, 0, 7000);
    ask("POST", "", HEADERS(TUS, {"Upload-Length", "9"}, {"Content-Length", "0"}));
    assert_error(409, "busy");
    strcpy(mine, upload);
    for (size_t at = 7; at < 39; at++) {
        strcpy(upload, mine);
        upload[at] = upload[at] == '0' ? '1' : '0';
        ask("HEAD", upload, HEADERS(TUS));
        assert_error(404, "no_such_upload");
        begin_as(&client, 7000, 1);
        assert_error(404, "no_such_upload");
        ask("DELETE", upload, HEADERS(TUS));
        assert_error(404, "no_such_upload");
    }
    for (size_t len = 0; len < 39; len++) {
        snprintf(upload, sizeof upload, "%.*s", (int)len, mine);
        ask("DELETE", upload, HEADERS(TUS));
        assert_error(404, "no_such_upload");
    }
    strcpy(upload, "upload=0000000000000000000000000000000g");
    ask("HEAD", upload, HEADERS(TUS));
    assert_error(404, "no_such_upload");
    strcpy(upload, mine);
    assert_int_equal(offset(), 7000);
}

static void nobody_elses(void **state)
{
    struct otapult_upload found;
    (void)state;

    create("", v2_len);
    assert_int_equal(otapult_find_upload(w.ota, "anyone", w.ota->upload.token, &found), 0);
    assert_int_equal(otapult_find_upload(w.ota, "token ci", w.ota->upload.token, &found),
                     OTAPULT_E_NO_UPLOAD);
    assert_int_equal(otapult_find_upload(w.ota, "", w.ota->upload.token, &found), OTAPULT_E_NO_UPLOAD);
}

/* The longest name is whole in the store. */
static void whose_it_is_survives_a_restart(void **state)
{
    static const struct otapult_update_options plain;
    char by[OTAPULT_WHO_NAME] = "token ";
    struct otapult_upload made, found;
    struct otapult_update past;
    struct otapult_finding why;
    (void)state;

    memset(by + 6, 'x', sizeof by - 7);
    assert_int_equal(otapult_create_upload(w.ota, by, &plain, (uint32_t)v2_len, &made, &past, &why), 0);
    restart();
    assert_int_equal(otapult_find_upload(w.ota, by, made.token, &found), 0);
    assert_memory_equal(found.token, made.token, sizeof made.token);
    assert_int_equal(found.length, v2_len);
    by[sizeof by - 2] = 'y';
    assert_int_equal(otapult_find_upload(w.ota, by, made.token, &found), OTAPULT_E_NO_UPLOAD);
}

static int no_random(void *ctx, void *dst, size_t len)
{
    (void)ctx;
    (void)dst;
    (void)len;
    return OTAPULT_E_INTERNAL;
}

static void make_predictable(void *ctx, struct otapult_port *port)
{
    (void)ctx;
    port->random = no_random;
}

/* Sixteen bytes are a name's; then its update has begun. */
static int random_after_an_end(void *ctx, void *dst, size_t len)
{
    struct otapult_finding why;
    (void)ctx;

    memset(dst, 7, len);
    if (len == 16)
        assert_int_equal(otapult_end_update(w.ota, &why), 0);
    return 0;
}

static void end_what_begins(void *ctx, struct otapult_port *port)
{
    (void)ctx;
    port->random = random_after_an_end;
}

static void one_that_was_ended_before_it_had_its_name_is_none(void **state)
{
    (void)state;
    w.wrap = end_what_begins;
    restart();
    ask("POST", "", HEADERS(TUS, {"Upload-Length", number(v2_len)}, {"Content-Length", "0"}));
    assert_error(404, "no_such_upload");
    assert_int_equal(status().claim, OTAPULT_FREE);
    assert_false(w.ota->resumable);
    restart();
    assert_int_equal(w.ota->upload.length, 0);
    w.wrap = NULL;
    restart();
    create("", v2_len);
    patch(v2, 0, v2_len);
    assert_runs("2.0.0");
}

/* As on a board whose radio is off; in this profile anybody may upload anyway. */
static void without_random_numbers_each_has_another_name_all_the_same(void **state)
{
    char first[80];
    (void)state;

    w.wrap = make_predictable;
    restart();
    create("", v2_len);
    strcpy(first, upload);
    ask("DELETE", upload, HEADERS(TUS));
    create("", v2_len);
    assert_string_not_equal(upload, first);
    patch(v2, 0, v2_len);
    assert_int_equal(client.status, 204);
    w.wrap = NULL;
}

static void a_wrong_file_ends_it(void **state)
{
    uint8_t other[400];
    (void)state;

    memcpy(other, v2, sizeof other);
    other[12] ^= 1;
    create("", sizeof other);
    patch(other, 0, sizeof other);
    assert_error(422, "image_wrong_chip");
    ask("HEAD", upload, HEADERS(TUS));
    assert_error(404, "no_such_upload");
    assert_int_equal(status().claim, OTAPULT_FREE);
    assert_int_equal(w.holds, 0);
}

static void its_owner_gives_it_up(void **state)
{
    (void)state;
    create("", v2_len);
    break_off(v2, v2_len, 0, 7000);
    ask("DELETE", upload, HEADERS(TUS));
    assert_int_equal(client.status, 204);
    assert_int_equal(status().claim, OTAPULT_FREE);
    ask("DELETE", upload, HEADERS(TUS));
    assert_error(404, "no_such_upload");
    create("", v2_len); /* and an administrator */
    struct otapult_finding why;
    assert_int_equal(otapult_end_update(w.ota, &why), 0);
    ask("HEAD", upload, HEADERS(TUS));
    assert_error(404, "no_such_upload");
    restart();
    ask("HEAD", upload, HEADERS(TUS));
    assert_error(404, "no_such_upload");
}

static void one_that_was_sent_before_is_answered_at_once(void **state)
{
    (void)state;
    create("activate=later&id=12345678", v2_len);
    patch(v2, 0, v2_len);
    assert_int_equal(client.status, 204);
    ask("POST", "activate=later&id=12345678",
        HEADERS(TUS, {"Upload-Length", number(v2_len)}, {"Content-Length", "0"}));
    assert_int_equal(client.status, 200);
    assert_non_null(strstr(client.text, "\"2.0.0\""));
    assert_int_equal(status().claim, OTAPULT_FREE);
}

static bool gives_up;

static void give_up_meanwhile(struct world *world)
{
    if (!gives_up || !world->ota->inside)
        return;
    gives_up = false;
    ask_as(&second, "DELETE", upload, HEADERS(TUS));
    assert_int_equal(second.status, 204);
    assert_int_equal(status().claim,
                     OTAPULT_FOR_UPLOAD); /* whoever writes has the slot until he is out of it */
}

static void one_that_is_given_up_while_bytes_come_is_over_behind_them(void **state)
{
    (void)state;
    create("", v2_len);
    assert_int_equal(begin_as(&client, 0, v2_len), OTAPULT_HTTP_BODY);
    gives_up = true;
    w.unlocked = give_up_meanwhile;
    assert_int_equal(http_client_send(&client, v2, 20000, 20000), OTAPULT_HTTP_ANSWERED);
    w.unlocked = NULL;
    assert_false(gives_up);
    assert_error(409, "upload_ended");
    assert_int_equal(status().claim, OTAPULT_FREE);
    assert_int_equal(w.holds, 0);
}

/* ---- between two looks ---- */

static unsigned turn;   /* behind so many unlocks somebody else's turn comes; 0: it does not */
static uint32_t theirs; /* the ticket of what somebody else has begun then; 0: nothing */

/* He ends what runs, sends something of his own, and has not done yet. */
static void somebody_else(struct world *world)
{
    static const struct otapult_update_options plain;
    struct otapult_finding why;

    if (turn == 0 || --turn != 0)
        return;
    if (otapult_end_update_by(world->ota, "token ci", &why) == OTAPULT_E_REBOOTING)
        return;
    if (otapult_begin_by(world->ota, "token ci", &plain, (uint32_t)v3_len, &theirs, NULL, &why) == 0)
        assert_int_equal(otapult_feed(world->ota, theirs, v3, 9000, &why), 0);
}

/* Asks for that, once for each moment in which his turn may come, each time from the state before. Nothing of
 * his is touched, and what waits of him in the store neither. */
static void assert_disturbs_nobody(void (*prepare)(void), void (*request)(void))
{
    static uint8_t before[WORLD_FLASH];
    struct otapult_finding why;

    prepare();
    world_save(&w, before);
    for (unsigned n = 1, met = 1; met != 0; n++) {
        world_restore(&w, before);
        assert_true(world_boot(&w));
        prepare();
        theirs = 0;
        turn = n;
        w.unlocked = somebody_else;
        request();
        w.unlocked = NULL;
        met = turn == 0;
        if (theirs != 0)
            assert_int_equal(otapult_has_ended(w.ota, theirs), 0);
        if (theirs != 0)
            assert_int_equal(otapult_feed(w.ota, theirs, v3 + 9000, v3_len - 9000, &why), 0);
    }
}

static void prepare_half(void)
{
    create("", v2_len);
    break_off(v2, v2_len, 0, 20000);
}

static void prepare_half_before_a_restart(void)
{
    prepare_half();
    restart();
}

static void give_up(void)
{
    ask("DELETE", upload, HEADERS(TUS));
}

static void go_on_behind(void)
{
    begin_as(&client, 16384, v2_len - 16384);
}

static void who_gives_up_ends_nobody_elses(void **state)
{
    (void)state;
    assert_disturbs_nobody(prepare_half, give_up);
    assert_disturbs_nobody(prepare_half_before_a_restart, give_up);
}

static void who_goes_on_disturbs_nobody_else(void **state)
{
    (void)state;
    assert_disturbs_nobody(prepare_half_before_a_restart, go_on_behind);
}

static void come_and_go(struct world *world)
{
    if (turn == 0 || --turn != 0)
        return;
    assert_int_not_equal(world_upload(world, v3, 20000, 4096), 0);
}

/* Another has taken the slot, and is over, when the device is free for who goes on: nothing of his is there.
 */
static void who_goes_on_too_late_is_told_so(void **state)
{
    (void)state;
    prepare_half_before_a_restart();
    turn = 1;
    w.unlocked = come_and_go;
    go_on_behind();
    w.unlocked = NULL;
    assert_error(404, "no_such_upload");
    assert_int_equal(status().claim, OTAPULT_FREE);
}

static void who_does_not_name_it_has_no_such_address(void **state)
{
    static const char *const methods[] = {"HEAD", "POST", "PATCH", "DELETE", "OPTIONS"};
    (void)state;

    without = true;
    restart();
    for (size_t i = 0; i < 5; i++) {
        ask(methods[i], "", HEADERS(TUS));
        assert_int_equal(client.status, 404);
    }
}

/* Whatever the device is doing: what is safe is safe. */
static void look_at_what_is_safe(struct world *world)
{
    static bool looks;

    if (looks)
        return;
    looks = true;
    ask_as(&second, "HEAD", upload, HEADERS(TUS));
    assert_int_equal(second.status, 200);
    assert_non_null(strstr(second.more, "Upload-Offset: 16384\r\n"));
    assert_true(status().phase != OTAPULT_RECEIVING || status().received == 16384 || !world->ota->resumable);
    looks = false;
}

static void what_is_safe_is_told_while_it_is_read_back(void **state)
{
    (void)state;
    prepare_half_before_a_restart();
    assert_int_equal(offset(), 16384);
    w.unlocked = look_at_what_is_safe;
    assert_int_equal(begin_as(&client, 16384, v2_len - 16384), OTAPULT_HTTP_BODY);
    w.unlocked = NULL;
    assert_int_equal(http_client_send(&client, v2 + 16384, v2_len - 16384, 1000), OTAPULT_HTTP_BODY);
    otapult_http_end(&client.x);
    assert_runs("2.0.0");
}

/* ---- one that waits, and another that comes to nothing ---- */

static void is_given_up(void)
{
    give_up();
    assert_int_equal(client.status, 204);
}

static void is_no_firmware(void)
{
    static const uint8_t text[20] = "What is this, then?";

    patch(text, 0, sizeof text);
    assert_int_not_equal(client.status, 204);
}

static void is_ended_by_somebody(void)
{
    struct otapult_finding why;

    assert_int_equal(otapult_end_update(w.ota, &why), 0);
}

static void is_what_runs(void)
{
    patch(v1, 0, v1_len);
}

static void one_that_writes_nothing_costs_no_other(void **state)
{
    static void (*const ends[])(void) = {is_given_up, is_no_firmware, is_ended_by_somebody, restart,
                                         is_what_runs};
    static const size_t sizes[] = {1100, 20, 1100, 1100, 0};
    char mine[sizeof upload];
    (void)state;

    for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++) {
        prepare_half_before_a_restart();
        memcpy(mine, upload, sizeof mine);
        create("", sizes[i] != 0 ? sizes[i] : v1_len);
        ends[i]();
        if (ends[i] == is_what_runs)
            restart();
        memcpy(upload, mine, sizeof upload);
        assert_int_equal(offset(), 16384);
        patch(v2, 16384, v2_len - 16384);
        assert_int_equal(client.status, 204);
        assert_runs("2.0.0");
        tear_down(NULL);
        set_up(NULL);
    }
}

static void one_that_writes_takes_its_place(void **state)
{
    char mine[sizeof upload];
    (void)state;

    prepare_half_before_a_restart();
    memcpy(mine, upload, sizeof mine);
    create("", v3_len);
    break_off(v3, v3_len, 0, 20000);
    restart();
    assert_int_equal(offset(), 16384);
    patch(v3, 16384, v3_len - 16384);
    assert_int_equal(client.status, 204);
    assert_runs("3.0.0");
    memcpy(upload, mine, sizeof upload);
    ask("HEAD", upload, HEADERS(TUS));
    assert_error(404, "no_such_upload");
}

/* ---- restarts ---- */

static void a_restart_costs_less_than_a_step(void **state)
{
    (void)state;
    create("", v2_len);
    for (long at = 0; at + 9001 < (long)v2_len;) {
        break_off(v2, v2_len, (size_t)at, 9001);
        restart();
        assert_int_equal(status().claim, OTAPULT_FREE); /* it holds nothing */
        long safe = offset();
        assert_true(safe <= at + 9001 && safe > at + 9001 - (long)(STEP + 4096) && safe % 4096 == 0);
        assert_string_equal(oracle_boot(w.nor.data, WORLD_FLASH).image.version, "1.0.0");
        assert_true(safe > at);
        at = safe;
    }
    long rest = offset();
    patch(v2, (size_t)rest, v2_len - (size_t)rest);
    assert_int_equal(client.status, 204);
    assert_memory_equal(w.nor.data + SLOT_1, v2, v2_len);
    assert_runs("2.0.0");
    ask("HEAD", upload, HEADERS(TUS));
    assert_error(404, "no_such_upload");
}

/* It differs from what runs in its first sector, and in its last. */
static void what_is_almost_what_runs_goes_on_too(void **state)
{
    size_t len;
    uint8_t *file = images_one("2.0.0", 1, 40000, &len);
    (void)state;

    create("", len);
    break_off(file, len, 0, 20000);
    restart();
    assert_int_equal(offset(), 16384);
    patch(file, 16384, len - 16384);
    assert_int_equal(client.status, 204);
    assert_memory_equal(w.nor.data + SLOT_1, file, len);
    free(file);
    assert_runs("2.0.0");
}

static void options_survive_a_restart(void **state)
{
    (void)state;
    create("activate=later&id=12345678", v2_len);
    break_off(v2, v2_len, 0, 20000);
    restart();
    long at = offset();
    patch(v2, (size_t)at, v2_len - (size_t)at);
    assert_int_equal(client.status, 204);
    assert_string_equal(status().staged.version, "2.0.0");
    assert_int_equal(status().staged.id, 0x12345678);
}

static void one_that_is_forced_is_so_behind_a_restart(void **state)
{
    (void)state;
    w.health = OTAPULT_HEALTH_FAIL;
    assert_int_equal(world_upload(&w, v2, v2_len, 4096), 0);
    assert_runs("1.0.0");
    w.health = OTAPULT_HEALTH_PASS;
    create("", v2_len);
    patch(v2, 0, v2_len);
    assert_error(409, "build_rejected_before");
    create("force=1", v2_len);
    break_off(v2, v2_len, 0, 20000);
    restart();
    patch(v2, 16384, v2_len - 16384);
    assert_int_equal(client.status, 204);
    assert_runs("2.0.0");
}

static void its_owner_gives_it_up_behind_a_restart_and_nobody_else(void **state)
{
    (void)state;
    create("", v2_len);
    break_off(v2, v2_len, 0, 20000);
    restart();
    upload[7] ^= 1; /* '0' is '1', 'a' is no digit and 'b' is 'c' */
    ask("DELETE", upload, HEADERS(TUS));
    assert_error(404, "no_such_upload");
    upload[7] ^= 1;
    assert_int_equal(offset(), 16384);
    ask("DELETE", upload, HEADERS(TUS));
    assert_int_equal(client.status, 204);
    assert_int_equal(status().claim, OTAPULT_FREE);
    for (unsigned n = 0; n < 2; n++) {
        ask("HEAD", upload, HEADERS(TUS));
        assert_error(404, "no_such_upload");
        restart();
    }
}

/* An image that fills its slot, all of which is there when the power goes; nobody has said that it ends. */
static void all_of_it_may_be_in_flash_already(void **state)
{
    size_t len;
    uint8_t *full = images_one("2.0.0", 2, 0x10000, &len);
    (void)state;

    assert_int_equal(len, 0x10000);
    create("", len);
    assert_int_equal(begin_as(&client, 0, len), OTAPULT_HTTP_BODY);
    assert_int_equal(http_client_send(&client, full, len, 1000), OTAPULT_HTTP_BODY);
    restart();
    assert_int_equal(offset(), len);
    patch(full, len, 0);
    assert_int_equal(client.status, 204);
    free(full);
    assert_runs("2.0.0");
}

/* The power went while the image's first bytes were written, and once more when the file came anew and its
 * first sector was erased for it: by then that sector says no more that it was whole once. */
static void a_slot_that_has_its_first_bytes_begins_again_and_stays_so(void **state)
{
    (void)state;
    create("", v2_len);
    break_off(v2, v2_len, 0, 20000);
    memcpy(w.nor.data + SLOT_1, v2, 16);
    restart();
    assert_int_equal(offset(), 0);
    memset(w.nor.data + SLOT_1, 0xFF, 4096);
    restart();
    assert_int_equal(offset(), 0);
    patch(v2, 0, v2_len);
    assert_int_equal(client.status, 204);
    assert_runs("2.0.0");
}

static void one_of_another_slot_begins_again(void **state)
{
    const struct otapult_port *port = &w.board.port;
    struct otapult_upload_note note;
    size_t len;
    (void)state;

    create("", v2_len);
    break_off(v2, v2_len, 0, 20000);
    assert_int_equal(port->kv_get(port->ctx, "ota.upload2", &note, sizeof note, &len), 0);
    note.slot = (int8_t)(1 - note.slot);
    assert_int_equal(port->kv_set(port->ctx, "ota.upload2", &note, sizeof note), 0);
    restart();
    assert_int_equal(offset(), 0);
    patch(v2, 0, v2_len);
    assert_int_equal(client.status, 204);
    assert_runs("2.0.0");
}

static int (*real_kv_set)(void *ctx, const char *key, const void *src, size_t len);
static unsigned notes; /* that were written, or removed */
static int store_error;

static int count_notes(void *ctx, const char *key, const void *src, size_t len)
{
    const bool is_note = strcmp(key, "ota.upload2") == 0;

    notes += is_note;
    return is_note && store_error != 0 ? store_error : real_kv_set(ctx, key, src, len);
}

static void watch_the_store(void *ctx, struct otapult_port *port)
{
    listen(ctx, port);
    real_kv_set = port->kv_set;
    port->kv_set = count_notes;
}

/* Flash wears by each: one when it begins, one for each step, none for a request, and none where nothing is
 * to go on. */
static void the_store_is_written_once_a_step(void **state)
{
    (void)state;
    w.wrap = watch_the_store;
    restart();
    notes = 0;
    assert_int_equal(world_stage(&w, v3, v3_len, 4096), 0);
    assert_int_equal(notes, 0);
    create("", v2_len);
    assert_int_equal(notes, 1);
    for (size_t at = 0; at < 20000; at += 1000)
        patch(v2, at, 1000);
    assert_int_equal(notes, 1 + 20000 / STEP);
    restart();
    patch(v2, 16384, 1000);
    assert_int_equal(client.status, 204);
    assert_int_equal(notes, 1 + 20000 / STEP);
    w.wrap = NULL;
}

static void a_store_that_fails_costs_only_what_it_would_have_kept(void **state)
{
    static const char line[] = "the store failed to keep how far an upload has come";
    (void)state;

    w.wrap = watch_the_store;
    restart();
    create("", v2_len);
    assert_string_not_equal(said, line);
    store_error = OTAPULT_E_INTERNAL;
    break_off(v2, v2_len, 0, 9000);
    assert_string_equal(said, line);
    store_error = 0;
    assert_int_equal(offset(), 9000);
    restart();
    assert_int_equal(offset(), 0);
    patch(v2, 0, v2_len);
    assert_int_equal(client.status, 204);
    w.wrap = NULL;
    assert_runs("2.0.0");
}

static void what_flash_has_is_not_believed(void **state)
{
    static uint8_t before[WORLD_FLASH];
    (void)state;

    create("", v2_len);
    break_off(v2, v2_len, 0, 20000);
    world_save(&w, before);
    for (uint32_t at = 16; at < 16384; at += 1009) {
        world_restore(&w, before);
        w.nor.data[SLOT_1 + at] ^= 1;
        assert_true(world_boot(&w));
        long safe = offset();
        assert_int_equal(safe, 16384);
        patch(v2, (size_t)safe, v2_len - (size_t)safe);
        assert_int_equal(client.status / 100, 4);
        assert_int_equal(status().claim, OTAPULT_FREE);
        assert_string_equal(oracle_boot(w.nor.data, WORLD_FLASH).image.version, "1.0.0");
        ask("HEAD", upload, HEADERS(TUS));
        assert_error(404, "no_such_upload"); /* it does not fail so for ever */
    }
}

static void another_update_takes_its_slot(void **state)
{
    (void)state;
    create("", v2_len);
    break_off(v2, v2_len, 0, 20000);
    restart();
    assert_int_equal(world_upload(&w, v3, 287, 287), OTAPULT_E_IMAGE_TRUNCATED); /* it erases nothing */
    assert_int_equal(offset(), 16384);
    assert_int_equal(world_upload(&w, v3, v3_len - 9, 4096), OTAPULT_E_IMAGE_TRUNCATED);
    ask("HEAD", upload, HEADERS(TUS));
    assert_error(404, "no_such_upload");
    restart();
    ask("HEAD", upload, HEADERS(TUS));
    assert_error(404, "no_such_upload");
}

static void a_robot_that_drives_is_asked_again_later(void **state)
{
    (void)state;
    create("", v2_len);
    break_off(v2, v2_len, 0, 20000);
    restart();
    w.ready = false;
    begin_as(&client, 16384, 1);
    assert_error(423, "not_ready");
    w.ready = true;
    assert_int_equal(offset(), 16384);
    patch(v2, 16384, v2_len - 16384);
    assert_runs("2.0.0");
}

/* ---- packed files behind a restart ---- */

static uint8_t *gz;
static size_t gz_len;

static void break_off_packed(size_t len)
{
    gz = packed_in_blocks(v2, v2_len, PACKED_BLOCK, &gz_len);
    create("", gz_len);
    break_off(gz, gz_len, 0, len);
}

static void send_the_rest(const uint8_t *file, size_t len)
{
    size_t at = (size_t)offset();

    patch(file, at, len - at);
}

/* What the image has is all but incompressible, so offsets of the two are about the same. */
static void a_packed_file_goes_on_in_a_boot_and_behind_a_restart(void **state)
{
    long safe = 0;
    (void)state;

    break_off_packed(9001);
    assert_int_equal(offset(), 9001);
    patch(gz, 9001, 9000);
    assert_int_equal(header("Upload-Offset"), 18001);
    for (size_t more = 0; more < 3; more++) {
        long before = safe;
        restart();
        safe = offset();
        assert_in_range(safe, before + 1, 18001 + 9000 * more);
        assert_in_range(safe, 18001 + 9000 * more - STEP - PACKED_BLOCK - 4096, 18001 + 9000 * more);
        patch(gz, (size_t)safe,
              27001 + 9000 * more - (size_t)safe < gz_len - (size_t)safe ? 27001 + 9000 * more - (size_t)safe
                                                                         : gz_len - (size_t)safe);
        assert_int_equal(client.status, 204);
    }
    free(gz);
    assert_memory_equal(w.nor.data + SLOT_1, v2, v2_len);
    assert_runs("2.0.0");
    ask("HEAD", upload, HEADERS(TUS));
    assert_error(404, "no_such_upload");
}

/* It is at 12000 of the image, which is 11896 of the file; the sector that it lies in ends at 12288. */
static void a_point_counts_when_its_sector_is_in_flash(void **state)
{
    (void)state;
    for (size_t came = 12000; came <= 13000; came += 500) {
        break_off_packed(came);
        restart();
        assert_int_equal(offset(), came == 12000 ? 0 : 11896);
        send_the_rest(gz, gz_len);
        assert_int_equal(client.status, 204);
        free(gz);
        assert_runs("2.0.0");
        tear_down(state);
        set_up(state);
    }
}

/* The last of what came is the end of a sector and of a block. */
static void a_point_may_lie_between_two_sectors(void **state)
{
    (void)state;
    gz = packed_in_blocks(v2, v2_len, 4096, &gz_len);
    create("", gz_len);
    break_off(gz, gz_len, 0, 12700);
    restart();
    assert_in_range(offset(), 12000, 12700);
    send_the_rest(gz, gz_len);
    assert_int_equal(client.status, 204);
    free(gz);
    assert_runs("2.0.0");
}

/* One block is the whole file: then there is no place to go on at. */
static void one_without_a_point_begins_again(void **state)
{
    (void)state;
    gz = packed_in_blocks(v2, v2_len, v2_len, &gz_len);
    create("", gz_len);
    break_off(gz, gz_len, 0, 12000);
    restart();
    send_the_rest(gz, gz_len);
    assert_int_equal(client.status, 204);
    free(gz);
    assert_runs("2.0.0");
}

static void nothing_is_written_twice(void **state)
{
    (void)state;
    break_off_packed(20000);
    restart();
    assert_in_range(offset(), 1, 20000);
    for (uint32_t at = 16; at < 8192; at++) /* where flash takes a byte once, this would not go over it */
        assert_int_equal(w.nor.data[SLOT_1 + at], v2[at]);
    send_the_rest(gz, gz_len);
    assert_int_equal(client.status, 204);
    free(gz);
    assert_runs("2.0.0");
}

static void of_a_packed_file_neither_flash_nor_client_is_believed(void **state)
{
    static uint8_t before[WORLD_FLASH];
    size_t other_len;
    uint8_t *other = packed_in_blocks(v3, v3_len, PACKED_BLOCK, &other_len);
    (void)state;

    break_off_packed(20000);
    world_save(&w, before);
    for (uint32_t at = 15; at < 12288; at += 1009) {
        world_restore(&w, before);
        if (at > 15)
            w.nor.data[SLOT_1 + at] ^= 1;
        assert_true(world_boot(&w));
        assert_in_range(offset(), 9000, 20000);
        if (at > 15)
            send_the_rest(gz, gz_len);
        else
            send_the_rest(other, other_len);
        assert_int_equal(client.status / 100, 4);
        assert_int_equal(status().claim, OTAPULT_FREE);
        assert_string_equal(oracle_boot(w.nor.data, WORLD_FLASH).image.version, "1.0.0");
        ask("HEAD", upload, HEADERS(TUS));
        assert_error(404, "no_such_upload");
    }
    free(gz);
    free(other);
}

/* Whatever the store says, nothing boots but the very image, and the robot is free again. */
static void a_damaged_note_of_a_packed_file_activates_nothing(void **state)
{
    static uint8_t before[WORLD_FLASH];
    const struct otapult_port *port = &w.board.port;
    struct otapult_upload_note note;
    const size_t first = offsetof(struct otapult_upload_note, point);
    size_t len, went_on = 0;
    (void)state;

    break_off_packed(20000);
    world_save(&w, before);
    for (size_t bit = 0; bit < 8 * (sizeof note - first); bit++) {
        world_restore(&w, before);
        assert_true(world_boot(&w));
        assert_int_equal(port->kv_get(port->ctx, "ota.upload2", &note, sizeof note, &len), 0);
        ((uint8_t *)&note)[first + bit / 8] ^= (uint8_t)(1u << bit % 8);
        assert_int_equal(port->kv_set(port->ctx, "ota.upload2", &note, sizeof note), 0);
        restart();
        assert_in_range(offset(), 0, gz_len);
        send_the_rest(gz, gz_len);
        went_on += client.status == 204;
        if (client.status == 204) {
            assert_memory_equal(w.nor.data + SLOT_1 + 16, v2 + 16, v2_len - 16);
            continue;
        }
        assert_string_equal(oracle_boot(w.nor.data, WORLD_FLASH).image.version, "1.0.0");
        assert_int_equal(status().claim, OTAPULT_FREE);
    }
    assert_in_range(went_on, 1, 8 * (sizeof note - first) - 1);
    free(gz);
}

static void a_damaged_note_is_none(void **state)
{
    const struct otapult_port *port = &w.board.port;
    uint8_t note[256];
    size_t len;
    (void)state;

    create("", v2_len);
    break_off(v2, v2_len, 0, 20000);
    assert_int_equal(port->kv_get(port->ctx, "ota.upload2", note, sizeof note, &len), 0);
    assert_int_equal(port->kv_set(port->ctx, "ota.upload2", note, len - 1), 0);
    restart();
    ask("HEAD", upload, HEADERS(TUS));
    assert_error(404, "no_such_upload");
    note[52 + 4] ^= 1; /* somewhere in the numbers: no offset but a right one, or 0 */
    assert_int_equal(port->kv_set(port->ctx, "ota.upload2", note, len), 0);
    restart();
    assert_int_equal(offset() % 4096, 0);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(a_file_in_pieces),
        CASE(it_is_staged_where_that_is_asked_for),
        CASE(limits_are_told),
        CASE(a_broken_connection_costs_nothing_that_came),
        CASE(it_gives_way_after_resume_ms_and_not_before),
        CASE(who_comes_back_while_it_ends_is_too_late),
        CASE(the_device_is_not_held_for_ever),
        CASE(a_connection_that_ends_with_the_last_byte_has_ended_well),
        CASE(who_comes_back_takes_the_place_of_the_connection_that_hangs),
        CASE(a_wrong_offset_is_told_the_right_one),
        CASE(a_request_that_is_no_tus_is_refused),
        CASE(what_no_slot_holds_is_too_large),
        CASE(a_refusal_by_the_headers_has_its_line),
        CASE(only_one_at_a_time_and_nobody_guesses_it),
        CASE(nobody_elses),
        CASE(whose_it_is_survives_a_restart),
        CASE(one_that_was_ended_before_it_had_its_name_is_none),
        CASE(without_random_numbers_each_has_another_name_all_the_same),
        CASE(a_wrong_file_ends_it),
        CASE(its_owner_gives_it_up),
        CASE(one_that_was_sent_before_is_answered_at_once),
        CASE(one_that_is_given_up_while_bytes_come_is_over_behind_them),
        CASE(who_gives_up_ends_nobody_elses),
        CASE(who_goes_on_disturbs_nobody_else),
        CASE(who_goes_on_too_late_is_told_so),
        CASE(what_is_safe_is_told_while_it_is_read_back),
        CASE(one_that_writes_nothing_costs_no_other),
        CASE(one_that_writes_takes_its_place),
        CASE(who_does_not_name_it_has_no_such_address),
        CASE(a_restart_costs_less_than_a_step),
        CASE(what_is_almost_what_runs_goes_on_too),
        CASE(options_survive_a_restart),
        CASE(one_that_is_forced_is_so_behind_a_restart),
        CASE(its_owner_gives_it_up_behind_a_restart_and_nobody_else),
        CASE(all_of_it_may_be_in_flash_already),
        CASE(a_slot_that_has_its_first_bytes_begins_again_and_stays_so),
        CASE(one_of_another_slot_begins_again),
        CASE(the_store_is_written_once_a_step),
        CASE(a_store_that_fails_costs_only_what_it_would_have_kept),
        CASE(what_flash_has_is_not_believed),
        CASE(another_update_takes_its_slot),
        CASE(a_robot_that_drives_is_asked_again_later),
        CASE(a_packed_file_goes_on_in_a_boot_and_behind_a_restart),
        CASE(a_point_counts_when_its_sector_is_in_flash),
        CASE(a_point_may_lie_between_two_sectors),
        CASE(one_without_a_point_begins_again),
        CASE(nothing_is_written_twice),
        CASE(of_a_packed_file_neither_flash_nor_client_is_believed),
        CASE(a_damaged_note_of_a_packed_file_activates_nothing),
        CASE(a_damaged_note_is_none),
    };
    return cmocka_run_group_tests(tests, make_images, images_free);
}
