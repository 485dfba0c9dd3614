/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_WORDS_H
#define CLI_WORDS_H

#include <stdint.h>
#include <stdio.h>

#include "otapult/error.h"
#include "otapult/json.h"

/* "1,183,696 bytes (1.13 MiB)" */
#define SIZE_TEXT 48
void size_text(uint32_t bytes, char dst[SIZE_TEXT]);

/* An error of the table: three lines about the file `name`. */
void put_error(FILE *to, const char *name, int err, const struct otapult_finding *why);

/* Its members error, code, detail and hint, into the object that is open. */
void json_error(struct otapult_json *j, int err, const struct otapult_finding *why);

#endif
