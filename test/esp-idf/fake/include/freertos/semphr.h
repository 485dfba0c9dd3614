/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FAKE_FREERTOS_SEMPHR_H
#define FAKE_FREERTOS_SEMPHR_H

#include "freertos/FreeRTOS.h"

/* FreeRTOS-Kernel/include/freertos/semphr.h, v5.1 and v6.0.2; macros there. */
typedef struct fake_mutex *SemaphoreHandle_t;

/* A mutex with priority inheritance in the memory given; not recursive. NULL only when that is NULL. */
SemaphoreHandle_t xSemaphoreCreateMutexStatic(StaticSemaphore_t *memory);

/* pdTRUE: taken. pdFALSE: not within so many ticks; never with portMAX_DELAY. Not from an interrupt. */
BaseType_t xSemaphoreTake(SemaphoreHandle_t mutex, TickType_t ticks);

/* By the task that took it. */
BaseType_t xSemaphoreGive(SemaphoreHandle_t mutex);

#endif
