/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FAKE_ESP_ATTR_H
#define FAKE_ESP_ATTR_H

/* esp_common/include/esp_attr.h, v5.1 to v6.1: RTC memory, or other memory, that the start-up code leaves as it
 * is. RTC_NOINIT_ATTR says nothing on a chip without RTC memory. */
#define RTC_NOINIT_ATTR
#define __NOINIT_ATTR

#endif
