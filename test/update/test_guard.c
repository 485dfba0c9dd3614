/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "images.h"
#include "update/known.h"
#include "world.h"

/* What a firmware has to show before it stays, what becomes of one that crashes afterwards, and that the
 * application is at rest through every restart. */

#define SOAK_MS 10000u
#define WINDOW  60000u
#define LIMIT   5

static struct world w;

static void soaks(void *ctx, struct otapult_config *config)
{
    (void)ctx;
    config->soak_ms = SOAK_MS;
}

static int set_up(void **state)
{
    (void)state;
    world_init(&w, WORLD_TWO_OTA, v1, v1_len);
    return world_boot(&w) ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    world_end(&w);
    return 0;
}

static struct otapult_status status(void)
{
    struct otapult_status s;

    otapult_status(w.ota, &s);
    return s;
}

static struct otapult_log_entry entry(unsigned n)
{
    struct otapult_log_entry e = {0};

    (void)otapult_log_entry(w.ota, n, &e);
    return e;
}

static void install(const uint8_t *image, size_t len, const char *version)
{
    assert_int_equal(world_upload(&w, image, len, 4096), 0);
    assert_true(world_settle(&w));
    assert_string_equal(world_version(&w), version);
    assert_false(status().pending);
}

/* As install(), of a build that has failed here before, or runs already. */
static void install_by_force(const uint8_t *image, size_t len)
{
    const struct otapult_update_options force = {.force = true};
    const struct otapult_image_info *info;
    struct otapult_update past;
    struct otapult_finding why;
    uint32_t ticket;

    assert_int_equal(otapult_begin_with(w.ota, &force, (uint32_t)len, &ticket, &past, &why), 0);
    assert_int_equal(otapult_feed(w.ota, ticket, image, len, &why), 0);
    assert_int_equal(otapult_finish(w.ota, ticket, &info, &why), 0);
    assert_true(world_settle(&w));
}

/* The life ends `age` ms after its start, in the way that the chip calls `how`. */
static void end_life(uint32_t age, enum otapult_reset how)
{
    w.clock += age;
    otapult_poll(w.ota);
    w.reset = how;
    assert_true(world_boot(&w));
    w.clock = 0; /* the clock of a chip begins with each life */
}

static void crash(int times)
{
    while (times-- > 0)
        end_life(100, OTAPULT_RESET_CRASH);
}

/* ---- one good moment is no proof ---- */

static enum otapult_health passes(void *app, char *why, size_t cap)
{
    (void)app, (void)why, (void)cap;
    return OTAPULT_HEALTH_PASS;
}

static void three_checks(void *ctx, struct otapult_config *config)
{
    static struct otapult_health_check checks[3] = {
        {"first", passes}, {"second", NULL}, {"no check", passes}};

    (void)ctx;
    checks[1].probe = config->checks[0].probe;
    config->checks = checks;
    config->check_count = 2;
    config->soak_ms = SOAK_MS;
}

static void the_first_that_does_not_pass_is_waited_for(void **state)
{
    (void)state;
    w.configure = three_checks;
    w.health = OTAPULT_HEALTH_WAIT;
    assert_int_equal(world_upload(&w, v2, v2_len, 4096), 0);
    assert_true(world_settle(&w));
    assert_string_equal(status().waiting_for, "second");
    assert_int_equal(status().soak_left_ms, SOAK_MS);
    w.health = OTAPULT_HEALTH_PASS;
    otapult_poll(w.ota);
    assert_string_equal(status().waiting_for, "");
    w.clock += 10 * SOAK_MS; /* until the next poll nothing is left to wait for */
    assert_true(status().pending);
    assert_int_equal(status().soak_left_ms, 0);
    assert_int_equal(status().confirm_left_ms, 0);
}

static void checks_must_pass_for_the_soak_time(void **state)
{
    (void)state;
    w.configure = soaks;
    assert_int_equal(world_upload(&w, v2, v2_len, 4096), 0);
    assert_true(world_settle(&w));
    assert_true(status().pending);
    assert_int_equal(status().soak_left_ms, SOAK_MS);
    w.clock += SOAK_MS - 1;
    otapult_poll(w.ota);
    assert_true(status().pending);
    assert_int_equal(status().soak_left_ms, 1);
    w.clock += 1;
    otapult_poll(w.ota);
    assert_false(status().pending);
    assert_int_equal(entry(0).event, OTAPULT_EV_CONFIRMED);
}

