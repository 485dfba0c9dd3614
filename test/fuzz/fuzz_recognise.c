/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "fuzz.h"
#include "image/recognise.h"
#include "otapult/otapult.h"

/* The recogniser: the same word for a file whatever the split; knowing the size, or an upper bound of it,
 * changes no verdict; an app image is one that begins so.
 *
 * Input: split, how far the bound lies above the size; then the file. */
#define SETTINGS 2u

static int feed(void *stage, const uint8_t *p, size_t n)
{
    return otapult_recognise_feed(stage, p, n);
}

static int recognise(struct otapult_recognise *r, const uint8_t *file, size_t len, uint32_t size,
                     uint8_t split)
{
    otapult_recognise_init(r, OTAPULT_CHIP_ESP32S3, size);
    (void)fuzz_feed_pieces(feed, r, file, len, split);
    int err = otapult_recognise_finish(r);
    FUZZ_EXPECT(otapult_recognise_finish(r) == err);
    FUZZ_EXPECT(otapult_recognise_feed(r, (const uint8_t *)"x", 1) == err);
    return err;
}

static bool is_same_why(const struct otapult_recognise *a, const struct otapult_recognise *b)
{
    const char *s = a->why.text ? a->why.text : "", *t = b->why.text ? b->why.text : "";

    return a->why.at == b->why.at && a->why.got == b->why.got && a->why.want == b->why.want &&
           strcmp(s, t) == 0;
}

static bool begins_app(const uint8_t *file, size_t len)
{
    return len >= OTAPULT_HEAD_SIZE && file[0] == 0xE9 && memcmp(file + 32, "\x32\x54\xCD\xAB", 4) == 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct otapult_recognise whole, other;

    if (size < SETTINGS)
        return 0;
    const uint8_t *file = data + SETTINGS;
    const size_t len = size - SETTINGS;

    int err = recognise(&whole, file, len, OTAPULT_SIZE_UNKNOWN, 0);
    FUZZ_EXPECT((err == 0) == (whole.kind == OTAPULT_KIND_APP));
    FUZZ_EXPECT((err == 0) == begins_app(file, len));
    FUZZ_EXPECT(err >= 0 && err < OTAPULT_ERROR_COUNT && err != OTAPULT_E_INTERNAL);
    FUZZ_EXPECT(whole.seen <= OTAPULT_RECOGNISE_LAST);

    FUZZ_EXPECT(recognise(&other, file, len, OTAPULT_SIZE_UNKNOWN, data[0]) == err);
    FUZZ_EXPECT(is_same_why(&whole, &other));
    FUZZ_EXPECT(recognise(&other, file, len, (uint32_t)len, data[0]) == err);
    FUZZ_EXPECT(recognise(&other, file, len, (uint32_t)len + data[1], data[0]) == err);
    return 0;
}
