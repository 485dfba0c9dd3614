/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <zlib.h>

#include "decode/decoder.h"
#include "decode/inflate.h"
#include "feed.h"
#include "files.h"
#include "packed.h"
#include "sample_image.h"

/* The gzip decoder against what gzip(1) and zlib's deflate make, and against headers written by hand. */

static union {
    uint64_t align;
    uint8_t bytes[OTAPULT_GZIP_RAM + 16];
} memory;

static struct {
    uint8_t *bytes;
    size_t len, cap, calls;
    size_t largest;
    bool refuses; /* beyond `cap`; else that fails the test */
} out;

static struct otapult_finding why;

static int put(const struct otapult_decoder_env *env, const uint8_t *p, size_t n)
{
    if (n > out.cap - out.len) {
        assert_true(out.refuses);
        *env->why = (struct otapult_finding){.at = (uint32_t)out.len};
        return OTAPULT_E_IMAGE_TOO_LARGE;
    }
    memcpy(out.bytes + out.len, p, n);
    out.len += n;
    out.calls++;
    out.largest = n > out.largest ? n : out.largest;
    return 0;
}

static const struct otapult_decoder_env env = {.put = put, .why = &why};

static int feed(void *state, const uint8_t *p, size_t n)
{
    return otapult_gzip.feed(state, &env, p, n);
}

static int unpack(const uint8_t *p, size_t n, unsigned how)
{
    out.len = out.calls = out.largest = 0;
    why = (struct otapult_finding){0};
    memset(&memory, 0xA5, sizeof memory);
    assert_int_equal(otapult_gzip.init(&memory, &env), 0);
    int err = feed_split(feed, &memory, p, n, how);
    if (err == 0)
        err = otapult_gzip.finish(&memory, &env);
    for (size_t i = otapult_gzip.memory; i < sizeof memory; i++)
        assert_int_equal(memory.bytes[i], 0xA5);
    return err;
}

static void check_same(const uint8_t *p, size_t n)
{
    assert_int_equal(out.len, n);
    if (n > 0)
        assert_memory_equal(out.bytes, p, n);
}

static int set_up(void **state)
{
    (void)state;
    out.cap = 8u << 20;
    out.bytes = malloc(out.cap);
    assert_true(otapult_gzip.memory <= OTAPULT_GZIP_RAM);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    free(out.bytes);
    return 0;
}

/* ---- packing, by programs that share nothing with the decoder ---- */

/* gzip(1), with the name of the file in the header. */
static uint8_t *gzip(const uint8_t *p, size_t n, const char *options, size_t *len)
{
    char name[] = "/tmp/otapult-gzip-XXXXXX", command[160];
    int fd = mkstemp(name);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, p, n), (ssize_t)n);
    close(fd);
    snprintf(command, sizeof command, "gzip %s -c %s", options, name);
    FILE *pipe = popen(command, "r");
    assert_non_null(pipe);
    uint8_t *packed = malloc(n + n / 100 + 4096);
    *len = fread(packed, 1, n + n / 100 + 4096, pipe);
    assert_int_equal(pclose(pipe), 0);
    unlink(name);
    return packed;
}

/* zlib's, with the wrapping that `bits` says: 15 zlib, 31 gzip. */
static uint8_t *deflated(const uint8_t *p, size_t n, int bits, int strategy, size_t *len)
{
    z_stream z = {0};
    assert_int_equal(deflateInit2(&z, 9, Z_DEFLATED, bits, 8, strategy), Z_OK);
    size_t cap = deflateBound(&z, n) + 64;
    uint8_t *packed = malloc(cap);
    z.next_in = (z_const Bytef *)p;
    z.avail_in = (uInt)n;
    z.next_out = packed;
    z.avail_out = (uInt)cap;
    assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
    *len = z.total_out;
    deflateEnd(&z);
    return packed;
}

static void check_all_levels(const uint8_t *p, size_t n)
{
    static const char *const options[] = {"-1", "-6", "-9", "-6 -N", "-9 -n"};
    for (size_t i = 0; i < sizeof options / sizeof *options; i++) {
        size_t len;
        uint8_t *packed = gzip(p, n, options[i], &len);
        assert_true(otapult_gzip.recognises(packed, len < 16 ? len : 16));
        for (unsigned how = 0; how < 4; how++)
            if (how != FEED_BYTEWISE || n < 100000) {
                assert_int_equal(unpack(packed, len, how), 0);
                check_same(p, n);
            }
        free(packed);
    }
}

/* ---- what is right ---- */

