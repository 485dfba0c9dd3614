/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "images.h"
#include "update/common.h"
#include "update/door.h"
#include "world.h"

/* The device through its public header, over the emulated board: who may update when, what every end of
 * an update leaves behind, and what the next boot makes of it. */

static const struct otapult_log_entry *newest(struct world *w)
{
    static struct otapult_log_entry e;

    memset(&e, 0, sizeof e);
    assert_true(otapult_log_entry(w->ota, 0, &e));
    return &e;
}

static struct otapult_status status(struct world *w)
{
    struct otapult_status s;

    otapult_status(w->ota, &s);
    return s;
}

/* ---- where the slots lie ---- */

static const struct otapult_port *honest;
static struct otapult_slots told;

/* The other slot has a number of its own and the running one's address. */
static int slot_at_the_same_place(void *ctx, int index, struct otapult_slot *out)
{
    int err = honest->slot(ctx, index, out);

    out->address = 0x10000 + 0x1000 * (uint32_t)index;
    return err;
}

static int slots_of_a_bad_table(void *ctx, struct otapult_slots *out)
{
    int err = honest->slots(ctx, out);

    out->table_error = OTAPULT_E_SLOT_ALIGNMENT;
    out->table_why = (struct otapult_finding){.at = 0x21000, .want = 0x10000, .text = "app1"};
    return err;
}

static void wrap_slot(void *ctx, struct otapult_port *port)
{
    static struct otapult_port before;

    (void)ctx;
    before = *port;
    honest = &before;
    port->slot = slot_at_the_same_place;
}

static int slots_of_a_test_app(void *ctx, struct otapult_slots *out)
{
    int err = honest->slots(ctx, out);

    out->running = OTAPULT_SLOT_NONE;
    return err;
}

static void wrap_test_app(void *ctx, struct otapult_port *port)
{
    wrap_slot(ctx, port);
    port->slot = honest->slot;
    port->slots = slots_of_a_test_app;
}

static void wrap_slots(void *ctx, struct otapult_port *port)
{
    wrap_slot(ctx, port);
    port->slot = honest->slot;
    port->slots = slots_of_a_bad_table;
}

static void assert_untouched(struct world *w, int want, const char *detail)
{
    static uint8_t before[WORLD_FLASH];
    struct otapult_finding why;
    uint32_t ticket;
    char text[128];

    memcpy(before, w->nor.data + 0x10000, WORLD_FLASH - 0x10000);
    assert_int_equal(otapult_begin(w->ota, (uint32_t)v2_len, &ticket, &why), want);
    otapult_detail(want, &why, NULL, text, sizeof text);
    assert_string_equal(text, detail);
    assert_memory_equal(before, w->nor.data + 0x10000, WORLD_FLASH - 0x10000);
    assert_int_equal(status(w).claim, OTAPULT_FREE);
}

/* Rule 1 by addresses: the port calls the slot writable. */
static void the_place_that_runs_takes_no_update(void **state)
{
    struct world *w = *state;

    w->wrap = wrap_slot;
    assert_true(world_boot(w));
    assert_untouched(w, OTAPULT_E_SLOTS_OVERLAP,
                     "the partition table lays these over each other: app1, app0, at 0x10000");
    w->wrap = NULL;
}

static void a_bad_table_takes_no_update(void **state)
{
    struct world *w = *state;

    w->wrap = wrap_slots;
    assert_true(world_boot(w));
    told = status(w).slots;
    assert_int_equal(told.table_error, OTAPULT_E_SLOT_ALIGNMENT);
    assert_untouched(w, OTAPULT_E_SLOT_ALIGNMENT,
                     "the app slot app1 begins at 0x21000, which is no multiple of 0x10000");
    w->wrap = NULL;
}

/* ESP-IDF's app of the partition `test` runs from no slot of the table. */
static void a_test_app_takes_updates(void **state)
{
    struct world *w = *state;

    w->wrap = wrap_test_app;
    assert_true(world_boot(w));
    assert_int_equal(status(w).slots_error, 0);
    assert_false(status(w).pending);
    assert_int_equal(world_upload(w, v2, v2_len, 4096), 0);
    w->wrap = NULL;
    assert_true(world_settle(w));
    assert_string_equal(world_version(w), "2.0.0");
}

static int no_slots(void *ctx, struct otapult_slots *out)
{
    (void)ctx, (void)out;
    return OTAPULT_E_FLASH_READ;
}

static void wrap_no_slots(void *ctx, struct otapult_port *port)
{
    (void)ctx;
    port->slots = no_slots;
}

/* ---- what runs already ---- */

static int send_file(struct world *w, const struct otapult_update_options *options, const uint8_t *p,
                     size_t n, const struct otapult_image_info **info)
{
    struct otapult_finding why;
    uint32_t ticket;

    int err = otapult_begin_with(w->ota, options, (uint32_t)n, &ticket, NULL, &why);
    if (err == 0)
        err = otapult_feed(w->ota, ticket, p, n, &why);
    return err == 0 ? otapult_finish(w->ota, ticket, info, &why) : err;
}

static struct otapult_update last_update(struct world *w)
{
    struct otapult_update u;

    otapult_last_update(w->ota, &u);
    return u;
}

static void what_runs_already_is_not_written(void **state)
{
    const struct otapult_update_options options = {.id = 77};
    const struct otapult_image_info *info;
    static uint8_t before[WORLD_FLASH];
    struct world *w = *state;
    uint32_t entries = status(w).boot;

    memcpy(before, w->nor.data, WORLD_FLASH);
    assert_int_equal(send_file(w, &options, v1, v1_len, &info), 0);
    assert_memory_equal(before, w->nor.data, WORLD_FLASH); /* no journal entry, either */
    assert_int_equal(info->size, v1_len);
    assert_int_equal(last_update(w).outcome, OTAPULT_UPDATE_ALREADY);
    assert_int_equal(last_update(w).slot, 0);
    assert_int_equal(last_update(w).size, v1_len);
    assert_string_equal(last_update(w).version, "1.0.0");
    assert_int_equal(status(w).claim, OTAPULT_FREE);
    assert_int_equal(status(w).received, v1_len);
    assert_int_equal(status(w).written, 0);
    assert_int_equal(w->holds, 0);
    assert_true(world_settle(w));
    assert_int_equal(status(w).boot, entries); /* and no restart */
}

static void what_runs_already_is_answered_again(void **state)
{
    const struct otapult_update_options options = {.id = 78};
    const struct otapult_image_info *info;
    struct otapult_update past;
    struct otapult_finding why;
    struct world *w = *state;
    uint32_t ticket;

    assert_int_equal(send_file(w, &options, v1, v1_len, &info), 0);
    assert_int_equal(otapult_begin_with(w->ota, &options, 0, &ticket, &past, &why), 0);
    assert_int_equal(ticket, 0);
    assert_int_equal(past.outcome, OTAPULT_UPDATE_ALREADY);

    const struct otapult_update_options another = {.boot = status(w).boot};
    assert_int_equal(otapult_begin_with(w->ota, &another, 100, &ticket, &past, &why), 0);
    assert_int_not_equal(ticket, 0); /* for the same boot, and yet not the same */
}

static void world_of_a_full_slot(struct world *w, uint8_t **image, size_t *len)
{
    *image = NULL;
    *len = 0;
    for (uint32_t size = 0x10000 - 64; *len != 0x10000; size++) {
        free(*image);
        *image = images_one("1.0.0", 1, size, len);
    }
    world_end(w);
    world_init(w, WORLD_TWO_OTA, *image, *len);
    assert_true(world_boot(w));
}

static void one_that_fills_its_slot_is_compared_to_its_end(void **state)
{
    static const struct otapult_update_options plain;
    const struct otapult_image_info *info;
    struct world *w = *state;
    uint8_t *image;
    size_t len;

    world_of_a_full_slot(w, &image, &len);
    assert_int_equal(send_file(w, &plain, image, len, &info), 0);
    assert_int_equal(last_update(w).outcome, OTAPULT_UPDATE_ALREADY);
    free(image);
}

static bool slot_1_fails(void *ctx, enum nor_op op, uint32_t addr, uint32_t len)
{
    (void)ctx, (void)len;
    return op == NOR_ERASE && addr >= 0x20000;
}

/* It begins as what runs: what was equal is written when the first difference comes, and cannot be. */
static void a_difference_that_cannot_be_written_says_where(void **state)
{
    struct world *w = *state;
    struct otapult_finding why;
    uint32_t ticket;
    uint8_t *other = malloc(v1_len);

    memcpy(other, v1, v1_len);
    other[8000] ^= 1;
    assert_int_equal(otapult_begin(w->ota, (uint32_t)v1_len, &ticket, &why), 0);
    assert_int_equal(otapult_feed(w->ota, ticket, other, 6000, &why), 0);
    w->nor.fail = slot_1_fails;
    memset(&why, 0xA5, sizeof why);
    assert_int_equal(otapult_feed(w->ota, ticket, other + 6000, 2500, &why), OTAPULT_E_FLASH_ERASE);
    assert_int_equal(why.at, 0);
    assert_null(why.text);
    w->nor.fail = NULL;
    free(other);
}

static void what_runs_already_is_written_by_force(void **state)
{
    const struct otapult_update_options options = {.force = true};
    const struct otapult_image_info *info;
    struct world *w = *state;

    assert_int_equal(send_file(w, &options, v1, v1_len, &info), 0);
    assert_int_equal(last_update(w).outcome, OTAPULT_UPDATE_ACTIVATED);
    assert_true(world_settle(w));
    assert_int_equal(status(w).slots.running, 1);
}

/* ---- what became of which client's update ---- */

/* Each client that was ended hears its own reason, also when others have been ended since. */
static void the_last_few_ends_are_remembered(void **state)
{
    static const int reasons[] = {OTAPULT_E_CONNECTION_LOST, OTAPULT_E_MULTIPART, OTAPULT_E_UPLOAD_ENDED,
                                  OTAPULT_E_STALLED, OTAPULT_E_NO_FIELD};
    struct world *w = *state;
    struct otapult_finding why;
    uint32_t ticket[5];
    char text[64];

    for (uint32_t n = 0; n < 5; n++) {
        static char who[16];
        const struct otapult_finding end = {.got = n, .text = n == 2 ? strcpy(who, "somebody") : NULL};
        assert_int_equal(otapult_begin(w->ota, (uint32_t)v2_len, &ticket[n], &why), 0);
        otapult_cancel(w->ota, ticket[n], reasons[n], &end);
        strcpy(who, "xxxxxxxx"); /* nobody keeps the words for the device */
    }
    for (uint32_t n = 1; n < 5; n++) {
        assert_int_equal(otapult_touch(w->ota, ticket[n]), reasons[n]);
        otapult_why_ended(w->ota, ticket[n], &why, text, sizeof text);
        assert_int_equal(why.got, n);
        assert_int_equal(why.text != NULL, n == 2);
        assert_string_equal(text, n == 2 ? "somebody" : "");
    }
    assert_int_equal(otapult_touch(w->ota, ticket[0]), OTAPULT_E_STALLED); /* too long ago */
}

