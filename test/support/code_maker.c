/* SPDX-License-Identifier: Apache-2.0 */
#include "code_maker.h"

#include <stdlib.h>
#include <string.h>

#define ROM_CALL 0x40000354u /* never moves */

static uint32_t next(uint32_t *state)
{
    *state = *state * 1664525u + 1013904223u;
    return *state >> 8;
}

static uint32_t below(uint32_t *state, size_t n)
{
    return next(state) % (uint32_t)n;
}

/* ---- the firmware and its edits ---- */

void code_begin_firmware(struct code *c, enum code_family family, size_t functions, uint32_t seed)
{
    *c = (struct code){.family = family, .random = seed * 2654435761u + 1, .functions = functions};
    c->strings = functions;
    c->variables = functions / 4 + 1;
    for (size_t i = 0; i < c->functions; i++)
        c->function[i].seed = next(&c->random);
    for (size_t i = 0; i < c->strings; i++)
        c->string[i] = next(&c->random);
    for (size_t i = 0; i < c->variables; i++)
        c->variable[i] = 4 + 4 * below(&c->random, 8);
}

static void insert(void *array, size_t *count, size_t room, size_t at, const void *item, size_t size)
{
    uint8_t *p = array;

    if (*count == room)
        return;
    memmove(p + (at + 1) * size, p + at * size, (*count - at) * size);
    memcpy(p + at * size, item, size);
    ++*count;
}

static void erase(void *array, size_t *count, size_t at, size_t size)
{
    uint8_t *p = array;

    if (*count < 4)
        return;
    --*count;
    memmove(p + at * size, p + (at + 1) * size, (*count - at) * size);
}

#define ARRAY(c, a) (c)->a, &(c)->a##s

void code_edit(struct code *c)
{
    size_t f = below(&c->random, c->functions), s = below(&c->random, c->strings);
    size_t v = below(&c->random, c->variables);
    const struct code_function made = {.seed = next(&c->random)};
    const uint32_t text = next(&c->random), size = 4 + 4 * below(&c->random, 8);

    c->version++;
    switch (below(&c->random, 8)) {
    case 0: insert(ARRAY(c, function), 400, f, &made, sizeof made); break;
    case 1: erase(ARRAY(c, function), f, sizeof made); break;
    case 2: insert(ARRAY(c, string), 400, s, &text, sizeof text); break;
    case 3: erase(ARRAY(c, string), s, sizeof text); break;
    case 4: insert(ARRAY(c, variable), 100, v, &size, sizeof size); break;
    case 5: {
        size_t other = below(&c->random, c->functions);
        const struct code_function swap = c->function[f];
        c->function[f] = c->function[other];
        c->function[other] = swap;
        break;
    }
    default: c->function[f].changed++; break;
    }
}

/* ---- layout ---- */

struct layout {
    const struct code *code;
    uint8_t *image;
    size_t at;
    uint32_t data_base, text_base, ram_base, gp;
    size_t data_at, text_at; /* of the segments' data in the file */
    uint32_t function[400], string[400], variable[100];
    uint32_t function_seed[400]; /* for finding by seed after an edit */
};

static void put(struct layout *l, uint32_t v, unsigned bytes)
{
    for (unsigned i = 0; i < bytes && l->at < CODE_MAX; i++)
        l->image[l->at++] = (uint8_t)(v >> 8 * i);
}

static void align(struct layout *l, uint32_t base, size_t start)
{
    while ((base + (l->at - start)) % 4 != 0)
        put(l, 0, 1);
}

/* References go by seed: the same function is found wherever it stands; a lost one is the first. */
static uint32_t find(const uint32_t *seeds, const uint32_t *address, size_t n, uint32_t wish)
{
    size_t best = 0;
    for (size_t i = 1; i < n; i++)
        if ((seeds[i] ^ wish) < (seeds[best] ^ wish))
            best = i;
    return address[best];
}

static uint32_t any_function(const struct layout *l, uint32_t wish)
{
    return find(l->function_seed, l->function, l->code->functions, wish);
}

static uint32_t any_string(const struct layout *l, uint32_t wish)
{
    return find(l->code->string, l->string, l->code->strings, wish);
}

static uint32_t any_variable(const struct layout *l, uint32_t wish)
{
    return l->variable[wish % l->code->variables];
}