static void a_break_begins_the_soak_again(void **state)
{
    (void)state;
    w.configure = soaks;
    assert_int_equal(world_upload(&w, v2, v2_len, 4096), 0);
    assert_true(world_settle(&w));
    w.clock += SOAK_MS - 1;
    w.health = OTAPULT_HEALTH_WAIT;
    otapult_poll(w.ota);
    assert_int_equal(status().soak_left_ms, SOAK_MS);
    assert_string_equal(status().waiting_for, "self-test");
    w.health = OTAPULT_HEALTH_PASS;
    w.clock += 1;
    otapult_poll(w.ota);
    w.clock += SOAK_MS - 1;
    otapult_poll(w.ota);
    assert_true(status().pending);
    w.clock += 1;
    otapult_poll(w.ota);
    assert_false(status().pending);
}

static void a_check_that_fails_in_the_soak_goes_back(void **state)
{
    (void)state;
    w.configure = soaks;
    assert_int_equal(world_upload(&w, v2, v2_len, 4096), 0);
    assert_true(world_settle(&w));
    w.clock += SOAK_MS - 1;
    w.health = OTAPULT_HEALTH_FAIL;
    assert_true(world_settle(&w));
    assert_string_equal(world_version(&w), "1.0.0");
    assert_int_equal(entry(0).event, OTAPULT_EV_REJECTED);
}

/* A soak that has begun in time ends after the deadline; one that breaks there does not. */
static void the_deadline_waits_for_a_soak_under_way(void **state)
{
    (void)state;
    for (int breaks = 0; breaks < 2; breaks++) {
        w.configure = soaks;
        w.health = OTAPULT_HEALTH_WAIT;
        assert_int_equal(world_upload(&w, v2, v2_len, 4096), 0);
        assert_true(world_settle(&w));
        w.clock += 55000;
        w.health = OTAPULT_HEALTH_PASS;
        otapult_poll(w.ota);
        w.clock += 6000; /* the deadline has passed, the soak has 4 s to go */
        otapult_poll(w.ota);
        assert_true(status().pending);
        w.clock += 4000;
        w.health = breaks ? OTAPULT_HEALTH_WAIT : OTAPULT_HEALTH_PASS;
        assert_true(world_settle(&w));
        assert_string_equal(world_version(&w), breaks ? "1.0.0" : "2.0.0");
        assert_true(tear_down(NULL) == 0 && set_up(NULL) == 0);
    }
}

static bool open_fails;
static int (*real_open)(void *ctx, int index, struct otapult_flash *out);

static int open_or_fail(void *ctx, int index, struct otapult_flash *out)
{
    return open_fails ? OTAPULT_E_SLOT_OPEN : real_open(ctx, index, out);
}

static void wrap_open(void *ctx, struct otapult_port *port)
{
    (void)ctx;
    real_open = port->open;
    port->open = open_or_fail;
}

/* What this boot means is not known while the slots cannot be read; the time runs all the same, and once. */
static void the_deadline_counts_from_the_start(void **state)
{
    (void)state;
    w.health = OTAPULT_HEALTH_WAIT;
    assert_int_equal(world_upload(&w, v2, v2_len, 4096), 0);
    w.wrap = wrap_open;
    open_fails = true;
    assert_true(world_settle(&w));
    w.wrap = NULL;
    assert_true(status().pending);
    w.clock += 30000;
    otapult_poll(w.ota);
    open_fails = false;
    w.clock += 29999;
    assert_true(world_settle(&w));
    assert_string_equal(world_version(&w), "2.0.0");
    w.clock += 1;
    assert_true(world_settle(&w));
    assert_string_equal(world_version(&w), "1.0.0");
}

/* ---- crashes after the confirmation ---- */

