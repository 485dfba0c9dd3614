/* SPDX-License-Identifier: Apache-2.0 */
#include "boot_image.h"

#include <psa/crypto.h>
#include <string.h>

#include "base/bytes.h"
#include "otapult/image.h"

/* Would the bootloader load this image? Written a second time on purpose, after ESP-IDF's esp_image_format.c,
 * and sharing no code with src/image/: it is what the inspector is measured by. It is as lenient as the
 * bootloader (trailing bytes, no description, segments at strange addresses in the image's own order), where
 * the inspector is not. */

#define PARTITION_MAX   0x1000000u
#define SEGMENT_MAX     0x1000000u
#define HEADER_SIZE     24u
#define HEADER_MAGIC    0xE9u
#define CHECKSUM_START  0xEFu
#define DIGEST_SIZE     32u
#define MMU_PAGE        0x10000u
#define FIRST_LOADED    0x10000000u
#define NO_REVISION     0xFFFFu
#define DESC_BLOCK_REVS 176u /* in the app description: least and greatest eFuse block revision */

struct region {
    uint32_t from, to; /* `to` is behind it */
};

static const struct region mapped[] = {
    {0x3C000000, 0x3E000000}, /* DROM */
    {0x42000000, 0x44000000}, /* IROM */
};
static const struct region loadable[] = {
    {0x3FC88000, 0x3FD00000}, /* DRAM */
    {0x40370000, 0x403E0000}, /* IRAM */
    {0x600FE000, 0x60100000}, /* RTC fast */
    {0x50000000, 0x50002000}, /* RTC slow */
};
/* The bootloader's own loader code, data and stack, as data memory, and the distance to the same memory
 * seen as instruction memory (ESP-IDF v5.x to v6.x: bootloader.ld of the ESP32-S3). */
static const struct region own_memory = {0x3FCDB700, 0x3FCEB710};
#define IRAM_TO_DRAM 0x6F0000u

struct loader {
    struct nor_flash *nor;
    uint32_t base, at; /* of the partition in flash; of the next byte, from base */
    psa_hash_operation_t hash;
    uint8_t header[HEADER_SIZE];
    uint8_t checksum;
};

/* Reads and hashes the next bytes. Only the end of the flash stops it, as in the bootloader. */
static bool take(struct loader *l, uint8_t *dst, uint32_t len)
{
    size_t rest = l->nor->size - l->base;
    if (l->at > rest || len > rest - l->at || nor_read(l->nor, l->base + l->at, dst, len) != 0)
        return false;
    l->at += len;
    return psa_hash_update(&l->hash, dst, len) == PSA_SUCCESS;
}

static bool take_data(struct loader *l, uint32_t len)
{
    uint8_t chunk[NOR_SECTOR];
    while (len > 0) {
        uint32_t n = len < sizeof chunk ? len : sizeof chunk;
        if (!take(l, chunk, n))
            return false;
        for (uint32_t i = 0; i < n; i++)
            l->checksum ^= chunk[i];
        len -= n;
    }
    return true;
}

static bool is_set(uint16_t revision)
{
    return revision != 0 && revision != NO_REVISION;
}

static const char *check_header(struct loader *l)
{
    const uint8_t *h = l->header;
    if (!take(l, l->header, HEADER_SIZE))
        return "the header cannot be read";
    if (h[0] != HEADER_MAGIC)
        return "no image: the first byte is not 0xE9";
    if (otapult_le16(h + 12) != OTAPULT_CHIP_ESP32S3)
        return "built for another chip";
    uint16_t max_rev = otapult_le16(h + 17);
    if (BOOT_CHIP_REVISION < otapult_le16(h + 15) || (is_set(max_rev) && BOOT_CHIP_REVISION > max_rev))
        return "built for other chip revisions";
    if (h[1] > OTAPULT_MAX_SEGMENTS)
        return "more than 16 segments";
    return NULL;
}

static bool within(const struct region *r, size_t count, uint32_t from, uint32_t len)
{
    for (size_t i = 0; i < count; i++)
        if (from >= r[i].from && from < r[i].to && len <= r[i].to - from)
            return true;
    return false;
}

