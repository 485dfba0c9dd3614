/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "faulty_port.h"
#include "images.h"
#include "oracle.h"
#include "update/common.h"
#include "update/known.h"
#include "world.h"

/* Firmware that was written and waits: over the emulated board, through restarts and whatever else comes
 * meanwhile. The oracle, which shares no code with the device, says what would boot. */

#define SLOT_1 0x20000u
#define BLANK  "\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF"

static struct otapult_status status(struct world *w)
{
    struct otapult_status s;

    otapult_status(w->ota, &s);
    return s;
}

static const struct otapult_log_entry *newest(struct world *w)
{
    static struct otapult_log_entry e;

    assert_true(otapult_log_entry(w->ota, 0, &e));
    return &e;
}

static int activate(struct world *w)
{
    struct otapult_finding why;

    return otapult_activate_staged(w->ota, &why);
}

static const char *way_back(struct world *w)
{
    static struct otapult_view v;

    otapult_view(w->ota, &v);
    return v.way_back.slot == OTAPULT_SLOT_NONE ? v.way_back.none : NULL;
}

static void assert_waits(struct world *w)
{
    const struct otapult_update staged = status(w).staged;

    assert_int_not_equal(staged.id, 0);
    assert_int_equal(staged.slot, 1);
    assert_int_equal(staged.size, v2_len);
    assert_string_equal(staged.version, "2.0.0");
    assert_memory_equal(w->nor.data + SLOT_1, BLANK, 16);
    assert_memory_equal(w->nor.data + SLOT_1 + 16, v2 + 16, v2_len - 16);
    assert_string_equal(oracle_boot(w->nor.data, WORLD_FLASH).image.version, "1.0.0");
}

static void stage(struct world *w)
{
    assert_int_equal(world_stage(w, v2, v2_len, 1000), 0);
    assert_waits(w);
}

static void assert_runs_v2(struct world *w)
{
    assert_true(world_settle(w));
    assert_string_equal(world_version(w), "2.0.0");
    assert_int_equal(status(w).staged.id, 0);
    assert_int_equal(newest(w)->event, OTAPULT_EV_CONFIRMED);
}

/* ---- the good way ---- */

static void it_waits_and_the_device_goes_on(void **state)
{
    struct world *w = *state;
    struct otapult_view v;
    struct otapult_update u;

    stage(w);
    assert_int_equal(w->holds, 0);
    assert_int_equal(status(w).phase, OTAPULT_IDLE);
    assert_int_equal(status(w).claim, OTAPULT_FREE);
    assert_int_equal(newest(w)->event, OTAPULT_EV_STAGED);
    assert_string_equal(newest(w)->version, "2.0.0");
    otapult_last_update(w->ota, &u);
    assert_int_equal(u.outcome, OTAPULT_UPDATE_STAGED);
    assert_memory_equal(u.sha256, status(w).staged.sha256, 32);
    assert_string_equal(way_back(w), "the other slot holds a firmware that waits to be started");
    otapult_view(w->ota, &v);
    assert_false(v.slot[1].has_image); /* flash has no header of it */
    assert_true(world_settle(w));
    assert_string_equal(world_version(w), "1.0.0");
}

static void it_is_started_and_confirmed(void **state)
{
    struct world *w = *state;

    stage(w);
    assert_int_equal(activate(w), 0);
    assert_int_equal(w->begun, OTAPULT_E_BUSY); /* it holds the device */
    assert_int_equal(newest(w)->event, OTAPULT_EV_ACTIVATED);
    assert_int_equal(status(w).phase, OTAPULT_REBOOTING);
    assert_int_equal(status(w).staged.id, 0);
    assert_int_equal(status(w).slots.boot, 1); /* shown before the restart, too */
    assert_runs_v2(w);
    assert_null(way_back(w));
    assert_int_equal(activate(w), OTAPULT_E_NO_STAGED);
}

static void it_survives_restarts(void **state)
{
    struct world *w = *state;
    struct otapult_finding why;

    stage(w);
    for (unsigned n = 0; n < 3; n++) {
        world_pull_plug(w);
        assert_true(world_boot(w));
        assert_waits(w);
    }
    assert_int_equal(otapult_restart(w->ota, &why), 0);
    assert_true(world_settle(w));
    assert_waits(w);
    assert_int_equal(activate(w), 0);
    assert_runs_v2(w);
}

