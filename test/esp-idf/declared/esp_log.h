/* SPDX-License-Identifier: Apache-2.0 */
/* What applications use of it and the port does not. Against: ESP-IDF v5.1 and v6.0.2, components/log/include/
 * esp_log.h and esp_log_level.h. */
#ifndef FAKE_BOARD_ESP_LOG_H
#define FAKE_BOARD_ESP_LOG_H

#include_next <esp_log.h>

typedef enum { ESP_LOG_NONE } esp_log_level_t;

/* Of one tag, until it is set again. */
void esp_log_level_set(const char *tag, esp_log_level_t level);

#endif
