/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OTAPULT_DECODE_INFLATE_H
#define OTAPULT_DECODE_INFLATE_H

#include <stdbool.h>

#include "otapult/error.h"

/* Raw deflate (RFC 1951) by a library that is there already: zlib on a computer (inflate_zlib.c), the chip's
 * ROM on a board (inflate_rom.c). Both use no memory but the caller's. A stream stays where it was begun: it
 * holds pointers into itself.
 *
 * A deflate stream is a row of blocks, and all that a block takes from those before it is the window: the bytes that
 * came out last. So a stream can be entered where a block begins, which may be in the middle of a byte. */

/* Bytes of memory for a stream packed with a window of 1 << bits bytes, bits from 9 to 15. */
#define OTAPULT_INFLATE_RAM(bits) (12288u + (1u << (bits)))

enum otapult_inflate_result {
    OTAPULT_INFLATE_MORE,    /* goes on: give more input, or the same call again while there is output */
    OTAPULT_INFLATE_BLOCK,   /* the same, and a block begins here: all that came before it has come out */
    OTAPULT_INFLATE_END,     /* the stream has ended; *p points behind its last byte */
    OTAPULT_INFLATE_DAMAGED, /* no deflate stream, or one that reaches back further than its window */
};

/* Prepares memory[size], aligned for any type, OTAPULT_INFLATE_RAM(bits) or more. INTERNAL: too small. */
OTAPULT_MUST_CHECK int otapult_inflate_init(void *memory, size_t size, unsigned bits);

/* After init, for a stream that is entered at a block: the next n bytes of what came out before it. The last
 * 1 << bits of them count. INTERNAL: the library takes none. */
OTAPULT_MUST_CHECK int otapult_inflate_recall(void *memory, const uint8_t *p, size_t n);

/* Behind those: the block begins with the upper `bits` bits, 0 to 7, of the byte `last`; the input goes on behind that
 * byte. INTERNAL: the library does not begin there. */
OTAPULT_MUST_CHECK int otapult_inflate_enter(void *memory, unsigned bits, uint8_t last);

/* Unpacks the next bytes of p[n], moving both. *out and *made: bytes that came out, in the stream's memory,
 * valid until the next call. Call with what is left of the same bytes until they are used up *and* nothing
 * came out: at the end of the stream *p may move back over some of them.
 *
 * `seek`: a block's begin is to be found, so it may take less at a time; else none is told. Not every block's is found. */
OTAPULT_MUST_CHECK enum otapult_inflate_result otapult_inflate(void *memory, bool seek, const uint8_t **p, size_t *n,
                                                               const uint8_t **out, size_t *made);

/* After BLOCK: how many upper bits of the last byte taken belong to the block that begins, 0 to 7. */
unsigned otapult_inflate_bits(const void *memory);

/* CRC-32, as otapult_crc32() of base/bytes.h, by the same library, which is many times as fast. */
uint32_t otapult_inflate_crc32(uint32_t crc, const uint8_t *p, size_t n);

#endif
