/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/bytes.h"
#include "base/text.h"
#include "decode/decoder.h"
#include "decode/patch_content.h"
#include "image/format.h"
#include "image/stored.h"
#include "trust/sha256.h"

/* A patch: what turns the running image into another one. docs/patch-format.md is its specification.
 *
 * The header is believed when its checksum fits, the base when its SHA-256 does; nothing has been handed on
 * by then. The body is decoded in steps, each of which needs at most STEP_MOST bytes of input: so a step
 * begins only when that much is there, or when the body is, and never has to stop in the middle. */

#define STEP_MOST   128u /* bytes that one step can use: 16 for a number, 97 for a unit */
#define INPUT_SIZE  256u
#define OUTPUT_SIZE 512u
#define END_SIZE    4u /* CRC-32 of all bytes before it */
#define HEADER_MOST (OTAPULT_PATCH_HEADER + 2 * OTAPULT_PATCH_TEXT + 4u)

/* Offsets in the header. */
enum {
    AT_VERSION = 4,
    AT_MODE = 5,
    AT_CHIP = 6,
    AT_BASE_SIZE = 8,
    AT_BASE_SHA = 12,
    AT_RESULT_SIZE = 44,
    AT_RESULT_SHA = 48,
    AT_BODY_SIZE = 80,
    AT_BASE_BUILD = 84,
    AT_RESULT_BUILD = 88,
    AT_BASE_TEXT = 92, /* length of the base's version, then of the result's */
    AT_RESULT_TEXT = 93,
};

enum at { AT_HEADER, AT_BODY, AT_CRC, AT_END }; /* what the next byte is */

enum step { /* what the body says next */
            STEP_FIRST,
            STEP_SEGMENT,
            STEP_BLOCK,
            STEP_GAP, /* new bytes, or short copies, up to the next block */
            STEP_NEW,
            STEP_COPY,
            STEP_DONE,
};

struct patch {
    enum at at;
    enum step step;
    uint32_t pos, crc; /* of the file: bytes taken, checksum over them */
    uint32_t body;     /* bytes of it that have not been taken */
    uint32_t result_size, base_size, made;
    uint32_t segments, blocks; /* as many are still to come */
    uint32_t next_block;
    uint32_t gap;                      /* bytes up to the next block */
    uint32_t left;                     /* of the new bytes */
    uint32_t copy, copy_end;           /* in the base */
    uint32_t old;                      /* where the base goes on behind what was copied last */
    uint32_t block_base, block_result; /* ends of the block that was listed last */
    uint32_t header_size;
    uint32_t out_size;
    struct otapult_sha256 sha; /* of what came out */
    struct otapult_patch_input in;
    otapult_patch_coarse all_new;
    struct otapult_patch_number first, block_gap, block_size, block_seek, new_size, copy_size, copy_seek;
    struct otapult_patch_content content;
    char text[OTAPULT_PATCH_TEXT * 2 + 64];
    uint8_t header[HEADER_MOST];
    uint8_t input[INPUT_SIZE];
    uint8_t out[OUTPUT_SIZE];
};

_Static_assert(sizeof(struct patch) <= OTAPULT_PATCH_RAM, "OTAPULT_PATCH_RAM holds the decoder");

static int damaged(const struct patch *d, const struct otapult_decoder_env *env, const char *text)
{
    *env->why = (struct otapult_finding){.at = d->pos, .text = text};
    return OTAPULT_E_PATCH_DAMAGED;
}

/* ---- output ---- */

static int hand_on(struct patch *d, const struct otapult_decoder_env *env)
{
    uint32_t n = d->out_size;

    d->out_size = 0;
    if (n == 0)
        return 0;
    otapult_sha256_feed(&d->sha, d->out, n);
    return env->put(env, d->out, n);
}

static int emit(struct patch *d, const struct otapult_decoder_env *env, const uint8_t *p, uint32_t n)
{
    int err = 0;

    if (OUTPUT_SIZE - d->out_size < n)
        err = hand_on(d, env);
    memcpy(d->out + d->out_size, p, n);
    d->out_size += n;
    d->made += n;
    return err;
}

