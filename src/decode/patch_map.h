/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OTAPULT_DECODE_PATCH_MAP_H
#define OTAPULT_DECODE_PATCH_MAP_H

#include "decode/patch_unit.h"

/* Where an address of the base has gone in the result. Two sources: the blocks, which the patch lists before
 * everything else, and single addresses that turned out to have gone elsewhere. docs/patch-format.md,
 * "Where an address goes". */

struct otapult_patch_block {
    uint32_t base, result, size; /* result[result …] comes from base[base …] */
};

struct otapult_patch_learned {
    uint32_t address, shift;
};

struct otapult_patch_map {
    uint32_t                     blocks;
    struct otapult_patch_block   block[OTAPULT_PATCH_BLOCKS]; /* in the order of the result */
    uint16_t                     sorted; /* how many are in by_base */
    uint16_t                     by_base[OTAPULT_PATCH_BLOCKS];
    uint16_t                     learneds, oldest;
    struct otapult_patch_learned learned[OTAPULT_PATCH_LEARNED]; /* by address */
};

/* Sorts the blocks by their place in the base. A block that lies within the one before it is left out: it is
 * a copy of something that stayed. */
void otapult_patch_map_sort(struct otapult_patch_map *m);

/* What is known of an address. */
struct otapult_patch_evidence {
    bool     exact, inside, below_block, lower, upper; /* which of the shifts are there */
    uint32_t exact_shift;
    uint32_t block_shift; /* of the block that holds it, or of the nearest below */
    uint32_t lower_shift, upper_shift; /* of the nearest learned addresses of the region */
};

void otapult_patch_map_ask(const struct otapult_patch_map *m, const struct otapult_patch_base *b,
                           const struct otapult_patch_image *result, uint32_t address,
                           struct otapult_patch_evidence *e);

/* Notes that an address has moved by `shift`. Where there is no room an older one goes. */
void otapult_patch_map_learn(struct otapult_patch_map *m, uint32_t address, uint32_t shift);

#endif