static void an_image_that_rejects_itself_waits_no_more(void **state)
{
    struct world *w = *state;

    stage(w);
    w->health = OTAPULT_HEALTH_FAIL;
    assert_int_equal(activate(w), 0);
    assert_true(world_settle(w));
    assert_string_equal(world_version(w), "1.0.0");
    assert_int_equal(status(w).staged.id, 0);
    assert_int_equal(newest(w)->event, OTAPULT_EV_REJECTED);
    assert_int_equal(activate(w), OTAPULT_E_NO_STAGED);
}

/* ---- what else comes ---- */

static void the_next_upload_takes_its_place(void **state)
{
    struct world *w = *state;

    stage(w);
    assert_int_equal(world_upload(w, v3, v3_len, 1000), 0);
    assert_int_equal(status(w).staged.id, 0);
    assert_true(world_settle(w));
    assert_string_equal(world_version(w), "3.0.0");
    assert_int_equal(activate(w), OTAPULT_E_NO_STAGED);
}

static void another_staged_one_takes_its_place(void **state)
{
    struct world *w = *state;

    assert_int_equal(world_stage(w, v3, v3_len, 4096), 0);
    assert_string_equal(status(w).staged.version, "3.0.0");
    stage(w);
    assert_int_equal(activate(w), 0);
    assert_runs_v2(w);
}

/* One that is refused with its head erases nothing, and one that breaks off later has erased it. */
static void a_refused_upload_leaves_it_and_a_broken_one_does_not(void **state)
{
    const struct otapult_finding lost = {0};
    struct world *w = *state;
    struct otapult_finding why;
    uint8_t other[300];
    uint32_t ticket;

    stage(w);
    memcpy(other, v3, sizeof other);
    other[12] ^= 1; /* the chip */
    assert_int_equal(world_upload(w, other, sizeof other, 100), OTAPULT_E_IMAGE_WRONG_CHIP);
    assert_waits(w);
    assert_int_equal(otapult_begin(w->ota, (uint32_t)v3_len, &ticket, &why), 0);
    assert_int_equal(otapult_feed(w->ota, ticket, v3, 287, &why), 0);
    assert_waits(w);
    assert_int_equal(activate(w), OTAPULT_E_BUSY);
    assert_int_equal(otapult_feed(w->ota, ticket, v3 + 287, 1, &why), 0);
    assert_int_equal(status(w).staged.id, 0);
    otapult_cancel(w->ota, ticket, OTAPULT_E_CONNECTION_LOST, &lost);
    assert_true(otapult_has_emptied(w->ota, ticket)); /* and its client is told */
    assert_int_equal(activate(w), OTAPULT_E_NO_STAGED);
    world_pull_plug(w);
    assert_true(world_boot(w));
    assert_int_equal(status(w).staged.id, 0);
}

static void there_is_no_way_back_to_it(void **state)
{
    struct world *w = *state;
    struct otapult_finding why;

    stage(w);
    assert_int_equal(otapult_rollback(w->ota, &why), OTAPULT_E_NO_ROLLBACK);
    assert_string_equal(why.text, "the other slot holds a firmware that waits to be started");
    assert_waits(w);
}

static void a_robot_that_drives_is_left_alone(void **state)
{
    struct world *w = *state;

    stage(w);
    w->ready = false;
    assert_int_equal(activate(w), OTAPULT_E_NOT_READY);
    assert_int_equal(w->holds, 0);
    assert_waits(w);
    w->ready = true;
    assert_int_equal(activate(w), 0);
    assert_runs_v2(w);
}

static void the_same_upload_again_is_answered_from_memory(void **state)
{
    const struct otapult_update_options options = {.id = 7, .later = true};
    struct world *w = *state;
    struct otapult_finding why;
    const struct otapult_image_info *info;
    struct otapult_update past;
    uint32_t ticket;

    assert_int_equal(otapult_begin_with(w->ota, &options, (uint32_t)v2_len, &ticket, NULL, &why), 0);
    assert_int_equal(otapult_feed(w->ota, ticket, v2, v2_len, &why), 0);
    assert_int_equal(otapult_finish(w->ota, ticket, &info, &why), 0);
    for (unsigned n = 0; n < 2; n++) {
        assert_int_equal(otapult_begin_with(w->ota, &options, (uint32_t)v2_len, &ticket, &past, &why), 0);
        assert_int_equal(ticket, 0);
        assert_int_equal(past.outcome, OTAPULT_UPDATE_STAGED);
        world_pull_plug(w);
        assert_true(world_boot(w));
    }
    assert_waits(w);
}

