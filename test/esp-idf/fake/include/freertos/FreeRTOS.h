/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FAKE_FREERTOS_H
#define FAKE_FREERTOS_H

#include <stdint.h>

#include "sdkconfig.h"

/* FreeRTOS-Kernel/include/freertos/FreeRTOS.h and projdefs.h, portable/xtensa/…/portmacro.h, v5.1 and
 * v6.0.2. */
typedef int      BaseType_t;
typedef unsigned UBaseType_t;
typedef uint32_t TickType_t;
typedef uint8_t  StackType_t; /* stack depths are bytes, unlike in FreeRTOS elsewhere */

typedef struct {
    void *fake;
} StaticTask_t;
typedef struct {
    int fake;
} StaticSemaphore_t;

#define pdFALSE           ((BaseType_t)0)
#define pdTRUE            ((BaseType_t)1)
#define portMAX_DELAY     ((TickType_t)0xFFFFFFFFu)
#define pdMS_TO_TICKS(ms) ((TickType_t)((uint64_t)(ms) * CONFIG_FREERTOS_HZ / 1000))
#define tskIDLE_PRIORITY  ((UBaseType_t)0)

#endif
