/* SPDX-License-Identifier: Apache-2.0 */
#include "patch_image.h"

#include <string.h>

/* Takes an image apart into the units of docs/patch-format.md, "The base and its units": what an instruction
 * or word refers to, and how the address is put into its bits. Encoder and decoder have to agree on every
 * unit, also in data that only looks like code, so each rule here is a rule of the format and no guess that
 * may be bettered. */

#define NOT_LOADED 0x10000000u
#define HEADER     24u
#define AHEAD      12

static uint32_t le(const uint8_t *p, unsigned bytes)
{
    uint32_t v = 0;

    while (bytes-- > 0)
        v = v << 8 | p[bytes];
    return v;
}

/* Up to four bytes, as a number; zeros behind the end, so that no caller need look how much is left. */
static uint32_t peek(const struct image *m, uint32_t at)
{
    uint32_t v = 0;

    for (unsigned i = 0; i < 4 && at + i < m->size; i++)
        v |= (uint32_t)m->data[at + i] << 8 * i;
    return v;
}

/* ---- its name ---- */

void image_build(const struct image *m, uint8_t id[4])
{
    static const uint8_t none[32];
    const struct image_segment *last = &m->segment[m->segments - 1];
    const uint32_t digest = (last->at + last->size) / 16 * 16 + 16;

    memcpy(id, m->data + 0xB0, 4);
    if (memcmp(m->data + 0xB0, none, sizeof none) == 0 && m->data[23] == 1 && m->segments == m->data[1] &&
        m->size >= digest + 32)
        memcpy(id, m->data + digest, 4);
}

/* ---- segments ---- */

const struct image_segment *image_at(const struct image *m, uint32_t at)
{
    for (uint32_t i = 0; i < m->segments; i++)
        if (at >= m->segment[i].at && at - m->segment[i].at < m->segment[i].size)
            return &m->segment[i];
    return NULL;
}

const struct image_segment *image_of(const struct image *m, uint32_t address)
{
    for (uint32_t i = 0; i < m->segments; i++) {
        const struct image_segment *s = &m->segment[i];
        if (s->address >= NOT_LOADED && address >= s->address && address - s->address < s->size)
            return s;
    }
    return NULL;
}

int image_region(const struct image *m, uint32_t address)
{
    for (uint32_t i = 0; i < m->ranges; i++)
        if (address >= m->range[i].from && address < m->range[i].to)
            return (int)i;
    return -1;
}

static void read_segments(struct image *m)
{
    uint32_t at = HEADER;

    for (unsigned i = 0; i < m->data[1] && i < OTAPULT_PATCH_SEGMENTS; i++) {
        if (m->size < at + 8)
            return;
        uint32_t address = le(m->data + at, 4), size = le(m->data + at + 4, 4);
        if (size > m->size - at - 8)
            return;
        m->segment[m->segments++] = (struct image_segment){.at = at + 8, .address = address, .size = size};
        at += 8 + size;
    }
}

/* A region of the chip, and the span of it that the image's segments use: only values in that are taken for
 * pointers. */
static void add_range(struct image *m, const struct otapult_patch_region *r)
{
    struct image_range *range = &m->range[m->ranges++];
    uint32_t first = 0, behind = 0;

    *range = (struct image_range){.from = r->from, .to = r->to, .content = r->content};
    for (uint32_t i = 0; i < m->segments; i++) {
        const struct image_segment *s = &m->segment[i];
        if (s->address < r->from || s->address >= r->to)
            continue;
        if (behind == 0 || s->address < first)
            first = s->address;
        if (s->address + s->size > behind)
            behind = s->address + s->size;
    }
    if (behind == 0)
        return;
    range->first = first - r->below;
    range->behind = behind + r->above;
}

static void find_ranges(struct image *m)
{
    for (uint32_t i = 0; i < OTAPULT_PATCH_CHIPS; i++) {
        const struct otapult_patch_chip *chip = &otapult_patch_chips[i];
        if (chip->id != m->chip)
            continue;
        m->family = chip->family;
        for (unsigned k = 0; k < chip->regions; k++)
            add_range(m, &chip->region[k]);
    }
    for (uint32_t i = 0; m->family == OTAPULT_PATCH_NO_FAMILY && i < m->segments; i++) {
        const struct image_segment *s = &m->segment[i];
        if (s->address >= NOT_LOADED && s->address + s->size > s->address)
            m->range[m->ranges++] = (struct image_range){s->address, s->address + s->size, s->address,
                                                         s->address + s->size, OTAPULT_PATCH_DATA};
    }
}

