/* SPDX-License-Identifier: Apache-2.0 */
/* Against: ESP-IDF v5.1 to v6.1-beta1, components/esp_event/include/esp_event.h, esp_event_base.h. */
#ifndef FAKE_ESP_EVENT_H
#define FAKE_ESP_EVENT_H

#include <esp_err.h>
#include <stdint.h>

typedef const char *esp_event_base_t;
typedef void (*esp_event_handler_t)(void *arg, esp_event_base_t base, int32_t id, void *data);

esp_err_t esp_event_loop_create_default(void);
esp_err_t esp_event_handler_register(esp_event_base_t base, int32_t id, esp_event_handler_t handler, void *arg);

#endif
