/* SPDX-License-Identifier: Apache-2.0 */
#include "flash/partition_table.h"

#include <psa/crypto.h>
#include <string.h>

#include "base/bytes.h"
#include "base/text.h"

/* Reads what the bootloader reads, and refuses what it refuses (bootloader_support/src/flash_partitions.c,
 * esp_partition_table_verify), with one addition: see check_tail(). Every table comes from flash or a file
 * and may be anything, so `count` is what limits each look at it.
 *
 * Whether the entries make sense together is not asked here but in layout.c. */

#define RECORD_SIZE 32u
#define LABEL_AT    12u
#define LABEL_SIZE  16u
#define MD5_AT      16u
#define MD5_SIZE    16u

#define MAGIC_ENTRY 0x50AAu
#define MAGIC_MD5   0xEBEBu
#define MAGIC_END   0xFFFFu
#define TYPE_END    0xFFu

enum record_kind {
    RECORD_ENTRY,
    RECORD_MD5,
    RECORD_END,
    RECORD_UNKNOWN, /* none of them, or behind the last byte */
};

struct records {
    const uint8_t *table;
    unsigned count;
};

static const uint8_t *record_at(const uint8_t *table, unsigned n)
{
    return table + (size_t)n * RECORD_SIZE;
}

static enum record_kind kind_of(const struct records *r, unsigned n)
{
    if (n >= r->count)
        return RECORD_UNKNOWN;
    const uint8_t *p = record_at(r->table, n);
    switch (otapult_le16(p)) {
    case MAGIC_ENTRY: return RECORD_ENTRY;
    case MAGIC_MD5: return RECORD_MD5;
    case MAGIC_END: return p[2] == TYPE_END && p[3] == TYPE_END ? RECORD_END : RECORD_UNKNOWN;
    default: return RECORD_UNKNOWN;
    }
}

/* With flash_size 0 only an end beyond 32 bits is outside: callers add offset and size, and no sum may wrap.
 */
static bool is_outside(const uint8_t *entry, uint32_t flash_size)
{
    const uint32_t limit = flash_size != 0 ? flash_size : UINT32_MAX;
    const uint32_t offset = otapult_le32(entry + 4);
    const uint32_t size = otapult_le32(entry + 8);
    return offset > limit || size > limit - offset;
}

/* The MD5 in record n is that of all records before it. It guards against damage, not against an attacker:
 * the table itself is covered by no signature. */
static bool md5_fits(const uint8_t *table, unsigned n)
{
    uint8_t md5[MD5_SIZE];
    size_t len = 0;
    if (psa_crypto_init() != PSA_SUCCESS)
        return false;
    if (psa_hash_compute(PSA_ALG_MD5, table, (size_t)n * RECORD_SIZE, md5, sizeof md5, &len) != PSA_SUCCESS)
        return false;
    return len == MD5_SIZE && memcmp(md5, record_at(table, n) + MD5_AT, MD5_SIZE) == 0;
}

/* What follows the n entries: perhaps an MD5, then the end mark. Entries behind an MD5 are refused: it
 * does not cover them, and the application would stop reading where the bootloader goes on. */
static enum otapult_table_fault check_tail(const struct records *r, unsigned n)
{
    unsigned end = n;
    if (kind_of(r, n) == RECORD_MD5) {
        if (!md5_fits(r->table, n))
            return OTAPULT_TABLE_BAD_MD5;
        end++;
        if (kind_of(r, end) == RECORD_MD5)
            return OTAPULT_TABLE_TWO_MD5;
    }
    return kind_of(r, end) == RECORD_END ? OTAPULT_TABLE_OK : OTAPULT_TABLE_NO_END;
}

enum otapult_table_fault otapult_table_verify(const uint8_t *table, size_t len, uint32_t flash_size,
                                              unsigned *count)
{
    const size_t used = len < OTAPULT_TABLE_SIZE ? len : OTAPULT_TABLE_SIZE;
    const struct records r = {table, (unsigned)(used / RECORD_SIZE)};
    unsigned n = 0;

    *count = 0;
    if (r.count < 2)
        return OTAPULT_TABLE_SHORT;
    for (; kind_of(&r, n) == RECORD_ENTRY; n++) {
        if (is_outside(record_at(table, n), flash_size))
            return OTAPULT_TABLE_OUTSIDE;
    }
    if (n == 0)
        return OTAPULT_TABLE_EMPTY;
    enum otapult_table_fault fault = check_tail(&r, n);
    if (fault == OTAPULT_TABLE_OK)
        *count = n;
    return fault;
}

const char *otapult_table_fault_text(enum otapult_table_fault fault)
{
    static const char *const text[] = {
        [OTAPULT_TABLE_OK] = "a right partition table",
        [OTAPULT_TABLE_SHORT] = "too short for an entry and an end mark",
        [OTAPULT_TABLE_EMPTY] = "no first entry",
        [OTAPULT_TABLE_NO_END] = "no end mark behind the last entry",
        [OTAPULT_TABLE_TWO_MD5] = "two MD5 entries",
        [OTAPULT_TABLE_BAD_MD5] = "the MD5 does not fit the entries",
        [OTAPULT_TABLE_OUTSIDE] = "a partition ends behind the flash",
    };
    const size_t n = (size_t)fault;
    return n < sizeof text / sizeof *text ? text[n] : "an unknown fault";
}

void otapult_table_entry(const uint8_t *table, unsigned n, struct otapult_partition *out)
{
    const uint8_t *p = record_at(table, n);
    out->type = p[2];
    out->subtype = p[3];
    out->offset = otapult_le32(p + 4);
    out->size = otapult_le32(p + 8);
    otapult_text_clean(out->label, sizeof out->label, p + LABEL_AT, LABEL_SIZE);
    out->flags = otapult_le32(p + LABEL_AT + LABEL_SIZE);
}

bool otapult_table_next(void *table, unsigned n, struct otapult_partition *out)
{
    const struct otapult_table *t = table;

    if (n >= t->count)
        return false;
    otapult_table_entry(t->bytes, n, out);
    return true;
}

bool otapult_table_find(const uint8_t *table, unsigned count, uint8_t type, uint8_t subtype,
                        struct otapult_partition *out)
{
    for (unsigned n = 0; n < count; n++) {
        const uint8_t *p = record_at(table, n);
        if (p[2] == type && p[3] == subtype) {
            otapult_table_entry(table, n, out);
            return true;
        }
    }
    return false;
}

int otapult_table_ota_slots(const uint8_t *table, unsigned count)
{
    struct otapult_partition slot;
    int n = 0;
    while (n < OTAPULT_SLOTS_MAX &&
           otapult_table_find(table, count, OTAPULT_PART_APP, (uint8_t)(OTAPULT_PART_APP_OTA_0 + n), &slot))
        n++;
    return n;
}