/* ---- header ---- */

static void name_build(struct otapult_text *t, const char *version, size_t len, const uint8_t id[4])
{
    char clean[OTAPULT_PATCH_TEXT + 1];

    otapult_text_clean(clean, sizeof clean, (const uint8_t *)version, len);
    otapult_text_str(t, clean[0] != 0 ? clean : "?");
    otapult_text_str(t, " (");
    otapult_text_digest(t, id, 4);
    otapult_text_str(t, ")");
}

/* Writes which firmware runs, where the patch is for another one. Nothing has come out yet, so the output's
 * buffer takes the head of the running image. */
static void name_running(struct patch *d, struct otapult_text *t)
{
    struct otapult_patch_base *b = &d->content.base;
    struct otapult_app_desc desc;

    memset(d->out, 0, OTAPULT_HEAD_SIZE);
    if (b->flash.size >= OTAPULT_HEAD_SIZE)
        b->err = b->flash.read(b->flash.ctx, 0, d->out, OTAPULT_HEAD_SIZE);
    if (b->err != 0 || !otapult_desc_decode(d->out + OTAPULT_DESC_OFFSET, &desc)) {
        otapult_text_str(t, "?");
        return;
    }
    b->err = otapult_name_stored(&b->flash, d->out, &desc);
    name_build(t, desc.version, strlen(desc.version), desc.build);
}

/* "1.2.2 (0badcafe); 1.2.1 (cafebabe)" */
static int wrong_base(struct patch *d, const struct otapult_decoder_env *env)
{
    struct otapult_text t;

    otapult_text_init(&t, d->text, sizeof d->text);
    name_build(&t, (const char *)d->header + OTAPULT_PATCH_HEADER, d->header[AT_BASE_TEXT],
               d->header + AT_BASE_BUILD);
    otapult_text_str(&t, "; ");
    name_running(d, &t);
    if (d->content.base.err != 0)
        return d->content.base.err;
    *env->why = (struct otapult_finding){.at = AT_BASE_SHA, .text = d->text};
    return OTAPULT_E_PATCH_WRONG_BASE;
}

static int check_base(struct patch *d, const struct otapult_decoder_env *env)
{
    struct otapult_patch_base *b = &d->content.base;
    uint8_t sha[32];
    int err = env->running(env, &b->flash);

    if (err != 0)
        return err;
    if (d->base_size > b->flash.size)
        return wrong_base(d, env);
    err = otapult_slot_sha256(&b->flash, d->base_size, d->out, OUTPUT_SIZE, sha);
    if (err != 0)
        return err;
    if (memcmp(sha, d->header + AT_BASE_SHA, sizeof sha) != 0)
        return wrong_base(d, env);
    b->size = d->base_size;
    otapult_patch_base_init(b);
    return b->err;
}

/* All that learns begins anew with each patch: encoder and decoder must start from the same numbers. */
static void begin_body(struct patch *d)
{
    struct otapult_patch_number *all[] = {&d->first,    &d->block_gap, &d->block_size, &d->block_seek,
                                          &d->new_size, &d->copy_size, &d->copy_seek};

    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
        otapult_patch_number_init(all[i]);
    otapult_patch_coarse_init(&d->all_new, 1);
    otapult_patch_content_init(&d->content);
    otapult_sha256_init(&d->sha);
    d->in.p = d->input;
    d->at = AT_BODY;
    d->step = STEP_FIRST;
}

static int take_header(struct patch *d, const struct otapult_decoder_env *env)
{
    uint32_t text = d->header_size - 4;

    if (otapult_le32(d->header + text) != otapult_crc32(0, d->header, text))
        return damaged(d, env, "the checksum of its header is wrong");
    if (d->header[AT_VERSION] != OTAPULT_PATCH_VERSION || d->header[AT_MODE] != 0)
        return damaged(d, env, "made by a newer otapult");
    d->base_size = otapult_le32(d->header + AT_BASE_SIZE);
    d->result_size = otapult_le32(d->header + AT_RESULT_SIZE);
    d->body = otapult_le32(d->header + AT_BODY_SIZE);
    int err = check_base(d, env);
    if (err == 0)
        err = env->expect(env, d->result_size);
    if (err == 0)
        begin_body(d);
    return err;
}

