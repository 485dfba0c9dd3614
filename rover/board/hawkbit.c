/* SPDX-License-Identifier: Apache-2.0 */
#include "board.h"
#include "settings.h"

#ifdef CONFIG_ROVER_HAWKBIT

#include <esp_log.h>
#include <nvs.h>
#include <nvs_flash.h>

#include "otapult/offer.h"

/* Firmware from a hawkBit server. The token is the robot's own and no part of the firmware, which is the same
 * for all: it is a blob in NVS, namespace "rover", key "hawkbit", written when the robot is set up. */

static const char tag[] = "rover";

static char token[129];
static const struct otapult_hawkbit server = {
    .url = CONFIG_ROVER_HAWKBIT_URL, .tenant = CONFIG_ROVER_HAWKBIT_TENANT, .token = token};

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

bool source_configure(struct otapult_pull *pull, struct otapult_config *config)
{
    (void)config;
    pull->source = &otapult_hawkbit;
    pull->source_config = &server;
    if (read_token())
        return true;
    ESP_LOGE(tag, "no hawkBit: NVS has no token that is one (namespace rover, key hawkbit)");
    return false;
}

#endif
