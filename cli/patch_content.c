/* SPDX-License-Identifier: Apache-2.0 */
#include "patch_content.h"

#include <stdlib.h>
#include <string.h>

/* Writes the body of a patch. It goes over the result unit by unit exactly as the decoder will, and keeps the
 * same memory of addresses and bytes: for each unit it makes the decoder's prediction, writes one bit where
 * that is right, and what is really there where it is wrong. Nothing may be used for a prediction that the
 * decoder does not have at that moment: from the result only bytes that were written before.
 *
 * Names are those of docs/patch-format.md, "The body". */

enum source { EXACT, INSIDE, BELOW, LOWER, UPPER, RECENT, SOURCES = RECENT + OTAPULT_PATCH_RECENT };
enum sort { POINTERS, CALLS, LITERALS, JUMPS, CLASSES };

struct learned {
    uint32_t address, shift;
};

struct content {
    const struct image *base, *result;
    struct match_list list;
    struct code_output *out;

    /* what is known of addresses */
    uint32_t *by_base; /* indices of map blocks, by their place in the base */
    size_t sorted;
    struct learned learned[OTAPULT_PATCH_LEARNED];
    size_t learneds, oldest;
    uint32_t recent[CLASSES][OTAPULT_PATCH_RECENT];
    uint32_t last[CLASSES][OTAPULT_PATCH_REGIONS + 1];

    /* history */
    struct image_walk walk;
    unsigned misses;
    uint32_t last_miss;
    uint8_t one, two;                        /* the bytes before */
    uint32_t like[OTAPULT_PATCH_CHANGES][2]; /* old, now */

    /* chances */
    struct code_chance same[OTAPULT_PATCH_KINDS][7][3], right[9][6][3][2];
    struct code_chance changed[OTAPULT_PATCH_KINDS][2], back[OTAPULT_PATCH_KINDS];
    struct code_chance other[CLASSES], which[CLASSES][SOURCES], number[CLASSES], from_last[CLASSES];
    struct code_chance differs[OTAPULT_PATCH_KINDS][4][8], all_new;
    struct code_number distance[CLASSES], step[CLASSES];
    struct code_number first, block_gap, block_size, block_seek, new_size, copy_size, copy_seek;
    struct code_bytes bytes;
};

/* ---- where an address goes ---- */

static const struct match_list *sorting; /* for by_place(): qsort hands on no context */

static int by_place(const void *a, const void *b)
{
    const struct match_block *x = &sorting->block[*(const uint32_t *)a];
    const struct match_block *y = &sorting->block[*(const uint32_t *)b];

    if (x->base != y->base)
        return x->base < y->base ? -1 : 1;
    return x->result < y->result ? -1 : x->result > y->result;
}

/* Leaves out a block that ends no further than one before it: a search for the last block that begins at or
 * before a place would find it and not the larger one. */
static void sort_blocks(struct content *c)
{
    size_t n = 0;
    uint32_t end = 0;

    for (uint32_t i = 0; i < c->list.count; i++)
        if (c->list.block[i].mapped)
            c->by_base[n++] = i;
    sorting = &c->list;
    qsort(c->by_base, n, sizeof *c->by_base, by_place);
    c->sorted = 0;
    for (size_t i = 0; i < n; i++) {
        const struct match_block *b = &c->list.block[c->by_base[i]];
        if (c->sorted > 0 && b->base + b->size <= end)
            continue;
        end = b->base + b->size;
        c->by_base[c->sorted++] = c->by_base[i];
    }
}

enum place { NOWHERE, IN_BLOCK, BELOW_BLOCK };

/* What the map says of an address of the base: how far it has moved, and whether it lay in a block or only
 * behind the end of one. */
static enum place block_shift(const struct content *c, uint32_t address, uint32_t *shift)
{
    const struct image_segment *s = image_of(c->base, address), *d;
    size_t low = 0, high = c->sorted;