static void what_gzip_makes_is_unpacked(void **state)
{
    (void)state;
    static const uint32_t sizes[] = {1024, 5008, 70000, 300000, 1500000};
    check_all_levels(NULL, 0);
    check_all_levels((const uint8_t *)"x", 1);
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        size_t n;
        uint8_t *p = sample_image(&(struct sample_spec){SAMPLE_DEFAULT, .size = sizes[i]}, &n);
        memset(p + n / 2, 0, n / 4); /* the sample's code is noise: something to pack */
        check_all_levels(p, n);
        free(p);
    }
}

static void real_firmware_is_unpacked(void **state)
{
    (void)state;
    static const char *const names[] = {"s3-build-39.bin", "s3-build-40.bin"};
    if (!files_present(FIRMWARE_DIR))
        skip();
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        size_t n;
        uint8_t *p = files_read(FIRMWARE_DIR, names[i], &n);
        check_all_levels(p, n);
        free(p);
    }
}

static void every_split_gives_the_same(void **state)
{
    (void)state;
    static const int bits[] = {15, 31};
    uint8_t p[700];
    for (size_t i = 0; i < sizeof p; i++)
        p[i] = (uint8_t)(i * i / 13);
    for (size_t i = 0; i < 2; i++) {
        size_t len;
        uint8_t *packed = deflated(p, sizeof p, bits[i], Z_DEFAULT_STRATEGY, &len);
        for (size_t cut = 1; cut < len; cut++) {
            out.len = 0;
            assert_int_equal(otapult_gzip.init(&memory, &env), 0);
            assert_int_equal(feed(&memory, packed, cut), 0);
            assert_int_equal(feed(&memory, packed + cut, len - cut), 0);
            assert_int_equal(otapult_gzip.finish(&memory, &env), 0);
            check_same(p, sizeof p);
        }
        free(packed);
    }
}

static void zlib_streams_are_unpacked(void **state)
{
    (void)state;
    static const int strategies[] = {Z_DEFAULT_STRATEGY, Z_FIXED, Z_HUFFMAN_ONLY, Z_RLE};
    size_t n, len;
    uint8_t *p = sample_image(&(struct sample_spec){SAMPLE_DEFAULT, .size = 150000}, &n);
    memset(p + 20000, 0x55, 90000);
    for (int bits = 9; bits <= 15; bits++)
        for (size_t i = 0; i < 4; i++) {
            uint8_t *packed = deflated(p, n, bits, strategies[i], &len);
            assert_int_equal(unpack(packed, len, 3), 0);
            check_same(p, n);
            free(packed);
        }
    free(p);
}

/* All parts that RFC 1952 knows, in its order. */
static size_t full_header(uint8_t *dst, unsigned flags, size_t name)
{
    static const uint8_t fixed[] = {0x1F, 0x8B, 8, 0, 1, 2, 3, 4, 0, 3};
    size_t n = sizeof fixed;
    memcpy(dst, fixed, n);
    dst[3] = (uint8_t)flags;
    if (flags & 4) {
        memcpy(dst + n,
               "\x05\x00"
               "extra",
               7);
        n += 7;
    }
    if (flags & 8) {
        memset(dst + n, 'n', name);
        n += name;
        dst[n++] = 0;
    }
    if (flags & 16) {
        memcpy(dst + n, "a comment", 10);
        n += 10;
    }
    if (flags & 2) {
        uLong crc = crc32(0, dst, (uInt)n);
        dst[n++] = (uint8_t)crc;
        dst[n++] = (uint8_t)(crc >> 8);
    }
    return n;
}

static size_t full_file(uint8_t *dst, unsigned flags, size_t name)
{
    size_t len, n = full_header(dst, flags, name);
    uint8_t *packed = deflated((const uint8_t *)"firmware", 8, 31, Z_DEFAULT_STRATEGY, &len);
    memcpy(dst + n, packed + 10, len - 10);
    free(packed);
    return n + len - 10;
}

static void every_kind_of_header_is_read(void **state)
{
    (void)state;
    uint8_t file[6000];
    for (unsigned flags = 0; flags < 32; flags++)
        for (unsigned how = 0; how < 6; how++) {
            size_t n = full_file(file, flags, 9);
            assert_int_equal(unpack(file, n, how), 0);
            check_same((const uint8_t *)"firmware", 8);
        }
}

/* ---- what is wrong ---- */

