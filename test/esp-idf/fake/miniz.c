/* SPDX-License-Identifier: Apache-2.0 */
#include "miniz.h"

#include <stdbool.h>
#include <stdlib.h>
#include <zlib.h>

#define READ_AHEAD 2u /* bytes, at most: the ROM fetches 16 bits at a time */

/* Where tinfl stops for more input, by the numbers of its own. */
enum { AT_START = 0, FOR_BLOCK = 3, FOR_SIZES = 11, IN_BLOCK = 23 };

static z_stream z;    /* of the one stream there is */
static bool entered;  /* its first byte has come */
static unsigned last; /* byte that came */

void fake_tinfl_init(tinfl_decompressor *r)
{
    r->m_state = AT_START;
    r->m_num_bits = 0;
    entered = false;
    if (z.state == NULL ? inflateInit2(&z, -15) != Z_OK : inflateReset(&z) != Z_OK)
        abort();
}

static bool is_power_of_two(size_t n)
{
    return n != 0 && (n & (n - 1)) == 0;
}

/* Who has stopped for its first block may have been given bits and a window. */
static void enter(const tinfl_decompressor *r, const uint8_t *start, const uint8_t *next, size_t room)
{
    entered = true;
    if (r->m_state == AT_START)
        return;
    if (inflateSetDictionary(&z, next, (uInt)room) != Z_OK ||
        inflateSetDictionary(&z, start, (uInt)(next - start)) != Z_OK ||
        inflatePrime(&z, (int)r->m_num_bits, (int)r->m_bit_buf) != Z_OK)
        abort();
}

/* zlib stands between two blocks: a block begins with three bits that say its type, and codes of its own with
 * the five of a size. */
static void stop_at_block(tinfl_decompressor *r, unsigned bits)
{
    const unsigned value = last >> (8 - bits), type = value >> 1 & 3;

    r->m_state = bits < 3 ? FOR_BLOCK : type == 2 ? FOR_SIZES : IN_BLOCK;
    r->m_num_bits = bits < 3 ? bits : bits - 3;
    r->m_bit_buf = bits < 3 ? value : value >> 3;
    r->m_counter = 0;
}

static void stop(tinfl_decompressor *r)
{
    r->m_state = IN_BLOCK;
    r->m_num_bits = 0;
    if (z.avail_in == 0 && (z.data_type & (128 | 64)) == 128)
        stop_at_block(r, z.data_type & 7);
}

static int inflate_all(void)
{
    int result;

    do
        result = inflate(&z, Z_BLOCK);
    while (result == Z_OK && z.avail_in > 0 && z.avail_out > 0);
    return (z.data_type & 64) != 0 && result == Z_OK ? inflate(&z, Z_BLOCK) : result;
}

tinfl_status tinfl_decompress(tinfl_decompressor *r, const uint8_t *in, size_t *in_size, uint8_t *start,
                              uint8_t *next, size_t *out_size, uint32_t flags)
{
    const size_t given = *in_size, room = *out_size;

    if (!is_power_of_two((size_t)(next - start) + room) || flags != TINFL_FLAG_HAS_MORE_INPUT) {
        *in_size = *out_size = 0;
        return TINFL_STATUS_BAD_PARAM;
    }
    if (given == 0 && !entered) {
        r->m_state = FOR_BLOCK;
        r->m_bit_buf = 0;
        *out_size = 0;
        return TINFL_STATUS_NEEDS_MORE_INPUT;
    }
    if (!entered)
        enter(r, start, next, room);
    z.next_in = (z_const Bytef *)in;
    z.avail_in = (uInt)given;
    z.next_out = next;
    z.avail_out = (uInt)room;
    int result = inflate_all();
    *in_size = given - z.avail_in;
    if (*in_size > 0)
        last = in[*in_size - 1];
    stop(r);
    *out_size = room - z.avail_out;
    if (result == Z_STREAM_END) {
        size_t ahead = z.avail_in < READ_AHEAD ? z.avail_in : READ_AHEAD;
        r->m_num_bits = (uint32_t)(8 * ahead + 3); /* and what is left of the last byte */
        *in_size += ahead;
        return TINFL_STATUS_DONE;
    }
    if (result != Z_OK && result != Z_BUF_ERROR)
        return TINFL_STATUS_FAILED;
    return z.avail_out == 0 ? TINFL_STATUS_HAS_MORE_OUTPUT : TINFL_STATUS_NEEDS_MORE_INPUT;
}

unsigned long mz_crc32(unsigned long crc, const unsigned char *p, size_t n)
{
    return crc32_z(crc, p, n);
}
