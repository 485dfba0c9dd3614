/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <zlib.h>

#include "base/bytes.h"
#include "code_maker.h"
#include "decode/decoder.h"
#include "decode/patch_tables.h"
#include "feed.h"
#include "patch_file.h"
#include "trust/sha256.h"

/* The patch decoder against the encoder, over firmware that is edited and linked anew (support/code_maker.h):
 * what comes out is the result, however the input is cut; and whatever is wrong with a patch is refused. The
 * third opinion on the format is patch_oracle.mjs. */

enum { SLOT = 0x100000, FAILED = 4242 };

static union {
    uint64_t align;
    uint8_t bytes[OTAPULT_PATCH_RAM + 16];
} memory;

static struct {
    const uint8_t *base;
    size_t base_size;
    unsigned reads, fail_read; /* the read of this number fails */
    bool nothing_runs;
} slot;

static struct {
    uint8_t bytes[CODE_MAX];
    size_t len, cap;
    unsigned puts, fail_put;
    uint32_t expected;
    bool expects_nothing; /* expect() refuses */
} out;

static struct otapult_finding why;

static int read_slot(void *ctx, uint32_t off, void *dst, uint32_t len)
{
    (void)ctx;
    assert_true(off <= SLOT && len <= SLOT - off);
    if (++slot.reads == slot.fail_read)
        return FAILED;
    memset(dst, 0xFF, len);
    for (uint32_t i = 0; i < len && off + i < slot.base_size; i++)
        ((uint8_t *)dst)[i] = slot.base[off + i];
    return 0;
}

static int running(const struct otapult_decoder_env *env, struct otapult_flash *flash)
{
    (void)env;
    if (slot.nothing_runs)
        return OTAPULT_E_SLOT_OPEN;
    *flash = (struct otapult_flash){.read = read_slot, .size = SLOT, .sector = 4096, .block = 65536};
    return 0;
}

static int expect(const struct otapult_decoder_env *env, uint32_t size)
{
    (void)env;
    assert_int_equal(out.len, 0);
    out.expected = size;
    return out.expects_nothing ? FAILED : 0;
}

static int put(const struct otapult_decoder_env *env, const uint8_t *p, size_t n)
{
    (void)env;
    assert_true(n > 0 && out.expected != 0);
    if (++out.puts == out.fail_put || n > out.cap - out.len)
        return FAILED;
    memcpy(out.bytes + out.len, p, n);
    out.len += n;
    return 0;
}

static const struct otapult_decoder_env env = {.expect = expect, .put = put, .running = running, .why = &why};

static int feed(void *state, const uint8_t *p, size_t n)
{
    return otapult_patch.feed(state, &env, p, n);
}

/* Applies a patch, cut as `how` says, to what runs in the slot. */
static int apply(const uint8_t *patch, size_t size, unsigned how)
{
    memset(&memory, 0xA5, sizeof memory);
    memset(&why, 0, sizeof why);
    slot.reads = 0;
    out.len = out.puts = out.expected = 0;
    out.cap = sizeof out.bytes;
    assert_int_equal(otapult_patch.init(&memory, &env), 0);
    int err = size > 0 ? feed_split(feed, &memory, patch, size, how) : 0;
    if (err == 0)
        err = otapult_patch.finish(&memory, &env);
    for (size_t i = otapult_patch.memory; i < sizeof memory; i++)
        assert_int_equal(memory.bytes[i], 0xA5);
    return err;
}

static void run_base(const uint8_t *base, size_t size)
{
    memset(&slot, 0, sizeof slot);
    slot.base = base;
    slot.base_size = size;
    out.fail_put = 0;
    out.expects_nothing = false;
}

static struct patch_file encode(const uint8_t *base, size_t base_size, const uint8_t *result, size_t size)
{
    struct patch_file patch;

    assert_true(patch_encode(base, base_size, result, size, &patch));
    run_base(base, base_size);
    return patch;
}

/* ---- pairs ---- */

static uint8_t old[CODE_MAX], new[CODE_MAX];
static size_t old_size, new_size;

static void link_pair(enum code_family family, size_t functions, uint32_t seed, unsigned edits)
{
    struct code code;

    code_begin_firmware(&code, family, functions, seed);
    old_size = code_link(&code, old);
    while (edits-- > 0)
        code_edit(&code);
    new_size = code_link(&code, new);
}

static void is_result(void)
{
    assert_int_equal(out.len, new_size);
    assert_int_equal(out.expected, new_size);
    assert_memory_equal(out.bytes, new, new_size);
}

