/* SPDX-License-Identifier: Apache-2.0 */
/* What applications use of it and the port does not. Against: ESP-IDF v5.1 and v6.0.2, components/esp_common/
 * include/esp_err.h. */
#ifndef FAKE_BOARD_ESP_ERR_H
#define FAKE_BOARD_ESP_ERR_H

#include_next <esp_err.h>

#define ESP_ERROR_CHECK(x) ((void)((x) == ESP_OK || (__builtin_trap(), 0)))

#endif
