/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "feed.h"
#include "files.h"
#include "image/judge.h"
#include "oracle.h"
#include "otapult/otapult.h"
#include "sample_image.h"

static const struct otapult_inspect_limits limits = {
    .slot_size = 0x640000, .chip_id = OTAPULT_CHIP_ESP32S3, .chip_rev = 2};

static int feed(void *stage, const uint8_t *p, size_t n)
{
    return otapult_judge_feed(stage, p, n);
}

static int judge_split(struct otapult_judge *j, const uint8_t *p, size_t n, uint32_t size, unsigned how)
{
    otapult_judge_init(j, &limits, size);
    int fed = feed_split(feed, j, p, n, how);
    int err = otapult_judge_finish(j);
    if (fed != 0)
        assert_int_equal(err, fed);
    assert_int_equal(j->err, err);
    return err;
}

/* All splits, sizes known and unknown, must agree. */
static int judge(struct otapult_judge *j, const uint8_t *p, size_t n)
{
    struct otapult_judge first;
    int err = judge_split(&first, p, n, OTAPULT_SIZE_UNKNOWN, FEED_AT_ONCE);
    for (unsigned how = 1; how < 6; how++) {
        uint32_t size = how % 2 ? OTAPULT_SIZE_UNKNOWN : (uint32_t)n + 200;
        assert_int_equal(judge_split(j, p, n, size, how), err);
        assert_int_equal(j->why.at, first.why.at);
        assert_int_equal(j->why.got, first.why.got);
        assert_int_equal(j->why.want, first.why.want);
        assert_ptr_equal(j->why.text, first.why.text);
        if (err == 0)
            assert_memory_equal(&j->inspect.info, &first.inspect.info, sizeof first.inspect.info);
    }
    return err;
}

static void check_accepted(const char *name, const uint8_t *p, size_t n)
{
    struct otapult_judge j;
    struct oracle_image oracle;
    char build[OTAPULT_BUILD_ID_CHARS + 1];
    int err = judge(&j, p, n);
    if (err != 0)
        fail_msg("%s: %s", name, otapult_error_row(err)->code);
    assert_true(oracle_image_ok(p, n, &oracle));
    assert_int_equal(j.inspect.info.size, n);
    assert_memory_equal(j.inspect.info.sha256, oracle.sha256, 32);
    assert_string_equal(j.inspect.info.desc.version, oracle.version);
    assert_string_equal(j.inspect.info.desc.project, oracle.project);
    otapult_build_id(&j.inspect.info.desc, build);
    assert_string_equal(build, oracle.build);
}

static void check_refused(const char *name, const uint8_t *p, size_t n, int err, const char *detail)
{
    struct otapult_judge j;
    char found[128];
    assert_int_equal(judge(&j, p, n), err);
    otapult_detail(j.err, &j.why, NULL, found, sizeof found);
    if (strcmp(found, detail) != 0)
        fail_msg("%s: %s", name, found);
    assert_false(otapult_judge_accepted(&j));
}

/* ---- real files ---- */

static const char *const builds[] = {"s3-build-20.bin", "s3-build-29.bin", "s3-build-30.bin",
                                     "s3-build-38.bin", "s3-build-39.bin", "s3-build-40.bin"};

static const struct {
    const char *name;
    int err;
    const char *detail;
} others[] = {
    {"s3-merged-40.bin", OTAPULT_E_IMAGE_MERGED, "a merged image: partition table, at 0x8000"},
    {"s3-bootloader.bin", OTAPULT_E_IMAGE_BOOTLOADER, "a bootloader for ESP32-S3, not an application"},
    {"esp32-bootloader.bin", OTAPULT_E_IMAGE_BOOTLOADER, "a bootloader for ESP32, not an application"},
    {"s2-app.bin", OTAPULT_E_IMAGE_WRONG_CHIP, "built for ESP32-S2, this device is ESP32-S3"},
    {"s3-partitions.bin", OTAPULT_E_FILE_PARTITION_TABLE, "a partition table"},
    {"s3-otadata-ota0.bin", OTAPULT_E_FILE_OTA_DATA, "OTA data (boot_app0.bin or ota_data_initial.bin)"},
};

