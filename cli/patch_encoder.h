/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_PATCH_ENCODER_H
#define CLI_PATCH_ENCODER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Makes a patch, docs/patch-format.md: what turns `base` into `result`, two whole files as they are sent.
 * Deterministic: the same two files give the same patch on every machine. */

#define PATCH_LARGEST (64u * 1024u * 1024u) /* of both files */

struct patch_file {
    uint8_t *data; /* free() it */
    size_t   size;
};

/* false: no memory, or a file is larger than PATCH_LARGEST. */
bool patch_encode(const uint8_t *base, size_t base_size, const uint8_t *result, size_t result_size,
                  struct patch_file *out);

#endif
