/* SPDX-License-Identifier: Apache-2.0 */
#include "decode/patch_unit.h"

#include <string.h>

#include "base/bytes.h"
#include "image/format.h"

/* Cuts the base into units, by the rules of docs/patch-format.md, "Units"; the encoder (cli/patch_image.c)
 * follows the same rules. A cut that makes no sense as code is no fault, it only predicts badly. So nothing
 * here fails but flash, and a hostile base or patch can do no more than make it read zeros.
 *
 * Encodings: Xtensa Instruction Set Architecture, with the density option; RISC-V, RV32I and the C extension.
 */

#define LOOK_AHEAD 12u /* instructions between a lui or auipc and what completes it */

/* ---- the base's bytes ---- */

static void refill(struct otapult_patch_base *b, uint32_t at)
{
    uint32_t n = b->size - at < OTAPULT_PATCH_CACHE ? b->size - at : OTAPULT_PATCH_CACHE;

    b->cached = at;
    b->cache_size = 0;
    if (b->err == 0)
        b->err = b->flash.read(b->flash.ctx, at, b->cache, n);
    if (b->err == 0)
        b->cache_size = n;
}

void otapult_patch_base_read(struct otapult_patch_base *b, uint32_t at, uint8_t *dst, uint32_t n)
{
    memset(dst, 0, n);
    if (at >= b->size)
        return;
    if (n > b->size - at)
        n = b->size - at;
    if (at < b->cached || at - b->cached + n > b->cache_size)
        refill(b, at);
    if (b->cache_size >= n)
        memcpy(dst, b->cache + (at - b->cached), n);
}

static uint32_t word_at(struct otapult_patch_base *b, uint32_t at)
{
    uint8_t p[4];

    otapult_patch_base_read(b, at, p, sizeof p);
    return otapult_le32(p);
}

/* ---- segments and regions ---- */

const struct otapult_patch_segment *otapult_patch_segment_at(const struct otapult_patch_image *i, uint32_t at)
{
    for (uint32_t k = 0; k < i->segments; k++)
        if (at - i->segment[k].at < i->segment[k].size)
            return &i->segment[k];
    return NULL;
}

const struct otapult_patch_segment *otapult_patch_segment_of(const struct otapult_patch_image *i,
                                                             uint32_t address)
{
    for (uint32_t k = 0; k < i->segments; k++)
        if (i->segment[k].address >= OTAPULT_NOT_LOADED &&
            address - i->segment[k].address < i->segment[k].size)
            return &i->segment[k];
    return NULL;
}

int otapult_patch_region(const struct otapult_patch_base *b, uint32_t address)
{
    for (int i = 0; i < b->ranges; i++)
        if (address >= b->range[i].from && address < b->range[i].to)
            return i;
    return -1;
}

void otapult_patch_find_code(const struct otapult_patch_base *b, struct otapult_patch_image *image)
{
    for (uint32_t i = 0; i < image->segments; i++) {
        int region = otapult_patch_region(b, image->segment[i].address);
        uint8_t content = region < 0 ? OTAPULT_PATCH_DATA : b->range[region].content;
        image->segment[i].code = content == OTAPULT_PATCH_CODE || (content == OTAPULT_PATCH_MIXED && i > 0);
    }
}

/* From the first to the last segment of the region, and a margin on both sides. */
static void bound_range(struct otapult_patch_base *b, struct otapult_patch_range *r, uint32_t below,
                        uint32_t above)
{
    uint32_t first = UINT32_MAX, behind = 0;

    for (uint32_t i = 0; i < b->image.segments; i++) {
        const struct otapult_patch_segment *s = &b->image.segment[i];
        if (s->address < r->from || s->address >= r->to)
            continue;
        if (s->address < first)
            first = s->address;
        if (s->address + s->size > behind)
            behind = s->address + s->size;
    }
    if (first == UINT32_MAX)
        return;
    r->first = first - below;
    r->behind = behind + above;
}

