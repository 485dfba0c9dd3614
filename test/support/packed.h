/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TEST_PACKED_H
#define TEST_PACKED_H

#include <stddef.h>
#include <stdint.h>

/* p[n] as a gzip file whose deflate blocks hold `block` bytes each, so that it can be entered there. By zlib; the
 * caller frees it. */
#define PACKED_BLOCK 3000u /* some */
uint8_t *packed_in_blocks(const uint8_t *p, size_t n, size_t block, size_t *len);

#endif