    if (s == NULL)
        return NOWHERE;
    uint32_t at = s->at + (address - s->address);
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (c->list.block[c->by_base[middle]].base <= at)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == 0)
        return NOWHERE;
    const struct match_block *b = &c->list.block[c->by_base[low - 1]];
    d = image_at(c->result, at - b->base + b->result);
    if (d == NULL)
        return NOWHERE;
    *shift = d->address + (at - b->base + b->result - d->at) - address;
    return at - b->base < b->size ? IN_BLOCK : BELOW_BLOCK;
}

/* Index of the first learned address that is not lower. */
static size_t find(const struct content *c, uint32_t address)
{
    size_t i = 0, n = c->learneds;

    while (n > 0) {
        size_t half = n / 2;
        if (c->learned[i + half].address < address) {
            i += half + 1;
            n -= half + 1;
        } else {
            n = half;
        }
    }
    return i;
}

/* Notes where an address went. A full table gives up its entries in turn: the decoder has a fixed table and
 * does the same. */
static void learn(struct content *c, uint32_t address, uint32_t shift)
{
    size_t i = find(c, address);

    if (i == c->learneds || c->learned[i].address != address) {
        if (c->learneds == OTAPULT_PATCH_LEARNED) {
            size_t out = c->oldest++ % 65536 % OTAPULT_PATCH_LEARNED;
            memmove(c->learned + out, c->learned + out + 1, (--c->learneds - out) * sizeof c->learned[0]);
            i = find(c, address);
        }
        memmove(c->learned + i + 1, c->learned + i, (c->learneds++ - i) * sizeof c->learned[0]);
    }
    c->learned[i] = (struct learned){address, shift};
}

uint32_t content_moved(void *content, uint32_t address)
{
    const struct content *c = content;
    size_t i = find(c, address);
    uint32_t shift = 0;

    if (i < c->learneds && c->learned[i].address == address)
        return address + c->learned[i].shift;
    if (block_shift(c, address, &shift) != NOWHERE)
        return address + shift;
    return i > 0 ? address + c->learned[i - 1].shift : address;
}

/* ---- a unit ---- */

struct unit {
    struct image_unit u;
    const uint8_t *old, *now;
    uint32_t to, address, pair_base;
    enum sort sort;
    uint32_t shift[SOURCES];
    unsigned source[SOURCES], candidates, against;
    bool exact, by_block, by_lower, by_upper;
    uint32_t block, lower, upper;
};

static void candidate(struct unit *x, uint32_t shift, unsigned source)
{
    for (unsigned i = 0; i < x->candidates; i++)
        if (x->shift[i] == shift)
            return;
    x->source[x->candidates] = source;
    x->shift[x->candidates++] = shift;
}

/* Collects the candidates for a unit's shift in the order that the format gives them. The first is what the
 * decoder would take if nothing else came. */
static void ask(const struct content *c, struct unit *x)
{
    size_t i = find(c, x->u.target), next;
    int region = image_region(c->base, x->u.target);
    enum place place = block_shift(c, x->u.target, &x->block);
    const bool local = x->sort == JUMPS;

    x->exact = i < c->learneds && c->learned[i].address == x->u.target;
    next = x->exact ? i + 1 : i;
    x->by_block = place == IN_BLOCK;
    x->by_lower = i > 0 && image_region(c->base, c->learned[i - 1].address) == region;
    x->by_upper = next < c->learneds && image_region(c->base, c->learned[next].address) == region;
    x->lower = x->by_lower ? c->learned[i - 1].shift : 0;
    x->upper = x->by_upper ? c->learned[next].shift : 0;
    if (x->exact && !local)
        candidate(x, c->learned[i].shift, EXACT);
    if (place == IN_BLOCK)
        candidate(x, x->block, INSIDE);
    if (place == BELOW_BLOCK && local)
        candidate(x, x->block, BELOW);
    if (x->by_lower)
        candidate(x, x->lower, LOWER);
    if (place == BELOW_BLOCK)
        candidate(x, x->block, BELOW);
    if (x->by_upper)
        candidate(x, x->upper, UPPER);
    for (unsigned k = 0; k < OTAPULT_PATCH_RECENT; k++)
        candidate(x, c->recent[x->sort][k], RECENT + k);
    x->against = x->by_lower && x->lower != x->shift[0];
    if (x->by_upper && x->upper != x->shift[0])
        x->against++;
}

