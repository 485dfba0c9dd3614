/* SPDX-License-Identifier: Apache-2.0 */
#include "decode/patch_content.h"

#include <string.h>

#include "base/bytes.h"

/* Decoder and encoder (cli/patch_content.c) run this logic in the same order with the same numbers. Whatever
 * is changed here, a constant or the order of two guesses, makes another format: docs/patch-format.md has to
 * say so, and patches of before cannot be read. A wrong guess costs bytes and is never an error: the result
 * is what the bits say. */

#define SAME_LIMIT  1023u
#define RIGHT_LIMIT 255u
#define NEAR        0x4000u /* a number this far from the expected address is believed of its neighbours */
#define CHANGE_SET  3u

enum source { EXACT, INSIDE, BELOW, LOWER, UPPER, RECENT };
enum sort { POINTERS, CALLS, LITERALS, JUMPS };

/* One unit on its way. */
struct unit {
    struct otapult_patch_unit u;
    struct otapult_patch_evidence e;
    uint32_t to, address; /* in the result: offset and address */
    uint32_t pair_base;   /* of a lower or upper half, in the result */
    enum sort sort;
    uint32_t shift[OTAPULT_PATCH_SOURCES]; /* candidates, the likeliest first */
    uint8_t source[OTAPULT_PATCH_SOURCES];
    unsigned candidates;
    uint8_t now[4]; /* what it becomes */
};

void otapult_patch_content_init(struct otapult_patch_content *c)
{
    otapult_patch_fine_init(c->same, sizeof c->same / sizeof c->same[0], 128);
    otapult_patch_fine_init(c->right, sizeof c->right / sizeof c->right[0], 2048);
    otapult_patch_coarse_init(c->changed, sizeof c->changed / sizeof c->changed[0]);
    otapult_patch_coarse_init(c->back, sizeof c->back / sizeof c->back[0]);
    otapult_patch_coarse_init(c->other, OTAPULT_PATCH_CLASSES);
    otapult_patch_coarse_init(c->which, sizeof c->which / sizeof c->which[0]);
    otapult_patch_coarse_init(c->number, OTAPULT_PATCH_CLASSES);
    otapult_patch_coarse_init(c->from_last, OTAPULT_PATCH_CLASSES);
    otapult_patch_coarse_init(c->differs, sizeof c->differs / sizeof c->differs[0]);
    for (unsigned i = 0; i < OTAPULT_PATCH_CLASSES; i++) {
        otapult_patch_number_init(&c->distance[i]);
        otapult_patch_number_init(&c->step[i]);
    }
    otapult_patch_bytes_init(&c->bytes);
}

void otapult_patch_begin_copy(struct otapult_patch_content *c)
{
    memset(&c->walk, 0, sizeof c->walk);
    c->misses = 0;
}

/* How long ago a prediction was wrong: 0 to 6. */
static unsigned calm(const struct otapult_patch_content *c, uint32_t to)
{
    static const uint16_t step[] = {4, 16, 64, 256, 1024, 8192};
    uint32_t since = to - c->last_miss;
    unsigned i = 0;

    while (i < sizeof step / sizeof step[0] && since >= step[i])
        i++;
    return i;
}

static void missed(struct otapult_patch_content *c, uint32_t to)
{
    c->last_miss = to;
}

/* ---- changed bytes ---- */

/* now[] holds what was expected. At least one byte differs from it. */
static void take_bytes(struct otapult_patch_content *c, struct otapult_patch_input *in, struct unit *x)
{
    unsigned kind = x->u.kind, before = 0;
    bool differs[4] = {false};

    missed(c, x->to);
    c->misses++;
    for (unsigned i = 0; i < x->u.bytes; i++) {
        bool last = i + 1u == x->u.bytes && before == 0;
        differs[i] = last || otapult_patch_coarse_bit(in, &c->differs[(kind * 4 + i) * 8 + before]);
        before = before * 2 + (differs[i] ? 1 : 0);
    }
    for (unsigned i = 0; i < x->u.bytes; i++) {
        if (!differs[i])
            continue;
        const uint32_t context[3] = {
            x->u.old[i] | (kind * 4 + i) << 8 | 1u << 30,
            kind << 8 | i << 16 | 2u << 28,
            c->before[0] | i << 8 | kind << 16 | 3u << 28,
        };
        x->now[i] = otapult_patch_byte(in, &c->bytes, CHANGE_SET, context);
    }
}

/* ---- units without an address ---- */

