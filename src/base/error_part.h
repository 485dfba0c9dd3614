/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OTAPULT_BASE_ERROR_PART_H
#define OTAPULT_BASE_ERROR_PART_H

#include "base/error_rows.h"
#include "base/language.h"
#include "base/one_part.h"

/* The English rows of errors.def, of the part that one_part.h was told. */
#define OTAPULT_ERROR(symbol, part, code, caption, status, detail_en, detail_ru, hint_en, hint_ru) \
    ROW_OF_##part({code, caption, status, OTAPULT_E_##symbol, detail_en, hint_en}, )

#endif