static void use_chip(struct otapult_patch_base *b, const struct otapult_patch_chip *chip)
{
    b->family = chip->family;
    b->ranges = chip->regions;
    for (int i = 0; i < b->ranges; i++) {
        const struct otapult_patch_region *from = &chip->region[i];
        b->range[i] =
            (struct otapult_patch_range){.from = from->from, .to = from->to, .content = from->content};
        bound_range(b, &b->range[i], from->below, from->above);
    }
}

/* A chip that is not in the table: pointers into the segments themselves. */
static void use_segments(struct otapult_patch_base *b)
{
    for (uint32_t i = 0; i < b->image.segments; i++) {
        const struct otapult_patch_segment *s = &b->image.segment[i];
        if (s->address >= OTAPULT_NOT_LOADED && s->address + s->size > s->address)
            b->range[b->ranges++] = (struct otapult_patch_range){s->address, s->address + s->size, s->address,
                                                                 s->address + s->size, OTAPULT_PATCH_DATA};
    }
}

void otapult_patch_base_init(struct otapult_patch_base *b)
{
    uint8_t header[OTAPULT_IMAGE_HEADER], head[OTAPULT_SEGMENT_HEADER];
    uint32_t at = OTAPULT_IMAGE_HEADER, size;

    otapult_patch_base_read(b, 0, header, sizeof header);
    if (header[0] != OTAPULT_IMAGE_MAGIC)
        return;
    while (b->image.segments < header[OTAPULT_HEADER_SEGMENTS] &&
           b->image.segments < OTAPULT_PATCH_SEGMENTS && at <= b->size && b->size - at >= sizeof head) {
        otapult_patch_base_read(b, at, head, sizeof head);
        at += (uint32_t)sizeof head;
        size = otapult_le32(head + 4);
        if (size > b->size - at)
            break;
        b->image.segment[b->image.segments++] =
            (struct otapult_patch_segment){.at = at, .address = otapult_le32(head), .size = size};
        at += size;
    }
    uint16_t id = otapult_le16(header + OTAPULT_HEADER_CHIP);
    for (uint32_t i = 0; i < OTAPULT_PATCH_CHIPS; i++)
        if (otapult_patch_chips[i].id == id)
            use_chip(b, &otapult_patch_chips[i]);
    if (b->ranges == 0)
        use_segments(b);
    otapult_patch_find_code(b, &b->image);
}

/* ---- addresses in instructions ---- */

static uint32_t load(const uint8_t *p, unsigned bytes)
{
    uint32_t v = 0;

    for (unsigned i = 0; i < bytes; i++)
        v |= (uint32_t)p[i] << 8 * i;
    return v;
}

static void store(uint8_t *p, unsigned bytes, uint32_t v)
{
    for (unsigned i = 0; i < bytes; i++)
        p[i] = (uint8_t)(v >> 8 * i);
}

static uint32_t mask(unsigned bits)
{
    return bits >= 32 ? 0xFFFFFFFFu : (1u << bits) - 1;
}

static uint32_t base_of(const struct otapult_patch_form *f, uint32_t address)
{
    switch ((enum otapult_patch_anchor)f->base) {
    case OTAPULT_PATCH_PC: return address;
    case OTAPULT_PATCH_PC_4: return address + 4;
    case OTAPULT_PATCH_PC_CALL: return (address & ~3u) + 4;
    case OTAPULT_PATCH_PC_L32R: return (address + 3) & ~3u;
    case OTAPULT_PATCH_BACKWARDS: return address;
    case OTAPULT_PATCH_ABSOLUTE:
    case OTAPULT_PATCH_PAIR: break;
    }
    return 0;
}

static uint32_t field_of(const struct otapult_patch_form *f, uint32_t insn)
{
    uint32_t v = 0;

    for (unsigned i = 0; i < f->pieces; i++)
        v |= (insn >> f->piece[i].from & mask(f->piece[i].bits)) << f->piece[i].to;
    if (f->sign == OTAPULT_PATCH_NEGATIVE || (f->sign == OTAPULT_PATCH_SIGNED && v >> (f->width - 1) & 1))
        v |= ~mask(f->width);
    return v;
}