static void take_plain(struct otapult_patch_content *c, struct otapult_patch_input *in, struct unit *x)
{
    uint32_t old = otapult_le32(x->now);
    struct otapult_patch_change *like =
        &c->change[otapult_patch_hash(old, x->u.bytes) % OTAPULT_PATCH_CHANGES];
    unsigned quiet = calm(c, x->to), kind = x->u.kind;

    if (like->old == old && like->now != old) {
        if (!otapult_patch_coarse_bit(in, &c->changed[kind * 2 + (quiet < 2)])) {
            otapult_put_le32(x->now, like->now);
            return;
        }
        if (!otapult_patch_coarse_bit(in, &c->back[kind])) {
            like->now = like->old;
            missed(c, x->to);
            return;
        }
    } else {
        unsigned bad = c->misses < 2 ? c->misses : 2;
        if (!otapult_patch_bit(in, &c->same[(kind * 7 + quiet) * 3 + bad], SAME_LIMIT))
            return;
    }
    take_bytes(c, in, x);
    *like = (struct otapult_patch_change){.old = old, .now = otapult_le32(x->now)};
}

/* ---- units with an address ---- */

static enum sort sort_of(unsigned kind)
{
    switch (kind) {
    case OTAPULT_KIND_CALL: return CALLS;
    case OTAPULT_KIND_LITERAL: return LITERALS;
    case OTAPULT_KIND_JUMP:
    case OTAPULT_KIND_BRANCH: return JUMPS;
    default: return POINTERS;
    }
}

static void add(struct unit *x, uint32_t shift, unsigned source)
{
    for (unsigned i = 0; i < x->candidates; i++)
        if (x->shift[i] == shift)
            return;
    if (x->candidates == OTAPULT_PATCH_SOURCES)
        return; /* each source comes once, so this cannot be; a compiler cannot know */
    x->shift[x->candidates] = shift;
    x->source[x->candidates++] = (uint8_t)source;
}

/* Jumps stay within a function, whose blocks know better than single addresses. */
static void find_candidates(struct otapult_patch_content *c, struct unit *x)
{
    const struct otapult_patch_evidence *e = &x->e;

    otapult_patch_map_ask(&c->map, &c->base, &c->result, x->u.target, &x->e);
    if (e->exact && x->sort != JUMPS)
        add(x, e->exact_shift, EXACT);
    if (e->inside)
        add(x, e->block_shift, INSIDE);
    if (e->below_block && x->sort == JUMPS)
        add(x, e->block_shift, BELOW);
    if (e->lower)
        add(x, e->lower_shift, LOWER);
    if (e->below_block)
        add(x, e->block_shift, BELOW);
    if (e->upper)
        add(x, e->upper_shift, UPPER);
    for (unsigned i = 0; i < OTAPULT_PATCH_RECENT; i++)
        add(x, c->recent[x->sort][i], RECENT + i);
}

static void put(struct unit *x, uint32_t target)
{
    memcpy(x->now, x->u.old, sizeof x->now);
    (void)otapult_patch_put(x->u.form, x->now, x->address, x->pair_base, target);
}

static otapult_patch_fine *right_context(struct otapult_patch_content *c, const struct unit *x)
{
    const struct otapult_patch_evidence *e = &x->e;
    unsigned against = 0;
    unsigned source = x->source[0] < RECENT ? x->source[0] : RECENT;

    if (e->lower && e->lower_shift != x->shift[0])
        against++;
    if (e->upper && e->upper_shift != x->shift[0])
        against++;

    return &c->right[(((x->u.kind - OTAPULT_KIND_POINTER) * 6u + source) * 3 + against) * 2 +
                     (calm(c, x->to) < 3)];
}

static uint32_t *last_address(struct otapult_patch_content *c, enum sort sort, uint32_t address)
{
    if (sort != POINTERS)
        return &c->last[sort - 1];
    return &c->last[OTAPULT_PATCH_CLASSES - 1 + (unsigned)(otapult_patch_region(&c->base, address) + 1)];
}

/* Xtensa's calls and literals are words. */
static uint32_t unit_of_distance(const struct otapult_patch_content *c, enum sort sort)
{
    return c->base.family == OTAPULT_PATCH_XTENSA && (sort == CALLS || sort == LITERALS) ? 4 : 1;
}

/* The shift of this address is known now: the next address is likely to have moved as far, so it goes to the
 * front of the recent ones. Only a shift that the blocks and the neighbours did not foretell is learned, for
 * places are few. */
static void note(struct otapult_patch_content *c, const struct unit *x, uint32_t shift, bool believed)
{
    const struct otapult_patch_evidence *e = &x->e;
    uint32_t *recent = c->recent[x->sort], i = 0;

    while (i < OTAPULT_PATCH_RECENT - 1 && recent[i] != shift)
        i++;
    memmove(recent + 1, recent, i * sizeof *recent);
    recent[0] = shift;
    if (x->u.form != OTAPULT_PATCH_UPPER)
        *last_address(c, x->sort, x->u.target + shift) = x->u.target + shift;
    if (x->sort == JUMPS || !believed)
        return;
    bool by_block = e->inside && e->block_shift == shift;
    bool by_neighbours = e->lower && e->lower_shift == shift && (!e->upper || e->upper_shift == shift);
    if (e->exact || (!by_block && !by_neighbours))
        otapult_patch_map_learn(&c->map, x->u.target, shift);
}