static uint32_t any_address(const struct layout *l, uint32_t wish)
{
    switch (wish % 4) {
    case 0: return any_function(l, wish);
    case 1: return any_variable(l, wish >> 2);
    default: return any_string(l, wish);
    }
}

/* ---- Xtensa ---- */

enum { LITERALS = 6, CONSTANT_EVERY = 5 };

static void xtensa_insn(struct layout *l, uint32_t *r, uint32_t pc, uint32_t pool, uint32_t *constant,
                        uint32_t changed)
{
    uint32_t kind = below(r, 10), a = next(r);

    if (kind < 3) { /* l32r */
        uint32_t target = pool + 4 * (a % LITERALS), offset = (target - ((pc + 3) & ~3u)) >> 2;
        put(l, 0x01u | (a >> 8 & 15) << 4 | (offset & 0xFFFF) << 8, 3);
    } else if (kind < 5) { /* call8 */
        uint32_t offset = (any_function(l, a) - ((pc & ~3u) + 4)) >> 2;
        put(l, 0x25u | (offset & 0x3FFFF) << 6, 3);
    } else if (kind == 5) { /* beqz.n, a few instructions on */
        put(l, 0x8Cu | (a & 15) << 12, 2);
    } else if (kind < 8) { /* movi: the constants that an edit changes */
        uint32_t v = a & 0xFF;
        if ((*constant)++ % CONSTANT_EVERY == 0)
            v += changed;
        put(l, 0x02u | (a >> 8 & 15) << 4 | 0xA000u | (v & 0xFF) << 16, 3);
    } else { /* add.n */
        put(l, 0x0Au | (a & 0xFFF) << 4, 2);
    }
}

static void xtensa_function(struct layout *l, size_t i)
{
    uint32_t r = l->code->function[i].seed, constant = 0, pool, n = 8 + below(&r, 60);

    align(l, l->text_base, l->text_at);
    pool = l->text_base + (uint32_t)(l->at - l->text_at);
    for (int k = 0; k < LITERALS; k++) {
        uint32_t wish = next(&r);
        put(l, k == 0 ? wish : any_address(l, wish), 4);
    }
    l->function[i] = l->text_base + (uint32_t)(l->at - l->text_at);
    put(l, 0x004136, 3); /* entry a1, 32 */
    while (n-- > 0)
        xtensa_insn(l, &r, l->text_base + (uint32_t)(l->at - l->text_at), pool, &constant,
                    l->code->function[i].changed);
    put(l, 0xF01D, 2); /* retw.n */
}

/* ---- RISC-V ---- */

static void pair(struct layout *l, uint32_t upper, uint32_t lower, uint32_t base, uint32_t target,
                 uint32_t between)
{
    uint32_t v = target - base;
    put(l, upper | ((v + 0x800) & 0xFFFFF000u), 4);
    if (between != 0)
        put(l, 0x4500 | (between & 0x7C), 2); /* c.li a0: what a scheduler puts there */
    put(l, lower | v << 20, 4);
}

static void riscv_insn(struct layout *l, uint32_t *r, uint32_t pc, uint32_t *constant, uint32_t changed)
{
    uint32_t kind = below(r, 12), a = next(r), v;

    switch (kind) {
    case 0:
    case 1: pair(l, 0x5B7, 0x00058593, 0, any_string(l, a), a & 1); break;   /* lui a1; addi a1, a1 */
    case 2: pair(l, 0x7B7, 0x0007A783, 0, any_variable(l, a), a & 4); break; /* lui a5; lw a5, (a5) */
    case 3: pair(l, 0x097, 0x000080E7, pc, any_function(l, a), 0); break;    /* auipc ra; jalr ra */
    case 4: pair(l, 0x097, 0x000080E7, pc, ROM_CALL, 0); break;
    case 5:
        v = any_variable(l, a) - l->gp;
        put(l, 0x0001A503 | v << 20, 4); /* lw a0, (gp) */
        break;
    case 6: /* jal ra */
        v = any_function(l, a) - pc;
        put(l, 0x0EF | (v & 0xFF000) | (v >> 11 & 1) << 20 | (v >> 1 & 0x3FF) << 21 | (v >> 20 & 1) << 31, 4);
        break;
    case 7: put(l, 0xC119, 2); break; /* c.beqz a0, +6 */
    case 8:
        v = a & 0xFF;
        if ((*constant)++ % CONSTANT_EVERY == 0)
            v += changed;
        put(l, 0x00000513 | (v & 0x7FF) << 20, 4); /* li a0 */
        break;
    default: put(l, 0x8082 ^ 0x0004 ^ (a & 0x78), 2); break; /* c.mv */
    }
}

