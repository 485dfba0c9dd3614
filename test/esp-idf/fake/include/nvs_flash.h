/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FAKE_NVS_FLASH_H
#define FAKE_NVS_FLASH_H

#include "nvs.h"

/* nvs_flash/include/nvs_flash.h, v5.1 and v6.0.2. Sets up the partition "nvs"; ESP_OK as well when that was
 * done before. ESP_ERR_NOT_FOUND: the table has none. ESP_ERR_NVS_NO_FREE_PAGES: to be erased first. */
esp_err_t nvs_flash_init(void);

/* The same for the partition with that label, of type data and subtype nvs. */
esp_err_t nvs_flash_init_partition(const char *partition_label);

#endif
