/* SPDX-License-Identifier: Apache-2.0 */
#include <psa/crypto.h>
#include <string.h>

#include "flash/partition_table.h"
#include "fuzz.h"

/* The partition table's reader: nothing outside the flash in a table that it calls right, and its verdict is
 * that of a few lines written from ESP-IDF's rules.
 *
 * Input: size of the flash in MB (0: not compared); then the table. */
#define SETTINGS 1u
#define RECORD   32u

static uint32_t get32(const uint8_t *p)
{
    return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static bool md5_fits(const uint8_t *table, size_t len)
{
    uint8_t md5[16];
    size_t n;

    return psa_hash_compute(PSA_ALG_MD5, table, len, md5, sizeof md5, &n) == PSA_SUCCESS &&
           memcmp(md5, table + len + 16, sizeof md5) == 0;
}

/* Entries, at least one; perhaps an MD5 of them; an end mark. Returns how many entries; -1: wrong. */
static int count_entries(const uint8_t *t, size_t len, uint64_t flash)
{
    size_t records = (len < OTAPULT_TABLE_SIZE ? len : OTAPULT_TABLE_SIZE) / RECORD, n = 0, end;

    while (n < records && t[n * RECORD] == 0xAA && t[n * RECORD + 1] == 0x50) {
        uint64_t to = (uint64_t)get32(t + n * RECORD + 4) + get32(t + n * RECORD + 8);
        if (to > flash)
            return -1;
        n++;
    }
    end = n;
    if (end < records && t[end * RECORD] == 0xEB && t[end * RECORD + 1] == 0xEB) {
        if (!md5_fits(t, n * RECORD))
            return -1;
        end++;
    }
    bool ends = end < records && get32(t + end * RECORD) == 0xFFFFFFFFu;
    return n > 0 && ends ? (int)n : -1;
}

static void check_entry(const uint8_t *table, unsigned count, unsigned n, uint64_t flash)
{
    struct otapult_partition p, found;

    otapult_table_entry(table, n, &p);
    FUZZ_EXPECT((uint64_t)p.offset + p.size <= flash);
    FUZZ_EXPECT(memchr(p.label, 0, sizeof p.label) != NULL);
    for (const char *c = p.label; *c != '\0'; c++)
        FUZZ_EXPECT((uint8_t)*c >= ' ' && (uint8_t)*c != 0x7F);
    FUZZ_EXPECT(otapult_table_find(table, count, p.type, p.subtype, &found));
    FUZZ_EXPECT(found.type == p.type && found.subtype == p.subtype);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct otapult_partition p;
    unsigned count = 99;

    if (size < SETTINGS || psa_crypto_init() != PSA_SUCCESS)
        return 0;
    const uint32_t flash_size = (uint32_t)data[0] << 20;
    const uint64_t limit = flash_size == 0 ? UINT32_MAX : flash_size;
    const uint8_t *table = data + SETTINGS;
    const size_t len = size - SETTINGS;

    enum otapult_table_fault fault = otapult_table_verify(table, len, flash_size, &count);
    int expected = count_entries(table, len, limit);
    FUZZ_EXPECT((fault == OTAPULT_TABLE_OK) == (expected > 0));
    FUZZ_EXPECT(count == (unsigned)(expected > 0 ? expected : 0));
    FUZZ_EXPECT(otapult_table_fault_text(fault)[0] != '\0');
    for (unsigned n = 0; n < count; n++)
        check_entry(table, count, n, limit);
    int slots = otapult_table_ota_slots(table, count);
    FUZZ_EXPECT(slots >= 0 && slots <= OTAPULT_SLOTS_MAX);
    for (int n = 0; n < slots; n++)
        FUZZ_EXPECT(otapult_table_find(table, count, 0, (uint8_t)(0x10 + n), &p));
    return 0;
}

/* Puts the right MD5 behind the entries, most of the time. */
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned int seed)
{
    uint32_t state = seed;
    size_t n;

    size = LLVMFuzzerMutate(data, size, max_size);
    if (fuzz_random(&state) % 4 == 0 || psa_crypto_init() != PSA_SUCCESS)
        return size;
    for (size_t at = SETTINGS; at + RECORD <= size; at += RECORD)
        if (data[at] == 0xEB && data[at + 1] == 0xEB) {
            (void)psa_hash_compute(PSA_ALG_MD5, data + SETTINGS, at - SETTINGS, data + at + 16, 16, &n);
            break;
        }
    return size;
}
