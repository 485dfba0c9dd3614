/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "feed.h"
#include "image/inspect.h"
#include "oracle.h"
#include "sample_image.h"

#define ROOM 8192u

static const struct otapult_inspect_limits limits = {
    .slot_size = 0x640000, .chip_id = OTAPULT_CHIP_ESP32S3, .chip_rev = 2};

/* ---- images, made by hand ---- */

struct image {
    uint8_t bytes[ROOM];
    uint32_t len;
};

static void put32(uint8_t *p, uint32_t v)
{
    for (int i = 0; i < 4; i++)
        p[i] = (uint8_t)(v >> 8 * i);
}

struct part {
    uint32_t load_addr, size;
};
static const struct part usual[] = {
    {0x3C000020, 0x120}, {0x3FC98000, 0x40}, {0x42000190, 0x100}, {0x40374000, 0x20}};

/* Puts checksum and SHA-256 behind the last segment: right for whatever stands before. */
static void seal(struct image *m, uint32_t end)
{
    uint8_t sum = 0xEF;
    uint32_t at = 24, block = (end + 16) / 16 * 16;
    for (int i = 0; i < m->bytes[1] && at + 8 <= end; i++) {
        uint32_t size = (uint32_t)m->bytes[at + 4] | (uint32_t)m->bytes[at + 5] << 8;
        for (at += 8; size > 0 && at < end; size--)
            sum ^= m->bytes[at++];
    }
    memset(m->bytes + end, 0, block - end);
    m->bytes[block - 1] = sum;
    oracle_sha256(m->bytes, block, m->bytes + block);
    m->len = block + 32;
}

static uint32_t lay(struct image *m, const struct part *parts, unsigned count)
{
    static const uint8_t header[24] = {0xE9, 0, 2, 0x4F, 0, 0,    0x37, 0x40, 0xEE, 0, 0, 0,
                                       9,    0, 0, 0,    0, 0xFF, 0xFF, 0,    0,    0, 0, 1};
    uint32_t at = 24;
    memset(m->bytes, 0x11, ROOM);
    memcpy(m->bytes, header, sizeof header);
    m->bytes[1] = (uint8_t)count;
    for (unsigned i = 0; i < count; i++) {
        put32(m->bytes + at, parts[i].load_addr);
        put32(m->bytes + at + 4, parts[i].size);
        at += 8 + parts[i].size;
    }
    memset(m->bytes + 0x20, 0, 256);
    put32(m->bytes + 0x20, 0xABCD5432);
    memcpy(m->bytes + 0x30, "1.0.0", 5);
    memcpy(m->bytes + 0x50, "demo", 4);
    return at;
}

static void make(struct image *m, const struct part *parts, unsigned count)
{
    seal(m, lay(m, parts, count));
}

static struct image usual_image(void)
{
    struct image m;
    make(&m, usual, 4);
    return m;
}

/* ---- feeding ---- */

static int feed(void *stage, const uint8_t *p, size_t n)
{
    return otapult_inspect_feed(stage, p, n);
}

static int inspect_with(struct otapult_inspect *in, const struct otapult_inspect_limits *with,
                        const uint8_t *p, size_t n, unsigned how)
{
    otapult_inspect_init(in, with);
    int fed = feed_split(feed, in, p, n, how);
    int err = otapult_inspect_finish(in);
    if (fed != 0)
        assert_int_equal(err, fed);
    return err;
}

/* All splits must agree; the last one's struct stays in *in. */
static int inspect(struct otapult_inspect *in, const uint8_t *p, size_t n)
{
    struct otapult_inspect first;
    int err = inspect_with(&first, &limits, p, n, FEED_AT_ONCE);
    for (unsigned how = 1; how < 6; how++) {
        assert_int_equal(inspect_with(in, &limits, p, n, how), err);
        assert_int_equal(in->why.at, first.why.at);
        assert_int_equal(in->why.got, first.why.got);
        assert_int_equal(in->why.want, first.why.want);
        assert_ptr_equal(in->why.text, first.why.text);
        if (err == 0)
            assert_memory_equal(&in->info, &first.info, sizeof in->info);
    }
    return err;
}

/* ---- what is right ---- */

