/* SPDX-License-Identifier: Apache-2.0 */
#include <driver/ledc.h>
#include <stddef.h>

#include "board.h"
#include "settings.h"

#define PWM_HZ     20000 /* above what people hear */
#define RESOLUTION LEDC_TIMER_10_BIT
#define FULL_DUTY  1023u

/* Two pins a motor; one of them is always low. */
static const struct {
    ledc_channel_t channel;
    int pin;
} outputs[] = {
    {LEDC_CHANNEL_0, CONFIG_ROVER_LEFT_FORWARD},
    {LEDC_CHANNEL_1, CONFIG_ROVER_LEFT_BACKWARD},
    {LEDC_CHANNEL_2, CONFIG_ROVER_RIGHT_FORWARD},
    {LEDC_CHANNEL_3, CONFIG_ROVER_RIGHT_BACKWARD},
};
#define OUTPUTS (sizeof outputs / sizeof *outputs)

_Static_assert(!ROVER_PIN_IS_TAKEN(CONFIG_ROVER_LEFT_FORWARD),
               "left motor, forward: not a free pin of this chip");
_Static_assert(!ROVER_PIN_IS_TAKEN(CONFIG_ROVER_LEFT_BACKWARD),
               "left motor, backward: not a free pin of this chip");
_Static_assert(!ROVER_PIN_IS_TAKEN(CONFIG_ROVER_RIGHT_FORWARD),
               "right motor, forward: not a free pin of this chip");
_Static_assert(!ROVER_PIN_IS_TAKEN(CONFIG_ROVER_RIGHT_BACKWARD),
               "right motor, backward: not a free pin of this chip");

static uint32_t duties[OUTPUTS];
static bool started;

static bool start_output(size_t n)
{
    const ledc_channel_config_t channel = {
        .gpio_num = outputs[n].pin,
        .speed_mode = LEDC_LOW_SPEED_MODE,
        .channel = outputs[n].channel,
        .timer_sel = LEDC_TIMER_0,
        .duty = 0,
    };
    return ledc_channel_config(&channel) == ESP_OK;
}

bool motors_start(void)
{
    const ledc_timer_config_t timer = {
        .speed_mode = LEDC_LOW_SPEED_MODE,
        .duty_resolution = RESOLUTION,
        .timer_num = LEDC_TIMER_0,
        .freq_hz = PWM_HZ,
        .clk_cfg = LEDC_AUTO_CLK,
    };

    started = ledc_timer_config(&timer) == ESP_OK;
    for (size_t n = 0; started && n < OUTPUTS; n++)
        started = start_output(n);
    return started;
}

static void set_output(size_t n, int power)
{
    uint32_t duty = power > 0 ? (uint32_t)power * FULL_DUTY / 100 : 0;

    if (ledc_set_duty(LEDC_LOW_SPEED_MODE, outputs[n].channel, duty) == ESP_OK &&
        ledc_update_duty(LEDC_LOW_SPEED_MODE, outputs[n].channel) == ESP_OK)
        duties[n] = duty;
}

void motors_set(int left, int right)
{
    const int powers[OUTPUTS] = {left, -left, right, -right};

    if (!started)
        return;
    for (size_t n = 0; n < OUTPUTS; n++) { /* what stops comes before what starts */
        if (powers[n] <= 0)
            set_output(n, 0);
    }
    for (size_t n = 0; n < OUTPUTS; n++) {
        if (powers[n] > 0)
            set_output(n, powers[n]);
    }
}

bool motors_are_there(void)
{
    return started;
}

bool motors_answer(void)
{
    bool agree = started;

    for (size_t n = 0; agree && n < OUTPUTS; n++)
        agree = ledc_get_duty(LEDC_LOW_SPEED_MODE, outputs[n].channel) == duties[n];
    return agree;
}
