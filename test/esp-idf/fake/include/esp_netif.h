/* SPDX-License-Identifier: Apache-2.0 */
/* Against: ESP-IDF v5.1 to v6.1-beta1, components/esp_netif/include/esp_netif.h, esp_netif_ip_addr.h, esp_netif_types.h. */
#ifndef FAKE_ESP_NETIF_H
#define FAKE_ESP_NETIF_H

#include <esp_event.h>
#include <stdbool.h>

typedef struct { uint32_t addr; } esp_ip4_addr_t;
typedef struct { esp_ip4_addr_t ip, netmask, gw; } esp_netif_ip_info_t;
typedef struct { esp_netif_ip_info_t ip_info; } ip_event_got_ip_t;
typedef struct esp_netif_obj esp_netif_t;
typedef enum { IP_EVENT_STA_GOT_IP } ip_event_t;

extern esp_event_base_t const IP_EVENT;

#define IPSTR        "%d.%d.%d.%d"
#define IP2STR(ip)   (int)((ip)->addr & 255), (int)((ip)->addr >> 8 & 255), (int)((ip)->addr >> 16 & 255), \
                     (int)((ip)->addr >> 24)

esp_err_t esp_netif_init(void);
/* The one that routes by default: set with the first address, also by Ethernet. NULL: none yet. */
esp_netif_t *esp_netif_get_default_netif(void);
/* "WIFI_AP_DEF": the one of esp_netif_create_default_wifi_ap(). NULL: there is none. */
esp_netif_t *esp_netif_get_handle_from_ifkey(const char *if_key);
bool esp_netif_is_netif_up(esp_netif_t *esp_netif);

#endif
