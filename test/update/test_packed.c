/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <zlib.h>

#include "decoders.h"
#include "images.h"
#include "patch_encoder.h"
#include "world.h"

/* Uploads that are packed, on a whole device: what is counted, what becomes of a slot, and when. */

#define SLOT_0    0x10000u
#define SLOT_SIZE 0x10000u
#define NO_SIZE   OTAPULT_SIZE_UNKNOWN

static struct world w;
static uint8_t slot_before[SLOT_SIZE];
static uint64_t memory[(OTAPULT_GZIP_RAM + 256) / 8];

static const struct otapult_decoder *const all[] = {&decoder_mask, &decoder_runs, &otapult_gzip, NULL};

static struct {
    const struct otapult_decoder *const *decoders;
    size_t memory_size;
} configured;

static void configure(void *ctx, struct otapult_config *config)
{
    (void)ctx;
    config->decoders = configured.decoders;
    config->decoder_memory = memory;
    config->decoder_memory_size = configured.memory_size;
}

/* 2.0.0 runs in slot 1; slot 0 holds 1.0.0, the way back, and is where the next update goes. */
static int set_up(void **state)
{
    (void)state;
    configured.decoders = all;
    configured.memory_size = sizeof memory;
    world_init(&w, WORLD_TWO_OTA, v1, v1_len);
    w.configure = configure;
    assert_true(world_boot(&w));
    assert_int_equal(world_upload(&w, v2, v2_len, 1000), 0);
    assert_true(world_settle(&w));
    assert_string_equal(world_version(&w), "2.0.0");
    memcpy(slot_before, w.nor.data + SLOT_0, SLOT_SIZE);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    world_end(&w);
    return 0;
}

static uint8_t *pack_gzip(const uint8_t *p, size_t n, size_t *len)
{
    z_stream z = {0};
    assert_int_equal(deflateInit2(&z, 9, Z_DEFLATED, 31, 8, Z_DEFAULT_STRATEGY), Z_OK);
    *len = deflateBound(&z, n) + 64;
    uint8_t *packed = malloc(*len);
    z.next_in = (z_const Bytef *)p;
    z.avail_in = (uInt)n;
    z.next_out = packed;
    z.avail_out = (uInt)*len;
    assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
    *len = z.total_out;
    deflateEnd(&z);
    return packed;
}

static void check_boots(const uint8_t *packed, size_t len, size_t piece)
{
    struct otapult_status s;
    assert_int_equal(world_upload(&w, packed, len, piece), 0);
    otapult_status(w.ota, &s);
    assert_int_equal(s.received, len); /* what came over the wire */
    assert_int_equal(s.total, len);
    assert_int_equal(s.written, v3_len); /* what went to flash */
    assert_memory_equal(w.nor.data + SLOT_0, v3, v3_len);
    assert_true(world_settle(&w));
    assert_string_equal(world_version(&w), "3.0.0");
}

/* Refused, and slot 0 is what it was: the way back. The device takes the next update. */
static void check_refused(const uint8_t *packed, size_t len, int err)
{
    for (size_t piece = 1; piece <= len; piece += piece == 1 ? 900 : len) {
        assert_int_equal(world_upload(&w, packed, len, piece), err);
        assert_memory_equal(w.nor.data + SLOT_0, slot_before, SLOT_SIZE);
    }
    check_boots(v3, v3_len, 4096);
}

/* ---- what boots ---- */

static void a_packed_upload_boots(void **state)
{
    (void)state;
    static const uint32_t announced[] = {0,     1,         4096,   9008,
                                         60000, SLOT_SIZE, NO_SIZE}; /* right, wrong, absent */
    for (size_t i = 0; i < sizeof announced / sizeof *announced; i++) {
        size_t len;
        uint8_t *packed = pack_runs(v3, v3_len, announced[i], &len);
        check_boots(packed, len, 1 + 333 * i);
        free(packed);
        tear_down(NULL);
        set_up(NULL);
    }
}

