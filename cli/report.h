/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_REPORT_H
#define CLI_REPORT_H

#include <stdio.h>

#include "input.h"
#include "survey.h"
#include "otapult/json.h"

/* The words of the command, for people and for programs. */

/* "1,183,696 bytes (1.13 MiB)" */
#define SIZE_TEXT 48
void size_text(uint32_t bytes, char dst[SIZE_TEXT]);

/* An error of the table: three lines about the file `name`. */
void print_error(FILE *to, const char *name, int err, const struct otapult_finding *why);

/* Its members error, code, detail and hint, into the object that is open. */
void json_error(struct otapult_json *j, int err, const struct otapult_finding *why);

/* Prints the finished text: STATUS_OK, or STATUS_NO when it did not fit its buffer. */
int json_print(const struct otapult_json *j);

/* What `info` knows of a file: `err` and `why` are the judge's, for the chip and slots of `options`. */
struct report {
    const struct input           *in;
    const struct options         *options;
    const struct survey          *survey;
    int                           err;
    const struct otapult_finding *why;
};
int report_text(const struct report *r);
int report_json(const struct report *r);

#endif
