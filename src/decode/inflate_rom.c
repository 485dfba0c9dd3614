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

int otapult_inflate_recall(void *memory, const uint8_t *p, size_t n)
{
    struct stream *s = memory;

    for (size_t i = 0; i < n; i++) {
        window_of(s)[s->next] = p[i];
        s->next = (s->next + 1) & (s->window - 1);
    }
    return 0;
}

/* ---- where a block begins ----
 *
 * tinfl is a coroutine: m_state says where it has stopped for more input. Its numbers are the same in every
 * miniz from 1.14 to 3.1, and what is in ROM does not change: 3 stops for the three bits that a block begins
 * with; 11 for the table sizes of a block with codes of its own, m_counter says for which of them, and the
 * first has five bits. So where it has stopped at one of the two it has fewer than three, or five, bits left,
 * and which bit the block begins with is known.
 *
 * tinfl reads ahead only as far as there is input. Given one byte a call it never has more than seven bits
 * left over, and then every block with codes of its own is met in this way, for it begins with eight bits
 * that do not fit. Should a chip number them otherwise, then what goes on at such a point fails by the sum at
 * its end. */
enum { STOPPED_FOR_BLOCK = 3, BLOCK_BITS = 3, STOPPED_FOR_SIZES = 11 };

static bool is_at_sizes(const struct stream *s)
{
    return s->tinfl.m_state == STOPPED_FOR_SIZES && s->tinfl.m_counter == 0;
}

static bool is_at_block(const struct stream *s)
{
    return s->tinfl.m_state == STOPPED_FOR_BLOCK || is_at_sizes(s);
}

unsigned otapult_inflate_bits(const void *memory)
{
    const struct stream *s = memory;

    return s->tinfl.m_num_bits + (is_at_sizes(s) ? BLOCK_BITS : 0);
}

/* Called without input, a fresh tinfl stops in front of the first block, with an empty bit buffer. The bits
 * of `last` that belong to the block are put there. */
int otapult_inflate_enter(void *memory, unsigned bits, uint8_t last)
{
    struct stream *s = memory;
    size_t none = 0, room = s->window - s->next;

    (void)tinfl_decompress(&s->tinfl, &last, &none, window_of(s), window_of(s) + s->next, &room,
                           TINFL_FLAG_HAS_MORE_INPUT);
    if (s->tinfl.m_state != STOPPED_FOR_BLOCK)
        return OTAPULT_E_INTERNAL;
    s->tinfl.m_bit_buf = (tinfl_bit_buf_t)(last >> (8 - bits));
    s->tinfl.m_num_bits = bits;
    return 0;
}

/* ---- unpacking ---- */

/* Whole bytes that tinfl has read ahead when the stream ends: what stands behind the stream. It reads ahead
 * only while it does not stop for more input, so they are bytes that the caller still has. Newer versions of
 * miniz give them back themselves; then none are left here. */
static size_t read_ahead(const struct stream *s)
{
    return s->tinfl.m_num_bits / 8;
}

enum otapult_inflate_result otapult_inflate(void *memory, bool seek, const uint8_t **p, size_t *n,
                                            const uint8_t **out, size_t *made)
{
    struct stream *s = memory;
    size_t taken = seek && *n > 1 ? 1 : *n;

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
    if (status < TINFL_STATUS_DONE)
        return OTAPULT_INFLATE_DAMAGED;
    return seek && is_at_block(s) ? OTAPULT_INFLATE_BLOCK : OTAPULT_INFLATE_MORE;
}

uint32_t otapult_inflate_crc32(uint32_t crc, const uint8_t *p, size_t n)
{
    return n > 0 ? (uint32_t)mz_crc32(crc, p, n) : crc;
}
#endif
