/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "images.h"
#include "oracle.h"
#include "world.h"

/* Every bit of header, segment headers, app description, padding, checksum and digest of a small image, and
 * a sample of its data bits, flipped one at a time and uploaded to a whole device: every one is refused with
 * an error of the image, nothing is activated, and the old firmware still boots. */

#define OTA_DATA   0xD000u
#define TARGET     0x20000u
#define SLOT_SIZE  0x10000u
#define HEADER     24u
#define DESC_END   0x120u
#define BLOCK_REVS 0xD0u /* in the app description */
#define DIGEST     32u

static uint8_t *old, *new, *flipped;
static size_t old_len, new_len;
static struct world w;
static uint8_t ota_data[0x2000];
static unsigned flips;

static uint32_t get32(const uint8_t *p)
{
    return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static bool is_boot_choice(int err)
{
    struct otapult_status s;

    otapult_status(w.ota, &s);
    return err != 0 && s.phase == OTAPULT_IDLE && s.slots.boot == 0 && w.holds == 0;
}

static bool is_old_bootable(void)
{
    struct oracle_result r = oracle_boot(w.nor.data, WORLD_FLASH);

    return r.boots && r.image_ok && strcmp(r.image.version, "1.0.0") == 0;
}

/* Neither the new header nor a whole image lies in the target. */
static bool is_target_dead(void)
{
    struct oracle_image there;

    return memcmp(w.nor.data + TARGET, new, 16) != 0 &&
           !oracle_image_ok(w.nor.data + TARGET, SLOT_SIZE, &there);
}

/* The error that the flip gives. */
static int flip(size_t off, unsigned bit)
{
    flipped[off] ^= (uint8_t)(1u << bit);
    int err = world_upload(&w, flipped, new_len, 1 + (off * 8 + bit) % new_len);
    flipped[off] ^= (uint8_t)(1u << bit);

    bool untouched = memcmp(w.nor.data + OTA_DATA, ota_data, sizeof ota_data) == 0;
    if (!is_boot_choice(err) || !untouched || !is_old_bootable() || !is_target_dead())
        fail_msg("bit %u at 0x%zx: %s", bit, off, otapult_error_row(err)->code);
    flips++;
    return err;
}

static void flip_all(size_t from, size_t to)
{
    for (size_t off = from; off < to; off++)
        for (unsigned bit = 0; bit < 8; bit++)
            (void)flip(off, bit);
}

static void flip_all_to(size_t from, size_t to, int expected)
{
    for (size_t off = from; off < to; off++)
        for (unsigned bit = 0; bit < 8; bit++)
            assert_int_equal(flip(off, bit), expected);
}

/* ---- parts ---- */

static void every_bit_of_the_header(void **state)
{
    (void)state;
    flip_all(0, HEADER);
}

/* Where each segment's data begins and ends. */
static unsigned find_segments(size_t from[16], size_t to[16])
{
    size_t at = HEADER;

    for (unsigned n = 0; n < new[1]; n++) {
        from[n] = at + 8;
        to[n] = at = from[n] + get32(new + at + 4);
    }
    return new[1];
}

static void every_bit_of_the_segment_headers(void **state)
{
    size_t from[16], to[16];

    (void)state;
    unsigned count = find_segments(from, to);
    assert_int_equal(count, 6);
    for (unsigned n = 0; n < count; n++)
        flip_all(from[n] - 8, from[n]);
}

static void every_bit_of_the_app_description(void **state)
{
    (void)state;
    flip_all_to(0x20, 0x24, OTAPULT_E_IMAGE_NO_DESCRIPTION);
    flip_all_to(0x24, BLOCK_REVS, OTAPULT_E_IMAGE_CHECKSUM);
    flip_all_to(BLOCK_REVS + 4, DESC_END, OTAPULT_E_IMAGE_CHECKSUM);
}

/* Some are for another chip then, and refused before anything is erased. */
static void every_bit_of_the_efuse_block_revisions(void **state)
{
    unsigned others = 0;

    (void)state;
    for (size_t off = BLOCK_REVS; off < BLOCK_REVS + 4; off++) {
        for (unsigned bit = 0; bit < 8; bit++) {
            int err = flip(off, bit);
            assert_true(err == OTAPULT_E_IMAGE_EFUSE_REVISION || err == OTAPULT_E_IMAGE_CHECKSUM);
            others += err == OTAPULT_E_IMAGE_EFUSE_REVISION;
        }
    }
    assert_true(others > 0 && others < 32);
}

static void a_sample_of_the_data_bits(void **state)
{
    size_t from[16], to[16];

    (void)state;
    unsigned count = find_segments(from, to);
    for (unsigned n = 0; n < count; n++) {
        size_t first = n == 0 ? DESC_END : from[n];
        for (size_t off = first; off < to[n]; off += 3)
            assert_int_equal(flip(off, off % 8), OTAPULT_E_IMAGE_CHECKSUM);
        assert_int_equal(flip(to[n] - 1, 7), OTAPULT_E_IMAGE_CHECKSUM);
    }
}

static void every_bit_of_padding_checksum_and_digest(void **state)
{
    size_t from[16], to[16], checksum = new_len - DIGEST - 1;

    (void)state;
    size_t end = to[find_segments(from, to) - 1];
    assert_true(end < checksum);
    flip_all_to(end, checksum, OTAPULT_E_IMAGE_SEGMENT);
    flip_all_to(checksum, checksum + 1, OTAPULT_E_IMAGE_CHECKSUM);
    flip_all_to(checksum + 1, new_len, OTAPULT_E_IMAGE_HASH);
}

static void the_image_itself_is_fine(void **state)
{
    (void)state;
    print_message("%u flipped bits, every one refused\n", flips);
    assert_true(flips > 3000);
    assert_int_equal(world_upload(&w, flipped, new_len, new_len), 0);
    assert_true(world_settle(&w));
    assert_string_equal(world_version(&w), "2.0.0");
}

static int set_up(void **state)
{
    (void)state;
    old = images_one("1.0.0", 1, 1024, &old_len);
    new = images_one("2.0.0", 2, 1024, &new_len);
    flipped = malloc(new_len);
    assert_non_null(flipped);
    memcpy(flipped, new, new_len);
    world_init(&w, WORLD_TWO_OTA, old, old_len);
    assert_true(world_boot(&w));
    memcpy(ota_data, w.nor.data + OTA_DATA, sizeof ota_data);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    world_end(&w);
    free(old);
    free(new);
    free(flipped);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_bit_of_the_header),
        cmocka_unit_test(every_bit_of_the_segment_headers),
        cmocka_unit_test(every_bit_of_the_app_description),
        cmocka_unit_test(every_bit_of_the_efuse_block_revisions),
        cmocka_unit_test(a_sample_of_the_data_bits),
        cmocka_unit_test(every_bit_of_padding_checksum_and_digest),
        cmocka_unit_test(the_image_itself_is_fine),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
