/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TEST_FEED_H
#define TEST_FEED_H

#include <stddef.h>
#include <stdint.h>

/* Feeding a stage: the same bytes, cut differently. */

#define FEED_AT_ONCE  0u
#define FEED_BYTEWISE 1u /* every number above: random pieces, the number is the seed */

typedef int feed_fn(void *stage, const uint8_t *p, size_t n);

/* Feeds data[len] until it is used up or an error comes, which is returned. Every piece handed over ends
 * where memory ends: one byte read too far is a crash. */
int feed_split(feed_fn *feed, void *stage, const uint8_t *data, size_t len, unsigned how);

/* A copy of data[len] that ends where memory ends. */
struct feed_guarded {
    const uint8_t *bytes;
    void          *map;
    size_t         map_len;
};
struct feed_guarded feed_guard(const uint8_t *data, size_t len);
void feed_unguard(struct feed_guarded *g);

#endif
