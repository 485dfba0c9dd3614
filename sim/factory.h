/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OTAPULT_SIM_FACTORY_H
#define OTAPULT_SIM_FACTORY_H

#include "flash/partition_table.h"
#include "nor_flash.h"

/* Lays a factory state onto a chip, which is erased first: partition table of a 16 MB board with two OTA
 * slots (or the one given, OTAPULT_TABLE_SIZE bytes; NULL: the former), blank OTA data, and `image` in
 * the first app slot (ota_0, or the factory app where the table has one). Returns false, with the chip
 * untouched, when the image does not fit or the table is wrong. */
bool factory_flash(struct nor_flash *nor, const uint8_t *table, const uint8_t *image, size_t len);

/* Why it did not, with an image of `len` bytes: words for people. */
#define FACTORY_WHY 160
void factory_refusal(const struct nor_flash *nor, const uint8_t *table, size_t len, char why[FACTORY_WHY]);

/* What the bootloader holds against the image that was laid there. NULL: it loads it. */
const char *factory_fault(struct nor_flash *nor);

/* The table of a 16 MB board: nvs, otadata, app0 and app1 of 0x640000, spiffs, coredump. */
void factory_table(uint8_t table[OTAPULT_TABLE_SIZE]);

#endif