static void a_small_image_is_described(void **state)
{
    (void)state;
    struct image m = usual_image();
    struct otapult_inspect in;
    uint8_t sha[32];
    assert_int_equal(inspect(&in, m.bytes, m.len), 0);
    assert_int_equal(in.info.chip_id, 9);
    assert_int_equal(in.info.min_rev, 0);
    assert_int_equal(in.info.max_rev, 0xFFFF);
    assert_int_equal(in.info.entry, 0x40370000);
    assert_int_equal(in.info.segment_count, 4);
    assert_int_equal(in.info.segment[2].offset, 0x190);
    assert_int_equal(in.info.segment[2].load_addr, 0x42000190);
    assert_int_equal(in.info.segment[2].size, 0x100);
    assert_string_equal(in.info.desc.version, "1.0.0");
    assert_string_equal(in.info.desc.project, "demo");
    assert_int_equal(in.info.size, m.len);
    assert_int_equal(in.info.checksum, m.bytes[m.len - 33]);
    assert_memory_equal(in.info.digest, m.bytes + m.len - 32, 32);
    oracle_sha256(m.bytes, m.len, sha);
    assert_memory_equal(in.info.sha256, sha, 32);
}

static void samples_pass_and_the_oracle_agrees(void **state)
{
    (void)state;
    static const uint32_t sizes[] = {1024, 1040, 2000, 0x18010, 262144};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        for (uint32_t seed = 0; seed < 4; seed++) {
            size_t len;
            struct sample_spec spec = {SAMPLE_DEFAULT, .size = sizes[i], .seed = seed, .version = "2.0.0"};
            uint8_t *image = sample_image(&spec, &len);
            struct otapult_inspect in;
            struct oracle_image oracle;
            char build[OTAPULT_BUILD_ID_CHARS + 1];
            assert_int_equal(inspect(&in, image, len), 0);
            assert_true(oracle_image_ok(image, len, &oracle));
            assert_int_equal(in.info.size, oracle.size);
            assert_memory_equal(in.info.sha256, oracle.sha256, 32);
            assert_string_equal(in.info.desc.version, oracle.version);
            otapult_build_id(&in.info.desc, build);
            assert_string_equal(build, oracle.build);
            free(image);
        }
}

/* A vector with known checksum and digests, made by other hands: 336 bytes, one segment. It has no IROM,
 * which is said only when everything else was found right. */
static void the_smallest_vector(void **state)
{
    (void)state;
    static const uint8_t digest[32] = {0x5c, 0xda, 0xd9, 0x4c, 0xd9, 0x3b, 0xdd, 0x5a, 0x30, 0x9f, 0xb9,
                                       0x53, 0xd3, 0x0c, 0x1d, 0x00, 0xe5, 0xce, 0xb0, 0x6c, 0x9a, 0x56,
                                       0x6d, 0xa9, 0xed, 0x3a, 0x70, 0x1c, 0xcb, 0x84, 0x74, 0x5b};
    static const uint8_t whole[32] = {0xa2, 0x64, 0x95, 0x08, 0x2d, 0x1b, 0x68, 0xd3, 0x71, 0xb1, 0xb3,
                                      0x1d, 0x3c, 0xbb, 0x95, 0xd6, 0x6c, 0x5c, 0x15, 0x56, 0xf5, 0x00,
                                      0x4d, 0x6a, 0xf1, 0x1c, 0xfe, 0x3a, 0xda, 0x9b, 0xb2, 0xd7};
    struct image m;
    lay(&m, (const struct part[]){{0x3C000020, 256}}, 1);
    memset(m.bytes + 0x120, 0, 15);
    m.bytes[0x12F] = 0xDD;
    memcpy(m.bytes + 0x130, digest, 32);

    struct otapult_inspect in;
    assert_int_equal(inspect(&in, m.bytes, 335), OTAPULT_E_IMAGE_TRUNCATED);
    assert_int_equal(inspect(&in, m.bytes, 336), OTAPULT_E_IMAGE_SEGMENT);
    assert_string_equal(in.why.text, "no IROM among all");
    assert_int_equal(in.info.checksum, 0xDD);
    assert_memory_equal(in.info.digest, digest, 32);
    assert_memory_equal(in.info.sha256, whole, 32);
    assert_int_equal(in.info.size, 336);
}