static void headers_that_are_none_are_refused(void **state)
{
    (void)state;
    static const uint8_t heads[][10] = {
        {0x1F, 0x8C, 8}, {0x1F, 0x8B, 7}, {0x1F, 0x8B, 8, 0x20}, {0x1F, 0x8B, 8, 0x80},
        {0x78, 0x9D},    {0x79, 0x9C},    {0x88, 0x1C},          {0x78, 0xBB}, /* a dictionary */
    };
    for (size_t i = 0; i < sizeof heads / sizeof *heads; i++) {
        assert_int_equal(unpack(heads[i], 10, FEED_BYTEWISE), OTAPULT_E_GZIP_DAMAGED);
        assert_non_null(why.text);
        assert_int_equal(out.len, 0);
    }
}

static void a_header_without_end_is_refused_in_time(void **state)
{
    (void)state;
    uint8_t file[6000];
    for (unsigned how = 0; how < 6; how++) {
        size_t n = full_file(file, 8, 4000);
        assert_int_equal(unpack(file, n, how), 0);
        n = full_file(file, 8, 4096);
        assert_int_equal(unpack(file, n, how), OTAPULT_E_GZIP_DAMAGED);
        assert_int_equal(why.at, 4096);
        assert_string_equal(why.text, "a header of more than 4 KB");
    }
}

static void every_flipped_bit_is_refused_or_without_meaning(void **state)
{
    (void)state;
    uint8_t file[200];
    for (unsigned flags = 0; flags < 32; flags += 31) {
        size_t n = full_file(file, flags, 3), same = 0;
        for (size_t bit = 0; bit < 8 * n; bit++) {
            file[bit / 8] ^= (uint8_t)(1u << bit % 8);
            if (unpack(file, n, (unsigned)bit % 3) == 0) {
                check_same((const uint8_t *)"firmware", 8);
                same++;
            }
            file[bit / 8] ^= (uint8_t)(1u << bit % 8);
        }
        /* What nobody asks: time, level, system and the text flag, where no CRC covers them; and the bits
         * behind the end of the deflate data, up to the next byte. */
        assert_in_range(same, 0, flags == 0 ? 49 + 7 : 7);
    }
}

static void every_truncation_is_named(void **state)
{
    (void)state;
    static const int bits[] = {15, 31};
    uint8_t p[300];
    for (size_t i = 0; i < sizeof p; i++)
        p[i] = (uint8_t)(i * i / 13);
    for (size_t i = 0; i < 2; i++) {
        size_t len;
        uint8_t *packed = deflated(p, sizeof p, bits[i], Z_DEFAULT_STRATEGY, &len);
        for (size_t cut = 1; cut < len; cut++) {
            assert_int_equal(unpack(packed, cut, cut % 2), OTAPULT_E_IMAGE_TRUNCATED);
            assert_int_equal(why.at, cut);
            assert_in_range(why.got, 1, len - cut);
        }
        free(packed);
    }
}

static void nothing_may_follow(void **state)
{
    (void)state;
    size_t len;
    uint8_t *packed = deflated((const uint8_t *)"firmware", 8, 31, Z_DEFAULT_STRATEGY, &len);
    uint8_t *twice = malloc(2 * len);
    memcpy(twice, packed, len);
    memcpy(twice + len, packed, len);
    for (unsigned how = 0; how < 6; how++) {
        assert_int_equal(unpack(twice, 2 * len, how), OTAPULT_E_GZIP_DAMAGED); /* as cat a.gz b.gz makes */
        assert_string_equal(why.text, "more bytes follow");
        assert_int_equal(why.at, len);
        assert_int_equal(unpack(twice, len + 1, how), OTAPULT_E_GZIP_DAMAGED);
    }
    free(packed);
    free(twice);
}

/* A thousandfold: what comes out is handed on in small pieces, and stops where the slot ends. */
static void a_bomb_stops_where_the_slot_ends(void **state)
{
    (void)state;
    size_t len, n = 6u << 20;
    uint8_t *zeros = calloc(1, n);
    uint8_t *packed = deflated(zeros, n, 31, Z_DEFAULT_STRATEGY, &len);
    assert_true(len < n / 900);
    size_t cap = out.cap;
    out.cap = 100000;
    out.refuses = true;
    assert_int_equal(unpack(packed, len, FEED_AT_ONCE), OTAPULT_E_IMAGE_TOO_LARGE);
    assert_in_range(out.len, 100000 - 32768, 100000);
    assert_in_range(out.largest, 1, 32768); /* a window, on a board */
    out.cap = cap;
    out.refuses = false;
    free(packed);
    free(zeros);
}

