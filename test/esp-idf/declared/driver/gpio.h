/* SPDX-License-Identifier: Apache-2.0 */
/* What the rover uses of the GPIO driver. Against: ESP-IDF v5.5, components/esp_driver_gpio/include/driver/
 * gpio.h and components/hal/include/hal/gpio_types.h; the same names in v5.1's component driver. */
#ifndef FAKE_GPIO_H
#define FAKE_GPIO_H

#include <esp_err.h>

typedef enum { GPIO_NUM_0 } gpio_num_t;
typedef enum { GPIO_MODE_INPUT = 1 } gpio_mode_t;
typedef enum { GPIO_PULLUP_ONLY } gpio_pull_mode_t;

esp_err_t gpio_set_direction(gpio_num_t pin, gpio_mode_t mode);
esp_err_t gpio_set_pull_mode(gpio_num_t pin, gpio_pull_mode_t pull);
int       gpio_get_level(gpio_num_t pin);

#endif
