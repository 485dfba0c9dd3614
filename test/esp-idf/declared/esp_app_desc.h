/* SPDX-License-Identifier: Apache-2.0 */
/* Against: ESP-IDF v5.1 to v6.1-beta1, components/esp_app_format/include/esp_app_desc.h. */
#ifndef FAKE_ESP_APP_DESC_H
#define FAKE_ESP_APP_DESC_H

#include <stdint.h>

#define ESP_APP_DESC_MAGIC_WORD 0xABCD5432

typedef struct {
    uint32_t magic_word, secure_version, reserv1[2];
    char     version[32], project_name[32], time[16], date[16], idf_ver[32];
    uint8_t  app_elf_sha256[32];
    uint16_t min_efuse_blk_rev_full, max_efuse_blk_rev_full;
    uint8_t  mmu_page_size, reserv3[3];
    uint32_t reserv2[18];
} esp_app_desc_t;

#endif
