/* SPDX-License-Identifier: Apache-2.0 */
/* What the rover uses of the LEDC driver. Against: ESP-IDF v5.1 to v6.1-beta1, components/esp_driver_ledc/include/driver/
 * ledc.h and components/hal/include/hal/ledc_types.h. */
#ifndef FAKE_LEDC_H
#define FAKE_LEDC_H

#include <esp_err.h>
#include <stdint.h>

typedef enum { LEDC_LOW_SPEED_MODE } ledc_mode_t;
typedef enum { LEDC_CHANNEL_0, LEDC_CHANNEL_1, LEDC_CHANNEL_2, LEDC_CHANNEL_3 } ledc_channel_t;
typedef enum { LEDC_TIMER_0 } ledc_timer_t;
typedef enum { LEDC_TIMER_10_BIT = 10 } ledc_timer_bit_t;
typedef enum { LEDC_AUTO_CLK } ledc_clk_cfg_t;

typedef struct {
    int            gpio_num;
    ledc_mode_t    speed_mode;
    ledc_channel_t channel;
    ledc_timer_t   timer_sel;
    uint32_t       duty;
    int            hpoint;
} ledc_channel_config_t;

typedef struct {
    ledc_mode_t      speed_mode;
    ledc_timer_bit_t duty_resolution;
    ledc_timer_t     timer_num;
    uint32_t         freq_hz;
    ledc_clk_cfg_t   clk_cfg;
} ledc_timer_config_t;

esp_err_t ledc_timer_config(const ledc_timer_config_t *timer);
esp_err_t ledc_channel_config(const ledc_channel_config_t *channel);
esp_err_t ledc_set_duty(ledc_mode_t mode, ledc_channel_t channel, uint32_t duty);
esp_err_t ledc_update_duty(ledc_mode_t mode, ledc_channel_t channel);
uint32_t  ledc_get_duty(ledc_mode_t mode, ledc_channel_t channel);

#endif
