/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "hex.h"
#include "images.h"
#include "update/door.h"
#include "world.h"

/* What a robot's log says of its updates, in whole lives: who did what to which firmware, and why it
 * restarts. */

static struct world w;
static char said[4096]; /* every line since forget(), with the letter that ESP-IDF's log has for its level */
static bool store_fails, slots_fail, activate_fails, reject_fails;
static struct otapult_port real;

static void keep(void *ctx, enum otapult_log_level level, const char *line)
{
    size_t used = strlen(said);

    (void)ctx;
    assert_true((unsigned)level < strlen("EWI"));
    snprintf(said + used, sizeof said - used, "%c %s\n", "EWI"[level], line);
}

static int failing_set(void *ctx, const char *key, const void *src, size_t len)
{
    return store_fails ? OTAPULT_E_STORE : real.kv_set(ctx, key, src, len);
}

static int failing_slots(void *ctx, struct otapult_slots *out)
{
    return slots_fail ? OTAPULT_E_FLASH_READ : real.slots(ctx, out);
}

static int failing_activate(void *ctx, int index)
{
    return activate_fails ? OTAPULT_E_ACTIVATE : real.activate(ctx, index);
}

static int failing_reject(void *ctx)
{
    return reject_fails ? OTAPULT_E_ACTIVATE : real.reject(ctx);
}

static void wrap(void *ctx, struct otapult_port *port)
{
    (void)ctx;
    real = *port;
    port->kv_set = failing_set;
    port->slots = failing_slots;
    port->activate = failing_activate;
    port->reject = failing_reject;
    port->log = keep;
}

static void forget(void)
{
    said[0] = '\0';
}

static unsigned times_said(const char *line)
{
    size_t len = strlen(line);
    unsigned times = 0;

    for (const char *at = said; *at != '\0'; at = strchr(at, '\n') + 1)
        times += strncmp(at, line, len) == 0 && at[len] == '\n';
    return times;
}

static void expect(const char *line)
{
    if (times_said(line) != 1)
        fail_msg("said %u times: %s\nall of it:\n%s", times_said(line), line, said);
}

static int set_up(void **state)
{
    (void)state;
    store_fails = slots_fail = activate_fails = reject_fails = false;
    world_init(&w, WORLD_TWO_OTA, v1, v1_len);
    w.wrap = wrap;
    assert_true(world_boot(&w));
    forget();
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    world_end(&w);
    return 0;
}

/* The build id that the log shows, from the image itself. */
static const char *named(const char *format, const uint8_t *image)
{
    static char line[256];
    char build[9];

    snprintf(line, sizeof line, format, hex_of(image + 0x20 + 0x90, 4, build));
    return line;
}

static void an_update_from_begin_to_confirmation(void **state)
{
    (void)state;
    assert_int_equal(world_upload(&w, v2, v2_len, 4096), 0);
    expect("I update begins, 9008 bytes");
    expect(named("I activated 2.0.0 build %s, slot 1, 9008 bytes", v2));
    assert_true(world_settle(&w));
    expect("I restart: a new firmware");
    expect(named("I confirmed 2.0.0 build %s, slot 1, 9008 bytes", v2));
    assert_null(strstr(said, "E "));
}

static void a_refusal_says_code_and_size(void **state)
{
    struct otapult_finding why;
    uint32_t first, second;

    (void)state;
    assert_int_equal(otapult_begin(w.ota, (uint32_t)v2_len, &first, &why), 0);
    assert_int_equal(otapult_begin(w.ota, 5, &second, &why), OTAPULT_E_BUSY);
    expect("W update refused: busy, 5 bytes: another update is running, 0 of 9008 bytes so far");
    assert_int_equal(otapult_feed(w.ota, first, (const uint8_t *)"<html><body>", 12, &why), 0);
    otapult_cancel(w.ota, first, OTAPULT_E_CONNECTION_LOST, &why);
    assert_non_null(strstr(said, "W update refused: connection_lost, 9008 bytes"));
}

