/* SPDX-License-Identifier: Apache-2.0 */
#include "decode/chain.h"

#include <string.h>

#define APP_IMAGE 0xE9u
#define ALIGNMENT 8u /* of a uint64_t */

/* Bytes go through the chain by calls within calls: feed() of one place calls its decoder, whose env->put()
 * is feed() of the next place, and so on to the owner's env. So the stack grows with the number of decoders,
 * which OTAPULT_CHAIN_DECODERS bounds. Each place keeps the first bytes of what comes there until it knows
 * whether a decoder recognises them. */

/* ---- memory ---- */

static uint32_t room_for(const struct otapult_decoder *d)
{
    return (d->memory + ALIGNMENT - 1) & ~(ALIGNMENT - 1);
}

const char *otapult_chain_fault(const struct otapult_decoder *const *decoders, const void *memory,
                                size_t memory_size)
{
    if (decoders == NULL || *decoders == NULL)
        return NULL;
    if (memory == NULL || (uintptr_t)memory % ALIGNMENT != 0)
        return "decoder_memory is missing, or not aligned to 8 bytes";
    for (; *decoders != NULL; decoders++)
        if (room_for(*decoders) > memory_size)
            return "decoder_memory is smaller than a decoder needs";
    return NULL;
}

/* ---- one place of the chain ---- */

/* A stage while a call lasts. It is what a decoder's env points to: made anew at each call, because neither
 * chain nor env may hold pointers that outlive it. */
struct place {
    struct otapult_chain *chain;
    const struct otapult_decoder_env *out; /* what lies behind the chain */
    unsigned n;
};

static struct otapult_chain_stage *stage_of(const struct place *at)
{
    return &at->chain->stage[at->n];
}

static bool is_used_before(const struct place *at, const struct otapult_decoder *d)
{
    for (unsigned i = 0; i < at->n; i++)
        if (at->chain->stage[i].decoder == d)
            return true;
    return false;
}

/* May what comes here be for a decoder at all? */
static bool is_open(const struct place *at)
{
    const struct otapult_chain *c = at->chain;
    bool is_image = at->n > 0 && c->stage[at->n - 1].decoder->makes_image;
    return at->n < OTAPULT_CHAIN_DECODERS && c->decoders != NULL && !is_image;
}

static const struct otapult_decoder *find(const struct place *at)
{
    const struct otapult_chain_stage *s = stage_of(at);
    if (!is_open(at) || s->head_size == 0 || s->head[0] == APP_IMAGE)
        return NULL;
    for (unsigned i = 0; at->chain->decoders[i] != NULL; i++) {
        const struct otapult_decoder *d = at->chain->decoders[i];
        if (!is_used_before(at, d) && d->recognises(s->head, s->head_size))
            return d;
    }
    return NULL;
}

/* ---- what a decoder calls ---- */

static int pass_head(const struct place *at);
static int feed(const struct place *at, const uint8_t *p, size_t n);
static int decide(const struct place *at);

static struct place behind(const struct place *at)
{
    return (struct place){.chain = at->chain, .out = at->out, .n = at->n + 1};
}

/* Where it is known already that no decoder follows, the size goes on before the first byte is made. */
static int expect(const struct otapult_decoder_env *env, uint32_t size)
{
    const struct place next = behind(env->ctx);
    stage_of(&next)->size = size;
    return is_open(&next) ? 0 : decide(&next);
}

static int put(const struct otapult_decoder_env *env, const uint8_t *p, size_t n)
{
    const struct place next = behind(env->ctx);
    return feed(&next, p, n);
}

static int running(const struct otapult_decoder_env *env, struct otapult_flash *flash)
{
    const struct place *at = env->ctx;
    return at->out->running(at->out, flash);
}

static int recall(const struct otapult_decoder_env *env, uint32_t from, uint8_t *dst, uint32_t n)
{
    const struct place *at = env->ctx;
    return at->out->recall(at->out, from, dst, n);
}

