/* SPDX-License-Identifier: Apache-2.0 */
#include "feed.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define LARGEST_PIECE 20000u

struct feed_guarded feed_guard(const uint8_t *data, size_t len)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    size_t room = (len + page - 1) / page * page;
    struct feed_guarded g = {.map_len = room + page};

    uint8_t *map = mmap(NULL, g.map_len, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (map == MAP_FAILED || mprotect(map + room, page, PROT_NONE) != 0) {
        perror("feed_guard");
        abort();
    }
    if (len > 0)
        memcpy(map + room - len, data, len);
    g.map = map;
    g.bytes = map + room - len;
    return g;
}

void feed_unguard(struct feed_guarded *g)
{
    munmap(g->map, g->map_len);
}

/* Mostly a few bytes, sometimes a whole buffer of a network stack. */
static size_t random_piece(uint32_t *state)
{
    *state = *state * 1664525u + 1013904223u;
    uint32_t r = *state >> 8;
    return r % 4 == 0 ? 1 + r / 4 % LARGEST_PIECE : 1 + r / 4 % 300;
}

static int feed_pieces(feed_fn *feed, void *stage, const uint8_t *data, size_t len, unsigned how)
{
    struct feed_guarded scratch = feed_guard(data, len < LARGEST_PIECE ? len : LARGEST_PIECE);
    uint8_t *end = (uint8_t *)scratch.map + scratch.map_len - (size_t)sysconf(_SC_PAGESIZE);
    uint32_t state = how;
    int err = 0;
    for (size_t at = 0; at < len && err == 0;) {
        size_t n = how == FEED_BYTEWISE ? 1 : random_piece(&state);
        n = n < len - at ? n : len - at;
        memcpy(end - n, data + at, n);
        err = feed(stage, end - n, n);
        at += n;
    }
    feed_unguard(&scratch);
    return err;
}

int feed_split(feed_fn *feed, void *stage, const uint8_t *data, size_t len, unsigned how)
{
    if (how != FEED_AT_ONCE)
        return feed_pieces(feed, stage, data, len, how);
    struct feed_guarded whole = feed_guard(data, len);
    int err = feed(stage, whole.bytes, len);
    feed_unguard(&whole);
    return err;
}