/* Its size is known when its fixed part is there. */
static int feed_header(struct patch *d, const struct otapult_decoder_env *env, const uint8_t **p, size_t *n)
{
    while (*n > 0 && d->pos < d->header_size) {
        d->header[d->pos++] = *(*p)++;
        --*n;
        if (d->pos != OTAPULT_PATCH_HEADER)
            continue;
        if (d->header[AT_BASE_TEXT] > OTAPULT_PATCH_TEXT || d->header[AT_RESULT_TEXT] > OTAPULT_PATCH_TEXT)
            return damaged(d, env, "a version text is too long");
        d->header_size += (uint32_t)d->header[AT_BASE_TEXT] + d->header[AT_RESULT_TEXT] + 4;
    }
    if (d->pos < d->header_size)
        return 0;
    d->crc = otapult_crc32(0, d->header, d->header_size);
    return take_header(d, env);
}

/* ---- steps of the body ---- */

static void take_first(struct patch *d)
{
    struct otapult_patch_content *c = &d->content;

    otapult_patch_input_init(&d->in);
    d->segments = otapult_patch_number(&d->in, &d->first);
    d->blocks = otapult_patch_number(&d->in, &d->first);
    if (c->base.family == OTAPULT_PATCH_RISCV) {
        c->base.gp = otapult_patch_number(&d->in, &d->first);
        c->result_gp = otapult_patch_number(&d->in, &d->first);
    }
}

static int step_first(struct patch *d, const struct otapult_decoder_env *env)
{
    take_first(d);
    if (d->segments > OTAPULT_PATCH_SEGMENTS || d->blocks > OTAPULT_PATCH_BLOCKS)
        return damaged(d, env, "too many segments or blocks");
    d->step = STEP_SEGMENT;
    return 0;
}

/* Reads one segment of the result: its address and size come as differences from the base's. As in the image
 * format, a head of 8 bytes stands before each. */
static int step_segment(struct patch *d)
{
    struct otapult_patch_image *r = &d->content.result;
    const struct otapult_patch_image *b = &d->content.base.image;
    struct otapult_patch_segment s = {.at = OTAPULT_IMAGE_HEADER};

    if (d->segments == 0) {
        otapult_patch_find_code(&d->content.base, r);
        d->step = STEP_BLOCK;
        return 0;
    }
    d->segments--;
    if (r->segments > 0)
        s.at = r->segment[r->segments - 1].at + r->segment[r->segments - 1].size;
    s.at += OTAPULT_SEGMENT_HEADER;
    if (r->segments < b->segments) {
        s.address = b->segment[r->segments].address;
        s.size = b->segment[r->segments].size;
    }
    s.address += otapult_patch_signed(&d->in, &d->first);
    s.size += otapult_patch_signed(&d->in, &d->first);
    r->segment[r->segments++] = s;
    return 0;
}

static void begin_gap(struct patch *d)
{
    const struct otapult_patch_map *m = &d->content.map;
    uint32_t to = d->next_block < m->blocks ? m->block[d->next_block].result : d->result_size;

    d->gap = to - d->made;
    d->step = STEP_GAP;
}

static bool lies_in_base(const struct patch *d, uint32_t at, uint32_t size)
{
    return at <= d->base_size && size <= d->base_size - at;
}

