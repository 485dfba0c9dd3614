/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OTAPULT_FLASH_LAYOUT_H
#define OTAPULT_FLASH_LAYOUT_H

#include "flash/partition_table.h"

/* May updates be written by this partition table? The bootloader and the application take any that has the right
 * marks; only ESP-IDF's gen_esp32part.py, which made most of them, looks at where their entries lie. A table that
 * was made otherwise may lay a slot over the bootloader, over the table itself or over the firmware that runs. */

/* The entries of a table, one after the other. */
struct otapult_layout {
    bool (*entry)(void *ctx, unsigned n, struct otapult_partition *out); /* false: there is no entry n */
    void    *ctx;
    uint32_t table_at; /* where in flash the table itself lies */
};

/* Two labels and what stands between them. */
#define OTAPULT_LAYOUT_TEXT 40

/* 0: it is fit. Else the first of these, with why->at where the second of the two lies, and why->text, which is
 * kept in text[]: SLOTS_OVERLAP (two entries, or an entry and the bootloader or the table), SLOT_ALIGNMENT (an app
 * that begins at no multiple of 64 KB), SLOT_TOO_SMALL (an app of less than a sector), SLOT_TWICE (two entries that
 * claim to be the same slot, or OTA data: bootloader and application choose different ones). Other entries of size 0
 * lie nowhere. An entry of ESP-IDF's own types for bootloader and partition table may lie where those are. */
OTAPULT_MUST_CHECK int otapult_layout_fault(const struct otapult_layout *layout, struct otapult_finding *why,
                                            char text[OTAPULT_LAYOUT_TEXT]);

/* Do two ranges of flash have a byte in common? */
bool otapult_ranges_meet(uint32_t a, uint32_t a_size, uint32_t b, uint32_t b_size);

#endif
