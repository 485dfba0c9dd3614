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
#include "update/door.h"
#include "world.h"

/* What a device says of its slots: of images that name no build, of tables with more slots than are shown,
 * and through a port that fails. */

#define SLOT_1    0x20000u
#define SLOT_SIZE 0x10000u

static struct world w;
static struct otapult_port real;
static int (*real_read)(void *ctx, uint32_t off, void *dst, uint32_t len);
static int slots_error, slot_error, open_error, read_error;
static uint32_t good_reads; /* before read_error comes */
static unsigned slot_calls, opened[2];
static struct otapult_slots extra; /* what a larger table says; count 0: the table is as it is */

static int tell_slots(void *ctx, struct otapult_slots *out)
{
    int err = slots_error != 0 ? slots_error : real.slots(ctx, out);

    if (extra.count != 0) {
        out->count = extra.count;
        out->running = extra.running;
        out->next = extra.next;
        out->boot = extra.boot;
        out->factory = extra.factory;
    }
    return err;
}

/* A label without an end. Slots that the flash of this world has not are as its second one. */
static int tell_slot(void *ctx, int index, struct otapult_slot *out)
{
    slot_calls++;
    if (slot_error != 0)
        return slot_error;
    int err = real.slot(ctx, index == 0 ? 0 : 1, out);
    if (index > 1)
        memset(out->label, 'a' + index, sizeof out->label);
    return err;
}

static int read_or_fail(void *ctx, uint32_t off, void *dst, uint32_t len)
{
    return read_error != 0 && good_reads-- == 0 ? read_error : real_read(ctx, off, dst, len);
}

static int open_or_fail(void *ctx, int index, struct otapult_flash *out)
{
    opened[index == 0 ? 0 : 1]++;
    if (open_error != 0)
        return open_error;
    int err = real.open(ctx, index == 0 ? 0 : 1, out);
    real_read = out->read;
    out->read = read_or_fail;
    return err;
}

static void wrap(void *ctx, struct otapult_port *port)
{
    (void)ctx;
    real = *port;
    port->slots = tell_slots;
    port->slot = tell_slot;
    port->open = open_or_fail;
}

static int set_up(void **state)
{
    (void)state;
    slots_error = slot_error = open_error = read_error = 0;
    memset(&extra, 0, sizeof extra);
    world_init(&w, WORLD_TWO_OTA, v1, v1_len);
    w.wrap = wrap;
    return world_boot(&w) ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    world_end(&w);
    return 0;
}

/* ---- the build's name ---- */

/* Puts the image into the other slot, without the digest of its ELF file, and boots. */
static uint8_t *put_nameless(const uint8_t *image, size_t len)
{
    uint8_t *p = w.nor.data + SLOT_1;

    world_pull_plug(&w);
    memset(p, 0xFF, SLOT_SIZE);
    memcpy(p, image, len);
    memset(p + 0xB0, 0, 32);
    return p;
}

static int ask_build(char build[OTAPULT_BUILD_ID_CHARS + 1])
{
    struct otapult_image_info info;
    struct otapult_slot slot;

    int err = otapult_slot(w.ota, 1, &slot, &info);
    assert_int_equal(slot.size, SLOT_SIZE);
    otapult_build_id(&info.desc, build);
    return err;
}

static void assert_named_by_its_hash(const uint8_t *image, size_t len)
{
    const uint8_t *sha = image + len - 32;
    char own[OTAPULT_BUILD_ID_CHARS + 1], build[OTAPULT_BUILD_ID_CHARS + 1];

    put_nameless(image, len);
    assert_true(world_boot(&w));
    snprintf(own, sizeof own, "%02x%02x%02x%02x", sha[0], sha[1], sha[2], sha[3]);
    assert_int_equal(ask_build(build), 0);
    assert_string_equal(build, own);
    otapult_build_id(&world_view(&w)->slot[1].image, build);
    assert_string_equal(build, own); /* what is shown is named so, too */
}

/* Whatever number of bytes fills the last 16 up, and where the hash ends with the slot. */
static void an_image_without_a_digest_is_named_by_its_own_hash(void **state)
{
    size_t len = 0;

    (void)state;
    for (uint32_t size = 9000; size < 9016; size += 4) {
        uint8_t *image = images_one("2.0.0", size, size, &len);
        assert_named_by_its_hash(image, len);
        free(image);
    }
    for (uint32_t size = SLOT_SIZE - 64; len != SLOT_SIZE && size <= SLOT_SIZE; size++) {
        uint8_t *image = images_one("2.0.0", size, size, &len);
        if (len == SLOT_SIZE)
            assert_named_by_its_hash(image, len);
        free(image);
    }
    assert_int_equal(len, SLOT_SIZE);
}