static void a_firmware_that_keeps_crashing_gives_way_to_the_other(void **state)
{
    (void)state;
    install(v2, v2_len, "2.0.0");
    crash(LIMIT - 1);
    assert_string_equal(world_version(&w), "2.0.0");
    crash(1);
    assert_string_equal(world_version(&w), "1.0.0");
    assert_false(otapult_safe_mode(w.ota));
    assert_int_equal(entry(0).event, OTAPULT_EV_CRASH_LOOP);
    assert_int_equal(entry(0).tries, LIMIT);
    assert_string_equal(entry(0).version, "2.0.0");
    assert_string_equal(entry(0).text, "5 crashes in a row; the other slot's firmware boots instead");
    assert_int_equal(entry(0).slot, 1);
    assert_int_equal(entry(0).size, 0); /* not known: the slot was not read for it */
    assert_string_equal(otapult_event_name(OTAPULT_EV_CRASH_LOOP), "crash_loop");
    assert_true(world_settle(&w));
    assert_false(status().pending); /* and 1.0.0 has shown that it is well */
}

/* It would be confirmed there, crash, and lead back, for ever. */
static void the_same_build_in_the_other_slot_is_no_way_out(void **state)
{
    (void)state;
    install(v2, v2_len, "2.0.0");
    install_by_force(v2, v2_len);
    assert_string_equal(world_version(&w), "2.0.0");
    assert_int_equal(status().slots.running, 0);
    assert_false(status().pending);
    crash(LIMIT);
    assert_int_equal(status().slots.running, 0);
    assert_true(otapult_safe_mode(w.ota));
    assert_string_equal(entry(0).text, "5 crashes in a row; safe mode");
}

static void without_another_there_is_safe_mode(void **state)
{
    (void)state;
    crash(LIMIT);
    assert_string_equal(world_version(&w), "1.0.0");
    assert_true(otapult_safe_mode(w.ota));
    assert_true(status().safe_mode);
    assert_int_equal(entry(0).event, OTAPULT_EV_CRASH_LOOP);
    assert_string_equal(entry(0).text, "5 crashes in a row; safe mode");
    crash(1); /* still, and said once */
    assert_true(otapult_safe_mode(w.ota));
    assert_int_equal(entry(1).event, OTAPULT_EV_NONE);
}

static void limits(void *ctx, struct otapult_config *config)
{
    config->crash_limit = *(const uint16_t *)ctx;
}

/* 0: crashes are not acted upon. What the journal has room for ends at 255. */
static void the_limit_is_the_configurations(void **state)
{
    static uint16_t limit;

    (void)state;
    w.configure = limits;
    w.configure_ctx = &limit;
    for (limit = 0; limit < 2; limit++) {
        world_pull_plug(&w);
        assert_true(world_boot(&w));
        crash(1);
        assert_int_equal(otapult_safe_mode(w.ota), limit == 1);
    }
    limit = 256;
    crash(256);
    assert_true(otapult_safe_mode(w.ota));
    assert_int_equal(entry(0).tries, 255);
}

static void safe_mode_ends_with_an_update(void **state)
{
    (void)state;
    crash(LIMIT);
    install(v2, v2_len, "2.0.0");
    assert_false(otapult_safe_mode(w.ota));
}

static void safe_mode_ends_with_a_restart_by_hand(void **state)
{
    struct otapult_finding why;

    (void)state;
    crash(LIMIT);
    w.clock = 3 * WINDOW; /* that it goes well without the application proves nothing */
    otapult_poll(w.ota);
    crash(1);
    assert_true(otapult_safe_mode(w.ota));
    assert_int_equal(otapult_restart(w.ota, &why), 0);
    assert_true(world_settle(&w));
    assert_false(otapult_safe_mode(w.ota));
    crash(LIMIT);
    assert_true(otapult_safe_mode(w.ota));
    world_pull_plug(&w);
    assert_true(world_boot(&w));
    assert_false(otapult_safe_mode(w.ota));
}

/* Two that keep crashing do not take turns for ever. */
static void one_that_has_failed_here_is_not_gone_back_to(void **state)
{
    (void)state;
    install(v2, v2_len, "2.0.0");
    crash(LIMIT);
    assert_true(world_settle(&w));
    assert_string_equal(world_version(&w), "1.0.0");
    crash(LIMIT);
    assert_string_equal(world_version(&w), "1.0.0");
    assert_true(otapult_safe_mode(w.ota));
}