static void a_reach_beyond_the_window_is_refused(void **state)
{
    (void)state;
    /* Fixed code: a match of length 3 at distance 1, before anything has come. */
    static const uint8_t raw[] = {0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 3, 0x03, 0x02, 0x00};
    assert_int_equal(unpack(raw, sizeof raw, FEED_AT_ONCE), OTAPULT_E_GZIP_DAMAGED);
    assert_int_equal(out.len, 0);
}

/* ---- going on at a point, in a later life ---- */

static const uint8_t *flash; /* what came out before it */

static int recall(const struct otapult_decoder_env *to, uint32_t at, uint8_t *dst, uint32_t n)
{
    (void)to;
    memcpy(dst, flash + at, n);
    return 0;
}

static const struct otapult_decoder_env later = {.put = put, .recall = recall, .why = &why};

/* The file p[len] from the point on; the state holds anything before. */
static int go_on(const uint8_t *p, size_t len, const struct otapult_decoder_point *point, unsigned how)
{
    out.len = 0;
    why = (struct otapult_finding){0};
    memset(&memory, 0xA5, sizeof memory);
    assert_int_equal(otapult_gzip.init(&memory, &later), 0);
    assert_int_equal(otapult_gzip.go_on(&memory, &later, point), 0);
    int err = feed_split(feed, &memory, p + point->taken, len - point->taken, how);
    return err == 0 ? otapult_gzip.finish(&memory, &later) : err;
}

#define POINTS 64

/* Asks for the next point again and again, while the file comes in pieces of `piece` bytes. */
static size_t find_points(const uint8_t *p, size_t len, size_t piece,
                          struct otapult_decoder_point found[POINTS])
{
    size_t n = 0;

    out.len = 0;
    memset(&memory, 0xA5, sizeof memory);
    assert_int_equal(otapult_gzip.init(&memory, &env), 0);
    for (size_t at = 0; at < len; at += piece) {
        const uint32_t next = n > 0 ? found[n - 1].made + 1 : 1;
        assert_int_equal(feed(&memory, p + at, len - at < piece ? len - at : piece), 0);
        assert_true(n < POINTS);
        n += otapult_gzip.point(&memory, next, &found[n]);
    }
    assert_int_equal(otapult_gzip.finish(&memory, &env), 0);
    return n;
}

static size_t check_points(const uint8_t *p, size_t n, const uint8_t *packed, size_t len, size_t piece)
{
    struct otapult_decoder_point found[POINTS];
    size_t count = find_points(packed, len, piece, found);

    check_same(p, n);
    flash = p;
    for (size_t i = 0; i < count; i++) {
        assert_in_range(found[i].made, i > 0 ? found[i - 1].made + 1 : 1, n - 1);
        assert_in_range(found[i].taken, i > 0 ? found[i - 1].taken + 1 : 1, len - 1);
        for (unsigned how = 0; how < 4; how++) {
            if (how == FEED_BYTEWISE && n > 100000)
                continue;
            assert_int_equal(go_on(packed, len, &found[i], how), 0);
            check_same(p + found[i].made, n - found[i].made);
        }
    }
    return count;
}

/* Text, and noise between it of which deflate makes blocks of another kind. */
static uint8_t *text(size_t n, size_t noise)
{
    uint8_t *p = malloc(n);
    uint32_t x = 12345;

    for (size_t i = 0; i < n; i++) {
        x = x * 1664525 + 1013904223;
        p[i] = i % 100000 < noise ? (uint8_t)(x >> 24) : (uint8_t)('a' + (x >> 28) % 9);
    }
    return p;
}

static void it_goes_on_at_every_point(void **state)
{
    static const char *const options[] = {"-1", "-6", "-9 -n"};
    static const size_t pieces[] = {1, 977, 1 << 20};
    const size_t n = 400000;
    uint8_t *p = text(n, 50000);
    size_t len;
    (void)state;

    for (size_t i = 0; i < 3; i++) {
        uint8_t *packed = gzip(p, n, options[i], &len);
        for (size_t k = 0; k < 2; k++)
            assert_in_range(check_points(p, n, packed, len, pieces[k]), 4, POINTS);
        free(packed);
        packed = deflated(p, n, 15, Z_DEFAULT_STRATEGY, &len);
        assert_in_range(check_points(p, n, packed, len, pieces[i]), i < 2 ? 4 : 0, POINTS);
        free(packed);
    }
    free(p);
}