static void one_without_a_hash_has_no_name(void **state)
{
    char build[OTAPULT_BUILD_ID_CHARS + 1];

    (void)state;
    put_nameless(v2, v2_len)[23] = 0; /* hash_appended */
    assert_true(world_boot(&w));
    assert_int_equal(ask_build(build), 0);
    assert_string_equal(build, "00000000");
    assert_string_equal(world_view(&w)->slot[1].image.version, "2.0.0");
}

/* Each read on the way to the hash, failing: the error comes out, and the slot is shown as one that cannot be
 * read. */
static void a_name_that_cannot_be_read_is_an_error(void **state)
{
    char build[OTAPULT_BUILD_ID_CHARS + 1];
    uint32_t reads = 0;

    (void)state;
    const uint8_t *image = put_nameless(v2, v2_len);
    const uint32_t on_the_way = 2u + image[1]; /* head, a header a segment, hash */
    assert_true(world_boot(&w));
    for (int err = OTAPULT_E_FLASH_READ; err == OTAPULT_E_FLASH_READ; reads++) {
        read_error = OTAPULT_E_FLASH_READ;
        good_reads = reads;
        err = ask_build(build);
        read_error = 0;
        assert_int_equal(err, reads < on_the_way ? OTAPULT_E_FLASH_READ : 0);
    }
    open_error = OTAPULT_E_SLOT_OPEN;
    assert_int_equal(ask_build(build), OTAPULT_E_SLOT_OPEN);
}

/* What was in the caller's memory is not taken for an answer. */
static void what_is_not_there_is_all_zeros(void **state)
{
    static const struct otapult_app_desc none;
    struct otapult_image_info info;
    struct otapult_slot_view v;
    struct otapult_app_desc desc;
    struct otapult_slot slot;

    (void)state;
    memset(&info, 0xA5, sizeof info);
    assert_int_equal(otapult_slot(w.ota, 1, &slot, &info), 0);
    assert_int_equal(info.size, 0);
    assert_memory_equal(&info.desc, &none, sizeof none);
    assert_int_equal(otapult_slot(w.ota, 0, &slot, &info), 0);
    assert_int_not_equal(info.size, 0); /* an image is there */
    memset(&v, 0xA5, sizeof v);
    otapult_look_at_slot(w.ota, 1, &v);
    assert_true(v.readable);
    assert_false(v.has_image);
    assert_false(v.failed);
    assert_true(otapult_running_desc(w.ota, &desc));
    assert_string_equal(desc.version, "1.0.0");
    read_error = OTAPULT_E_FLASH_READ;
    assert_false(otapult_running_desc(w.ota, &desc));
    read_error = 0;
    memset(w.nor.data + 0x10000, 0xFF, 4096);
    assert_false(otapult_running_desc(w.ota, &desc));
    open_error = OTAPULT_E_SLOT_OPEN;
    assert_false(otapult_running_desc(w.ota, &desc));
    assert_memory_equal(&desc, &none, sizeof none);
}

/* ---- which are shown ---- */

static void assert_shown(const int *index, unsigned count)
{
    assert_true(world_boot(&w));
    assert_int_equal(world_view(&w)->slot_count, count);
    for (unsigned n = 0; n < count; n++)
        assert_int_equal(world_view(&w)->slot[n].index, index[n]);
}

/* Those that run, come next and boot, then the factory app and the first ones; in the order of their numbers.
 */
static void of_many_slots_those_that_matter_are_shown(void **state)
{
    (void)state;
    extra = (struct otapult_slots){.count = 8, .next = 6, .boot = 0};
    assert_shown((const int[]){0, 1, 2, 3, 6}, 5);
    extra.boot = 7;
    extra.factory = true;
    assert_shown((const int[]){OTAPULT_SLOT_FACTORY, 0, 1, 6, 7}, 5);
    extra.next = extra.boot = OTAPULT_SLOT_NONE;
    assert_shown((const int[]){OTAPULT_SLOT_FACTORY, 0, 1, 2, 3}, 5);
    extra = (struct otapult_slots){.count = 8, .running = 5, .next = 6, .boot = 7};
    assert_shown((const int[]){0, 1, 5, 6, 7}, 5);
}

