/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FAKE_FREERTOS_TASK_H
#define FAKE_FREERTOS_TASK_H

#include "freertos/FreeRTOS.h"

/* FreeRTOS-Kernel/include/freertos/task.h, v5.1 and v6.0.2. */
typedef struct fake_task *TaskHandle_t;
typedef void (*TaskFunction_t)(void *arg);

/* Creates a task in the memory given, which must be static and, for one that uses flash, internal RAM.
 * `depth` in bytes. NULL only when a buffer is NULL. Allocates nothing. */
TaskHandle_t xTaskCreateStatic(TaskFunction_t code, const char *name, uint32_t depth, void *arg,
                               UBaseType_t priority, StackType_t *stack, StaticTask_t *task);

/* Blocks the calling task for so many ticks; lower priorities run meanwhile. */
void vTaskDelay(TickType_t ticks);

/* Waits until the calling task's notification is not 0, at most `ticks`; returns it, and clears it
 * (pdTRUE) or counts it down. 0: the time is over. A macro over xTaskGenericNotifyTake() in ESP-IDF. */
uint32_t ulTaskNotifyTake(BaseType_t clear, TickType_t ticks);

/* Counts the task's notification up, from any task. Always pdPASS. A macro in ESP-IDF. */
BaseType_t xTaskNotifyGive(TaskHandle_t task);

#endif
