/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OTAPULT_OFFER_SCAN_H
#define OTAPULT_OFFER_SCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "otapult/error.h"

/* JSON (RFC 8259) as a stage: fed in any split, it tells each value with its place and keeps none. So a document of
 * any length is read in this much memory; how long it may be is the caller's business.
 *
 * Refused, beside what is no JSON: nesting deeper than OTAPULT_SCAN_DEPTH; text that is not UTF-8; NUL in
 * a string; anything behind the document. A key that is too long becomes one that nothing matches; of a string
 * that is too long the beginning is told, with `cut`. */

#define OTAPULT_SCAN_DEPTH 8u
#define OTAPULT_SCAN_KEY   24u  /* with its NUL */
#define OTAPULT_SCAN_VALUE 512u /* with its NUL */

enum otapult_scan_type {
    OTAPULT_SCAN_STRING,
    OTAPULT_SCAN_NUMBER, /* its text, as it stands */
    OTAPULT_SCAN_WORD,   /* "true", "false", "null" */
    OTAPULT_SCAN_OPEN,   /* an object or array begins: the value is "{" or "[" */
    OTAPULT_SCAN_CLOSE,  /* and ends; the place is its own again */
};

struct otapult_scan {
    /* Set by the caller behind init. Called for each value; an error ends the scan and comes out of feed. */
    int (*found)(void *to, const struct otapult_scan *s);
    void *to;

    /* What `found` may read, beside otapult_scan_is() and its like: */
    enum otapult_scan_type type;
    char     value[OTAPULT_SCAN_VALUE];
    uint16_t len; /* of the value */
    bool     cut; /* the string was longer */

    /* The scanner's own. */
    uint8_t  state;     /* what may come next: scan.c */
    uint8_t  depth;     /* open brackets */
    bool     in_key;    /* the string that is being read is a key */
    uint8_t  key_len;   /* of that */
    uint8_t  digits;    /* of a \u escape, read so far */
    uint16_t unit;      /* they make this */
    uint16_t high;      /* the first half of a pair, whose second must follow; 0: none */
    uint8_t  raw[4], raw_len; /* a character of UTF-8, read so far */
    int      err;
    uint32_t pos;
    const char *fault;
    struct {
        bool     object;
        uint16_t index; /* of the value in an array */
        char     key[OTAPULT_SCAN_KEY]; /* of the value in an object */
    } level[OTAPULT_SCAN_DEPTH];
};

void otapult_scan_init(struct otapult_scan *s, int (*found)(void *to, const struct otapult_scan *s), void *to);

/* The next bytes. 0; SOURCE_ANSWER with *why: the byte where it is wrong, and what; or the error of `found`. It
 * stays. */
OTAPULT_MUST_CHECK int otapult_scan_feed(struct otapult_scan *s, const uint8_t *p, size_t n,
                                         struct otapult_finding *why);

/* The document is complete, or SOURCE_ANSWER. */
OTAPULT_MUST_CHECK int otapult_scan_finish(struct otapult_scan *s, struct otapult_finding *why);

/* Is this value the one at `path`: "files.*.size", where * is any index of an array or any key? "" is the outermost
 * value. */
bool otapult_scan_is(const struct otapult_scan *s, const char *path);

/* The value as a whole number of at most 10 digits; false: it is of another type, signed, broken or too large. */
bool otapult_scan_number(const struct otapult_scan *s, uint32_t *out);

/* The value as a string into dst[cap], made printable; false: another type, or it does not fit (then dst holds the
 * beginning). */
bool otapult_scan_text(const struct otapult_scan *s, char *dst, size_t cap);

/* The value as hex digits, exactly n bytes. */
bool otapult_scan_hex(const struct otapult_scan *s, uint8_t *dst, size_t n);

/* The value as true or false. */
bool otapult_scan_bool(const struct otapult_scan *s, bool *out);

#endif
