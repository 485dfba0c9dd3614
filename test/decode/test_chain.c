/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "decode/chain.h"
#include "decoders.h"
#include "feed.h"
#include "ram_flash.h"

/* The chain in front of a sink that keeps what comes. The decoders are tests' own: what is asked here is who
 * is fed what, in which order, and what becomes of sizes and errors. */

#define CAP     4096u
#define NO_SIZE OTAPULT_SIZE_UNKNOWN

static struct sink {
    uint8_t bytes[CAP];
    size_t len;
    uint32_t size; /* that was announced */
    unsigned announced;
    size_t fail_at;         /* the byte that is refused; 0: none */
    bool too_late;          /* a size after the first byte */
    struct ram_flash flash; /* what runs */
} sink;

static struct otapult_finding why;
static uint64_t memory[64];
static struct otapult_chain chain;

static int expect(const struct otapult_decoder_env *env, uint32_t size)
{
    (void)env;
    sink.announced++;
    sink.size = size;
    sink.too_late |= sink.len > 0;
    return size > CAP ? OTAPULT_E_IMAGE_TOO_LARGE : 0;
}

static int put(const struct otapult_decoder_env *env, const uint8_t *p, size_t n)
{
    assert_true(n > 0);
    for (size_t i = 0; i < n; i++) {
        if (sink.len + 1 == sink.fail_at) {
            *env->why = (struct otapult_finding){.at = (uint32_t)sink.len, .text = "full"};
            return OTAPULT_E_FLASH_WRITE;
        }
        assert_true(sink.len < CAP);
        sink.bytes[sink.len++] = p[i];
    }
    return 0;
}

static int running(const struct otapult_decoder_env *env, struct otapult_flash *flash)
{
    (void)env;
    *flash = sink.flash.flash;
    return 0;
}

static const struct otapult_decoder_env env = {.expect = expect, .put = put, .running = running, .why = &why};

static int feed(void *stage, const uint8_t *p, size_t n)
{
    return otapult_chain_feed(stage, &env, p, n);
}

static const struct otapult_decoder *const all[] = {&decoder_mask, &decoder_runs, &decoder_base, NULL};

static void begin(const struct otapult_decoder *const *decoders, uint32_t size)
{
    sink.len = sink.announced = 0;
    sink.size = NO_SIZE;
    sink.fail_at = 0;
    sink.too_late = false;
    why = (struct otapult_finding){0};
    memset(memory, 0xA5, sizeof memory);
    otapult_chain_init(&chain, decoders, memory, sizeof memory, size);
}

static int send(const uint8_t *p, size_t n, unsigned how)
{
    int err = feed_split(feed, &chain, p, n, how);
    return err == 0 ? otapult_chain_finish(&chain, &env) : err;
}

static void check_out(const void *bytes, size_t len)
{
    assert_int_equal(sink.len, len);
    assert_memory_equal(sink.bytes, bytes, len);
    assert_false(sink.too_late);
}

static uint8_t plain[600];

static int make_plain(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof plain; i++)
        plain[i] = (uint8_t)(i / 7 * 31);
    plain[0] = 0xE9;
    return 0;
}

/* ---- files that are no decoder's ---- */

static void what_no_decoder_knows_goes_straight_on(void **state)
{
    (void)state;
    static const char text[] = "a text that no decoder knows";
    for (unsigned how = 0; how < 12; how++)
        for (size_t n = 0; n < sizeof text; n++) {
            begin(all, NO_SIZE);
            assert_int_equal(send((const uint8_t *)text, n, how), 0);
            check_out(text, n);
            assert_int_equal(sink.announced, 0);
            assert_null(otapult_chain_name(&chain, 0));
        }
}

