/* SPDX-License-Identifier: Apache-2.0 */
#include "board.h"
#include "settings.h"

#ifdef CONFIG_ROVER_HAWKBIT

#include <esp_log.h>
#include <esp_mac.h>
#include <nvs.h>
#include <nvs_flash.h>
#include <stdio.h>

#include "otapult/esp_pull.h"

/* Firmware from a hawkBit server. The token is the robot's own and no part of the firmware, which is the same
 * for all: it is a blob in NVS, namespace "rover", key "hawkbit", written when the robot is set up. */

static const char tag[] = "rover";

static char token[129], id[13];
static union otapult_pull_memory memory;
static struct otapult_esp_fetch fetch;
static const struct otapult_hawkbit server = {
    .url = CONFIG_ROVER_HAWKBIT_URL, .tenant = CONFIG_ROVER_HAWKBIT_TENANT, .token = token};
static const struct otapult_pull pull = {.code = &otapult_pulling,
                                         .source = &otapult_hawkbit,
                                         .source_config = &server,
                                         .fetch = &fetch.fetch,
                                         .clock = &otapult_esp_clock,
                                         .memory = &memory,
                                         .id = id,
                                         .policy = OTAPULT_PULL_URGENT,
                                         OTAPULT_PULL_DEFAULT};

/* What lies there may be anything; the device does not start with a token that cannot be in a header. */
static bool is_visible(const char *s)
{
    while (*s > ' ' && *s <= '~')
        s++;
    return *s == '\0';
}

static bool read_token(void)
{
    size_t len = sizeof token - 1;
    nvs_handle_t nvs;

    if (nvs_flash_init() != ESP_OK || nvs_open("rover", NVS_READONLY, &nvs) != ESP_OK)
        return false;
    esp_err_t err = nvs_get_blob(nvs, "hawkbit", token, &len);
    nvs_close(nvs);
    token[err == ESP_OK ? len : 0] = '\0';
    return token[0] != '\0' && is_visible(token);
}

/* What the server knows it by: its MAC address, which stands on the module. */
static bool read_id(void)
{
    uint8_t m[6];

    if (esp_efuse_mac_get_default(m) != ESP_OK)
        return false;
    snprintf(id, sizeof id, "%02x%02x%02x%02x%02x%02x", m[0], m[1], m[2], m[3], m[4], m[5]);
    return true;
}

void hawkbit_configure(struct otapult_config *config)
{
    if (!read_token() || !read_id()) {
        ESP_LOGE(tag, "no hawkBit: NVS has no token that is one (namespace rover, key hawkbit)");
        return;
    }
    otapult_esp_fetch_init(&fetch, NULL);
    config->pull = &pull;
    ESP_LOGI(tag, "hawkBit knows this robot as %s", id);
}

void hawkbit_start(void)
{
    if (id[0] != '\0' && otapult_esp_pull(2) != ESP_OK)
        ESP_LOGE(tag, "hawkBit is not asked: no task");
}

#else

void hawkbit_configure(struct otapult_config *config)
{
    (void)config;
}

void hawkbit_start(void)
{
}

#endif