/* `len` is not 0: a segment without data is fine anywhere. */
static const char *check_load_address(uint32_t from, uint32_t len)
{
    if (!within(loadable, sizeof loadable / sizeof *loadable, from, len))
        return "bad load address range";
    uint32_t data_view = from >= loadable[1].from && from < loadable[1].to ? from - IRAM_TO_DRAM : from;
    if (data_view < own_memory.to && data_view + len > own_memory.from)
        return "bad load address range: over the bootloader itself";
    return NULL;
}

/* Read where an app description has them, whether there is one or not, even behind the segment's end. */
static const char *check_block_revision(struct loader *l)
{
    uint8_t revs[4];
    const uint32_t from = l->base + l->at + DESC_BLOCK_REVS;

    if (from > l->nor->size - sizeof revs || nor_read(l->nor, from, revs, sizeof revs) != 0)
        return NULL;
    uint16_t min = otapult_le16(revs), max = otapult_le16(revs + 2);
    if ((is_set(min) && BOOT_CHIP_BLOCK_REVISION < min) || (is_set(max) && BOOT_CHIP_BLOCK_REVISION > max))
        return "built for other eFuse block revisions";
    return NULL;
}

static const char *check_segment(struct loader *l, bool first)
{
    uint8_t header[8];
    if (!take(l, header, sizeof header))
        return "a segment header lies behind the end of the flash";
    uint32_t load_addr = otapult_le32(header), len = otapult_le32(header + 4);
    bool is_mapped = within(mapped, sizeof mapped / sizeof *mapped, load_addr, 1);

    if (len >= SEGMENT_MAX)
        return "a segment of 16 MB or more";
    if (is_mapped && (l->base + l->at) % MMU_PAGE != load_addr % MMU_PAGE)
        return "a mapped segment does not fit its 64 KB page";
    if (len % 4 != 0)
        return "a segment's length is no multiple of 4";
    const char *fault = NULL;
    if (!is_mapped && load_addr >= FIRST_LOADED && len > 0)
        fault = check_load_address(load_addr, len);
    if (!fault && first && len > 0)
        fault = check_block_revision(l);
    if (!fault && !take_data(l, len))
        fault = "a segment reaches behind the end of the flash";
    return fault;
}

static const char *check_checksum(struct loader *l)
{
    uint8_t padding[16];
    uint32_t len = 16 - l->at % 16;
    if (!take(l, padding, len))
        return "the checksum lies behind the end of the flash";
    return padding[len - 1] == l->checksum ? NULL : "the checksum is wrong";
}

static const char *check_digest(struct loader *l)
{
    uint8_t computed[DIGEST_SIZE], stored[DIGEST_SIZE];
    size_t len;
    if (psa_hash_finish(&l->hash, computed, sizeof computed, &len) != PSA_SUCCESS ||
        nor_read(l->nor, l->base + l->at, stored, sizeof stored) != 0)
        return "the SHA-256 cannot be read";
    return memcmp(computed, stored, sizeof stored) == 0 ? NULL : "the SHA-256 is wrong";
}

static const char *check_image(struct loader *l, uint32_t size)
{
    const char *fault = check_header(l);
    for (unsigned i = 0; !fault && i < l->header[1]; i++)
        fault = check_segment(l, i == 0);
    if (!fault)
        fault = check_checksum(l);
    if (fault)
        return fault;

    uint32_t digest = l->header[23] != 0 ? DIGEST_SIZE : 0;
    if (l->at > size || digest > size - l->at)
        return "the image is longer than its partition";
    return digest ? check_digest(l) : NULL;
}

const char *boot_image_fault(struct nor_flash *nor, uint32_t address, uint32_t size)
{
    struct loader l = {
        .nor = nor, .base = address, .hash = PSA_HASH_OPERATION_INIT, .checksum = CHECKSUM_START};
    if (size > PARTITION_MAX || address > nor->size || size > nor->size - address)
        return "the partition is too large";
    if (psa_crypto_init() != PSA_SUCCESS || psa_hash_setup(&l.hash, PSA_ALG_SHA_256) != PSA_SUCCESS)
        return "SHA-256 does not work";
    const char *fault = check_image(&l, size);
    psa_hash_abort(&l.hash);
    return fault;
}