/* Whoever is not let in takes nobody's place among them. */
static void a_refused_beginning_is_no_end(void **state)
{
    const struct otapult_update_options options = {.id = 5};
    struct world *w = *state;
    struct otapult_finding why;
    uint32_t ticket, late;

    assert_int_equal(otapult_begin_with(w->ota, &options, (uint32_t)v2_len, &ticket, NULL, &why), 0);
    otapult_cancel(w->ota, ticket, OTAPULT_E_MULTIPART, &(struct otapult_finding){.at = 7});
    w->ready = false;
    for (unsigned n = 0; n < 9; n++) {
        assert_int_equal(otapult_begin(w->ota, (uint32_t)v2_len, &late, &why), OTAPULT_E_NOT_READY);
        assert_int_equal(late, 0);
    }
    assert_int_equal(otapult_touch(w->ota, ticket), OTAPULT_E_MULTIPART);
    assert_int_equal(otapult_begin_with(w->ota, &options, 0, &late, NULL, &why), OTAPULT_E_MULTIPART);
    assert_int_equal(why.at, 7);
    w->ready = true;
}

static bool costs(struct world *w, const uint8_t *p, size_t n, int want)
{
    struct otapult_finding why;
    const struct otapult_image_info *info;
    uint32_t ticket;

    assert_int_equal(otapult_begin(w->ota, (uint32_t)n, &ticket, &why), 0);
    int err = otapult_feed(w->ota, ticket, p, n, &why);
    if (err == 0)
        err = otapult_finish(w->ota, ticket, &info, &why);
    assert_int_equal(err, want);
    return otapult_has_emptied(w->ota, ticket);
}

/* It is said where it is so: not of an upload that was refused with its head, and not of a slot that was
 * empty. */
static void what_an_end_has_cost_is_known(void **state)
{
    uint8_t other_chip[300];
    struct world *w = *state;

    memcpy(other_chip, v3, sizeof other_chip);
    other_chip[12] ^= 1;

    assert_false(costs(w, v2, v2_len - 1, OTAPULT_E_IMAGE_TRUNCATED)); /* there was nothing */
    assert_int_equal(world_upload(w, v2, v2_len, 4096), 0);
    assert_true(world_settle(w));
    assert_false(costs(w, other_chip, sizeof other_chip, OTAPULT_E_IMAGE_WRONG_CHIP));
    assert_false(costs(w, v2, v2_len - 1, OTAPULT_E_IMAGE_TRUNCATED)); /* begins as what runs */
    assert_true(costs(w, v3, v3_len - 1, OTAPULT_E_IMAGE_TRUNCATED));
    assert_false(costs(w, v3, v3_len - 1, OTAPULT_E_IMAGE_TRUNCATED)); /* gone already */
    assert_int_equal(world_upload(w, v1, v1_len, 4096), 0);
    assert_true(world_settle(w));
    assert_false(costs(w, v3, v3_len, 0)); /* what ends well has cost nothing */
}

/* ---- the good way ---- */

static void an_upload_boots_and_is_confirmed(void **state)
{
    struct world *w = *state;

    assert_int_equal(world_upload(w, v2, v2_len, 1000), 0);
    assert_int_equal(status(w).phase, OTAPULT_REBOOTING);
    assert_int_equal(newest(w)->event, OTAPULT_EV_ACTIVATED);
    assert_true(world_settle(w));
    assert_string_equal(world_version(w), "2.0.0");
    assert_false(status(w).pending);
    assert_int_equal(newest(w)->event, OTAPULT_EV_CONFIRMED);
    assert_string_equal(newest(w)->version, "2.0.0");
    assert_string_equal(newest(w)->project, "rover");
    /* and the next one goes back into the first slot */
    assert_int_equal(world_upload(w, v3, v3_len, 4096), 0);
    assert_true(world_settle(w));
    assert_string_equal(world_version(w), "3.0.0");
    assert_int_equal(status(w).slots.running, 0);
}

static void the_result_names_the_file(void **state)
{
    struct world *w = *state;
    struct otapult_finding why;
    const struct otapult_image_info *info;
    uint32_t ticket;
    uint8_t sha[32];
    size_t sha_len;

    assert_int_equal(otapult_begin(w->ota, (uint32_t)v2_len, &ticket, &why), 0);
    assert_int_equal(otapult_feed(w->ota, ticket, v2, v2_len, &why), 0);
    assert_int_equal(otapult_finish(w->ota, ticket, &info, &why), 0);
    psa_hash_compute(PSA_ALG_SHA_256, v2, v2_len, sha, sizeof sha, &sha_len);
    assert_memory_equal(info->sha256, sha, sizeof sha);
    assert_int_equal(info->size, v2_len);
    assert_string_equal(info->desc.version, "2.0.0");
}

/* ---- who may not begin ---- */

static void a_second_update_is_refused_and_does_not_disturb_the_first(void **state)
{
    struct world *w = *state;
    struct otapult_finding why;
    const struct otapult_image_info *info;
    uint32_t first, second;

    assert_int_equal(otapult_begin(w->ota, (uint32_t)v2_len, &first, &why), 0);
    assert_int_equal(otapult_feed(w->ota, first, v2, 5000, &why), 0);
    assert_int_equal(otapult_begin(w->ota, OTAPULT_SIZE_UNKNOWN, &second, &why), OTAPULT_E_BUSY);
    assert_int_equal(why.at, OTAPULT_FOR_UPLOAD);
    assert_int_equal(why.got, 5000);
    assert_int_equal(why.want, v2_len);
    assert_int_equal(otapult_feed(w->ota, first, v2 + 5000, v2_len - 5000, &why), 0);
    assert_int_equal(otapult_finish(w->ota, first, &info, &why), 0);
}

/* What a client may know before it sends. */
static void the_room_is_that_of_the_next_slot(void **state)
{
    struct world *w = *state;
    struct otapult_finding why;
    uint32_t ticket;

    assert_int_equal(otapult_next_slot_size(w->ota), 0x10000);
    assert_int_equal(otapult_begin(w->ota, 100, &ticket, &why), 0);
    assert_int_equal(otapult_next_slot_size(w->ota), 0); /* not now */
    otapult_cancel(w->ota, ticket, OTAPULT_E_CONNECTION_LOST, &why);
    w->wrap = wrap_no_slots;
    assert_true(world_boot(w));
    assert_int_equal(otapult_next_slot_size(w->ota), 0); /* nor where there is none */
    w->wrap = NULL;
}

/* The next one's counters are its own from its first moment on, which `ready` sees. */
static struct otapult_status at_ready;
static struct world *asked_world;

static bool look_at_ready(void *app, char *why, size_t cap)
{
    (void)app, (void)why, (void)cap;
    at_ready = status(asked_world);
    return true;
}

static void looks_at_ready(void *ctx, struct otapult_config *config)
{
    (void)ctx;
    config->ready = look_at_ready;
}

static void the_counters_begin_anew(void **state)
{
    struct world *w = asked_world = *state;
    struct otapult_finding why;
    uint32_t ticket;

    w->configure = looks_at_ready;
    assert_true(world_boot(w));
    assert_int_equal(world_upload(w, v2, v2_len - 1, 4096), OTAPULT_E_IMAGE_TRUNCATED);
    assert_int_equal(status(w).received, v2_len - 1);
    assert_int_equal(otapult_begin(w->ota, 100, &ticket, &why), 0);
    assert_int_equal(at_ready.received, 0);
    assert_int_equal(at_ready.written, 0);
    assert_int_equal(at_ready.total, OTAPULT_SIZE_UNKNOWN);
    assert_int_equal(at_ready.phase, OTAPULT_RECEIVING);
    assert_int_equal(status(w).total, 100);
    w->configure = NULL;
}

static void a_robot_that_is_not_ready_is_left_alone(void **state)
{
    struct world *w = *state;
    struct otapult_finding why;
    uint32_t ticket;
    char detail[80];

    w->ready = false;
    assert_int_equal(otapult_begin(w->ota, 1000, &ticket, &why), OTAPULT_E_NOT_READY);
    otapult_detail(OTAPULT_E_NOT_READY, &why, NULL, detail, sizeof detail);
    assert_non_null(strstr(detail, "not in the mood"));
    assert_int_equal(otapult_restart(w->ota, &why), OTAPULT_E_NOT_READY);
    assert_int_equal(otapult_rollback(w->ota, &why), OTAPULT_E_NOT_READY);
    assert_int_equal(w->holds, 0);
    w->ready = true;
    assert_int_equal(world_upload(w, v2, v2_len, 4096), 0);
}

static const char *words;

static bool says_no(void *app, char *why, size_t cap)
{
    (void)app;
    if (words != NULL)
        snprintf(why, cap, "%s", words);
    return false;
}

static void never_ready(void *ctx, struct otapult_config *config)
{
    (void)ctx;
    config->ready = says_no;
}

/* The reason of an earlier no is not the reason of a later one. */
static void a_no_without_words_gets_some(void **state)
{
    struct world *w = *state;
    struct otapult_finding why;
    uint32_t ticket;

    w->configure = never_ready;
    assert_true(world_boot(w));
    words = "driving";
    assert_int_equal(otapult_begin(w->ota, 1000, &ticket, &why), OTAPULT_E_NOT_READY);
    assert_string_equal(why.text, "driving");
    words = NULL;
    assert_int_equal(otapult_begin(w->ota, 1000, &ticket, &why), OTAPULT_E_NOT_READY);
    assert_string_equal(why.text, "not now");
    w->configure = NULL;
}

static void a_file_larger_than_the_slot_is_refused_before_its_first_byte(void **state)
{
    struct world *w = *state;
    struct otapult_finding why;
    uint32_t ticket;
    uint64_t ops = w->nor.count.programs + w->nor.count.sector_erases;

    assert_int_equal(otapult_begin(w->ota, 0x10001, &ticket, &why), OTAPULT_E_IMAGE_TOO_LARGE);
    assert_int_equal(why.got, 0x10001);
    assert_int_equal(why.want, 0x10000);
    assert_int_equal(w->nor.count.programs + w->nor.count.sector_erases, ops);
    assert_int_equal(status(w).phase, OTAPULT_IDLE);
}

static void an_unconfirmed_firmware_does_not_overwrite_its_way_back(void **state)
{
    struct world *w = *state;
    struct otapult_finding why;
    uint32_t ticket;

    w->health = OTAPULT_HEALTH_WAIT;
    assert_int_equal(world_upload(w, v2, v2_len, 4096), 0);
    assert_true(world_settle(w));
    assert_true(status(w).pending);
    assert_string_equal(status(w).waiting_for, "self-test");
    assert_int_equal(otapult_begin(w->ota, 1000, &ticket, &why), OTAPULT_E_UNCONFIRMED);
    assert_int_equal(otapult_confirm(w->ota), 0);
    assert_int_equal(otapult_confirm(w->ota), OTAPULT_E_NOT_PENDING);
    assert_int_equal(world_upload(w, v3, v3_len, 4096), 0);
}

static void a_table_without_ota_slots_is_told_apart(void **state)
{
    struct world w;
    struct otapult_finding why;
    uint32_t ticket;

    (void)state;
    world_init(&w, WORLD_FACTORY_ONLY, v1, v1_len);
    assert_true(world_boot(&w));
    assert_int_equal(otapult_begin(w.ota, 1000, &ticket, &why), OTAPULT_E_NO_OTA_PARTITION);
    assert_int_equal(otapult_rollback(w.ota, &why), OTAPULT_E_NO_ROLLBACK);
    world_end(&w);
}

/* ---- bad ends ---- */

