/* SPDX-License-Identifier: Apache-2.0 */
/* Against: ESP-IDF v5.1 to v6.1-beta1, components/esp_wifi/include/esp_wifi.h, esp_wifi_types_generic.h,
 * esp_wifi_default.h. */
#ifndef FAKE_ESP_WIFI_H
#define FAKE_ESP_WIFI_H

#include <esp_netif.h>

typedef enum { WIFI_MODE_NULL, WIFI_MODE_STA, WIFI_MODE_AP, WIFI_MODE_APSTA } wifi_mode_t;
typedef enum { WIFI_IF_STA, WIFI_IF_AP } wifi_interface_t;
typedef enum { WIFI_STORAGE_FLASH, WIFI_STORAGE_RAM } wifi_storage_t;
typedef enum { WIFI_AUTH_OPEN, WIFI_AUTH_WEP, WIFI_AUTH_WPA_PSK, WIFI_AUTH_WPA2_PSK } wifi_auth_mode_t;
typedef enum { WIFI_EVENT_STA_DISCONNECTED = 5 } wifi_event_t;
typedef struct { int magic; } wifi_init_config_t;
typedef struct { uint8_t ssid[32], password[64]; } wifi_sta_config_t;
typedef struct {
    uint8_t          ssid[32], password[64], ssid_len, channel;
    wifi_auth_mode_t authmode;
    uint8_t          ssid_hidden, max_connection;
} wifi_ap_config_t;
typedef union {
    wifi_ap_config_t  ap;
    wifi_sta_config_t sta;
} wifi_config_t;

extern esp_event_base_t const WIFI_EVENT;

#define WIFI_INIT_CONFIG_DEFAULT() {.magic = 0x1F2F3F4F}

esp_netif_t *esp_netif_create_default_wifi_sta(void);
esp_netif_t *esp_netif_create_default_wifi_ap(void);
esp_err_t    esp_wifi_init(const wifi_init_config_t *config);
esp_err_t    esp_wifi_set_storage(wifi_storage_t storage);
esp_err_t    esp_wifi_get_mode(wifi_mode_t *mode);
esp_err_t    esp_wifi_set_mode(wifi_mode_t mode);
esp_err_t    esp_wifi_set_config(wifi_interface_t interface, wifi_config_t *config);
esp_err_t    esp_wifi_start(void);
esp_err_t    esp_wifi_connect(void);

#endif
