/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FAKE_ESP_MAC_H
#define FAKE_ESP_MAC_H

#include <stdint.h>

#include "esp_err.h"

/* esp_hw_support/include/esp_mac.h, v5.1 and v6.0.2: the factory's base address, which is the station's, 6 bytes.
 * ESP_OK; ESP_ERR_INVALID_ARG, and others where the eFuses hold none. */
esp_err_t esp_efuse_mac_get_default(uint8_t *mac);

#endif