void image_find_code(struct image *m, const struct image *chip)
{
    for (uint32_t i = 0; i < m->segments; i++) {
        int region = image_region(chip, m->segment[i].address);
        uint8_t content = region >= 0 ? chip->range[region].content : OTAPULT_PATCH_DATA;
        m->segment[i].code = content == OTAPULT_PATCH_CODE || (content == OTAPULT_PATCH_MIXED && i > 0);
    }
}

/* "auipc gp, …" and "addi gp, gp, …": the first thing that a RISC-V program does. */
static void find_gp(struct image *m)
{
    for (uint32_t i = 0; i < m->segments; i++) {
        const struct image_segment *s = &m->segment[i];
        for (uint32_t at = s->at; s->code && at - s->at + 8 <= s->size; at += 2) {
            uint32_t upper = peek(m, at), lower = peek(m, at + 4);
            if ((upper & 0xFFF) != 0x197 || (lower & 0xFFFFF) != 0x18193)
                continue;
            m->gp = s->address + (at - s->at) + (upper & 0xFFFFF000u) + (lower >> 20) -
                    ((lower >> 31) != 0 ? 4096 : 0);
            return;
        }
    }
}

void image_read(struct image *m, const uint8_t *data, uint32_t size)
{
    *m = (struct image){.data = data, .size = size};
    if (size < HEADER || data[0] != 0xE9)
        return;
    m->chip = (uint16_t)le(data + 12, 2);
    read_segments(m);
    find_ranges(m);
    image_find_code(m, m);
    if (m->family == OTAPULT_PATCH_RISCV)
        find_gp(m);
}

/* ---- addresses ---- */

static uint32_t ones(unsigned bits)
{
    return bits == 32 ? 0xFFFFFFFFu : ~(0xFFFFFFFFu << bits);
}

static uint32_t anchor(unsigned base, uint32_t address)
{
    if (base == OTAPULT_PATCH_ABSOLUTE || base == OTAPULT_PATCH_PAIR)
        return 0;
    if (base == OTAPULT_PATCH_PC_4)
        return address + 4;
    if (base == OTAPULT_PATCH_PC_CALL)
        return address / 4 * 4 + 4;
    if (base == OTAPULT_PATCH_PC_L32R)
        return (address + 3) / 4 * 4;
    return address;
}

static uint32_t collect(const struct otapult_patch_form *f, uint32_t insn)
{
    uint32_t v = 0;

    for (unsigned i = 0; i < f->pieces; i++)
        v += ((insn >> f->piece[i].from) & ones(f->piece[i].bits)) << f->piece[i].to;
    if (f->sign == OTAPULT_PATCH_NEGATIVE)
        v -= 1u << f->width;
    else if (f->sign == OTAPULT_PATCH_SIGNED && f->width < 32 && (v & 1u << (f->width - 1)) != 0)
        v -= 1u << f->width;
    return v;
}

uint32_t image_address(unsigned form, const uint8_t *insn, uint32_t address)
{
    const struct otapult_patch_form *f = &otapult_patch_forms[form];
    uint32_t v = collect(f, le(insn, f->bytes));

    return f->base == OTAPULT_PATCH_BACKWARDS ? address - v : anchor(f->base, address) + v;
}

bool image_set_address(unsigned form, uint8_t *insn, uint32_t address, uint32_t base, uint32_t target)
{
    const struct otapult_patch_form *f = &otapult_patch_forms[form];
    uint32_t w = le(insn, f->bytes), v = target - anchor(f->base, address);

    if (f->base == OTAPULT_PATCH_PAIR)
        v = target - base + (form == OTAPULT_PATCH_UPPER ? 0x800 : 0);
    else if (f->base == OTAPULT_PATCH_BACKWARDS)
        v = address - target;
    for (unsigned i = 0; i < f->pieces; i++) {
        const struct otapult_patch_piece *p = &f->piece[i];
        w &= ~(ones(p->bits) << p->from);
        w |= ((v >> p->to) & ones(p->bits)) << p->from;
    }
    if (f->base != OTAPULT_PATCH_PAIR && collect(f, w) != v)
        return false;
    for (unsigned i = 0; i < f->bytes; i++, w >>= 8)
        insn[i] = (uint8_t)w;
    return true;
}

