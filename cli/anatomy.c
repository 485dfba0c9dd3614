/* SPDX-License-Identifier: Apache-2.0 */
#include "anatomy.h"

#include <string.h>

#include "base/bytes.h"
#include "image/format.h"
#include "trust/sha256.h"

/* Follows an image's headers without trusting them: each length is compared with what is left of the file
 * before it is used. It is a second reader beside src/image/inspect.c, because the inspector stops at the
 * first fault, and somebody who looks into a broken file wants to see the rest. */

#define IMAGE_MAGIC    0xE9u
#define HEADER_SIZE    24u
#define SEGMENT_HEADER 8u
#define SEGMENT_LIMIT  0x1000000u
#define CHECKSUM_START 0xEFu
#define DIGEST_SIZE    32u
#define UNLOADED_BELOW 0x10000000u

bool is_image(const uint8_t *data, size_t size)
{
    return size >= HEADER_SIZE && data[0] == IMAGE_MAGIC;
}

static void read_header(const uint8_t *data, size_t size, struct anatomy *a)
{
    struct otapult_image_info head;
    a->described = size >= OTAPULT_HEAD_SIZE && otapult_read_head(data, &head) == 0;
    if (a->described)
        a->info.desc = head.desc;
    a->claimed = data[1];
    a->info.entry = otapult_le32(data + 4);
    a->info.chip_id = otapult_le16(data + 12);
    a->info.min_rev = otapult_le16(data + 15);
    a->info.max_rev = otapult_le16(data + 17);
}

static bool broken(struct anatomy *a, const char *why, size_t at)
{
    a->broken = why;
    a->broken_at = (uint32_t)at;
    return false;
}

/* One segment, header and data; *pos moves behind it. */
static bool read_segment(const uint8_t *data, size_t size, size_t *pos, struct anatomy *a)
{
    if (size - *pos < SEGMENT_HEADER)
        return broken(a, "the file ends in a segment header", *pos);
    struct otapult_segment s = {.offset = (uint32_t)(*pos + SEGMENT_HEADER),
                                .load_addr = otapult_le32(data + *pos),
                                .size = otapult_le32(data + *pos + 4)};
    if (s.size >= SEGMENT_LIMIT || s.size % 4 != 0)
        return broken(a, "no segment can have the length that stands there", *pos);
    if (s.size > size - s.offset)
        return broken(a, "the file ends inside a segment", s.offset);
    for (uint32_t i = 0; i < s.size; i++)
        a->info.checksum ^= data[s.offset + i];
    a->info.segment[a->info.segment_count++] = s;
    *pos = s.offset + s.size;
    return true;
}

static bool read_segments(const uint8_t *data, size_t size, size_t *pos, struct anatomy *a)
{
    a->info.checksum = CHECKSUM_START;
    if (a->claimed > OTAPULT_MAX_SEGMENTS)
        return broken(a, "the header announces more segments than the format allows", 1);
    for (unsigned i = 0; i < a->claimed; i++) {
        if (!read_segment(data, size, pos, a))
            return false;
    }
    return true;
}

bool sha256_of(const void *data, size_t len, uint8_t digest[32])
{
    struct otapult_sha256 sha;
    otapult_sha256_init(&sha);
    otapult_sha256_feed(&sha, data, len);
    return otapult_sha256_peek(&sha, digest) == 0;
}

static void prove_hash(const uint8_t *data, size_t size, uint32_t end, struct anatomy *a)
{
    uint8_t digest[DIGEST_SIZE];
    if (size - end < DIGEST_SIZE)
        return;
    memcpy(a->info.digest, data + end, DIGEST_SIZE);
    bool same = sha256_of(data, end, digest) && memcmp(digest, a->info.digest, DIGEST_SIZE) == 0;
    a->hash = same ? PROOF_RIGHT : PROOF_WRONG;
    a->info.size = end + DIGEST_SIZE;
    if (a->described && otapult_desc_has_no_build(&a->info.desc))
        otapult_name_build(&a->info.desc, a->info.digest);
}