uint32_t otapult_patch_get(unsigned form, const uint8_t *insn, uint32_t address)
{
    const struct otapult_patch_form *f = &otapult_patch_forms[form];
    uint32_t field = field_of(f, load(insn, f->bytes)), base = base_of(f, address);

    return f->base == OTAPULT_PATCH_BACKWARDS ? base - field : base + field;
}

bool otapult_patch_put(unsigned form, uint8_t *insn, uint32_t address, uint32_t base, uint32_t target)
{
    const struct otapult_patch_form *f = &otapult_patch_forms[form];
    const bool pair = f->base == OTAPULT_PATCH_PAIR;
    uint32_t field = target - (pair ? base : base_of(f, address)), w = load(insn, f->bytes);

    if (f->base == OTAPULT_PATCH_BACKWARDS)
        field = 0u - field;
    if (form == OTAPULT_PATCH_UPPER)
        field += 0x800;
    for (unsigned i = 0; i < f->pieces; i++) {
        uint32_t m = mask(f->piece[i].bits);
        w = (w & ~(m << f->piece[i].from)) | (field >> f->piece[i].to & m) << f->piece[i].from;
    }
    if (!pair && field_of(f, w) != field)
        return false;
    store(insn, f->bytes, w);
    return true;
}

/* ---- units of data ---- */

static bool is_pointer(const struct otapult_patch_base *b, bool in_code, uint32_t v)
{
    int region = otapult_patch_region(b, v);

    if (region < 0 || v < b->range[region].first || v >= b->range[region].behind)
        return false;
    if (b->range[region].content != OTAPULT_PATCH_CODE)
        return true;
    if (b->family == OTAPULT_PATCH_RISCV)
        return (v & 1) == 0;
    return !in_code || (v & 3) == 0;
}

static void set_kind(struct otapult_patch_unit *u, unsigned bytes, unsigned kind)
{
    u->bytes = (uint8_t)bytes;
    u->kind = (uint8_t)kind;
}

static void set_form(struct otapult_patch_unit *u, unsigned kind, unsigned form, uint32_t target)
{
    set_kind(u, otapult_patch_forms[form].bytes, kind);
    u->form = (uint8_t)form;
    u->target = target;
}

/* Does a word of data lead into another segment, which is code? Then it is taken for one of .eh_frame. */
static bool leads_to_code(const struct otapult_patch_base *b, const struct otapult_patch_segment *s,
                          uint32_t target)
{
    const struct otapult_patch_segment *t = otapult_patch_segment_of(&b->image, target);
    return t != NULL && t->code && t != s;
}

/* A pointer behind one to three other bytes, as packed tables have it. The next word must not look like one
 * itself: then it is that which is in its place. */
static unsigned odd_pointer(struct otapult_patch_base *b, uint32_t at, uint32_t end)
{
    for (unsigned i = 1; i < 4 && end - at >= i + 4; i++)
        if (is_pointer(b, false, word_at(b, at + i)))
            return end - at >= 8 && is_pointer(b, false, word_at(b, at + 4)) ? 0 : i;
    return 0;
}

/* A word of .eh_frame, of RISC-V in particular: how far it is to a function, or back to the CIE. */
static bool frame_unit(struct otapult_patch_base *b, const struct otapult_patch_segment *s,
                       struct otapult_patch_walk *w, uint32_t at, uint32_t end, struct otapult_patch_unit *u)
{
    uint32_t v = word_at(b, at);

    if (leads_to_code(b, s, u->address + v)) {
        set_form(u, OTAPULT_KIND_RELATIVE, OTAPULT_PATCH_RELATIVE, u->address + v);
        w->frame = 3;
        return true;
    }
    if (w->frame > 0)
        w->frame--;
    if (w->frame == 1 && u->old[0] == 4 && end - at >= 5) {
        set_kind(u, 1, OTAPULT_KIND_BYTES);
        w->frame_next = true;
        return true;
    }
    if (end - at >= 8 && v != 0 && (v & 3) == 0 && u->address - v - s->address < s->size &&
        leads_to_code(b, s, u->address + 4 + word_at(b, at + 4))) {
        set_form(u, OTAPULT_KIND_CIE, OTAPULT_PATCH_CIE, u->address - v);
        return true;
    }
    return false;
}

