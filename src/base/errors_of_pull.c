/* SPDX-License-Identifier: Apache-2.0 */
#define ROW_OF_pull(...) __VA_ARGS__
#include "base/error_part.h"

static const struct otapult_error_row rows[] = {
#include "otapult/errors.def"
};

const struct otapult_error_rows otapult_errors_of_pull = {rows, sizeof rows / sizeof *rows};
const struct otapult_language_part *const otapult_pull_in_russian = &otapult_russian_of_pull;
