/* SPDX-License-Identifier: Apache-2.0 */
#include "board.h"
#include "settings.h"

#ifdef CONFIG_ROVER_FOLDER

#include <esp_log.h>

#include "otapult/offer.h"

/* A web folder. Whose releases count says the firmware: in the secure profile the keys that firmware is
 * signed with, in the open one CONFIG_ROVER_FOLDER_KEYS. Releases that nobody signed are not for robots that
 * are alone with them. */

static const char tag[] = "rover";

static uint8_t keys[OTAPULT_KEYS_MAX][OTAPULT_KEY_DIGEST];
static const struct otapult_folder folder = {
    .url = CONFIG_ROVER_FOLDER_URL,
    .channel = sizeof CONFIG_ROVER_FOLDER_CHANNEL > 1 ? CONFIG_ROVER_FOLDER_CHANNEL : NULL};

bool source_configure(struct otapult_pull *pull, struct otapult_config *config)
{
    pull->source = &otapult_folder;
    pull->source_config = &folder;
    if (config->secure != NULL)
        return true;
    if (!otapult_read_digests(CONFIG_ROVER_FOLDER_KEYS, keys, OTAPULT_KEYS_MAX, &config->key_count)) {
        config->key_count = 0;
        ESP_LOGE(tag, "no releases: CONFIG_ROVER_FOLDER_KEYS names no key that signs them");
        return false;
    }
    config->keys = (const uint8_t(*)[OTAPULT_KEY_DIGEST])keys;
    return true;
}

#endif