/* ---- what flash and store have become ---- */

static void each_changed_byte_is_found(void **state)
{
    struct world *w = *state;
    static uint8_t before[WORLD_FLASH];

    stage(w);
    world_save(w, before);
    for (uint32_t at = 16; at < v2_len; at += 97) {
        world_restore(w, before);
        assert_true(world_boot(w));
        w->nor.data[SLOT_1 + at] ^= 0x10;
        assert_int_equal(activate(w), OTAPULT_E_STAGED_CHANGED);
        assert_int_equal(status(w).staged.id, 0);
        assert_int_equal(w->holds, 0);
        assert_string_equal(oracle_boot(w->nor.data, WORLD_FLASH).image.version, "1.0.0");
        assert_memory_equal(w->nor.data + SLOT_1, BLANK, 16);
    }
    world_restore(w, before);
    assert_true(world_boot(w));
    assert_int_equal(activate(w), 0);
}

/* By USB, or by a firmware that knows nothing of staging: another right image in that slot. */
static void another_image_in_its_place_is_found(void **state)
{
    struct world *w = *state;
    uint8_t *slot = w->nor.data + SLOT_1;
    char build_staged[sizeof status(w).staged.build];

    stage(w);
    strcpy(build_staged, status(w).staged.build);
    assert_int_not_equal(build_staged[0], '\0');
    memcpy(slot + 16, v3 + 16, v3_len - 16); /* the same header, another build */
    assert_int_equal(activate(w), OTAPULT_E_STAGED_CHANGED);
    struct otapult_log_entry e;
    assert_true(otapult_log_entry(w->ota, 0, &e));
    assert_int_equal(e.event, OTAPULT_EV_REFUSED);
    assert_string_equal(e.code, "staged_changed");
    assert_string_equal(e.version, "2.0.0");
    assert_string_equal(e.build, build_staged);
    stage(w);
    memcpy(slot + 16, v3 + 16, v3_len - 16);
    world_pull_plug(w);
    assert_true(world_boot(w));
    assert_int_equal(status(w).staged.id, 0);
    stage(w);
    memcpy(slot, v2, 16);
    slot[1] = 0; /* a header that power tore */
    world_pull_plug(w);
    assert_true(world_boot(w));
    assert_int_equal(status(w).staged.id, 0);
}

/* Power went behind the header's commit and before the activation. */
static void a_header_that_is_there_already_is_no_obstacle(void **state)
{
    struct world *w = *state;

    stage(w);
    memcpy(w->nor.data + SLOT_1, v2, 16);
    world_pull_plug(w);
    assert_true(world_boot(w));
    assert_int_not_equal(status(w).staged.id, 0);
    assert_string_equal(way_back(w), "the other slot holds a firmware that waits to be started");
    assert_int_equal(activate(w), 0);
    assert_runs_v2(w);
}

static void a_damaged_note_is_none(void **state)
{
    struct world *w = *state;
    const struct otapult_port *port = &w->board.port;
    uint8_t note[256];
    size_t len;

    stage(w);
    assert_int_equal(port->kv_get(port->ctx, "ota.staged1", note, sizeof note, &len), 0);
    for (size_t cut = 0; cut < len; cut += 20) {
        assert_int_equal(port->kv_set(port->ctx, "ota.staged1", note, cut), 0);
        world_pull_plug(w);
        assert_true(world_boot(w));
        assert_int_equal(status(w).staged.id, 0);
        assert_int_equal(activate(w), OTAPULT_E_NO_STAGED);
    }
    memset(note, 0xFF, len); /* a slot that no table has */
    assert_int_equal(port->kv_set(port->ctx, "ota.staged1", note, len), 0);
    world_pull_plug(w);
    assert_true(world_boot(w));
    assert_int_equal(status(w).staged.id, 0);
    assert_int_equal(port->kv_get(port->ctx, "ota.staged1", note, sizeof note, &len), 0);
    assert_int_equal(len, 0); /* and it is forgotten */
}