/* How long ago the last surprise was, in steps: right after one the next is likely, and the chances are kept
 * apart. */
static unsigned calm(const struct content *c, uint32_t to)
{
    uint32_t since = to - c->last_miss;

    return since < 4      ? 0
           : since < 16   ? 1
           : since < 64   ? 2
           : since < 256  ? 3
           : since < 1024 ? 4
           : since < 8192 ? 5
                          : 6;
}

static uint32_t word(const uint8_t *p, unsigned n)
{
    uint32_t v = 0;

    while (n-- > 0)
        v = v << 8 | p[n];
    return v;
}

/* ---- changed bytes ---- */

static void write_bytes(struct content *c, const struct unit *x, const uint8_t *expected)
{
    unsigned kind = x->u.kind, before = 0;

    c->last_miss = x->to;
    c->misses++;
    for (unsigned i = 0; i < x->u.bytes; i++) {
        bool differs = x->now[i] != expected[i];
        if (before != 0 || i + 1u < x->u.bytes)
            code_bit(c->out, &c->differs[kind][i][before], differs);
        before = before * 2 + differs;
    }
    for (unsigned i = 0; i < x->u.bytes; i++) {
        uint32_t context[3] = {
            x->old[i] | (kind * 4 + i) << 8 | 1u << 30,
            kind << 8 | i << 16 | 2u << 28,
            c->one | i << 8 | kind << 16 | 3u << 28,
        };
        if (x->now[i] != expected[i])
            code_byte(c->out, &c->bytes, 3, context, x->now[i]);
    }
}

/* A unit without an address. What became of such bytes before is tried first: a constant that changed once
 * often changed everywhere. */
static void write_plain(struct content *c, const struct unit *x)
{
    uint32_t old = word(x->old, x->u.bytes), now = word(x->now, x->u.bytes);
    uint32_t *like = c->like[code_hash(old, x->u.bytes) % OTAPULT_PATCH_CHANGES];
    unsigned kind = x->u.kind, quiet = calm(c, x->to);

    if (like[0] == old && like[1] != old) {
        code_bit(c->out, &c->changed[kind][quiet < 2], now != like[1]);
        if (now == like[1])
            return;
        code_bit(c->out, &c->back[kind], now != old);
        if (now == old) {
            like[1] = old;
            c->last_miss = x->to;
            return;
        }
    } else {
        code_bit(c->out, &c->same[kind][quiet][c->misses < 2 ? c->misses : 2], now != old);
        if (now == old)
            return;
    }
    write_bytes(c, x, x->old);
    like[0] = old;
    like[1] = now;
}

/* ---- addresses ---- */

static uint32_t *last_address(struct content *c, enum sort sort, uint32_t address)
{
    return &c->last[sort][sort == POINTERS ? image_region(c->base, address) + 1 : 0];
}

/* After a unit whose shift is known to both sides. `believed`: the shift may be learned; one that came as a
 * number, far from the first candidate, may be chance. */
static void note(struct content *c, const struct unit *x, uint32_t shift, bool believed)
{
    uint32_t *recent = c->recent[x->sort];
    unsigned i = 0;

    while (i < OTAPULT_PATCH_RECENT - 1 && recent[i] != shift)
        i++;
    for (; i > 0; i--)
        recent[i] = recent[i - 1];
    recent[0] = shift;
    if (x->u.form != OTAPULT_PATCH_UPPER)
        *last_address(c, x->sort, x->u.target + shift) = x->u.target + shift;
    if (x->sort == JUMPS || !believed)
        return;
    if (x->exact || (!(x->by_block && x->block == shift) &&
                     !(x->by_lower && x->lower == shift && (!x->by_upper || x->upper == shift))))
        learn(c, x->u.target, shift);
}

/* What the unit becomes when its address moves by `shift`. */
static void predict(const struct unit *x, uint32_t shift, uint8_t out[4])
{
    memcpy(out, x->old, x->u.bytes);
    (void)image_set_address(x->u.form, out, x->address, x->pair_base, x->u.target + shift);
}

