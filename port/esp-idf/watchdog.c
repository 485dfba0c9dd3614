/* SPDX-License-Identifier: Apache-2.0 */
#include <esp_ota_ops.h>
#include <hal/wdt_hal.h>
#include <soc/rtc.h>

#include "esp_board.h"

/* The watchdog of a trial: the chip's RTC watchdog, which needs no task, no interrupt and no setting of
 * ESP-IDF. The task watchdog alone brings no firmware back: it is not there before it is set up, watches idle
 * tasks only, and prints for ever where CONFIG_ESP_TASK_WDT_PANIC is off. */

#ifndef CONFIG_OTAPULT_WATCHDOG_SECONDS
#define CONFIG_OTAPULT_WATCHDOG_SECONDS 60
#endif

static bool is_on_trial(void)
{
    esp_ota_img_states_t state;

    return esp_ota_get_state_partition(esp_ota_get_running_partition(), &state) == ESP_OK &&
           state == ESP_OTA_IMG_PENDING_VERIFY;
}

/* Resets all but the RTC's part, so that RTC memory keeps the crash guard's note. */
static void arm(wdt_hal_context_t *w)
{
    const uint64_t ticks = (uint64_t)CONFIG_OTAPULT_WATCHDOG_SECONDS * rtc_clk_slow_freq_get_hz();

    wdt_hal_init(w, WDT_RWDT, 0, false);
    wdt_hal_write_protect_disable(w);
    wdt_hal_config_stage(w, WDT_STAGE0, (uint32_t)ticks, WDT_STAGE_ACTION_RESET_SYSTEM);
    wdt_hal_enable(w);
    wdt_hal_write_protect_enable(w);
}

void otapult_esp_watch_trial(void)
{
    struct esp_board *b = &otapult_esp_board;

    if (b->watched || !is_on_trial())
        return;
    arm(&b->watchdog);
    b->watched = true;
}

/* Called from the task that polls, after each poll: only a firmware whose poll still runs and which still may
 * be confirmed is fed. After the confirmation the watchdog is switched off; it belongs to the application
 * then. */
void otapult_esp_feed_watchdog(struct esp_board *b)
{
    struct otapult_status status;

    if (!b->watched)
        return;
    otapult_status(b->device, &status);
    wdt_hal_write_protect_disable(&b->watchdog);
    if (status.pending)
        wdt_hal_feed(&b->watchdog);
    else
        wdt_hal_disable(&b->watchdog);
    wdt_hal_write_protect_enable(&b->watchdog);
    b->watched = status.pending;
}
