/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "fuzz.h"
#include "image/inspect.h"
#include "oracle.h"

/* The inspector: the same verdict whatever the split, also when the stage is copied in the middle; the first
 * error stays; what it accepts, the oracle accepts.
 *
 * Input: size of the slot in KB (2 bytes, 0: 64 MB), split, chip revision; then the image. */
#define SETTINGS        4u
#define ORACLE_REVISION 2u /* the oracle's chip is a v0.2 */

static int feed(void *stage, const uint8_t *p, size_t n)
{
    return otapult_inspect_feed(stage, p, n);
}

/* Of a stage that has refused, only what it says counts. */
static bool is_same(const struct otapult_inspect *a, const struct otapult_inspect *b)
{
    return a->err == b->err && (a->err != 0 || a->pos == b->pos) && a->why.at == b->why.at &&
           a->why.got == b->why.got && a->why.want == b->why.want && a->why.text == b->why.text &&
           memcmp(&a->info, &b->info, sizeof a->info) == 0;
}

static void check_accepted(const struct otapult_inspect *in, const uint8_t *image, size_t len)
{
    struct oracle_image o;

    if (in->limits.chip_rev == ORACLE_REVISION) {
        FUZZ_EXPECT(oracle_image_ok(image, len, &o));
        FUZZ_EXPECT(o.size == len && memcmp(o.sha256, in->info.sha256, 32) == 0);
    }
    FUZZ_EXPECT(in->info.size == len && in->pos == len);
    FUZZ_EXPECT(len <= in->limits.slot_size);
    FUZZ_EXPECT(in->info.segment_count >= 1 && in->info.segment_count <= OTAPULT_MAX_SEGMENTS);
    FUZZ_EXPECT(memchr(in->info.desc.version, 0, sizeof in->info.desc.version) != NULL);
}

static void check_error(struct otapult_inspect *in)
{
    int err = in->err;

    FUZZ_EXPECT(err > 0 && err < OTAPULT_ERROR_COUNT && err != OTAPULT_E_INTERNAL);
    FUZZ_EXPECT(otapult_inspect_feed(in, (const uint8_t *)"x", 1) == err);
    FUZZ_EXPECT(otapult_inspect_finish(in) == err);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct otapult_inspect whole, split, copy;

    if (size < SETTINGS)
        return 0;
    const uint32_t kb = (uint32_t)data[0] | (uint32_t)data[1] << 8;
    const struct otapult_inspect_limits limits = {
        .slot_size = kb == 0 ? 64u << 20 : kb << 10, .chip_id = OTAPULT_CHIP_ESP32S3, .chip_rev = data[3]};
    const uint8_t *image = data + SETTINGS;
    const size_t len = size - SETTINGS, half = len / 2;

    otapult_inspect_init(&whole, &limits);
    otapult_inspect_init(&split, &limits);
    (void)fuzz_feed_pieces(feed, &whole, image, len, 0);
    (void)fuzz_feed_pieces(feed, &split, image, half, data[2]);
    copy = split;
    memset(&split, 0xA5, sizeof split);
    (void)fuzz_feed_pieces(feed, &copy, image + half, len - half, (uint8_t)(data[2] + 1));
    FUZZ_EXPECT(otapult_inspect_finish(&whole) == otapult_inspect_finish(&copy));
    FUZZ_EXPECT(is_same(&whole, &copy));
    if (whole.err == 0)
        check_accepted(&whole, image, len);
    else
        check_error(&whole);
    return 0;
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned int seed)
{
    uint32_t state = seed, how = fuzz_random(&state);

    size = LLVMFuzzerMutate(data, size, max_size);
    if (size > SETTINGS && how % 8 != 0)
        fuzz_mend_image(data + SETTINGS, size - SETTINGS, how >> 8 & how >> 16 & how >> 24);
    return size;
}