/* ---- units ---- */

static void as(struct image_unit *u, uint32_t bytes, unsigned kind)
{
    u->bytes = (uint8_t)bytes;
    u->kind = (uint8_t)kind;
    u->form = OTAPULT_PATCH_NO_FORM;
}

static void as_form(struct image_unit *u, unsigned kind, unsigned form, uint32_t target)
{
    u->bytes = otapult_patch_forms[form].bytes;
    u->kind = (uint8_t)kind;
    u->form = (uint8_t)form;
    u->target = target;
}

/* "Is a pointer": the value lies where the base's segments are, and is as even as the place wants. */
static bool pointer(const struct image *m, bool in_code, uint32_t v)
{
    int region = image_region(m, v);

    if (region < 0 || v < m->range[region].first || v >= m->range[region].behind)
        return false;
    if (m->range[region].content == OTAPULT_PATCH_CODE && m->family == OTAPULT_PATCH_RISCV)
        return v % 2 == 0;
    return m->range[region].content != OTAPULT_PATCH_CODE || !in_code || v % 4 == 0;
}

static bool other_code(const struct image *m, const struct image_segment *s, uint32_t address)
{
    const struct image_segment *t = image_of(m, address);
    return t != NULL && t != s && t->code;
}

/* The unit before may have announced this one: four bytes that need not begin at a multiple of 4. */
static bool announced(const struct image *m, const struct image_segment *s, struct image_walk *w, uint32_t at,
                      uint32_t room, struct image_unit *u)
{
    bool offset = w->offset_comes, word = w->pointer_comes;
    uint32_t v = peek(m, at);

    w->offset_comes = w->pointer_comes = false;
    if (offset && room >= 4 && u->address + v - s->address < s->size)
        as_form(u, OTAPULT_KIND_RELATIVE, OTAPULT_PATCH_RELATIVE, u->address + v);
    else if (word && room >= 4 && pointer(m, false, v))
        as_form(u, OTAPULT_KIND_POINTER, OTAPULT_PATCH_POINTER, v);
    else
        return false;
    return true;
}

static void frame_word(const struct image *m, const struct image_segment *s, struct image_walk *w,
                       uint32_t at, uint32_t room, struct image_unit *u)
{
    uint32_t v = peek(m, at);

    if (other_code(m, s, u->address + v)) {
        as_form(u, OTAPULT_KIND_RELATIVE, OTAPULT_PATCH_RELATIVE, u->address + v);
        w->frame = 3;
        return;
    }
    if (w->frame > 0)
        w->frame--;
    if (w->frame == 1 && (v & 0xFF) == 4 && room >= 5) {
        as(u, 1, OTAPULT_KIND_BYTES);
        w->offset_comes = true;
    } else if (v != 0 && v % 4 == 0 && room >= 8 && u->address - v - s->address < s->size &&
               other_code(m, s, u->address + 4 + peek(m, at + 4))) {
        as_form(u, OTAPULT_KIND_CIE, OTAPULT_PATCH_CIE, u->address - v);
    }
}

/* "Data", rules 1 to 8 in their order; 5 to 8 are in frame_word(). */
static void data(const struct image *m, const struct image_segment *s, struct image_walk *w, uint32_t at,
                 uint32_t room, struct image_unit *u)
{
    uint32_t odd = u->address % 4;

    if (announced(m, s, w, at, room, u))
        return;
    if (odd != 0 || room < 4) {
        as(u, odd != 0 && 4 - odd < room ? 4 - odd : room < 4 ? room : 4, OTAPULT_KIND_BYTES);
        return;
    }
    as(u, 4, OTAPULT_KIND_WORD);
    if (pointer(m, s->code, peek(m, at))) {
        as_form(u, OTAPULT_KIND_POINTER, OTAPULT_PATCH_POINTER, peek(m, at));
        return;
    }
    for (uint32_t i = 1; i < 4 && room >= i + 4; i++) {
        if (!pointer(m, false, peek(m, at + i)))
            continue;
        if (room >= 8 && pointer(m, false, peek(m, at + 4)))
            break;
        as(u, i, OTAPULT_KIND_BYTES);
        w->pointer_comes = true;
        return;
    }
    frame_word(m, s, w, at, room, u);
}

