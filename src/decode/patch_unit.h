/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OTAPULT_DECODE_PATCH_UNIT_H
#define OTAPULT_DECODE_PATCH_UNIT_H

#include <stdbool.h>

#include "decode/patch_tables.h"
#include "otapult/port.h"

/* The base image as the patch decoder sees it: bytes, segments, and units. A unit is an instruction, a word of
 * data, or up to four bytes without a meaning; what it refers to is an address of the base. A wrong guess
 * costs bytes in the patch and nothing else, because the encoder guesses by the same rules:
 * docs/patch-format.md, "Units". */

struct otapult_patch_segment {
    uint32_t at, address, size; /* `at`: of its data in the file */
    bool     code;
};

/* Base or result: where its segments lie. */
struct otapult_patch_image {
    uint32_t segments;
    struct otapult_patch_segment segment[OTAPULT_PATCH_SEGMENTS];
};

struct otapult_patch_range {
    uint32_t from, to;       /* the whole region; to: first address behind */
    uint32_t first, behind;  /* where a pointer may lead */
    uint8_t  content;
};

#define OTAPULT_PATCH_CACHE 512u

struct otapult_patch_base {
    struct otapult_flash       flash;
    uint32_t                   size; /* of the base in the slot; reads behind it give zeros */
    int                        err;  /* the first one of flash; reads give zeros from then on */
    uint32_t                   cached, cache_size;
    uint8_t                    cache[OTAPULT_PATCH_CACHE];
    uint8_t                    family;
    uint8_t                    ranges;
    uint32_t                   gp; /* RISC-V: the base's global pointer; 0: not known */
    struct otapult_patch_image image;
    struct otapult_patch_range range[OTAPULT_PATCH_REGIONS];
};

/* Reads the base's own header for segments and chip. What is no app image has no segments. */
void otapult_patch_base_init(struct otapult_patch_base *b);
void otapult_patch_base_read(struct otapult_patch_base *b, uint32_t at, uint8_t *dst, uint32_t n);

/* Fits `code` into the segments of an image of the chip. */
void otapult_patch_find_code(const struct otapult_patch_base *b, struct otapult_patch_image *image);

/* The segment that holds a byte of the file, or an address; NULL: none. */
const struct otapult_patch_segment *otapult_patch_segment_at(const struct otapult_patch_image *i, uint32_t at);
const struct otapult_patch_segment *otapult_patch_segment_of(const struct otapult_patch_image *i,
                                                             uint32_t address);
/* The chip's region of an address; -1: none. */
OTAPULT_MUST_CHECK int otapult_patch_region(const struct otapult_patch_base *b, uint32_t address);

/* What the reader remembers from unit to unit within one block. All zeros at its begin. */
struct otapult_patch_walk {
    bool     after_end;   /* Xtensa: behind a jump or return zeros fill up */
    bool     word_next;   /* a pointer at an odd place comes */
    uint8_t  frame;       /* words since a word of .eh_frame with a function's address, counted down from 3 */
    bool     frame_next;  /* an offset at an odd place comes */
    uint32_t known;       /* RISC-V: registers whose upper half is known */
    uint32_t upper[32];   /* their values */
    uint32_t from[32];    /* and the address of the auipc, 0 for a lui */
};

#define OTAPULT_PATCH_BY_GP 1u /* unit.from of what is relative to the global pointer */

struct otapult_patch_unit {
    uint8_t  bytes; /* 1 to 4 */
    uint8_t  kind, form;
    bool     code; /* its segment is one of code */
    uint8_t  old[4];
    uint32_t address; /* of the unit; 0 outside segments */
    uint32_t target;  /* what it refers to, where it has a form */
    uint32_t from;    /* LOWER: address of the auipc, 0 for a lui, OTAPULT_PATCH_BY_GP */
};

/* The unit at `at`; it ends at `end` at the latest. at < end <= size. */
void otapult_patch_unit(struct otapult_patch_base *b, struct otapult_patch_walk *w, uint32_t at, uint32_t end,
                        struct otapult_patch_unit *u);

/* The address in an instruction or word at `address`, and the way back: false where it does not fit, then
 * `insn` is as it was. `base` is the upper half's for a lower half. */
uint32_t otapult_patch_get(unsigned form, const uint8_t *insn, uint32_t address);
bool     otapult_patch_put(unsigned form, uint8_t *insn, uint32_t address, uint32_t base, uint32_t target);

#endif