static void a_port_cannot_count_further_than_there_are_numbers(void **state)
{
    struct otapult_status s;

    (void)state;
    for (int count = OTAPULT_SLOTS_MAX; count < OTAPULT_SLOTS_MAX + 2; count++) {
        extra = (struct otapult_slots){.count = count, .next = 1};
        assert_true(world_boot(&w));
        otapult_status(w.ota, &s);
        assert_int_equal(s.slots.count, OTAPULT_SLOTS_MAX);
    }
}

/* ---- through a port that fails ---- */

static const char *label(int index)
{
    static char text[17];

    memset(text, 'x', sizeof text);
    otapult_slot_label(w.ota, index, text);
    return text;
}

static void a_label_is_known_or_asked_for_or_empty(void **state)
{
    (void)state;
    extra = (struct otapult_slots){.count = 8, .next = 1, .boot = 0};
    assert_true(world_boot(&w));
    slot_calls = 0;
    assert_string_equal(label(0), "app0");
    assert_string_equal(label(1), "app1");
    assert_string_equal(label(2), "cccccccccccccccc");
    assert_string_equal(label(OTAPULT_SLOT_NONE), "");
    assert_int_equal(slot_calls, 0);
    assert_string_equal(label(7), "hhhhhhhhhhhhhhhh"); /* one that is not shown */
    slot_error = OTAPULT_E_FLASH_READ;
    assert_string_equal(label(7), "");
    assert_string_equal(label(1), "app1");
    slot_error = 0;
    slots_error = OTAPULT_E_FLASH_READ; /* nothing is known */
    assert_true(world_boot(&w));
    assert_string_equal(label(0), "app0");
}

/* poll() looks again, and only until it got through. */
static void what_could_not_be_read_is_read_again(void **state)
{
    (void)state;
    world_pull_plug(&w);
    memcpy(w.nor.data + SLOT_1, v2, v2_len);
    open_error = OTAPULT_E_SLOT_OPEN;
    assert_true(world_boot(&w));
    assert_int_equal(world_view(&w)->slot_count, 2);
    assert_false(world_view(&w)->slot[1].readable);
    assert_false(world_view(&w)->slot[1].has_image);
    assert_string_equal(world_view(&w)->slot[1].slot.label, "app1");
    open_error = 0;
    slot_calls = 0;
    otapult_poll(w.ota);
    assert_int_equal(slot_calls, 2);
    assert_true(world_view(&w)->slot[1].readable);
    assert_true(world_view(&w)->slot[1].has_image);
    assert_string_equal(world_view(&w)->slot[1].image.version, "2.0.0");
    slot_calls = 0;
    otapult_poll(w.ota);
    assert_int_equal(slot_calls, 0);
}

/* A slot that nobody has written to is not read again for another's sake. */
static void what_is_known_is_not_read_again(void **state)
{
    static const uint8_t elf[600] = {0x7F, 'E', 'L', 'F', 1, 1, 1};
    struct otapult_finding why;
    uint32_t ticket;

    (void)state;
    assert_int_equal(otapult_begin(w.ota, sizeof elf, &ticket, &why), 0);
    memset(opened, 0, sizeof opened);
    assert_int_equal(otapult_feed(w.ota, ticket, elf, sizeof elf, &why), OTAPULT_E_FILE_ELF);
    assert_int_equal(opened[0], 0);
    assert_int_equal(opened[1], 1);
}

static void a_row_that_cannot_be_read_is_empty(void **state)
{
    (void)state;
    slot_error = OTAPULT_E_FLASH_READ;
    assert_true(world_boot(&w));
    assert_string_equal(world_view(&w)->slot[0].slot.label, "");
    assert_int_equal(world_view(&w)->slot[0].slot.size, 0);
    assert_int_equal(world_view(&w)->slot[0].index, 0);
    slot_error = 0;
    otapult_poll(w.ota);
    assert_string_equal(world_view(&w)->slot[0].slot.label, "app0");
    assert_int_equal(world_view(&w)->slot[0].slot.size, SLOT_SIZE);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(an_image_without_a_digest_is_named_by_its_own_hash),
        CASE(one_without_a_hash_has_no_name),
        CASE(a_name_that_cannot_be_read_is_an_error),
        CASE(what_is_not_there_is_all_zeros),
        CASE(of_many_slots_those_that_matter_are_shown),
        CASE(a_port_cannot_count_further_than_there_are_numbers),
        CASE(a_label_is_known_or_asked_for_or_empty),
        CASE(what_could_not_be_read_is_read_again),
        CASE(what_is_known_is_not_read_again),
        CASE(a_row_that_cannot_be_read_is_empty),
    };
    return cmocka_run_group_tests(tests, images_make, images_free);
}