static void by_table(const struct otapult_patch_insn *table, unsigned n, const uint8_t *p,
                     struct image_unit *u)
{
    while (n > 0 && (le(p, 2) & table->mask) != table->match) {
        table++;
        n--;
    }
    if (n > 0)
        as_form(u, table->kind, table->form, image_address(table->form, p, u->address));
}

static void drop_outside(const struct image_segment *s, struct image_unit *u)
{
    if (u->form != OTAPULT_PATCH_NO_FORM && u->target - s->address >= s->size)
        as(u, u->bytes, u->bytes == 2 ? OTAPULT_KIND_SHORT : OTAPULT_KIND_LONG);
}

static bool jump_or_return(uint32_t v)
{
    return (v & 0x3F) == 6 || (v & 0xFFFF) == 0xF00D || (v & 0xFFFF) == 0xF01D || (v & 0xFFFFFF) == 0x80 ||
           (v & 0xFFFFFF) == 0x90 || (v & 0xFFFFFF) == 0xA0;
}

/* "Xtensa code", rules 1 to 5 in their order. */
static void xtensa(const struct image *m, const struct image_segment *s, struct image_walk *w, uint32_t at,
                   uint32_t room, struct image_unit *u)
{
    uint32_t v = peek(m, at), n = v % 16 > 13 ? 4 : v % 16 > 7 ? 2 : 3;

    if (u->address % 4 == 0 && room >= 4 && pointer(m, true, v)) {
        as_form(u, OTAPULT_KIND_POINTER, OTAPULT_PATCH_POINTER, v);
        return;
    }
    if (w->filling && (v & 0xFF) == 0) {
        as(u, 1, OTAPULT_KIND_BYTES);
        return;
    }
    if (n > room) {
        as(u, room, OTAPULT_KIND_BYTES);
        return;
    }
    uint32_t word = 4 - u->address % 4, next = peek(m, at + word);
    if (word < n && s->at + s->size - at - word >= 4 && (pointer(m, true, next) || (next & 0xFFF) == 0x136)) {
        as(u, word, OTAPULT_KIND_BYTES);
        w->filling = false;
        return;
    }
    as(u, n, n == 2 ? OTAPULT_KIND_SHORT : OTAPULT_KIND_LONG);
    w->filling = jump_or_return(v);
    by_table(otapult_patch_xtensa, OTAPULT_PATCH_XTENSA_INSNS, m->data + at, u);
    drop_outside(s, u);
}

/* The register that an instruction writes, 0 for none: rule 6 of "RISC-V code". */
static unsigned written_short(uint32_t v)
{
    static const uint8_t first[8] = {1, 0, 1, 0, 0, 0, 0, 0}; /* quadrant 0: rd' in bits 2 to 4 */
    unsigned f = v >> 13, rd = v >> 7 & 31;

    if ((v & 3) == 0)
        return first[f] != 0 ? 8 + (v >> 2 & 7) : 0;
    if ((v & 3) == 1)
        return f == 1 ? 1 : f > 4 ? 0 : f == 4 ? 8 + rd % 8 : rd;
    if (f == 4 && (v & 0x7C) == 0)
        return v >> 12 & 1;
    return f == 0 || f == 2 || f == 4 ? rd : 0;
}

static unsigned written(uint32_t v)
{
    if ((v & 3) != 3)
        return written_short(v & 0xFFFF);
    return (v & 0x7F) == 0x23 || (v & 0x7F) == 0x63 ? 0 : v >> 7 & 31;
}