/* An address as a number: its distance from the expected one, or from the one that came last. */
static void take_number(struct otapult_patch_content *c, struct otapult_patch_input *in, struct unit *x)
{
    uint32_t expected = x->u.target + x->shift[0], size = unit_of_distance(c, x->sort), target;

    if (x->u.form == OTAPULT_PATCH_UPPER) {
        put(x, expected + otapult_patch_signed(in, &c->distance[x->sort]) * 4096);
        return;
    }
    if (otapult_patch_coarse_bit(in, &c->from_last[x->sort]))
        target = *last_address(c, x->sort, x->u.target) + otapult_patch_signed(in, &c->step[x->sort]) * size;
    else
        target = expected + otapult_patch_signed(in, &c->distance[x->sort]) * size;
    put(x, target);
    uint32_t off = target - expected;
    note(c, x, target - x->u.target, off + NEAR < 2 * NEAR);
}

static void take_other(struct otapult_patch_content *c, struct otapult_patch_input *in, struct unit *x)
{
    unsigned i = 1;

    while (i < x->candidates &&
           !otapult_patch_coarse_bit(in, &c->which[x->sort * OTAPULT_PATCH_SOURCES + x->source[i]]))
        i++;
    if (i == x->candidates) /* no encoder writes this; any bytes will do */
        return;
    put(x, x->u.target + x->shift[i]);
    note(c, x, x->shift[i], true);
}

static void take_moved(struct otapult_patch_content *c, struct otapult_patch_input *in, struct unit *x)
{
    x->sort = sort_of(x->u.kind);
    find_candidates(c, x);
    put(x, x->u.target + x->shift[0]);
    if (!otapult_patch_bit(in, right_context(c, x), RIGHT_LIMIT)) {
        note(c, x, x->shift[0], true);
        return;
    }
    missed(c, x->to);
    if (otapult_patch_coarse_bit(in, &c->other[x->sort]))
        take_other(c, in, x);
    else if (otapult_patch_coarse_bit(in, &c->number[x->sort]))
        take_number(c, in, x);
    else
        take_bytes(c, in, x);
}

/* ---- both ---- */

/* Is the place in the result such that the address is likely to be there again? */
static bool still_moves(const struct unit *x, const struct otapult_patch_segment *s)
{
    uint32_t by = x->address - x->u.address;

    if (x->u.form == OTAPULT_PATCH_NO_FORM || s == NULL || s->code != x->u.code)
        return false;
    return x->u.form != OTAPULT_PATCH_POINTER || (x->u.address & 3) != 0 || (by & 3) == 0;
}

static uint32_t pair_base(const struct otapult_patch_content *c, const struct unit *x)
{
    if (x->u.from == OTAPULT_PATCH_BY_GP)
        return c->result_gp;
    return x->u.from == 0 ? 0 : x->u.from + (x->address - x->u.address);
}

unsigned otapult_patch_copy_unit(struct otapult_patch_content *c, struct otapult_patch_input *in,
                                 uint32_t from, uint32_t end, uint32_t to, uint8_t out[4])
{
    struct unit x = {.to = to};
    const struct otapult_patch_segment *s = otapult_patch_segment_at(&c->result, to);

    otapult_patch_unit(&c->base, &c->walk, from, end, &x.u);
    if (s != NULL)
        x.address = s->address + (to - s->at);
    for (unsigned i = 0; i < x.u.bytes; i++)
        x.now[i] = x.u.old[i];
    if (still_moves(&x, s)) {
        x.pair_base = pair_base(c, &x);
        take_moved(c, in, &x);
    } else {
        take_plain(c, in, &x);
    }
    for (unsigned i = 0; i < x.u.bytes; i++) {
        out[i] = x.now[i];
        c->before[1] = c->before[0];
        c->before[0] = x.now[i];
    }
    return x.u.bytes;
}

/* ---- new bytes ---- */

uint8_t otapult_patch_new_byte(struct otapult_patch_content *c, struct otapult_patch_input *in, uint32_t to,
                               uint8_t old)
{
    const struct otapult_patch_segment *s = otapult_patch_segment_at(&c->result, to);
    unsigned set = s == NULL ? 0 : s->code ? 1 : 2;
    uint32_t one = c->before[0], two = c->before[1];
    const uint32_t context[3] = {
        one | set << 8,
        one | two << 8 | set << 24,
        set == 1 ? ((to - s->at) & 3) | (uint32_t)old << 8 | one << 16 | 7u << 29 : old | one << 8 | 6u << 29,
    };
    uint8_t byte = otapult_patch_byte(in, &c->bytes, set, context);

    c->before[1] = c->before[0];
    c->before[0] = byte;
    return byte;
}