static bool becomes(const struct unit *x, uint32_t shift)
{
    uint8_t bytes[4];

    predict(x, shift, bytes);
    return memcmp(bytes, x->now, x->u.bytes) == 0;
}

/* How far the address in this unit has moved, as the result shows it; false: the result has something else
 * there. */
static bool true_shift(const struct unit *x, uint32_t *shift)
{
    uint32_t expected = x->u.target + x->shift[0], now = word(x->now, x->u.bytes), was;
    uint8_t bytes[4];

    if (otapult_patch_forms[x->u.form].base != OTAPULT_PATCH_PAIR) {
        *shift = image_address(x->u.form, x->now, x->address) - x->u.target;
        return becomes(x, *shift);
    }
    predict(x, x->shift[0], bytes);
    was = word(bytes, 4);
    if (x->u.form == OTAPULT_PATCH_UPPER) {
        *shift = expected + (now & 0xFFFFF000u) - (was & 0xFFFFF000u) - x->u.target;
        return becomes(x, *shift);
    }
    if (x->u.form == OTAPULT_PATCH_LOWER_S) {
        now = (now & 0xFE000000u) | (now << 13 & 0x01F00000u);
        was = (was & 0xFE000000u) | (was << 13 & 0x01F00000u);
    }
    uint32_t by = ((now >> 20) - (was >> 20)) & 0xFFF;
    *shift = expected + (by >= 0x800 ? by - 0x1000 : by) - x->u.target;
    return becomes(x, *shift);
}

static uint32_t size_of(uint32_t distance)
{
    return (distance >> 31) != 0 ? 0u - distance : distance;
}

/* Distances are signed and, on Xtensa, in words for calls and literals. */
static uint32_t divide(uint32_t distance, uint32_t by)
{
    return by == 1 ? distance : (uint32_t)((int32_t)distance / (int32_t)by);
}

static void write_number(struct content *c, const struct unit *x, uint32_t shift)
{
    uint32_t off = shift - x->shift[0], step, by = 1;

    if (x->u.form == OTAPULT_PATCH_UPPER) {
        code_signed(c->out, &c->distance[x->sort], divide(off, 4096));
        return;
    }
    if (c->base->family == OTAPULT_PATCH_XTENSA && (x->sort == CALLS || x->sort == LITERALS))
        by = 4;
    step = x->u.target + shift - *last_address(c, x->sort, x->u.target);
    bool from_last = size_of(step) < size_of(off) && step % by == 0;
    code_bit(c->out, &c->from_last[x->sort], from_last);
    if (from_last)
        code_signed(c->out, &c->step[x->sort], divide(step, by));
    else
        code_signed(c->out, &c->distance[x->sort], divide(off, by));
    note(c, x, shift, off + 0x4000 < 0x8000);
}

/* Is the distance a whole number of the steps in which the format writes it? */
static bool divides(const struct content *c, const struct unit *x, uint32_t shift)
{
    uint32_t off = shift - x->shift[0];

    if (x->u.form == OTAPULT_PATCH_UPPER)
        return off % 4096 == 0;
    return c->base->family != OTAPULT_PATCH_XTENSA || (x->sort != CALLS && x->sort != LITERALS) ||
           off % 4 == 0;
}

/* A unit with an address: one bit where the first candidate is right, else which other one, else a number,
 * else bytes. */
static void write_moved(struct content *c, struct unit *x)
{
    uint32_t shift;
    uint8_t expected[4];
    unsigned i = 1;

    ask(c, x);
    unsigned source = x->source[0] < RECENT ? x->source[0] : RECENT;
    struct code_chance *right =
        &c->right[x->u.kind - OTAPULT_KIND_POINTER][source][x->against][calm(c, x->to) < 3];
    predict(x, x->shift[0], expected);
    bool hit = memcmp(expected, x->now, x->u.bytes) == 0;
    code_bit(c->out, right, !hit);
    if (hit) {
        note(c, x, x->shift[0], true);
        return;
    }
    c->last_miss = x->to;
    while (i < x->candidates && !becomes(x, x->shift[i]))
        i++;
    code_bit(c->out, &c->other[x->sort], i < x->candidates);
    if (i < x->candidates) {
        for (unsigned k = 1; k <= i; k++)
            code_bit(c->out, &c->which[x->sort][x->source[k]], k == i);
        note(c, x, x->shift[i], true);
        return;
    }
    bool number = true_shift(x, &shift) && divides(c, x, shift);
    code_bit(c->out, &c->number[x->sort], number);
    if (number)
        write_number(c, x, shift);
    else
        write_bytes(c, x, expected);
}

