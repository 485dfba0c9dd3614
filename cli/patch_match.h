/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_PATCH_MATCH_H
#define CLI_PATCH_MATCH_H

#include "patch_image.h"

/* Which bytes of the result come from which bytes of the base. */

struct match_block {
    uint32_t base, result, size;
    bool     mapped; /* one of the map's */
};

struct match_list {
    struct match_block *block; /* in the order of the result; free() it */
    size_t count;
};

/* Where an address of the base is in the result, as far as is known. */
typedef uint32_t (*match_moved)(void *ctx, uint32_t address);

struct matcher;

/* NULL: no memory. Keeps both images. */
struct matcher *matcher_new(const struct image *base, const struct image *result);
void matcher_free(struct matcher *m);

/* Finds the cheapest cover. `moved` NULL: nothing is known of addresses yet, all are alike; else units whose
 * address fits are preferred. false: no memory. */
bool matcher_run(struct matcher *m, match_moved moved, void *ctx, struct match_list *list);

#endif
