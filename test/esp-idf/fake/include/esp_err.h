/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FAKE_ESP_ERR_H
#define FAKE_ESP_ERR_H

#include "esp_idf_version.h"

/* esp_common/include/esp_err.h, v5.1 and v6.0.2. */
typedef int esp_err_t;

#define ESP_OK                0
#define ESP_FAIL              (-1)
#define ESP_ERR_NO_MEM        0x101
#define ESP_ERR_INVALID_ARG   0x102
#define ESP_ERR_INVALID_STATE 0x103
#define ESP_ERR_INVALID_SIZE  0x104
#define ESP_ERR_NOT_FOUND     0x105
#define ESP_ERR_NOT_SUPPORTED 0x106
#define ESP_ERR_TIMEOUT       0x107
#if ESP_IDF_VERSION >= ESP_IDF_VERSION_VAL(5, 1, 5)
#define ESP_ERR_NOT_ALLOWED   0x10D
#endif
#define ESP_ERR_FLASH_BASE    0x6000

/* The name of the code, static; "UNKNOWN ERROR" for one that is not registered, "ERROR" where the table of
 * names is not built in. Never fails. */
const char *esp_err_to_name(esp_err_t code);

/* Logs and aborts where it is not ESP_OK. */
#define ESP_ERROR_CHECK(x) ((void)((x) == ESP_OK || (__builtin_trap(), 0)))

#endif