static void without_decoders_nothing_is_held_back(void **state)
{
    (void)state;
    static const struct otapult_decoder *const none[] = {NULL};
    begin(NULL, 5);
    assert_int_equal(feed(&chain, (const uint8_t *)"R", 1), 0);
    check_out("R", 1);
    assert_int_equal(sink.size, 5);
    begin(none, NO_SIZE);
    assert_int_equal(send((const uint8_t *)"RUNS", 4, FEED_BYTEWISE), 0);
    check_out("RUNS", 4);
}

static void an_app_image_is_not_held_back(void **state)
{
    (void)state;
    begin(all, sizeof plain);
    assert_int_equal(feed(&chain, plain, 1), 0);
    check_out(plain, 1);
    assert_int_equal(sink.size, sizeof plain);
    assert_int_equal(feed(&chain, plain + 1, sizeof plain - 1), 0);
    assert_int_equal(otapult_chain_finish(&chain, &env), 0);
    check_out(plain, sizeof plain);
    assert_int_equal(sink.announced, 1);
}

/* ---- one decoder ---- */

static void a_packed_file_is_unpacked_however_it_is_cut(void **state)
{
    (void)state;
    size_t len;
    uint8_t *packed = pack_runs(plain, sizeof plain, sizeof plain, &len);
    for (unsigned how = 0; how < 40; how++) {
        begin(all, (uint32_t)len);
        assert_int_equal(send(packed, len, how), 0);
        check_out(plain, sizeof plain);
        assert_int_equal(sink.announced, 1);
        assert_int_equal(sink.size, sizeof plain); /* not that of the file as sent */
        assert_string_equal(otapult_chain_name(&chain, 0), "runs");
        assert_null(otapult_chain_name(&chain, 1));
    }
    for (size_t cut = 0; cut <= len; cut++) {
        begin(all, NO_SIZE);
        assert_int_equal(feed(&chain, packed, cut), 0);
        assert_int_equal(feed(&chain, packed + cut, len - cut), 0);
        assert_int_equal(otapult_chain_finish(&chain, &env), 0);
        check_out(plain, sizeof plain);
    }
    free(packed);
}

static void a_size_that_is_not_announced_is_not_made_up(void **state)
{
    (void)state;
    size_t len;
    uint8_t *packed = pack_runs(plain, sizeof plain, NO_SIZE, &len);
    begin(all, (uint32_t)len);
    assert_int_equal(send(packed, len, FEED_BYTEWISE), 0);
    check_out(plain, sizeof plain);
    assert_int_equal(sink.announced, 0);
    free(packed);
}

static void an_announced_size_is_known_before_the_first_byte(void **state)
{
    (void)state;
    size_t len;
    uint8_t *packed = pack_runs(plain, sizeof plain, 77, &len);
    begin(all, NO_SIZE);
    assert_int_equal(feed(&chain, packed, OTAPULT_DECODER_HEAD - 1), 0);
    assert_int_equal(sink.announced, 0);
    assert_int_equal(feed(&chain, packed + OTAPULT_DECODER_HEAD - 1, 1), 0);
    assert_int_equal(sink.size, 77); /* wrong, and handed on as it was said */
    free(packed);
}

/* Before the decoder goes on: what it would have found next is not said any more. */
static void a_size_that_does_not_fit_is_refused_at_once(void **state)
{
    (void)state;
    static const uint8_t bad[] = "RUNS\x01\x10\0\0\x00y, a run of nothing";
    for (unsigned how = 0; how < 6; how++) {
        begin(all, NO_SIZE);
        assert_int_equal(send(bad, sizeof bad - 1, how), OTAPULT_E_IMAGE_TOO_LARGE);
        assert_int_equal(sink.size, CAP + 1);
    }
}

static void every_truncation_is_found(void **state)
{
    (void)state;
    size_t len;
    uint8_t *packed = pack_runs(plain, sizeof plain, NO_SIZE, &len);
    for (size_t cut = 4; cut < len; cut++) {
        bool whole = cut >= 8 && cut % 2 == 0; /* runs cannot tell: the session will */
        begin(all, NO_SIZE);
        assert_int_equal(send(packed, cut, FEED_AT_ONCE), whole ? 0 : OTAPULT_E_IMAGE_TRUNCATED);
        assert_int_equal(why.at, whole ? 0 : cut);
    }
    free(packed);
}