static void goes_round(unsigned how)
{
    struct patch_file patch = encode(old, old_size, new, new_size);

    assert_int_equal(apply(patch.data, patch.size, how), 0);
    is_result();
    free(patch.data);
}

static void test_random_edits_come_out_right(void **state)
{
    (void)state;
    for (uint32_t seed = 1; seed <= 60; seed++) {
        link_pair((enum code_family)(seed % 3), 5 + seed * 3, seed, seed % 9);
        goes_round(FEED_AT_ONCE);
    }
}

static void test_every_split_is_the_same(void **state)
{
    (void)state;
    for (unsigned family = 0; family < 3; family++) {
        link_pair((enum code_family)family, 60, 77 + family, 6);
        for (unsigned how = 0; how < 12; how++)
            goes_round(how);
    }
}

/* Every place at which a patch can be cut in two. */
static void test_two_pieces(void **state)
{
    (void)state;
    link_pair(CODE_XTENSA, 12, 5, 3);
    struct patch_file patch = encode(old, old_size, new, new_size);
    for (size_t cut = 1; cut < patch.size; cut++) {
        out.len = out.expected = 0;
        assert_int_equal(otapult_patch.init(&memory, &env), 0);
        assert_int_equal(feed(&memory, patch.data, cut), 0);
        assert_int_equal(feed(&memory, patch.data + cut, patch.size - cut), 0);
        assert_int_equal(otapult_patch.finish(&memory, &env), 0);
        is_result();
    }
    free(patch.data);
}

static void spoil(uint8_t *p, size_t size, uint32_t *random, unsigned times)
{
    while (times-- > 0 && size > 0) {
        *random = *random * 1664525u + 1013904223u;
        p[(*random >> 8) % size] = (uint8_t)(*random >> 24);
    }
}

/* Segment tables that lie, code that is none: units are guesses, and both sides must guess alike. */
static void test_broken_images_come_out_right(void **state)
{
    uint32_t random = 1;

    (void)state;
    for (uint32_t seed = 1; seed <= 40; seed++) {
        link_pair((enum code_family)(seed % 2), 40, seed, 4);
        spoil(old, seed % 4 == 0 ? 64 : old_size, &random, seed * 5);
        spoil(new, seed % 5 == 0 ? 64 : new_size, &random, seed * 5);
        goes_round(FEED_AT_ONCE);
    }
}

static void test_any_files(void **state)
{
    static const size_t sizes[] = {0, 1, 3, 24, 31, 33, 5000};
    uint32_t random = 9;

    (void)state;
    for (size_t a = 0; a < sizeof sizes / sizeof sizes[0]; a++)
        for (size_t b = 0; b < sizeof sizes / sizeof sizes[0]; b++) {
            old_size = sizes[a];
            new_size = sizes[b];
            memset(old, 0xE9, old_size);
            memset(new, 0xE9, new_size);
            spoil(old, old_size, &random, 300);
            spoil(new, new_size, &random, 300);
            struct patch_file patch = encode(old, old_size, new, new_size);
            assert_int_equal(apply(patch.data, patch.size, FEED_BYTEWISE), 0);
            assert_int_equal(out.len, new_size);
            assert_memory_equal(out.bytes, new, new_size);
            free(patch.data);
        }
}

/* More blocks than the map holds, more addresses than are learned. */
static void test_full_tables(void **state)
{
    (void)state;
    for (unsigned family = 0; family < 2; family++) {
        link_pair((enum code_family)family, 380, 3, 900);
        goes_round(FEED_AT_ONCE);
    }
}

/* ---- what it is for ---- */

static size_t patch_size(void)
{
    struct patch_file patch = encode(old, old_size, new, new_size);
    size_t size = patch.size;

    free(patch.data);
    return size;
}

/* A function and a string more in the midst of all: what the predictor finds out by itself must otherwise be
 * sent. */
static void test_prediction_pays(void **state)
{
    (void)state;
    for (unsigned family = 0; family < 2; family++) {
        struct code code;
        code_begin_firmware(&code, (enum code_family)family, 300, 11);
        old_size = code_link(&code, old);
        memmove(&code.function[151], &code.function[150], 150 * sizeof code.function[0]);
        code.function[150] = (struct code_function){.seed = 4711};
        code.functions++;
        memmove(&code.string[151], &code.string[150], 150 * sizeof code.string[0]);
        code.string[150] = 4711;
        code.strings++;
        new_size = code_link(&code, new);
        size_t with = patch_size();
        old[12] = new[12] = 0x77; /* a chip that nobody knows */
        size_t without = patch_size();
        print_message("%zu bytes, without prediction %zu\n", with, without);
        assert_true(with * 4 < without);
        assert_true(with < 1000);
    }
}