/* The form of the lower half that an instruction holds, and its value; 0: none. */
static unsigned lower_half(uint32_t v, int32_t *value)
{
    unsigned op = v & 0x7F;

    if (op == 0x23) {
        *value = (int32_t)((v & 0xFE000000u) | (v << 13 & 0x01F00000u)) >> 20;
        return OTAPULT_PATCH_LOWER_S;
    }
    *value = (int32_t)v >> 20;
    return op == 0x03 || op == 0x67 || (v & 0x707F) == 0x13 ? OTAPULT_PATCH_LOWER_I : 0;
}

/* Rule 2: notes what `lui` or `auipc` puts into its register, and looks ahead for the instruction that adds
 * the lower half. */
static void upper_half(const struct image *m, struct image_walk *w, uint32_t at, uint32_t room,
                       struct image_unit *u)
{
    uint32_t v = peek(m, at), reg = v >> 7 & 31, end = at + room;
    bool pc = (v & 0x7F) == 0x17;
    int32_t low;

    w->upper[reg] = (v & 0xFFFFF000u) + (pc ? u->address : 0);
    w->from[reg] = pc ? u->address : 0;
    w->known |= 1u << reg;
    at += 4;
    for (int i = 0; i < AHEAD && end - at >= 2; i++) {
        uint32_t next = peek(m, at), n = (next & 3) == 3 ? 4 : 2;
        if (n > end - at)
            break;
        if (n == 4 && (next >> 15 & 31) == reg && lower_half(next, &low) != 0) {
            if (pc || image_region(m, w->upper[reg] + (uint32_t)low) >= 0) {
                as_form(u, OTAPULT_KIND_UPPER, OTAPULT_PATCH_UPPER, w->upper[reg] + (uint32_t)low);
                u->from = w->from[reg];
            } else {
                w->known &= ~(1u << reg);
            }
            break;
        }
        if (written(next) == reg)
            break;
        at += n;
    }
    w->known &= ~1u;
}

/* "RISC-V code", rules 1 to 6 in their order. */
static void riscv(const struct image *m, const struct image_segment *s, struct image_walk *w, uint32_t at,
                  uint32_t room, struct image_unit *u)
{
    uint32_t v = peek(m, at), n = (v & 3) == 3 ? 4 : 2, reg = v >> 15 & 31;
    int32_t low;

    if (u->address % 2 != 0 || n > room) {
        as(u, u->address % 2 != 0 ? 1 : room, OTAPULT_KIND_BYTES);
        return;
    }
    as(u, n, n == 2 ? OTAPULT_KIND_SHORT : OTAPULT_KIND_LONG);
    if (n == 4 && ((v & 0x7F) == 0x37 || (v & 0x7F) == 0x17)) {
        upper_half(m, w, at, room, u);
        return;
    }
    by_table(otapult_patch_riscv, OTAPULT_PATCH_RISCV_INSNS, m->data + at, u);
    if (u->form == OTAPULT_PATCH_NO_FORM && n == 4) {
        unsigned form = lower_half(v, &low);
        bool gp = reg == 3 && m->gp != 0;
        if (form != 0 && (gp || (w->known >> reg & 1) != 0)) {
            as_form(u, OTAPULT_KIND_LOWER, form, (gp ? m->gp : w->upper[reg]) + (uint32_t)low);
            u->from = gp ? 1 : w->from[reg];
        }
    } else if (u->form != OTAPULT_PATCH_JAL || image_of(m, u->target) == NULL) {
        drop_outside(s, u);
    }
    w->known &= ~(1u << written(v));
}

void image_unit(const struct image *m, struct image_walk *w, uint32_t at, uint32_t end, struct image_unit *u)
{
    const struct image_segment *s = image_at(m, at);

    *u = (struct image_unit){.bytes = 1, .kind = OTAPULT_KIND_BYTES};
    if (s == NULL)
        return;
    u->address = s->address + (at - s->at);
    u->code = s->code;
    uint32_t room = end - at, rest = s->at + s->size - at;
    if (room > rest)
        room = rest;
    if (s->code && m->family == OTAPULT_PATCH_XTENSA)
        xtensa(m, s, w, at, room, u);
    else if (s->code && m->family == OTAPULT_PATCH_RISCV)
        riscv(m, s, w, at, room, u);
    else
        data(m, s, w, at, room, u);
}
