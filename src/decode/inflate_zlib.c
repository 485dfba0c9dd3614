/* SPDX-License-Identifier: Apache-2.0 */
#include "decode/inflate.h"

#ifndef ESP_PLATFORM
#include <stdint.h>
#include <string.h>
#include <zlib.h>

/* inflate.h by zlib, which is not on a board. It allocates twice, its state at the start and its window at
 * the first output; both come from the memory that the caller gave, and nothing is given back. */

#define OUTPUT    2048u
#define ALIGNMENT 16u

struct stream {
    z_stream z;
    size_t used, size; /* of the memory behind this struct */
    Bytef output[OUTPUT];
};

static voidpf take_memory(voidpf opaque, uInt items, uInt size)
{
    struct stream *s = opaque;
    size_t bytes = ((size_t)items * size + ALIGNMENT - 1) & ~(size_t)(ALIGNMENT - 1);
    Bytef *memory = (Bytef *)(s + 1) + s->used;

    if (bytes > s->size - s->used)
        return Z_NULL;
    s->used += bytes;
    return memory;
}

static void keep_memory(voidpf opaque, voidpf address)
{
    (void)opaque;
    (void)address;
}

int otapult_inflate_init(void *memory, size_t size, unsigned bits)
{
    struct stream *s = memory;

    if (size < OTAPULT_INFLATE_RAM(bits))
        return OTAPULT_E_INTERNAL;
    memset(s, 0, sizeof *s);
    s->size = size - sizeof *s;
    s->z.zalloc = take_memory;
    s->z.zfree = keep_memory;
    s->z.opaque = s;
    return inflateInit2(&s->z, -(int)bits) == Z_OK ? 0 : OTAPULT_E_INTERNAL;
}

/* zlib takes it for output, so it may come in any pieces. */
int otapult_inflate_recall(void *memory, const uint8_t *p, size_t n)
{
    struct stream *s = memory;

    return inflateSetDictionary(&s->z, p, (uInt)n) == Z_OK ? 0 : OTAPULT_E_INTERNAL;
}

int otapult_inflate_enter(void *memory, unsigned bits, uint8_t last)
{
    struct stream *s = memory;

    return inflatePrime(&s->z, (int)bits, last >> (8 - bits)) == Z_OK ? 0 : OTAPULT_E_INTERNAL;
}

/* What zlib says of the place where it has stopped: how many bits of the last byte it has not used, whether
 * they belong to a block, and whether that was the last block. */
enum place { BITS = 7, AFTER_LAST = 64, AT_BLOCK = 128 };

unsigned otapult_inflate_bits(const void *memory)
{
    const struct stream *s = memory;

    return (unsigned)s->z.data_type & BITS;
}

enum otapult_inflate_result otapult_inflate(void *memory, bool seek, const uint8_t **p, size_t *n,
                                            const uint8_t **out, size_t *made)
{
    struct stream *s = memory;
    const uInt given = *n < UINT32_MAX ? (uInt)*n : UINT32_MAX;

    s->z.next_in = (z_const Bytef *)*p; /* zlib only reads it */
    s->z.avail_in = given;
    s->z.next_out = s->output;
    s->z.avail_out = OUTPUT;
    int result = inflate(&s->z, seek ? Z_BLOCK : Z_NO_FLUSH);
    *p += given - s->z.avail_in;
    *n -= given - s->z.avail_in;
    *out = s->output;
    *made = OUTPUT - s->z.avail_out;
    if (result == Z_STREAM_END)
        return OTAPULT_INFLATE_END;
    if (result != Z_OK && result != Z_BUF_ERROR)
        return OTAPULT_INFLATE_DAMAGED;
    const bool at_block = (s->z.data_type & (AT_BLOCK | AFTER_LAST)) == AT_BLOCK;
    return seek && at_block ? OTAPULT_INFLATE_BLOCK : OTAPULT_INFLATE_MORE;
}

uint32_t otapult_inflate_crc32(uint32_t crc, const uint8_t *p, size_t n)
{
    return (uint32_t)crc32_z(crc, p, n);
}
#endif
