/* SPDX-License-Identifier: Apache-2.0 */
#include <driver/gpio.h>
#include <esp_log.h>
#include <freertos/FreeRTOS.h>
#include <freertos/task.h>
#include <stdio.h>

#include "board.h"
#include "otapult/esp_idf.h"
#include "settings.h"

#if __has_include(<qrcode.h>)
#include <qrcode.h>
#define HAS_QRCODE
#endif

#define HELD_MS 3000
#define LOOK_MS 50

/* The component logs the text it is given, at level "info": a password has no business there. */
#ifdef HAS_QRCODE
static void print_code(const char *text)
{
    esp_qrcode_config_t config = ESP_QRCODE_CONFIG_DEFAULT();

    esp_log_level_set("QRCODE", ESP_LOG_NONE);
    if (esp_qrcode_generate(&config, text) != ESP_OK)
        printf("rover: no memory for its QR code\n");
}
#else
static void print_code(const char *text)
{
    (void)text; /* an Arduino build has no components of the registry */
}
#endif

bool owner_show_password(void *app, const char *password)
{
    (void)app;
    printf("rover: password of admin: %s\n", password);
    print_code(password);
    printf("rover: it is shown this once; change it at /api/ota/account\n");
    return true;
}

static bool is_held(void)
{
    const gpio_num_t button = (gpio_num_t)CONFIG_ROVER_BUTTON;

    if (gpio_set_direction(button, GPIO_MODE_INPUT) != ESP_OK ||
        gpio_set_pull_mode(button, GPIO_PULLUP_ONLY) != ESP_OK)
        return false;
    for (int ms = 0; ms < HELD_MS; ms += LOOK_MS) {
        if (gpio_get_level(button) != 0)
            return false;
        vTaskDelay(pdMS_TO_TICKS(LOOK_MS));
    }
    return true;
}

void owner_look_for_button(void)
{
    if (!is_held())
        return;
    const int err = otapult_new_password(otapult_esp_device());
    if (err != 0)
        ESP_LOGE("rover", "the old password still holds: %s", otapult_error_row(err)->code);
}