/* ---- copies and new bytes ---- */

static enum sort sort_of(unsigned kind)
{
    if (kind == OTAPULT_KIND_CALL)
        return CALLS;
    if (kind == OTAPULT_KIND_LITERAL)
        return LITERALS;
    return kind == OTAPULT_KIND_JUMP || kind == OTAPULT_KIND_BRANCH ? JUMPS : POINTERS;
}

static unsigned write_unit(struct content *c, uint32_t from, uint32_t end, uint32_t to)
{
    struct unit x = {.old = c->base->data + from, .now = c->result->data + to, .to = to};
    const struct image_segment *s = image_at(c->result, to);

    image_unit(c->base, &c->walk, from, end, &x.u);
    x.address = s != NULL ? s->address + (to - s->at) : 0;
    uint32_t by = x.address - x.u.address;
    bool moves = x.u.form != OTAPULT_PATCH_NO_FORM && s != NULL && s->code == x.u.code &&
                 (x.u.form != OTAPULT_PATCH_POINTER || x.u.address % 4 != 0 || by % 4 == 0);
    x.pair_base = x.u.from == 0 ? 0 : x.u.from == 1 ? c->result->gp : x.u.from + by;
    x.sort = sort_of(x.u.kind);
    if (moves)
        write_moved(c, &x);
    else
        write_plain(c, &x);
    for (unsigned i = 0; i < x.u.bytes; i++) {
        c->two = c->one;
        c->one = x.now[i];
    }
    return x.u.bytes;
}

static void write_copy(struct content *c, const struct match_block *b)
{
    memset(&c->walk, 0, sizeof c->walk);
    c->misses = 0;
    for (uint32_t i = 0; i < b->size;)
        i += write_unit(c, b->base + i, b->base + b->size, b->result + i);
}

static void write_new(struct content *c, uint32_t to, uint8_t old)
{
    const struct image_segment *s = image_at(c->result, to);
    unsigned set = s == NULL ? 0 : s->code ? 1 : 2;
    uint32_t context[3] = {c->one | set << 8, (uint32_t)c->one | (uint32_t)c->two << 8 | set << 24,
                           (uint32_t)old | (uint32_t)c->one << 8 | 6u << 29};

    if (set == 1)
        context[2] = ((to - s->at) & 3) | (uint32_t)old << 8 | (uint32_t)c->one << 16 | 7u << 29;
    code_byte(c->out, &c->bytes, set, context, c->result->data[to]);
    c->two = c->one;
    c->one = c->result->data[to];
}

/* ---- the body ---- */

static void write_segments(struct content *c)
{
    for (uint32_t i = 0; i < c->result->segments; i++) {
        struct image_segment was = {.at = 0};
        if (i < c->base->segments)
            was = c->base->segment[i];
        code_signed(c->out, &c->first, c->result->segment[i].address - was.address);
        code_signed(c->out, &c->first, c->result->segment[i].size - was.size);
    }
}

static void write_map(struct content *c)
{
    uint32_t base = 0, result = 0;

    for (size_t i = 0; i < c->list.count; i++) {
        const struct match_block *b = &c->list.block[i];
        if (!b->mapped)
            continue;
        code_number(c->out, &c->block_gap, b->result - result);
        code_number(c->out, &c->block_size, b->size);
        code_signed(c->out, &c->block_seek, b->base - base);
        base = b->base + b->size;
        result = b->result + b->size;
    }
}

