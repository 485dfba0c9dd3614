/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OTAPULT_ERROR_H
#define OTAPULT_ERROR_H

#include <stddef.h>
#include <stdint.h>

/* Conventions of every Otapult header.
 *
 * Results   Functions that can fail return int: 0, or one enum otapult_error. The first error of a
 *           stage stays; later calls return it again and do nothing.
 * Memory    The caller owns every struct and buffer. Nothing is allocated, nothing is freed. No struct
 *           holds a pointer into itself: a stage may be copied with `=` at any byte.
 * Pointers  None may be NULL unless its declaration says so. None is kept after the call returns
 *           unless its declaration says so.
 * Units     Sizes and offsets are bytes, times are milliseconds, unless a name says otherwise.
 * Text      UTF-8, NUL-terminated. Text out of a file or a request is untrusted. */

#if defined(__GNUC__)
#define OTAPULT_MUST_CHECK __attribute__((warn_unused_result))
#else
#define OTAPULT_MUST_CHECK
#endif

enum otapult_error {
    OTAPULT_OK = 0,
#define OTAPULT_ERROR(symbol, part, code, caption, status, detail_en, detail_ru, hint_en, hint_ru) OTAPULT_E_##symbol,
#include "otapult/errors.def"
#undef OTAPULT_ERROR
    OTAPULT_ERROR_COUNT /* one more than the last error; not an error itself */
};

/* What a device is held for, when it answers BUSY or shows its status: the rows of OTAPULT_CLAIM. */
enum otapult_claim {
    OTAPULT_FREE = 0,
#define OTAPULT_CLAIM(symbol, word, en, ru) OTAPULT_FOR_##symbol,
#include "otapult/errors.def"
#undef OTAPULT_CLAIM
    OTAPULT_CLAIM_COUNT /* one more than the last */
};

/* The word of a claim in the API: "upload"; NULL where it is FREE or none. */
const char *otapult_claim_name(enum otapult_claim claim);

/* Texts in another language than English, which NULL stands for. An object, so that a firmware which does not name
 * it does not carry its texts; docs/board.md says what they take. */
struct otapult_language;
extern const struct otapult_language otapult_russian;

/* One row of the table. All strings are static. */
struct otapult_error_row {
    const char *code;    /* "image_merged": for programs, never changes */
    const char *caption; /* "Update.end() failed": the brief's own words */
    uint16_t    status;  /* of the HTTP answer */
    uint16_t    error;   /* its number */
    const char *detail, *hint; /* English; the detail is a template, see otapult_detail() */
};

#define OTAPULT_SIZE_UNKNOWN 0xFFFFFFFFu /* of a file; in a finding, too: a text then has "?" */

/* What was found where, beside the error itself. Every field may be 0: a template uses what it names. */
struct otapult_finding {
    uint32_t    at;   /* offset in the file or body */
    uint32_t    got;  /* what stands there, or how much came */
    uint32_t    want; /* what should, or how much is allowed */
    const char *text; /* English, static or living as long as the finding; NULL counts as "". What has a
                       * row in words.def is shown in Russian to clients that prefer it */
};

/* The row of `err`. Never fails: a number that is unknown, or of a part that this firmware does not name, gives the row
 * of OTAPULT_E_INTERNAL. */
const struct otapult_error_row *otapult_error_row(int err);

/* The error whose code is `code`; OTAPULT_OK when there is none. */
int otapult_error_by_code(const char *code);

/* The hint of `err`. Static. */
const char *otapult_hint(int err, const struct otapult_language *language);

/* `english` in the reader's language, where words.def has it; else as it is. Static, or `english` itself. */
const char *otapult_in_language(const char *english, const struct otapult_language *language);

/* Writes the detail of `err` as text into dst[cap], always terminated, cut where cap ends; the empty
 * string for OTAPULT_OK. OTAPULT_DETAIL bytes hold every detail whose {text} has at most 60. */
#define OTAPULT_DETAIL 192u
void otapult_detail(int err, const struct otapult_finding *finding, const struct otapult_language *language, char *dst,
                    size_t cap);

/* Which numbers of a finding the detail of `err` shows, in any form: for answers that give them to programs. */
enum otapult_shown { OTAPULT_SHOWS_AT = 1, OTAPULT_SHOWS_GOT = 2, OTAPULT_SHOWS_WANT = 4 };
unsigned otapult_detail_shows(int err);

#endif