static void after_any_bad_end_the_next_upload_works(void **state)
{
    struct world *w = *state;
    struct otapult_finding why;
    uint32_t ticket;
    uint8_t *bad = malloc(v2_len);

    memcpy(bad, v2, v2_len);
    bad[v2_len / 2] ^= 1; /* data: the checksum tells */
    assert_int_equal(world_upload(w, bad, v2_len, 4096), OTAPULT_E_IMAGE_CHECKSUM);
    assert_string_equal(newest(w)->code, "image_checksum");
    assert_int_equal(world_upload(w, v2, v2_len - 1, 4096), OTAPULT_E_IMAGE_TRUNCATED);
    assert_int_equal(otapult_begin(w->ota, (uint32_t)v2_len, &ticket, &why), 0);
    assert_int_equal(otapult_feed(w->ota, ticket, v2, 6000, &why), 0);
    otapult_cancel(w->ota, ticket, OTAPULT_E_CONNECTION_LOST, &(struct otapult_finding){.got = 6000});
    assert_string_equal(newest(w)->code, "connection_lost");
    assert_string_equal(newest(w)->version, "2.0.0"); /* of which so much was right */
    assert_int_equal(otapult_feed(w->ota, ticket, v2, 1, &why), OTAPULT_E_CONNECTION_LOST);
    assert_int_equal(w->holds, 0);
    assert_int_equal(world_upload(w, v2, v2_len, 4096), 0);
    assert_true(world_settle(w));
    assert_string_equal(world_version(w), "2.0.0");
    free(bad);
}

static void a_wrong_file_erases_nothing(void **state)
{
    static const uint8_t elf[600] = {0x7F, 'E', 'L', 'F', 1, 1, 1};
    struct world *w = *state;
    uint8_t before[WORLD_FLASH / 4];

    memcpy(before, w->nor.data + 0x20000, 0x10000);
    assert_int_equal(world_upload(w, elf, sizeof elf, 100), OTAPULT_E_FILE_ELF);
    assert_string_equal(newest(w)->build, ""); /* it is none of a firmware */
    assert_memory_equal(before, w->nor.data + 0x20000, 0x10000);
}

static int send_misnamed(struct world *w, const void *data, size_t len)
{
    struct otapult_finding why;
    uint32_t ticket;

    assert_int_equal(otapult_begin(w->ota, (uint32_t)len, &ticket, &why), 0);
    assert_int_equal(otapult_tell_file(w->ota, ticket, (uint32_t)len, (uint32_t)len, true), 0);
    int err = otapult_feed(w->ota, ticket, data, len, &why);
    if (err == 0) {
        const struct otapult_image_info *info;
        err = otapult_finish(w->ota, ticket, &info, &why);
    }
    return err;
}

/* firmware.zip may be anything; only what would be taken is refused for its name, and that costs nothing. */
static void what_the_bytes_are_comes_before_their_name(void **state)
{
    static const struct {
        char bytes[520];
        int err;
    } files[] = {
        {"\x7F\x45LF\1\1\1", OTAPULT_E_FILE_ELF}, {"PK\3\4", OTAPULT_E_FILE_ARCHIVE},
        {"\x1F\x8B\x08", OTAPULT_E_FILE_GZIP},    {"UF2\n\x57\x51\x5D\x9E", OTAPULT_E_FILE_UF2},
        {"%PDF-1.7\n", OTAPULT_E_FILE_OTHER},     {"\x91\x02\xFE", OTAPULT_E_FILE_UNKNOWN},
    };
    struct world *w = *state;
    uint8_t before[WORLD_FLASH / 4];

    memcpy(before, w->nor.data + 0x20000, 0x10000);
    for (size_t i = 0; i < sizeof files / sizeof *files; i++)
        assert_int_equal(send_misnamed(w, files[i].bytes, sizeof files[i].bytes), files[i].err);
    assert_int_equal(send_misnamed(w, "<html>please log in</html>", 26), OTAPULT_E_FILE_TEXT);
    assert_int_equal(send_misnamed(w, v2, v2_len), OTAPULT_E_FILE_NAME);
    assert_memory_equal(before, w->nor.data + 0x20000, 0x10000);
    assert_int_equal(world_upload(w, v2, v2_len, 4096), 0); /* a name is of one upload only */
}

static void a_client_that_stalls_loses_its_session_and_nothing_else(void **state)
{
    struct world *w = *state;
    struct otapult_finding why;
    uint32_t ticket, next;

    assert_int_equal(otapult_begin(w->ota, (uint32_t)v2_len, &ticket, &why), 0);
    assert_int_equal(otapult_feed(w->ota, ticket, v2, 6000, &why), 0);
    w->clock += 14999;
    otapult_poll(w->ota);
    assert_int_equal(status(w).phase, OTAPULT_RECEIVING);
    w->clock += 1;
    otapult_poll(w->ota);
    assert_int_equal(status(w).phase, OTAPULT_IDLE);
    assert_string_equal(newest(w)->code, "stalled");
    assert_int_equal(w->holds, 0);
    assert_int_equal(otapult_feed(w->ota, ticket, v2 + 6000, 100, &why), OTAPULT_E_STALLED);
    assert_int_equal(otapult_begin(w->ota, (uint32_t)v2_len, &next, &why), 0);
    assert_int_not_equal(next, ticket);
    assert_int_equal(otapult_feed(w->ota, ticket, v2, 100, &why), OTAPULT_E_STALLED);
    otapult_cancel(w->ota, ticket, OTAPULT_E_CONNECTION_LOST, &why); /* nobody's ticket: nothing happens */
    assert_int_equal(otapult_feed(w->ota, next, v2, v2_len, &why), 0);
}

static struct world *slow_world;
static int (*real_open)(void *ctx, int index, struct otapult_flash *out);
static struct otapult_flash real_flash;

/* An erase that takes an hour, while poll() goes on. */
static int slow_erase(void *ctx, uint32_t off, uint32_t len)
{
    slow_world->clock += 3600000;
    otapult_poll(slow_world->ota);
    return real_flash.erase(ctx, off, len);
}

static int open_slow(void *ctx, int index, struct otapult_flash *out)
{
    int err = real_open(ctx, index, &real_flash);

    *out = real_flash;
    out->erase = slow_erase;
    return err;
}

static void make_slow(void *ctx, struct otapult_port *port)
{
    (void)ctx;
    real_open = port->open;
    port->open = open_slow;
}

static void a_call_under_way_never_counts_as_a_stall(void **state)
{
    struct world *w = slow_world = *state;
    struct otapult_finding why;
    const struct otapult_image_info *info;
    uint32_t ticket, before;

    w->wrap = make_slow;
    assert_true(world_boot(w));
    before = w->clock;
    assert_int_equal(otapult_begin(w->ota, (uint32_t)v2_len, &ticket, &why), 0);
    assert_int_equal(otapult_feed(w->ota, ticket, v2, v2_len, &why), 0);
    assert_true(w->clock - before >= 3600000);
    otapult_poll(w->ota);
    assert_int_equal(otapult_finish(w->ota, ticket, &info, &why), 0);
}

/* A form may bring other fields for a while, before the file. */
static void a_client_that_sends_something_else_does_not_stall(void **state)
{
    struct world *w = *state;
    struct otapult_finding why;
    uint32_t ticket;

    assert_int_equal(otapult_begin(w->ota, (uint32_t)v2_len, &ticket, &why), 0);
    for (int i = 0; i < 2; i++) {
        w->clock += 14999;
        otapult_poll(w->ota);
        assert_int_equal(otapult_touch(w->ota, ticket), 0);
    }
    w->clock += 15000;
    otapult_poll(w->ota);
    assert_int_equal(otapult_touch(w->ota, ticket), OTAPULT_E_STALLED);
}

/* ---- nobody holds the device for ever ---- */

/* Sends `bytes` every `ms` until the update ends, or everything is sent; returns the error, and how long it
 * took. */
static int send_slowly(struct world *w, uint32_t ticket, size_t bytes, uint32_t ms, uint32_t *took)
{
    struct otapult_finding why;
    uint32_t before = w->clock;
    int err = 0;

    for (size_t off = 0; err == 0 && off + bytes <= v2_len; off += bytes) {
        w->clock += ms;
        otapult_poll(w->ota);
        err = otapult_feed(w->ota, ticket, v2 + off, bytes, &why);
    }
    *took = w->clock - before;
    return err;
}

static void one_byte_now_and_then_ends(void **state)
{
    struct world *w = *state;
    struct otapult_finding why;
    char text[48];
    uint32_t ticket, took;

    assert_int_equal(otapult_begin(w->ota, (uint32_t)v2_len, &ticket, &why), 0);
    assert_int_equal(send_slowly(w, ticket, 1, 2000, &took), OTAPULT_E_UPLOAD_TOO_SLOW);
    assert_int_equal(took, 30000);
    assert_int_equal(status(w).phase, OTAPULT_IDLE);
    assert_int_equal(w->holds, 0);
    assert_string_equal(newest(w)->code, "upload_too_slow");
    assert_string_equal(newest(w)->text, "only 14 bytes came in 30 s");
    otapult_why_ended(w->ota, ticket, &why, text, sizeof text);
    assert_int_equal(why.got, 14);
    assert_int_equal(why.want, 30);
}

/* Every period counts, not the first alone. */
static void who_becomes_slow_later_ends_too(void **state)
{
    struct world *w = *state;
    struct otapult_finding why;
    uint32_t ticket;

    assert_int_equal(otapult_begin(w->ota, (uint32_t)v2_len, &ticket, &why), 0);
    assert_int_equal(otapult_feed(w->ota, ticket, v2, 6000, &why), 0);
    for (int i = 0; i < 3; i++) {
        w->clock += 10000;
        otapult_poll(w->ota);
        assert_int_equal(otapult_feed(w->ota, ticket, v2 + 6000 + 900 * i, 900, &why), 0);
    }
    otapult_poll(w->ota); /* a period is over, and good */
    assert_int_equal(status(w).phase, OTAPULT_RECEIVING);
    for (int i = 0; i < 3; i++) {
        w->clock += 10000;
        otapult_poll(w->ota);
        assert_int_equal(otapult_touch(w->ota, ticket), i < 2 ? 0 : OTAPULT_E_UPLOAD_TOO_SLOW);
    }
}

static void just_fast_enough_is_fast_enough(void **state)
{
    struct world *w = *state;
    struct otapult_finding why;
    uint32_t ticket, took;

    assert_int_equal(otapult_begin(w->ota, (uint32_t)v2_len, &ticket, &why), 0);
    assert_int_equal(send_slowly(w, ticket, 265, 1000, &took),
                     0); /* the last bytes count before the period ends */
    assert_true(took > 30000);
}

static void short_patience(void *ctx, struct otapult_config *config)
{
    (void)ctx;
    config->upload_ms = 20000;
    config->min_rate = 0;
}

static void no_upload_lasts_for_ever(void **state)
{
    struct world *w = *state;
    struct otapult_finding why;
    uint32_t ticket, took;

    w->configure = short_patience;
    assert_true(world_boot(w));
    assert_int_equal(otapult_begin(w->ota, (uint32_t)v2_len, &ticket, &why), 0);
    assert_int_equal(send_slowly(w, ticket, 1, 1000, &took), OTAPULT_E_UPLOAD_TOO_SLOW);
    assert_int_equal(took, 20000);
    assert_string_equal(newest(w)->text, "only 19 bytes came in 20 s");
    w->configure = NULL;
}

