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
#include "feed.h"
#include "ram_flash.h"
#include "sample_image.h"
#include "update/session.h"

/* The session over a slot in memory: when it begins to erase, what it erases where the size was told early,
 * late, wrong or never, and that nothing of that depends on how the file is cut. */

#define SLOT 0x30000u

static struct ram_flash f;
static struct otapult_session s;
static uint8_t *image;
static size_t image_len;

static const struct otapult_inspect_limits limits = {.slot_size = SLOT, .chip_id = OTAPULT_CHIP_ESP32S3};

static int make_image(void **state)
{
    (void)state;
    image = sample_image(&(struct sample_spec){SAMPLE_DEFAULT, .size = 70000}, &image_len);
    assert_int_equal(psa_crypto_init(), PSA_SUCCESS);
    return 0;
}

static int free_image(void **state)
{
    (void)state;
    free(image);
    return 0;
}

static void begin(uint32_t size)
{
    ram_flash_begin(&f, SLOT, 4096, 65536, 0x5A);
    otapult_session_init(&s, &f.flash, &limits, size);
}

static int feed(void *session, const uint8_t *p, size_t n)
{
    return otapult_session_feed(session, p, n);
}

/* "E0+65536 E65536+4096 …" of all erases. */
static void check_erases(const char *wanted)
{
    char erases[512] = "", one[32];
    for (uint32_t i = 0; i < f.calls; i++)
        if (f.log[i].op == RAM_ERASE) {
            snprintf(one, sizeof one, "%s%u+%u", erases[0] ? " " : "", f.log[i].off, f.log[i].len);
            strncat(erases, one, sizeof erases - strlen(erases) - 1);
        }
    assert_string_equal(erases, wanted);
}

static void check_written(void)
{
    assert_int_equal(otapult_session_finish(&s), 0);
    assert_true(otapult_has_only(f.data, OTAPULT_SLOT_HELD, 0xFF));
    assert_int_equal(otapult_session_commit(&s), 0);
    assert_memory_equal(f.data, image, image_len);
    assert_int_equal(s.judge.inspect.info.size, image_len);
    ram_flash_end(&f);
}

static void nothing_is_erased_before_the_whole_head(void **state)
{
    (void)state;
    for (unsigned how = 0; how < 6; how++) {
        begin(OTAPULT_SIZE_UNKNOWN);
        assert_int_equal(feed_split(feed, &s, image, OTAPULT_HEAD_SIZE - 1, how), 0);
        assert_int_equal(f.calls, 0);
        assert_int_equal(otapult_session_feed(&s, image + OTAPULT_HEAD_SIZE - 1, 1), 0);
        assert_int_equal(ram_flash_count(&f, RAM_ERASE), 1);
        assert_int_equal(feed_split(feed, &s, image + OTAPULT_HEAD_SIZE, image_len - OTAPULT_HEAD_SIZE, how),
                         0);
        check_written();
    }
}

static void what_is_refused_with_its_head_erases_nothing(void **state)
{
    (void)state;
    image[12] ^= 1; /* for another chip */
    for (unsigned how = 0; how < 6; how++) {
        begin((uint32_t)image_len);
        assert_int_equal(feed_split(feed, &s, image, image_len, how), OTAPULT_E_IMAGE_WRONG_CHIP);
        assert_int_equal(s.why.at, 12);
        assert_int_equal(otapult_session_feed(&s, image, 1), OTAPULT_E_IMAGE_WRONG_CHIP); /* it stays */
        assert_int_equal(otapult_session_finish(&s), OTAPULT_E_IMAGE_WRONG_CHIP);
        assert_int_equal(f.calls, 0);
        ram_flash_end(&f);
    }
    image[12] ^= 1;
}

static void the_size_says_how_to_erase(void **state)
{
    (void)state;
    static const struct {
        uint32_t size;
        const char *erases;
    } cases[] = {
        {70000, "0+65536 65536+4096 69632+4096"},      /* right: the rest is no quarter of a block */
        {OTAPULT_SIZE_UNKNOWN, "0+65536 65536+65536"}, /* absent */
        {SLOT, "0+65536 65536+65536"},                 /* too large */
        {65536, "0+65536 65536+4096 69632+4096"},      /* too small */
        {30000, "0+65536 65536+4096 69632+4096"},
        {1, "0+4096 4096+4096 8192+4096 12288+4096 16384+4096 20480+4096 24576+4096 28672+4096 32768+4096 "
            "36864+4096 40960+4096 45056+4096 49152+4096 53248+4096 57344+4096 61440+4096 65536+4096 "
            "69632+4096"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        for (unsigned late = 0; late < 2; late++) { /* told at the start, and by a decoder */
            begin(late ? OTAPULT_SIZE_UNKNOWN : cases[i].size);
            if (late && cases[i].size != OTAPULT_SIZE_UNKNOWN)
                assert_int_equal(otapult_session_expect(&s, cases[i].size), 0);
            assert_int_equal(otapult_session_feed(&s, image, image_len), 0);
            check_erases(cases[i].erases);
            check_written();
        }
}

static void a_size_beyond_the_slot_is_refused_at_once(void **state)
{
    (void)state;
    begin(OTAPULT_SIZE_UNKNOWN);
    assert_int_equal(otapult_session_expect(&s, SLOT), 0);
    assert_int_equal(otapult_session_expect(&s, SLOT + 1), OTAPULT_E_IMAGE_TOO_LARGE);
    assert_int_equal(s.why.got, SLOT + 1);
    assert_int_equal(s.why.want, SLOT);
    assert_int_equal(otapult_session_feed(&s, image, image_len), OTAPULT_E_IMAGE_TOO_LARGE);
    assert_int_equal(otapult_session_expect(&s, 5), OTAPULT_E_IMAGE_TOO_LARGE);
    assert_int_equal(f.calls, 0);
    ram_flash_end(&f);
}

static void it_may_be_copied_at_any_byte(void **state)
{
    (void)state;
    static struct otapult_session copy;
    begin((uint32_t)image_len);
    for (size_t at = 0; at < image_len; at += 1 + at / 3) {
        size_t next = at + 1 + at / 3, n = (next < image_len ? next : image_len) - at;
        copy = s;
        memset(&s, 0xA5, sizeof s);
        s = copy;
        assert_int_equal(otapult_session_feed(&s, image + at, n), 0);
    }
    check_written();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_erased_before_the_whole_head),
        cmocka_unit_test(what_is_refused_with_its_head_erases_nothing),
        cmocka_unit_test(the_size_says_how_to_erase),
        cmocka_unit_test(a_size_beyond_the_slot_is_refused_at_once),
        cmocka_unit_test(it_may_be_copied_at_any_byte),
    };
    return cmocka_run_group_tests(tests, make_image, free_image);
}