/* Small files, of two blocks: so the window is not full. */
static void it_goes_on_at_every_bit(void **state)
{
    const size_t n = 6000;
    uint8_t *p = text(n, 0);
    unsigned bits = 0;
    (void)state;

    for (size_t block = 3000; block < 3100; block++) {
        struct otapult_decoder_point found[POINTS];
        size_t len;
        uint8_t *packed = packed_in_blocks(p, n, block, &len);
        assert_int_equal(check_points(p, n, packed, len, 1), 1);
        assert_int_equal(find_points(packed, len, 1, found), 1);
        assert_int_equal(found[0].made, block);
        bits |= 1u << found[0].bits;
        free(packed);
    }
    assert_int_equal(bits, 0xFF);
    free(p);
}

static void real_firmware_goes_on(void **state)
{
    (void)state;
    size_t n, len;
    if (!files_present(FIRMWARE_DIR))
        skip();
    uint8_t *p = files_read(FIRMWARE_DIR, "s3-build-40.bin", &n);
    uint8_t *packed = gzip(p, n, "-9", &len);
    assert_in_range(check_points(p, n, packed, len, 1460), n / 65536, POINTS);
    free(packed);
    free(p);
}

/* Nobody has asked, or the file is one block. */
static void a_file_without_points_is_unpacked(void **state)
{
    struct otapult_decoder_point found[POINTS];
    uint8_t p[3000] = {0};
    size_t len;
    (void)state;

    uint8_t *packed = deflated(p, sizeof p, 31, Z_DEFAULT_STRATEGY, &len);
    assert_int_equal(find_points(packed, len, 1, found), 0);
    check_same(p, sizeof p);
    free(packed);
}

/* Only what has come out in a later life than the point is wrong is found at the end. */
static void a_wrong_point_is_refused(void **state)
{
    struct otapult_decoder_point found[POINTS], wrong;
    const size_t n = 400000;
    uint8_t *p = text(n, 0), *other = text(n, 0);
    size_t len;
    (void)state;

    uint8_t *packed = gzip(p, n, "-9", &len);
    assert_in_range(find_points(packed, len, 977, found), 2, POINTS);
    for (unsigned i = 0; i < 40; i++) {
        wrong = found[1];
        flash = p;
        wrong.sum ^= i == 0;
        wrong.made -= i == 1;
        wrong.taken += i == 2;
        wrong.form ^= i == 3 ? 3 : 0; /* zlib's */
        if (i >= 8 && i < 16 && wrong.bits > 0)
            wrong.last ^= (uint8_t)(0x80 >> (i - 8) % wrong.bits);
        if (i >= 16)
            wrong.bits = (uint8_t)(wrong.bits + 1 + i % 7);
        if (i == 4)
            memset(other + wrong.made - 40000, 'z', 40000);
        if (i == 4)
            flash = other;
        if (memcmp(&wrong, &found[1], sizeof wrong) != 0 || i == 4)
            assert_int_not_equal(go_on(packed, len, &wrong, 3), 0);
    }
    free(packed);
    free(other);
    free(p);
}

/* ---- whose a file is ---- */

static void other_files_are_not_its_own(void **state)
{
    (void)state;
    static const char *const others[] = {
        "x", "x^2 + y^2 = z^2", "xyz", "\x1F\x8B", "\x1F\x8B\x07zzz", "PK\x03\x04", "x\x9D", "\xE9\x02"};
    assert_false(otapult_gzip.recognises((const uint8_t *)"", 0));
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        assert_false(otapult_gzip.recognises((const uint8_t *)others[i], strlen(others[i])));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_gzip_makes_is_unpacked),
        cmocka_unit_test(real_firmware_is_unpacked),
        cmocka_unit_test(every_split_gives_the_same),
        cmocka_unit_test(zlib_streams_are_unpacked),
        cmocka_unit_test(every_kind_of_header_is_read),
        cmocka_unit_test(headers_that_are_none_are_refused),
        cmocka_unit_test(a_header_without_end_is_refused_in_time),
        cmocka_unit_test(every_flipped_bit_is_refused_or_without_meaning),
        cmocka_unit_test(every_truncation_is_named),
        cmocka_unit_test(nothing_may_follow),
        cmocka_unit_test(a_bomb_stops_where_the_slot_ends),
        cmocka_unit_test(a_reach_beyond_the_window_is_refused),
        cmocka_unit_test(it_goes_on_at_every_point),
        cmocka_unit_test(it_goes_on_at_every_bit),
        cmocka_unit_test(real_firmware_goes_on),
        cmocka_unit_test(a_file_without_points_is_unpacked),
        cmocka_unit_test(a_wrong_point_is_refused),
        cmocka_unit_test(other_files_are_not_its_own),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