/* Checksum and hash behind the last segment, which ends at `pos`. */
static void prove(const uint8_t *data, size_t size, size_t pos, struct anatomy *a)
{
    uint32_t end = ((uint32_t)pos + 16) & ~15u;
    if (end > size)
        return;
    a->checksum_at = end - 1;
    a->stored = data[end - 1];
    a->checksum = a->stored == a->info.checksum ? PROOF_RIGHT : PROOF_WRONG;
    if (data[HEADER_SIZE - 1] != 0) {
        prove_hash(data, size, end, a);
    } else {
        a->hash = PROOF_ABSENT;
        a->info.size = end;
    }
    if (a->info.size != 0 && !sha256_of(data, a->info.size, a->info.sha256))
        a->info.size = 0;
}

static void read_signature(const uint8_t *data, uint32_t signed_size, const uint8_t *block,
                           const struct otapult_signature_layout *layout, struct anatomy_signature *s)
{
    psa_algorithm_t alg = layout->digest_size == 32 ? PSA_ALG_SHA_256 : PSA_ALG_SHA_384;
    s->scheme = OTAPULT_RSA_3072;
    while (otapult_signature_layout(s->scheme) != layout)
        s->scheme++;
    if (otapult_signature_key(block, s->key) != 0)
        memset(s->key, 0, sizeof s->key);
    bool same = psa_hash_compare(alg, data, signed_size, block + 4, layout->digest_size) == PSA_SUCCESS;
    s->digest = same ? PROOF_RIGHT : PROOF_WRONG;
}

/* The blocks of a signature sector behind the image, where there is one. */
static void read_signatures(const uint8_t *data, size_t size, struct anatomy *a)
{
    uint32_t at = (a->info.size + OTAPULT_SIGNATURE_SECTOR - 1) & ~(OTAPULT_SIGNATURE_SECTOR - 1);
    if (a->info.size == 0 || at > size || size - at < OTAPULT_SIGNATURE_SECTOR)
        return;
    for (unsigned i = 0; i < OTAPULT_SIGNATURE_BLOCKS; i++) {
        const uint8_t *block = data + at + i * OTAPULT_SIGNATURE_BLOCK;
        const struct otapult_signature_layout *layout = otapult_signature_kind(block);
        if (layout == NULL)
            return;
        read_signature(data, at, block, layout, &a->signature[a->signatures++]);
    }
}

void anatomy_of(const uint8_t *file, uint32_t at, size_t size, struct anatomy *a)
{
    const uint8_t *data = file + at;
    size_t pos = HEADER_SIZE;
    *a = (struct anatomy){.at = at};
    read_header(data, size - at, a);
    if (read_segments(data, size - at, &pos, a))
        prove(data, size - at, pos, a);
    read_signatures(data, size - at, a);
}

/* Address ranges of the ESP32-S3: ESP-IDF v6.0.2, components/soc/esp32s3/include/soc/soc.h. */
static const struct {
    uint32_t from, to;
    const char *kind;
} regions[] = {
    {0x3C000000, 0x3E000000, "DROM"}, {0x42000000, 0x44000000, "IROM"}, {0x3FC88000, 0x3FD00000, "DRAM"},
    {0x40370000, 0x403E0000, "IRAM"}, {0x600FE000, 0x60100000, "RTC"},  {0x50000000, 0x50002000, "RTC"},
};

const char *segment_kind(uint16_t chip_id, uint32_t load_addr)
{
    if (load_addr < UNLOADED_BELOW)
        return "padding";
    for (size_t i = 0; chip_id == OTAPULT_CHIP_ESP32S3 && i < sizeof regions / sizeof regions[0]; i++) {
        if (load_addr >= regions[i].from && load_addr < regions[i].to)
            return regions[i].kind;
    }
    return "";
}
