/* SPDX-License-Identifier: Apache-2.0 */
/* The errors that only the puller (src/web/pulling.c) gives. They have an object of their own, so that
 * firmware without that part does not carry their texts (error_rows.h). */
#define ROW_OF_pull(...) __VA_ARGS__
#include "base/error_part.h"

static const struct otapult_error_row rows[] = {
#include "otapult/errors.def"
};

const struct otapult_error_rows otapult_errors_of_pull = {rows, sizeof rows / sizeof *rows};
const struct otapult_language_part *const otapult_pull_in_russian = &otapult_russian_of_pull;
