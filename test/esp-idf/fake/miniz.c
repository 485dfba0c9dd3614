/* SPDX-License-Identifier: Apache-2.0 */
#include "miniz.h"

#include <stdbool.h>
#include <stdlib.h>
#include <zlib.h>

#define READ_AHEAD 2u /* bytes, at most: the ROM fetches 16 bits at a time */

static z_stream z; /* of the one stream there is */

void fake_tinfl_init(tinfl_decompressor *r)
{
    r->m_num_bits = 0;
    if (z.state == NULL ? inflateInit2(&z, -15) != Z_OK : inflateReset(&z) != Z_OK)
        abort();
}

static bool is_power_of_two(size_t n)
{
    return n != 0 && (n & (n - 1)) == 0;
}

tinfl_status tinfl_decompress(tinfl_decompressor *r, const uint8_t *in, size_t *in_size, uint8_t *start,
                              uint8_t *next, size_t *out_size, uint32_t flags)
{
    const size_t given = *in_size, room = *out_size;

    if (!is_power_of_two((size_t)(next - start) + room) || flags != TINFL_FLAG_HAS_MORE_INPUT) {
        *in_size = *out_size = 0;
        return TINFL_STATUS_BAD_PARAM;
    }
    z.next_in = (z_const Bytef *)in;
    z.avail_in = (uInt)given;
    z.next_out = next;
    z.avail_out = (uInt)room;
    int result = inflate(&z, Z_NO_FLUSH);
    *in_size = given - z.avail_in;
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
