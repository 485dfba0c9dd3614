/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_KINDS_H
#define CLI_KINDS_H

#include <stdbool.h>

/* Devices of other kinds, which have an upload page but not this API. */

enum kind {
#define KIND(id, word, probe, evidence, before, upload, field, success) KIND_##id,
#include "kinds.def"
    KINDS
};

struct kind_row {
    const char *word, *probe, *evidence, *before, *upload, *field, *success;
};
extern const struct kind_row kind_table[KINDS];
bool kind_by_word(const char *word, enum kind *out); /* false: standard error says which there are */

#endif