static int step_block(struct patch *d, const struct otapult_decoder_env *env)
{
    struct otapult_patch_map *m = &d->content.map;
    uint32_t gap, size, base;

    if (d->blocks == 0) {
        otapult_patch_map_sort(m);
        begin_gap(d);
        return 0;
    }
    d->blocks--;
    gap = otapult_patch_number(&d->in, &d->block_gap);
    size = otapult_patch_number(&d->in, &d->block_size);
    base = d->block_base + otapult_patch_signed(&d->in, &d->block_seek);
    /* Blocks come in the order of the result and never overlap there, so no sum below can wrap; the loop ends
     * because a block of size 0 is refused. In the base they may overlap and go backwards. */
    if (gap > d->result_size - d->block_result || size > d->result_size - d->block_result - gap || size == 0)
        return damaged(d, env, "a block lies outside the result");
    if (!lies_in_base(d, base, size))
        return damaged(d, env, "a block lies outside the base");
    m->block[m->blocks++] =
        (struct otapult_patch_block){.base = base, .result = d->block_result + gap, .size = size};
    d->block_base = base + size;
    d->block_result += gap + size;
    return 0;
}

static void begin_copy(struct patch *d, uint32_t base, uint32_t size)
{
    d->copy = base;
    d->copy_end = d->old = base + size;
    otapult_patch_begin_copy(&d->content);
    d->step = STEP_COPY;
}

/* Copies the next block, where no gap is left before it. Else new bytes fill the gap, or some new bytes do
 * and then a short copy. */
static int step_gap(struct patch *d, const struct otapult_decoder_env *env)
{
    const struct otapult_patch_map *m = &d->content.map;

    if (d->gap == 0 && d->next_block == m->blocks) {
        d->step = STEP_DONE;
        return 0;
    }
    if (d->gap == 0) {
        const struct otapult_patch_block *b = &m->block[d->next_block++];
        begin_copy(d, b->base, b->size);
        return 0;
    }
    d->left = d->gap;
    if (!otapult_patch_coarse_bit(&d->in, &d->all_new)) {
        d->left = otapult_patch_number(&d->in, &d->new_size);
        if (d->left >= d->gap)
            return damaged(d, env, "more new bytes than fit");
    }
    d->step = STEP_NEW;
    return 0;
}

/* The new bytes did not fill the gap, so a short copy follows. */
static int short_copy(struct patch *d, const struct otapult_decoder_env *env)
{
    uint32_t size = otapult_patch_number(&d->in, &d->copy_size);
    uint32_t base = d->old + otapult_patch_signed(&d->in, &d->copy_seek);

    if (size == 0 || size > d->gap || !lies_in_base(d, base, size))
        return damaged(d, env, "a copy lies outside the base or the gap");
    d->gap -= size;
    begin_copy(d, base, size);
    return 0;
}

static int step_new(struct patch *d, const struct otapult_decoder_env *env)
{
    uint8_t old, now;

    if (d->left == 0) {
        if (d->gap > 0)
            return short_copy(d, env);
        begin_gap(d);
        return 0;
    }
    otapult_patch_base_read(&d->content.base, d->old, &old, 1);
    now = otapult_patch_new_byte(&d->content, &d->in, d->made, old);
    d->old++;
    d->left--;
    d->gap--;
    return emit(d, env, &now, 1);
}

static int step_copy(struct patch *d, const struct otapult_decoder_env *env)
{
    uint8_t now[4];
    unsigned n;

    if (d->copy == d->copy_end) {
        begin_gap(d);
        return 0;
    }
    n = otapult_patch_copy_unit(&d->content, &d->in, d->copy, d->copy_end, d->made, now);
    d->copy += n;
    return emit(d, env, now, n);
}

static int step(struct patch *d, const struct otapult_decoder_env *env)
{
    int err = OTAPULT_E_INTERNAL;

    switch (d->step) {
    case STEP_FIRST: err = step_first(d, env); break;
    case STEP_SEGMENT: err = step_segment(d); break;
    case STEP_BLOCK: err = step_block(d, env); break;
    case STEP_GAP: err = step_gap(d, env); break;
    case STEP_NEW: err = step_new(d, env); break;
    case STEP_COPY: err = step_copy(d, env); break;
    case STEP_DONE: err = 0; break;
    }
    return err != 0 ? err : d->content.base.err;
}

/* ---- input ---- */

