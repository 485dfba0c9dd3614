/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OTAPULT_WEB_MULTIPART_H
#define OTAPULT_WEB_MULTIPART_H

#include <stdbool.h>

#include "otapult/error.h"

/* multipart/form-data (RFC 7578, RFC 2046 section 5.1) as a stage: finds the file field `firmware` and
 * hands its bytes on. Other fields, in any order, are read over. Fixed buffers, any split of the input.
 * Malformed input ends in an error, never in a guess.
 *
 * A delimiter is CR LF "--" boundary, then "--", or blanks and CR LF. Bytes that may begin one are held back
 * until it is clear whether they do. A boundary holds no CR, so a delimiter cannot begin inside another one: if
 * the next byte does not continue it, all held bytes are data. The parser therefore keeps only their number, and
 * hands them on out of its own copy of the delimiter. A delimiter followed by anything else is data as well; only
 * a file that contains a whole delimiter line would be cut, and for such a file the client must choose another
 * boundary (RFC 2046, section 5.1.1). */

#define OTAPULT_BOUNDARY_MAX 70u
#define OTAPULT_PART_LINE    896u /* longest header line of a part: a file name of 255 bytes, each of them as %XX */
#define OTAPULT_PART_HEADERS 2048u /* bytes of one part's header block at most */

enum otapult_multipart_at {
    OTAPULT_MP_DATA,     /* of a part, firmware or not, or the preamble */
    OTAPULT_MP_DECIDE,   /* a delimiter was seen; the next byte says whether it is one */
    OTAPULT_MP_DASH,     /* one '-' behind it */
    OTAPULT_MP_PADDING,  /* spaces and tabs behind it, up to CR */
    OTAPULT_MP_CR,       /* CR behind it, LF must follow */
    OTAPULT_MP_PADDED_CR, /* the same, behind padding */
    OTAPULT_MP_HEADERS,
    OTAPULT_MP_EPILOGUE, /* the closing delimiter was seen; the rest is ignored */
};

/* Takes bytes of the firmware field; 0 or an error, which the parser returns. */
typedef int (*otapult_multipart_sink)(void *ctx, const uint8_t *p, size_t n);

struct otapult_multipart {
    enum otapult_multipart_at at;
    uint32_t pos;      /* bytes of the body taken */
    int      err;
    struct otapult_finding why;
    uint16_t line_len;
    uint16_t headers_len;
    uint8_t  delimiter_len;
    uint8_t  matched;  /* bytes of the delimiter seen at the end of the input so far */
    uint8_t  assumed;  /* how many of those were never in the input: a delimiter may lack its CR LF at the very start of the
                          body, and right behind a part's headers */
    bool     in_part;  /* false: in the preamble */
    bool     is_firmware;     /* of the part being read */
    bool     had_disposition; /* of the part being read */
    bool     had_firmware;    /* of the body so far */
    bool     misnamed;        /* the firmware field's file name has another ending than those below */
    char     delimiter[4 + OTAPULT_BOUNDARY_MAX + 1]; /* CR LF - - boundary */
    char     line[OTAPULT_PART_LINE + 2]; /* with its CR */
};

/* Takes the boundary out of a Content-Type header. Errors: CONTENT_TYPE (not multipart/form-data),
 * BOUNDARY (absent, empty, longer than 70, a character that RFC 2046 does not allow). */
OTAPULT_MUST_CHECK int otapult_multipart_init(struct otapult_multipart *m, const char *content_type);

/* The next bytes of the body. Errors: MULTIPART with the reason, or the sink's. A second `firmware` field is malformed.
 * Before the sink gets the first byte, m->misnamed says what to think of the file's name. */
OTAPULT_MUST_CHECK int otapult_multipart_feed(struct otapult_multipart *m, const uint8_t *p, size_t n,
                                              otapult_multipart_sink sink, void *ctx);

/* The body is complete. MULTIPART when the closing delimiter is missing, NO_FIELD. */
OTAPULT_MUST_CHECK int otapult_multipart_finish(struct otapult_multipart *m);

/* Does `name` end in ".bin", ".gz" or ".patch", any case, with something before it? What such a file is, and
 * whether this device can unpack it, its bytes tell. */
bool otapult_is_firmware_name(const char *name);

#endif
