/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FAKE_ESP_PARTITION_H
#define FAKE_ESP_PARTITION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "esp_err.h"

/* esp_partition/include/esp_partition.h and partition_target.c, v5.1, v5.5.5 and v6.0.2. */
typedef enum {
    ESP_PARTITION_TYPE_APP  = 0x00,
    ESP_PARTITION_TYPE_DATA = 0x01,
    ESP_PARTITION_TYPE_ANY  = 0xff,
} esp_partition_type_t;

typedef enum {
    ESP_PARTITION_SUBTYPE_APP_FACTORY = 0x00,
    ESP_PARTITION_SUBTYPE_APP_OTA_MIN = 0x10,
    ESP_PARTITION_SUBTYPE_APP_OTA_MAX = 0x20, /* one more than ota_15 */
    ESP_PARTITION_SUBTYPE_APP_TEST    = 0x20,
    ESP_PARTITION_SUBTYPE_DATA_OTA    = 0x00,
    ESP_PARTITION_SUBTYPE_DATA_NVS    = 0x02,
    ESP_PARTITION_SUBTYPE_ANY         = 0xff,
} esp_partition_subtype_t;

typedef struct esp_flash_t esp_flash_t;

typedef struct {
    esp_flash_t            *flash_chip;
    esp_partition_type_t    type;
    esp_partition_subtype_t subtype;
    uint32_t                address;
    uint32_t                size;
    uint32_t                erase_size; /* 4096 */
    char                    label[17];  /* terminated */
    bool                    encrypted;
#if ESP_IDF_VERSION >= ESP_IDF_VERSION_VAL(5, 2, 0)
    bool                    readonly;
#endif
} esp_partition_t;

/* The first in the table that fits; `label` NULL: any. NULL: there is none. What it points to stays for
 * good. The first call reads the table, and allocates. */
const esp_partition_t *esp_partition_find_first(esp_partition_type_t type, esp_partition_subtype_t subtype,
                                                const char *label);

/* All of them, one after the other. find: NULL where none fits. next: the one after it; at the end NULL, and then the
 * iterator is released. Allocates. Source: esp_partition/partition.c. */
typedef struct esp_partition_iterator_opaque_ *esp_partition_iterator_t;
esp_partition_iterator_t esp_partition_find(esp_partition_type_t type, esp_partition_subtype_t subtype,
                                            const char *label);
const esp_partition_t *esp_partition_get(esp_partition_iterator_t iterator);
esp_partition_iterator_t esp_partition_next(esp_partition_iterator_t iterator);
void esp_partition_iterator_release(esp_partition_iterator_t iterator);

/* All three: INVALID_ARG, `off` beyond the partition; INVALID_SIZE, the range ends behind it (before 5.4
 * the sum of both may wrap: then nothing is refused); otherwise the flash driver's error. They block,
 * and stop what runs from flash on both cores. Not from a task whose stack is in PSRAM. */

/* Decrypts where the partition is encrypted. */
esp_err_t esp_partition_read(const esp_partition_t *partition, size_t src_offset, void *dst, size_t size);

/* Clears bits only; does not say so when the flash was not erased. Encrypted: offset (INVALID_ARG) and size
 * (INVALID_SIZE) must be multiples of 16. NOT_ALLOWED (5.2+): a read-only partition. The running app:
 * aborts (CONFIG_SPI_FLASH_DANGEROUS_WRITE_ABORTS). */
esp_err_t esp_partition_write(const esp_partition_t *partition, size_t dst_offset, const void *src,
                              size_t size);

/* Offset (INVALID_ARG) and size (INVALID_SIZE) must be multiples of erase_size. Goes by 64 KB blocks where
 * those fit, else by sectors. NOT_ALLOWED and the running app: as above. */
esp_err_t esp_partition_erase_range(const esp_partition_t *partition, size_t offset, size_t size);

#endif
