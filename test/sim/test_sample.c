/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "oracle.h"
#include "sample_image.h"

static uint32_t le32(const uint8_t *p)
{
    return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static void check_image(const struct sample_spec *spec)
{
    size_t len;
    uint8_t *image = sample_image(spec, &len);
    struct oracle_image seen;
    bool ok = oracle_image_ok(image, len, &seen);
    if (!ok)
        fail_msg("size %u seed %u: %s", (unsigned)spec->size, (unsigned)spec->seed, seen.fault);
    assert_int_equal(seen.size, len);
    assert_int_equal(len, (spec->size + 15) / 16 * 16);
    free(image);
}

static void images_of_every_size_are_right(void **state)
{
    (void)state;
    static const uint32_t sizes[] = {1024,    1025,    1100,   2000,    4096,    8192,
                                     0x8000,  65536,   70000,  0x17FF0, 0x18010, 98500,
                                     0x1FFF0, 0x20020, 200000, 262144,  524301,  1 << 20};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        for (uint32_t seed = 0; seed < 4; seed++)
            check_image(&(struct sample_spec){SAMPLE_DEFAULT, .seed = seed, .size = sizes[i]});
}

static void a_large_image_has_its_code_on_a_page(void **state)
{
    (void)state;
    size_t len;
    uint8_t *image = sample_image(&(struct sample_spec){SAMPLE_DEFAULT}, &len);
    uint32_t at = 24, load = 0;
    for (int i = 0; i < 4; i++) {
        load = le32(image + at);
        at += 8 + (i < 3 ? le32(image + at + 4) : 0);
    }
    assert_int_equal(load, 0x42000020); /* the fourth segment, as in real images */
    assert_int_equal(at % 0x10000, 0x20);
    free(image);
}

static void small_and_huge_sizes_are_clamped(void **state)
{
    (void)state;
    size_t len;
    free(sample_image(&(struct sample_spec){.chip_id = 0xFFFF, .size = 1}, &len));
    assert_int_equal(len, 1024);
    free(sample_image(&(struct sample_spec){SAMPLE_DEFAULT, .bootloader = true}, &len));
    assert_int_equal(len, SAMPLE_BOOTLOADER_MAX);
}

/* Bytes 0xB0 to 0xCF: the ELF file's digest. */
static void elf_sha(const struct sample_spec *spec, uint8_t out[32])
{
    size_t len;
    uint8_t *image = sample_image(spec, &len);
    memcpy(out, image + 0xB0, 32);
    free(image);
}

static void another_build_has_another_id(void **state)
{
    (void)state;
    const struct sample_spec specs[] = {
        {SAMPLE_DEFAULT},
        {SAMPLE_DEFAULT, .seed = 1},
        {SAMPLE_DEFAULT, .seed = 0x80000000u},
        {SAMPLE_DEFAULT, .version = "2.0.0"},
        {SAMPLE_DEFAULT, .temper = SAMPLE_HANG},
        {SAMPLE_DEFAULT, .temper = SAMPLE_HANG, .after = 5},
    };
    enum { COUNT = sizeof specs / sizeof *specs };
    uint8_t ids[COUNT][32], again[32];
    for (int i = 0; i < COUNT; i++) {
        elf_sha(&specs[i], ids[i]);
        elf_sha(&specs[i], again);
        assert_memory_equal(ids[i], again, 32); /* reproducible */
        for (int k = 0; k < i; k++)
            assert_memory_not_equal(ids[i], ids[k], 4); /* the build id */
    }
}

static void the_description_is_what_was_asked_for(void **state)
{
    (void)state;
    size_t len;
    struct sample_spec spec = {SAMPLE_DEFAULT,        .version = "2.1.0-rc1", .project = "arm",
                               .date = "Feb  2 2026", .time = "01:02:03",     .idf = "v6.0.2",
                               .min_rev = 2,          .secure_version = 7};
    spec.max_rev = 199;
    uint8_t *image = sample_image(&spec, &len);
    assert_string_equal((char *)image + 0x30, "2.1.0-rc1");
    assert_string_equal((char *)image + 0x50, "arm");
    assert_string_equal((char *)image + 0x70, "01:02:03");
    assert_string_equal((char *)image + 0x80, "Feb  2 2026");
    assert_string_equal((char *)image + 0x90, "v6.0.2");
    assert_int_equal(le32(image + 0x24), 7);
    assert_int_equal(image[15] | image[16] << 8, 2);
    assert_int_equal(image[17] | image[18] << 8, 199);
    free(image);
}

static void the_temper_can_be_read_back(void **state)
{
    (void)state;
    for (int t = 0; t < SAMPLE_TEMPERS; t++) {
        struct sample_spec spec = {SAMPLE_DEFAULT, .temper = (enum sample_temper)t, .after = UINT32_MAX};
        size_t len;
        uint32_t after;
        uint8_t *image = sample_image(&spec, &len);
        assert_int_equal(sample_temper_of(image, 512, &after), t);
        assert_int_equal(after, UINT32_MAX);
        assert_int_equal(sample_temper_by_name(sample_temper_name((enum sample_temper)t)), t);
        free(image);
    }
    assert_int_equal(sample_temper_by_name("grumpy"), SAMPLE_TEMPERS);
}

static void no_mark_is_healthy(void **state)
{
    (void)state;
    static const char grumpy[] = "otapult-sample temper=grumpy after=3",
                      hang[] = "otapult-sample temper=hang after=3";
    uint8_t head[512] = {0};
    uint32_t after = 9;
    assert_int_equal(sample_temper_of(head, sizeof head, &after), SAMPLE_HEALTHY);
    assert_int_equal(after, 0);
    assert_int_equal(sample_temper_of(head, 0, &after), SAMPLE_HEALTHY);
    memcpy(head + 448, grumpy, sizeof grumpy);
    assert_int_equal(sample_temper_of(head, sizeof head, &after), SAMPLE_HEALTHY);
    memcpy(head + 448, hang, sizeof hang);
    assert_int_equal(sample_temper_of(head, sizeof head, &after), SAMPLE_HANG);
    assert_int_equal(after, 3);
}

static void odd_ones_are_odd_in_one_way(void **state)
{
    (void)state;
    static const struct {
        struct sample_spec spec;
        const char *why;
    } odd[] = {
        {{SAMPLE_DEFAULT, .bootloader = true}, "a bootloader"},
        {{SAMPLE_DEFAULT, .no_hash = true}, "no hash"},
        {{SAMPLE_DEFAULT, .no_description = true}, "no description"},
    };
    for (size_t i = 0; i < sizeof odd / sizeof *odd; i++) {
        size_t len;
        struct oracle_image seen;
        uint8_t *image = sample_image(&odd[i].spec, &len);
        assert_int_equal(image[0], 0xE9);
        if (oracle_image_ok(image, len, &seen))
            fail_msg("%s passed", odd[i].why);
        free(image);
    }
}

static void a_merged_image_holds_its_parts(void **state)
{
    (void)state;
    uint8_t table[0xC00];
    size_t len;
    struct oracle_image seen;
    memset(table, 0x5A, sizeof table);
    uint8_t *merged = sample_merged(&(struct sample_spec){SAMPLE_DEFAULT}, table, sizeof table, &len);
    assert_int_equal(len, 0x10000 + 262144);
    assert_int_equal(merged[0], 0xE9);
    assert_false(oracle_image_ok(merged, len, &seen));
    assert_memory_equal(merged + 0x8000, table, sizeof table);
    assert_int_equal(le32(merged + 0xE000), 1);
    assert_int_equal(le32(merged + 0xE01C), oracle_ota_crc(1));
    assert_int_equal(merged[0xFFFF], 0xFF);
    assert_true(oracle_image_ok(merged + 0x10000, len - 0x10000, &seen));
    free(merged);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(images_of_every_size_are_right),
        cmocka_unit_test(a_large_image_has_its_code_on_a_page),
        cmocka_unit_test(small_and_huge_sizes_are_clamped),
        cmocka_unit_test(another_build_has_another_id),
        cmocka_unit_test(the_description_is_what_was_asked_for),
        cmocka_unit_test(the_temper_can_be_read_back),
        cmocka_unit_test(no_mark_is_healthy),
        cmocka_unit_test(odd_ones_are_odd_in_one_way),
        cmocka_unit_test(a_merged_image_holds_its_parts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