static struct otapult_decoder_env env_of(struct place *at)
{
    return (struct otapult_decoder_env){
        .ctx = at, .expect = expect, .put = put, .running = running, .recall = recall, .why = at->out->why};
}

/* ---- deciding ---- */

static int begin_decoder(const struct place *at, const struct otapult_decoder *d)
{
    struct otapult_chain *c = at->chain;
    struct place here = *at;
    const struct otapult_decoder_env env = env_of(&here);

    if (room_for(d) > c->memory_size) {
        *at->out->why =
            (struct otapult_finding){.got = (uint32_t)c->memory_size, .want = room_for(d), .text = d->name};
        return OTAPULT_E_FILE_PACKED_TWICE;
    }
    stage_of(at)->decoder = d;
    stage_of(at)->state = c->memory;
    c->memory += room_for(d);
    c->memory_size -= room_for(d);
    return d->init(stage_of(at)->state, &env);
}

/* Chooses the decoder of this place by the first bytes. Fewer than OTAPULT_DECODER_HEAD are there only where
 * they do not matter (no decoder may follow, or it is an app image) or where the file has ended. */
static int decide(const struct place *at)
{
    struct otapult_chain_stage *s = stage_of(at);
    const struct otapult_decoder *d = find(at);

    s->decided = true;
    if (d != NULL)
        return begin_decoder(at, d);
    return s->size == OTAPULT_SIZE_UNKNOWN ? 0 : at->out->expect(at->out, s->size);
}

/* ---- bytes ---- */

static int pass(const struct place *at, const uint8_t *p, size_t n)
{
    const struct otapult_chain_stage *s = stage_of(at);
    struct place here = *at;

    if (n == 0)
        return 0;
    if (s->decoder == NULL)
        return at->out->put(at->out, p, n);
    const struct otapult_decoder_env env = env_of(&here);
    return s->decoder->feed(s->state, &env, p, n);
}

static int pass_head(const struct place *at)
{
    int err = decide(at);
    return err == 0 ? pass(at, stage_of(at)->head, stage_of(at)->head_size) : err;
}

/* Is the head complete, or is its first byte enough? */
static bool may_decide(const struct place *at)
{
    const struct otapult_chain_stage *s = stage_of(at);
    return s->head_size == OTAPULT_DECODER_HEAD || s->head[0] == APP_IMAGE;
}

/* Returns how many of the bytes went into the head. */
static size_t keep_head(const struct place *at, const uint8_t *p, size_t n)
{
    struct otapult_chain_stage *s = stage_of(at);
    size_t taken = 0;

    while (taken < n && s->head_size < OTAPULT_DECODER_HEAD)
        s->head[s->head_size++] = p[taken++];
    return taken;
}

static int feed(const struct place *at, const uint8_t *p, size_t n)
{
    struct otapult_chain_stage *s = stage_of(at);
    size_t taken = 0;
    int err = 0;

    if (!s->decided && !is_open(at))
        err = decide(at);
    if (!s->decided && n > 0) {
        taken = keep_head(at, p, n);
        err = may_decide(at) ? pass_head(at) : 0;
    }
    return err == 0 ? pass(at, p + taken, n - taken) : err;
}

/* Nothing more comes to this place. Its decoder may still hand bytes on, so the places are finished front to
 * back. */
static int finish(const struct place *at)
{
    const struct otapult_chain_stage *s = stage_of(at);
    struct place here = *at;
    const struct otapult_decoder_env env = env_of(&here);

    int err = s->decided ? 0 : pass_head(at);
    return err == 0 && s->decoder != NULL ? s->decoder->finish(s->state, &env) : err;
}

/* ---- the chain ---- */

