/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FAKE_ESP_TASK_WDT_H
#define FAKE_ESP_TASK_WDT_H

#include "esp_err.h"
#include "freertos/task.h"

/* esp_system/include/esp_task_wdt.h and task_wdt/task_wdt.c, v5.1 and v6.0.2. */

/* ESP_OK: the task (NULL: the calling one) is subscribed. ESP_ERR_NOT_FOUND: it is not.
 * ESP_ERR_INVALID_STATE, and an error in the log: the watchdog was never set up. */
esp_err_t esp_task_wdt_status(TaskHandle_t task_handle);

/* Feeds the calling task's watchdog. ESP_ERR_NOT_FOUND, and an error in the log: it has none. */
esp_err_t esp_task_wdt_reset(void);

#endif