static size_t gzip_size(const uint8_t *p, size_t size)
{
    uLongf n = compressBound((uLong)size);
    uint8_t *packed = malloc(n);

    assert_int_equal(compress2(packed, &n, p, (uLong)size, 9), Z_OK);
    free(packed);
    return n + 12; /* gzip's header and end are 12 bytes longer than zlib's */
}

static void test_never_longer_than_gzip(void **state)
{
    (void)state;
    for (uint32_t seed = 1; seed <= 12; seed++) {
        struct patch_file patch;
        bool is_gzip;
        link_pair(CODE_RISCV, 30, seed, 0);
        struct code other;
        code_begin_firmware(&other, CODE_XTENSA, 30, seed + 100);
        new_size = code_link(&other, new);
        if (seed % 3 == 0) /* what gzip is best at */
            memset(new + 1000, 0, new_size - 1000);
        if (seed % 3 == 1)
            memcpy(new + new_size / 2, new, new_size / 2);
        assert_true(patch_make(old, old_size, new, new_size, &patch, &is_gzip));
        assert_true(patch.size <= gzip_size(new, new_size) + 100);
        free(patch.data);
    }
}

/* ---- refusals ---- */

static void test_every_flipped_bit_is_refused(void **state)
{
    (void)state;
    for (unsigned family = 0; family < 2; family++) {
        link_pair((enum code_family)family, 6, 21, 4);
        struct patch_file patch = encode(old, old_size, new, new_size);
        for (size_t bit = 0; bit < patch.size * 8; bit++) {
            patch.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
            int err = apply(patch.data, patch.size, FEED_AT_ONCE);
            patch.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
            if (err == 0)
                fail_msg("bit %zu of %zu was taken", bit, patch.size * 8);
        }
        free(patch.data);
    }
}

static void test_every_truncation_is_refused(void **state)
{
    (void)state;
    link_pair(CODE_XTENSA, 6, 22, 4);
    struct patch_file patch = encode(old, old_size, new, new_size);
    for (size_t size = 0; size < patch.size; size++)
        assert_int_equal(apply(patch.data, size, size % 2), OTAPULT_E_IMAGE_TRUNCATED);
    uint8_t *longer = calloc(patch.size + 1, 1);
    memcpy(longer, patch.data, patch.size);
    assert_int_equal(apply(longer, patch.size + 1, FEED_AT_ONCE), OTAPULT_E_PATCH_DAMAGED);
    assert_string_equal(why.text, "more bytes follow");
    free(longer);
    free(patch.data);
}

/* As Rust's build tools end an image: no ELF digest, and a SHA-256 behind what fills the last 16 bytes up. Of
 * that the test cares for one byte only. Returns the new size. */
static size_t end_as_rust(uint8_t *image, size_t size, uint8_t byte)
{
    const size_t digest = size - size % 16 + 16;

    assert_true(digest + 32 <= CODE_MAX);
    memset(image + 0xB0, 0, 32);
    memset(image + size, 0, digest - size);
    memset(image + digest, byte, 32);
    image[23] = 1;
    return digest + 32;
}

static void test_a_build_without_elf_digest_is_named_by_its_end(void **state)
{
    (void)state;
    link_pair(CODE_XTENSA, 20, 31, 4);
    old_size = end_as_rust(old, old_size, 0xAA);
    new_size = end_as_rust(new, new_size, 0xBB);
    struct patch_file patch = encode(old, old_size, new, new_size);
    assert_memory_equal(patch.data + 84, "\xAA\xAA\xAA\xAA\xBB\xBB\xBB\xBB", 8);
    run_base(new, new_size);
    assert_int_equal(apply(patch.data, patch.size, FEED_AT_ONCE), OTAPULT_E_PATCH_WRONG_BASE);
    assert_string_equal(why.text, "0 (aaaaaaaa); 4 (bbbbbbbb)");
    const unsigned reads = slot.reads;
    for (unsigned read = 1; read <= reads; read++) { /* one that fails is not the patch's fault */
        slot.fail_read = read;
        assert_int_equal(apply(patch.data, patch.size, FEED_AT_ONCE), FAILED);
    }
    free(patch.data);
}

