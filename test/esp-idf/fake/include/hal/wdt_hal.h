/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FAKE_WDT_HAL_H
#define FAKE_WDT_HAL_H

#include <stdbool.h>
#include <stdint.h>

/* hal/include/hal/wdt_hal.h and hal/wdt_types.h, v5.1 to v6.0; esp_hal_wdt/include/hal/ in v6.1. The watchdogs;
 * everything but init() needs the write protection to be off, init() sees to it itself. */
typedef enum { WDT_RWDT, WDT_MWDT0, WDT_MWDT1 } wdt_inst_t;
typedef enum { WDT_STAGE0, WDT_STAGE1, WDT_STAGE2, WDT_STAGE3 } wdt_stage_t;
typedef enum {
    WDT_STAGE_ACTION_OFF,
    WDT_STAGE_ACTION_INT,
    WDT_STAGE_ACTION_RESET_CPU,
    WDT_STAGE_ACTION_RESET_SYSTEM, /* all but the RTC's part */
    WDT_STAGE_ACTION_RESET_RTC,    /* that too */
} wdt_stage_action_t;

typedef struct {
    wdt_inst_t inst;
    void      *rwdt_dev; /* a union of registers there */
} wdt_hal_context_t;

/* Fills *hal, stops the watchdog and forgets its stages. `prescaler` counts for the MWDTs only. */
void wdt_hal_init(wdt_hal_context_t *hal, wdt_inst_t wdt_inst, uint32_t prescaler, bool enable_intr);
void wdt_hal_config_stage(wdt_hal_context_t *hal, wdt_stage_t stage, uint32_t timeout,
                          wdt_stage_action_t behavior);
void wdt_hal_write_protect_disable(wdt_hal_context_t *hal);
void wdt_hal_write_protect_enable(wdt_hal_context_t *hal);
void wdt_hal_enable(wdt_hal_context_t *hal); /* feeds it, too */
void wdt_hal_disable(wdt_hal_context_t *hal);
void wdt_hal_feed(wdt_hal_context_t *hal);

#endif
