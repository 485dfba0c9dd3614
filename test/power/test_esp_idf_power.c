/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "esp_board.h"
#include "images.h"
#include "life.h"
#include "oracle.h"
#include "packed.h"

/* Power cuts on the ESP-IDF port: as test_power, with a request that an esp_http_server brings, the port's
 * tasks, esp_ota_set_boot_partition() and its like instead of our own writing of OTA data. Power goes at each
 * flash operation: before it, torn in it, after it. Then the oracle, which shares no code with either, says
 * that an old or a new image boots, whole; the board boots that one; and the next update ends well.
 *
 * A failing case prints the line that plays it alone. */

#define MAX_OPS     256
#define CRASH_LIMIT 5 /* by default */

struct cut {
    unsigned op; /* 0: none */
    enum nor_cut how;
    uint32_t torn;
};

struct scenario {
    const char *name;
    enum world_layout layout;
    void (*prepare)(void); /* from the factory state, uncut */
    void (*act)(void);     /* begins with power coming on */
    void (*again)(void);   /* behind each cut, before the next update; NULL: nothing */
};

static struct life l;
static uint8_t *bad; /* v2 with a wrong SHA-256 at its end */
static uint8_t base[WORLD_FLASH];
static const struct scenario *playing;
static struct cut cut;
static uint64_t cuts_done;
static unsigned entered; /* uploads that went on in the middle */

static void stop_here(const char *what, const char *found)
{
    print_error("%s: %s\nalone: POWER_CASE=%s:%u:%d:%u build/asan/test/test_esp_idf_power\n", what, found,
                playing->name, cut.op, cut.how, cut.torn);
    fail();
}

/* ---- scenarios ---- */

static bool start(void)
{
    return life_start(&l, ESP_RST_POWERON);
}

static int upload(const uint8_t *image, size_t len)
{
    static struct fake_connection c;
    char length[16];
    const struct fake_request r = {
        .method = HTTP_POST,
        .uri = "/api/ota/upload",
        .header = {{"Host", "10.0.0.2"},
                   {"Content-Type", "application/octet-stream"},
                   {"Content-Length", length}},
        .body = image,
        .len = len,
    };

    snprintf(length, sizeof length, "%zu", len);
    fake_httpd_request(l.server, &r, &c);
    fake_task_run(otapult_esp_board.upload_task);
    fake_httpd_work();
    fake_httpd_parse(&c);
    return c.status;
}

static void update_to(const uint8_t *image, size_t len)
{
    if (upload(image, len) == 200)
        (void)life_settle(&l);
}

static void prepare_nothing(void)
{
}

static void prepare_two_updates(void)
{
    assert_true(start());
    update_to(v2, v2_len);
    update_to(v1, v1_len);
    assert_string_equal(life_version(), "1.0.0");
}

static void prepare_activated(void)
{
    prepare_two_updates();
    assert_int_equal(upload(v2, v2_len), 200);
}

static void prepare_power_lost_while_pending(void)
{
    prepare_two_updates();
    l.health = OTAPULT_HEALTH_WAIT;
    update_to(v2, v2_len);
    assert_string_equal(life_version(), "2.0.0");
}

static void act_update(void)
{
    if (start() && life_settle(&l))
        update_to(v2, v2_len);
}

static void act_settle(void)
{
    if (start())
        (void)life_settle(&l);
}

static void act_reject(void)
{
    l.health = OTAPULT_HEALTH_FAIL;
    act_settle();
}

static void act_rollback(void)
{
    struct otapult_finding why;

    if (start() && otapult_rollback(otapult_esp_device(), &why) == 0)
        (void)life_settle(&l);
}

/* A refused update has cost the way back. */
static void prepare_empty_slot(void)
{
    struct otapult_finding why;

    prepare_two_updates();
    assert_int_equal(upload(bad, v2_len), 422);
    assert_int_equal(otapult_rollback(otapult_esp_device(), &why), OTAPULT_E_NO_ROLLBACK);
}

/* The factory app is the only way back. */
static void prepare_one_update(void)
{
    assert_true(start());
    update_to(v2, v2_len);
    assert_string_equal(life_version(), "2.0.0");
}

static void act_rollback_to_factory(void)
{
    act_rollback();
    assert_string_equal(life_version(), "1.0.0");
}

/* Panics soon after its start, again and again, until the guard has decided. */
static bool crash_on(void)
{
    if (!start() || !life_settle(&l))
        return false;
    for (int i = 0; i < CRASH_LIMIT; i++)
        if (!life_start(&l, ESP_RST_PANIC))
            return false;
    return life_settle(&l);
}

