/* SPDX-License-Identifier: Apache-2.0 */
#include "fuzz.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "oracle.h"

#define HEADER  24u
#define DIGEST  32u
#define PADDING 16u

_Noreturn void fuzz_fail(const char *what, const char *file, int line)
{
    fprintf(stderr, "%s:%d: does not hold: %s\n", file, line, what);
    abort();
}

uint32_t fuzz_random(uint32_t *state)
{
    *state = *state * 1664525u + 1013904223u;
    uint32_t r = *state;
    r ^= r >> 16;
    r *= 0x7FEB352Du;
    return r ^ r >> 15;
}

/* Single bytes, small pieces, or what a network stack hands over. */
static size_t piece(uint32_t *state, uint32_t kinds, size_t left)
{
    static const uint32_t most[] = {1, 7, 64, 1500};
    uint32_t kind = fuzz_random(state) % kinds;
    size_t n = 1 + fuzz_random(state) % most[kind];

    return n < left ? n : left;
}

static int feed_copy(fuzz_feed *feed, void *stage, const uint8_t *p, size_t n)
{
    uint8_t *copy = malloc(n > 0 ? n : 1);

    if (copy == NULL)
        abort();
    memcpy(copy, p, n);
    int err = feed(stage, copy, n);
    free(copy);
    return err;
}

int fuzz_feed_pieces(fuzz_feed *feed, void *stage, const uint8_t *data, size_t len, uint8_t seed)
{
    uint32_t state = seed;
    int err = 0;

    if (seed == 0)
        return len > 0 ? feed_copy(feed, stage, data, len) : 0;
    for (size_t at = 0; at < len && err == 0;) {
        size_t n = piece(&state, seed < 0x80 ? 4 : 2, len - at);
        err = feed_copy(feed, stage, data + at, n);
        at += n;
    }
    return err;
}

/* ---- images ---- */

static uint32_t get32(const uint8_t *p)
{
    return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static void put32(uint8_t *p, uint32_t v)
{
    for (int i = 0; i < 4; i++)
        p[i] = (uint8_t)(v >> 8 * i);
}

static bool is_mapped(uint32_t address)
{
    return (address >= 0x3C000000u && address < 0x3E000000u) ||
           (address >= 0x42000000u && address < 0x44000000u);
}

/* Mends the segment header at `at`, whose data may be `room` bytes; returns the data's length. */
static size_t mend_segment(uint8_t *p, size_t at, size_t room, unsigned keep)
{
    uint32_t len = get32(p + at + 4), load = get32(p + at);

    if ((keep & FUZZ_KEEP_LENGTHS) == 0) {
        len = (uint32_t)(len > room ? room : len) & ~3u;
        put32(p + at + 4, len);
    }
    if ((keep & FUZZ_KEEP_PAGES) == 0 && is_mapped(load))
        put32(p + at, (load & ~0xFFFFu) | ((uint32_t)at + 8) % 0x10000u);
    return len;
}

/* Where the last segment's data ends; 0: not in p[len]. */
static size_t mend_segments(uint8_t *p, size_t len, unsigned keep)
{
    size_t at = HEADER, count = p[1] % 17, last = len - DIGEST - PADDING;

    for (size_t n = 0; n < count; n++) {
        size_t headers = 8 * (count - n);
        if (last < at || last - at < headers)
            return 0;
        size_t data = mend_segment(p, at, last - at - headers, keep);
        if (data > last - at - 8)
            return 0;
        at += 8 + data;
    }
    return at;
}

void fuzz_mend_image(uint8_t *p, size_t len, unsigned keep)
{
    if (len < HEADER + PADDING + DIGEST)
        return;
    size_t at = mend_segments(p, len, keep), end = (at + PADDING) / PADDING * PADDING;
    if (at == 0)
        return;
    if ((keep & FUZZ_KEEP_PADDING) == 0)
        memset(p + at, 0, end - 1 - at);
    if ((keep & FUZZ_KEEP_CHECKSUM) == 0) {
        uint8_t sum = 0xEF;
        size_t from = HEADER;
        for (size_t n = 0; n < p[1] % 17u; n++) {
            size_t to = from + 8 + get32(p + from + 4);
            for (from += 8; from < to; from++)
                sum ^= p[from];
        }
        p[end - 1] = sum;
    }
    if ((keep & FUZZ_KEEP_SHA) == 0)
        oracle_sha256(p, end, p + end);
}
