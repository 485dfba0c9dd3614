/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FAKE_ESP_CRT_BUNDLE_H
#define FAKE_ESP_CRT_BUNDLE_H

#include "esp_err.h"

/* Of the component mbedtls, v5.1 to v6.0.2. */
esp_err_t esp_crt_bundle_attach(void *conf);

#endif
