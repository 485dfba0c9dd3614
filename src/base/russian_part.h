/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OTAPULT_BASE_RUSSIAN_PART_H
#define OTAPULT_BASE_RUSSIAN_PART_H

#include "base/language.h"
#include "base/one_part.h"

/* The Russian columns of errors.def and words.def, of the part that one_part.h was told. */
#define OTAPULT_ERROR(symbol, part, code, caption, status, detail_en, detail_ru, hint_en, hint_ru) \
    ROW_OF_##part({detail_ru, hint_ru}, )
#define OTAPULT_WORD(part, english, russian) ROW_OF_##part({english, russian}, )

static const struct otapult_language_row rows[] = {
#include "otapult/errors.def"
};

static const struct otapult_language_word words[] = {
#include "otapult/words.def"
    {NULL, NULL},
};

#undef OTAPULT_ERROR
#undef OTAPULT_WORD

#endif