/* A unit that the bytes in front of it announced: an offset in .eh_frame, or a pointer at an odd place. */
static bool announced_unit(struct otapult_patch_base *b, const struct otapult_patch_segment *s,
                           struct otapult_patch_walk *w, uint32_t at, uint32_t end,
                           struct otapult_patch_unit *u)
{
    bool offset = w->frame_next, pointer = w->word_next;
    uint32_t v = otapult_le32(u->old);

    w->frame_next = w->word_next = false;
    if (end - at < 4)
        return false;
    if (offset && u->address + v - s->address < s->size) {
        set_form(u, OTAPULT_KIND_RELATIVE, OTAPULT_PATCH_RELATIVE, u->address + v);
        return true;
    }
    if (pointer && is_pointer(b, false, v)) {
        set_form(u, OTAPULT_KIND_POINTER, OTAPULT_PATCH_POINTER, v);
        return true;
    }
    return false;
}

static void data_unit(struct otapult_patch_base *b, const struct otapult_patch_segment *s,
                      struct otapult_patch_walk *w, uint32_t at, uint32_t end, struct otapult_patch_unit *u)
{
    uint32_t to_word = (0u - u->address) & 3, n;

    if (announced_unit(b, s, w, at, end, u))
        return;
    if (to_word > 0 || end - at < 4) {
        n = to_word > 0 && to_word < end - at ? to_word : end - at;
        set_kind(u, n < 4 ? n : 4, OTAPULT_KIND_BYTES);
        return;
    }
    set_kind(u, 4, OTAPULT_KIND_WORD);
    if (is_pointer(b, s->code, otapult_le32(u->old))) {
        set_form(u, OTAPULT_KIND_POINTER, OTAPULT_PATCH_POINTER, otapult_le32(u->old));
        return;
    }
    n = odd_pointer(b, at, end);
    if (n > 0) {
        set_kind(u, n, OTAPULT_KIND_BYTES);
        w->word_next = true;
        return;
    }
    (void)frame_unit(b, s, w, at, end, u);
}

/* ---- units of code ---- */

static void find_form(const struct otapult_patch_insn *table, unsigned n, struct otapult_patch_unit *u)
{
    uint16_t insn = otapult_le16(u->old);

    for (unsigned i = 0; i < n; i++) {
        if ((insn & table[i].mask) != table[i].match)
            continue;
        u->kind = table[i].kind;
        u->form = table[i].form;
        u->target = otapult_patch_get(u->form, u->old, u->address);
        return;
    }
}

/* A jump or a call that leads out of its segment is no instruction, or one that never moves. */
static void keep_inside(const struct otapult_patch_segment *s, struct otapult_patch_unit *u)
{
    if (u->form == OTAPULT_PATCH_NO_FORM || u->target - s->address < s->size)
        return;
    u->form = OTAPULT_PATCH_NO_FORM;
    u->kind = u->bytes == 2 ? OTAPULT_KIND_SHORT : OTAPULT_KIND_LONG;
}

/* Is this word a pointer, or the start of a function? No instruction before it reaches into such a word. */
static bool begins_anew(struct otapult_patch_base *b, const struct otapult_patch_segment *s, uint32_t at)
{
    if (s->at + s->size - at < 4)
        return false;
    uint32_t v = word_at(b, at);
    return is_pointer(b, true, v) || (v & 0xFFF) == 0x136; /* entry a1, … */
}

/* j, ret, retw, jx and their short forms: what follows may be filling. */
static bool ends_flow(const uint8_t *p)
{
    if ((p[0] & 0x3F) == 0x06)
        return true;
    if (p[0] == 0x0D || p[0] == 0x1D)
        return p[1] == 0xF0;
    return (p[0] == 0x80 || p[0] == 0x90 || p[0] == 0xA0) && p[1] == 0 && p[2] == 0;
}