static void test_another_base_is_refused_before_anything_comes_out(void **state)
{
    (void)state;
    link_pair(CODE_XTENSA, 20, 31, 4);
    struct patch_file patch = encode(old, old_size, new, new_size);
    run_base(new, new_size);
    assert_int_equal(apply(patch.data, patch.size, FEED_BYTEWISE), OTAPULT_E_PATCH_WRONG_BASE);
    assert_int_equal(out.puts, 0);
    assert_int_equal(out.expected, 0);
    assert_string_equal(why.text, "0 (00000000); 4 (04000000)");
    old[old_size - 1] ^= 1;
    run_base(old, old_size);
    assert_int_equal(apply(patch.data, patch.size, FEED_AT_ONCE), OTAPULT_E_PATCH_WRONG_BASE);
    run_base(NULL, 0);
    assert_int_equal(apply(patch.data, patch.size, FEED_AT_ONCE), OTAPULT_E_PATCH_WRONG_BASE);
    assert_string_equal(why.text, "0 (00000000); ?");
    free(patch.data);
}

static void test_errors_of_others_come_out_unchanged(void **state)
{
    (void)state;
    link_pair(CODE_RISCV, 20, 32, 4);
    struct patch_file patch = encode(old, old_size, new, new_size);
    assert_int_equal(apply(patch.data, patch.size, FEED_AT_ONCE), 0);
    const unsigned reads = slot.reads, puts = out.puts;
    for (slot.fail_read = 1; slot.fail_read <= reads; slot.fail_read++)
        assert_int_equal(apply(patch.data, patch.size, FEED_AT_ONCE), FAILED);
    slot.fail_read = 0;
    for (out.fail_put = 1; out.fail_put <= puts; out.fail_put++)
        assert_int_equal(apply(patch.data, patch.size, FEED_AT_ONCE), FAILED);
    out.fail_put = 0;
    out.expects_nothing = true;
    assert_int_equal(apply(patch.data, patch.size, FEED_AT_ONCE), FAILED);
    assert_int_equal(out.puts, 0);
    out.expects_nothing = false;
    slot.nothing_runs = true;
    assert_int_equal(apply(patch.data, patch.size, FEED_AT_ONCE), OTAPULT_E_SLOT_OPEN);
    free(patch.data);
}

/* ---- patches that lie ---- */

/* Both checksums as they should be, whatever else is in it. */
static void seal(struct patch_file *patch)
{
    size_t text = OTAPULT_PATCH_HEADER + (size_t)patch->data[92] + patch->data[93];

    otapult_put_le32(patch->data + text, otapult_crc32(0, patch->data, text));
    otapult_put_le32(patch->data + patch->size - 4, otapult_crc32(0, patch->data, patch->size - 4));
}

static void test_a_lie_about_the_result_is_refused_at_the_end(void **state)
{
    (void)state;
    link_pair(CODE_XTENSA, 20, 41, 4);
    struct patch_file patch = encode(old, old_size, new, new_size);
    patch.data[48] ^= 1;
    seal(&patch);
    assert_int_equal(apply(patch.data, patch.size, FEED_AT_ONCE), OTAPULT_E_PATCH_DAMAGED);
    assert_string_equal(why.text, "what it makes is not what it says");
    free(patch.data);
}

static void refuses_header(struct patch_file *patch, size_t at, uint32_t value, int err)
{
    uint8_t kept[4];

    memcpy(kept, patch->data + at, 4);
    otapult_put_le32(patch->data + at, value);
    seal(patch);
    assert_int_equal(apply(patch->data, patch->size, FEED_AT_ONCE), err);
    memcpy(patch->data + at, kept, 4);
    seal(patch);
}

