/* SPDX-License-Identifier: Apache-2.0 */
#include "decode/inflate.h"

#ifdef ESP_PLATFORM
#include <miniz.h>
#include <string.h>

/* inflate.h by the miniz that lies in the chip's ROM. It unpacks straight into its window, which goes round:
 * what came out lies between where the last call stopped and where this one stops. */

struct stream {
    tinfl_decompressor tinfl;
    size_t window; /* bytes, a power of two, behind this struct */
    size_t next;   /* where in it the next byte goes */
};

static uint8_t *window_of(struct stream *s)
{
    return (uint8_t *)(s + 1);
}

_Static_assert(sizeof(struct stream) + (1u << 9) <= OTAPULT_INFLATE_RAM(9), "the ROM's state has room");

int otapult_inflate_init(void *memory, size_t size, unsigned bits)
{
    struct stream *s = memory;

    if (size < OTAPULT_INFLATE_RAM(bits))
        return OTAPULT_E_INTERNAL;
    tinfl_init(&s->tinfl);
    s->window = (size_t)1 << bits;
    s->next = 0;
    /* A stream that reaches back before its first byte gets zeros, never what lay in this memory before;
     * the sum at its end then says that it is damaged. */
    memset(window_of(s), 0, s->window);
    return 0;
}

/* Whole bytes that tinfl has read ahead when the stream ends: what stands behind the stream. It reads ahead
 * only while it does not stop for more input, so they are bytes that the caller still has. Newer versions of
 * miniz give them back themselves; then none are left here. */
static size_t read_ahead(const struct stream *s)
{
    return s->tinfl.m_num_bits / 8;
}

enum otapult_inflate_result otapult_inflate(void *memory, const uint8_t **p, size_t *n, const uint8_t **out,
                                            size_t *made)
{
    struct stream *s = memory;
    size_t taken = *n;

    *out = window_of(s) + s->next;
    *made = s->window - s->next;
    tinfl_status status = tinfl_decompress(&s->tinfl, *p, &taken, window_of(s), window_of(s) + s->next, made,
                                           TINFL_FLAG_HAS_MORE_INPUT);
    *p += taken;
    *n -= taken;
    s->next = (s->next + *made) & (s->window - 1);
    if (status == TINFL_STATUS_DONE) {
        *p -= read_ahead(s);
        *n += read_ahead(s);
        return OTAPULT_INFLATE_END;
    }
    return status < TINFL_STATUS_DONE ? OTAPULT_INFLATE_DAMAGED : OTAPULT_INFLATE_MORE;
}

uint32_t otapult_inflate_crc32(uint32_t crc, const uint8_t *p, size_t n)
{
    return n > 0 ? (uint32_t)mz_crc32(crc, p, n) : crc;
}
#endif