static void a_broken_image_is_not_gone_back_to(void **state)
{
    (void)state;
    install(v2, v2_len, "2.0.0");
    w.nor.data[0x10000 + 5000] ^= 1;
    crash(LIMIT);
    assert_string_equal(world_version(&w), "2.0.0");
    assert_true(otapult_safe_mode(w.ota));
}

/* Written by cable, and never seen to run. */
static void an_image_that_never_ran_here_is_not_gone_to(void **state)
{
    (void)state;
    memcpy(w.nor.data + 0x20000, v3, v3_len);
    assert_true(world_boot(&w));
    crash(LIMIT);
    assert_string_equal(world_version(&w), "1.0.0");
    assert_true(otapult_safe_mode(w.ota));
}

static void what_does_not_count(void **state)
{
    (void)state;
    for (int i = 0; i < 3 * LIMIT; i++)
        end_life(WINDOW, OTAPULT_RESET_CRASH); /* it had lasted */
    assert_false(otapult_safe_mode(w.ota));
    for (int i = 0; i < 3 * LIMIT; i++)
        end_life(100, OTAPULT_RESET_POWER);
    assert_false(otapult_safe_mode(w.ota));
    for (int i = 0; i < 3 * LIMIT; i++)
        end_life(100, OTAPULT_RESET_OTHER); /* somebody presses RESET */
    assert_false(otapult_safe_mode(w.ota));
    for (int i = 0; i < 3; i++) {
        crash(LIMIT - 1);
        end_life(100, OTAPULT_RESET_POWER); /* not in a row */
    }
    assert_false(otapult_safe_mode(w.ota));
    for (int i = 0; i < 3 * LIMIT; i++) {
        otapult_announce_restart(w.ota);
        end_life(100, OTAPULT_RESET_SOFTWARE);
    }
    assert_false(otapult_safe_mode(w.ota));
}

/* Who announces a restart wants to go on from here, also where it ends in a crash. */
static void an_announced_restart_begins_the_row_anew(void **state)
{
    (void)state;
    crash(LIMIT - 1);
    otapult_announce_restart(w.ota);
    crash(LIMIT - 1);
    assert_false(otapult_safe_mode(w.ota));
    crash(1);
    assert_true(otapult_safe_mode(w.ota));
}

/* One crash after a long life, or of the firmware that was tried, begins no row. */
static void a_row_is_of_short_lives_of_one_firmware(void **state)
{
    (void)state;
    end_life(WINDOW, OTAPULT_RESET_CRASH);
    crash(LIMIT - 1);
    assert_false(otapult_safe_mode(w.ota));
    world_pull_plug(&w);
    assert_true(world_boot(&w));
    crash(LIMIT - 2);
    w.health = OTAPULT_HEALTH_WAIT;
    assert_int_equal(world_upload(&w, v2, v2_len, 4096), 0);
    assert_true(world_settle(&w));
    crash(1); /* of 2.0.0 in its trial: 1.0.0 runs again */
    assert_string_equal(world_version(&w), "1.0.0");
    crash(LIMIT - 1);
    assert_false(otapult_safe_mode(w.ota));
}

static void watchdogs_and_restarts_that_nobody_announced_count(void **state)
{
    (void)state;
    for (int i = 0; i < LIMIT; i++)
        end_life(WINDOW - 1, i % 2 ? OTAPULT_RESET_WATCHDOG : OTAPULT_RESET_SOFTWARE);
    assert_true(otapult_safe_mode(w.ota));
}

static void a_restart_that_nobody_announced_is_a_crash_of_the_trial(void **state)
{
    (void)state;
    w.health = OTAPULT_HEALTH_WAIT;
    assert_int_equal(world_upload(&w, v2, v2_len, 4096), 0);
    assert_true(world_settle(&w));
    end_life(100, OTAPULT_RESET_SOFTWARE);
    assert_string_equal(world_version(&w), "1.0.0");
    assert_int_equal(entry(0).event, OTAPULT_EV_CRASHED);
    assert_string_equal(entry(0).text, "it crashed before its confirmation");
}