static void act_crash(void)
{
    if (!crash_on())
        return;
    assert_string_equal(life_version(), "2.0.0");
    assert_false(otapult_safe_mode(otapult_esp_device()));
}

static void act_update_out_of_safe_mode(void)
{
    if (!crash_on())
        return;
    assert_string_equal(life_version(), "1.0.0");
    assert_true(otapult_safe_mode(otapult_esp_device()));
    update_to(v2, v2_len);
    assert_string_equal(life_version(), "2.0.0");
    assert_false(otapult_safe_mode(otapult_esp_device()));
}

/* ---- a packed upload that goes on ---- */

static uint8_t *packed;
static size_t packed_len;
static const char *upload_uri;

static int send_from(long at, size_t end)
{
    static struct fake_connection c;
    char offset[24];
    struct fake_request r = life_tus(HTTP_PATCH, upload_uri, packed + at, end - (size_t)at);

    snprintf(offset, sizeof offset, "%ld", at);
    r = life_with(r, "Upload-Offset", offset);
    life_send(&l, &c, &r);
    return c.status;
}

static void prepare_half_sent(void)
{
    prepare_two_updates();
    upload_uri = life_create_upload(&l, packed_len);
    assert_int_equal(send_from(0, packed_len - 500), 204);
    fake_httpd_power_off();
    assert_true(start());
    assert_in_range(life_safe_offset(&l, upload_uri), 1, packed_len - 500);
    entered = 0;
}

static void act_go_on(void)
{
    if (!start() || !life_settle(&l))
        return;
    long at = life_safe_offset(&l, upload_uri);
    if (at >= 0 && send_from(at, packed_len) == 204)
        (void)life_settle(&l);
}

/* 404: it was activated, and the cut took the note of that. */
static void go_on_again(void)
{
    long at = life_safe_offset(&l, upload_uri);
    int status = at >= 0 ? send_from(at, packed_len) : 404;

    if (status == 404)
        return;
    entered += at > 0;
    if (status != 204)
        stop_here("the upload does not go on", life_version());
    if (!life_settle(&l) || strcmp(life_version(), "2.0.0") != 0)
        stop_here("what went on does not run", life_version());
}

static const struct scenario scenarios[] = {
    {"update", WORLD_TWO_OTA, prepare_two_updates, act_update, NULL},
    {"first-update", WORLD_TWO_OTA, prepare_nothing, act_update, NULL},
    {"confirm", WORLD_TWO_OTA, prepare_activated, act_settle, NULL},
    {"reject", WORLD_TWO_OTA, prepare_activated, act_reject, NULL},
    {"rollback", WORLD_TWO_OTA, prepare_two_updates, act_rollback, NULL},
    {"re-activate", WORLD_TWO_OTA, prepare_power_lost_while_pending, act_settle, NULL},
    {"empty-slot", WORLD_TWO_OTA, prepare_empty_slot, act_update, NULL},
    {"factory", WORLD_FACTORY_OTA, prepare_nothing, act_update, NULL},
    {"factory-rollback", WORLD_FACTORY_OTA, prepare_one_update, act_rollback_to_factory, NULL},
    {"crash-guard", WORLD_TWO_OTA, prepare_two_updates, act_crash, NULL},
    {"safe-mode-update", WORLD_TWO_OTA, prepare_nothing, act_update_out_of_safe_mode, NULL},
    {"resumed-after-restart-gzip", WORLD_TWO_OTA, prepare_half_sent, act_go_on, go_on_again},
};
#define SCENARIOS (sizeof scenarios / sizeof *scenarios)

/* ---- one case ---- */

static int ask_oracle(void)
{
    struct oracle_result r = oracle_boot(l.flash.nor.data, WORLD_FLASH);
    const char *v = r.image.version;

    if (!r.boots)
        stop_here("bricked", r.why);
    if (!r.image_ok || (strcmp(v, "1.0.0") != 0 && strcmp(v, "2.0.0") != 0 && strcmp(v, "3.0.0") != 0))
        stop_here("an unverified image boots", r.image.fault != NULL ? r.image.fault : v);
    return r.slot;
}