static void a_gzip_file_boots(void **state)
{
    (void)state;
    static const size_t pieces[] = {1, 100, 4096, 100000};
    size_t len;
    uint8_t *packed = pack_gzip(v3, v3_len, &len);
    for (size_t i = 0; i < sizeof pieces / sizeof *pieces; i++) {
        check_boots(packed, len, pieces[i]);
        tear_down(NULL);
        set_up(NULL);
    }
    free(packed);
}

static void what_is_packed_twice_boots(void **state)
{
    (void)state;
    size_t len, inner_len;
    uint8_t *inner = pack_runs(v3, v3_len, (uint32_t)v3_len, &inner_len);
    uint8_t *packed = pack_gzip(inner, inner_len, &len);
    check_boots(packed, len, 100);
    free(packed);
    free(inner);
}

/* ---- what is refused before the first erase ---- */

static void the_erase_waits_for_the_judge(void **state)
{
    (void)state;
    static const char text[] = "this is no firmware, however well it is packed";
    size_t len;
    uint8_t *packed = pack_runs((const uint8_t *)text, sizeof text - 1, 9008, &len);
    check_refused(packed, len, OTAPULT_E_FILE_TEXT);
    free(packed);
}

static void what_is_announced_too_large_is_refused_at_once(void **state)
{
    (void)state;
    size_t len;
    uint8_t *packed = pack_runs(v3, v3_len, SLOT_SIZE + 1, &len);
    check_refused(packed, len, OTAPULT_E_IMAGE_TOO_LARGE);
    free(packed);
}

static void what_comes_out_too_large_is_refused_by_its_head(void **state)
{
    (void)state;
    size_t len, n;
    uint8_t *large = sample_image(&(struct sample_spec){SAMPLE_DEFAULT, .size = SLOT_SIZE + 1024}, &n);
    uint8_t *packed = pack_gzip(large, n, &len);
    assert_int_equal(world_upload(&w, packed, SLOT_SIZE - 1, 1000), OTAPULT_E_IMAGE_TOO_LARGE);
    check_boots(v3, v3_len, 4096);
    free(packed);
    free(large);
}

static void a_gzip_file_in_a_gzip_file_is_named(void **state)
{
    (void)state;
    size_t len, inner_len;
    uint8_t *inner = pack_gzip(v3, v3_len, &inner_len);
    uint8_t *packed = pack_gzip(inner, inner_len, &len);
    check_refused(packed, len, OTAPULT_E_FILE_GZIP);
    free(packed);
    free(inner);
}

static void without_the_decoder_a_gzip_file_is_named(void **state)
{
    (void)state;
    size_t len;
    uint8_t *packed = pack_gzip(v3, v3_len, &len);
    configured.decoders = NULL;
    world_pull_plug(&w);
    assert_true(world_boot(&w));
    check_refused(packed, len, OTAPULT_E_FILE_GZIP);
    free(packed);
}

static void an_empty_gzip_file_is_named(void **state)
{
    (void)state;
    size_t len;
    uint8_t *packed = pack_gzip(NULL, 0, &len);
    check_refused(packed, len, OTAPULT_E_FILE_EMPTY);
    free(packed);
}

static void two_decoders_without_memory_for_both_are_refused(void **state)
{
    (void)state;
    size_t len, inner_len;
    uint8_t *inner = pack_runs(v3, v3_len, (uint32_t)v3_len, &inner_len);
    uint8_t *packed = pack_gzip(inner, inner_len, &len);
    configured.memory_size = (otapult_gzip.memory + 7u) & ~7u;
    world_pull_plug(&w);
    assert_true(world_boot(&w));
    check_refused(packed, len, OTAPULT_E_FILE_PACKED_TWICE);
    free(packed);
    free(inner);
}

/* ---- what is refused in the middle ---- */

/* The old image is gone by then. What is left must not boot, and the next update must. */
static void check_undone(const uint8_t *packed, size_t len, int err)
{
    assert_int_equal(world_upload(&w, packed, len, 700), err);
    for (size_t i = 0; i < 16; i++)
        assert_int_equal(w.nor.data[SLOT_0 + i], 0xFF);
    world_pull_plug(&w);
    assert_true(world_boot(&w));
    assert_string_equal(world_version(&w), "2.0.0");
    check_boots(v3, v3_len, 4096);
}