static void its_error_stays_with_its_finding(void **state)
{
    (void)state;
    static const uint8_t bad[] = "RUNS\xFF\xFF\xFF\xFF\x02x\x01y\x00z\x01w";
    for (unsigned how = 0; how < 12; how++) {
        begin(all, NO_SIZE);
        assert_int_equal(send(bad, sizeof bad - 1, how), OTAPULT_E_GZIP_DAMAGED);
        assert_string_equal(why.text, "a run of nothing");
        assert_int_equal(why.at, 13);
        check_out("xxy", 3);
        why = (struct otapult_finding){0};
        assert_int_equal(feed(&chain, bad, 1), OTAPULT_E_GZIP_DAMAGED);
        assert_int_equal(otapult_chain_finish(&chain, &env), OTAPULT_E_GZIP_DAMAGED);
        assert_string_equal(why.text, "a run of nothing");
        check_out("xxy", 3);
    }
}

static void an_error_from_behind_comes_through_unchanged(void **state)
{
    (void)state;
    size_t len, inner_len;
    uint8_t *inner = pack_runs(plain, sizeof plain, NO_SIZE, &inner_len);
    uint8_t *packed = pack_mask(inner, inner_len, 0x55, &len);
    for (size_t at = 1; at <= sizeof plain; at += 13)
        for (unsigned how = 0; how < 4; how++) {
            begin(all, NO_SIZE);
            sink.fail_at = at;
            assert_int_equal(send(packed, len, how), OTAPULT_E_FLASH_WRITE);
            assert_string_equal(why.text, "full");
            assert_int_equal(why.at, at - 1);
            sink.fail_at = 0;
            assert_int_equal(feed(&chain, packed, len), OTAPULT_E_FLASH_WRITE);
            assert_int_equal(sink.len, at - 1); /* nothing came any more */
        }
    free(packed);
    free(inner);
}

static void a_decoder_reads_what_runs(void **state)
{
    (void)state;
    ram_flash_begin(&sink.flash, 8192, 4096, 65536, 0xFF);
    for (unsigned i = 0; i < 256; i++)
        sink.flash.data[i] = (uint8_t)i;
    begin(all, NO_SIZE);
    assert_int_equal(send((const uint8_t *)"BASE\x20", 5, FEED_BYTEWISE), 0);
    check_out(sink.flash.data + 0x20, 16);
    ram_flash_reset(&sink.flash);
    ram_flash_fail(&sink.flash, 1, false, OTAPULT_E_FLASH_READ, 0);
    begin(all, NO_SIZE);
    assert_int_equal(send((const uint8_t *)"BASE\x20", 5, FEED_BYTEWISE), OTAPULT_E_FLASH_READ);
    ram_flash_end(&sink.flash);
}

/* ---- two in a row ---- */

static void what_comes_out_may_be_packed_again(void **state)
{
    (void)state;
    size_t len, inner_len;
    uint8_t *inner = pack_runs(plain, sizeof plain, sizeof plain, &inner_len);
    uint8_t *packed = pack_mask(inner, inner_len, 0x55, &len);
    for (unsigned how = 0; how < 40; how++) {
        begin(all, (uint32_t)len);
        assert_int_equal(send(packed, len, how), 0);
        check_out(plain, sizeof plain);
        assert_int_equal(sink.size, sizeof plain);
        assert_string_equal(otapult_chain_name(&chain, 0), "mask");
        assert_string_equal(otapult_chain_name(&chain, 1), "runs");
    }
    free(packed);
    free(inner);
}