static void waits_long(void *ctx, struct otapult_config *config)
{
    (void)ctx;
    config->confirm_ms = 10 * WINDOW;
}

/* The application has announced it, before or after its life was a long one, and takes its time; poll() goes
 * on meanwhile. */
static void a_restart_that_was_announced_stays_so(void **state)
{
    (void)state;
    for (int early = 0; early < 2; early++) {
        w.configure = waits_long;
        w.health = OTAPULT_HEALTH_WAIT;
        assert_int_equal(world_upload(&w, v2, v2_len, 4096), 0);
        assert_true(world_settle(&w));
        w.clock = early ? WINDOW - 1 : WINDOW;
        otapult_poll(w.ota);
        otapult_announce_restart(w.ota);
        end_life(1, OTAPULT_RESET_SOFTWARE);
        assert_string_equal(world_version(&w), "1.0.0");
        assert_string_equal(entry(0).text, "it restarted itself before its confirmation");
        assert_true(tear_down(NULL) == 0 && set_up(NULL) == 0);
    }
}

/* Whatever the memory holds when power comes: no crash is read out of it. */
static void garbage_is_no_note(void **state)
{
    uint32_t random = 7;

    (void)state;
    crash(2);
    const struct otapult_retained good = w.retained;
    for (int i = 0; i < 128; i++) {
        w.retained = good;
        w.retained.word[i / 32] ^= 1u << i % 32;
        end_life(0, OTAPULT_RESET_CRASH);
        assert_false(otapult_safe_mode(w.ota));
    }
    for (int i = 0; i < 1000; i++) {
        for (int n = 0; n < 4; n++)
            w.retained.word[n] = random = random * 1664525u + 1013904223u;
        end_life(0, OTAPULT_RESET_CRASH);
        assert_false(otapult_safe_mode(w.ota));
    }
}

static uint64_t writes_of_a_life(bool guarded)
{
    uint64_t before = w.nor.ops;

    if (!guarded)
        w.retained.word[0] = 0;
    otapult_announce_restart(w.ota);
    end_life(2 * WINDOW, OTAPULT_RESET_SOFTWARE);
    return w.nor.ops - before;
}

static void without_retained(void *ctx, struct otapult_port *port)
{
    (void)ctx;
    port->retained = NULL;
}

static void a_life_that_ends_well_costs_no_flash_write(void **state)
{
    (void)state;
    uint64_t guarded = writes_of_a_life(true);
    w.wrap = without_retained;
    assert_int_equal(writes_of_a_life(false), guarded);
    crash(3 * LIMIT);
    assert_false(otapult_safe_mode(w.ota)); /* nothing is counted without the memory */
}

/* ---- at rest whenever the device restarts itself ---- */

static unsigned restarts_within(uint32_t ms)
{
    unsigned n = 0;

    for (uint32_t t = 0; t <= ms && n == 0; t += 100) {
        otapult_poll(w.ota);
        n += w.board.restart;
        w.clock += 100;
    }
    return n;
}

static void expect_rest(void)
{
    w.ready = false; /* it drives, and takes its time to stop */
    assert_int_equal(restarts_within(9900), 0);
    assert_int_equal(w.holds, 1);
    assert_int_equal(restarts_within(0), 1); /* at the latest after rest_ms */
}

static void a_rejection_waits_for_rest(void **state)
{
    (void)state;
    w.health = OTAPULT_HEALTH_WAIT;
    assert_int_equal(world_upload(&w, v2, v2_len, 4096), 0);
    assert_true(world_settle(&w));
    w.health = OTAPULT_HEALTH_FAIL;
    expect_rest();
}

static void a_passed_deadline_waits_for_rest(void **state)
{
    (void)state;
    w.health = OTAPULT_HEALTH_WAIT;
    assert_int_equal(world_upload(&w, v2, v2_len, 4096), 0);
    assert_true(world_settle(&w));
    w.clock += 60000;
    expect_rest();
}

static void (*real_restart)(void *ctx);
static int held_at_restart;

static void look_and_restart(void *ctx)
{
    held_at_restart = w.holds;
    real_restart(ctx);
}

