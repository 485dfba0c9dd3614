/* SPDX-License-Identifier: Apache-2.0 */
#include "factory.h"

#include <psa/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "boot_image.h"

#define ENTRY_SIZE 32u
#define LABEL_SIZE 16u

struct entry {
    uint8_t type, subtype;
    uint32_t offset, size;
    const char *label;
};

/* Arduino's default_16MB.csv: what most 16 MB boards in the field have. */
static const struct entry default_entries[] = {
    {OTAPULT_PART_DATA, OTAPULT_PART_DATA_NVS, 0x9000, 0x5000, "nvs"},
    {OTAPULT_PART_DATA, OTAPULT_PART_DATA_OTA, 0xE000, 0x2000, "otadata"},
    {OTAPULT_PART_APP, OTAPULT_PART_APP_OTA_0, 0x10000, 0x640000, "app0"},
    {OTAPULT_PART_APP, OTAPULT_PART_APP_OTA_0 + 1, 0x650000, 0x640000, "app1"},
    {OTAPULT_PART_DATA, 0x82, 0xC90000, 0x360000, "spiffs"},
    {OTAPULT_PART_DATA, 0x03, 0xFF0000, 0x10000, "coredump"},
};
#define DEFAULT_ENTRIES (sizeof default_entries / sizeof *default_entries)

static void put_entry(uint8_t *p, const struct entry *e)
{
    memset(p, 0, ENTRY_SIZE);
    p[0] = 0xAA;
    p[1] = 0x50;
    p[2] = e->type;
    p[3] = e->subtype;
    otapult_put_le32(p + 4, e->offset);
    otapult_put_le32(p + 8, e->size);
    memcpy(p + 12, e->label, strnlen(e->label, LABEL_SIZE));
}

void factory_table(uint8_t table[OTAPULT_TABLE_SIZE])
{
    uint8_t *md5 = table + DEFAULT_ENTRIES * ENTRY_SIZE;
    size_t len;
    memset(table, 0xFF, OTAPULT_TABLE_SIZE);
    for (size_t n = 0; n < DEFAULT_ENTRIES; n++)
        put_entry(table + n * ENTRY_SIZE, &default_entries[n]);
    md5[0] = md5[1] = 0xEB;
    if (psa_crypto_init() != PSA_SUCCESS ||
        psa_hash_compute(PSA_ALG_MD5, table, (size_t)(md5 - table), md5 + 16, 16, &len) != PSA_SUCCESS)
        abort();
}

static bool first_app(const uint8_t *table, size_t flash_size, struct otapult_partition *out)
{
    unsigned count;
    if (otapult_table_verify(table, OTAPULT_TABLE_SIZE, (uint32_t)flash_size, &count) != OTAPULT_TABLE_OK)
        return false;
    return otapult_table_find(table, count, OTAPULT_PART_APP, OTAPULT_PART_APP_FACTORY, out) ||
           otapult_table_find(table, count, OTAPULT_PART_APP, OTAPULT_PART_APP_OTA_0, out);
}

void factory_refusal(const struct nor_flash *nor, const uint8_t *table, size_t len, char why[FACTORY_WHY])
{
    struct otapult_partition app;
    unsigned count;
    enum otapult_table_fault fault =
        otapult_table_verify(table, OTAPULT_TABLE_SIZE, (uint32_t)nor->size, &count);

    if (fault != OTAPULT_TABLE_OK)
        snprintf(why, FACTORY_WHY, "the partition table is wrong: %s", otapult_table_fault_text(fault));
    else if (!first_app(table, nor->size, &app))
        snprintf(why, FACTORY_WHY, "the partition table has neither a factory app nor ota_0");
    else if (len > app.size)
        snprintf(why, FACTORY_WHY, "the factory firmware has %zu bytes, the slot %s only %lu", len, app.label,
                 (unsigned long)app.size);
    else
        snprintf(why, FACTORY_WHY, "the slot %s lies over the partition table, or the flash failed",
                 app.label);
}

bool factory_flash(struct nor_flash *nor, const uint8_t *table, const uint8_t *image, size_t len)
{
    uint8_t standard[OTAPULT_TABLE_SIZE];
    struct otapult_partition app;
    if (!table) {
        factory_table(standard);
        table = standard;
    }
    if (!first_app(table, nor->size, &app) || len > app.size)
        return false;
    return nor_erase(nor, 0, (uint32_t)nor->size) == 0 &&
           nor_program(nor, OTAPULT_TABLE_OFFSET, table, OTAPULT_TABLE_SIZE) == 0 &&
           nor_program(nor, app.offset, image, (uint32_t)len) == 0;
}

const char *factory_fault(struct nor_flash *nor)
{
    uint8_t table[OTAPULT_TABLE_SIZE];
    struct otapult_partition app;

    if (nor_read(nor, OTAPULT_TABLE_OFFSET, table, sizeof table) != 0 || !first_app(table, nor->size, &app))
        return "no partition table";
    return boot_image_fault(nor, app.offset, app.size);
}