static void an_image_is_not_looked_into(void **state)
{
    (void)state;
    size_t len, inner_len;
    uint8_t *inner = pack_mask(plain, sizeof plain, 0x55, &inner_len);
    uint8_t *packed = pack_runs(inner, inner_len, NO_SIZE, &len);
    begin(all, NO_SIZE);
    assert_int_equal(send(packed, len, FEED_BYTEWISE), 0);
    check_out(inner, inner_len);
    free(packed);
    free(inner);
}

static void no_decoder_stands_in_the_chain_twice(void **state)
{
    (void)state;
    size_t len, inner_len;
    uint8_t *inner = pack_mask(plain, sizeof plain, 0x55, &inner_len);
    uint8_t *packed = pack_mask(inner, inner_len, 0xAA, &len);
    begin(all, NO_SIZE);
    assert_int_equal(send(packed, len, FEED_AT_ONCE), 0);
    check_out(inner, inner_len);
    free(packed);
    free(inner);
}

/* ---- memory ---- */

static void a_second_decoder_needs_memory_of_its_own(void **state)
{
    (void)state;
    size_t len, inner_len;
    uint8_t *inner = pack_runs(plain, sizeof plain, NO_SIZE, &inner_len);
    uint8_t *packed = pack_mask(inner, inner_len, 0x55, &len);
    const size_t both = decoder_mask.memory + decoder_runs.memory + 16;
    bool was_enough = false;
    for (size_t size = decoder_mask.memory + 8; size <= both; size++) {
        begin(all, NO_SIZE);
        otapult_chain_init(&chain, all, memory, size, NO_SIZE);
        int err = send(packed, len, FEED_AT_ONCE);
        if (err != 0) {
            assert_int_equal(err, OTAPULT_E_FILE_PACKED_TWICE);
            assert_string_equal(why.text, "runs");
            assert_int_equal(sink.len, 0);
            assert_false(was_enough);
        }
        was_enough = err == 0;
        assert_int_equal(((const uint8_t *)memory)[size], 0xA5);
    }
    assert_true(was_enough);
    free(packed);
    free(inner);
}

static void a_wrong_configuration_is_named_at_the_start(void **state)
{
    (void)state;
    static const struct otapult_decoder *const none[] = {NULL};
    assert_null(otapult_chain_fault(NULL, NULL, 0));
    assert_null(otapult_chain_fault(none, NULL, 0));
    assert_null(otapult_chain_fault(all, memory, sizeof memory));
    assert_non_null(otapult_chain_fault(all, NULL, 0));
    assert_non_null(otapult_chain_fault(all, (uint8_t *)memory + 1, sizeof memory - 1));
    assert_non_null(otapult_chain_fault(all, memory, decoder_runs.memory - 1));
    assert_null(otapult_chain_fault(all, memory, (decoder_runs.memory + 7u) & ~7u));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_no_decoder_knows_goes_straight_on),
        cmocka_unit_test(without_decoders_nothing_is_held_back),
        cmocka_unit_test(an_app_image_is_not_held_back),
        cmocka_unit_test(a_packed_file_is_unpacked_however_it_is_cut),
        cmocka_unit_test(a_size_that_is_not_announced_is_not_made_up),
        cmocka_unit_test(an_announced_size_is_known_before_the_first_byte),
        cmocka_unit_test(a_size_that_does_not_fit_is_refused_at_once),
        cmocka_unit_test(every_truncation_is_found),
        cmocka_unit_test(its_error_stays_with_its_finding),
        cmocka_unit_test(an_error_from_behind_comes_through_unchanged),
        cmocka_unit_test(a_decoder_reads_what_runs),
        cmocka_unit_test(what_comes_out_may_be_packed_again),
        cmocka_unit_test(an_image_is_not_looked_into),
        cmocka_unit_test(no_decoder_stands_in_the_chain_twice),
        cmocka_unit_test(a_second_decoder_needs_memory_of_its_own),
        cmocka_unit_test(a_wrong_configuration_is_named_at_the_start),
    };
    return cmocka_run_group_tests(tests, make_plain, NULL);
}
