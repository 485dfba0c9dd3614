/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FAKE_NVS_H
#define FAKE_NVS_H

#include <stddef.h>
#include <stdint.h>

#include "esp_err.h"

/* nvs_flash/include/nvs.h and src/nvs_api.cpp, v5.1 and v6.0.2. Namespaces and keys have 1 to 15
 * characters. All functions take one lock inside and may be called from any task. Each set or erase of
 * one entry is atomic: after a loss of power the old or the new value is there. */
typedef uint32_t nvs_handle_t;
typedef enum { NVS_READONLY, NVS_READWRITE } nvs_open_mode_t;

#define ESP_ERR_NVS_BASE             0x1100
#define ESP_ERR_NVS_NOT_INITIALIZED  (ESP_ERR_NVS_BASE + 0x01)
#define ESP_ERR_NVS_NOT_FOUND        (ESP_ERR_NVS_BASE + 0x02)
#define ESP_ERR_NVS_NOT_ENOUGH_SPACE (ESP_ERR_NVS_BASE + 0x05)
#define ESP_ERR_NVS_INVALID_HANDLE   (ESP_ERR_NVS_BASE + 0x07)
#define ESP_ERR_NVS_KEY_TOO_LONG     (ESP_ERR_NVS_BASE + 0x09)
#define ESP_ERR_NVS_INVALID_LENGTH   (ESP_ERR_NVS_BASE + 0x0c)
#define ESP_ERR_NVS_NO_FREE_PAGES    (ESP_ERR_NVS_BASE + 0x0d)

/* Opens a namespace, makes it where it is not there (NVS_READWRITE). Takes a little heap until nvs_close().
 * NOT_INITIALIZED: before nvs_flash_init(); NVS_NOT_FOUND (NVS_READONLY). */
esp_err_t nvs_open(const char *namespace_name, nvs_open_mode_t open_mode, nvs_handle_t *out_handle);

/* The same in another partition. ESP_ERR_NVS_PART_NOT_FOUND: it was not set up. */
#define ESP_ERR_NVS_PART_NOT_FOUND (ESP_ERR_NVS_BASE + 0x0f)
esp_err_t nvs_open_from_partition(const char *part_name, const char *namespace_name, nvs_open_mode_t open_mode,
                                  nvs_handle_t *out_handle);

/* Copies the value and sets *length to its length; `out_value` NULL: only that. NVS_NOT_FOUND: no such key,
 * *length stays. INVALID_LENGTH: *length, then set to what is needed, was too small; nothing is copied. */
esp_err_t nvs_get_blob(nvs_handle_t handle, const char *key, void *out_value, size_t *length);

/* Writes the value to flash, now. NOT_ENOUGH_SPACE, KEY_TOO_LONG, or the flash's error: the old value is
 * still there. */
esp_err_t nvs_set_blob(nvs_handle_t handle, const char *key, const void *value, size_t length);

/* NVS_NOT_FOUND: there is no such key. */
esp_err_t nvs_erase_key(nvs_handle_t handle, const char *key);

/* What was set is written at the latest when this returns. */
esp_err_t nvs_commit(nvs_handle_t handle);

/* The handle is none any more. */
void nvs_close(nvs_handle_t handle);

#endif