/* Its time is counted by its own calls as well as by poll(). */
static void who_keeps_poll_busy_wins_no_time(void **state)
{
    struct world *w = *state;
    struct otapult_finding why;
    uint32_t ticket;

    w->configure = short_patience;
    assert_true(world_boot(w));
    assert_int_equal(otapult_begin(w->ota, (uint32_t)v2_len, &ticket, &why), 0);
    for (int n = 0; n < 25; n++) {
        w->clock += 1000;
        assert_int_equal(otapult_feed(w->ota, ticket, v2 + n, 1, &why), 0);
    }
    otapult_poll(w->ota);
    assert_int_equal(otapult_touch(w->ota, ticket), OTAPULT_E_UPLOAD_TOO_SLOW);
    w->configure = NULL;
}

static void each_update_has_its_own_time(void **state)
{
    struct world *w = *state;
    struct otapult_finding why;
    uint32_t ticket, took;

    w->configure = short_patience;
    assert_true(world_boot(w));
    assert_int_equal(otapult_begin(w->ota, (uint32_t)v2_len, &ticket, &why), 0);
    assert_int_equal(send_slowly(w, ticket, 600, 1000, &took), 0);
    assert_int_equal(took, 15000);
    otapult_cancel(w->ota, ticket, OTAPULT_E_CONNECTION_LOST, &why);
    assert_int_equal(otapult_begin(w->ota, (uint32_t)v2_len, &ticket, &why), 0);
    assert_int_equal(send_slowly(w, ticket, 1, 1000, &took), OTAPULT_E_UPLOAD_TOO_SLOW);
    assert_int_equal(took, 20000);
    w->configure = NULL;
}

/* As of a form, whose length is known, but not that of the file in it. */
static void an_upper_bound_is_none_in_the_end(void **state)
{
    struct world *w = *state;
    const struct otapult_image_info *info;
    struct otapult_finding why;
    uint32_t ticket;

    assert_int_equal(otapult_begin(w->ota, (uint32_t)v2_len + 2000, &ticket, &why), 0);
    assert_int_equal(otapult_feed(w->ota, ticket, v2, v2_len, &why), 0);
    assert_int_equal(status(w).total, v2_len + 2000);
    assert_int_equal(otapult_finish(w->ota, ticket, &info, &why), 0);
    assert_int_equal(status(w).total, v2_len);
}

static void somebody_else_may_end_an_update(void **state)
{
    struct world *w = *state;
    struct otapult_finding why;
    char text[48];
    uint32_t ticket;

    assert_int_equal(otapult_end_update_by(w->ota, "admin", &why), OTAPULT_E_NO_UPDATE);
    assert_int_equal(otapult_begin_by(w->ota, "token ci", &(struct otapult_update_options){0},
                                      (uint32_t)v2_len, &ticket, NULL, &why),
                     0);
    assert_int_equal(otapult_feed(w->ota, ticket, v2, 6000, &why), 0);
    assert_int_equal(otapult_end_update_by(w->ota, "admin", &why), 0);
    assert_int_equal(status(w).claim, OTAPULT_FREE);
    assert_int_equal(w->holds, 0);
    assert_string_equal(newest(w)->code, "upload_ended");
    assert_string_equal(newest(w)->text, "ended by admin");
    assert_string_equal(newest(w)->by, "token ci");
    assert_int_equal(otapult_feed(w->ota, ticket, v2, 100, &why), OTAPULT_E_UPLOAD_ENDED);
    otapult_why_ended(w->ota, ticket, &why, text, sizeof text);
    assert_string_equal(why.text, "admin");
    assert_int_equal(world_upload(w, v2, v2_len, 4096), 0);
    assert_int_equal(otapult_end_update(w->ota, &why), OTAPULT_E_REBOOTING);
}

/* Who has a ticket ends his own, and nobody else's. */
static void an_update_is_ended_by_its_ticket(void **state)
{
    struct world *w = *state;
    struct otapult_finding why;
    uint32_t ticket;

    assert_int_equal(otapult_begin(w->ota, (uint32_t)v2_len, &ticket, &why), 0);
    assert_int_equal(ticket, 1);
    assert_int_equal(otapult_end_update_of(w->ota, 0, "folder", &why), OTAPULT_E_NO_UPDATE);
    assert_int_equal(otapult_end_update_of(w->ota, ticket + 1, "folder", &why), OTAPULT_E_NO_UPDATE);
    assert_int_equal(otapult_has_ended(w->ota, ticket), 0);
    assert_int_equal(otapult_end_update_of(w->ota, ticket, "folder", &why), 0);
    assert_int_equal(otapult_has_ended(w->ota, ticket), OTAPULT_E_UPLOAD_ENDED);
    assert_int_equal(otapult_has_ended(w->ota, 0), OTAPULT_E_STALLED); /* nobody's */
}

/* Tickets are counted, and 0 is nobody's. */
static void the_count_of_tickets_may_wrap(void **state)
{
    struct world *w = *state;
    struct otapult_finding why;
    uint32_t ticket;

    ((struct otapult *)(void *)&w->memory)->tickets = UINT32_MAX;
    assert_int_equal(otapult_begin(w->ota, (uint32_t)v2_len, &ticket, &why), 0);
    assert_int_not_equal(ticket, 0);
    assert_int_equal(otapult_feed(w->ota, ticket, v2, 600, &why), 0);
}

/* Ends the update from inside its third erase. */
static unsigned erases;
static int ended_inside;

static int end_in_erase(void *ctx, uint32_t off, uint32_t len)
{
    struct otapult_finding why;

    if (++erases == 2) {
        ended_inside = otapult_end_update(slow_world->ota, &why);
        assert_int_equal(otapult_end_update_by(slow_world->ota, "too late", &why), 0);
    }
    return real_flash.erase(ctx, off, len);
}

static int open_ending(void *ctx, int index, struct otapult_flash *out)
{
    int err = real_open(ctx, index, &real_flash);

    *out = real_flash;
    out->erase = end_in_erase;
    out->block = out->sector;
    return err;
}

static void make_ending(void *ctx, struct otapult_port *port)
{
    (void)ctx;
    real_open = port->open;
    port->open = open_ending;
}

static void an_update_ends_between_two_sectors(void **state)
{
    struct world *w = slow_world = *state;
    struct otapult_finding why;
    uint32_t ticket;

    w->wrap = make_ending;
    assert_true(world_boot(w));
    erases = 0;
    ended_inside = -1;
    assert_int_equal(otapult_begin(w->ota, (uint32_t)v2_len, &ticket, &why), 0);
    assert_int_equal(otapult_feed(w->ota, ticket, v2, v2_len, &why),
                     OTAPULT_E_UPLOAD_ENDED); /* all in one call */
    assert_int_equal(ended_inside, 0);
    assert_int_equal(erases, 2);
    assert_string_equal(why.text, "the device itself");
    assert_string_equal(newest(w)->text, "ended by the device itself");
    assert_int_equal(status(w).claim, OTAPULT_FREE);
    w->wrap = NULL;
}

static int (*real_activate)(void *ctx, int index);

static int activate_while_ended(void *ctx, int index)
{
    struct otapult_finding why;

    assert_int_equal(status(slow_world).phase, OTAPULT_VERIFYING);
    assert_int_equal(status(slow_world).received, v2_len);
    ended_inside = otapult_end_update(slow_world->ota, &why);
    return real_activate(ctx, index);
}

static void make_too_late(void *ctx, struct otapult_port *port)
{
    (void)ctx;
    real_activate = port->activate;
    port->activate = activate_while_ended;
}

static void an_update_that_is_activated_is_not_ended(void **state)
{
    struct world *w = slow_world = *state;

    w->wrap = make_too_late;
    assert_true(world_boot(w));
    assert_int_equal(world_upload(w, v2, v2_len, 4096), 0);
    assert_int_equal(ended_inside, OTAPULT_E_BUSY);
    w->wrap = NULL;
    assert_true(world_settle(w));
    assert_string_equal(world_version(w), "2.0.0");
}

static int set_nothing(void *ctx, const char *key, const void *src, size_t len)
{
    (void)ctx, (void)key, (void)src, (void)len;
    return OTAPULT_E_STORE;
}

static void wrap_dead_store(void *ctx, struct otapult_port *port)
{
    (void)ctx;
    port->kv_set = set_nothing;
}

/* ---- one click is one update ---- */

static int begin_as(struct world *w, uint32_t id, uint32_t boot, uint32_t *ticket,
                    struct otapult_update *past, struct otapult_finding *why)
{
    const struct otapult_update_options options = {.id = id, .boot = boot};

    return otapult_begin_with(w->ota, &options, (uint32_t)v2_len, ticket, past, why);
}

static int upload_as(struct world *w, uint32_t id, uint32_t boot, const uint8_t *file)
{
    const struct otapult_image_info *info;
    struct otapult_finding why;
    uint32_t ticket;

    int err = begin_as(w, id, boot, &ticket, NULL, &why);
    if (err == 0)
        err = otapult_feed(w->ota, ticket, file, v2_len, &why);
    return err == 0 ? otapult_finish(w->ota, ticket, &info, &why) : err;
}

static void assert_was_v2(const struct otapult_update *u, uint32_t id, uint32_t boot)
{
    assert_int_equal(u->outcome, OTAPULT_UPDATE_ACTIVATED);
    assert_int_equal(u->id, id);
    assert_int_equal(u->boot, boot);
    assert_int_equal(u->size, v2_len);
    assert_int_equal(u->slot, 1);
    assert_string_equal(u->version, "2.0.0");
    assert_string_equal(u->project, "rover");
}

/* A browser has lost the answer, and sends the request again: at once, and when the new firmware runs. */
static void what_comes_again_is_not_done_again(void **state)
{
    struct world *w = *state;
    struct otapult_finding why;
    struct otapult_update past;
    uint32_t ticket, boot = status(w).boot;

    assert_int_equal(upload_as(w, 0xABCD, boot, v2), 0);
    assert_int_equal(status(w).update, 0xABCD);
    assert_int_equal(begin_as(w, 0xABCD, boot, &ticket, &past, &why), 0);
    assert_int_equal(ticket, 0);
    assert_was_v2(&past, 0xABCD, boot);
    assert_true(world_settle(w));
    assert_string_equal(world_version(w), "2.0.0");
    assert_int_equal(begin_as(w, 0xABCD, boot, &ticket, &past, &why), 0); /* both */
    assert_int_equal(ticket, 0);
    assert_was_v2(&past, 0xABCD, boot);
    assert_int_equal(begin_as(w, 0xABCD, 0, &ticket, &past, &why), 0); /* the id alone */
    assert_int_equal(ticket, 0);
    assert_int_equal(begin_as(w, 0, boot, &ticket, &past, &why), 0); /* the boot alone */
    assert_int_equal(ticket, 0);
    assert_was_v2(&past, 0xABCD, boot);
    assert_int_equal(begin_as(w, 0, boot + 7, &ticket, &past, &why), OTAPULT_E_BOOT_PASSED); /* another */
    assert_int_equal(past.id, 0);
    assert_int_equal(status(w).claim, OTAPULT_FREE);
    assert_string_equal(world_version(w), "2.0.0");
    assert_int_equal(status(w).slots.running, 1);
}

/* Without a store no boot has a number; then a request's says nothing. */
static void a_device_that_cannot_count_its_boots_takes_any(void **state)
{
    struct world *w = *state;
    struct otapult_finding why;
    uint32_t ticket;

    assert_int_equal(status(w).boot, 1);
    assert_int_equal(begin_as(w, 2, 7, &ticket, NULL, &why), OTAPULT_E_BOOT_PASSED);
    w->wrap = wrap_dead_store;
    assert_true(world_boot(w));
    w->wrap = NULL;
    assert_int_equal(status(w).boot, 0);
    assert_int_equal(begin_as(w, 2, 7, &ticket, NULL, &why), 0);
    assert_int_not_equal(ticket, 0);
}