static void test_hostile_headers(void **state)
{
    (void)state;
    link_pair(CODE_XTENSA, 20, 42, 4);
    struct patch_file patch = encode(old, old_size, new, new_size);
    const uint32_t body = otapult_le32(patch.data + 80);
    refuses_header(&patch, 4, 2, OTAPULT_E_PATCH_DAMAGED);           /* version */
    refuses_header(&patch, 4, 1 | 1u << 8, OTAPULT_E_PATCH_DAMAGED); /* mode */
    refuses_header(&patch, 8, SLOT + 1, OTAPULT_E_PATCH_WRONG_BASE);
    refuses_header(&patch, 8, UINT32_MAX, OTAPULT_E_PATCH_WRONG_BASE);
    refuses_header(&patch, 44, 0, OTAPULT_E_PATCH_DAMAGED);
    refuses_header(&patch, 44, (uint32_t)new_size - 1, OTAPULT_E_PATCH_DAMAGED);
    refuses_header(&patch, 44, UINT32_MAX, OTAPULT_E_PATCH_DAMAGED);
    refuses_header(&patch, 80, 0, OTAPULT_E_PATCH_DAMAGED);
    refuses_header(&patch, 80, body - 1, OTAPULT_E_PATCH_DAMAGED);
    refuses_header(&patch, 80, UINT32_MAX, OTAPULT_E_IMAGE_TRUNCATED);
    patch.data[92] = 32;
    assert_int_equal(apply(patch.data, patch.size, FEED_AT_ONCE), OTAPULT_E_PATCH_DAMAGED);
    free(patch.data);
}

/* Bodies that nobody encoded, under checksums that fit: bounded output, no crash, and no other result. */
static void test_hostile_bodies(void **state)
{
    uint32_t random = 5;
    unsigned gave_output = 0;

    (void)state;
    for (unsigned family = 0; family < 2; family++) {
        link_pair((enum code_family)family, 12, 43, 4);
        struct patch_file patch = encode(old, old_size, new, new_size);
        uint8_t *good = malloc(patch.size);
        memcpy(good, patch.data, patch.size);
        const size_t body = OTAPULT_PATCH_HEADER + (size_t)good[92] + good[93] + 4;
        for (unsigned i = 0; i < 1500; i++) {
            memcpy(patch.data, good, patch.size);
            spoil(patch.data + body, patch.size - body - 4, &random, i % 2 == 0 ? 1 + i % 5 : 400);
            seal(&patch);
            if (apply(patch.data, patch.size, FEED_AT_ONCE) == 0)
                is_result(); /* a bit that says nothing: the coder's last byte has some */
            assert_true(out.len <= new_size);
            gave_output += out.len > 0;
        }
        free(good);
        free(patch.data);
    }
    assert_true(gave_output > 100); /* else the bodies were refused too early to show anything */
}

/* ---- tables ---- */

static void test_tables_are_what_the_formulas_say(void **state)
{
    (void)state;
    for (int i = 0; i < 512; i++)
        assert_int_equal(otapult_patch_stretch[i], lround(256 * log((i + 0.5) / (511.5 - i))));
    for (int i = 0; i < 33; i++) {
        long p = lround(4096 / (1 + exp((16 - i) / 2.0)));
        assert_int_equal(otapult_patch_squash[i], p > 4095 ? 4095 : p);
    }
}

static void test_memory_is_bounded(void **state)
{
    (void)state;
    assert_true(otapult_patch.memory <= OTAPULT_PATCH_RAM);
    assert_int_equal(OTAPULT_PATCH_RAM, 32768);
}

static void test_recognises_its_own(void **state)
{
    (void)state;
    assert_true(otapult_patch.recognises((const uint8_t *)"OtaP\1\0\0\0\0\0\0\0\0\0\0\0", 16));
    assert_false(otapult_patch.recognises((const uint8_t *)"OtaQ", 4));
    assert_false(otapult_patch.recognises((const uint8_t *)"Ota", 3));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_random_edits_come_out_right),
        cmocka_unit_test(test_every_split_is_the_same),
        cmocka_unit_test(test_two_pieces),
        cmocka_unit_test(test_broken_images_come_out_right),
        cmocka_unit_test(test_any_files),
        cmocka_unit_test(test_full_tables),
        cmocka_unit_test(test_prediction_pays),
        cmocka_unit_test(test_never_longer_than_gzip),
        cmocka_unit_test(test_every_flipped_bit_is_refused),
        cmocka_unit_test(test_every_truncation_is_refused),
        cmocka_unit_test(test_a_build_without_elf_digest_is_named_by_its_end),
        cmocka_unit_test(test_another_base_is_refused_before_anything_comes_out),
        cmocka_unit_test(test_errors_of_others_come_out_unchanged),
        cmocka_unit_test(test_a_lie_about_the_result_is_refused_at_the_end),
        cmocka_unit_test(test_hostile_headers),
        cmocka_unit_test(test_hostile_bodies),
        cmocka_unit_test(test_tables_are_what_the_formulas_say),
        cmocka_unit_test(test_memory_is_bounded),
        cmocka_unit_test(test_recognises_its_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
