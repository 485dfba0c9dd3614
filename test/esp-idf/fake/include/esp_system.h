/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FAKE_ESP_SYSTEM_H
#define FAKE_ESP_SYSTEM_H

#include "esp_err.h"

/* esp_system/include/esp_system.h; the order of the reasons is the same in v5.1 to v6.1-beta1. Some came at
 * the end: in 5.1.4, in 5.2 and, the last three, in 5.2.2. */
typedef enum {
    ESP_RST_UNKNOWN,
    ESP_RST_POWERON,
    ESP_RST_EXT,
    ESP_RST_SW,
    ESP_RST_PANIC,
    ESP_RST_INT_WDT,
    ESP_RST_TASK_WDT,
    ESP_RST_WDT,
    ESP_RST_DEEPSLEEP,
    ESP_RST_BROWNOUT,
    ESP_RST_SDIO,
#if ESP_IDF_VERSION >= ESP_IDF_VERSION_VAL(5, 1, 4) /* and 5.2 */
    ESP_RST_USB,
    ESP_RST_JTAG,
#endif
#if ESP_IDF_VERSION >= ESP_IDF_VERSION_VAL(5, 2, 2) ||                                                \
    (ESP_IDF_VERSION >= ESP_IDF_VERSION_VAL(5, 1, 4) && ESP_IDF_VERSION < ESP_IDF_VERSION_VAL(5, 2, 0))
    ESP_RST_EFUSE,
    ESP_RST_PWR_GLITCH,
    ESP_RST_CPU_LOCKUP,
#endif
} esp_reset_reason_t;

/* The same answer all through one boot. */
esp_reset_reason_t esp_reset_reason(void);

/* Calls the shutdown handlers and resets the chip. Does not return. */
void esp_restart(void) __attribute__((noreturn));

#endif
