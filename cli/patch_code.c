/* SPDX-License-Identifier: Apache-2.0 */
#include "patch_code.h"

#include <stdlib.h>
#include <string.h>

#include "decode/patch_tables.h"

/* The encoder of docs/patch-format.md, "Coding". Each function mirrors one of the decoder's, bit for bit: the
 * two must keep the same probabilities after each bit, or everything behind it is garbage. So nothing here
 * may be changed alone; the arithmetic, its rounding and the order of the calls are the format. It shares
 * tables with the decoder and no code. */

/* ---- range coder ---- */

static void put_byte(struct code_output *out, uint8_t byte)
{
    if (out->size == out->room) {
        size_t room = out->room > 0 ? out->room * 2 : 65536;
        uint8_t *data = realloc(out->data, room);
        if (data == NULL) {
            out->failed = true;
            return;
        }
        out->data = data;
        out->room = room;
    }
    out->data[out->size++] = byte;
}

void code_begin(struct code_output *out)
{
    *out = (struct code_output){.range = 0xFFFFFFFFu};
}

/* The sum of an addition to `low` did not fit 32 bits: the carry goes into the bytes that are written
 * already. */
static void carry(struct code_output *out)
{
    bool goes_on = true;

    for (size_t i = out->size; goes_on && i > 0; i--)
        goes_on = ++out->data[i - 1] == 0;
}

static void encode(struct code_output *out, uint32_t chance, bool bit)
{
    uint32_t bound = (out->range >> 16) * chance, low = out->low;

    if (bit) {
        out->range = bound;
    } else {
        out->low += bound;
        out->range -= bound;
        if (out->low < low)
            carry(out);
    }
    while (out->range < 1u << 24) {
        put_byte(out, (uint8_t)(out->low >> 24));
        out->low <<= 8;
        out->range <<= 8;
    }
}

void code_end(struct code_output *out)
{
    for (int i = 24; i >= 0; i -= 8)
        put_byte(out, (uint8_t)(out->low >> i));
}

/* ---- chances ---- */

void code_fine(struct code_chance *c, size_t n, uint32_t of_65536, uint16_t limit)
{
    for (size_t i = 0; i < n; i++)
        c[i] = (struct code_chance){.p = of_65536 << 6, .limit = limit, .bits = 22};
}

void code_coarse(struct code_chance *c, size_t n)
{
    for (size_t i = 0; i < n; i++)
        c[i] = (struct code_chance){.p = 2048, .limit = 15, .bits = 12};
}

/* The first bits move the chance far, later ones less and less, until `n` stays at its limit. */
static void learn(struct code_chance *c, bool bit)
{
    int32_t to = bit ? (1 << c->bits) - 1 : 0;

    c->p = (uint32_t)((int32_t)c->p + (to - (int32_t)c->p) * 2 / (2 * c->n + 3));
    if (c->n < c->limit)
        c->n++;
}

void code_bit(struct code_output *out, struct code_chance *c, bool bit)
{
    uint32_t chance = c->bits == 22 ? c->p / 64 : c->p * 16 + 8;

    if (chance < 2)
        chance = 2;
    if (chance > 65534)
        chance = 65534;
    encode(out, chance, bit);
    learn(c, bit);
}

/* ---- numbers ---- */

void code_number_init(struct code_number *c)
{
    code_coarse(c->length, 64);
    code_coarse(c->second, 33);
}

void code_number(struct code_output *out, struct code_number *c, uint32_t v)
{
    uint32_t length = 0, node = 1;

    while (length < 32 && v >> length != 0)
        length++;
    for (int i = 5; i >= 0; i--) {
        bool bit = length >> i & 1;
        code_bit(out, &c->length[node], bit);
        node = node * 2 + bit;
    }
    if (length > 1)
        code_bit(out, &c->second[length], v >> (length - 2) & 1);
    for (uint32_t i = 2; i < length; i++)
        encode(out, 32768, v >> (length - 1 - i) & 1);
}

void code_signed(struct code_output *out, struct code_number *c, uint32_t v)
{
    code_number(out, c, (v >> 31) != 0 ? ~(v << 1) : v << 1);
}

/* ---- bytes ---- */

uint32_t code_hash(uint32_t a, uint32_t b)
{
    uint32_t h = a * 0x9E3779B1u + b * 0x85EBCA6Bu;

    h ^= h >> 15;
    h *= 0x2C1B3C6Du;
    return h ^ (h >> 13);
}

void code_bytes_init(struct code_bytes *b)
{
    for (int i = 0; i < 16; i++)
        b->weight[i / 4][i % 4] = 19660;
    code_coarse(b->plain[0], (size_t)4 * 256);
    code_coarse(b->hashed, 4096);
}

/* The format rounds down, C's division rounds to zero. */
static int64_t divide_down(int64_t v, int64_t by)
{
    return v >= 0 ? v / by : -((-v + by - 1) / by);
}

static int64_t clamp(int64_t v, int64_t most)
{
    return v > most ? most : v < -most ? -most : v;
}

static int32_t squash(int64_t x)
{
    uint32_t at = (uint32_t)(clamp(x, 2047) + 2048), i = at / 128, f = at % 128;
    int32_t p =
        (otapult_patch_squash[i] * (int32_t)(128 - f) + otapult_patch_squash[i + 1] * (int32_t)f + 64) / 128;

    return p < 1 ? 1 : p > 4095 ? 4095 : p;
}

static void byte_bit(struct code_output *out, struct code_bytes *b, unsigned set, uint32_t tree,
                     const uint32_t context[3], bool bit)
{
    struct code_chance *c[4] = {&b->plain[set][tree]};
    int64_t sum = 0, opinion[4];

    for (unsigned k = 1; k < 4; k++)
        c[k] = &b->hashed[code_hash(context[k - 1], tree + 512 * k) % 4096];
    for (unsigned k = 0; k < 4; k++) {
        opinion[k] = otapult_patch_stretch[c[k]->p / 8];
        sum += b->weight[set][k] * opinion[k];
    }
    int32_t chance = squash(divide_down(sum, 65536));
    encode(out, (uint32_t)chance * 16, bit);
    int64_t error = (int64_t)(bit ? 4096 - chance : -chance) * 14;
    for (unsigned k = 0; k < 4; k++) {
        b->weight[set][k] = clamp(b->weight[set][k] + divide_down(opinion[k] * error + 8192, 16384), 1 << 20);
        learn(c[k], bit);
    }
}

void code_byte(struct code_output *out, struct code_bytes *b, unsigned set, const uint32_t context[3],
               uint8_t byte)
{
    uint32_t tree = 1;

    for (int i = 7; i >= 0; i--) {
        bool bit = byte >> i & 1;
        byte_bit(out, b, set, tree, context, bit);
        tree = tree * 2 + bit;
    }
}