static void damage_in_the_middle_undoes_it(void **state)
{
    (void)state;
    size_t len;
    uint8_t *packed = pack_runs(v3, v3_len, NO_SIZE, &len);
    packed[len / 2 & ~(size_t)1] = 0; /* a run of nothing */
    check_undone(packed, len, OTAPULT_E_GZIP_DAMAGED);
    free(packed);
}

static void a_file_that_ends_early_is_undone(void **state)
{
    (void)state;
    size_t len;
    uint8_t *packed = pack_gzip(v3, v3_len, &len);
    check_undone(packed, len - 1, OTAPULT_E_IMAGE_TRUNCATED);
    free(packed);
}

static void a_sum_that_is_wrong_undoes_a_right_image(void **state)
{
    (void)state;
    size_t len;
    uint8_t *packed = pack_gzip(v3, v3_len, &len);
    packed[len - 5] ^= 1;
    check_undone(packed, len, OTAPULT_E_GZIP_DAMAGED);
    free(packed);
}

static void what_an_image_needs_not_is_trailing(void **state)
{
    (void)state;
    size_t len;
    uint8_t *longer = calloc(1, v3_len + 5000);
    memcpy(longer, v3, v3_len);
    uint8_t *packed = pack_gzip(longer, v3_len + 5000, &len);
    check_undone(packed, len, OTAPULT_E_IMAGE_TRAILING);
    free(packed);
    free(longer);
}

/* ---- the start ---- */

static void too_little_memory_is_refused_at_the_start(void **state)
{
    (void)state;
    static union otapult_memory other;
    static const struct otapult_port *port;
    struct otapult_config config = {OTAPULT_CONFIG_DEFAULT, .ready = otapult_always_ready,
                                    .hold = otapult_nothing_moves};
    struct otapult *o;
    port = &w.board.port;
    config.port = port;
    config.decoders = all;
    config.decoder_memory = memory;
    config.decoder_memory_size = otapult_gzip.memory - 1;
    assert_int_equal(otapult_start(&other, &config, &o), OTAPULT_E_CONFIG);
    config.decoder_memory = NULL;
    assert_int_equal(otapult_start(&other, &config, &o), OTAPULT_E_CONFIG);
    config.decoders = NULL;
    config.decoder_memory_size = 0;
    assert_int_equal(otapult_start(&other, &config, &o), 0);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

/* It is made of what runs, which the device reads while it writes the other slot. */
static void a_patch_to_what_runs_boots(void **state)
{
    static const struct otapult_decoder *const patches[] = {&otapult_patch, NULL};
    struct patch_file patch;

    (void)state;
    configured.decoders = patches;
    world_pull_plug(&w);
    assert_true(world_boot(&w));
    assert_true(patch_encode(v2, v2_len, v3, v3_len, &patch));
    assert_int_equal(world_upload(&w, patch.data, patch.size, 700), 0);
    assert_true(world_settle(&w));
    assert_string_equal(world_version(&w), "3.0.0");
    assert_memory_equal(w.nor.data + SLOT_0, v3, v3_len);
    free(patch.data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_packed_upload_boots),
        TEST(a_gzip_file_boots),
        TEST(a_patch_to_what_runs_boots),
        TEST(what_is_packed_twice_boots),
        TEST(the_erase_waits_for_the_judge),
        TEST(what_is_announced_too_large_is_refused_at_once),
        TEST(what_comes_out_too_large_is_refused_by_its_head),
        TEST(a_gzip_file_in_a_gzip_file_is_named),
        TEST(without_the_decoder_a_gzip_file_is_named),
        TEST(an_empty_gzip_file_is_named),
        TEST(two_decoders_without_memory_for_both_are_refused),
        TEST(damage_in_the_middle_undoes_it),
        TEST(a_file_that_ends_early_is_undone),
        TEST(a_sum_that_is_wrong_undoes_a_right_image),
        TEST(what_an_image_needs_not_is_trailing),
        TEST(too_little_memory_is_refused_at_the_start),
    };
    return cmocka_run_group_tests(tests, images_make, images_free);
}
