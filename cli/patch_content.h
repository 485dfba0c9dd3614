/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_PATCH_CONTENT_H
#define CLI_PATCH_CONTENT_H

#include "patch_code.h"
#include "patch_match.h"

/* The writing half of docs/patch-format.md, "The body": given which bytes of the result come from where, says
 * what is different. */

struct content;

/* NULL: no memory. Keeps the images and the list's blocks, which say which are the map's. */
struct content *content_new(const struct image *base, const struct image *result, const struct match_list *list);
void content_free(struct content *c);

/* The whole body. false: no memory. */
bool content_write(struct content *c, struct code_output *out);

/* Where an address of the base has gone, as far as is known after the body was written. */
uint32_t content_moved(void *content, uint32_t address);

#endif