static bool act_with_cut(void)
{
    static jmp_buf end_of_life;

    if (setjmp(end_of_life) != 0) {
        nor_disarm(&l.flash.nor);
        cuts_done++;
        return true;
    }
    if (cut.op != 0)
        nor_arm(&l.flash.nor, cut.op, cut.how, cut.torn, cut.op * 2654435761u + cut.torn, &end_of_life);
    playing->act();
    nor_disarm(&l.flash.nor);
    return false;
}

/* What a cut leaves of the fake's server is gone with the power, too. */
static void pull_plug(void)
{
    fake_httpd_power_off();
    l.server = NULL;
    l.health = OTAPULT_HEALTH_PASS;
}

static void recover(void)
{
    int expected = ask_oracle();

    if (!start())
        stop_here("bricked", "the bootloader found nothing");
    if (l.boot.slot != expected)
        stop_here("another slot booted", "than the oracle said");
    if (!life_settle(&l))
        stop_here("bricked", "after the recovery");
    if (playing->again != NULL)
        playing->again();
    if (upload(v3, v3_len) != 200)
        stop_here("the next upload failed", life_version());
    if (!life_settle(&l) || strcmp(life_version(), "3.0.0") != 0)
        stop_here("the next update does not run", life_version());
    pull_plug();
    (void)ask_oracle();
    if (!start() || strcmp(life_version(), "3.0.0") != 0)
        stop_here("it did not stay", life_version());
}

/* false: the cut lies behind the scenario's last operation. */
static bool play(unsigned op, enum nor_cut how, uint32_t torn)
{
    cut = (struct cut){op, how, torn};
    pull_plug();
    memcpy(l.flash.nor.data, base, WORLD_FLASH);
    bool was_cut = act_with_cut();
    pull_plug();
    recover();
    return was_cut;
}

/* ---- all cases ---- */

static void lay_base(const struct scenario *s)
{
    playing = s;
    cut = (struct cut){0};
    life_init(&l, s->layout, v1, v1_len);
    l.config.device.resume_step = 2048;
    s->prepare();
    pull_plug();
    memcpy(base, l.flash.nor.data, WORLD_FLASH);
}

static void play_scenario(void **state)
{
    static const uint32_t torn[] = {1, 5, 17, 25, 31, 600, 3000};
    uint64_t before = cuts_done;
    unsigned op = 1;

    lay_base(*state);
    for (; play(op, NOR_CUT_BEFORE, 0); op++) {
        assert_true(op < MAX_OPS);
        for (size_t i = 0; i < sizeof torn / sizeof *torn; i++)
            play(op, NOR_CUT_TORN, torn[i]);
        play(op, NOR_CUT_AFTER, 0);
    }
    assert_true(op > 4);
    assert_true(playing->again == NULL || entered > 20);
    print_message("%-12s %u flash operations, %llu cuts\n", playing->name, op - 1,
                  (unsigned long long)(cuts_done - before));
    life_end(&l);
}

static void play_one_case(void **state)
{
    char name[32] = "";
    unsigned op;
    int how;
    uint32_t torn;

    assert_int_equal(sscanf(*state, "%31[^:]:%u:%d:%u", name, &op, &how, &torn), 4);
    for (size_t i = 0; i < SCENARIOS; i++)
        if (strcmp(scenarios[i].name, name) == 0)
            lay_base(&scenarios[i]);
    assert_non_null(playing);
    play(op, (enum nor_cut)how, torn);
    life_end(&l);
}

int main(void)
{
    struct CMUnitTest tests[SCENARIOS];
    const char *alone = getenv("POWER_CASE");
    const struct CMUnitTest one[] = {{alone, play_one_case, NULL, NULL, (void *)(uintptr_t)alone}};

    v1 = images_one("1.0.0", 1, 5000, &v1_len);
    v2 = images_one("2.0.0", 2, 5000, &v2_len);
    v3 = images_one("3.0.0", 3, 5000, &v3_len);
    packed = packed_in_blocks(v2, v2_len, 1500, &packed_len);
    bad = malloc(v2_len);
    memcpy(bad, v2, v2_len);
    bad[v2_len - 1] ^= 1;
    for (size_t i = 0; i < SCENARIOS; i++)
        tests[i] = (struct CMUnitTest){scenarios[i].name, play_scenario, NULL, NULL,
                                       (void *)(uintptr_t)&scenarios[i]};
    int failed = alone != NULL ? cmocka_run_group_tests(one, NULL, NULL)
                               : cmocka_run_group_tests_name("esp_idf_power", tests, NULL, NULL);
    (void)images_free(NULL);
    free(bad);
    free(packed);
    return failed;
}