/* Its texts end, whoever wrote it. */
static void texts_of_a_note_end(void **state)
{
    struct world *w = *state;
    const struct otapult_port *port = &w->board.port;
    uint8_t note[256];
    struct otapult_update u;
    size_t len;

    stage(w);
    assert_int_equal(port->kv_get(port->ctx, "ota.staged1", note, sizeof note, &len), 0);
    memcpy(&u, note, sizeof u);
    memset(u.version, 'x', sizeof u.version);
    memset(u.project, 'x', sizeof u.project);
    memcpy(note, &u, sizeof u);
    assert_int_equal(port->kv_set(port->ctx, "ota.staged1", note, len), 0);
    world_pull_plug(w);
    assert_true(world_boot(w));
    u = status(w).staged;
    assert_int_equal(strnlen(u.version, sizeof u.version), sizeof u.version - 1);
    assert_int_equal(strnlen(u.project, sizeof u.project), sizeof u.project - 1);
    u.slot = 2; /* one slot too far */
    memcpy(note, &u, sizeof u);
    assert_int_equal(port->kv_set(port->ctx, "ota.staged1", note, len), 0);
    world_pull_plug(w);
    assert_true(world_boot(w));
    assert_int_equal(status(w).staged.id, 0);
}

/* Any number is an id but 0, and any slot may be the one. */
static void the_first_id_in_the_first_slot_waits_too(void **state)
{
    const struct otapult_update_options options = {.id = 1, .later = true};
    struct world *w = *state;
    const struct otapult_image_info *info;
    struct otapult_finding why;
    uint32_t ticket;

    assert_int_equal(world_upload(w, v2, v2_len, 4096), 0);
    assert_true(world_settle(w));
    assert_int_equal(otapult_begin_with(w->ota, &options, (uint32_t)v3_len, &ticket, NULL, &why), 0);
    assert_int_equal(otapult_feed(w->ota, ticket, v3, v3_len, &why), 0);
    assert_int_equal(otapult_finish(w->ota, ticket, &info, &why), 0);
    world_pull_plug(w);
    assert_true(world_boot(w));
    assert_int_equal(status(w).staged.id, 1);
    assert_int_equal(status(w).staged.slot, 0);
    assert_int_equal(activate(w), 0);
    assert_true(world_settle(w));
    assert_string_equal(world_version(w), "3.0.0");
}

/* ---- what forbids an upload forbids it ---- */

static struct otapult_port honest;
static bool bad_table, same_place;

static int tell_slots(void *ctx, struct otapult_slots *out)
{
    int err = honest.slots(ctx, out);

    out->table_error = bad_table ? OTAPULT_E_SLOT_ALIGNMENT : 0;
    return err;
}

static int tell_slot(void *ctx, int index, struct otapult_slot *out)
{
    int err = honest.slot(ctx, index, out);

    out->address = same_place ? 0x10000 : out->address;
    return err;
}

static void wrap_table(void *ctx, struct otapult_port *port)
{
    (void)ctx;
    honest = *port;
    port->slots = tell_slots;
    port->slot = tell_slot;
}

static void a_table_that_takes_no_upload_starts_nothing(void **state)
{
    struct world *w = *state;

    stage(w);
    w->wrap = wrap_table;
    bad_table = true;
    same_place = false;
    assert_true(world_boot(w));
    assert_int_equal(activate(w), OTAPULT_E_SLOT_ALIGNMENT);
    bad_table = false;
    same_place = true;
    assert_true(world_boot(w));
    assert_int_equal(activate(w), OTAPULT_E_SLOTS_OVERLAP);
    assert_int_equal(w->holds, 0);
    assert_waits(w);
    w->wrap = NULL;
}

static void refuse_older(void *ctx, struct otapult_config *config)
{
    (void)ctx;
    config->too_old = otapult_is_older;
}

/* That a version is older is looked at when a file comes. */
static void an_older_one_that_waits_is_started(void **state)
{
    struct world *w = *state;
    size_t len;
    uint8_t *old = images_one("0.9.0", 9, 9000, &len);

    assert_int_equal(world_stage(w, old, len, 4096), 0);
    w->configure = refuse_older;
    assert_true(world_boot(w));
    assert_int_equal(activate(w), 0);
    assert_true(world_settle(w));
    assert_string_equal(world_version(w), "0.9.0");
    w->configure = NULL;
    free(old);
}

/* ---- the port fails ---- */

static struct faulty_port port;

/* A slot that cannot be read at start may be as it was: it is read when it is started. */
static void what_cannot_be_read_at_start_waits_on(void **state)
{
    const struct faulty_plan plan = {
        .call = FAULTY_OPEN, .at = 1, .for_good = true, .how = FAULTY_INSTEAD, .err = OTAPULT_E_SLOT_OPEN};
    struct world *w = *state;

    stage(w);
    w->wrap = faulty_port_wrap;
    w->wrap_ctx = &port;
    faulty_port_arm(&port, &plan);
    assert_true(world_boot(w));
    faulty_port_arm(&port, NULL);
    assert_waits(w);
    assert_int_equal(activate(w), 0);
    w->wrap = NULL;
    assert_runs_v2(w);
}