static void riscv_function(struct layout *l, size_t i)
{
    uint32_t r = l->code->function[i].seed, constant = 0, n = 8 + below(&r, 60);

    l->function[i] = l->text_base + (uint32_t)(l->at - l->text_at);
    if (i == 0)
        pair(l, 0x197, 0x00018193, l->function[i], l->gp, 0); /* auipc gp; addi gp, gp */
    while (n-- > 0)
        riscv_insn(l, &r, l->text_base + (uint32_t)(l->at - l->text_at), &constant,
                   l->code->function[i].changed);
    put(l, 0x8082, 2);
}

/* ---- segments ---- */

static void data(struct layout *l)
{
    static const uint8_t magic[4] = {0x32, 0x54, 0xCD, 0xAB};
    size_t start = l->at;

    l->data_at = start;
    memset(l->image + l->at, 0, 256);
    memcpy(l->image + l->at, magic, 4);
    l->image[l->at + 16] = (uint8_t)('0' + l->code->version % 10);
    memcpy(l->image + l->at + 144, &l->code->version, 4);
    l->at += 256;
    for (size_t i = 0; i < l->code->strings; i++) {
        uint32_t r = l->code->string[i], n = 4 + below(&r, 30);
        l->string[i] = l->data_base + (uint32_t)(l->at - start);
        while (n-- > 0)
            put(l, 'a' + below(&r, 26), 1);
        put(l, 0, 1);
    }
    align(l, l->data_base, start);
    for (size_t i = 0; i < l->code->functions; i++) { /* what .eh_frame and tables of functions look like */
        uint32_t here = l->data_base + (uint32_t)(l->at - start);
        put(l, i % 3 == 0 ? any_function(l, l->code->function[i].seed) - here : l->function[i], 4);
        put(l, 20, 4);
        put(l, 4, 1);
        put(l, i % 3 == 0 ? l->string[0] - here - 9 : any_string(l, l->code->function[i].seed), 4);
        align(l, l->data_base, start);
    }
}

static void text(struct layout *l)
{
    l->text_at = l->at;
    for (size_t i = 0; i < l->code->functions; i++) {
        if (l->code->family == CODE_RISCV)
            riscv_function(l, i);
        else
            xtensa_function(l, i);
    }
    align(l, l->text_base, l->text_at);
}

static void head(struct layout *l, uint32_t address, size_t at, size_t size)
{
    size_t end = l->at;
    l->at = at;
    put(l, address, 4);
    put(l, (uint32_t)size, 4);
    l->at = end;
}

static void pass(struct layout *l)
{
    static const uint8_t chip[] = {[CODE_XTENSA] = 9, [CODE_RISCV] = 5, [CODE_OTHER] = 0x77};
    uint32_t ram = l->ram_base;

    memset(l->image, 0, 24);
    l->image[0] = 0xE9;
    l->image[1] = 3;
    l->image[12] = chip[l->code->family];
    for (size_t i = 0; i < l->code->variables; i++) {
        l->variable[i] = ram;
        ram += l->code->variable[i];
    }
    l->at = 32;
    data(l);
    head(l, l->data_base, 24, l->at - 32);
    size_t at = l->at;
    l->at += 8;
    for (size_t i = 0; i < 16; i++)
        put(l, any_variable(l, (uint32_t)i * 7), 4);
    head(l, l->ram_base, at, l->at - at - 8);
    at = l->at;
    l->at += 8;
    text(l);
    head(l, l->text_base, at, l->at - at - 8);
}

size_t code_link(const struct code *c, uint8_t *image)
{
    struct layout *l = calloc(1, sizeof *l);

    if (l == NULL)
        abort();
    l->code = c;
    l->image = image;
    l->data_base = 0x3C0C0020;
    l->text_base = 0x42000020;
    l->ram_base = 0x3FC92200;
    l->gp = l->ram_base + 0x800;
    for (size_t i = 0; i < c->functions; i++)
        l->function_seed[i] = c->function[i].seed;
    pass(l); /* finds the addresses */
    pass(l); /* uses them */
    size_t size = l->at;
    free(l);
    return size;
}