static void every_length_of_padding_is_right(void **state)
{
    (void)state;
    for (uint32_t more = 0; more < 16; more += 4) {
        struct image m;
        struct part parts[4];
        memcpy(parts, usual, sizeof parts);
        parts[3].size += more;
        make(&m, parts, 4);
        struct otapult_inspect in;
        assert_int_equal(inspect(&in, m.bytes, m.len), 0);
    }
}

static void what_the_format_allows_passes(void **state)
{
    (void)state;
    static const struct {
        const char *why;
        unsigned count;
        struct part parts[16];
    } allowed[] = {
        {"an empty segment in the middle",
         4,
         {{0x3C000020, 0x100}, {0x3FC98000, 0}, {0x42000130, 4}, {0x40374000, 4}}},
        {"an empty segment at the end", 3, {{0x3C000020, 0x100}, {0x42000128, 4}, {0x3FC98000, 0}}},
        {"padding at address 0", 3, {{0x3C000020, 0x100}, {0, 0x20}, {0x42000150, 4}}},
        {"a note below 0x10000000", 3, {{0x3C000020, 0x100}, {0x0FFFFFFF, 0x20}, {0x42000150, 4}}},
        {"both RTC memories", 4, {{0x3C000020, 0x100}, {0x42000128, 4}, {0x600FE000, 8}, {0x50001FF8, 8}}},
        {"a region to its last byte", 3, {{0x3C000020, 0x100}, {0x42000128, 4}, {0x3FCFFFF0, 0x10}}},
        {"16 segments",
         16,
         {{0x3C000020, 0x100},
          {0x42000128, 4},
          {0, 4},
          {0, 4},
          {0, 4},
          {0, 4},
          {0, 4},
          {0, 4},
          {0, 4},
          {0, 4},
          {0, 4},
          {0, 4},
          {0, 4},
          {0, 4},
          {0, 4},
          {0, 4}}},
    };
    for (size_t i = 0; i < sizeof allowed / sizeof *allowed; i++) {
        struct image m;
        struct otapult_inspect in;
        make(&m, allowed[i].parts, allowed[i].count);
        int err = inspect(&in, m.bytes, m.len);
        if (err != 0)
            fail_msg("%s: %s (%s)", allowed[i].why, otapult_error_row(err)->code, in.why.text);
    }
}

/* ---- what is wrong, though checksum and SHA-256 are right ---- */

static const struct {
    const char *text; /* of the finding, "" where the error says it all */
    int err;
    uint32_t at; /* of the finding */
    uint32_t by; /* refused when so many bytes are there */
    unsigned count;
    struct part parts[4];
} refused[] = {
    {"a length that is no multiple of 4",
     OTAPULT_E_IMAGE_SEGMENT,
     0x18,
     0x20,
     2,
     {{0x3C000020, 0x102}, {0x4200012A, 6}}},
    {"an address that does not fit its 64 KB page",
     OTAPULT_E_IMAGE_SEGMENT,
     0x18,
     0x20,
     2,
     {{0x3C000024, 0x100}, {0x42000128, 4}}},
    {"an address that does not fit its 64 KB page",
     OTAPULT_E_IMAGE_SEGMENT,
     0x120,
     0x128,
     2,
     {{0x3C000020, 0x100}, {0x42000020, 4}}},
    {"an address outside this chip's memory",
     OTAPULT_E_IMAGE_SEGMENT,
     0x120,
     0x128,
     2,
     {{0x3C000020, 0x100}, {0x3FC87FFC, 4}}},
    {"an address outside this chip's memory",
     OTAPULT_E_IMAGE_SEGMENT,
     0x120,
     0x128,
     2,
     {{0x3C000020, 0x100}, {0x3FCFFFFC, 8}}},
    {"an address outside this chip's memory",
     OTAPULT_E_IMAGE_SEGMENT,
     0x120,
     0x128,
     2,
     {{0x3C000020, 0x100}, {0x10000000, 4}}},
    {"an address outside this chip's memory",
     OTAPULT_E_IMAGE_SEGMENT,
     0x120,
     0x128,
     2,
     {{0x3C000020, 0x100}, {0xFFFFFFFC, 8}}},
    {"no DROM among all", OTAPULT_E_IMAGE_SEGMENT, 0, 0, 2, {{0x3FC98000, 0x100}, {0x42000128, 4}}},
    {"no IROM among all", OTAPULT_E_IMAGE_SEGMENT, 0, 0, 2, {{0x3C000020, 0x100}, {0x40374000, 4}}},
    {"no IROM among all",
     OTAPULT_E_IMAGE_SEGMENT,
     0,
     0,
     3,
     {{0x3C000020, 0x100}, {0x42000128, 0}, {0x3FC98000, 4}}},
    {"", OTAPULT_E_IMAGE_NO_DESCRIPTION, 0x20, 0x20, 2, {{0x3C000020, 0xFC}, {0x42000124, 4}}},
};

