/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FAKE_ESP_OTA_OPS_H
#define FAKE_ESP_OTA_OPS_H

#include "esp_partition.h"

/* app_update/include/esp_ota_ops.h and esp_ota_ops.c, v5.1, v5.5.5 and v6.0.2; states from
 * bootloader_support/include/esp_flash_partitions.h. None is safe against another of them in a
 * second task. */
#define ESP_ERR_OTA_BASE                   0x1500
#define ESP_ERR_OTA_PARTITION_CONFLICT     (ESP_ERR_OTA_BASE + 0x01)
#define ESP_ERR_OTA_SELECT_INFO_INVALID    (ESP_ERR_OTA_BASE + 0x02)
#define ESP_ERR_OTA_VALIDATE_FAILED        (ESP_ERR_OTA_BASE + 0x03)
#define ESP_ERR_OTA_SMALL_SEC_VER          (ESP_ERR_OTA_BASE + 0x04)
#define ESP_ERR_OTA_ROLLBACK_FAILED        (ESP_ERR_OTA_BASE + 0x05)
#define ESP_ERR_OTA_ROLLBACK_INVALID_STATE (ESP_ERR_OTA_BASE + 0x06)

typedef enum {
    ESP_OTA_IMG_NEW            = 0x0U,
    ESP_OTA_IMG_PENDING_VERIFY = 0x1U,
    ESP_OTA_IMG_VALID          = 0x2U,
    ESP_OTA_IMG_INVALID        = 0x3U,
    ESP_OTA_IMG_ABORTED        = 0x4U,
    ESP_OTA_IMG_UNDEFINED      = -1, /* 0xFFFFFFFF there, which ISO C has no enumerator for */
} esp_ota_img_states_t;

/* Verifies the image in the slot as a whole, then writes the OTA data record that is not active, state NEW
 * with rollback. A slot that is active already: up to 5.5 the same number into the other record, from 6.0 on
 * the active record in place. The factory app: erases OTA data.
 * INVALID_ARG (NULL, no app, no such slot), OTA_VALIDATE_FAILED, NOT_FOUND (no OTA data), or the flash's. */
esp_err_t esp_ota_set_boot_partition(const esp_partition_t *partition);

/* What OTA data, as it is now, would choose; looks at no image. NULL: no OTA data, or no app at all. */
const esp_partition_t *esp_ota_get_boot_partition(void);

/* By the address of the running code. Never NULL. */
const esp_partition_t *esp_ota_get_running_partition(void);

/* The OTA slot behind `start_from` (NULL: behind the running one; else the first), round and round: the
 * running slot itself where there is no other. NULL: no OTA slot. */
const esp_partition_t *esp_ota_get_next_update_partition(const esp_partition_t *start_from);

/* The state in the first record whose number points to the slot and whose CRC is right.
 * INVALID_ARG (NULL), NOT_SUPPORTED (no OTA slot), NOT_FOUND (no such record, or no OTA data). */
esp_err_t esp_ota_get_state_partition(const esp_partition_t *partition, esp_ota_img_states_t *ota_state);

/* The active record, whosever it is, becomes VALID: rewritten in place, unless it is VALID already.
 * NOT_FOUND (no OTA data), FAIL (no active record), or the flash's. */
esp_err_t esp_ota_mark_app_valid_cancel_rollback(void);

#if ESP_IDF_VERSION >= ESP_IDF_VERSION_VAL(5, 5, 0)
/* The active record becomes INVALID, in place. OTA_ROLLBACK_FAILED: there is nothing to go back to.
 * NOT_FOUND, FAIL, or the flash's. Before 5.5 only together with a restart. */
esp_err_t esp_ota_mark_app_invalid_rollback(void);
#endif

/* The other record is valid and the image in its slot verifies; or it is not valid, and the factory app
 * verifies. Reads a whole image. */
bool esp_ota_check_rollback_is_possible(void);

#endif
