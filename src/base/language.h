/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OTAPULT_BASE_LANGUAGE_H
#define OTAPULT_BASE_LANGUAGE_H

#include <stddef.h>

#include "base/error_rows.h"
#include "base/text.h"

/* Texts in another language than English: what errors.c asks of it. */

struct otapult_language_row {
    const char *detail, *hint;
};

struct otapult_language_word {
    const char *english, *own;
};

/* Of one part of a firmware. */
struct otapult_language_part {
    const struct otapult_language_row  *rows;  /* in the order of its error_rows */
    const struct otapult_language_word *words; /* the last has no `english` */
};

struct otapult_language {
    /* OTAPULT_PARTS of them, by OTAPULT_PART_core and so on; NULL where the firmware does not have that part. */
    const struct otapult_language_part *const *const *parts;
    const char *const *claims; /* OTAPULT_CLAIM_COUNT, what {claim} stands for */
    /* A detail that was kept in English, as otapult_detail() made it of a finding that is gone, into dst[cap] in this
     * language. As it is where it is not whole, or none of this error's. */
    void (*retell)(int err, const char *english, char *dst, size_t cap);
};

/* A part's Russian texts are linked where both are named, that part and Russian. The source of its error rows has this
 * pointer beside them, which takes the texts along; nothing there reads it, so the linker drops both, unless russian.c
 * is linked and asks for it, through a weak reference. */
#define OTAPULT_IN_RUSSIAN(part)                                       \
    extern const struct otapult_language_part otapult_russian_of_##part; \
    extern const struct otapult_language_part *const otapult_##part##_in_russian;
OTAPULT_ERROR_PARTS(OTAPULT_IN_RUSSIAN)
#undef OTAPULT_IN_RUSSIAN

/* The template of err's detail, and its hint. */
struct otapult_language_row otapult_texts(int err, const struct otapult_language *language);

/* otapult_in_language() of english[len], which need not end there. */
void otapult_put_in_language(struct otapult_text *t, const char *english, size_t len,
                             const struct otapult_language *language);

#endif
