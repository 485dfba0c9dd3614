/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "images.h"
#include "update/common.h"
#include "update/way_back.h"
#include "world.h"

/* Where a rollback goes to, on the partition tables that people have: what page and API say and what the
 * rollback itself does are the same. */

static struct world w;

static void begin(enum world_layout layout)
{
    world_init(&w, layout, v1, v1_len);
    assert_true(world_boot(&w));
}

static int tear_down(void **state)
{
    (void)state;
    world_end(&w);
    return 0;
}

static void install(const uint8_t *image, size_t len)
{
    assert_int_equal(world_upload(&w, image, len, 4096), 0);
    assert_true(world_settle(&w));
}

/* The view names the slot that the rollback then really boots. */
static void expect_way_to(int slot, const char *version)
{
    struct otapult_finding why;
    struct otapult_view v = *world_view(&w);

    assert_int_equal(v.way_back.slot, slot);
    assert_null(v.way_back.doubt);
    assert_int_equal(otapult_rollback(w.ota, &why), 0);
    if (slot >= 0)
        assert_int_equal(world_view(&w)->status.slots.boot, slot); /* shown before the restart, too */
    assert_true(world_settle(&w));
    assert_string_equal(world_version(&w), version);
    assert_int_equal(world_view(&w)->status.slots.running, slot);
}

static void expect_no_way(const char *reason)
{
    struct otapult_finding why;

    assert_int_equal(world_view(&w)->way_back.slot, OTAPULT_SLOT_NONE);
    assert_string_equal(world_view(&w)->way_back.none, reason);
    assert_int_equal(otapult_rollback(w.ota, &why), OTAPULT_E_NO_ROLLBACK);
    assert_string_equal(why.text, reason);
}

static void two_slots(void **state)
{
    (void)state;
    begin(WORLD_TWO_OTA);
    expect_no_way("no other slot holds a firmware");
    install(v2, v2_len);
    expect_way_to(0, "1.0.0");
    expect_way_to(1, "2.0.0");
}

/* ESP-IDF's partitions_two_ota.csv. */
static void a_factory_app_and_two_slots(void **state)
{
    (void)state;
    begin(WORLD_FACTORY_OTA);
    install(v2, v2_len);
    expect_way_to(OTAPULT_SLOT_FACTORY, "1.0.0");
    expect_way_to(0, "2.0.0");
    install(v3, v3_len);
    assert_string_equal(world_version(&w), "3.0.0");
    expect_way_to(0, "2.0.0");
}

/* Back to what ran before, and not to the oldest, whose slot the next update takes. */
static void three_slots(void **state)
{
    (void)state;
    begin(WORLD_THREE_OTA);
    install(v2, v2_len);
    install(v3, v3_len);
    assert_int_equal(world_view(&w)->status.slots.running, 2);
    assert_int_equal(world_view(&w)->status.slots.next, 0);
    expect_way_to(1, "2.0.0");
    expect_way_to(2, "3.0.0");
}

static void a_recovery_app_and_one_slot(void **state)
{
    (void)state;
    begin(WORLD_RECOVERY);
    expect_no_way("no other slot holds a firmware");
    install(v2, v2_len);
    assert_string_equal(world_version(&w), "2.0.0");
    assert_int_equal(world_upload(&w, v3, v3_len, 4096), OTAPULT_E_ONLY_SLOT_RUNS);
    expect_way_to(OTAPULT_SLOT_FACTORY, "1.0.0"); /* from there the slot is free again */
    install(v3, v3_len);
    assert_string_equal(world_version(&w), "3.0.0");
}

static void a_factory_app_alone(void **state)
{
    (void)state;
    begin(WORLD_FACTORY_ONLY);
    expect_no_way("there is no otadata partition to choose a slot by");
    assert_int_equal(world_upload(&w, v2, v2_len, 4096), OTAPULT_E_NO_OTA_PARTITION);
}

static void what_was_rejected_boots_by_force_only(void **state)
{
    struct otapult_finding why;

    (void)state;
    begin(WORLD_TWO_OTA);
    w.health = OTAPULT_HEALTH_FAIL;
    install(v2, v2_len);
    assert_string_equal(world_version(&w), "1.0.0");
    w.health = OTAPULT_HEALTH_PASS;
    assert_int_equal(world_view(&w)->way_back.slot, 1);
    assert_string_equal(world_view(&w)->way_back.doubt, "it rejected itself when it ran last");
    assert_int_equal(otapult_rollback(w.ota, &why), OTAPULT_E_ROLLBACK_DOUBTFUL);
    assert_string_equal(why.text, "it rejected itself when it ran last");
    uint32_t ticket; /* what was asked of an upload is not asked of the way back */
    assert_int_equal(otapult_begin(w.ota, 100, &ticket, &why), 0);
    otapult_cancel(w.ota, ticket, OTAPULT_E_CONNECTION_LOST, &why);
    assert_int_equal(otapult_rollback_by(w.ota, NULL, true, &why), 0);
    assert_true(world_settle(&w));
    assert_string_equal(world_version(&w), "2.0.0");
}