static void each_rule_about_segments_is_kept(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        struct image m;
        struct otapult_inspect in;
        make(&m, refused[i].parts, refused[i].count);
        int err = inspect(&in, m.bytes, m.len);
        if (err != refused[i].err || strcmp(in.why.text ? in.why.text : "", refused[i].text) != 0)
            fail_msg("row %u: %s (%s)", (unsigned)i, otapult_error_row(err)->code, in.why.text);
        assert_int_equal(in.why.at, refused[i].at ? refused[i].at : m.len);
        if (refused[i].by == 0)
            continue;
        otapult_inspect_init(&in, &limits); /* and as early as can be */
        assert_int_equal(otapult_inspect_feed(&in, m.bytes, refused[i].by - 1), 0);
        assert_int_equal(otapult_inspect_feed(&in, m.bytes + refused[i].by - 1, 1), refused[i].err);
    }
}

static void lengths_are_believed_no_further_than_the_slot(void **state)
{
    (void)state;
    static const uint32_t sizes[] = {0x640000, 0xFFFFFC, 0x1000000, 0x80000000, 0xFFFFFFFC};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        struct image m = usual_image();
        struct otapult_inspect in;
        put32(m.bytes + 0x144, sizes[i]); /* of the second segment */
        int want = sizes[i] < 0x1000000 ? OTAPULT_E_IMAGE_TOO_LARGE : OTAPULT_E_IMAGE_SEGMENT;
        assert_int_equal(inspect(&in, m.bytes, 0x148), want);
        if (want == OTAPULT_E_IMAGE_TOO_LARGE) {
            assert_true(in.why.got > sizes[i]);
            assert_int_equal(in.why.want, limits.slot_size);
        }
    }
}

static void the_slot_may_be_filled_to_its_last_byte(void **state)
{
    (void)state;
    struct image m = usual_image();
    struct otapult_inspect in;
    struct otapult_inspect_limits tight = limits;
    tight.slot_size = m.len;
    assert_int_equal(inspect_with(&in, &tight, m.bytes, m.len, FEED_AT_ONCE), 0);
    for (tight.slot_size = 0; tight.slot_size < m.len; tight.slot_size++)
        assert_int_equal(inspect_with(&in, &tight, m.bytes, m.len, FEED_AT_ONCE), OTAPULT_E_IMAGE_TOO_LARGE);
    assert_int_equal(in.why.got, m.len);
    assert_int_equal(in.why.want, m.len - 1);
    tight.slot_size = UINT32_MAX;
    assert_int_equal(inspect_with(&in, &tight, m.bytes, m.len, FEED_AT_ONCE), 0);
}

static const struct {
    uint32_t at;
    uint8_t value;
    int err;
    uint32_t got;
} headers[] = {
    {0, 0xE8, OTAPULT_E_FILE_UNKNOWN, 0xE8},     {1, 0, OTAPULT_E_IMAGE_SEGMENT, 0},
    {1, 17, OTAPULT_E_IMAGE_SEGMENT, 17},        {12, 0, OTAPULT_E_IMAGE_WRONG_CHIP, 0},
    {13, 1, OTAPULT_E_IMAGE_WRONG_CHIP, 0x109},  {15, 3, OTAPULT_E_IMAGE_CHIP_REVISION, 3},
    {16, 1, OTAPULT_E_IMAGE_CHIP_REVISION, 256}, {23, 0, OTAPULT_E_IMAGE_NO_HASH, 0},
    {23, 2, OTAPULT_E_IMAGE_NO_HASH, 0},
};

