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

extern const struct otapult_error_rows otapult_errors_of_secure;
extern const struct otapult_error_rows otapult_errors_of_pull;
extern const struct otapult_error_rows otapult_errors_of_resume;
extern const struct otapult_error_rows otapult_errors_of_gzip;
extern const struct otapult_error_rows otapult_errors_of_patch;

#endif