/* The factory app is whole; what was rejected in the slot beside it is not offered before it. */
static void one_without_doubts_comes_first(void **state)
{
    (void)state;
    begin(WORLD_FACTORY_OTA);
    install(v2, v2_len);
    w.health = OTAPULT_HEALTH_FAIL;
    install(v3, v3_len);
    assert_string_equal(world_version(&w), "2.0.0");
    w.health = OTAPULT_HEALTH_PASS;
    expect_way_to(OTAPULT_SLOT_FACTORY, "1.0.0");
}

static void refuse_older(void *ctx, struct otapult_config *config)
{
    (void)ctx;
    config->too_old = otapult_is_older;
}

/* Older versions are refused when they come, and not when somebody goes back to what he had. */
static void an_older_version_is_a_way_back(void **state)
{
    (void)state;
    begin(WORLD_TWO_OTA);
    w.configure = refuse_older;
    assert_true(world_boot(&w));
    install(v2, v2_len);
    assert_int_equal(world_upload(&w, v1, v1_len, 4096), OTAPULT_E_IMAGE_OLDER);
    expect_way_to(0, "1.0.0");
}

static void an_upload_that_ends_badly_leaves_no_way_and_says_so(void **state)
{
    struct otapult_finding why;
    uint32_t ticket;

    (void)state;
    begin(WORLD_TWO_OTA);
    install(v2, v2_len);
    assert_int_equal(otapult_begin(w.ota, (uint32_t)v3_len, &ticket, &why), 0);
    assert_int_equal(otapult_feed(w.ota, ticket, v3, v3_len - 100, &why), 0);
    otapult_cancel(w.ota, ticket, OTAPULT_E_CONNECTION_LOST, &why);
    expect_no_way("no other slot holds a firmware");
}

/* The view looks at the first bytes only; the rollback reads the rest. */
static void a_damaged_image_is_no_way(void **state)
{
    struct otapult_finding why;

    (void)state;
    begin(WORLD_TWO_OTA);
    install(v2, v2_len);
    w.nor.data[0x10000 + 5000] ^= 1;
    assert_int_equal(otapult_rollback(w.ota, &why), OTAPULT_E_NO_ROLLBACK);
    assert_string_equal(why.text, "the other slot holds no whole image");
    assert_int_equal(w.holds, 0);
    assert_int_equal(world_view(&w)->status.slots.boot, 1);
}

/* More slots than a table of these tests has: the view alone, as the device finds a way in it. */
static void the_order_of_ways_back(void **state)
{
    static struct otapult o = {.slots = {.running = 0, .next = 1, .ota_data = true}};
    static const struct otapult_slot_view all[] = {
        {.index = OTAPULT_SLOT_FACTORY,
         .slot.state = OTAPULT_STATE_UNDEFINED,
         .readable = true,
         .has_image = true},
        {.index = 0, .slot.state = OTAPULT_STATE_VALID, .readable = true, .has_image = true},
        {.index = 1, .readable = true, .has_image = true},
        {.index = 2, .readable = true, .has_image = true},
        {.index = 3, .slot.state = OTAPULT_STATE_VALID, .readable = true, .has_image = true},
    };
    struct otapult_way_back way;

    (void)state;
    memcpy(o.seen, all, sizeof all);
    o.seen_count = 5;
    otapult_find_way_back(&o, &way);
    assert_int_equal(way.slot, 3); /* OTA data calls it confirmed */
    o.seen_count = 4;
    otapult_find_way_back(&o, &way);
    assert_int_equal(way.slot, 1); /* the next update's */
    o.slots.next = 2;
    otapult_find_way_back(&o, &way);
    assert_int_equal(way.slot, 2);
    o.slots.next = OTAPULT_SLOT_NONE;
    otapult_find_way_back(&o, &way);
    assert_int_equal(way.slot, 1); /* of two alike the first, and the factory app after both */
    o.seen_count = 2;
    otapult_find_way_back(&o, &way);
    assert_int_equal(way.slot, OTAPULT_SLOT_FACTORY);
    o.seen[0] = all[1];
    o.seen_count = 1;
    otapult_find_way_back(&o, &way);
    assert_int_equal(way.slot, OTAPULT_SLOT_NONE);
    assert_string_equal(way.none, "there is no other slot");
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, NULL, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(two_slots),
        CASE(a_factory_app_and_two_slots),
        CASE(three_slots),
        CASE(a_recovery_app_and_one_slot),
        CASE(a_factory_app_alone),
        CASE(what_was_rejected_boots_by_force_only),
        CASE(one_without_doubts_comes_first),
        CASE(a_damaged_image_is_no_way),
        CASE(an_older_version_is_a_way_back),
        cmocka_unit_test(the_order_of_ways_back),
        CASE(an_upload_that_ends_badly_leaves_no_way_and_says_so),
    };
    return cmocka_run_group_tests(tests, images_make, images_free);
}
