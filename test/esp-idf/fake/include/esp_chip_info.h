/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FAKE_ESP_CHIP_INFO_H
#define FAKE_ESP_CHIP_INFO_H

#include <stdint.h>

/* esp_hw_support/include/esp_chip_info.h, v5.1 and v6.0.2. */
typedef enum { CHIP_ESP32S3 = 9 } esp_chip_model_t;

typedef struct {
    esp_chip_model_t model;
    uint32_t         features;
    uint16_t         revision; /* major * 100 + minor, since 5.0 */
    uint8_t          cores;
} esp_chip_info_t;

/* Fills *out_info; cannot fail. */
void esp_chip_info(esp_chip_info_t *out_info);

#endif
