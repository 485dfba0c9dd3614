/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "decode/decoder.h"
#include "fuzz.h"

/* The gzip decoder against zlib's own reader of both wrappings, which is given the whole file at once.
 *
 * What the decoder accepts, zlib must accept, to its last byte and with the same output. What zlib accepts as
 * one stream and nothing more, the decoder must accept, but for headers of more than 4 KB. Whatever comes in,
 * no more goes out than there is room for, and nothing depends on how the input is cut, or on whether
 * somebody looks for points meanwhile. From a point on a file makes what it makes from its begin.
 *
 * Input: split; then the file. */
#define SETTINGS 1u
#define ROOM     0x40000u

struct unpacked {
    void *state; /* as large as the decoder asks for, so that one byte more is seen */
    uint8_t *bytes;
    size_t len;
    int err;
    struct otapult_finding why;
    struct otapult_decoder_env env;
    bool seeks;
    struct otapult_decoder_point point; /* the first that was found */
    const uint8_t *before;              /* what comes out before it, for who goes on there */
};

static int put(const struct otapult_decoder_env *env, const uint8_t *p, size_t n)
{
    struct unpacked *u = env->ctx;

    FUZZ_EXPECT(n > 0 && u->len <= ROOM);
    if (n > ROOM - u->len)
        return OTAPULT_E_IMAGE_TOO_LARGE;
    memcpy(u->bytes + u->len, p, n);
    u->len += n;
    return 0;
}

static int feed(void *stage, const uint8_t *p, size_t n)
{
    struct unpacked *u = stage;
    struct otapult_decoder_point point;

    int err = otapult_gzip.feed(u->state, &u->env, p, n);
    if (err == 0 && u->seeks && u->point.made == 0 && otapult_gzip.point(u->state, 1, &point))
        u->point = point;
    return err;
}

static int recall(const struct otapult_decoder_env *env, uint32_t at, uint8_t *dst, uint32_t n)
{
    const struct unpacked *u = env->ctx;

    memcpy(dst, u->before + at, n);
    return 0;
}

static void begin(struct unpacked *u)
{
    *u = (struct unpacked){.state = malloc(otapult_gzip.memory), .bytes = malloc(ROOM)};
    u->env = (struct otapult_decoder_env){.ctx = u, .put = put, .recall = recall, .why = &u->why};
    memset(u->state, 0xA5, otapult_gzip.memory);
}

static void feed_all(struct unpacked *u, const uint8_t *file, size_t len, uint8_t split)
{
    if (u->err == 0)
        u->err = fuzz_feed_pieces(feed, u, file, len, split);
    if (u->err == 0)
        u->err = otapult_gzip.finish(u->state, &u->env);
}

static void unpack(struct unpacked *u, const uint8_t *file, size_t len, uint8_t split, bool seeks)
{
    begin(u);
    u->seeks = seeks;
    u->err = otapult_gzip.init(u->state, &u->env);
    feed_all(u, file, len, split);
}

/* With what came out of the whole file before the point. */
static void go_on(const struct unpacked *whole, const struct otapult_decoder_point *point,
                  const uint8_t *file, size_t len, uint8_t split)
{
    struct unpacked u;

    begin(&u);
    u.before = whole->bytes;
    u.err = otapult_gzip.init(u.state, &u.env);
    if (u.err == 0)
        u.err = otapult_gzip.go_on(u.state, &u.env, point);
    feed_all(&u, file + point->taken, len - point->taken, split);
    FUZZ_EXPECT(u.err == whole->err && u.why.at == whole->why.at && u.why.text == whole->why.text);
    FUZZ_EXPECT(u.len == whole->len - point->made && memcmp(u.bytes, whole->bytes + point->made, u.len) == 0);
    free(u.state);
    free(u.bytes);
}

static void end(struct unpacked *u)
{
    free(u->state);
    free(u->bytes);
}

/* zlib's word: true where the file is one whole stream; *taken says how much of it the stream is. */
static bool zlibs_word(const uint8_t *file, size_t len, struct unpacked *u, size_t *taken)
{
    z_stream z = {
        .next_in = (z_const Bytef *)file, .avail_in = (uInt)len, .next_out = u->bytes, .avail_out = ROOM};

    if (inflateInit2(&z, 15 + 32) != Z_OK)
        abort();
    int result = inflate(&z, Z_FINISH);
    *taken = len - z.avail_in;
    u->len = z.total_out;
    inflateEnd(&z);
    return result == Z_STREAM_END;
}

static bool has_long_header(const struct unpacked *u)
{
    return u->err == OTAPULT_E_GZIP_DAMAGED && u->why.at == 4096;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct unpacked whole, pieces, other;
    size_t taken;

    if (size <= SETTINGS || size > ROOM)
        return 0;
    const uint8_t *file = data + SETTINGS;
    const size_t len = size - SETTINGS;

    unpack(&whole, file, len, 0, false);
    unpack(&pieces, file, len, data[0], true);
    FUZZ_EXPECT(whole.err == pieces.err && whole.why.at == pieces.why.at &&
                whole.why.text == pieces.why.text);
    FUZZ_EXPECT(whole.len == pieces.len && memcmp(whole.bytes, pieces.bytes, whole.len) == 0);
    if (pieces.point.made > 0)
        go_on(&whole, &pieces.point, file, len, data[0]);
    FUZZ_EXPECT(whole.err >= 0 && whole.err < OTAPULT_ERROR_COUNT && whole.err != OTAPULT_E_INTERNAL);
    begin(&other);
    bool is_right = zlibs_word(file, len, &other, &taken) && taken == len;
    FUZZ_EXPECT((whole.err == 0) == is_right || has_long_header(&whole));
    if (whole.err == 0)
        FUZZ_EXPECT(whole.len == other.len && memcmp(whole.bytes, other.bytes, whole.len) == 0);
    end(&whole);
    end(&pieces);
    end(&other);
    return 0;
}

/* Sums at the end that fit what comes out, where the header has no parts: else no change gets past them. */
static void mend_sums(uint8_t *file, size_t len)
{
    static uint8_t out[ROOM];
    z_stream z = {
        .next_in = file + 10, .avail_in = (uInt)(len - 10), .next_out = out, .avail_out = sizeof out};

    if (inflateInit2(&z, -15) != Z_OK)
        abort();
    int result = inflate(&z, Z_FINISH);
    size_t end = len - z.avail_in, n = z.total_out;
    inflateEnd(&z);
    if (result != Z_STREAM_END || len - end < 8)
        return;
    const uint32_t sums[] = {(uint32_t)crc32(0, out, (uInt)n), (uint32_t)n};
    for (size_t i = 0; i < 8; i++)
        file[end + i] = (uint8_t)(sums[i / 4] >> 8 * (i % 4));
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned int seed)
{
    uint32_t state = seed, how = fuzz_random(&state);

    size = LLVMFuzzerMutate(data, size, max_size);
    if (how % 4 != 0 && size > SETTINGS + 18 && data[SETTINGS] == 0x1F && data[SETTINGS + 3] == 0)
        mend_sums(data + SETTINGS, size - SETTINGS);
    return size;
}