/* However short a name is. */
static void who_asked_is_named(void **state)
{
    static const struct otapult_update_options plain, later = {.later = true};
    const struct otapult_finding answer = {.got = 404};
    struct otapult_update done;
    struct otapult_finding why;
    uint32_t ticket;

    (void)state;
    assert_int_equal(otapult_begin_by(w.ota, "a", &plain, OTAPULT_SIZE_UNKNOWN, &ticket, NULL, &why), 0);
    expect("I update begins, size not known, by a");
    otapult_cancel(w.ota, ticket, OTAPULT_E_CONNECTION_LOST, &why);
    assert_int_equal(otapult_begin_by(w.ota, "b", &later, (uint32_t)v2_len, &ticket, NULL, &why), 0);
    assert_int_equal(otapult_feed(w.ota, ticket, v2, v2_len, &why), 0);
    assert_int_equal(otapult_finish_with(w.ota, ticket, &done, &why), 0);
    expect(named("I staged 2.0.0 build %s, slot 1, 9008 bytes, by b", v2));
    forget();
    assert_int_equal(otapult_activate_staged_by(w.ota, "c", &why), 0);
    expect(named("I activated 2.0.0 build %s, slot 1, 9008 bytes, by c", v2));
    assert_null(strstr(said, "activation refused"));
    assert_null(strstr(said, "the store failed"));
    otapult_note_source(w.ota, "folder", OTAPULT_E_SOURCE_STATUS, &answer);
    expect("W source, by folder: source_status: the source answers with HTTP 404");
}

static void what_runs_already(void **state)
{
    (void)state;
    assert_int_equal(world_upload(&w, v1, v1_len, 4096), 0);
    expect("I the file is the running firmware: nothing was written");
}

static bool slot_fails(void *ctx, enum nor_op op, uint32_t addr, uint32_t len)
{
    (void)ctx, (void)len;
    return op == NOR_ERASE && addr >= 0x20000;
}

static void what_the_device_itself_breaks_is_an_error(void **state)
{
    (void)state;
    w.nor.fail = slot_fails;
    assert_int_not_equal(world_upload(&w, v2, v2_len, 4096), 0);
    w.nor.fail = NULL;
    assert_non_null(strstr(said, "E update refused: "));
}

static void a_rejection_and_its_restart(void **state)
{
    (void)state;
    assert_int_equal(world_upload(&w, v2, v2_len, 4096), 0);
    w.health = OTAPULT_HEALTH_FAIL;
    assert_true(world_settle(&w));
    expect("E health check \"self-test\": told to fail");
    expect("I restart: the new firmware is rejected");
    expect(
        named("E rejected 2.0.0 build %s, slot 1, 9008 bytes: health check \"self-test\": told to fail", v2));
}

static void a_retry_after_lost_power(void **state)
{
    (void)state;
    assert_int_equal(world_upload(&w, v2, v2_len, 4096), 0);
    w.health = OTAPULT_HEALTH_WAIT;
    while (!w.board.restart)
        otapult_poll(w.ota);
    assert_true(world_boot(&w)); /* its trial begins, */
    world_pull_plug(&w);         /* and ends */
    forget();
    assert_true(world_boot(&w));
    expect(named("W retry 2.0.0 build %s, slot 1, 9008 bytes: power was lost; trying again", v2));
    expect("I restart: the new firmware is tried again");
    assert_null(strstr(said, "E "));
}

static void restarts_by_request(void **state)
{
    struct otapult_finding why;

    (void)state;
    assert_int_equal(world_upload(&w, v2, v2_len, 4096), 0);
    assert_true(world_settle(&w));
    forget();
    assert_int_equal(otapult_rollback(w.ota, &why), 0);
    assert_true(world_settle(&w));
    expect(named("I rolled back to 1.0.0 build %s, slot 0, 9008 bytes", v1));
    expect("I restart: rollback by request");
    assert_null(strstr(said, "rollback refused"));
    forget();
    assert_int_equal(otapult_restart(w.ota, &why), 0);
    otapult_poll(w.ota);
    otapult_poll(w.ota); /* the port may return from a restart and be asked again */
    expect("I restart: by request");
    assert_true(world_settle(&w));
    otapult_announce_restart(w.ota);
    expect("I restart: the application restarts the device");
}

static void every_refused_button_says_who(void **state)
{
    struct otapult_finding why;

    (void)state;
    assert_int_equal(otapult_confirm_by(w.ota, "a", &why), OTAPULT_E_NOT_PENDING);
    assert_non_null(strstr(said, "W confirmation refused: not_pending, by a"));
    assert_int_equal(otapult_end_update_by(w.ota, "b", &why), OTAPULT_E_NO_UPDATE);
    assert_non_null(strstr(said, "W cancel refused: no_update, by b"));
    w.ready = false;
    assert_int_equal(otapult_restart_by(w.ota, "c", &why), OTAPULT_E_NOT_READY);
    assert_non_null(strstr(said, "W restart refused: not_ready, by c: "));
    assert_int_equal(otapult_rollback_by(w.ota, "d", false, &why), OTAPULT_E_NOT_READY);
    assert_non_null(strstr(said, "W rollback refused: not_ready, by d: "));
    assert_int_equal(otapult_activate_staged_by(w.ota, "e", &why), OTAPULT_E_NOT_READY);
    assert_non_null(strstr(said, "W activation refused: not_ready, by e: "));
    forget();
    assert_int_equal(otapult_confirm(w.ota), OTAPULT_E_NOT_PENDING); /* at every start of some applications */
    assert_string_equal(said, "");
}

