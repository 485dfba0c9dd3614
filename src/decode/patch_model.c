/* SPDX-License-Identifier: Apache-2.0 */
#include "decode/patch_model.h"

#include <string.h>

#include "decode/patch_tables.h"

/* Every operation is on whole numbers, with a result that C defines (floor_shift() is there for that), so
 * that a chip and a computer get the same bits out of the same bytes. Nothing here can fail: any input gives
 * some bits, and the caller bounds their number. */

#define NORMAL       0x1000000u /* the range is kept at this or above */
#define COARSE_LIMIT 15u
#define LEARNING     14
#define WEIGHT_MOST  (16 << 16)
#define LENGTH_BITS  6
#define LENGTH_MOST  32u

/* ---- range decoder ---- */

static uint8_t next_byte(struct otapult_patch_input *in)
{
    if (in->at < in->n)
        return in->p[in->at++];
    in->over++;
    return 0;
}

void otapult_patch_input_init(struct otapult_patch_input *in)
{
    in->range = 0xFFFFFFFFu;
    in->code = 0;
    for (int i = 0; i < 4; i++)
        in->code = in->code << 8 | next_byte(in);
}

/* `chance` of 65536 that the bit is 1; from 1 to 65535. */
static bool decode(struct otapult_patch_input *in, uint32_t chance)
{
    uint32_t bound = (in->range >> 16) * chance;
    bool bit = in->code < bound;

    if (bit) {
        in->range = bound;
    } else {
        in->code -= bound;
        in->range -= bound;
    }
    while (in->range < NORMAL) {
        in->range <<= 8;
        in->code = in->code << 8 | next_byte(in);
    }
    return bit;
}

/* ---- probabilities ---- */

/* One step of an average over `n` bits so far: by 1 / (n + 1.5) of the way. */
static int32_t step(int32_t from, int32_t to, uint32_t n)
{
    return (to - from) * 2 / (int32_t)(2 * n + 3);
}

void otapult_patch_fine_init(otapult_patch_fine *c, size_t n, uint32_t of_65536)
{
    for (size_t i = 0; i < n; i++)
        c[i] = of_65536 << 16;
}

bool otapult_patch_bit(struct otapult_patch_input *in, otapult_patch_fine *c, uint32_t limit)
{
    uint32_t p = *c >> 10, n = *c & 1023, chance = p >> 6;
    bool bit = decode(in, chance < 2 ? 2 : chance > 65534 ? 65534 : chance);

    p = (uint32_t)((int32_t)p + step((int32_t)p, bit ? 0x3FFFFF : 0, n));
    *c = p << 10 | (n < limit ? n + 1 : n);
    return bit;
}

void otapult_patch_coarse_init(otapult_patch_coarse *c, size_t n)
{
    for (size_t i = 0; i < n; i++)
        c[i] = 2048u << 4;
}

static void learn(otapult_patch_coarse *c, bool bit)
{
    uint32_t p = *c >> 4, n = *c & 15;

    p = (uint32_t)((int32_t)p + step((int32_t)p, bit ? 4095 : 0, n));
    *c = (otapult_patch_coarse)(p << 4 | (n < COARSE_LIMIT ? n + 1 : n));
}

bool otapult_patch_coarse_bit(struct otapult_patch_input *in, otapult_patch_coarse *c)
{
    bool bit = decode(in, (uint32_t)(*c >> 4) * 16 + 8);

    learn(c, bit);
    return bit;
}

/* ---- numbers ---- */

void otapult_patch_number_init(struct otapult_patch_number *c)
{
    otapult_patch_coarse_init(c->length, 64);
    otapult_patch_coarse_init(c->second, 33);
}

