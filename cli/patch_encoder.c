/* SPDX-License-Identifier: Apache-2.0 */
#include "patch_encoder.h"

#include <psa/crypto.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "patch_content.h"
#include "patch_match.h"

/* A patch is made in passes. The first matches base and result without knowing where addresses have gone; its
 * body teaches that, and the next pass uses it to tell apart what looks alike. The shortest body is kept.
 * Everything is decided by the two files alone, so the same two give the same patch anywhere. */

#define PASSES      3   /* after the first, addresses are known and tell apart what looks alike */
#define MAP_LEAST   48u /* a block below this weight says nothing of what else has moved */
#define DATA_WEIGHT 2u  /* strings are short, and not found at other places by chance */

/* ---- the map ---- */

static uint32_t weight(const struct image *base, const struct image *result, const struct match_block *b)
{
    const struct image_segment *from = image_at(base, b->base + b->size / 2);
    const struct image_segment *to = image_at(result, b->result + b->size / 2);
    bool data = from != NULL && to != NULL && !from->code && !to->code;

    return data ? b->size * DATA_WEIGHT : b->size;
}

static int heaviest_first(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

    return x > y ? -1 : x < y;
}

/* Chooses the blocks that the map lists: the heaviest. false: no memory. */
static bool choose_map(const struct image *base, const struct image *result, struct match_list *list)
{
    uint32_t *all = calloc(list->count + 1, sizeof *all), least = MAP_LEAST;

    if (all == NULL)
        return false;
    for (size_t i = 0; i < list->count; i++)
        all[i] = weight(base, result, &list->block[i]);
    qsort(all, list->count, sizeof *all, heaviest_first);
    if (list->count > OTAPULT_PATCH_BLOCKS && all[OTAPULT_PATCH_BLOCKS] >= least)
        least = all[OTAPULT_PATCH_BLOCKS] + 1;
    for (size_t i = 0; i < list->count; i++)
        list->block[i].mapped = weight(base, result, &list->block[i]) >= least;
    free(all);
    return true;
}

/* ---- the body ---- */

struct attempt {
    struct match_list list;
    struct content *content;
    struct code_output body;
};

static void drop(struct attempt *a)
{
    free(a->list.block);
    content_free(a->content);
    free(a->body.data);
    *a = (struct attempt){.content = NULL};
}

static bool attempt(const struct image *base, const struct image *result, struct matcher *m,
                    const struct attempt *before, struct attempt *a)
{
    *a = (struct attempt){.content = NULL};
    if (!matcher_run(m, before != NULL ? content_moved : NULL, before != NULL ? before->content : NULL,
                     &a->list) ||
        !choose_map(base, result, &a->list))
        return false;
    a->content = content_new(base, result, &a->list);
    return a->content != NULL && content_write(a->content, &a->body);
}

/* The shortest body of several passes. */
static bool write_body(const struct image *base, const struct image *result, struct code_output *body)
{
    struct matcher *m = matcher_new(base, result);
    struct attempt best = {.content = NULL}, next;
    bool ok = m != NULL && attempt(base, result, m, NULL, &best);

    for (int pass = 1; ok && pass < PASSES && best.list.count > 0; pass++) {
        ok = attempt(base, result, m, &best, &next);
        bool better = ok && next.body.size < best.body.size;
        if (better) {
            struct attempt worse = best;
            best = next;
            next = worse;
        }
        drop(&next);
        if (!better)
            break;
    }
    if (ok) {
        *body = best.body;
        best.body.data = NULL;
    }
    drop(&best);
    matcher_free(m);
    return ok;
}

/* ---- the file ---- */

static bool sha256(const uint8_t *p, size_t n, uint8_t out[32])
{
    size_t len;

    return psa_hash_compute(PSA_ALG_SHA_256, p, n, out, 32, &len) == PSA_SUCCESS;
}

/* Version text and build id of an app image; none of any other file. Returns the text's length. */
static uint8_t describe(const struct image *image, uint8_t id[4], uint8_t text[OTAPULT_PATCH_TEXT])
{
    static const uint8_t magic[4] = {0x32, 0x54, 0xCD, 0xAB};
    uint8_t n = 0;

    if (image->segments == 0 || image->size < 0x20 + 256 || memcmp(image->data + 0x20, magic, 4) != 0)
        return 0;
    image_build(image, id);
    while (n < OTAPULT_PATCH_TEXT && image->data[0x30 + n] != 0) {
        text[n] = image->data[0x30 + n];
        n++;
    }
    return n;
}

/* Returns its size: the fixed part, two texts, the checksum. */
static size_t write_header(const struct image *base, const struct image *result, size_t body, uint8_t *p)
{
    uint8_t *text = p + OTAPULT_PATCH_HEADER;

    memset(p, 0, OTAPULT_PATCH_HEADER);
    memcpy(p, OTAPULT_PATCH_MAGIC, 4);
    p[4] = OTAPULT_PATCH_VERSION;
    p[6] = (uint8_t)result->chip;
    p[7] = (uint8_t)(result->chip >> 8);
    otapult_put_le32(p + 8, base->size);
    otapult_put_le32(p + 44, result->size);
    otapult_put_le32(p + 80, (uint32_t)body);
    if (!sha256(base->data, base->size, p + 12) || !sha256(result->data, result->size, p + 48))
        return 0;
    p[92] = describe(base, p + 84, text);
    p[93] = describe(result, p + 88, text + p[92]);
    size_t size = OTAPULT_PATCH_HEADER + (size_t)p[92] + p[93];
    otapult_put_le32(p + size, otapult_crc32(0, p, size));
    return size + 4;
}

static bool write_file(const struct image *base, const struct image *result, const struct code_output *body,
                       struct patch_file *out)
{
    uint8_t header[OTAPULT_PATCH_HEADER + 2 * OTAPULT_PATCH_TEXT + 4];
    size_t size = write_header(base, result, body->size, header);

    out->data = size > 0 ? malloc(size + body->size + 4) : NULL;
    if (out->data == NULL)
        return false;
    memcpy(out->data, header, size);
    memcpy(out->data + size, body->data, body->size);
    size += body->size;
    otapult_put_le32(out->data + size, otapult_crc32(0, out->data, size));
    out->size = size + 4;
    return true;
}

bool patch_encode(const uint8_t *base_data, size_t base_size, const uint8_t *result_data, size_t result_size,
                  struct patch_file *out)
{
    struct image base, result;
    struct code_output body = {.data = NULL};

    *out = (struct patch_file){.data = NULL};
    if (base_size > PATCH_LARGEST || result_size > PATCH_LARGEST)
        return false;
    image_read(&base, base_data, (uint32_t)base_size);
    image_read(&result, result_data, (uint32_t)result_size);
    image_find_code(&result, &base);
    bool ok = write_body(&base, &result, &body) && write_file(&base, &result, &body, out);
    free(body.data);
    return ok;
}
