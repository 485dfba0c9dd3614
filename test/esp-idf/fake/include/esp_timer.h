/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FAKE_ESP_TIMER_H
#define FAKE_ESP_TIMER_H

#include <stdint.h>

/* esp_timer/include/esp_timer.h, v5.1 and v6.0.2. Microseconds since the timer was set up at boot;
 * monotonic, from any task. */
int64_t esp_timer_get_time(void);

#endif
