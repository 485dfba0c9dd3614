/* SPDX-License-Identifier: Apache-2.0 */
#include "base/language.h"

/* The Russian columns of errors.def and words.def. Reached through the object alone, so that the linker
 * leaves them out of firmware that does not name it. */

static const struct otapult_language_row rows[OTAPULT_ERROR_COUNT] = {
#define OTAPULT_ERROR(symbol, part, code, caption, status, detail_en, detail_ru, hint_en, hint_ru) \
    [OTAPULT_E_##symbol] = {detail_ru, hint_ru},
#include "otapult/errors.def"
#undef OTAPULT_ERROR
};

static const char *const claims[OTAPULT_CLAIM_COUNT] = {
    [OTAPULT_FREE] = "",
#define OTAPULT_CLAIM(symbol, word, en, ru) [OTAPULT_FOR_##symbol] = (ru),
#include "otapult/errors.def"
#undef OTAPULT_CLAIM
};

static const struct otapult_language_word words[] = {
#define OTAPULT_WORD(english, russian) {english, russian},
#include "otapult/words.def"
#undef OTAPULT_WORD
};

const struct otapult_language otapult_russian = {rows, claims, words, sizeof words / sizeof *words};