static void each_rule_about_the_header_is_kept(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof headers / sizeof *headers; i++) {
        struct image m = usual_image();
        struct otapult_inspect in;
        m.bytes[headers[i].at] = headers[i].value;
        assert_int_equal(inspect(&in, m.bytes, m.len), headers[i].err);
        assert_int_equal(in.why.got, headers[i].got);
        assert_int_equal(inspect(&in, m.bytes, 24), headers[i].err);
    }
}

static const struct {
    uint16_t min, max, chip;
    bool fits;
} revisions[] = {
    {0, 65535, 0, true},   {0, 0, 400, true},      {2, 65535, 2, true},      {2, 65535, 1, false},
    {0, 99, 99, true},     {0, 99, 100, false},    {0, 65534, 65535, false}, {100, 199, 150, true},
    {100, 199, 99, false}, {100, 199, 200, false},
};

static void revisions_are_a_range(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof revisions / sizeof *revisions; i++) {
        struct image m = usual_image();
        struct otapult_inspect in;
        struct otapult_inspect_limits with = limits;
        with.chip_rev = revisions[i].chip;
        memcpy(m.bytes + 15,
               (uint8_t[]){(uint8_t)revisions[i].min, (uint8_t)(revisions[i].min >> 8),
                           (uint8_t)revisions[i].max, (uint8_t)(revisions[i].max >> 8)},
               4);
        seal(&m, 0x2B8);
        int err = inspect_with(&in, &with, m.bytes, m.len, FEED_AT_ONCE);
        assert_int_equal(err, revisions[i].fits ? 0 : OTAPULT_E_IMAGE_CHIP_REVISION);
        if (err != 0)
            assert_int_equal(in.why.want, revisions[i].chip);
    }
}

/* Facts of ESP-IDF's esp_image_format.c: either end may be unset as 0 or 65535. */
static const struct {
    uint16_t min, max, chip;
    bool fits;
} block_revisions[] = {
    {0, 0, 103, true},       {65535, 65535, 103, true}, {0, 199, 103, true},
    {103, 103, 103, true},   {104, 199, 103, false},    {0, 102, 103, false},
    {100, 65535, 103, true}, {104, 65535, 103, false},  {104, 102, 0, true}, /* a chip that nobody asked */
};

static void efuse_block_revisions_are_a_range(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof block_revisions / sizeof *block_revisions; i++) {
        struct image m = usual_image();
        struct otapult_inspect in;
        struct otapult_inspect_limits with = limits;
        const uint16_t min = block_revisions[i].min, max = block_revisions[i].max;
        with.block_rev = block_revisions[i].chip;
        memcpy(m.bytes + 0xD0,
               (uint8_t[]){(uint8_t)min, (uint8_t)(min >> 8), (uint8_t)max, (uint8_t)(max >> 8)}, 4);
        seal(&m, 0x2B8);
        int err = inspect_with(&in, &with, m.bytes, m.len, FEED_AT_ONCE);
        assert_int_equal(err, block_revisions[i].fits ? 0 : OTAPULT_E_IMAGE_EFUSE_REVISION);
        if (err != 0)
            assert_int_equal(in.why.want, 103);
    }
}

static void another_chip_has_its_own_memory(void **state)
{
    (void)state;
    struct image m;
    struct otapult_inspect in;
    struct otapult_inspect_limits esp32 = limits;
    esp32.chip_id = 0;
    lay(&m, (const struct part[]){{0x3F400020, 0x100}, {0x400D0020, 0x20}}, 2);
    m.bytes[12] = 0;
    seal(&m, 0x148);
    assert_int_equal(inspect_with(&in, &esp32, m.bytes, m.len, FEED_AT_ONCE), 0);
    assert_int_equal(inspect(&in, m.bytes, m.len), OTAPULT_E_IMAGE_WRONG_CHIP);
}

