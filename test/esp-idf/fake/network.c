/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "esp_netif.h"
#include "fake_idf.h"
#include "self.h"

/* Interfaces of the network, and the device as a client of its own servers. */

esp_netif_t *esp_netif_get_default_netif(void)
{
    return fake_idf.network ? (esp_netif_t *)(void *)&fake_idf.network : NULL;
}

esp_netif_t *esp_netif_get_handle_from_ifkey(const char *if_key)
{
    return strcmp(if_key, "WIFI_AP_DEF") == 0 && fake_idf.own_network
               ? (esp_netif_t *)(void *)&fake_idf.own_network
               : NULL;
}

bool esp_netif_is_netif_up(esp_netif_t *esp_netif)
{
    return *(const bool *)(const void *)esp_netif;
}

/* In place of port/esp-idf/self.c, whose sockets would be this computer's: the same request through the fake
 * server. */
bool otapult_esp_self_answers(uint16_t port, int status)
{
    static struct fake_connection c;
    const struct fake_request request = {
        .method = HTTP_GET, .uri = "/api/ota", .header = {{"Host", "localhost"}}};
    const httpd_handle_t server = fake_httpd_on(port);

    if (server == NULL || fake_idf.server_hangs || fake_httpd_speaks_tls(server))
        return false;
    fake_httpd_request(server, &request, &c);
    fake_httpd_parse(&c);
    return c.status == status;
}

bool otapult_esp_self_speaks_tls(uint16_t port)
{
    const httpd_handle_t server = fake_httpd_on(port);

    return server != NULL && !fake_idf.server_hangs && fake_httpd_speaks_tls(server);
}
