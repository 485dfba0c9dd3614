/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OTAPULT_BASE_LANGUAGE_H
#define OTAPULT_BASE_LANGUAGE_H

#include <stddef.h>

#include "base/text.h"
#include "otapult/error.h"

/* Texts in another language than English: what errors.c asks of it. */
struct otapult_language {
    struct otapult_language_row {
        const char *detail, *hint;
    } const *rows;             /* OTAPULT_ERROR_COUNT, by the number of the error */
    const char *const *claims; /* OTAPULT_CLAIM_COUNT, what {claim} stands for */
    struct otapult_language_word {
        const char *english, *own;
    } const *words;
    size_t word_count;
    /* A detail that was kept in English, as otapult_detail() made it of a finding that is gone, into dst[cap] in this
     * language. As it is where it is not whole, or none of this error's. */
    void (*retell)(int err, const char *english, char *dst, size_t cap);
};

/* otapult_in_language() of english[len], which need not end there. */
void otapult_put_in_language(struct otapult_text *t, const char *english, size_t len,
                             const struct otapult_language *language);

#endif