static void real_builds_are_accepted(void **state)
{
    (void)state;
    if (!files_present(FIRMWARE_DIR))
        skip(); /* the samples below stand for them */
    for (size_t i = 0; i < sizeof builds / sizeof *builds; i++) {
        size_t n;
        uint8_t *p = files_read(FIRMWARE_DIR, builds[i], &n);
        check_accepted(builds[i], p, n);
        free(p);
    }
}

static void real_files_of_other_kinds_are_named(void **state)
{
    (void)state;
    if (!files_present(FIRMWARE_DIR))
        skip();
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        size_t n;
        uint8_t *p = files_read(FIRMWARE_DIR, others[i].name, &n);
        check_refused(others[i].name, p, n, others[i].err, others[i].detail);
        free(p);
    }
}

static void a_real_build_with_one_bit_flipped_is_refused(void **state)
{
    (void)state;
    if (!files_present(FIRMWARE_DIR))
        skip();
    size_t n;
    uint8_t *p = files_read(FIRMWARE_DIR, "s3-build-40.bin", &n);
    for (size_t i = 0; i < 40; i++) {
        struct otapult_judge j;
        size_t bit = i * 6007 * 37 % (n * 8);
        p[bit / 8] ^= (uint8_t)(1u << bit % 8);
        assert_int_not_equal(judge_split(&j, p, n, OTAPULT_SIZE_UNKNOWN, FEED_AT_ONCE), 0);
        p[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    free(p);
}

/* ---- the same on samples ---- */

static void samples_are_accepted(void **state)
{
    (void)state;
    static const uint32_t sizes[] = {1024, 5000, 0x18010, 300000, 1118160};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        size_t n;
        struct sample_spec spec = {SAMPLE_DEFAULT, .size = sizes[i], .seed = (uint32_t)i};
        uint8_t *p = sample_image(&spec, &n);
        check_accepted("sample", p, n);
        free(p);
    }
}

static const struct {
    struct sample_spec spec;
    int err;
    const char *detail;
} odd[] = {
    {{SAMPLE_DEFAULT, .bootloader = true},
     OTAPULT_E_IMAGE_BOOTLOADER,
     "a bootloader for ESP32-S3, not an application"},
    {{.max_rev = 0xFFFF, .bootloader = true},
     OTAPULT_E_IMAGE_BOOTLOADER,
     "a bootloader for ESP32, not an application"},
    {{.max_rev = 0xFFFF, .chip_id = 2},
     OTAPULT_E_IMAGE_WRONG_CHIP,
     "built for ESP32-S2, this device is ESP32-S3"},
    {{.max_rev = 0xFFFF, .no_description = true},
     OTAPULT_E_IMAGE_WRONG_CHIP,
     "built for ESP32, this device is ESP32-S3"},
    {{SAMPLE_DEFAULT, .no_description = true}, OTAPULT_E_IMAGE_NO_DESCRIPTION, "no app description at 0x20"},
    {{SAMPLE_DEFAULT, .no_hash = true}, OTAPULT_E_IMAGE_NO_HASH, "no SHA-256 is appended to the image"},
    {{SAMPLE_DEFAULT, .min_rev = 3},
     OTAPULT_E_IMAGE_CHIP_REVISION,
     "needs chip revision v0.3, this chip is v0.2"},
    {{SAMPLE_DEFAULT, .size = 7000000},
     OTAPULT_E_IMAGE_TOO_LARGE,
     "the file needs 6995872 bytes, the slot has 6553600"},
};

static void odd_samples_are_named(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof odd / sizeof *odd; i++) {
        size_t n;
        uint8_t *p = sample_image(&odd[i].spec, &n);
        check_refused(odd[i].detail, p, n, odd[i].err, odd[i].detail);
        free(p);
    }
}

