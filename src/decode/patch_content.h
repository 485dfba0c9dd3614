/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OTAPULT_DECODE_PATCH_CONTENT_H
#define OTAPULT_DECODE_PATCH_CONTENT_H

#include "decode/patch_map.h"
#include "decode/patch_model.h"

/* What the body of a patch says of the result's bytes, unit by unit and byte by byte: the part of the decoder
 * that knows what the bits mean. docs/patch-format.md, "Copied units" and "New bytes". */

#define OTAPULT_PATCH_CLASSES 4u  /* of what has an address: pointers, calls, literals, jumps */
#define OTAPULT_PATCH_SOURCES 13u /* where a shift may come from; the last 8 are the recent ones */

struct otapult_patch_change {
    uint32_t old, now; /* a unit's bytes; equal: nothing is known */
};

struct otapult_patch_content {
    struct otapult_patch_base   base;
    struct otapult_patch_image  result;
    uint32_t                    result_gp;
    struct otapult_patch_map    map;
    struct otapult_patch_walk   walk;     /* of the block that is being copied */
    uint32_t                    misses;   /* in it, of the expensive kind */
    uint32_t                    last_miss; /* where in the result a prediction was wrong, last */
    uint8_t                     before[2]; /* the last bytes of the result, newest first */
    struct otapult_patch_change change[OTAPULT_PATCH_CHANGES];
    uint32_t recent[OTAPULT_PATCH_CLASSES][OTAPULT_PATCH_RECENT];
    uint32_t last[OTAPULT_PATCH_CLASSES - 1 + OTAPULT_PATCH_REGIONS + 1]; /* address that came last */

    otapult_patch_fine   same[OTAPULT_PATCH_KINDS * 7 * 3];  /* a unit without address is as it was */
    otapult_patch_fine   right[9 * 6 * 3 * 2];               /* the first shift is right */
    otapult_patch_coarse changed[OTAPULT_PATCH_KINDS * 2];   /* a unit changed as its like did before */
    otapult_patch_coarse back[OTAPULT_PATCH_KINDS];          /* or not at all */
    otapult_patch_coarse other[OTAPULT_PATCH_CLASSES];       /* another shift is right */
    otapult_patch_coarse which[OTAPULT_PATCH_CLASSES * OTAPULT_PATCH_SOURCES];
    otapult_patch_coarse number[OTAPULT_PATCH_CLASSES];      /* an address comes as a number */
    otapult_patch_coarse from_last[OTAPULT_PATCH_CLASSES];   /* counted from the one that came last */
    otapult_patch_coarse differs[OTAPULT_PATCH_KINDS * 4 * 8];
    struct otapult_patch_number distance[OTAPULT_PATCH_CLASSES], step[OTAPULT_PATCH_CLASSES];
    struct otapult_patch_bytes  bytes;
};

/* Prepares what learns; the base and the blocks are the caller's. */
void otapult_patch_content_init(struct otapult_patch_content *c);

/* A block begins. */
void otapult_patch_begin_copy(struct otapult_patch_content *c);

/* The next unit of a block: base[from … end) comes to result[to …]. Bytes in out, at most 4; their number is
 * returned. */
unsigned otapult_patch_copy_unit(struct otapult_patch_content *c, struct otapult_patch_input *in, uint32_t from,
                                 uint32_t end, uint32_t to, uint8_t out[4]);

/* A new byte for result[to]; the base goes on with `old` there. */
uint8_t otapult_patch_new_byte(struct otapult_patch_content *c, struct otapult_patch_input *in, uint32_t to,
                               uint8_t old);

#endif
