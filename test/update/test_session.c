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

/* Its memory was another session's. */
static void begin(uint32_t size)
{
    ram_flash_begin(&f, SLOT, 4096, 65536, 0x5A);
    memset(&s, 0xA5, sizeof s);
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

/* The judge reads on to say what it is: a partition table may follow. Not where the size leaves no room for
 * one. */
static void a_bootloader_is_read_to_its_end_and_erases_nothing(void **state)
{
    (void)state;
    static uint8_t loader[0x5000];

    memcpy(loader, image, sizeof loader);
    otapult_put_le32(loader + 24, 0x403C8000); /* its first segment goes to RAM */
    memset(loader + 32, 0, 256);               /* and it has no description */
    for (unsigned how = 0; how < 6; how++) {
        begin(OTAPULT_SIZE_UNKNOWN);
        assert_int_equal(feed_split(feed, &s, loader, sizeof loader, how), 0);
        assert_int_equal(otapult_session_finish(&s), OTAPULT_E_IMAGE_BOOTLOADER);
        assert_int_equal(f.calls, 0);
        ram_flash_end(&f);
    }
    begin(OTAPULT_SIZE_UNKNOWN);
    assert_int_equal(otapult_session_expect(&s, sizeof loader), 0);
    assert_int_equal(otapult_session_feed(&s, loader, 512), OTAPULT_E_IMAGE_BOOTLOADER);
    assert_int_equal(f.calls, 0);
    ram_flash_end(&f);
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

/* From the call on, or that one alone. True: there is no such call. */
static bool fail_one_call(uint32_t n, bool for_good)
{
    begin((uint32_t)image_len);
    ram_flash_fail(&f, n, for_good, OTAPULT_E_FLASH_READ, 0);
    int err = otapult_session_feed(&s, image, image_len);
    assert_int_equal(err, f.calls >= n ? OTAPULT_E_FLASH_READ : 0);
    if (err == 0)
        err = otapult_session_finish(&s);
    assert_int_equal(err, f.calls >= n ? OTAPULT_E_FLASH_READ : 0);
    if (err == 0)
        err = otapult_session_commit(&s);
    assert_int_equal(err, f.calls >= n ? OTAPULT_E_FLASH_READ : 0);
    assert_int_equal(s.err, err); /* it stays */
    bool all = f.calls < n;
    ram_flash_end(&f);
    return all;
}

static void each_call_of_flash_that_fails_is_told_at_once(void **state)
{
    (void)state;
    for (unsigned for_good = 0; for_good < 2; for_good++)
        for (uint32_t n = 1; !fail_one_call(n, for_good); n++)
            ;
}

static void what_flash_keeps_otherwise_is_not_activated(void **state)
{
    (void)state;
    begin((uint32_t)image_len);
    ram_flash_spoil(&f, 2, 100, 1); /* the first is an erase */
    assert_int_equal(otapult_session_feed(&s, image, image_len), 0);
    assert_int_equal(otapult_session_finish(&s), OTAPULT_E_FLASH_READBACK);
    assert_int_equal(otapult_session_commit(&s), OTAPULT_E_FLASH_READBACK);
    assert_true(otapult_has_only(f.data, OTAPULT_SLOT_HELD, 0xFF));
    ram_flash_end(&f);
}

/* As right as the one that came, and another. */
static void another_image_in_flash_is_not_activated(void **state)
{
    (void)state;
    size_t len;
    uint8_t *other = sample_image(&(struct sample_spec){SAMPLE_DEFAULT, .size = 70000, .seed = 9}, &len);

    assert_int_equal(len, image_len);
    assert_memory_equal(other, image, OTAPULT_SLOT_HELD);
    begin((uint32_t)image_len);
    assert_int_equal(otapult_session_feed(&s, image, image_len), 0);
    assert_int_equal(otapult_slot_writer_flush(&s.writer), 0);
    memcpy(f.data + OTAPULT_SLOT_HELD, other + OTAPULT_SLOT_HELD, len - OTAPULT_SLOT_HELD);
    assert_int_equal(otapult_session_finish(&s), OTAPULT_E_FLASH_READBACK);
    assert_int_equal(otapult_session_commit(&s), OTAPULT_E_FLASH_READBACK);
    ram_flash_end(&f);
    free(other);
}

static int read_nothing(void *ctx, uint32_t off, void *dst, uint32_t len)
{
    (void)ctx;
    (void)off;
    (void)dst;
    (void)len;
    return 0;
}

/* All of it lies in the buffer that flash is read into. */
static void a_read_that_does_nothing_proves_no_image_of_one_sector(void **state)
{
    (void)state;
    size_t len;
    uint8_t *small = sample_image(&(struct sample_spec){SAMPLE_DEFAULT, .size = 3000}, &len);

    assert_true(len <= 4096);
    begin((uint32_t)len);
    assert_int_equal(otapult_session_feed(&s, small, len), 0);
    s.writer.flash.read = read_nothing;
    assert_int_equal(otapult_session_finish(&s), OTAPULT_E_FLASH_READBACK);
    ram_flash_end(&f);
    free(small);
}

/* What a source announced. */
static void another_file_than_was_announced_is_not_activated(void **state)
{
    (void)state;
    uint8_t sha256[32];

    begin((uint32_t)image_len);
    assert_int_equal(otapult_session_feed(&s, image, image_len), 0);
    assert_int_equal(otapult_session_finish(&s), 0);
    memcpy(sha256, s.judge.inspect.info.sha256, sizeof sha256);
    ram_flash_end(&f);
    for (unsigned differs = 0; differs < 2; differs++) {
        begin((uint32_t)image_len);
        sha256[31] ^= (uint8_t)differs;
        s.expected = sha256;
        assert_int_equal(otapult_session_feed(&s, image, image_len), 0);
        int err = otapult_session_finish(&s);
        assert_int_equal(err, differs ? OTAPULT_E_OFFER_OTHER_FILE : 0);
        assert_int_equal(otapult_session_commit(&s), err);
        assert_int_equal(f.data[0], differs ? 0xFF : image[0]);
        ram_flash_end(&f);
    }
    assert_string_equal(s.why.text, "its SHA-256");
}

/* ---- bytes that an earlier session wrote ---- */

static uint8_t kept_head[OTAPULT_SLOT_HELD], kept_sha256[32];

/* Another life: nothing is left but what stands in flash. */
static void power_goes(void)
{
    ram_flash_reset(&f);
    memset(&s, 0xA5, sizeof s);
}

static void wake_up(void)
{
    power_goes();
    otapult_session_init(&s, &f.flash, &limits, (uint32_t)image_len);
    memcpy(kept_head, image, sizeof kept_head);
}

static void an_update_goes_on_at_any_sector(void **state)
{
    (void)state;
    for (uint32_t at = 0; at <= 65536; at += 4096) {
        begin((uint32_t)image_len);
        assert_int_equal(otapult_session_feed(&s, image, at + 100), 0);
        wake_up();
        assert_int_equal(otapult_session_resume(&s, kept_head, at), 0);
        assert_int_equal(ram_flash_count(&f, RAM_READ), at / 4096); /* each byte of them, once */
        assert_int_equal(otapult_session_feed(&s, image + at, image_len - at), 0);
        check_written();
    }
}

static int never_asked(void *ctx, struct otapult_finding *why)
{
    (void)ctx;
    (void)why;
    fail_msg("it was compared before");
    return 0;
}

/* The earlier session compared the file with what runs. It differed, or nothing would have been written. */
static void what_goes_on_is_not_compared_again(void **state)
{
    (void)state;
    const struct otapult_flash running = {
        .ctx = image, .read = NULL, .size = SLOT, .sector = 4096, .block = 65536};

    begin((uint32_t)image_len);
    assert_int_equal(otapult_session_feed(&s, image, 9000), 0);
    wake_up();
    otapult_session_compare(&s, &running, never_asked, NULL);
    assert_int_equal(otapult_session_resume(&s, kept_head, 8192), 0);
    assert_int_equal(otapult_session_feed(&s, image + 8192, image_len - 8192), 0);
    check_written();
}

static void what_changed_in_flash_meanwhile_is_found(void **state)
{
    (void)state;
    begin((uint32_t)image_len);
    assert_int_equal(otapult_session_feed(&s, image, 9000), 0);
    f.data[8000] ^= 1;
    wake_up();
    assert_int_equal(otapult_session_resume(&s, kept_head, 8192), 0);
    assert_int_equal(otapult_session_feed(&s, image + 8192, image_len - 8192), OTAPULT_E_IMAGE_CHECKSUM);
    ram_flash_end(&f);

    begin((uint32_t)image_len); /* what no image can be is found at once, and nothing is read behind it */
    assert_int_equal(otapult_session_feed(&s, image, 9000), 0);
    wake_up();
    kept_head[0] ^= 1;
    int err = otapult_session_resume(&s, kept_head, 8192);
    assert_int_not_equal(err, 0);
    assert_int_equal(s.err, err);
    assert_int_equal(f.calls, 1);
    ram_flash_end(&f);
}

static void each_read_of_what_was_written_can_fail(void **state)
{
    (void)state;
    for (uint32_t n = 1; n <= 3; n++) {
        begin((uint32_t)image_len);
        assert_int_equal(otapult_session_feed(&s, image, 9000), 0);
        wake_up();
        ram_flash_fail(&f, n, true, OTAPULT_E_FLASH_READ, 0);
        int err = otapult_session_resume(&s, kept_head, 8192);
        assert_int_equal(err, n < 3 ? OTAPULT_E_FLASH_READ : 0);
        assert_int_equal(s.err, err);
        ram_flash_end(&f);
    }
}

/* A decoder reads what it had made: with the held bytes where they belong. */
static void what_was_written_can_be_recalled(void **state)
{
    (void)state;
    uint8_t back[300];

    begin((uint32_t)image_len);
    assert_int_equal(otapult_session_feed(&s, image, 9000), 0);
    wake_up();
    assert_int_equal(otapult_session_resume(&s, kept_head, 8192), 0);
    assert_int_equal(otapult_session_recall(&s, 0, back, sizeof back), 0);
    assert_memory_equal(back, image, sizeof back);
    assert_int_equal(otapult_session_recall(&s, 7000, back, sizeof back), 0);
    assert_memory_equal(back, image + 7000, sizeof back);
    assert_int_equal(otapult_session_recall(&s, SLOT - 1, back, 2), OTAPULT_E_INTERNAL);
    assert_int_equal(otapult_session_recall(&s, 0, back, sizeof back), OTAPULT_E_INTERNAL); /* it stays */
    assert_int_equal(otapult_session_feed(&s, image + 8192, 1), OTAPULT_E_INTERNAL);
    ram_flash_end(&f);
}

/* ---- a slot that was finished before ---- */

static void finish_and_lose_power(void)
{
    begin((uint32_t)image_len);
    assert_int_equal(otapult_session_feed(&s, image, image_len), 0);
    assert_int_equal(otapult_session_finish(&s), 0);
    memcpy(kept_head, s.writer.held, sizeof kept_head);
    memcpy(kept_sha256, s.judge.inspect.info.sha256, sizeof kept_sha256);
    power_goes();
}

static int again(void)
{
    return otapult_session_again(&s, &f.flash, &limits, kept_head, (uint32_t)image_len, kept_sha256);
}

static void what_was_finished_can_be_committed_later(void **state)
{
    (void)state;
    finish_and_lose_power();
    assert_int_equal(again(), 0);
    assert_int_equal(ram_flash_count(&f, RAM_READ), f.calls); /* nothing is written for it */
    assert_int_equal(otapult_session_commit(&s), 0);
    assert_memory_equal(f.data, image, image_len);
    power_goes(); /* before anybody knew of the commit: it is not done twice */
    assert_int_equal(again(), 0);
    assert_int_equal(otapult_session_commit(&s), 0);
    assert_int_equal(ram_flash_count(&f, RAM_READ), f.calls);
    assert_memory_equal(f.data, image, image_len);
    ram_flash_end(&f);
}

static void check_not_committed(int err, int judged)
{
    assert_int_equal(again(), err);
    assert_int_equal(s.err, err);
    assert_int_equal(s.judge.err, judged);
    assert_int_equal(otapult_session_commit(&s), err);
    assert_int_equal(ram_flash_count(&f, RAM_READ), f.calls);
    ram_flash_end(&f);
}

static void another_image_in_the_slot_is_not_committed(void **state)
{
    (void)state;
    finish_and_lose_power();
    f.data[60000] ^= 1;
    check_not_committed(OTAPULT_E_IMAGE_CHECKSUM, OTAPULT_E_IMAGE_CHECKSUM);
    finish_and_lose_power();
    kept_sha256[31] ^= 1; /* as right as the one that was finished, and another */
    check_not_committed(OTAPULT_E_FLASH_READBACK, 0);
    assert_int_equal(s.why.at, image_len);
    finish_and_lose_power();
    memcpy(f.data, image, 15); /* its first bytes are half there */
    check_not_committed(OTAPULT_E_FLASH_READBACK, 0);
    finish_and_lose_power();
    f.data[15] = 0; /* or something else is */
    check_not_committed(OTAPULT_E_FLASH_READBACK, 0);
}

static void each_read_of_a_finished_slot_can_fail(void **state)
{
    (void)state;
    const uint32_t reads_all = 1 + ((uint32_t)image_len + 4095) / 4096; /* where the head is, and all of it */

    for (uint32_t n = 1; n <= reads_all; n++) {
        finish_and_lose_power();
        ram_flash_fail(&f, n, true, OTAPULT_E_FLASH_READ, 0);
        check_not_committed(OTAPULT_E_FLASH_READ, 0);
    }
    finish_and_lose_power();
    assert_int_equal(again(), 0);
    assert_int_equal(f.calls, reads_all);
    ram_flash_end(&f);
}

/* ---- a slot is verified ---- */

static int verify(uint32_t slot_size, uint32_t scratch_len)
{
    static struct otapult_inspect in;
    static uint8_t scratch[4096];

    f.flash.size = slot_size;
    return otapult_verify_slot(&f.flash, &limits, &in, scratch, scratch_len);
}

/* No longer than it, and no shorter: what lies behind the slot's end is not looked at. */
static void an_image_may_fill_its_slot(void **state)
{
    (void)state;
    size_t len;
    uint8_t *whole = sample_image(&(struct sample_spec){SAMPLE_DEFAULT, .size = 0x3000}, &len);
    static const uint32_t scratches[] = {1, 7, 32, 4095, 4096};

    assert_int_equal(len, 0x3000);
    ram_flash_begin(&f, SLOT, 4096, 65536, 0xFF);
    memcpy(f.data, whole, len);
    for (size_t i = 0; i < sizeof scratches / sizeof *scratches; i++) {
        assert_int_equal(verify(0x3000, scratches[i]), 0);
        for (uint32_t size = 0; size < 0x3000; size += 0x800)
            assert_int_equal(verify(size, scratches[i]), OTAPULT_E_IMAGE_TRUNCATED);
    }
    ram_flash_fail(&f, f.calls + 2, true, OTAPULT_E_FLASH_READ, 0);
    assert_int_equal(verify(0x3000, 4096), OTAPULT_E_FLASH_READ);
    ram_flash_end(&f);
    free(whole);
}

/* ---- what runs already ---- */

static uint8_t runs[SLOT];
static unsigned reads, fail_read; /* of the running slot; the latter from 1 on, 0: none */
static unsigned asked;            /* how often go_on was */
static unsigned ended_from;       /* this call of go_on and later ones end the update; 0: none */

static int go_on(void *ctx, struct otapult_finding *why)
{
    assert_ptr_equal(ctx, &asked);
    asked++;
    if (ended_from == 0 || asked < ended_from)
        return 0;
    *why = (struct otapult_finding){.text = "somebody"};
    return OTAPULT_E_UPLOAD_ENDED;
}

/* Nobody may write or erase there: both are NULL. */
static int read_runs(void *ctx, uint32_t off, void *dst, uint32_t len)
{
    assert_ptr_equal(ctx, runs);
    assert_true(off <= SLOT && len <= SLOT - off);
    if (++reads == fail_read)
        return OTAPULT_E_FLASH_READ;
    memcpy(dst, runs + off, len);
    return 0;
}

/* The running slot holds `image`, and behind it what an update left of an older one. */
static void begin_beside(uint32_t running_size)
{
    const struct otapult_flash running = {
        .ctx = runs, .read = read_runs, .size = running_size, .sector = 4096, .block = 65536};

    begin(OTAPULT_SIZE_UNKNOWN);
    memset(runs, 0x5A, sizeof runs);
    memcpy(runs, image, image_len);
    asked = ended_from = reads = fail_read = 0;
    otapult_session_compare(&s, &running, go_on, &asked);
}

static void what_runs_is_not_written_again(void **state)
{
    (void)state;
    for (unsigned how = 0; how < 6; how++) {
        begin_beside(SLOT);
        assert_int_equal(feed_split(feed, &s, image, image_len, how), 0);
        assert_int_equal(otapult_session_finish(&s), 0);
        assert_true(otapult_session_is_running(&s));
        assert_int_equal(s.judge.inspect.info.size, image_len);
        assert_int_equal(f.calls, 0);
        ram_flash_end(&f);
    }
}

static void a_difference_anywhere_writes_all_of_it(void **state)
{
    (void)state;
    const uint32_t places[] = {0,    15,   16,   287,  288,   289,
                               4095, 4096, 8191, 8192, 50000, (uint32_t)image_len - 1};

    for (size_t i = 0; i < sizeof places / sizeof *places; i++)
        for (unsigned how = 0; how < 6; how++) {
            begin_beside(SLOT);
            runs[places[i]] ^= 1;
            assert_int_equal(feed_split(feed, &s, image, image_len, how), 0);
            assert_false(otapult_session_is_running(&s));
            check_written();
        }
}

static void a_slot_that_is_smaller_is_no_match(void **state)
{
    (void)state;
    begin_beside(65536);
    assert_int_equal(otapult_session_feed(&s, image, image_len), 0);
    assert_false(otapult_session_is_running(&s));
    check_written();
}

/* The judge sees each byte when it comes: what is wrong is refused as ever, and costs nothing. */
static void a_wrong_end_of_it_erases_nothing(void **state)
{
    (void)state;
    static const uint8_t more[] = {0x5A};

    begin_beside(SLOT);
    assert_int_equal(otapult_session_feed(&s, image, image_len - 1), 0);
    assert_int_equal(otapult_session_finish(&s), OTAPULT_E_IMAGE_TRUNCATED);
    assert_false(otapult_session_is_running(&s));
    assert_int_equal(f.calls, 0);
    ram_flash_end(&f);

    begin_beside(SLOT);
    assert_int_equal(otapult_session_feed(&s, image, image_len), 0);
    assert_int_equal(otapult_session_feed(&s, more, 1), OTAPULT_E_IMAGE_TRAILING);
    assert_int_equal(f.calls, 0);
    ram_flash_end(&f);
}

static void each_read_of_what_runs_can_fail(void **state)
{
    (void)state;
    unsigned failed = 0, n = 0;

    do {
        begin_beside(SLOT);
        runs[image_len - 1] ^= 1;
        fail_read = ++n;
        int err = otapult_session_feed(&s, image, image_len);
        failed += err != 0;
        assert_true(err == 0 || err == OTAPULT_E_FLASH_READ);
        if (err == 0)
            check_written(); /* what could not be read was no match */
        else
            ram_flash_end(&f);
    } while (reads >= fail_read);
    assert_true(failed > 100); /* of what was to be made up for */
    assert_true(n - failed > 10);
}

/* A read that says yes and leaves its buffer as it was finds no match in what is left there. */
static void a_read_that_does_nothing_is_no_match(void **state)
{
    (void)state;
    begin_beside(SLOT);
    s.same.running.read = read_nothing;
    memcpy(s.writer.sector, image, sizeof s.writer.sector);
    assert_int_equal(otapult_session_feed(&s, image, image_len), 0);
    assert_false(otapult_session_is_running(&s));
    check_written();
}

static void it_can_be_ended_between_two_sectors(void **state)
{
    (void)state;
    begin_beside(SLOT);
    runs[image_len - 1] ^= 1;
    ended_from = 3;
    assert_int_equal(otapult_session_feed(&s, image, image_len), OTAPULT_E_UPLOAD_ENDED);
    assert_string_equal(s.why.text, "somebody");
    assert_int_equal(asked, 3);
    assert_int_equal(s.writer.received, 2 * OTAPULT_SLOT_SECTOR);
    ram_flash_end(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_erased_before_the_whole_head),
        cmocka_unit_test(what_is_refused_with_its_head_erases_nothing),
        cmocka_unit_test(a_bootloader_is_read_to_its_end_and_erases_nothing),
        cmocka_unit_test(the_size_says_how_to_erase),
        cmocka_unit_test(a_size_beyond_the_slot_is_refused_at_once),
        cmocka_unit_test(it_may_be_copied_at_any_byte),
        cmocka_unit_test(each_call_of_flash_that_fails_is_told_at_once),
        cmocka_unit_test(what_flash_keeps_otherwise_is_not_activated),
        cmocka_unit_test(another_image_in_flash_is_not_activated),
        cmocka_unit_test(a_read_that_does_nothing_proves_no_image_of_one_sector),
        cmocka_unit_test(another_file_than_was_announced_is_not_activated),
        cmocka_unit_test(an_update_goes_on_at_any_sector),
        cmocka_unit_test(what_goes_on_is_not_compared_again),
        cmocka_unit_test(what_changed_in_flash_meanwhile_is_found),
        cmocka_unit_test(each_read_of_what_was_written_can_fail),
        cmocka_unit_test(what_was_written_can_be_recalled),
        cmocka_unit_test(what_was_finished_can_be_committed_later),
        cmocka_unit_test(another_image_in_the_slot_is_not_committed),
        cmocka_unit_test(each_read_of_a_finished_slot_can_fail),
        cmocka_unit_test(an_image_may_fill_its_slot),
        cmocka_unit_test(what_runs_is_not_written_again),
        cmocka_unit_test(a_difference_anywhere_writes_all_of_it),
        cmocka_unit_test(a_slot_that_is_smaller_is_no_match),
        cmocka_unit_test(a_wrong_end_of_it_erases_nothing),
        cmocka_unit_test(each_read_of_what_runs_can_fail),
        cmocka_unit_test(a_read_that_does_nothing_is_no_match),
        cmocka_unit_test(it_can_be_ended_between_two_sectors),
    };
    return cmocka_run_group_tests(tests, make_image, free_image);
}
