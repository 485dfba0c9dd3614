/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "faulty_port.h"
#include "images.h"
#include "update/door.h"
#include "update/trial.h"
#include "world.h"

/* A decision about the running firmware, written by a port that may fail before or after it has written. */

static struct world w;
static struct faulty_port port;

/* 2.0.0 runs in slot 1 and waits. */
static int set_up(void **state)
{
    (void)state;
    memset(&port, 0, sizeof port);
    world_init(&w, WORLD_TWO_OTA, v1, v1_len);
    w.wrap = faulty_port_wrap;
    w.wrap_ctx = &port;
    world_begin_trial(&w, v2, v2_len);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    world_end(&w);
    return 0;
}

static void start_again(void)
{
    tear_down(NULL);
    set_up(NULL);
}

static struct otapult_status status(void)
{
    struct otapult_status s;

    otapult_status(w.ota, &s);
    return s;
}

static struct otapult_log_entry newest(void)
{
    struct otapult_log_entry e = {0};

    (void)otapult_log_entry(w.ota, 0, &e);
    return e;
}

static enum otapult_slot_state state_shown(unsigned n)
{
    struct otapult_view v;

    otapult_view(w.ota, &v);
    return v.slot[n].slot.state;
}

static void fail_next(enum faulty_call call, enum faulty_how how, int err)
{
    faulty_port_arm(&port, &(struct faulty_plan){.call = call, .at = 1, .how = how, .err = err});
}

static const int errors[] = {OTAPULT_E_IMAGE_TOO_LARGE, OTAPULT_E_STORE}; /* the table's first, and another */

static void a_confirmation_counts_when_it_was_written(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof errors / sizeof *errors; i++) {
        fail_next(FAULTY_CONFIRM, FAULTY_AFTER, errors[i]);
        assert_int_equal(otapult_confirm(w.ota), 0);
        assert_false(status().pending);
        assert_int_equal(state_shown(1), OTAPULT_STATE_VALID);
        assert_int_equal(newest().event, OTAPULT_EV_CONFIRMED);
        assert_int_equal(status().claim, OTAPULT_FREE);
        start_again();
    }
}

static void a_confirmation_that_was_not_written_is_none(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof errors / sizeof *errors; i++) {
        fail_next(FAULTY_CONFIRM, FAULTY_INSTEAD, errors[i]);
        assert_int_equal(otapult_confirm(w.ota), errors[i]);
        assert_true(status().pending);
        assert_int_equal(newest().event, OTAPULT_EV_ACTIVATED);
        assert_int_equal(otapult_confirm(w.ota), 0);
        assert_false(status().pending);
        start_again();
    }
}

static void a_rejection_counts_when_it_was_written(void **state)
{
    (void)state;
    w.health = OTAPULT_HEALTH_FAIL;
    fail_next(FAULTY_REJECT, FAULTY_AFTER, OTAPULT_E_STORE);
    otapult_poll(w.ota);
    assert_int_equal(port.struck, 1);
    assert_true(world_settle(&w));
    assert_string_equal(world_version(&w), "1.0.0");
}

/* It is not tried at every poll: that would wear flash. */
static void a_rejection_that_was_not_written_waits_for_another_deadline(void **state)
{
    (void)state;
    w.clock += 60000;
    fail_next(FAULTY_REJECT, FAULTY_INSTEAD, OTAPULT_E_STORE);
    otapult_poll(w.ota);
    assert_true(status().pending);
    assert_int_equal(status().confirm_left_ms, 60000);
    assert_int_equal(status().claim, OTAPULT_FREE);
    assert_int_equal(w.holds, 0);
    w.clock += 59999;
    otapult_poll(w.ota);
    assert_int_equal(port.calls[FAULTY_REJECT], 1);
    w.clock += 1;
    assert_true(world_settle(&w));
    assert_string_equal(world_version(&w), "1.0.0");
}

/* The power goes between its note and its record: the reason that the note has is what the journal says. */
static void a_rejection_that_was_only_noted_is_one(void **state)
{
    (void)state;
    w.health = OTAPULT_HEALTH_FAIL;
    fail_next(FAULTY_REJECT, FAULTY_INSTEAD, OTAPULT_E_STORE);
    otapult_poll(w.ota);
    world_pull_plug(&w);
    assert_true(world_boot(&w));
    assert_string_equal(world_version(&w), "1.0.0");
    assert_int_equal(newest().event, OTAPULT_EV_REJECTED);
    assert_string_equal(newest().text, "health check \"self-test\": told to fail");
}

/* As after a firmware that came by USB. Its size is not known: the slot may hold more than it. */
static void without_a_note_of_its_own_a_firmware_is_described_by_its_slot(void **state)
{
    const struct otapult_trial foreign = {
        .verdict = OTAPULT_TRIAL_ARMED, .slot = 0, .build = "12345678", .size = 5000, .version = "9.9.9"};

    (void)state;
    for (int noted = 0; noted < 2; noted++) {
        if (noted)
            assert_int_equal(otapult_trial_save(&w.board.port, &foreign), 0);
        else
            otapult_trial_clear(&w.board.port);
        assert_int_equal(otapult_confirm(w.ota), 0);
        assert_string_equal(newest().version, "2.0.0");
        assert_string_equal(newest().project, "rover");
        assert_int_equal(newest().slot, 1);
        assert_int_equal(newest().size, 0);
        start_again();
    }
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(a_confirmation_counts_when_it_was_written),
        CASE(a_confirmation_that_was_not_written_is_none),
        CASE(a_rejection_counts_when_it_was_written),
        CASE(a_rejection_that_was_not_written_waits_for_another_deadline),
        CASE(a_rejection_that_was_only_noted_is_one),
        CASE(without_a_note_of_its_own_a_firmware_is_described_by_its_slot),
    };
    return cmocka_run_group_tests(tests, images_make, images_free);
}