static void xtensa_unit(struct otapult_patch_base *b, const struct otapult_patch_segment *s,
                        struct otapult_patch_walk *w, uint32_t at, uint32_t end, struct otapult_patch_unit *u)
{
    uint32_t low = u->old[0] & 15, n = low >= 14 ? 4 : low >= 8 ? 2 : 3;

    if ((u->address & 3) == 0 && end - at >= 4 && is_pointer(b, true, otapult_le32(u->old))) {
        set_form(u, OTAPULT_KIND_POINTER, OTAPULT_PATCH_POINTER, otapult_le32(u->old));
        return;
    }
    if (w->after_end && u->old[0] == 0) {
        set_kind(u, 1, OTAPULT_KIND_BYTES);
        return;
    }
    if (n > end - at) {
        set_kind(u, end - at, OTAPULT_KIND_BYTES);
        return;
    }
    for (uint32_t i = 1; i < n; i++) {
        if (((u->address + i) & 3) != 0 || !begins_anew(b, s, at + i))
            continue;
        set_kind(u, i, OTAPULT_KIND_BYTES);
        w->after_end = false;
        return;
    }
    set_kind(u, n, n == 2 ? OTAPULT_KIND_SHORT : OTAPULT_KIND_LONG);
    w->after_end = ends_flow(u->old);
    find_form(otapult_patch_xtensa, OTAPULT_PATCH_XTENSA_INSNS, u);
    keep_inside(s, u);
}

/* ---- RISC-V ---- */

enum {
    OP_LOAD = 0x03,
    OP_IMM = 0x13,
    OP_AUIPC = 0x17,
    OP_STORE = 0x23,
    OP_LUI = 0x37,
    OP_BRANCH = 0x63,
    OP_JALR = 0x67
};

/* The register that a short instruction writes; 0: none that matters. */
static unsigned short_writes(uint32_t insn)
{
    unsigned f = insn >> 13 & 7, rd = insn >> 7 & 31;

    switch (insn & 3) {
    case 0: return f == 0 || f == 2 ? 8 + (insn >> 2 & 7) : 0;
    case 1: return f == 1 ? 1 : f == 4 ? 8 + (rd & 7) : f < 4 ? rd : 0;
    default: break;
    }
    if (f == 4 && (insn >> 2 & 31) == 0)
        return insn >> 12 & 1; /* c.jalr writes ra */
    return f == 0 || f == 2 || f == 4 ? rd : 0;
}

static unsigned writes(uint32_t insn)
{
    unsigned op = insn & 0x7F;

    if ((insn & 3) != 3)
        return short_writes(insn);
    return op == OP_STORE || op == OP_BRANCH ? 0 : insn >> 7 & 31;
}

static uint32_t sign_extend(uint32_t v)
{
    return (v & 0x800) != 0 ? v | 0xFFFFF000u : v;
}

/* The lower half that an instruction adds to a register: true, *form and *value. */
static bool adds_lower(uint32_t insn, unsigned reg, uint8_t *form, uint32_t *value)
{
    unsigned op = insn & 0x7F;

    if ((insn & 3) != 3 || (insn >> 15 & 31) != reg)
        return false;
    if (op == OP_STORE) {
        *form = OTAPULT_PATCH_LOWER_S;
        *value = sign_extend((insn >> 25) << 5 | (insn >> 7 & 31));
        return true;
    }
    *form = OTAPULT_PATCH_LOWER_I;
    *value = sign_extend(insn >> 20);
    return op == OP_LOAD || op == OP_JALR || (op == OP_IMM && (insn >> 12 & 7) == 0);
}

/* Looks for the instruction that completes the address. */
static bool find_lower(struct otapult_patch_base *b, uint32_t at, uint32_t end, unsigned reg, uint32_t *value)
{
    for (unsigned i = 0; i < LOOK_AHEAD && end - at >= 2; i++) {
        uint32_t insn = word_at(b, at), n = (insn & 3) == 3 ? 4 : 2;
        uint8_t form;
        if (n > end - at)
            return false;
        insn &= mask(8 * n);
        if (adds_lower(insn, reg, &form, value))
            return true;
        if (writes(insn) == reg)
            return false;
        at += n;
    }
    return false;
}