uint32_t otapult_patch_number(struct otapult_patch_input *in, struct otapult_patch_number *c)
{
    uint32_t length = 1, value = 1;

    for (int i = 0; i < LENGTH_BITS; i++)
        length = length << 1 | otapult_patch_coarse_bit(in, &c->length[length]);
    length -= 64;
    if (length == 0 || length > LENGTH_MOST)
        return 0;
    if (length > 1)
        value = value << 1 | otapult_patch_coarse_bit(in, &c->second[length]);
    for (uint32_t i = 2; i < length; i++)
        value = value << 1 | decode(in, 32768);
    return value;
}

uint32_t otapult_patch_signed(struct otapult_patch_input *in, struct otapult_patch_number *c)
{
    uint32_t v = otapult_patch_number(in, c);
    return v >> 1 ^ (0u - (v & 1));
}

/* ---- bytes ---- */

uint32_t otapult_patch_hash(uint32_t a, uint32_t b)
{
    uint32_t h = a * 0x9E3779B1u + b * 0x85EBCA6Bu;
    h = (h ^ h >> 15) * 0x2C1B3C6Du;
    return h ^ h >> 13;
}

void otapult_patch_bytes_init(struct otapult_patch_bytes *b)
{
    for (size_t i = 0; i < OTAPULT_PATCH_SETS; i++)
        for (size_t k = 0; k < 4; k++)
            b->weight[i][k] = 19660; /* 0.3 */
    otapult_patch_coarse_init(b->plain[0], sizeof b->plain / sizeof b->plain[0][0]);
    otapult_patch_coarse_init(b->hashed, OTAPULT_PATCH_HASHED);
}

/* A division by 1 << bits that rounds down, of negative numbers too: without dividing, and without a shift of
 * a negative number, which C leaves open. */
static int64_t floor_shift(int64_t v, unsigned bits)
{
    return v >= 0 ? v >> bits : ~(~v >> bits);
}

static int32_t within(int64_t v, int32_t most)
{
    return v > most ? most : v < -most ? -most : (int32_t)v;
}

/* From the logarithmic domain back to 12 bits, by straight lines between the points of the table. */
static int32_t squash(int32_t x)
{
    uint32_t at = (uint32_t)(x + 2048), low = at & 127;
    const uint16_t *t = &otapult_patch_squash[at >> 7];
    uint32_t p = (t[0] * (128 - low) + t[1] * low + 64) >> 7;
    return p < 1 ? 1 : p > 4095 ? 4095 : (int32_t)p;
}

/* One bit of a byte, whose higher bits with a 1 in front are `tree`. */
static bool byte_bit(struct otapult_patch_input *in, struct otapult_patch_bytes *b, unsigned set,
                     uint32_t tree, const uint32_t context[3])
{
    otapult_patch_coarse *c[4];
    int32_t opinion[4], *w = b->weight[set];
    int64_t sum = 0;

    c[0] = &b->plain[set][tree];
    for (uint32_t k = 1; k < 4; k++)
        c[k] = &b->hashed[otapult_patch_hash(context[k - 1], tree + 512 * k) % OTAPULT_PATCH_HASHED];
    for (int k = 0; k < 4; k++) {
        opinion[k] = otapult_patch_stretch[*c[k] >> 7];
        sum += (int64_t)w[k] * opinion[k];
    }
    int32_t chance = squash(within(floor_shift(sum, 16), 2047));
    bool bit = decode(in, (uint32_t)chance * 16);
    int32_t error = ((bit ? 4096 : 0) - chance) * LEARNING;
    for (int k = 0; k < 4; k++) {
        w[k] = within(w[k] + floor_shift((int64_t)opinion[k] * error + 0x2000, 14), WEIGHT_MOST);
        learn(c[k], bit);
    }
    return bit;
}

uint8_t otapult_patch_byte(struct otapult_patch_input *in, struct otapult_patch_bytes *b, unsigned set,
                           const uint32_t context[3])
{
    uint32_t tree = 1;

    while (tree < 256)
        tree = tree << 1 | byte_bit(in, b, set, tree, context);
    return (uint8_t)tree;
}
