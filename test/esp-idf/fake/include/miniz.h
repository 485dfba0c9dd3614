/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FAKE_MINIZ_H
#define FAKE_MINIZ_H

#include <stddef.h>
#include <stdint.h>

/* The unpacking half of the miniz in the ESP32's ROM, as far as it is used: the fake does it with zlib, once at
 * a time. As in the ROM, output goes round in a buffer whose size is a power of two, what was read ahead
 * when the stream ends stays in the bit buffer, and who stops where a block begins says so by its state. */

typedef uint32_t tinfl_bit_buf_t;

typedef struct {
    uint32_t m_state, m_counter; /* where it has stopped; see miniz.c */
    uint32_t m_num_bits;         /* in the bit buffer */
    tinfl_bit_buf_t m_bit_buf;
    uint8_t  rest[10976]; /* three tables of Huffman codes; as large as the ROM's */
} tinfl_decompressor;

typedef enum {
    TINFL_STATUS_BAD_PARAM = -3,
    TINFL_STATUS_ADLER32_MISMATCH = -2,
    TINFL_STATUS_FAILED = -1,
    TINFL_STATUS_DONE = 0,
    TINFL_STATUS_NEEDS_MORE_INPUT = 1,
    TINFL_STATUS_HAS_MORE_OUTPUT = 2,
} tinfl_status;

enum { TINFL_FLAG_HAS_MORE_INPUT = 2 };

void fake_tinfl_init(tinfl_decompressor *r);
#define tinfl_init(r) fake_tinfl_init(r)

/* *in_size, *out_size: given, then taken and made. The output buffer begins at `start` and ends behind the
 * *out_size bytes from `next` on. */
tinfl_status tinfl_decompress(tinfl_decompressor *r, const uint8_t *in, size_t *in_size, uint8_t *start,
                              uint8_t *next, size_t *out_size, uint32_t flags);

unsigned long mz_crc32(unsigned long crc, const unsigned char *p, size_t n);

#endif