static void upper_unit(struct otapult_patch_base *b, struct otapult_patch_walk *w, uint32_t at, uint32_t end,
                       struct otapult_patch_unit *u)
{
    uint32_t insn = otapult_le32(u->old), lower;
    unsigned reg = insn >> 7 & 31;
    bool relative = (insn & 0x7F) == OP_AUIPC;

    w->known |= 1u << reg;
    w->upper[reg] = (insn & 0xFFFFF000u) + (relative ? u->address : 0);
    w->from[reg] = relative ? u->address : 0;
    if (find_lower(b, at + 4, end, reg, &lower)) {
        set_form(u, OTAPULT_KIND_UPPER, OTAPULT_PATCH_UPPER, w->upper[reg] + lower);
        u->from = w->from[reg];
        if (!relative && otapult_patch_region(b, u->target) < 0) {
            set_kind(u, 4, OTAPULT_KIND_LONG);
            u->form = OTAPULT_PATCH_NO_FORM;
            w->known &= ~(1u << reg);
        }
    }
    w->known &= ~1u;
}

static void lower_unit(const struct otapult_patch_base *b, const struct otapult_patch_walk *w,
                       struct otapult_patch_unit *u)
{
    uint32_t insn = otapult_le32(u->old), value;
    unsigned reg = insn >> 15 & 31;
    bool by_gp = reg == 3 && b->gp != 0;
    uint8_t form;

    if ((!by_gp && (w->known >> reg & 1) == 0) || !adds_lower(insn, reg, &form, &value))
        return;
    set_form(u, OTAPULT_KIND_LOWER, form, (by_gp ? b->gp : w->upper[reg]) + value);
    u->from = by_gp ? OTAPULT_PATCH_BY_GP : w->from[reg];
}

static void riscv_unit(struct otapult_patch_base *b, const struct otapult_patch_segment *s,
                       struct otapult_patch_walk *w, uint32_t at, uint32_t end, struct otapult_patch_unit *u)
{
    uint32_t insn = otapult_le32(u->old), n = (insn & 3) == 3 ? 4 : 2, op = insn & 0x7F;

    if ((u->address & 1) != 0 || n > end - at) {
        set_kind(u, (u->address & 1) != 0 ? 1 : end - at, OTAPULT_KIND_BYTES);
        return;
    }
    set_kind(u, n, n == 2 ? OTAPULT_KIND_SHORT : OTAPULT_KIND_LONG);
    if (n == 4 && (op == OP_LUI || op == OP_AUIPC)) {
        upper_unit(b, w, at, end, u);
        return;
    }
    find_form(otapult_patch_riscv, OTAPULT_PATCH_RISCV_INSNS, u);
    if (u->form != OTAPULT_PATCH_NO_FORM) {
        if (u->form != OTAPULT_PATCH_JAL || otapult_patch_segment_of(&b->image, u->target) == NULL)
            keep_inside(s, u);
    } else if (n == 4) {
        lower_unit(b, w, u);
    }
    w->known &= ~(1u << writes(insn & mask(8 * n)));
}

/* ---- any unit ---- */

void otapult_patch_unit(struct otapult_patch_base *b, struct otapult_patch_walk *w, uint32_t at, uint32_t end,
                        struct otapult_patch_unit *u)
{
    const struct otapult_patch_segment *s = otapult_patch_segment_at(&b->image, at);

    memset(u, 0, sizeof *u);
    otapult_patch_base_read(b, at, u->old, 4);
    if (s == NULL) {
        set_kind(u, 1, OTAPULT_KIND_BYTES);
        return;
    }
    u->address = s->address + (at - s->at);
    u->code = s->code;
    if (end > s->at + s->size)
        end = s->at + s->size;
    if (s->code && b->family == OTAPULT_PATCH_XTENSA)
        xtensa_unit(b, s, w, at, end, u);
    else if (s->code && b->family == OTAPULT_PATCH_RISCV)
        riscv_unit(b, s, w, at, end, u);
    else
        data_unit(b, s, w, at, end, u);
}
