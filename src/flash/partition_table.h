/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OTAPULT_FLASH_PARTITION_TABLE_H
#define OTAPULT_FLASH_PARTITION_TABLE_H

#include <stdbool.h>

#include "otapult/port.h"

/* Reader of ESP-IDF's binary partition table.
 * Source: ESP-IDF v6.0.2, components/bootloader_support/include/esp_flash_partitions.h
 * (esp_partition_info_t) and src/flash_partitions.c (what is verified). */

#define OTAPULT_TABLE_OFFSET 0x8000u /* CONFIG_PARTITION_TABLE_OFFSET's default */
#define OTAPULT_TABLE_SIZE   0xC00u

#define OTAPULT_PART_APP         0x00
#define OTAPULT_PART_DATA        0x01
#define OTAPULT_PART_BOOTLOADER  0x02
#define OTAPULT_PART_TABLE       0x03
#define OTAPULT_PART_APP_FACTORY 0x00
#define OTAPULT_PART_APP_OTA_0   0x10
#define OTAPULT_PART_APP_TEST    0x20
#define OTAPULT_PART_DATA_OTA    0x00
#define OTAPULT_PART_DATA_NVS    0x02

struct otapult_partition {
    uint8_t  type, subtype;
    uint32_t offset, size; /* in flash */
    char     label[17];    /* printable, terminated */
    uint32_t flags;        /* bit 0 encrypted, bit 1 read-only */
};

enum otapult_table_fault {
    OTAPULT_TABLE_OK,
    OTAPULT_TABLE_SHORT,    /* no room for an entry and an end mark */
    OTAPULT_TABLE_EMPTY,    /* no first entry */
    OTAPULT_TABLE_NO_END,   /* no end mark where the entries, or their MD5, end */
    OTAPULT_TABLE_TWO_MD5,
    OTAPULT_TABLE_BAD_MD5,
    OTAPULT_TABLE_OUTSIDE,  /* a partition ends behind the flash */
};

/* Verifies table[len] as the second-stage bootloader does; *count is the number of entries. An MD5 entry
 * is not demanded, but must be right when it is there, and the last: entries behind it, which it does not
 * cover, are refused as NO_END. `flash_size` 0: not compared. *count is 0 when there is a fault.
 * Reads at most OTAPULT_TABLE_SIZE bytes of table[len]. */
enum otapult_table_fault otapult_table_verify(const uint8_t *table, size_t len, uint32_t flash_size,
                                              unsigned *count);
const char *otapult_table_fault_text(enum otapult_table_fault fault);

/* Entry n of a verified table. */
void otapult_table_entry(const uint8_t *table, unsigned n, struct otapult_partition *out);

/* A verified table for struct otapult_layout, which asks for one entry after the other: its `ctx` is one of these, its
 * `entry` the function. */
struct otapult_table {
    const uint8_t *bytes;
    unsigned       count;
};
bool otapult_table_next(void *table, unsigned n, struct otapult_partition *out);

/* The first entry of this type and subtype. */
bool otapult_table_find(const uint8_t *table, unsigned count, uint8_t type, uint8_t subtype,
                        struct otapult_partition *out);

/* How many of ota_0, ota_1, … there are without a gap: the application's count. */
int otapult_table_ota_slots(const uint8_t *table, unsigned count);

#endif
