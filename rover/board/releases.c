/* SPDX-License-Identifier: Apache-2.0 */
#include "board.h"
#include "settings.h"

#if defined(CONFIG_ROVER_FOLDER) || defined(CONFIG_ROVER_HAWKBIT)

#include <esp_log.h>
#include <esp_mac.h>
#include <stdio.h>

#include "otapult/esp_pull.h"

static const char tag[] = "rover";

static char id[13];
static union otapult_pull_memory memory;
static struct otapult_esp_fetch fetch;
static struct otapult_pull pull = {.code = &otapult_pulling,
                                   .fetch = &fetch.fetch,
                                   .clock = &otapult_esp_clock,
                                   .memory = &memory,
                                   .id = id,
                                   .policy = ROVER_SOURCE_POLICY,
                                   OTAPULT_PULL_DEFAULT};

/* What servers know it by: its MAC address, which stands on the module. */
static bool read_id(void)
{
    uint8_t m[6];

    if (esp_efuse_mac_get_default(m) != ESP_OK)
        return false;
    snprintf(id, sizeof id, "%02x%02x%02x%02x%02x%02x", m[0], m[1], m[2], m[3], m[4], m[5]);
    return true;
}

void releases_configure(struct otapult_config *config)
{
    if (!read_id() || !source_configure(&pull, config))
        return;
    otapult_esp_fetch_init(&fetch, ROVER_SOURCE_CA_PEM);
    config->pull = &pull;
    ESP_LOGI(tag, "releases are looked for; this robot is %s there", id);
}

void releases_start(void)
{
    if (otapult_esp_pull(2) != ESP_OK)
        ESP_LOGW(tag, "no releases are looked for");
}

#else

void releases_configure(struct otapult_config *config)
{
    (void)config;
}

void releases_start(void)
{
}

#endif
