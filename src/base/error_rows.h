/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OTAPULT_BASE_ERROR_ROWS_H
#define OTAPULT_BASE_ERROR_ROWS_H

#include <stddef.h>

#include "otapult/error.h"

/* The rows of errors.def that belong to one part of a firmware. The part's object points to them, so that the linker
 * takes them with it; it does not read them. errors.c does, through weak references, which are NULL where the part is
 * not linked. */
struct otapult_error_rows {
    const struct otapult_error_row *rows;
    size_t                          count;
};

/* Every part that has rows; a source of its own collects them, as errors_of_gzip.c does. */
#define OTAPULT_ERROR_PARTS(X) X(secure) X(pull) X(resume) X(gzip) X(patch)

#define OTAPULT_ERROR_PART(part) OTAPULT_PART_##part,
enum { OTAPULT_PART_core, OTAPULT_ERROR_PARTS(OTAPULT_ERROR_PART) OTAPULT_PARTS };
#undef OTAPULT_ERROR_PART

#define OTAPULT_ERROR_PART(part) extern const struct otapult_error_rows otapult_errors_of_##part;
OTAPULT_ERROR_PARTS(OTAPULT_ERROR_PART)
#undef OTAPULT_ERROR_PART

#endif