static void the_end_is_checked(void **state)
{
    (void)state;
    struct image m = usual_image(), bad = m;
    struct otapult_inspect in;
    uint32_t checksum = m.len - 33, digest = m.len - 32;

    bad.bytes[checksum] ^= 1;
    assert_int_equal(inspect(&in, bad.bytes, bad.len), OTAPULT_E_IMAGE_CHECKSUM);
    assert_int_equal(in.why.at, checksum);
    assert_int_equal(in.why.got, bad.bytes[checksum]);
    assert_int_equal(in.why.want, m.bytes[checksum]);

    bad = m;
    bad.bytes[checksum - 1] = 7; /* padding: the device hashes it and looks no further */
    oracle_sha256(bad.bytes, digest, bad.bytes + digest);
    assert_int_equal(inspect(&in, bad.bytes, bad.len), OTAPULT_E_IMAGE_SEGMENT);
    assert_int_equal(in.why.at, checksum - 1);
    assert_int_equal(in.why.got, 7);

    bad = m;
    bad.bytes[digest + 31] ^= 0x80;
    assert_int_equal(inspect(&in, bad.bytes, bad.len), OTAPULT_E_IMAGE_HASH);
    assert_int_equal(in.why.at, digest);

    assert_int_equal(inspect(&in, m.bytes, m.len + 1), OTAPULT_E_IMAGE_TRAILING);
    assert_int_equal(in.why.at, m.len);
}

/* ---- damage ---- */