static void the_device_may_be_another_chip(void **state)
{
    (void)state;
    size_t n;
    struct otapult_inspect_limits esp32 = limits;
    esp32.chip_id = 0;
    for (uint16_t id = 0; id < 16; id = (uint16_t)(id + 9)) { /* ESP32, ESP32-S3 */
        struct sample_spec spec = {.max_rev = 0xFFFF, .chip_id = id, .no_description = true};
        struct otapult_judge j;
        uint8_t *p = sample_image(&spec, &n);
        otapult_judge_init(&j, &esp32, OTAPULT_SIZE_UNKNOWN);
        int want = id == 0 ? OTAPULT_E_IMAGE_NO_DESCRIPTION : OTAPULT_E_IMAGE_WRONG_CHIP;
        assert_int_equal(otapult_judge_feed(&j, p, n), want);
        free(p);

        spec.no_description = false;
        p = sample_image(&spec, &n);
        otapult_judge_init(&j, &esp32, OTAPULT_SIZE_UNKNOWN);
        assert_int_equal(otapult_judge_feed(&j, p, n), id == 0 ? 0 : OTAPULT_E_IMAGE_WRONG_CHIP);
        assert_int_equal(otapult_judge_finish(&j), id == 0 ? 0 : OTAPULT_E_IMAGE_WRONG_CHIP);
        free(p);
    }
}