static void wrap_restart(void *ctx, struct otapult_port *port)
{
    (void)ctx;
    real_restart = port->restart;
    port->restart = look_and_restart;
}

/* Nobody has asked for these, so nobody has told the application before. */
static void a_restart_that_a_boot_decides_finds_it_at_rest(void **state)
{
    (void)state;
    w.wrap = wrap_restart;
    w.health = OTAPULT_HEALTH_WAIT;
    assert_int_equal(world_upload(&w, v2, v2_len, 4096), 0);
    assert_true(world_settle(&w));
    held_at_restart = 0;
    world_pull_plug(&w);
    assert_true(world_boot(&w)); /* 1.0.0 tries it again */
    assert_int_equal(held_at_restart, 1);
    w.health = OTAPULT_HEALTH_PASS;
    assert_true(world_settle(&w));
    held_at_restart = 0;
    crash(LIMIT);
    assert_string_equal(world_version(&w), "1.0.0");
    assert_int_equal(held_at_restart, 1);
}

static void a_rollback_waits_for_rest(void **state)
{
    struct otapult_finding why;

    (void)state;
    install(v2, v2_len, "2.0.0");
    assert_int_equal(otapult_rollback(w.ota, &why), 0);
    expect_rest();
}

static void an_update_waits_for_rest_and_goes_on_as_soon_as_it_has_come(void **state)
{
    (void)state;
    assert_int_equal(world_upload(&w, v2, v2_len, 4096), 0);
    w.ready = false;
    assert_int_equal(restarts_within(5000), 0);
    w.ready = true;
    assert_int_equal(restarts_within(0), 1);
}

/* ---- builds that have failed here ---- */

static const struct otapult_port *port(void)
{
    return &w.board.port;
}

static void the_last_eight_failures_are_known(void **state)
{
    char build[OTAPULT_BUILD_ID_CHARS + 1];

    (void)state;
    assert_false(otapult_has_failed(port(), ""));
    for (unsigned i = 0; i < 10; i++) {
        snprintf(build, sizeof build, "%08x", i);
        otapult_remember_failure(port(), build);
        otapult_remember_failure(port(), build); /* twice is once */
    }
    for (unsigned i = 0; i < 10; i++) {
        snprintf(build, sizeof build, "%08x", i);
        assert_int_equal(otapult_has_failed(port(), build), i >= 2);
    }
    otapult_remember_failure(port(), "00000003"); /* again: now the newest */
    otapult_remember_failure(port(), "aaaaaaaa");
    assert_true(otapult_has_failed(port(), "00000003"));
    assert_false(otapult_has_failed(port(), "00000002"));
    otapult_forget_failure(port(), "aaaaaaaa");
    assert_false(otapult_has_failed(port(), "aaaaaaaa"));
    assert_true(otapult_has_failed(port(), "00000004"));
    otapult_forget_failure(port(), "00000007"); /* the others stay */
    for (unsigned i = 0; i < 10; i++) {
        snprintf(build, sizeof build, "%08x", i);
        assert_int_equal(otapult_has_failed(port(), build), i > 2 && i != 7);
    }
    otapult_forget_failure(port(), "00000004"); /* the oldest, too, stands there once */
    assert_false(otapult_has_failed(port(), "00000004"));
}

static void fail_in_turn(char letter, uint8_t count)
{
    char build[OTAPULT_BUILD_ID_CHARS + 1];

    for (uint8_t i = 0; i < count; i++) {
        snprintf(build, sizeof build, "%c00000%02x", letter, i);
        otapult_remember_failure(port(), build);
    }
}

/* One that fails again is the newest; no name is none, and takes nobody's place. */
static void the_newest_failure_stays_longest(void **state)
{
    static const char none[OTAPULT_BUILD_ID_CHARS + 1] = {'\0', 'x'};

    (void)state;
    fail_in_turn('a', 8);
    otapult_remember_failure(port(), none);
    assert_true(otapult_has_failed(port(), "a0000000"));
    otapult_remember_failure(port(), "a0000006");
    const uint64_t ops = w.nor.ops;
    otapult_remember_failure(port(), "a0000006"); /* costs no write */
    assert_int_equal(w.nor.ops, ops);
    fail_in_turn('b', 7);
    assert_true(otapult_has_failed(port(), "a0000006"));
    assert_false(otapult_has_failed(port(), "a0000007"));
}