static void every_flipped_bit_is_refused(void **state)
{
    (void)state;
    size_t len;
    uint8_t *image = sample_image(&(struct sample_spec){SAMPLE_DEFAULT, .size = 1024}, &len);
    for (size_t bit = 0; bit < len * 8; bit++) {
        struct otapult_inspect in;
        image[bit / 8] ^= (uint8_t)(1u << bit % 8);
        int err = inspect_with(&in, &limits, image, len, FEED_AT_ONCE);
        if (err == 0)
            fail_msg("bit %u of byte 0x%x", (unsigned)(bit % 8), (unsigned)(bit / 8));
        assert_int_not_equal(err, OTAPULT_E_INTERNAL);
        image[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    free(image);
}

static void every_truncation_is_named(void **state)
{
    (void)state;
    size_t len;
    uint8_t *image = sample_image(&(struct sample_spec){SAMPLE_DEFAULT, .size = 1024}, &len);
    for (size_t cut = 0; cut < len; cut++)
        for (unsigned how = 0; how < 3; how++) {
            struct otapult_inspect in;
            assert_int_equal(inspect_with(&in, &limits, image, cut, how), OTAPULT_E_IMAGE_TRUNCATED);
            assert_int_equal(in.why.at, cut);
            assert_in_range(in.why.got, 1, len - cut); /* never more than is missing */
            if (cut > 944)                             /* in the last segment: exactly that */
                assert_int_equal(in.why.got, len - cut);
        }
    free(image);
}

static void hostile_text_is_made_safe(void **state)
{
    (void)state;
    struct image m;
    struct otapult_inspect in;
    uint32_t end = lay(&m, usual, 4);
    memset(m.bytes + 0x30, 0xFF, 32);                 /* version: no text, no end */
    memcpy(m.bytes + 0x50, "<b>\x1B[2J\xD0\xB6", 10); /* project */
    memset(m.bytes + 0x70, 'x', 16);                  /* time */
    seal(&m, end);
    assert_int_equal(inspect(&in, m.bytes, m.len), 0);
    assert_string_equal(in.info.desc.version, "???????????????????????????????");
    assert_string_equal(in.info.desc.project, "<b>?[2J\xD0\xB6");
    assert_string_equal(in.info.desc.time, "xxxxxxxxxxxxxxx");
    assert_string_equal(in.info.desc.idf, "");
}

/* ---- the stage ---- */

static void the_first_error_stays(void **state)
{
    (void)state;
    struct image m = usual_image();
    struct otapult_inspect in;
    otapult_inspect_init(&in, &limits);
    assert_int_equal(otapult_inspect_feed(&in, (const uint8_t *)"no image, but 24 bytes!!", 24),
                     OTAPULT_E_FILE_UNKNOWN);
    struct otapult_inspect before = in;
    assert_int_equal(otapult_inspect_feed(&in, m.bytes, m.len), OTAPULT_E_FILE_UNKNOWN);
    assert_int_equal(otapult_inspect_finish(&in), OTAPULT_E_FILE_UNKNOWN);
    assert_memory_equal(&in, &before, sizeof in);
}

static void it_may_be_copied_at_any_byte(void **state)
{
    (void)state;
    struct image m = usual_image();
    struct otapult_inspect in, copy;
    otapult_inspect_init(&in, &limits);
    for (uint32_t at = 0; at < m.len; at++) {
        copy = in;
        memset(&in, 0xA5, sizeof in);
        in = copy;
        assert_int_equal(otapult_inspect_feed(&in, m.bytes + at, 1), 0);
        assert_int_equal(otapult_inspect_feed(&copy, m.bytes + at, m.len - at), 0); /* and both go on */
        assert_int_equal(otapult_inspect_finish(&copy), 0);
    }
    assert_int_equal(otapult_inspect_finish(&in), 0);
}

/* A reader of flash asks for just what comes next. */
static void what_is_left_leads_to_the_end(void **state)
{
    (void)state;
    struct image m;
    struct otapult_inspect in;
    make(&m, (const struct part[]){{0x3C000020, 0x100}, {0x42000128, 8}, {0, 0}, {0x3FC98000, 0}}, 4);
    otapult_inspect_init(&in, &limits);
    while (in.at != OTAPULT_AT_END) {
        assert_in_range(in.left, 1, m.len - in.pos);
        assert_int_equal(otapult_inspect_feed(&in, m.bytes + in.pos, in.left), 0);
    }
    assert_int_equal(in.pos, m.len);
    assert_int_equal(in.left, 0);
    assert_int_equal(otapult_inspect_finish(&in), 0);
}

static void an_impossible_state_is_refused(void **state)
{
    (void)state;
    struct otapult_inspect in;
    otapult_inspect_init(&in, &limits);
    in.at = (enum otapult_inspect_at)99;
    assert_int_equal(otapult_inspect_feed(&in, (const uint8_t *)"x", 1), OTAPULT_E_INTERNAL);
    assert_int_equal(otapult_inspect_finish(&in), OTAPULT_E_INTERNAL);

    otapult_inspect_init(&in, &limits);
    in.sha.err = OTAPULT_E_INTERNAL; /* as when PSA Crypto fails */
    struct image m = usual_image();
    assert_int_equal(otapult_inspect_feed(&in, m.bytes, m.len), OTAPULT_E_INTERNAL);
}

static void a_head_can_be_read_alone(void **state)
{
    (void)state;
    struct image m = usual_image();
    struct otapult_image_info info = {0};
    assert_int_equal(otapult_read_head(m.bytes, &info), 0);
    assert_int_equal(info.chip_id, 9);
    assert_int_equal(info.segment_count, 4);
    assert_string_equal(info.desc.version, "1.0.0");
    assert_int_equal(info.size, 0);
    m.bytes[0x20] ^= 1;
    assert_int_equal(otapult_read_head(m.bytes, &info), OTAPULT_E_IMAGE_NO_DESCRIPTION);
    m.bytes[0] = 0xFF;
    assert_int_equal(otapult_read_head(m.bytes, &info), OTAPULT_E_FILE_UNKNOWN);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_small_image_is_described),
        cmocka_unit_test(samples_pass_and_the_oracle_agrees),
        cmocka_unit_test(the_smallest_vector),
        cmocka_unit_test(every_length_of_padding_is_right),
        cmocka_unit_test(what_the_format_allows_passes),
        cmocka_unit_test(each_rule_about_segments_is_kept),
        cmocka_unit_test(lengths_are_believed_no_further_than_the_slot),
        cmocka_unit_test(the_slot_may_be_filled_to_its_last_byte),
        cmocka_unit_test(each_rule_about_the_header_is_kept),
        cmocka_unit_test(revisions_are_a_range),
        cmocka_unit_test(efuse_block_revisions_are_a_range),
        cmocka_unit_test(another_chip_has_its_own_memory),
        cmocka_unit_test(the_end_is_checked),
        cmocka_unit_test(every_flipped_bit_is_refused),
        cmocka_unit_test(every_truncation_is_named),
        cmocka_unit_test(hostile_text_is_made_safe),
        cmocka_unit_test(the_first_error_stays),
        cmocka_unit_test(it_may_be_copied_at_any_byte),
        cmocka_unit_test(what_is_left_leads_to_the_end),
        cmocka_unit_test(an_impossible_state_is_refused),
        cmocka_unit_test(a_head_can_be_read_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