/* Its header is there then, and its note still: the next try has all it needs. */
static void an_activation_that_fails_can_be_tried_again(void **state)
{
    static const int errors[] = {OTAPULT_E_IMAGE_TOO_LARGE, OTAPULT_E_ACTIVATE}; /* the table's first, too */
    struct world *w = *state;

    w->wrap = faulty_port_wrap;
    w->wrap_ctx = &port;
    assert_true(world_boot(w));
    stage(w);
    for (size_t i = 0; i < sizeof errors / sizeof *errors; i++) {
        const struct faulty_plan plan = {
            .call = FAULTY_ACTIVATE, .at = 1, .how = FAULTY_INSTEAD, .err = errors[i]};
        faulty_port_arm(&port, &plan);
        assert_int_equal(activate(w), errors[i]);
        assert_int_not_equal(status(w).staged.id, 0);
    }
    assert_int_equal(activate(w), 0);
    w->wrap = NULL;
    assert_runs_v2(w);
}

static void fail_one(struct world *w, enum faulty_call call, unsigned at, int *result)
{
    const struct faulty_plan plan = {.call = call, .at = at, .how = FAULTY_INSTEAD, .err = OTAPULT_E_CONFIG};

    faulty_port_arm(&port, &plan);
    *result = activate(w);
    faulty_port_arm(&port, NULL);
    assert_int_equal(w->holds, *result == 0);
}

/* Each call that an activation makes, failing: the error comes out, the old firmware boots, and a second try
 * succeeds. A store that fails costs notes. */
static void a_port_that_fails_costs_nothing(void **state)
{
    static const enum faulty_call calls[] = {FAULTY_OPEN, FAULTY_READ, FAULTY_WRITE, FAULTY_ACTIVATE};
    struct world *w = *state;
    static uint8_t before[WORLD_FLASH];
    int result;

    w->wrap = faulty_port_wrap;
    w->wrap_ctx = &port;
    assert_true(world_boot(w));
    stage(w);
    world_save(w, before);
    for (size_t i = 0; i < sizeof calls / sizeof *calls; i++) {
        for (unsigned at = 1;; at++) {
            world_restore(w, before);
            assert_true(world_boot(w));
            fail_one(w, calls[i], at, &result);
            if (port.struck == 0 || result == 0)
                break;
            assert_int_equal(result, OTAPULT_E_CONFIG);
            assert_string_equal(oracle_boot(w->nor.data, WORLD_FLASH).image.version, "1.0.0");
            if (status(w).staged.id == 0) /* a header that fails takes its sector along */
                assert_int_equal(activate(w), OTAPULT_E_NO_STAGED);
            else if (activate(w) == 0)
                assert_runs_v2(w);
            else
                fail();
        }
    }
    w->wrap = NULL;
}

static void without_a_note_it_does_not_wait(void **state)
{
    const struct faulty_plan plan = {
        .call = FAULTY_KV_SET, .at = 1, .for_good = true, .how = FAULTY_INSTEAD, .err = OTAPULT_E_STORE};
    struct world *w = *state;

    w->wrap = faulty_port_wrap;
    w->wrap_ctx = &port;
    assert_true(world_boot(w));
    faulty_port_arm(&port, &plan);
    assert_int_equal(world_stage(w, v2, v2_len, 1000), OTAPULT_E_STORE);
    assert_int_equal(status(w).staged.id, 0);
    assert_int_equal(w->holds, 0);
    assert_memory_equal(w->nor.data + SLOT_1, BLANK, 16);
    faulty_port_arm(&port, NULL);
    w->wrap = NULL;
}

/* Nothing is erased for it, so what waits goes on waiting. */
static char line[192];

static void keep_line(void *ctx, enum otapult_log_level level, const char *text)
{
    (void)ctx;
    assert_int_equal(level, OTAPULT_LOG_WARNING);
    snprintf(line, sizeof line, "%s", text);
}

static void keep_lines(void *ctx, struct otapult_port *p)
{
    (void)ctx;
    p->log = keep_line;
}

