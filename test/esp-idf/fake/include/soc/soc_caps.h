/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FAKE_SOC_CAPS_H
#define FAKE_SOC_CAPS_H

/* soc/esp32s3/include/soc/soc_caps.h, v5.1 to v6.1. */
#define SOC_RTC_FAST_MEM_SUPPORTED 1
#define SOC_RTC_SLOW_MEM_SUPPORTED 1

#endif
