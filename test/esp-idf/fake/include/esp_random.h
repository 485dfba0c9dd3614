/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FAKE_ESP_RANDOM_H
#define FAKE_ESP_RANDOM_H

#include <stddef.h>

/* esp_hw_support/include/esp_random.h, v5.1 and v6.0.2. Fills buf[len]; cannot fail, and does not say so
 * when neither a radio nor bootloader_random_enable() is on and the bytes are only pseudo-random: the fake
 * does. */
void esp_fill_random(void *buf, size_t len);

#endif