static uint32_t mapped(const struct content *c)
{
    uint32_t n = 0;

    for (size_t i = 0; i < c->list.count; i++)
        n += c->list.block[i].mapped;
    return n;
}

static void write_first(struct content *c)
{
    code_number(c->out, &c->first, c->result->segments);
    code_number(c->out, &c->first, mapped(c));
    if (c->base->family != OTAPULT_PATCH_RISCV)
        return;
    code_number(c->out, &c->first, c->base->gp);
    code_number(c->out, &c->first, c->result->gp);
}

/* New bytes up to the next block, and its head where the map does not have it. `room`: up to the next block
 * of the map. */
static void write_gap(struct content *c, uint32_t at, uint32_t size, uint32_t room, uint32_t old,
                      const struct match_block *next)
{
    if (room > 0)
        code_bit(c->out, &c->all_new, size == room);
    if (room > 0 && size < room)
        code_number(c->out, &c->new_size, size);
    for (uint32_t i = 0; i < size; i++, old++)
        write_new(c, at + i, old < c->base->size ? c->base->data[old] : 0);
    if (size < room) {
        code_number(c->out, &c->copy_size, next->size);
        code_signed(c->out, &c->copy_seek, next->base - old);
    }
}

static uint32_t next_mapped(const struct content *c, size_t i)
{
    for (; c->list.block != NULL && i < c->list.count; i++)
        if (c->list.block[i].mapped)
            return c->list.block[i].result;
    return c->result->size;
}

static void write_all(struct content *c)
{
    uint32_t at = 0, old = 0;

    for (size_t i = 0; i <= c->list.count; i++) {
        const struct match_block *b = i < c->list.count ? &c->list.block[i] : NULL;
        uint32_t to = b != NULL ? b->result : c->result->size;
        write_gap(c, at, to - at, next_mapped(c, i) - at, old, b);
        if (b == NULL)
            return;
        write_copy(c, b);
        old = b->base + b->size;
        at = b->result + b->size;
    }
}

bool content_write(struct content *c, struct code_output *out)
{
    code_begin(out);
    c->out = out;
    write_first(c);
    write_segments(c);
    write_map(c);
    write_all(c);
    code_end(out);
    return !out->failed;
}

/* ---- making and freeing ---- */

static void init_chances(struct content *c)
{
    struct code_number *number[] = {&c->first,    &c->block_gap, &c->block_size, &c->block_seek,
                                    &c->new_size, &c->copy_size, &c->copy_seek};

    code_fine(c->same[0][0], sizeof c->same / sizeof(struct code_chance), 128, 1023);
    code_fine(c->right[0][0][0], sizeof c->right / sizeof(struct code_chance), 2048, 255);
    code_coarse(c->changed[0], sizeof c->changed / sizeof(struct code_chance));
    code_coarse(c->back, OTAPULT_PATCH_KINDS);
    code_coarse(c->other, CLASSES);
    code_coarse(c->which[0], sizeof c->which / sizeof(struct code_chance));
    code_coarse(c->number, CLASSES);
    code_coarse(c->from_last, CLASSES);
    code_coarse(c->differs[0][0], sizeof c->differs / sizeof(struct code_chance));
    code_coarse(&c->all_new, 1);
    for (int i = 0; i < CLASSES; i++) {
        code_number_init(&c->distance[i]);
        code_number_init(&c->step[i]);
    }
    for (size_t i = 0; i < sizeof number / sizeof number[0]; i++)
        code_number_init(number[i]);
    code_bytes_init(&c->bytes);
}

struct content *content_new(const struct image *base, const struct image *result,
                            const struct match_list *list)
{
    struct content *c = calloc(1, sizeof *c);

    if (c == NULL)
        return NULL;
    c->by_base = calloc(list->count + 1, sizeof *c->by_base);
    if (c->by_base == NULL) {
        free(c);
        return NULL;
    }
    c->base = base;
    c->result = result;
    c->list = *list;
    sort_blocks(c);
    init_chances(c);
    return c;
}

void content_free(struct content *c)
{
    if (c == NULL)
        return;
    free(c->by_base);
    free(c);
}
