/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OTAPULT_FLASH_OTA_DATA_H
#define OTAPULT_FLASH_OTA_DATA_H

#include <stdbool.h>

#include "otapult/port.h"

/* OTA data in ESP-IDF's exact byte format: two sectors of 4096 bytes, a record of 32 bytes at the start
 * of each. Source: ESP-IDF v6.0.2, esp_ota_select_entry_t in bootloader_support/include/
 * esp_flash_partitions.h; selection in bootloader_support/src/bootloader_common.c; arithmetic in
 * app_update/esp_ota_ops.c (esp_rewrite_ota_data). */

#define OTAPULT_OTA_DATA_SIZE   0x2000u
#define OTAPULT_OTA_DATA_SECTOR 0x1000u
#define OTAPULT_OTA_RECORD_SIZE 32u

/* ota_state as stored. */
#define OTAPULT_OTA_NEW       0u
#define OTAPULT_OTA_PENDING   1u
#define OTAPULT_OTA_VALID     2u
#define OTAPULT_OTA_INVALID   3u
#define OTAPULT_OTA_ABORTED   4u
#define OTAPULT_OTA_UNDEFINED 0xFFFFFFFFu

struct otapult_ota_record {
    uint32_t seq;   /* 0xFFFFFFFF: empty */
    uint32_t state; /* not covered by the CRC */
    bool     crc_ok;
};

struct otapult_ota_data {
    struct otapult_ota_record record[2];
};

/* No choice any more: the factory app boots. The record that decides is erased last, so that the old choice holds
 * until then. 0, or the port's error. */
OTAPULT_MUST_CHECK int otapult_ota_erase(const struct otapult_flash *f);

/* CRC of a sequence number as ESP-IDF computes it (register starts at 0, final XOR). */
uint32_t otapult_ota_crc(uint32_t seq);

void otapult_ota_decode(const uint8_t raw[OTAPULT_OTA_RECORD_SIZE], struct otapult_ota_record *out);
void otapult_ota_encode(uint32_t seq, uint32_t state, uint8_t raw[OTAPULT_OTA_RECORD_SIZE]);

/* 0 or 1: the record which the bootloader would follow; -1: neither is usable. */
int otapult_ota_active(const struct otapult_ota_data *d);

/* (seq - 1) mod count, unsigned, as the bootloader computes it. `count` at least 1. */
int otapult_ota_slot_of(uint32_t seq, int count);

/* The state of the slot: of the record with a good CRC that points to it, the newer one if both do.
 * UNDEFINED for OTAPULT_SLOT_FACTORY. */
enum otapult_slot_state otapult_ota_state_of(const struct otapult_ota_data *d, int count, int slot);

/* The partition, read and written through a struct otapult_flash of 0x2000 bytes.
 * Each writes one record at most: erases its sector, then writes 32 bytes, then reads them back.
 * Errors: the flash's, or FLASH_READBACK. */
OTAPULT_MUST_CHECK int otapult_ota_read(const struct otapult_flash *f, struct otapult_ota_data *out);

/* Makes `slot` the active one with `state` (NEW, VALID or UNDEFINED): smallest fitting sequence number
 * above the active record's, also when that points to `slot` already. Without an active record: record 0,
 * number slot + 1. The record that would decide the next boot is not touched: that is the active one,
 * unless it is pending and the other is not, since a bootloader with rollback aborts what is pending.
 * On an error that record still decides; the other one is erased, as far as flash still does that.
 * ACTIVATE: no such slot, another state, or the sequence numbers are used up; nothing was written. */
OTAPULT_MUST_CHECK int otapult_ota_activate(const struct otapult_flash *f, int count, int slot,
                                            uint32_t state);

/* Rewrites the state of the active record in place, as esp_ota_mark_app_…() does. A power cut leaves the
 * other record to decide. Nothing is written when the state is already that. CONFIRM, or REJECT
 * for INVALID: no record is active. */
OTAPULT_MUST_CHECK int otapult_ota_mark(const struct otapult_flash *f, uint32_t state);

#endif
