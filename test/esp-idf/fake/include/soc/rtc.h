/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FAKE_SOC_RTC_H
#define FAKE_SOC_RTC_H

#include <stdint.h>

/* soc/esp32s3/include/soc/rtc.h, v5.1; esp_hw_support/port/esp32s3/include/soc/rtc.h later. Hz; the RTC watchdog
 * counts it. */
uint32_t rtc_clk_slow_freq_get_hz(void);

#endif