static void a_merged_sample_is_named_by_its_content(void **state)
{
    (void)state;
    uint8_t table[0xC00];
    size_t n;
    memset(table, 0xFF, sizeof table);
    memcpy(table, "\xAA\x50\x01\x02\x00\x90\x00\x00\x00\x50\x00\x00nvs\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 32);
    uint8_t *p = sample_merged(&(struct sample_spec){SAMPLE_DEFAULT}, table, sizeof table, &n);
    check_refused("merged", p, n, OTAPULT_E_IMAGE_MERGED, "a merged image: partition table, at 0x8000");

    uint8_t *padded = malloc(0x1000000); /* as esptool's --pad-to-size makes it */
    memset(padded, 0xFF, 0x1000000);
    memcpy(padded, p, n);
    check_refused("merged", padded, 0x1000000, OTAPULT_E_IMAGE_MERGED,
                  "a merged image: partition table, at 0x8000");
    check_accepted("the app in it", p + 0x10000, n - 0x10000);
    free(padded);
    free(p);
}

static void trailing_and_missing_bytes_are_named(void **state)
{
    (void)state;
    size_t n;
    uint8_t *p = sample_image(&(struct sample_spec){SAMPLE_DEFAULT, .size = 5008}, &n);
    uint8_t *longer = calloc(1, n + 1);
    memcpy(longer, p, n);
    check_refused("longer", longer, n + 1, OTAPULT_E_IMAGE_TRAILING,
                  "the image ends at 0x1390, more bytes follow");
    check_refused("shorter", p, n - 1, OTAPULT_E_IMAGE_TRUNCATED,
                  "the file ends at 0x138f, at least 1 bytes are missing");
    check_refused("empty", p, 0, OTAPULT_E_FILE_EMPTY, "the file has no bytes");
    free(longer);
    free(p);
}

/* ---- damage ---- */

static void every_flipped_bit_is_refused(void **state)
{
    (void)state;
    size_t n;
    uint8_t *p = sample_image(&(struct sample_spec){SAMPLE_DEFAULT, .size = 1024}, &n);
    for (size_t bit = 0; bit < n * 8; bit++) {
        struct otapult_judge j;
        char detail[128];
        p[bit / 8] ^= (uint8_t)(1u << bit % 8);
        int err = judge_split(&j, p, n, OTAPULT_SIZE_UNKNOWN, FEED_AT_ONCE);
        if (err == 0)
            fail_msg("bit %u of byte 0x%x", (unsigned)(bit % 8), (unsigned)(bit / 8));
        assert_int_not_equal(err, OTAPULT_E_INTERNAL);
        otapult_detail(err, &j.why, NULL, detail, sizeof detail);
        assert_true(strlen(detail) > 0);
        p[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    free(p);
}

static void every_truncation_is_named(void **state)
{
    (void)state;
    size_t n;
    uint8_t *p = sample_image(&(struct sample_spec){SAMPLE_DEFAULT, .size = 1024}, &n);
    for (size_t cut = 1; cut < n; cut++)
        for (unsigned how = 0; how < 3; how++) {
            struct otapult_judge j;
            assert_int_equal(judge_split(&j, p, cut, OTAPULT_SIZE_UNKNOWN, how), OTAPULT_E_IMAGE_TRUNCATED);
            assert_int_equal(j.why.at, cut);
            assert_in_range(j.why.got, 1, n - cut);
        }
    free(p);
}

/* ---- the stage ---- */

static void the_head_decides_whether_bytes_may_go_to_the_slot(void **state)
{
    (void)state;
    size_t n;
    uint8_t *p = sample_image(&(struct sample_spec){SAMPLE_DEFAULT, .size = 5008}, &n);
    struct otapult_judge j;
    otapult_judge_init(&j, &limits, OTAPULT_SIZE_UNKNOWN);
    assert_false(otapult_judge_accepted(&j));
    for (size_t at = 0; at < n; at++) {
        assert_int_equal(otapult_judge_feed(&j, p + at, 1), 0);
        assert_int_equal(otapult_judge_accepted(&j), at + 1 >= OTAPULT_HEAD_SIZE);
        if (at + 1 == OTAPULT_HEAD_SIZE) /* what came before is still there for the slot */
            assert_memory_equal(j.recognise.head, p, OTAPULT_HEAD_SIZE);
    }
    assert_int_equal(otapult_judge_finish(&j), 0);
    assert_true(otapult_judge_accepted(&j));
    free(p);
}

static void it_may_be_copied_at_any_byte(void **state)
{
    (void)state;
    size_t n;
    uint8_t *p = sample_image(&(struct sample_spec){SAMPLE_DEFAULT, .size = 2000}, &n);
    struct otapult_judge j, copy;
    otapult_judge_init(&j, &limits, (uint32_t)n);
    for (size_t at = 0; at < n; at++) {
        copy = j;
        memset(&j, 0xA5, sizeof j);
        j = copy;
        assert_int_equal(otapult_judge_feed(&j, p + at, 1), 0);
        assert_int_equal(otapult_judge_feed(&copy, p + at, n - at), 0);
        assert_int_equal(otapult_judge_finish(&copy), 0);
    }
    assert_int_equal(otapult_judge_finish(&j), 0);
    free(p);
}

static void the_first_error_stays(void **state)
{
    (void)state;
    size_t n;
    uint8_t *p = sample_image(&(struct sample_spec){SAMPLE_DEFAULT}, &n);
    struct otapult_judge j;
    otapult_judge_init(&j, &limits, OTAPULT_SIZE_UNKNOWN);
    uint8_t elf[512] = "\177ELF";
    assert_int_equal(otapult_judge_feed(&j, elf, sizeof elf), OTAPULT_E_FILE_ELF);
    assert_int_equal(otapult_judge_feed(&j, p, n), OTAPULT_E_FILE_ELF);
    assert_int_equal(otapult_judge_finish(&j), OTAPULT_E_FILE_ELF);
    assert_false(otapult_judge_accepted(&j));
    free(p);
}

static void it_keeps_to_its_memory(void **state)
{
    (void)state;
    assert_in_range(sizeof(struct otapult_judge), 1, 3328);
    assert_in_range(sizeof(struct otapult_recognise), 1, 768);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(real_builds_are_accepted),
        cmocka_unit_test(real_files_of_other_kinds_are_named),
        cmocka_unit_test(a_real_build_with_one_bit_flipped_is_refused),
        cmocka_unit_test(samples_are_accepted),
        cmocka_unit_test(odd_samples_are_named),
        cmocka_unit_test(the_device_may_be_another_chip),
        cmocka_unit_test(a_merged_sample_is_named_by_its_content),
        cmocka_unit_test(trailing_and_missing_bytes_are_named),
        cmocka_unit_test(every_flipped_bit_is_refused),
        cmocka_unit_test(every_truncation_is_named),
        cmocka_unit_test(the_head_decides_whether_bytes_may_go_to_the_slot),
        cmocka_unit_test(it_may_be_copied_at_any_byte),
        cmocka_unit_test(the_first_error_stays),
        cmocka_unit_test(it_keeps_to_its_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