static void another_update_for_a_boot_that_has_passed_is_refused(void **state)
{
    struct world *w = *state;
    struct otapult_finding why;
    struct otapult_update past;
    uint32_t ticket, boot = status(w).boot;

    assert_int_equal(upload_as(w, 1, boot, v2), 0);
    assert_true(world_settle(w));
    assert_int_equal(begin_as(w, 2, boot, &ticket, &past, &why), OTAPULT_E_BOOT_PASSED);
    assert_int_equal(why.got, boot);
    assert_int_equal(why.want, status(w).boot);
    assert_int_equal(begin_as(w, 2, status(w).boot, &ticket, &past, &why), 0);
    assert_int_not_equal(ticket, 0);
}

static void what_was_refused_is_refused_again_unread(void **state)
{
    struct world *w = *state;
    struct otapult_finding why;
    uint32_t ticket;
    uint8_t *bad = malloc(v2_len);

    memcpy(bad, v2, v2_len);
    bad[v2_len - 1] ^= 1;
    assert_int_equal(upload_as(w, 7, 0, bad), OTAPULT_E_IMAGE_HASH);
    assert_int_equal(begin_as(w, 7, 0, &ticket, NULL, &why), OTAPULT_E_IMAGE_HASH);
    assert_int_equal(ticket, 0);
    assert_int_equal(begin_as(w, 8, 0, &ticket, NULL, &why), 0); /* another click */
    free(bad);
}

/* The first connection is gone, though the device has not heard of it yet. */
static void the_same_upload_takes_the_place_of_the_first(void **state)
{
    struct world *w = *state;
    struct otapult_finding why;
    uint32_t first, second;

    assert_int_equal(begin_as(w, 9, 0, &first, NULL, &why), 0);
    assert_int_equal(otapult_feed(w->ota, first, v2, 6000, &why), 0);
    assert_int_equal(begin_as(w, 10, 0, &second, NULL, &why), OTAPULT_E_BUSY); /* somebody else's */
    assert_int_equal(begin_as(w, 9, 0, &second, NULL, &why), 0);
    assert_int_not_equal(second, 0);
    assert_string_equal(newest(w)->code, "connection_lost");
    assert_int_equal(otapult_feed(w->ota, first, v2, 10, &why), OTAPULT_E_CONNECTION_LOST);
    assert_int_equal(otapult_feed(w->ota, second, v2, v2_len, &why), 0);
}

static struct world *told_world;
static uint32_t told_ticket;
static int heard; /* the first client, while the end of its upload is written down */
static int (*real_set)(void *ctx, const char *key, const void *src, size_t len);

static int ask_while_set(void *ctx, const char *key, const void *src, size_t len)
{
    struct otapult_finding why;

    if (told_ticket != 0 && strncmp(key, "olog.", 5) == 0)
        heard = otapult_feed(told_world->ota, told_ticket, v2, 10, &why);
    return real_set(ctx, key, src, len);
}

static void ask_while_written(void *ctx, struct otapult_port *port)
{
    (void)ctx;
    real_set = port->kv_set;
    port->kv_set = ask_while_set;
}

static void who_loses_the_device_is_told_so_from_the_first_moment(void **state)
{
    struct world *w = told_world = *state;
    struct otapult_finding why;
    uint32_t second;

    heard = 0;
    told_ticket = 0;
    w->wrap = ask_while_written;
    assert_true(world_boot(w));
    assert_int_equal(begin_as(w, 9, 0, &told_ticket, NULL, &why), 0);
    assert_int_equal(otapult_feed(w->ota, told_ticket, v2, 10, &why), 0);
    assert_int_equal(begin_as(w, 9, 0, &second, NULL, &why), 0);
    assert_int_equal(heard, OTAPULT_E_CONNECTION_LOST);
    told_ticket = second;
    assert_int_equal(otapult_end_update(w->ota, &why), 0);
    assert_int_equal(heard, OTAPULT_E_UPLOAD_ENDED);
    told_ticket = 0;
    w->wrap = NULL;
}

/* The same id by chance, or on purpose: only who began an upload takes his own place. */
static void another_clients_id_ends_nobodys_upload(void **state)
{
    const struct otapult_update_options same = {.id = 9};
    struct world *w = *state;
    struct otapult_finding why;
    uint32_t first, second;

    assert_int_equal(otapult_begin_by(w->ota, "token a", &same, (uint32_t)v2_len, &first, NULL, &why), 0);
    assert_int_equal(otapult_begin_by(w->ota, "token b", &same, (uint32_t)v2_len, &second, NULL, &why),
                     OTAPULT_E_BUSY);
    assert_int_equal(otapult_feed(w->ota, first, v2, 6000, &why), 0);
    assert_int_equal(otapult_begin_by(w->ota, "token a", &same, (uint32_t)v2_len, &second, NULL, &why), 0);
    assert_int_not_equal(second, 0);
}

/* Its own place is no new one: nobody is kept out for longer than by one attempt that is silent. */
static void who_only_begins_holds_nobody_out(void **state)
{
    struct world *w = *state;
    struct otapult_log_entry e;
    struct otapult_finding why;
    uint32_t ticket, rounds = 0;

    while (rounds < 100 && (rounds == 0 || status(w).claim == OTAPULT_FOR_UPLOAD)) {
        assert_int_equal(begin_as(w, 9, 0, &ticket, NULL, &why), 0);
        w->clock += 5000;
        otapult_poll(w->ota);
        rounds++;
    }
    assert_in_range(rounds, 2, 99);
    assert_int_equal(begin_as(w, 10, 0, &ticket, NULL, &why), 0); /* another client */
    assert_true(otapult_log_entry(w->ota, 0, &e));
    assert_string_equal(e.code, "stalled");
}

/* Somebody ended it on purpose: a browser that tries again by itself does not undo that. */
static void what_somebody_has_ended_stays_ended(void **state)
{
    struct world *w = *state;
    struct otapult_finding why;
    uint32_t ticket;

    assert_int_equal(begin_as(w, 11, 0, &ticket, NULL, &why), 0);
    assert_int_equal(otapult_end_update_by(w->ota, "admin", &why), 0);
    assert_int_equal(begin_as(w, 11, 0, &ticket, NULL, &why), OTAPULT_E_UPLOAD_ENDED);
    assert_string_equal(why.text, "admin");
}

static void an_update_without_an_id_gets_one(void **state)
{
    struct world *w = *state;
    struct otapult_finding why;
    struct otapult_update u;
    uint32_t first, second;

    assert_int_equal(status(w).update, 0);
    assert_int_equal(otapult_begin(w->ota, 100, &first, &why), 0);
    uint32_t id = status(w).update;
    assert_int_not_equal(id, 0);
    otapult_last_update(w->ota, &u);
    assert_int_equal(u.outcome, OTAPULT_UPDATE_RUNS);
    otapult_cancel(w->ota, first, OTAPULT_E_CONNECTION_LOST, &why);
    otapult_last_update(w->ota, &u);
    assert_int_equal(u.outcome, OTAPULT_UPDATE_FAILED);
    assert_int_equal(u.id, id);
    assert_int_equal(otapult_begin(w->ota, 100, &second, &why), 0);
    assert_int_not_equal(status(w).update, id);
}

static int random_result; /* and all zeros */

static int bad_random(void *ctx, void *dst, size_t len)
{
    (void)ctx;
    memset(dst, 0, len);
    return random_result;
}

static void wrap_random(void *ctx, struct otapult_port *port)
{
    (void)ctx;
    port->random = bad_random;
}

/* Without random numbers, and with poor ones. 0 is no id. */
static void an_id_is_none_that_was_just_given(void **state)
{
    static const int results[] = {OTAPULT_E_IMAGE_TOO_LARGE, OTAPULT_E_INTERNAL};
    struct world *w = *state;
    struct otapult_finding why;
    uint32_t ticket;

    w->wrap = wrap_random;
    for (size_t i = 0; i < sizeof results / sizeof *results; i++) {
        uint32_t before = 0;
        random_result = results[i];
        for (int n = 0; n < 3; n++) {
            assert_true(world_boot(w));
            for (int m = 0; m < 2; m++) {
                assert_int_equal(otapult_begin(w->ota, 100, &ticket, &why), 0);
                assert_int_not_equal(status(w).update, before);
                before = status(w).update;
                assert_int_not_equal(before, 0);
                otapult_cancel(w->ota, ticket, OTAPULT_E_CONNECTION_LOST, &why);
            }
        }
    }
    random_result = 0;
    assert_int_equal(otapult_begin(w->ota, 100, &ticket, &why), 0);
    assert_int_not_equal(status(w).update, 0);
    w->wrap = NULL;
}

/* ---- what the device knows of a build ---- */

static int force(struct world *w, const uint8_t *image, size_t len)
{
    const struct otapult_update_options options = {.force = true};
    struct otapult_finding why;
    uint32_t ticket;

    int err = otapult_begin_with(w->ota, &options, (uint32_t)len, &ticket, NULL, &why);
    return err == 0 ? otapult_feed(w->ota, ticket, image, len, &why) : err;
}

static void a_build_that_failed_here_is_refused_before_an_erase(void **state)
{
    struct world *w = *state;
    uint8_t before[WORLD_FLASH / 4];

    w->health = OTAPULT_HEALTH_FAIL;
    assert_int_equal(world_upload(w, v2, v2_len, 4096), 0);
    assert_true(world_settle(w));
    assert_string_equal(world_version(w), "1.0.0");
    w->health = OTAPULT_HEALTH_PASS;
    memcpy(before, w->nor.data + 0x20000, 0x10000);
    assert_int_equal(world_upload(w, v2, v2_len, 100), OTAPULT_E_BUILD_REJECTED);
    assert_memory_equal(before, w->nor.data + 0x20000, 0x10000);
    assert_string_equal(newest(w)->code, "build_rejected_before");
    char build[OTAPULT_BUILD_ID_CHARS + 1];
    snprintf(build, sizeof build, "%02x%02x%02x%02x", v2[0xB0], v2[0xB1], v2[0xB2], v2[0xB3]);
    assert_non_null(strstr(newest(w)->text, build));
    assert_int_equal(force(w, v2, v2_len), 0);
}

static void same_project(void *ctx, struct otapult_config *config)
{
    (void)ctx;
    config->same_project = true;
}

static void another_project_is_refused_where_that_is_asked_for(void **state)
{
    struct world *w = *state;
    struct sample_spec spec = {SAMPLE_DEFAULT, .version = "2.0.0", .seed = 5};
    struct otapult_finding why;
    uint8_t before[WORLD_FLASH / 4];
    uint32_t ticket;
    size_t len;

    spec.size = 9000;
    spec.project = "toaster";
    uint8_t *toaster = sample_image(&spec, &len);
    w->configure = same_project;
    assert_true(world_boot(w));
    w->configure = NULL;
    memcpy(before, w->nor.data + 0x20000, 0x10000);
    assert_int_equal(world_upload(w, toaster, len, 100), OTAPULT_E_OTHER_PROJECT);
    assert_memory_equal(before, w->nor.data + 0x20000, 0x10000);
    assert_string_equal(newest(w)->text, "not of the project that runs, rover");
    assert_int_equal(otapult_begin(w->ota, (uint32_t)v2_len, &ticket, &why), 0);
    assert_int_equal(otapult_feed(w->ota, ticket, v2, 600, &why), 0); /* its own is */
    otapult_cancel(w->ota, ticket, OTAPULT_E_CONNECTION_LOST, &why);
    assert_int_equal(force(w, toaster, len), 0);
    assert_true(world_boot(w)); /* without that configuration it is taken */
    assert_int_equal(world_upload(w, toaster, len, 100), 0);
    free(toaster);
}