/* Moves what is left to the front, and takes as much of p[n] as there is room and body for. */
static size_t refill(struct patch *d, const uint8_t *p, size_t n)
{
    size_t kept = d->in.n - d->in.at, room = INPUT_SIZE - kept;

    memmove(d->input, d->input + d->in.at, kept);
    if (n > room)
        n = room;
    if (n > d->body)
        n = d->body;
    memcpy(d->input + kept, p, n);
    d->in.at = 0;
    d->in.n = kept + n;
    d->body -= (uint32_t)n;
    d->pos += (uint32_t)n;
    d->crc = otapult_crc32(d->crc, p, n);
    return n;
}

static int feed_body(struct patch *d, const struct otapult_decoder_env *env, const uint8_t **p, size_t *n)
{
    size_t taken = refill(d, *p, *n);
    int err = 0;

    *p += taken;
    *n -= taken;
    /* A step never stops in the middle: it begins with STEP_MOST bytes at hand, or when no more will come. A
     * hostile body that is too short makes the decoder read zeros, which `over` tells after the step. */
    while (err == 0 && d->step != STEP_DONE && d->in.over == 0 &&
           (d->in.n - d->in.at >= STEP_MOST || d->body == 0))
        err = step(d, env);
    if (err != 0 || (d->body > 0 && d->step != STEP_DONE))
        return err;
    if (d->in.over > 0 || d->in.at < d->in.n || d->body > 0)
        return damaged(d, env, "its body is too short or too long");
    d->at = AT_CRC;
    d->header_size = 0; /* the header's buffer takes the end */
    return 0;
}

static int feed_crc(struct patch *d, const struct otapult_decoder_env *env, const uint8_t **p, size_t *n)
{
    while (*n > 0 && d->header_size < END_SIZE) {
        d->header[d->header_size++] = *(*p)++;
        d->pos++;
        --*n;
    }
    if (d->header_size < END_SIZE)
        return 0;
    d->at = AT_END;
    return otapult_le32(d->header) == d->crc ? 0 : damaged(d, env, "the checksum at its end is wrong");
}

/* ---- the stage ---- */

static int patch_init(void *state, const struct otapult_decoder_env *env)
{
    struct patch *d = state;

    (void)env;
    memset(d, 0, sizeof *d);
    d->header_size = OTAPULT_PATCH_HEADER;
    return 0;
}

static int patch_feed(void *state, const struct otapult_decoder_env *env, const uint8_t *p, size_t n)
{
    struct patch *d = state;
    int err = 0;

    while (err == 0 && n > 0) {
        switch (d->at) {
        case AT_HEADER: err = feed_header(d, env, &p, &n); break;
        case AT_BODY: err = feed_body(d, env, &p, &n); break;
        case AT_CRC: err = feed_crc(d, env, &p, &n); break;
        case AT_END: err = damaged(d, env, "more bytes follow"); break;
        }
    }
    return err;
}

static int patch_finish(void *state, const struct otapult_decoder_env *env)
{
    struct patch *d = state;
    uint8_t sha[32];
    int err;

    if (d->at != AT_END) {
        *env->why = (struct otapult_finding){.at = d->pos, .got = d->at == AT_BODY ? d->body + END_SIZE : 1};
        return OTAPULT_E_IMAGE_TRUNCATED;
    }
    err = hand_on(d, env);
    if (err == 0)
        err = otapult_sha256_peek(&d->sha, sha);
    if (err == 0 && memcmp(sha, d->header + AT_RESULT_SHA, sizeof sha) != 0)
        err = damaged(d, env, "what it makes is not what it says");
    return err;
}

static bool is_patch(const uint8_t *head, size_t n)
{
    return n >= 4 && memcmp(head, OTAPULT_PATCH_MAGIC, 4) == 0;
}

const struct otapult_decoder otapult_patch = {
    .name = "patch",
    .memory = sizeof(struct patch),
    .makes_image = true,
    .errors = &otapult_errors_of_patch,
    .recognises = is_patch,
    .init = patch_init,
    .feed = patch_feed,
    .finish = patch_finish,
};
