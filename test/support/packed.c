/* SPDX-License-Identifier: Apache-2.0 */
#include "packed.h"

#include <stdlib.h>
#include <zlib.h>

#define GZIP 31 /* a window of 32 KB, in a gzip file */

uint8_t *packed_in_blocks(const uint8_t *p, size_t n, size_t block, size_t *len)
{
    z_stream z = {.next_in = (z_const Bytef *)p};
    int result = deflateInit2(&z, 9, Z_DEFLATED, GZIP, 8, Z_DEFAULT_STRATEGY);
    const size_t cap = deflateBound(&z, n) + 16 * (n / block + 1);
    uint8_t *packed = malloc(cap);

    z.next_out = packed;
    z.avail_out = (uInt)cap;
    for (size_t at = 0; result == Z_OK; at += block) {
        z.avail_in = (uInt)(n - at < block ? n - at : block);
        result = deflate(&z, n - at <= block ? Z_FINISH : Z_BLOCK);
    }
    *len = z.total_out;
    deflateEnd(&z);
    if (result != Z_STREAM_END)
        abort();
    return packed;
}