void otapult_chain_init(struct otapult_chain *c, const struct otapult_decoder *const *decoders, void *memory,
                        size_t memory_size, uint32_t size)
{
    *c = (struct otapult_chain){.decoders = decoders, .memory = memory, .memory_size = memory_size};
    for (unsigned i = 0; i <= OTAPULT_CHAIN_DECODERS; i++)
        c->stage[i].size = OTAPULT_SIZE_UNKNOWN;
    c->stage[0].size = size;
}

static int settle(struct otapult_chain *c, int err, const struct otapult_finding *why)
{
    c->err = err;
    c->why = *why;
    return err;
}

static int first_error(const struct otapult_chain *c, const struct otapult_decoder_env *env)
{
    if (c->err != 0)
        *env->why = c->why;
    return c->err;
}

int otapult_chain_feed(struct otapult_chain *c, const struct otapult_decoder_env *env, const uint8_t *p,
                       size_t n)
{
    const struct place door = {.chain = c, .out = env};

    if (c->err != 0)
        return first_error(c, env);
    int err = feed(&door, p, n);
    return err == 0 ? 0 : settle(c, err, env->why);
}

int otapult_chain_finish(struct otapult_chain *c, const struct otapult_decoder_env *env)
{
    int err = first_error(c, env);

    for (unsigned n = 0; n <= OTAPULT_CHAIN_DECODERS && err == 0; n++) {
        const struct place at = {.chain = c, .out = env, .n = n};
        err = finish(&at);
        if (c->stage[n].decoder == NULL)
            break;
    }
    return err == 0 ? 0 : settle(c, err, env->why);
}

/* ---- a file that goes on ---- */

static void keep_whole_head(struct otapult_chain *c, const uint8_t head[OTAPULT_DECODER_HEAD])
{
    memcpy(c->stage[0].head, head, OTAPULT_DECODER_HEAD);
    c->stage[0].head_size = OTAPULT_DECODER_HEAD;
}

bool otapult_chain_fits(const struct otapult_decoder *const *decoders,
                        const uint8_t head[OTAPULT_DECODER_HEAD], const struct otapult_decoder_point *point)
{
    struct otapult_chain c;
    const struct place door = {.chain = &c};

    otapult_chain_init(&c, decoders, NULL, 0, OTAPULT_SIZE_UNKNOWN);
    keep_whole_head(&c, head);
    const struct otapult_decoder *d = find(&door);
    return d == NULL ? point->form == 0 && point->taken == point->made : point->form != 0 && d->go_on != NULL;
}

int otapult_chain_has_seen(struct otapult_chain *c, const struct otapult_decoder_env *env,
                           const uint8_t head[OTAPULT_DECODER_HEAD])
{
    const struct place door = {.chain = c, .out = env};

    keep_whole_head(c, head);
    int err = decide(&door);
    return err == 0 ? 0 : settle(c, err, env->why);
}

/* The next place needs no decision: otapult_chain_point() gives a point only where the first decoder makes
 * the image. */
int otapult_chain_go_on(struct otapult_chain *c, const struct otapult_decoder_env *env,
                        const struct otapult_decoder_point *point)
{
    struct place door = {.chain = c, .out = env};
    const struct otapult_decoder_env inner = env_of(&door);
    const struct otapult_chain_stage *s = &c->stage[0];

    if (s->decoder == NULL)
        return 0;
    c->stage[1].decided = true;
    int err = s->decoder->go_on(s->state, &inner, point);
    return err == 0 ? 0 : settle(c, err, env->why);
}

bool otapult_chain_point(struct otapult_chain *c, uint32_t made, struct otapult_decoder_point *point)
{
    const struct otapult_chain_stage *s = &c->stage[0];
    const bool makes_image = c->stage[1].decided && c->stage[1].decoder == NULL;

    return s->decoder != NULL && s->decoder->point != NULL && makes_image &&
           s->decoder->point(s->state, made, point);
}

const char *otapult_chain_name(const struct otapult_chain *c, unsigned n)
{
    return n < OTAPULT_CHAIN_DECODERS && c->stage[n].decoder != NULL ? c->stage[n].decoder->name : NULL;
}
