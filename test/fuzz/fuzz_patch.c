/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "code_maker.h"
#include "decode/decoder.h"
#include "decode/patch_tables.h"
#include "fuzz.h"
#include "trust/sha256.h"

/* The patch decoder over a base that is always the same. Whatever comes in: it reads nothing outside the
 * slot, hands on no more than the result it announced, and that only after the base was found right; nothing
 * depends on how the input is cut; and what it accepts has the SHA-256 that the header says.
 *
 * Input: split; family of the base; then the file. The mutator mends lengths and checksums, so that what is
 * changed reaches the body. */
#define SETTINGS  2u
#define ROOM      0x10000u
#define SLOT      0x20000u
#define FUNCTIONS 12u

struct applied {
    void *state; /* as large as the decoder asks for, so that one byte more is seen */
    uint8_t *bytes;
    size_t len;
    uint32_t expected;
    int err;
    enum code_family family;
    struct otapult_finding why;
    char text[128];
    struct otapult_decoder_env env;
};

static struct {
    uint8_t bytes[CODE_MAX];
    size_t size;
} bases[3];

static void make_bases(void)
{
    for (unsigned i = 0; i < 3 && bases[i].size == 0; i++) {
        struct code code;
        code_begin_firmware(&code, (enum code_family)i, FUNCTIONS, 1);
        bases[i].size = code_link(&code, bases[i].bytes);
    }
}

static int read_slot(void *ctx, uint32_t off, void *dst, uint32_t len)
{
    const struct applied *a = ctx;
    size_t size = bases[a->family].size;

    FUZZ_EXPECT(off <= SLOT && len <= SLOT - off);
    memset(dst, 0xFF, len);
    if (off < size)
        memcpy(dst, bases[a->family].bytes + off, len < size - off ? len : size - off);
    return 0;
}

static int running(const struct otapult_decoder_env *env, struct otapult_flash *flash)
{
    *flash = (struct otapult_flash){
        .ctx = env->ctx, .read = read_slot, .size = SLOT, .sector = 4096, .block = 65536};
    return 0;
}

static int expect(const struct otapult_decoder_env *env, uint32_t size)
{
    struct applied *a = env->ctx;

    FUZZ_EXPECT(a->len == 0);
    a->expected = size;
    return size > ROOM ? OTAPULT_E_IMAGE_TOO_LARGE : 0;
}

static int put(const struct otapult_decoder_env *env, const uint8_t *p, size_t n)
{
    struct applied *a = env->ctx;

    FUZZ_EXPECT(n > 0 && n <= a->expected - a->len);
    memcpy(a->bytes + a->len, p, n);
    a->len += n;
    return 0;
}

static int feed(void *stage, const uint8_t *p, size_t n)
{
    struct applied *a = stage;
    return otapult_patch.feed(a->state, &a->env, p, n);
}

static void apply(struct applied *a, unsigned family, const uint8_t *file, size_t len, uint8_t split)
{
    *a = (struct applied){
        .state = malloc(otapult_patch.memory), .bytes = malloc(ROOM), .family = (enum code_family)family};
    a->env = (struct otapult_decoder_env){
        .ctx = a, .expect = expect, .put = put, .running = running, .why = &a->why};
    memset(a->state, 0xA5, otapult_patch.memory);
    a->err = otapult_patch.init(a->state, &a->env);
    if (a->err == 0)
        a->err = fuzz_feed_pieces(feed, a, file, len, split);
    if (a->err == 0)
        a->err = otapult_patch.finish(a->state, &a->env);
    if (a->why.text != NULL) /* it lives in the state */
        strncpy(a->text, a->why.text, sizeof a->text - 1);
    free(a->state);
}

static void check_accepted(const struct applied *a, const uint8_t *file)
{
    struct otapult_sha256 sha;
    uint8_t digest[32];

    otapult_sha256_init(&sha);
    otapult_sha256_feed(&sha, a->bytes, a->len);
    FUZZ_EXPECT(otapult_sha256_peek(&sha, digest) == 0);
    FUZZ_EXPECT(a->len == otapult_le32(file + 44) && memcmp(digest, file + 48, 32) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct applied whole, pieces;

    if (size <= SETTINGS || size > ROOM)
        return 0;
    make_bases();
    const uint8_t *file = data + SETTINGS;
    apply(&whole, data[1] % 3, file, size - SETTINGS, 0);
    apply(&pieces, data[1] % 3, file, size - SETTINGS, data[0]);
    FUZZ_EXPECT(whole.err == pieces.err && strcmp(whole.text, pieces.text) == 0);
    FUZZ_EXPECT(whole.err != 0 ||
                (whole.len == pieces.len && memcmp(whole.bytes, pieces.bytes, whole.len) == 0));
    FUZZ_EXPECT(whole.err >= 0 && whole.err < OTAPULT_ERROR_COUNT && whole.err != OTAPULT_E_INTERNAL);
    if (whole.err == 0)
        check_accepted(&whole, file);
    free(whole.bytes);
    free(pieces.bytes);
    return 0;
}

/* The base that is there, lengths and checksums that fit. */
static void mend(uint8_t *file, size_t len, unsigned family)
{
    struct otapult_sha256 sha;
    size_t texts = OTAPULT_PATCH_HEADER + (size_t)(file[92] &= 31) + (file[93] &= 31);

    if (len < texts + 8)
        return;
    make_bases();
    memcpy(file, OTAPULT_PATCH_MAGIC "\1", 6);
    otapult_put_le32(file + 8, (uint32_t)bases[family].size);
    otapult_sha256_init(&sha);
    otapult_sha256_feed(&sha, bases[family].bytes, bases[family].size);
    if (otapult_sha256_peek(&sha, file + 12) != 0)
        abort();
    otapult_put_le32(file + 80, (uint32_t)(len - texts - 8));
    otapult_put_le32(file + texts, otapult_crc32(0, file, texts));
    otapult_put_le32(file + len - 4, otapult_crc32(0, file, len - 4));
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned int seed)
{
    uint32_t state = seed, how = fuzz_random(&state);

    size = LLVMFuzzerMutate(data, size, max_size);
    if (how % 8 != 0 && size > SETTINGS + OTAPULT_PATCH_HEADER + 8)
        mend(data + SETTINGS, size - SETTINGS, data[1] % 3);
    return size;
}
