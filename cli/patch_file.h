/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_PATCH_FILE_H
#define CLI_PATCH_FILE_H

#include "decode/patch_tables.h"
#include "otapult/error.h"
#include "patch_encoder.h"

/* Patches as files: what one says of itself, and what it makes. */

struct patch_side { /* base or result */
    uint32_t size;
    uint8_t  sha256[32];
    uint8_t  build[4];
    char     version[OTAPULT_PATCH_TEXT + 1]; /* clean; "" where it is no app image */
};

struct patch_info {
    uint16_t chip;
    struct patch_side base, result;
};

bool patch_recognise(const uint8_t *p, size_t size);

/* Reads the header. 0, or PATCH_DAMAGED with *why; the body is not looked at. */
int patch_read(const uint8_t *p, size_t size, struct patch_info *info, struct otapult_finding *why);

/* Applies a patch as a device does, by the device's decoder: result[room] gets the bytes. 0, or the error with
 * *why, whose text lives until the next call. */
int patch_apply(const uint8_t *p, size_t size, const uint8_t *base, size_t base_size, uint8_t *result,
                size_t room, size_t *result_size, struct otapult_finding *why);

/* The smallest file that brings the result to a device which runs the base: a patch that was applied and
 * compared, or, where the two have too little in common, the result as a gzip file, which needs no base.
 * false: no memory, or, which cannot be, the patch does not do what it should. */
bool patch_make(const uint8_t *base, size_t base_size, const uint8_t *result, size_t result_size,
                struct patch_file *out, bool *is_gzip);

/* The whole as a gzip file, the same bytes each time. false: no memory. */
bool patch_gzip(const uint8_t *p, size_t size, struct patch_file *out);

#endif