static void a_refusal_stands_on_the_console(void **state)
{
    struct world *w = *state;
    struct otapult_finding why;

    w->wrap = keep_lines;
    assert_true(world_boot(w));
    assert_int_equal(otapult_activate_staged_by(w->ota, "token ci", &why), OTAPULT_E_NO_STAGED);
    assert_string_equal(line,
                        "activation refused: nothing_staged, by token ci: no firmware waits to be started");
    assert_int_equal(otapult_rollback_by(w->ota, "admin", false, &why), OTAPULT_E_NO_ROLLBACK);
    assert_string_equal(line, "rollback refused: no_rollback, by admin: no other slot holds a firmware");
    w->wrap = NULL;
}

static void what_runs_already_takes_nobodys_place(void **state)
{
    struct world *w = *state;
    struct otapult_update u;

    stage(w);
    assert_int_equal(world_stage(w, v1, v1_len, 1000), 0);
    otapult_last_update(w->ota, &u);
    assert_int_equal(u.outcome, OTAPULT_UPDATE_ALREADY);
    assert_waits(w);
    assert_int_equal(activate(w), 0);
    assert_runs_v2(w);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, images_world, images_world_end)

/* A build that has failed here since is refused when it is to start, unless it was meant all the same. */
static void what_has_failed_meanwhile_starts_by_force_only(void **state)
{
    const struct otapult_update_options forced = {.later = true, .force = true};
    const struct otapult_image_info *info;
    struct world *w = *state;
    struct otapult_finding why;
    char build[OTAPULT_BUILD_ID_CHARS + 1];
    uint32_t ticket;

    stage(w);
    strcpy(build, status(w).staged.build);
    otapult_remember_failure(&w->board.port, build);
    assert_int_equal(activate(w), OTAPULT_E_BUILD_REJECTED);
    assert_waits(w);
    assert_int_equal(otapult_begin_with(w->ota, &forced, (uint32_t)v2_len, &ticket, NULL, &why), 0);
    assert_int_equal(otapult_feed(w->ota, ticket, v2, v2_len, &why), 0);
    assert_int_equal(otapult_finish(w->ota, ticket, &info, &why), 0);
    assert_waits(w);
    assert_int_equal(activate(w), 0);
    assert_runs_v2(w);
}

/* Also by force, which compares it with nothing: the note is gone before the first erase. */
static void a_forced_upload_takes_its_place_too(void **state)
{
    const struct otapult_update_options forced = {.force = true};
    struct world *w = *state;
    struct otapult_finding why;
    uint32_t ticket;

    stage(w);
    assert_int_equal(otapult_begin_with(w->ota, &forced, (uint32_t)v3_len, &ticket, NULL, &why), 0);
    assert_int_equal(otapult_feed(w->ota, ticket, v3, 200, &why), 0);
    assert_waits(w);
    assert_int_equal(otapult_feed(w->ota, ticket, v3 + 200, 400, &why), 0);
    assert_int_equal(status(w).staged.id, 0);
    world_pull_plug(w);
    assert_true(world_boot(w));
    assert_int_equal(status(w).staged.id, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(it_waits_and_the_device_goes_on),
        CASE(it_is_started_and_confirmed),
        CASE(what_runs_already_takes_nobodys_place),
        CASE(a_refusal_stands_on_the_console),
        CASE(it_survives_restarts),
        CASE(a_forced_upload_takes_its_place_too),
        CASE(what_has_failed_meanwhile_starts_by_force_only),
        CASE(an_image_that_rejects_itself_waits_no_more),
        CASE(the_next_upload_takes_its_place),
        CASE(another_staged_one_takes_its_place),
        CASE(a_refused_upload_leaves_it_and_a_broken_one_does_not),
        CASE(there_is_no_way_back_to_it),
        CASE(a_robot_that_drives_is_left_alone),
        CASE(the_same_upload_again_is_answered_from_memory),
        CASE(each_changed_byte_is_found),
        CASE(another_image_in_its_place_is_found),
        CASE(a_header_that_is_there_already_is_no_obstacle),
        CASE(a_damaged_note_is_none),
        CASE(texts_of_a_note_end),
        CASE(the_first_id_in_the_first_slot_waits_too),
        CASE(a_table_that_takes_no_upload_starts_nothing),
        CASE(an_older_one_that_waits_is_started),
        CASE(what_cannot_be_read_at_start_waits_on),
        CASE(an_activation_that_fails_can_be_tried_again),
        CASE(a_port_that_fails_costs_nothing),
        CASE(without_a_note_it_does_not_wait),
    };
    return cmocka_run_group_tests(tests, images_make, images_free);
}