static void refuse_older(void *ctx, struct otapult_config *config)
{
    (void)ctx;
    config->too_old = otapult_is_older;
}

static bool never_too_old(const struct otapult_version *version, const struct otapult_version *running)
{
    (void)version, (void)running;
    return false;
}

/* What one update asks for adds to the device's own rule and does not take its place. */
static void an_update_may_ask_for_more_and_not_for_less(void **state)
{
    const struct otapult_update_options any = {.too_old = never_too_old},
                                        newer = {.too_old = otapult_is_older};
    const struct otapult_image_info *info;
    struct world *w = *state;
    size_t len;
    uint8_t *old = images_one("0.9.0", 9, 9000, &len);

    assert_int_equal(send_file(w, &newer, old, len, &info), OTAPULT_E_IMAGE_OLDER);
    w->configure = refuse_older;
    assert_true(world_boot(w));
    assert_int_equal(send_file(w, &any, old, len, &info), OTAPULT_E_IMAGE_OLDER);
    w->configure = NULL;
    free(old);
}

/* More than the slot holds, of a length that nobody knew: the table's first error is an end as any other. */
static void one_that_outgrows_its_slot_has_failed(void **state)
{
    static uint8_t large[0x10000 + 4096];
    struct world *w = *state;
    struct otapult_finding why;
    uint32_t ticket;
    size_t len;
    uint8_t *image = images_one("2.0.0", 2, sizeof large, &len);

    memcpy(large, image, sizeof large);
    free(image);
    assert_int_equal(otapult_begin(w->ota, OTAPULT_SIZE_UNKNOWN, &ticket, &why), 0);
    assert_int_equal(otapult_feed(w->ota, ticket, large, sizeof large, &why), OTAPULT_E_IMAGE_TOO_LARGE);
    assert_int_equal(last_update(w).outcome, OTAPULT_UPDATE_FAILED);
    assert_int_equal(otapult_touch(w->ota, ticket), OTAPULT_E_IMAGE_TOO_LARGE);
}

static void one_client_is_inside_at_a_time(void **state)
{
    struct world *w = *state;
    struct otapult_finding why;
    uint32_t ticket;

    assert_int_equal(otapult_begin(w->ota, (uint32_t)v2_len, &ticket, &why), 0);
    ((struct otapult *)(void *)&w->memory)->inside = true; /* a feed of another task, not over yet */
    assert_int_equal(otapult_feed(w->ota, ticket, v2, 100, &why), OTAPULT_E_INTERNAL);
    ((struct otapult *)(void *)&w->memory)->inside = false;
    assert_int_equal(otapult_feed(w->ota, ticket, v2, v2_len, &why), 0);
}

/* ---- what the next boot makes of it ---- */

static void a_failed_health_check_brings_the_old_firmware_back(void **state)
{
    struct world *w = *state;

    w->health = OTAPULT_HEALTH_FAIL;
    assert_int_equal(world_upload(w, v2, v2_len, 4096), 0);
    assert_true(world_settle(w));
    assert_string_equal(world_version(w), "1.0.0");
    assert_int_equal(newest(w)->event, OTAPULT_EV_REJECTED);
    assert_string_equal(newest(w)->text, "health check \"self-test\": told to fail");
    assert_string_equal(newest(w)->version, "2.0.0");
}

static void nobody_gets_in_between_a_decision_and_its_restart(void **state)
{
    struct world *w = *state;
    struct otapult_finding why;

    w->health = OTAPULT_HEALTH_WAIT;
    assert_int_equal(world_upload(w, v2, v2_len, 4096), 0);
    assert_int_equal(w->begun, OTAPULT_E_BUSY);
    assert_true(world_settle(w));
    w->health = OTAPULT_HEALTH_FAIL;
    w->begun = 0;
    otapult_poll(w->ota); /* rejects; the only good slot is the one an update would go to */
    assert_int_equal(w->begun, OTAPULT_E_BUSY);
    assert_true(world_settle(w));
    assert_string_equal(world_version(w), "1.0.0");
    assert_int_equal(otapult_restart(w->ota, &why), 0);
    assert_int_equal(w->begun, OTAPULT_E_BUSY);
}

static int (*real_reject)(void *ctx);
static struct world *deciding;
static int confirmed_meanwhile;

static int decide_otherwise(void *ctx)
{
    confirmed_meanwhile = otapult_confirm(deciding->ota);
    otapult_poll(deciding->ota); /* its check fails: that has to wait, too */
    return real_reject(ctx);
}

static void reject_late(void *ctx, struct otapult_port *port)
{
    (void)ctx;
    real_reject = port->reject;
    port->reject = decide_otherwise;
}

static void one_decision_is_made_at_a_time(void **state)
{
    struct world *w = deciding = *state;
    struct otapult_finding why;

    w->health = OTAPULT_HEALTH_WAIT;
    assert_int_equal(world_upload(w, v2, v2_len, 4096), 0);
    w->wrap = reject_late;
    assert_true(world_settle(w));
    assert_true(status(w).pending);
    w->health = OTAPULT_HEALTH_FAIL;
    assert_int_equal(otapult_rollback(w->ota, &why), 0);
    assert_int_equal(confirmed_meanwhile, OTAPULT_E_BUSY);
    assert_int_equal(w->holds, 1); /* the check's rejection would have been a second one */
    w->health = OTAPULT_HEALTH_PASS;
    assert_true(world_settle(w));
    assert_string_equal(world_version(w), "1.0.0");
    assert_string_equal(newest(w)->text, "rolled back by request");
}

static void a_check_that_never_passes_meets_the_deadline(void **state)
{
    struct world *w = *state;

    w->health = OTAPULT_HEALTH_WAIT;
    assert_int_equal(world_upload(w, v2, v2_len, 4096), 0);
    assert_true(world_settle(w));
    assert_string_equal(world_version(w), "2.0.0");
    w->clock += 59999;
    assert_true(world_settle(w));
    assert_string_equal(world_version(w), "2.0.0");
    w->clock += 1;
    assert_true(world_settle(w));
    assert_string_equal(world_version(w), "1.0.0");
    assert_string_equal(newest(w)->text, "deadline passed, waiting for \"self-test\"");
}

static void a_crash_is_not_tried_again(void **state)
{
    struct world *w = *state;

    w->health = OTAPULT_HEALTH_WAIT;
    assert_int_equal(world_upload(w, v2, v2_len, 4096), 0);
    assert_true(world_settle(w));
    w->reset = OTAPULT_RESET_CRASH;
    assert_true(world_boot(w));
    assert_string_equal(world_version(w), "1.0.0");
    assert_int_equal(newest(w)->event, OTAPULT_EV_CRASHED);
    world_pull_plug(w);
    assert_true(world_boot(w));
    assert_string_equal(world_version(w), "1.0.0");
}

static void a_power_cut_is_not_a_bad_image_but_has_an_end(void **state)
{
    struct world *w = *state;

    w->health = OTAPULT_HEALTH_WAIT;
    assert_int_equal(world_upload(w, v2, v2_len, 4096), 0);
    assert_true(world_settle(w));
    for (int cut = 1; cut <= 3; cut++) {
        world_pull_plug(w);
        assert_true(world_boot(w)); /* the old one, which re-activates, and then the new one */
        assert_string_equal(world_version(w), "2.0.0");
        assert_true(status(w).pending);
        assert_int_equal(newest(w)->event, OTAPULT_EV_POWER_LOST);
        assert_int_equal(newest(w)->tries, cut);
    }
    world_pull_plug(w);
    assert_true(world_boot(w));
    assert_string_equal(world_version(w), "1.0.0");
    assert_int_equal(newest(w)->event, OTAPULT_EV_GAVE_UP);
    assert_int_equal(world_upload(w, v3, v3_len, 4096), 0);
}

static void an_image_that_lost_power_is_confirmed_in_its_second_trial(void **state)
{
    struct world *w = *state;

    w->health = OTAPULT_HEALTH_WAIT;
    assert_int_equal(world_upload(w, v2, v2_len, 4096), 0);
    assert_true(world_settle(w));
    world_pull_plug(w);
    w->health = OTAPULT_HEALTH_PASS;
    assert_true(world_boot(w));
    assert_true(world_settle(w));
    assert_string_equal(world_version(w), "2.0.0");
    assert_int_equal(newest(w)->event, OTAPULT_EV_CONFIRMED);
    assert_int_equal(status(w).slots.boot, 1);
}

static void an_image_that_does_not_load_leaves_the_old_one_in_charge(void **state)
{
    struct world *w = *state;
    struct otapult_log_entry e;

    assert_int_equal(world_upload(w, v2, v2_len, 4096), 0);
    memset(w->nor.data + 0x20000 + 4096, 0, 64); /* flash loses bits between activation and boot */
    assert_true(world_settle(w));
    assert_string_equal(world_version(w), "1.0.0");
    assert_true(otapult_log_entry(w->ota, 1, &e));
    assert_int_equal(e.event, OTAPULT_EV_NOT_LOADED);
    assert_int_equal(newest(w)->event,
                     OTAPULT_EV_CONFIRMED); /* the old one, to which OTA data was set again */
    assert_int_equal(status(w).slots.boot, 0);
    world_pull_plug(w);
    assert_true(world_boot(w));
    assert_true(world_settle(w));
    assert_string_equal(world_version(w), "1.0.0");
    assert_int_equal(world_upload(w, v3, v3_len, 4096), 0);
    assert_true(world_settle(w));
    assert_string_equal(world_version(w), "3.0.0");
}

/* As Rust's tools leave an image: without a digest of its ELF file. Its build is named by its own SHA-256
 * then, which stands where its segments end. `segment` bytes of the first: what its header says. */
static const char *build_without_digest(struct world *w, uint32_t segment)
{
    static char build[OTAPULT_BUILD_ID_CHARS + 1];
    struct otapult_image_info info;
    struct otapult_slot slot;
    uint8_t *p = w->nor.data + 0x20000;

    world_pull_plug(w);
    memcpy(p, v2, v2_len);
    memset(p + 0xB0, 0, 32);
    if (segment != 0)
        otapult_put_le32(p + 28, segment);
    assert_true(world_boot(w));
    assert_int_equal(otapult_slot(w->ota, 1, &slot, &info), 0);
    assert_string_equal(info.desc.version, "2.0.0");
    otapult_build_id(&info.desc, build);
    return build;
}

static void an_image_without_a_digest_is_named_by_its_own(void **state)
{
    static const uint32_t wrong[] = {0xFFFFFFFF, 0xFFFFFFE0, 0x10000, 0x10000 - 32, 0x10000 - 33, 0x80000000};
    const uint8_t *sha = v2 + v2_len - 32;
    char own[OTAPULT_BUILD_ID_CHARS + 1];
    struct world *w = *state;

    snprintf(own, sizeof own, "%02x%02x%02x%02x", sha[0], sha[1], sha[2], sha[3]);
    assert_string_equal(build_without_digest(w, 0), own);
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong;
         i++) /* leads out of the slot: nothing is read there */
        assert_string_equal(build_without_digest(w, wrong[i]), "00000000");
}

