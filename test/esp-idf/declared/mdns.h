/* SPDX-License-Identifier: Apache-2.0 */
/* Against: espressif/mdns 1.2, include/mdns.h. */
#ifndef FAKE_MDNS_H
#define FAKE_MDNS_H

#include <esp_err.h>
#include <stddef.h>
#include <stdint.h>

typedef struct { const char *key, *value; } mdns_txt_item_t;

esp_err_t mdns_init(void);
esp_err_t mdns_hostname_set(const char *name);
esp_err_t mdns_instance_name_set(const char *name);
esp_err_t mdns_service_add(const char *instance, const char *type, const char *protocol, uint16_t port,
                           mdns_txt_item_t txt[], size_t count);

#endif