/* What was written by nobody of ours: a list is whole or none, and its names end. */
static void a_list_of_failures_is_whole(void **state)
{
    char list[8 * 9];

    (void)state;
    memset(list, 'x', sizeof list);
    memcpy(list, "abcdefgh", 8);
    assert_int_equal(port()->kv_set(port()->ctx, "ota.failed1", list, sizeof list - 1), 0);
    assert_false(otapult_has_failed(port(), "abcdefgh"));
    assert_false(otapult_has_failed(port(), "xxxxxxxx"));
    assert_int_equal(port()->kv_set(port()->ctx, "ota.failed1", list, sizeof list), 0);
    assert_true(otapult_has_failed(port(), "abcdefgh"));
    assert_true(otapult_has_failed(port(), "xxxxxxxx"));
}

static void whoever_fails_its_trial_is_known_until_it_is_confirmed(void **state)
{
    struct otapult_image_info info;
    struct otapult_slot slot;
    char build[OTAPULT_BUILD_ID_CHARS + 1];

    (void)state;
    w.health = OTAPULT_HEALTH_FAIL;
    assert_int_equal(world_upload(&w, v2, v2_len, 4096), 0);
    assert_true(world_settle(&w));
    assert_string_equal(world_version(&w), "1.0.0");
    assert_int_equal(otapult_slot(w.ota, 1, &slot, &info), 0);
    otapult_build_id(&info.desc, build);
    assert_true(otapult_has_failed(port(), build));
    w.health = OTAPULT_HEALTH_PASS;
    assert_int_equal(world_upload(&w, v2, v2_len, 4096), OTAPULT_E_BUILD_REJECTED);
    install_by_force(v2, v2_len);
    assert_string_equal(world_version(&w), "2.0.0");
    assert_false(otapult_has_failed(port(), build));
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(the_first_that_does_not_pass_is_waited_for),
        CASE(checks_must_pass_for_the_soak_time),
        CASE(a_break_begins_the_soak_again),
        CASE(a_check_that_fails_in_the_soak_goes_back),
        CASE(the_deadline_waits_for_a_soak_under_way),
        CASE(the_deadline_counts_from_the_start),
        CASE(a_firmware_that_keeps_crashing_gives_way_to_the_other),
        CASE(the_same_build_in_the_other_slot_is_no_way_out),
        CASE(without_another_there_is_safe_mode),
        CASE(the_limit_is_the_configurations),
        CASE(safe_mode_ends_with_an_update),
        CASE(safe_mode_ends_with_a_restart_by_hand),
        CASE(one_that_has_failed_here_is_not_gone_back_to),
        CASE(a_broken_image_is_not_gone_back_to),
        CASE(an_image_that_never_ran_here_is_not_gone_to),
        CASE(what_does_not_count),
        CASE(a_row_is_of_short_lives_of_one_firmware),
        CASE(an_announced_restart_begins_the_row_anew),
        CASE(watchdogs_and_restarts_that_nobody_announced_count),
        CASE(a_restart_that_nobody_announced_is_a_crash_of_the_trial),
        CASE(a_restart_that_was_announced_stays_so),
        CASE(garbage_is_no_note),
        CASE(a_life_that_ends_well_costs_no_flash_write),
        CASE(a_rejection_waits_for_rest),
        CASE(a_passed_deadline_waits_for_rest),
        CASE(a_restart_that_a_boot_decides_finds_it_at_rest),
        CASE(a_rollback_waits_for_rest),
        CASE(an_update_waits_for_rest_and_goes_on_as_soon_as_it_has_come),
        CASE(the_last_eight_failures_are_known),
        CASE(the_newest_failure_stays_longest),
        CASE(a_list_of_failures_is_whole),
        CASE(whoever_fails_its_trial_is_known_until_it_is_confirmed),
    };
    return cmocka_run_group_tests(tests, images_make, images_free);
}
