/* SPDX-License-Identifier: Apache-2.0 */
#include <esp_chip_info.h>
#include <esp_log.h>
#include <esp_mac.h>
#include <sdkconfig.h>
#include <stdio.h>

#include "esp_board.h"

#if ESP_BOARD_ASKS_EFUSES
#include <hal/efuse_hal.h>
#endif

/* From the application's configuration to a device that runs, and the task that polls it. The order matters:
 * the profile first, because a device that is meant to be secure must not live a moment in the open one; then
 * the store, because the device's start reads it; the task last, when the device is there.
 *
 * Polling has a task of its own, because health checks and restarts must go on while an application hangs. */

#ifndef CONFIG_OTAPULT_POLL_STACK
#ifdef CONFIG_OTAPULT_SECURE
#define CONFIG_OTAPULT_POLL_STACK 6144
#else
#define CONFIG_OTAPULT_POLL_STACK 5120
#endif
#endif

#if CONFIG_BOOTLOADER_APP_ROLLBACK_ENABLE
#define GOES_BACK true
#else
#define GOES_BACK false
#endif

#define POLL_MS 100

/* A stack in PSRAM must not reach the flash driver: this one is in internal RAM, as all static data is. */
static StackType_t poll_stack[CONFIG_OTAPULT_POLL_STACK / sizeof(StackType_t)];

/* ---- the device ---- */

/* Sets up what needs neither NVS nor a task. */
static void bind(void)
{
    struct esp_board *b = &otapult_esp_board;

    if (b->bound)
        return;
    otapult_esp_bind_system(b);
    otapult_esp_bind_slots(b);
    b->bound = true;
}

const struct otapult_port *otapult_esp_port(void)
{
    bind();
    return &otapult_esp_board.port;
}

struct otapult *otapult_esp_device(void)
{
    return otapult_esp_board.device;
}

int otapult_esp_check(void)
{
    const struct otapult_port *port = otapult_esp_port();
    struct otapult_slots slots;

    int err = port->slots(port->ctx, &slots);
    if (err != 0)
        return err;
    if (slots.next == OTAPULT_SLOT_NONE)
        return OTAPULT_E_NO_OTA_PARTITION;
    return slots.ota_data ? 0 : OTAPULT_E_NO_OTA_DATA;
}

static void poll_task(void *arg)
{
    (void)arg;
    for (;;) {
        otapult_poll(otapult_esp_board.device);
        otapult_esp_feed_watchdog(&otapult_esp_board);
        (void)ulTaskNotifyTake(pdTRUE, pdMS_TO_TICKS(POLL_MS));
    }
}

#if ESP_BOARD_ASKS_EFUSES
/* 0: the bootloader does not ask, or not for the greatest revision; esp_ota_set_boot_partition() has the
 * last word. */
static uint16_t block_revision(void)
{
    return efuse_hal_get_disable_blk_version_major() ? 0 : (uint16_t)efuse_hal_blk_version();
}
#else
static uint16_t block_revision(void)
{
    return 0;
}
#endif

/* What stands on a board's sticker and in a router's list: the end of the station's MAC address. */
static const char *name_of_mac(struct esp_board *b)
{
    uint8_t mac[6] = {0};

    if (esp_efuse_mac_get_default(mac) != ESP_OK)
        return NULL;
    snprintf(b->name, sizeof b->name, "%02x%02x%02x", mac[3], mac[4], mac[5]);
    return b->name;
}

static void complete_config(struct otapult_config *config)
{
    esp_chip_info_t chip;

    esp_chip_info(&chip);
    config->chip_id = CONFIG_IDF_FIRMWARE_CHIP_ID;
    config->chip_rev = chip.revision;
    config->block_rev = block_revision();
    if (config->port == NULL)
        config->port = otapult_esp_port();
    if (config->name == NULL || config->name[0] == '\0')
        config->name = name_of_mac(&otapult_esp_board);
}

/* An application that names no checks gets those that every robot can pass. */
static void choose_checks(const struct otapult_esp_config *given, struct otapult_config *config)
{
    if (config->check_count > 0 || given->confirm_by_hand)
        return;
    config->checks = otapult_esp_checks;
    config->check_count = OTAPULT_ESP_CHECKS;
}

/* config->secure is the one switch: a device that is secure by half, without HTTPS or a password, is none. */
static esp_err_t choose_profile(const struct otapult_esp_config *given, struct otapult_config *config)
{
    if (given->secure != NULL)
        return given->secure->configure(config, given->key_digests);
    if (config->secure == NULL)
        return ESP_OK;
    ESP_LOGE(ESP_BOARD_TAG, "device.secure without its other half: set config.secure = &otapult_esp_secure");
    return ESP_ERR_INVALID_ARG;
}

/* Says at the start what the firmware was built without, because otherwise it would be missed only when an
 * update goes wrong. */
static void warn(void)
{
    if (!GOES_BACK)
        ESP_LOGW(ESP_BOARD_TAG, "built without CONFIG_BOOTLOADER_APP_ROLLBACK_ENABLE: a bad firmware stays");
    int err = otapult_esp_check();
    if (err != 0)
        ESP_LOGE(ESP_BOARD_TAG, "no updates over the air: %s", otapult_error_row(err)->hint);
}

static esp_err_t start_device(const struct otapult_esp_config *given)
{
    struct esp_board *b = &otapult_esp_board;
    struct otapult_config config = given->device;

    bind();
    esp_err_t bad = choose_profile(given, &config);
    if (bad != ESP_OK)
        return bad;
    otapult_esp_open_store(b);
    complete_config(&config);
    choose_checks(given, &config);
    warn();
    b->secure = given->secure;
    b->quiet_random = b->secure != NULL ? b->secure->quiet_random : NULL;
    int err = otapult_start(&b->memory, &config, &b->device);
    b->quiet_random = NULL;
    if (err != 0) {
        ESP_LOGE(ESP_BOARD_TAG, "does not start: %s", otapult_error_row(err)->code);
        return ESP_FAIL;
    }
    b->stall_ms = config.stall_ms;
    b->poll_task = xTaskCreateStatic(poll_task, "otapult poll", CONFIG_OTAPULT_POLL_STACK, NULL,
                                     given->poll_priority, poll_stack, &b->poll_memory);
    return ESP_OK;
}

esp_err_t otapult_esp_start(const struct otapult_esp_config *config)
{
    const struct otapult_config *device = &config->device;
    const bool has_checks = device->check_count > 0;

    if (otapult_esp_board.device != NULL)
        return ESP_ERR_INVALID_STATE;
    if (device->ready == NULL || device->hold == NULL || (has_checks && device->checks == NULL))
        return ESP_ERR_INVALID_ARG;
    if (has_checks && config->confirm_by_hand)
        return ESP_ERR_INVALID_ARG;
    return start_device(config);
}