/* The bootloader fell back, and OTA data is set right again. */
static void a_firmware_that_does_not_load(void **state)
{
    (void)state;
    assert_int_equal(world_upload(&w, v2, v2_len, 4096), 0);
    w.nor.data[0x20000 + 5000] ^= 1;
    assert_true(world_settle(&w));
    expect(named("E not loaded 2.0.0 build %s, slot 1, 9008 bytes: the bootloader could not load it", v2));
    expect(named("I confirmed 1.0.0 build %s, slot 0", v1)); /* its size is not known */
    assert_null(strstr(said, "could not be changed"));
    assert_null(strstr(said, "the store failed"));
}

static void a_choice_that_cannot_be_set_right(void **state)
{
    (void)state;
    assert_int_equal(world_upload(&w, v2, v2_len, 4096), 0);
    w.nor.data[0x20000 + 5000] ^= 1;
    activate_fails = true;
    assert_true(world_settle(&w));
    expect("E OTA data names a slot that does not load, and could not be changed");
}

static void a_firmware_that_keeps_crashing(void **state)
{
    (void)state;
    for (int n = 0; n < 6; n++) {
        w.reset = OTAPULT_RESET_CRASH;
        assert_true(world_boot(&w));
        expect(n == 4   ? named("E crash loop 1.0.0 build %s, slot 0: 5 crashes in a row; safe mode", v1)
               : n == 5 ? "E safe mode: the firmware kept crashing" /* at each start */
                        : "W open: anyone on this network can upload firmware");
        forget();
    }
}

static void slots_that_cannot_be_read_are_said_once(void **state)
{
    (void)state;
    slots_fail = true;
    assert_true(world_boot(&w));
    otapult_poll(w.ota);
    otapult_poll(w.ota);
    expect("E the slots cannot be read");
}

static void a_store_that_fails_is_an_error(void **state)
{
    (void)state;
    store_fails = true;
    assert_int_equal(world_upload(&w, v2, v2_len, 4096), 0);
    expect("E the store failed: this image gets one boot");
    expect("E the store failed to keep what became of the update");
    expect("E the journal could not be written");
    expect(named("I activated 2.0.0 build %s, slot 1, 9008 bytes", v2)); /* said all the same */
}

static void a_store_that_fails_to_blame_a_build(void **state)
{
    (void)state;
    assert_int_equal(world_upload(&w, v2, v2_len, 4096), 0);
    w.nor.data[0x20000 + 5000] ^= 1;
    store_fails = true;
    assert_true(world_settle(&w));
    expect("E the store failed to keep which builds have failed here");
    assert_true(times_said("E the note of the last update could not be removed") > 0);
}

static void a_store_that_fails_to_forget_what_was_staged(void **state)
{
    (void)state;
    assert_int_equal(world_stage(&w, v2, v2_len, 4096), 0);
    store_fails = true;
    assert_int_equal(world_upload(&w, v3, v3_len, 4096), 0);
    expect("E the store failed to forget what was staged");
}

static void a_store_that_fails_at_a_decision(void **state)
{
    (void)state;
    w.health = OTAPULT_HEALTH_WAIT;
    assert_int_equal(world_upload(&w, v2, v2_len, 4096), 0);
    assert_true(world_settle(&w));
    store_fails = reject_fails = true;
    w.clock += 60000;
    otapult_poll(w.ota);
    expect("E the store failed before the rejection");
    expect("E there is nothing to go back to: the firmware keeps running");
    assert_int_equal(times_said("E deadline passed, waiting for \"self-test\""), 0);
    assert_int_equal(otapult_confirm(w.ota), 0);
    expect("E the store failed before the confirmation");
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(an_update_from_begin_to_confirmation),
        CASE(a_refusal_says_code_and_size),
        CASE(who_asked_is_named),
        CASE(what_runs_already),
        CASE(what_the_device_itself_breaks_is_an_error),
        CASE(a_rejection_and_its_restart),
        CASE(a_retry_after_lost_power),
        CASE(restarts_by_request),
        CASE(every_refused_button_says_who),
        CASE(a_firmware_that_does_not_load),
        CASE(a_choice_that_cannot_be_set_right),
        CASE(a_firmware_that_keeps_crashing),
        CASE(slots_that_cannot_be_read_are_said_once),
        CASE(a_store_that_fails_is_an_error),
        CASE(a_store_that_fails_to_blame_a_build),
        CASE(a_store_that_fails_to_forget_what_was_staged),
        CASE(a_store_that_fails_at_a_decision),
    };

    return cmocka_run_group_tests(tests, images_make, images_free);
}
