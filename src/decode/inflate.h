/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OTAPULT_DECODE_INFLATE_H
#define OTAPULT_DECODE_INFLATE_H

#include "otapult/error.h"

/* Raw deflate (RFC 1951) by a library that is there already: zlib on a computer (inflate_zlib.c), the chip's
 * ROM on a board (inflate_rom.c). Both use no memory but the caller's. A stream stays where it was begun: it
 * holds pointers into itself. */

/* Bytes of memory for a stream packed with a window of 1 << bits bytes, bits from 9 to 15. */
#define OTAPULT_INFLATE_RAM(bits) (12288u + (1u << (bits)))

enum otapult_inflate_result {
    OTAPULT_INFLATE_MORE,    /* goes on: give more input, or the same call again while there is output */
    OTAPULT_INFLATE_END,     /* the stream has ended; *p points behind its last byte */
    OTAPULT_INFLATE_DAMAGED, /* no deflate stream, or one that reaches back further than its window */
};

/* Prepares memory[size], aligned for any type, OTAPULT_INFLATE_RAM(bits) or more. INTERNAL: too small. */
OTAPULT_MUST_CHECK int otapult_inflate_init(void *memory, size_t size, unsigned bits);

/* Unpacks the next bytes of p[n], moving both. *out and *made: bytes that came out, in the stream's memory,
 * valid until the next call. Call with what is left of the same bytes until they are used up *and* nothing
 * came out: at the end of the stream *p may move back over some of them. */
OTAPULT_MUST_CHECK enum otapult_inflate_result otapult_inflate(void *memory, const uint8_t **p, size_t *n,
                                                               const uint8_t **out, size_t *made);

/* CRC-32, as otapult_crc32() of base/bytes.h, by the same library, which is many times as fast. */
uint32_t otapult_inflate_crc32(uint32_t crc, const uint8_t *p, size_t n);

#endif
