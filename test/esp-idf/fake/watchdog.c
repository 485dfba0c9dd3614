/* SPDX-License-Identifier: Apache-2.0 */
#include "fake_idf.h"
#include "hal/wdt_hal.h"
#include "soc/rtc.h"

/* The RTC watchdog: counts the slow clock, and resets the chip when it is not fed. */

#define SLOW_CLOCK_HZ 136000u /* of an RC oscillator, never quite what it should be */

uint32_t rtc_clk_slow_freq_get_hz(void)
{
    return SLOW_CLOCK_HZ;
}

static struct fake_watchdog *unlocked(const wdt_hal_context_t *hal)
{
    if (hal->inst != WDT_RWDT || hal->rwdt_dev != &fake_idf.watchdog)
        fake_idf_punish("a watchdog that wdt_hal_init() has not seen");
    if (!fake_idf.watchdog.unlocked)
        fake_idf_punish("a watchdog's registers are write-protected");
    return &fake_idf.watchdog;
}

void wdt_hal_init(wdt_hal_context_t *hal, wdt_inst_t wdt_inst, uint32_t prescaler, bool enable_intr)
{
    (void)prescaler;
    (void)enable_intr;
    *hal = (wdt_hal_context_t){wdt_inst, &fake_idf.watchdog};
    fake_idf.watchdog = (struct fake_watchdog){0};
}

void wdt_hal_config_stage(wdt_hal_context_t *hal, wdt_stage_t stage, uint32_t timeout,
                          wdt_stage_action_t behavior)
{
    struct fake_watchdog *w = unlocked(hal);

    if (stage != WDT_STAGE0 || behavior != WDT_STAGE_ACTION_RESET_SYSTEM)
        fake_idf_punish("a stage that is not foreseen: RTC memory must survive");
    w->timeout_us = (uint64_t)timeout * 1000000u / SLOW_CLOCK_HZ;
}

void wdt_hal_write_protect_disable(wdt_hal_context_t *hal)
{
    (void)hal;
    fake_idf.watchdog.unlocked = true;
}

void wdt_hal_write_protect_enable(wdt_hal_context_t *hal)
{
    (void)hal;
    fake_idf.watchdog.unlocked = false;
}

void wdt_hal_enable(wdt_hal_context_t *hal)
{
    unlocked(hal)->on = true;
    fake_idf.watchdog.fed_us = fake_idf.now_us;
}

void wdt_hal_disable(wdt_hal_context_t *hal)
{
    unlocked(hal)->on = false;
}

void wdt_hal_feed(wdt_hal_context_t *hal)
{
    unlocked(hal)->fed_us = fake_idf.now_us;
}

bool fake_watchdog_bites(void)
{
    const struct fake_watchdog *w = &fake_idf.watchdog;

    return w->on && fake_idf.now_us - w->fed_us > w->timeout_us;
}
