/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_PATCH_IMAGE_H
#define CLI_PATCH_IMAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "decode/patch_tables.h"

/* An image as the patch encoder sees it, whole in memory: its segments, and the units of docs/patch-format.md.
 * Written from that page and not from the decoder: the two share tables and nothing else, so that each proves
 * the other. */

struct image_segment {
    uint32_t at, address, size;
    bool     code;
};

struct image_range {
    uint32_t from, to, first, behind;
    uint8_t  content;
};

struct image {
    const uint8_t *data;
    uint32_t       size;
    uint16_t       chip;
    uint8_t        family;
    uint32_t       gp; /* RISC-V: the global pointer that the startup code sets; 0: none found */
    uint32_t       segments, ranges;
    struct image_segment segment[OTAPULT_PATCH_SEGMENTS];
    struct image_range   range[OTAPULT_PATCH_REGIONS];
};

/* Any file will do: what is no app image has no segments. Keeps `data`. */
void image_read(struct image *m, const uint8_t *data, uint32_t size);

/* Says anew which segments are code, by the regions of another image: a decoder knows the base's only. */
void image_find_code(struct image *m, const struct image *chip);

/* The build id of an app image with a description: the first bytes of its ELF's SHA-256, or, where the build tool
 * left that out, of the SHA-256 at the image's end. Zeros where there is neither. */
void image_build(const struct image *m, uint8_t id[4]);

const struct image_segment *image_at(const struct image *m, uint32_t at);
const struct image_segment *image_of(const struct image *m, uint32_t address);
int image_region(const struct image *m, uint32_t address);

/* What goes from unit to unit of one block. */
struct image_walk {
    bool     filling, pointer_comes, offset_comes;
    int      frame;
    uint32_t known, upper[32], from[32];
};

struct image_unit {
    uint8_t  bytes, kind, form;
    bool     code;
    uint32_t address, target, from; /* from: as in the format: 0, an auipc's address, or 1: the gp */
};

void image_unit(const struct image *m, struct image_walk *w, uint32_t at, uint32_t end, struct image_unit *u);

uint32_t image_address(unsigned form, const uint8_t *insn, uint32_t address);
bool     image_set_address(unsigned form, uint8_t *insn, uint32_t address, uint32_t base, uint32_t target);

#endif
