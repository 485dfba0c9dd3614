/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OTAPULT_HOST_BOOT_MODEL_H
#define OTAPULT_HOST_BOOT_MODEL_H

#include "flash/ota_data.h"
#include "flash/partition_table.h"
#include "nor_flash.h"

#define OTAPULT_SLOT_TEST (-3)

/* What the boot ROM and ESP-IDF's second-stage bootloader (rollback enabled) do with this flash: which
 * slot boots, and why. Source: ESP-IDF v6.0.2, bootloader_support/src/bootloader_utility.c
 * (bootloader_utility_get_selected_boot_partition, bootloader_utility_load_boot_image). The choice is
 * the table in boot_table.def, which docs/boot.md and the tests share. */

enum boot_choice_id {
#define BOOT_ROW(id, ...) BOOT_##id,
#include "boot_table.def"
#undef BOOT_ROW
    BOOT_CHOICES
};

struct boot_result {
    bool ok;     /* something boots; else the device resets for ever and `why` says at what */
    int  chosen; /* by OTA data: slot index or OTAPULT_SLOT_FACTORY; OTAPULT_SLOT_NONE: nothing was */
    int  slot;   /* that loaded: differs from `chosen` after a fall-back; OTAPULT_SLOT_TEST possible */
    enum boot_choice_id row; /* BOOT_CHOICES: the partition table is wrong, nothing was chosen */
    bool        fell_back;
    const char *why; /* the row's sentence, what is wrong with the table, or why nothing loads */
};

/* Boots: reads the partition table at 0x8000, aborts what stayed pending, chooses, verifies images as
 * the bootloader does (boot_image.h), writes OTA data where the bootloader does. May lose power like
 * anything else that writes. */
void boot_model_run(struct nor_flash *nor, struct boot_result *out);

/* What OTA data as it is now would choose, before anything that stayed pending is aborted: writes
 * nothing, looks at no image, as esp_ota_get_boot_partition(). Slot index or OTAPULT_SLOT_FACTORY (also
 * when the table has none); OTAPULT_SLOT_NONE: the device would reset. */
int boot_model_peek(struct nor_flash *nor);

/* The name of a row and its sentence, for docs and tests. */
const char *boot_row_name(enum boot_choice_id id);
const char *boot_row_why(enum boot_choice_id id);

#endif
