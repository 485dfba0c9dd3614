/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_SAY_H
#define CLI_SAY_H

#include <stdbool.h>
#include <stddef.h>

#include "otapult/json.h"

/* How the command speaks: to people on two streams, to programs in JSON. Nothing that came from outside, a
 * file, a device or the command line, reaches a terminal other than through say_clean(). */

/* Before anything is said. The language of advice is Russian where the locale of messages is. */
void say_begin(bool json, bool quiet, bool verbose);
bool say_as_json(void);
bool say_is_quiet(void);
bool say_is_verbose(void);
bool say_in_russian(void);
bool say_in_colour(int fd); /* a terminal that wants it: NO_COLOR is not set, TERM is not "dumb" */

/* "otapult: …" on standard error. */
void complain(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* With --json every call leaves an object on standard output. A function that writes one calls say_answered(). Where none
 * was written and the call ends with an error, say_json_outcome() makes one of the last complaint. */
void say_answered(void);
void say_json_outcome(int status);

/* Prints the finished text: STATUS_OK, or STATUS_NO when it did not fit its buffer. */
int json_print(const struct otapult_json *j);

/* Advice and remarks, on standard error as well; silent with --quiet. */
void remark(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* "did you mean …?", where something is near; `dashes` stand before it. */
void say_nearest(const char *dashes, const char *typed, const char *(*word_at)(const void *list, unsigned index), const void *list);

/* Text from outside as printable UTF-8, cut after 400 bytes. Good for the next seven calls. */
const char *say_clean(const char *text);

/* ---- troubles: what goes wrong on this side of the wire ---- */

enum trouble_id {
#define TROUBLE(id, code, status, caption, hint_en, hint_ru) TROUBLE_##id,
#include "trouble.def"
    TROUBLES
};

struct trouble_row {
    const char *code; /* for programs; never changes */
    int status;       /* that the command ends with */
    const char *caption, *hint_en, *hint_ru;
};

const struct trouble_row *trouble_row(enum trouble_id id);
const char *trouble_hint(enum trouble_id id); /* in the language of advice */

#endif
