/* SPDX-License-Identifier: Apache-2.0 */
/* Against: espressif/qrcode 0.1.0, qrcode/include/qrcode.h of espressif/idf-extra-components. Its
 * esp_qrcode_main.c logs the text under the tag QRCODE, at level info. */
#ifndef FAKE_QRCODE_H
#define FAKE_QRCODE_H

#include <esp_err.h>
#include <stdint.h>

typedef const uint8_t *esp_qrcode_handle_t;

typedef struct {
    void (*display_func)(esp_qrcode_handle_t qrcode);
    int  max_qrcode_version;
    int  qrcode_ecc_level;
} esp_qrcode_config_t;

enum { ESP_QRCODE_ECC_LOW };

#define ESP_QRCODE_CONFIG_DEFAULT()                                                                   \
    (esp_qrcode_config_t){.display_func = esp_qrcode_print_console, .max_qrcode_version = 10,         \
                          .qrcode_ecc_level = ESP_QRCODE_ECC_LOW}

/* FAIL: the text does not fit; NO_MEM. */
esp_err_t esp_qrcode_generate(esp_qrcode_config_t *config, const char *text);
void      esp_qrcode_print_console(esp_qrcode_handle_t qrcode);

#endif