/* The same the other way round: OTA data names the first slot. */
static void the_first_slot_that_does_not_load_is_left_too(void **state)
{
    struct world *w = *state;

    assert_int_equal(world_upload(w, v2, v2_len, 4096), 0);
    assert_true(world_settle(w));
    assert_int_equal(world_upload(w, v3, v3_len, 4096), 0);
    memset(w->nor.data + 0x10000 + 4096, 0, 64);
    assert_true(world_settle(w));
    assert_string_equal(world_version(w), "2.0.0");
    assert_int_equal(status(w).slots.running, 1);
    assert_int_equal(status(w).slots.boot, 1);
}

/* A note of a slot that this table has not, as after another table came by USB. */
static void a_trial_in_a_slot_that_is_not_there_is_forgotten(void **state)
{
    struct otapult_trial trial = {.verdict = OTAPULT_TRIAL_ARMED,
                                  .slot = 2,
                                  .tries = 1,
                                  .build = "12345678",
                                  .size = 5000,
                                  .version = "9.9.9"};
    struct world *w = *state;

    assert_int_equal(otapult_trial_save(&w->board.port, &trial), 0);
    world_pull_plug(w);
    assert_true(world_boot(w));
    assert_false(otapult_trial_load(&w->board.port, &trial));
    assert_int_equal(world_upload(w, v2, v2_len, 4096), 0);
    assert_true(world_settle(w));
    assert_string_equal(world_version(w), "2.0.0");
}

static void a_user_can_go_back_and_forth(void **state)
{
    struct world *w = *state;
    struct otapult_finding why;

    assert_int_equal(otapult_rollback(w->ota, &why), OTAPULT_E_NO_ROLLBACK); /* the other slot is empty */
    assert_int_equal(world_upload(w, v2, v2_len, 4096), 0);
    assert_true(world_settle(w));
    assert_int_equal(otapult_rollback(w->ota, &why), 0);
    assert_int_equal(otapult_rollback(w->ota, &why), OTAPULT_E_REBOOTING);
    assert_true(world_settle(w));
    assert_string_equal(world_version(w), "1.0.0");
    assert_false(status(w).pending);
    assert_int_equal(otapult_rollback(w->ota, &why), 0);
    assert_true(world_settle(w));
    assert_string_equal(world_version(w), "2.0.0");
}

static void going_back_while_pending_rejects(void **state)
{
    struct world *w = *state;
    struct otapult_finding why;

    w->health = OTAPULT_HEALTH_WAIT;
    assert_int_equal(world_upload(w, v2, v2_len, 4096), 0);
    assert_true(world_settle(w));
    assert_int_equal(otapult_rollback(w->ota, &why), 0);
    assert_true(world_settle(w));
    assert_string_equal(world_version(w), "1.0.0");
    assert_int_equal(newest(w)->event, OTAPULT_EV_REJECTED);
    assert_string_equal(newest(w)->text, "rolled back by request");
}

static void the_factory_firmware_is_a_way_back_too(void **state)
{
    struct world w;
    struct otapult_finding why;

    (void)state;
    world_init(&w, WORLD_FACTORY_OTA, v1, v1_len);
    assert_true(world_boot(&w));
    assert_int_equal(status(&w).slots.running, OTAPULT_SLOT_FACTORY);
    assert_int_equal(world_upload(&w, v2, v2_len, 4096), 0);
    assert_true(world_settle(&w));
    assert_string_equal(world_version(&w), "2.0.0");
    assert_int_equal(otapult_rollback(w.ota, &why), 0); /* ota_1 is empty, so to the factory app */
    assert_true(world_settle(&w));
    assert_string_equal(world_version(&w), "1.0.0");
    assert_int_equal(status(&w).slots.running, OTAPULT_SLOT_FACTORY);
    assert_int_equal(otapult_rollback(w.ota, &why), 0); /* and forward again */
    assert_true(world_settle(&w));
    assert_string_equal(world_version(&w), "2.0.0");
    w.health = OTAPULT_HEALTH_FAIL;
    assert_int_equal(world_upload(&w, v3, v3_len, 4096), 0);
    assert_true(world_settle(&w));
    assert_string_equal(world_version(&w), "2.0.0");
    world_end(&w);
}

static void the_journal_keeps_the_last_entries_in_order(void **state)
{
    struct world *w = *state;
    struct otapult_log_entry e, before;

    assert_false(otapult_log_entry(w->ota, 0, &e));
    w->clock = 61000;
    for (uint32_t i = 1; i <= OTAPULT_LOG_ENTRIES + 5; i++) {
        assert_int_equal(world_upload(w, v2, 100, 100), OTAPULT_E_IMAGE_TRUNCATED);
        world_pull_plug(w); /* whichever place the newest has, a boot finds it */
        assert_true(world_boot(w));
        assert_int_equal(newest(w)->seq, i);
        assert_int_equal(newest(w)->uptime_s, 61);
        assert_false(otapult_log_entry(w->ota, i, &e)); /* there are no more */
    }
    assert_true(otapult_log_entry(w->ota, 0, &before));
    assert_int_equal(before.seq, OTAPULT_LOG_ENTRIES + 5);
    for (unsigned n = 1; n < OTAPULT_LOG_ENTRIES; n++, before = e) {
        assert_true(otapult_log_entry(w->ota, n, &e));
        assert_int_equal(e.seq, before.seq - 1);
        assert_string_equal(e.code, "image_truncated");
    }
    assert_false(otapult_log_entry(w->ota, OTAPULT_LOG_ENTRIES, &e));
}

static bool boots_lost;
static int (*real_get)(void *ctx, const char *key, void *dst, size_t cap, size_t *len);

static int get_but_boots(void *ctx, const char *key, void *dst, size_t cap, size_t *len)
{
    return boots_lost && strcmp(key, "ota.boots") == 0 ? OTAPULT_E_STORE : real_get(ctx, key, dst, cap, len);
}

static int set_and_find_again(void *ctx, const char *key, const void *src, size_t len)
{
    boots_lost = boots_lost && strcmp(key, "ota.boots") != 0;
    return real_set(ctx, key, src, len);
}

static void lose_boots(void *ctx, struct otapult_port *port)
{
    (void)ctx;
    real_get = port->kv_get;
    real_set = port->kv_set;
    port->kv_get = get_but_boots;
    port->kv_set = set_and_find_again;
}

static void a_count_of_boots_that_was_lost_goes_on(void **state)
{
    struct world *w = *state;
    uint32_t boot = status(w).boot;

    w->wrap = lose_boots;
    for (unsigned n = 1; n <= 12; n++) { /* once in four boots the store does not tell it */
        boots_lost = n % 4 == 0;
        if (n % 4 == 1) /* and one in four leaves an entry */
            assert_int_equal(world_upload(w, v2, 100, 100), OTAPULT_E_IMAGE_TRUNCATED);
        world_pull_plug(w);
        assert_true(world_boot(w));
        assert_true(status(w).boot > boot);
        boot = status(w).boot;
    }
    w->wrap = NULL;
    assert_int_equal(world_upload(w, v2, 100, 100), OTAPULT_E_IMAGE_TRUNCATED);
    assert_int_equal(w->board.port.kv_set(w->board.port.ctx, "ota.boots", NULL, 0), 0);
    world_pull_plug(w);
    assert_true(world_boot(w));
    assert_true(status(w).boot > boot); /* absent is lost, too */
}

static char logged[128];

static void keep_line(void *ctx, enum otapult_log_level level, const char *line)
{
    (void)ctx;
    assert_int_equal(level, OTAPULT_LOG_ERROR);
    assert_true(strlen(line) < sizeof logged);
    strcpy(logged, line);
}

static bool ready_always(void *app, char *why, size_t cap)
{
    return otapult_always_ready(app, why, cap);
}

/* The most that is allowed, and nobody who says no. */
static void fill_up(void *ctx, struct otapult_config *config)
{
    static struct otapult_health_check checks[OTAPULT_CHECKS_MAX];
    static const uint8_t keys[OTAPULT_KEYS_MAX][OTAPULT_KEY_DIGEST];

    (void)ctx;
    for (size_t i = 0; i < OTAPULT_CHECKS_MAX; i++)
        checks[i] = config->checks[0];
    config->checks = checks;
    config->check_count = OTAPULT_CHECKS_MAX;
    config->keys = keys;
    config->key_count = OTAPULT_KEYS_MAX;
    config->ready = otapult_always_ready;
    config->hold = otapult_nothing_moves;
}

static void a_full_configuration_starts(void **state)
{
    struct world *w = *state;

    w->configure = fill_up;
    assert_true(world_boot(w));
    assert_int_equal(world_upload(w, v2, v2_len, 4096), 0);
    assert_true(world_settle(w));
    assert_string_equal(world_version(w), "2.0.0");
    assert_false(status(w).pending);
    w->configure = NULL;
}

static void before_anything_is_known_nothing_is_claimed(void **state)
{
    struct world *w = *state;

    assert_int_equal(status(w).total, OTAPULT_SIZE_UNKNOWN);
    w->wrap = wrap_no_slots;
    assert_true(world_boot(w));
    assert_int_equal(status(w).slots.running, OTAPULT_SLOT_NONE);
    assert_int_equal(status(w).slots.boot, OTAPULT_SLOT_NONE);
    assert_int_equal(status(w).slots.next, OTAPULT_SLOT_NONE);
    assert_int_equal(status(w).slots_error, OTAPULT_E_FLASH_READ);
    w->wrap = NULL;
}

static void a_wrong_configuration_does_not_start_and_says_what_is_wrong(void **state)
{
    struct world *w = *state;
    struct otapult_port port = w->board.port;
    const struct otapult_health_check check = {"c", NULL};
    static const uint8_t keys[OTAPULT_KEYS_MAX + 1][OTAPULT_KEY_DIGEST];
    const struct {
        struct otapult_config config;
        const char *line;
#define READY .ready = ready_always, .hold = otapult_nothing_moves
    } cases[] = {
        {{.ready = ready_always}, ""}, /* nobody to tell */
        {{.port = &port}, "the configuration is wrong: no ready()"},
        {{.port = &port, .ready = ready_always},
         "the configuration is wrong: no hold(): name otapult_nothing_moves where nothing does"},
        {{.port = &port, READY, .check_count = 1}, "the configuration is wrong: check_count without checks"},
        {{.port = &port, READY, .checks = &check, .check_count = OTAPULT_CHECKS_MAX + 1},
         "the configuration is wrong: more than OTAPULT_CHECKS_MAX health checks"},
        {{.port = &port, READY, .key_count = 1}, "the configuration is wrong: key_count without keys"},
        {{.port = &port, READY, .keys = keys, .key_count = OTAPULT_KEYS_MAX + 1},
         "the configuration is wrong: more than OTAPULT_KEYS_MAX keys"},
    };
    union otapult_memory *memory = malloc(sizeof *memory);

    port.log = keep_line;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct otapult *o = w->ota;

        logged[0] = '\0';
        assert_int_equal(otapult_start(memory, &cases[i].config, &o), OTAPULT_E_CONFIG);
        assert_null(o);
        assert_string_equal(logged, cases[i].line);
    }
    free(memory);
}

