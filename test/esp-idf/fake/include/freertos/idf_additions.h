/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FAKE_FREERTOS_IDF_ADDITIONS_H
#define FAKE_FREERTOS_IDF_ADDITIONS_H

#include "freertos/task.h"

/* Against: ESP-IDF v5.1 to v6.1, components/freertos/esp_additions/include/freertos/idf_additions.h. The lowest address
 * of the task's stack; NULL: the calling task's. */
uint8_t *pxTaskGetStackStart(TaskHandle_t task);

#endif
