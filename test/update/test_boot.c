/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "images.h"
#include "update/door.h"
#include "update/known.h"
#include "update/trial.h"
#include "world.h"

/* What a boot makes of the trial before it: what stands in the journal, and whether the build is blamed. */

static struct world w;
static struct otapult_port real;
static bool keeps_note, cannot_note; /* what of the trial's note the store refuses */
static int open_error, activate_error;

static int set_or_fail(void *ctx, const char *key, const void *src, size_t len)
{
    bool fails = strcmp(key, "ota.trial1") == 0 && (len == 0 ? keeps_note : cannot_note);

    return fails ? OTAPULT_E_STORE : real.kv_set(ctx, key, src, len);
}

static int open_or_fail(void *ctx, int index, struct otapult_flash *out)
{
    return open_error != 0 ? open_error : real.open(ctx, index, out);
}

static int activate_or_fail(void *ctx, int index)
{
    return activate_error != 0 ? activate_error : real.activate(ctx, index);
}

static void wrap(void *ctx, struct otapult_port *port)
{
    (void)ctx;
    real = *port;
    port->kv_set = set_or_fail;
    port->open = open_or_fail;
    port->activate = activate_or_fail;
}

/* 2.0.0 runs in slot 1 and waits. */
static int set_up(void **state)
{
    (void)state;
    keeps_note = cannot_note = false;
    open_error = activate_error = 0;
    world_init(&w, WORLD_TWO_OTA, v1, v1_len);
    w.wrap = wrap;
    world_begin_trial(&w, v2, v2_len);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    world_end(&w);
    return 0;
}

static struct otapult_log_entry newest(void)
{
    struct otapult_log_entry e = {0};

    (void)otapult_log_entry(w.ota, 0, &e);
    return e;
}

static void assert_told(enum otapult_event event, const char *text, const char *runs, bool blamed)
{
    assert_string_equal(world_version(&w), runs);
    assert_int_equal(newest().event, event);
    assert_string_equal(newest().version, "2.0.0");
    assert_string_equal(newest().text, text);
    assert_int_equal(otapult_has_failed(&w.board.port, newest().build), blamed);
}

static void a_crash_blames_the_build(void **state)
{
    (void)state;
    w.reset = OTAPULT_RESET_CRASH;
    assert_true(world_boot(&w));
    assert_told(OTAPULT_EV_CRASHED, "it crashed before its confirmation", "1.0.0", true);
}

static void a_slot_that_does_not_load_blames_the_build(void **state)
{
    struct otapult_log_entry e;

    (void)state;
    w.health = OTAPULT_HEALTH_PASS;
    assert_true(world_settle(&w));
    assert_int_equal(world_upload(&w, v3, v3_len, 4096), 0);
    w.nor.data[0x10000 + 5000] ^= 1;
    w.health = OTAPULT_HEALTH_WAIT;
    assert_true(world_settle(&w));
    assert_string_equal(world_version(&w), "2.0.0");
    e = newest();
    assert_int_equal(e.event, OTAPULT_EV_NOT_LOADED);
    assert_string_equal(e.version, "3.0.0");
    assert_true(otapult_has_failed(&w.board.port, e.build));
}

/* Flash that power has torn is read before it is tried again; the power is to blame. */
static void an_image_that_power_has_torn_is_not_tried_again(void **state)
{
    struct otapult_trial trial;

    (void)state;
    world_pull_plug(&w);
    w.nor.data[0x20000 + 5000] ^= 1;
    assert_true(world_boot(&w));
    assert_told(OTAPULT_EV_GAVE_UP, "power was lost; it could not be tried again", "1.0.0", false);
    assert_false(otapult_trial_load(&w.board.port, &trial));
}

static void power_lost_in_every_trial_blames_nobody(void **state)
{
    (void)state;
    for (int cut = 0; cut < 4; cut++) {
        world_pull_plug(&w);
        assert_true(world_boot(&w));
    }
    assert_told(OTAPULT_EV_GAVE_UP, "power was lost in every trial", "1.0.0", false);
}

/* Without a count of tries this might never end. */
static void what_cannot_be_noted_is_not_tried_again(void **state)
{
    (void)state;
    world_pull_plug(&w);
    cannot_note = true;
    assert_true(world_boot(&w));
    assert_told(OTAPULT_EV_GAVE_UP, "power was lost; it could not be tried again", "1.0.0", false);
}

static void what_cannot_be_activated_is_not_tried_again(void **state)
{
    (void)state;
    world_pull_plug(&w);
    activate_error = OTAPULT_E_ACTIVATE;
    assert_true(world_boot(&w));
    assert_told(OTAPULT_EV_GAVE_UP, "power was lost; it could not be tried again", "1.0.0", false);
}

/* Power went while the bootloader rewrote the record in place: nothing speaks of the image but the note. */
static void a_record_that_is_gone_is_a_loss_of_power(void **state)
{
    uint8_t *first = w.nor.data + 0xD000, *second = w.nor.data + 0xE000;
    struct otapult_log_entry e;

    (void)state;
    world_pull_plug(&w);
    memset(otapult_le32(first) + 1 > otapult_le32(second) + 1 ? first : second, 0xFF, 32);
    assert_true(world_boot(&w));
    assert_string_equal(world_version(&w), "2.0.0"); /* tried again */
    assert_true(otapult_log_entry(w.ota, 0, &e));
    assert_int_equal(e.event, OTAPULT_EV_POWER_LOST);
}

