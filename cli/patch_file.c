/* SPDX-License-Identifier: Apache-2.0 */
#include "patch_file.h"

#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "base/bytes.h"
#include "base/text.h"
#include "decode/decoder.h"

/* What other files of the command need of patches: reading a header, applying one, making one. A patch is
 * never handed out before the device's own decoder has turned the base into the result with it (does_it()):
 * the two are written apart, and a robot in the field is no place to find out where they differ. */

#define GZIP_WINDOW (15 + 16) /* zlib: 32 KB, in a gzip file */

/* ---- what it says of itself ---- */

bool patch_recognise(const uint8_t *p, size_t size)
{
    return otapult_patch.recognises(p, size < OTAPULT_DECODER_HEAD ? size : OTAPULT_DECODER_HEAD);
}

static void read_side(const uint8_t *size_and_sha, const uint8_t *build, const uint8_t *text, uint8_t length,
                      struct patch_side *side)
{
    side->size = otapult_le32(size_and_sha);
    memcpy(side->sha256, size_and_sha + 4, sizeof side->sha256);
    memcpy(side->build, build, sizeof side->build);
    otapult_text_clean(side->version, sizeof side->version, text, length);
}

int patch_read(const uint8_t *p, size_t size, struct patch_info *info, struct otapult_finding *why)
{
    size_t texts = size < OTAPULT_PATCH_HEADER ? 0 : (size_t)p[92] + p[93];

    *why = (struct otapult_finding){.at = (uint32_t)size, .text = "it ends within its header"};
    if (size < OTAPULT_PATCH_HEADER + texts + 4)
        return OTAPULT_E_PATCH_DAMAGED;
    const uint8_t *text = p + OTAPULT_PATCH_HEADER;
    why->at = OTAPULT_PATCH_HEADER + (uint32_t)texts;
    why->text = "the checksum of its header is wrong";
    if (p[92] > OTAPULT_PATCH_TEXT || p[93] > OTAPULT_PATCH_TEXT ||
        otapult_le32(text + texts) != otapult_crc32(0, p, OTAPULT_PATCH_HEADER + texts))
        return OTAPULT_E_PATCH_DAMAGED;
    info->chip = otapult_le16(p + 6);
    read_side(p + 8, p + 84, text, p[92], &info->base);
    read_side(p + 44, p + 88, text + p[92], p[93], &info->result);
    return 0;
}

/* ---- what it makes ---- */

struct applying {
    const uint8_t *base;
    size_t base_size;
    uint8_t *result;
    size_t room, size;
};

/* The slot behind the image reads as erased. */
static int read_base(void *ctx, uint32_t off, void *dst, uint32_t len)
{
    const struct applying *a = ctx;
    size_t n = off < a->base_size ? a->base_size - off : 0;

    if (n > len)
        n = len;
    memset(dst, 0xFF, len);
    memcpy(dst, a->base + (n > 0 ? off : 0), n);
    return 0;
}

static int open_base(const struct otapult_decoder_env *env, struct otapult_flash *flash)
{
    struct applying *a = env->ctx;
    *flash = (struct otapult_flash){.ctx = a,
                                    .read = read_base,
                                    .size = (uint32_t)((a->base_size + 0xFFFF) & ~(size_t)0xFFFF),
                                    .sector = 4096,
                                    .block = 65536};
    return 0;
}

static int expect(const struct otapult_decoder_env *env, uint32_t size)
{
    const struct applying *a = env->ctx;
    if (size <= a->room)
        return 0;
    *env->why = (struct otapult_finding){.got = size, .want = (uint32_t)a->room};
    return OTAPULT_E_IMAGE_TOO_LARGE;
}

static int take(const struct otapult_decoder_env *env, const uint8_t *p, size_t n)
{
    struct applying *a = env->ctx;
    if (n > a->room - a->size)
        return OTAPULT_E_IMAGE_TOO_LARGE;
    memcpy(a->result + a->size, p, n);
    a->size += n;
    return 0;
}

int patch_apply(const uint8_t *p, size_t size, const uint8_t *base, size_t base_size, uint8_t *result,
                size_t room, size_t *result_size, struct otapult_finding *why)
{
    static uint64_t state[OTAPULT_PATCH_RAM / 8];
    struct applying a = {.base = base, .base_size = base_size, .result = result, .room = room};
    const struct otapult_decoder_env env = {
        .ctx = &a, .expect = expect, .put = take, .running = open_base, .why = why};

    *why = (struct otapult_finding){.at = 0};
    int err = otapult_patch.init(state, &env);
    if (err == 0 && size > 0)
        err = otapult_patch.feed(state, &env, p, size);
    if (err == 0)
        err = otapult_patch.finish(state, &env);
    *result_size = a.size;
    return err;
}

/* ---- making one ---- */

static bool does_it(const struct patch_file *patch, const uint8_t *base, size_t base_size,
                    const uint8_t *result, size_t result_size)
{
    struct otapult_finding why;
    uint8_t *made = malloc(result_size + 1);
    size_t size = 0;
    bool same = made != NULL &&
                patch_apply(patch->data, patch->size, base, base_size, made, result_size, &size, &why) == 0 &&
                size == result_size && memcmp(made, result, size) == 0;

    free(made);
    return same;
}

bool patch_gzip(const uint8_t *p, size_t size, struct patch_file *out)
{
    z_stream z = {.next_in = (z_const Bytef *)p, .avail_in = (uInt)size};

    out->data = NULL;
    if (deflateInit2(&z, Z_BEST_COMPRESSION, Z_DEFLATED, GZIP_WINDOW, 9, Z_DEFAULT_STRATEGY) != Z_OK)
        return false;
    uLong room = deflateBound(&z, (uLong)size);
    out->data = malloc(room);
    z.next_out = out->data;
    z.avail_out = (uInt)room;
    bool ok = out->data != NULL && deflate(&z, Z_FINISH) == Z_STREAM_END;
    out->size = z.total_out;
    deflateEnd(&z);
    if (!ok) {
        free(out->data);
        out->data = NULL;
    }
    return ok;
}

bool patch_make(const uint8_t *base, size_t base_size, const uint8_t *result, size_t result_size,
                struct patch_file *out, bool *is_gzip)
{
    struct patch_file packed = {.data = NULL};
    bool ok = patch_encode(base, base_size, result, result_size, out) &&
              does_it(out, base, base_size, result, result_size) && patch_gzip(result, result_size, &packed);

    *is_gzip = ok && packed.size < out->size;
    if (*is_gzip) {
        struct patch_file patch = *out;
        *out = packed;
        packed = patch;
    }
    free(packed.data);
    if (!ok) {
        free(out->data);
        *out = (struct patch_file){.data = NULL};
    }
    return ok;
}