static void a_name_that_cannot_be_does_not_start(void **state)
{
    static const char *const names[] = {"12345678901234567890123456789012345678901", "left\033[2Jleg",
                                        "\1left", "left\xc2\x9bleg", "left \xd0"};
    struct world *w = *state;
    struct otapult_port port = w->board.port;
    union otapult_memory *memory = malloc(sizeof *memory);

    port.log = keep_line;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        struct otapult_config config = {.port = &port, READY, .name = names[i]};
        struct otapult *o = w->ota;

        assert_int_equal(otapult_start(memory, &config, &o), OTAPULT_E_CONFIG);
        assert_null(o);
        assert_string_equal(
            logged, i == 0 ? "the configuration is wrong: a name longer than OTAPULT_NAME_MAX bytes"
                           : "the configuration is wrong: a name with a control character, or not in UTF-8");
    }
    free(memory);
}

static void name_it(void *ctx, struct otapult_config *config)
{
    config->name = ctx;
}

static void any_other_name_is_its_name(void **state)
{
    static const char *const names[] = {"a", "left leg", "\xd1\x80\xd0\xbe\xd0\xb1\xd0\xbe\xd1\x82",
                                        "1234567890123456789012345678901234567890"};
    struct world *w = *state;

    w->configure = name_it;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        w->configure_ctx = (void *)(uintptr_t)names[i];
        assert_true(world_boot(w));
        assert_string_equal(otapult_name(w->ota), names[i]);
    }
    w->configure = NULL;
}

/* What was written by nobody of ours ends all the same. */
static void texts_of_the_journal_end(void **state)
{
    struct world *w = *state;
    const struct otapult_port *port = &w->board.port;
    struct otapult_log_entry e;
    size_t len;

    assert_int_equal(world_upload(w, v2, v2_len - 1, 4096), OTAPULT_E_IMAGE_TRUNCATED);
    assert_int_equal(port->kv_get(port->ctx, "olog.a2", &e, sizeof e, &len), 0);
    assert_int_equal(len, sizeof e);
    memset(e.code, 'x', sizeof e.code);
    memset(e.version, 'x', sizeof e.version);
    memset(e.project, 'x', sizeof e.project);
    memset(e.build, 'x', sizeof e.build);
    memset(e.text, 'x', sizeof e.text);
    memset(e.by, 'x', sizeof e.by);
    assert_int_equal(port->kv_set(port->ctx, "olog.a2", &e, sizeof e), 0);
    world_pull_plug(w);
    assert_true(world_boot(w));
    assert_true(otapult_log_entry(w->ota, 0, &e));
    assert_int_equal(e.code[0], 'x');
    assert_int_equal(strnlen(e.code, sizeof e.code), sizeof e.code - 1);
    assert_int_equal(strnlen(e.version, sizeof e.version), sizeof e.version - 1);
    assert_int_equal(strnlen(e.project, sizeof e.project), sizeof e.project - 1);
    assert_int_equal(strnlen(e.build, sizeof e.build), sizeof e.build - 1);
    assert_int_equal(strnlen(e.text, sizeof e.text), sizeof e.text - 1);
    assert_int_equal(strnlen(e.by, sizeof e.by), sizeof e.by - 1);
}

static void unpacks(void *ctx, struct otapult_config *config)
{
    static const struct otapult_decoder *const decoders[] = {&otapult_gzip, NULL};
    static uint64_t memory[OTAPULT_GZIP_RAM / sizeof(uint64_t)];

    (void)ctx;
    config->decoders = decoders;
    config->decoder_memory = memory;
    config->decoder_memory_size = sizeof memory;
}

static void it_says_what_it_takes(void **state)
{
    struct world *w = *state;

    assert_string_equal(otapult_device_accepts(w->ota, 0), "plain");
    assert_null(otapult_device_accepts(w->ota, 1));
    w->configure = unpacks;
    assert_true(world_boot(w));
    w->configure = NULL;
    assert_string_equal(otapult_device_accepts(w->ota, 0), "plain");
    assert_string_equal(otapult_device_accepts(w->ota, 1), "gzip");
    assert_null(otapult_device_accepts(w->ota, 2));
}

static void goes_on(void *ctx, struct otapult_config *config)
{
    (void)ctx;
    config->resumable = &otapult_resumable;
    config->resume_ms = 4711;
}

static void it_says_how_long_it_waits(void **state)
{
    struct world *w = *state;

    assert_int_equal(otapult_device_resume_ms(w->ota), 0); /* nothing goes on */
    w->configure = goes_on;
    assert_true(world_boot(w));
    w->configure = NULL;
    assert_int_equal(otapult_device_resume_ms(w->ota), 4711);
}

static void every_event_has_a_name(void **state)
{
    (void)state;
    for (int event = 1; event <= OTAPULT_EV_SOURCE; event++)
        assert_string_not_equal(otapult_event_name(event), "none");
    assert_string_equal(otapult_event_name(OTAPULT_EV_SOURCE), "source");
    assert_string_equal(otapult_event_name(OTAPULT_EV_NONE), "none");
    assert_string_equal(otapult_event_name(-1), "none");
    assert_string_equal(otapult_event_name(OTAPULT_EV_SOURCE + 1), "none");
}

static void a_download_begins_at_its_beginning(void **state)
{
    static const struct otapult_update_options plain;
    struct otapult_sha256 sha;
    struct otapult_download d = {.size = (uint32_t)v2_len, .at = 77, .sha = &sha};
    struct otapult_finding why;
    struct world *w = *state;
    uint32_t ticket;

    assert_int_equal(otapult_begin_download(w->ota, "folder", &plain, &d, &ticket, &why), 0);
    assert_int_equal(d.at, 0);
    assert_int_not_equal(ticket, 0);
}

static void what_a_source_says_stands_in_the_journal(void **state)
{
    const struct otapult_finding later = {.text = "asked again later"}, status = {.got = 404};
    struct world *w = *state;

    otapult_note_source(w->ota, "folder", 0, &later);
    assert_string_equal(newest(w)->text, "asked again later");
    assert_string_equal(newest(w)->code, "");
    assert_string_equal(newest(w)->by, "folder");
    otapult_note_source(w->ota, "folder", OTAPULT_E_SOURCE_STATUS, &status);
    assert_string_equal(newest(w)->text, "the source answers with HTTP 404");
    assert_string_equal(newest(w)->code, "source_status");
}

static void what_only_the_secure_profile_has_says_so(void **state)
{
    struct world *w = *state;
    const uint8_t digest[OTAPULT_KEY_DIGEST] = {1};

    assert_int_equal(otapult_revoke_key(w->ota, digest), OTAPULT_E_OPEN_PROFILE);
    assert_int_equal(otapult_new_password(w->ota), OTAPULT_E_OPEN_PROFILE);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, images_world, images_world_end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(the_place_that_runs_takes_no_update),
        CASE(a_bad_table_takes_no_update),
        CASE(a_test_app_takes_updates),
        CASE(what_runs_already_is_not_written),
        CASE(what_runs_already_is_answered_again),
        CASE(one_that_fills_its_slot_is_compared_to_its_end),
        CASE(a_difference_that_cannot_be_written_says_where),
        CASE(what_runs_already_is_written_by_force),
        CASE(the_last_few_ends_are_remembered),
        CASE(a_refused_beginning_is_no_end),
        CASE(what_an_end_has_cost_is_known),
        CASE(an_upload_boots_and_is_confirmed),
        CASE(the_result_names_the_file),
        CASE(a_second_update_is_refused_and_does_not_disturb_the_first),
        CASE(the_room_is_that_of_the_next_slot),
        CASE(the_counters_begin_anew),
        CASE(a_robot_that_is_not_ready_is_left_alone),
        CASE(a_no_without_words_gets_some),
        CASE(a_file_larger_than_the_slot_is_refused_before_its_first_byte),
        CASE(an_unconfirmed_firmware_does_not_overwrite_its_way_back),
        cmocka_unit_test(a_table_without_ota_slots_is_told_apart),
        CASE(after_any_bad_end_the_next_upload_works),
        CASE(a_wrong_file_erases_nothing),
        CASE(what_the_bytes_are_comes_before_their_name),
        CASE(a_client_that_stalls_loses_its_session_and_nothing_else),
        CASE(a_call_under_way_never_counts_as_a_stall),
        CASE(a_client_that_sends_something_else_does_not_stall),
        CASE(one_byte_now_and_then_ends),
        CASE(what_comes_again_is_not_done_again),
        CASE(a_device_that_cannot_count_its_boots_takes_any),
        CASE(another_update_for_a_boot_that_has_passed_is_refused),
        CASE(what_was_refused_is_refused_again_unread),
        CASE(the_same_upload_takes_the_place_of_the_first),
        CASE(who_loses_the_device_is_told_so_from_the_first_moment),
        CASE(who_only_begins_holds_nobody_out),
        CASE(another_clients_id_ends_nobodys_upload),
        CASE(what_somebody_has_ended_stays_ended),
        CASE(an_update_without_an_id_gets_one),
        CASE(an_id_is_none_that_was_just_given),
        CASE(a_build_that_failed_here_is_refused_before_an_erase),
        CASE(another_project_is_refused_where_that_is_asked_for),
        CASE(who_becomes_slow_later_ends_too),
        CASE(just_fast_enough_is_fast_enough),
        CASE(no_upload_lasts_for_ever),
        CASE(somebody_else_may_end_an_update),
        CASE(an_update_is_ended_by_its_ticket),
        CASE(the_count_of_tickets_may_wrap),
        CASE(who_keeps_poll_busy_wins_no_time),
        CASE(each_update_has_its_own_time),
        CASE(an_upper_bound_is_none_in_the_end),
        CASE(an_update_ends_between_two_sectors),
        CASE(an_update_that_is_activated_is_not_ended),
        CASE(an_update_may_ask_for_more_and_not_for_less),
        CASE(one_that_outgrows_its_slot_has_failed),
        CASE(one_client_is_inside_at_a_time),
        CASE(a_failed_health_check_brings_the_old_firmware_back),
        CASE(nobody_gets_in_between_a_decision_and_its_restart),
        CASE(one_decision_is_made_at_a_time),
        CASE(a_check_that_never_passes_meets_the_deadline),
        CASE(a_crash_is_not_tried_again),
        CASE(a_power_cut_is_not_a_bad_image_but_has_an_end),
        CASE(an_image_that_lost_power_is_confirmed_in_its_second_trial),
        CASE(an_image_that_does_not_load_leaves_the_old_one_in_charge),
        CASE(the_first_slot_that_does_not_load_is_left_too),
        CASE(an_image_without_a_digest_is_named_by_its_own),
        CASE(a_trial_in_a_slot_that_is_not_there_is_forgotten),
        CASE(a_user_can_go_back_and_forth),
        CASE(going_back_while_pending_rejects),
        cmocka_unit_test(the_factory_firmware_is_a_way_back_too),
        CASE(the_journal_keeps_the_last_entries_in_order),
        CASE(a_count_of_boots_that_was_lost_goes_on),
        CASE(a_name_that_cannot_be_does_not_start),
        CASE(any_other_name_is_its_name),
        CASE(texts_of_the_journal_end),
        CASE(it_says_what_it_takes),
        CASE(it_says_how_long_it_waits),
        CASE(every_event_has_a_name),
        CASE(a_download_begins_at_its_beginning),
        CASE(what_a_source_says_stands_in_the_journal),
        CASE(a_full_configuration_starts),
        CASE(before_anything_is_known_nothing_is_claimed),
        CASE(a_wrong_configuration_does_not_start_and_says_what_is_wrong),
        CASE(what_only_the_secure_profile_has_says_so),
    };
    return cmocka_run_group_tests(tests, images_make, images_free);
}