/* What became of it is found out later then, and until then nothing is changed. */
static void a_slot_that_cannot_be_read_is_asked_again(void **state)
{
    static const int errors[] = {OTAPULT_E_IMAGE_TOO_LARGE, OTAPULT_E_SLOT_OPEN}; /* the table's first, too */
    struct otapult_status s;

    (void)state;
    for (size_t i = 0; i < sizeof errors / sizeof *errors; i++) {
        w.reset = OTAPULT_RESET_CRASH;
        open_error = errors[i];
        assert_true(world_boot(&w));
        otapult_status(w.ota, &s);
        assert_int_equal(s.slots_error, errors[i]);
        assert_int_equal(world_upload(&w, v3, v3_len, 4096), errors[i]);
        open_error = 0;
        otapult_poll(w.ota);
        otapult_status(w.ota, &s);
        assert_int_equal(s.slots_error, 0);
        assert_told(OTAPULT_EV_CRASHED, "it crashed before its confirmation", "1.0.0", true);
        assert_true(tear_down(NULL) == 0 && set_up(NULL) == 0);
    }
}

/* A rejected image that somebody wanted all the same, in vain: it is not rejected a second time. */
static void an_activation_that_failed_is_no_trial(void **state)
{
    struct otapult_finding why;
    struct otapult_trial trial;

    (void)state;
    w.health = OTAPULT_HEALTH_FAIL;
    assert_true(world_settle(&w));
    assert_told(OTAPULT_EV_REJECTED, "health check \"self-test\": told to fail", "1.0.0", true);
    const uint32_t seq = newest().seq;
    activate_error = OTAPULT_E_ACTIVATE;
    assert_int_equal(otapult_rollback_by(w.ota, NULL, true, &why), OTAPULT_E_ACTIVATE);
    assert_false(otapult_trial_load(&w.board.port, &trial));
    activate_error = 0;
    assert_int_equal(otapult_restart(w.ota, &why), 0);
    assert_true(world_settle(&w));
    assert_int_equal(newest().seq, seq);
}

/* A note's texts end, whoever wrote it, and one that cannot be is none. */
static void a_note_of_somebody_else_is_looked_at(void **state)
{
    const struct otapult_port *port = &w.board.port;
    struct otapult_trial t, got;

    (void)state;
    memset(&t, 'x', sizeof t);
    t.verdict = OTAPULT_TRIAL_REJECTED;
    t.slot = OTAPULT_SLOTS_MAX - 1;
    assert_int_equal(otapult_trial_save(port, &t), 0);
    assert_true(otapult_trial_load(port, &got));
    assert_int_equal(strnlen(got.build, sizeof got.build), sizeof got.build - 1);
    assert_int_equal(strnlen(got.version, sizeof got.version), sizeof got.version - 1);
    assert_int_equal(strnlen(got.project, sizeof got.project), sizeof got.project - 1);
    assert_int_equal(strnlen(got.text, sizeof got.text), sizeof got.text - 1);
    t.slot = OTAPULT_SLOT_FACTORY;
    assert_int_equal(otapult_trial_save(port, &t), 0);
    assert_true(otapult_trial_load(port, &got));
    t.slot = OTAPULT_SLOT_FACTORY - 1;
    assert_int_equal(otapult_trial_save(port, &t), 0);
    assert_false(otapult_trial_load(port, &got));
    t.slot = OTAPULT_SLOTS_MAX;
    assert_int_equal(otapult_trial_save(port, &t), 0);
    assert_false(otapult_trial_load(port, &got));
    t.slot = 0;
    t.verdict = OTAPULT_TRIAL_REJECTED + 1;
    assert_int_equal(otapult_trial_save(port, &t), 0);
    assert_false(otapult_trial_load(port, &got));
    t.verdict = OTAPULT_TRIAL_ARMED;
    assert_int_equal(port->kv_set(port->ctx, "ota.trial1", &t, sizeof t - 1), 0);
    assert_false(otapult_trial_load(port, &got));
}

/* The note outlived the confirmation: the next boot finds that it is confirmed, and forgets the note. */
static void a_note_that_stays_blames_nobody(void **state)
{
    struct otapult_trial trial;

    (void)state;
    keeps_note = true;
    assert_int_equal(otapult_confirm(w.ota), 0);
    keeps_note = false;
    assert_true(otapult_trial_load(&w.board.port, &trial));
    world_pull_plug(&w);
    assert_true(world_boot(&w));
    assert_told(OTAPULT_EV_CONFIRMED, "", "2.0.0", false);
    assert_false(otapult_trial_load(&w.board.port, &trial));
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(a_crash_blames_the_build),
        CASE(a_slot_that_does_not_load_blames_the_build),
        CASE(an_image_that_power_has_torn_is_not_tried_again),
        CASE(power_lost_in_every_trial_blames_nobody),
        CASE(what_cannot_be_noted_is_not_tried_again),
        CASE(what_cannot_be_activated_is_not_tried_again),
        CASE(a_record_that_is_gone_is_a_loss_of_power),
        CASE(a_slot_that_cannot_be_read_is_asked_again),
        CASE(an_activation_that_failed_is_no_trial),
        CASE(a_note_of_somebody_else_is_looked_at),
        CASE(a_note_that_stays_blames_nobody),
    };
    return cmocka_run_group_tests(tests, images_make, images_free);
}
