/* SPDX-License-Identifier: Apache-2.0 */
#include <esp_event.h>
#include <esp_log.h>
#include <esp_netif.h>
#include <esp_timer.h>
#include <esp_wifi.h>
#include <mdns.h>
#include <stdatomic.h>
#include <string.h>

#include "board.h"
#include "otapult/esp_idf.h"
#include "settings.h"

static const char tag[] = "rover";

/* Written by the event loop's task and by the one that polls, read by all. */
static _Atomic(enum network_state) state = NETWORK_JOINING;

/* The driver neither joins nor has joined: it may be told to. A second esp_wifi_connect() while it joins is
 * an error, and some versions begin anew then. */
static atomic_bool idle;

/* Of the task that polls. */
static uint32_t joining_since_ms, tried_ms;

bool network_has_station(void)
{
    return sizeof CONFIG_ROVER_WIFI_SSID > 1;
}

enum network_state network_state(void)
{
    return atomic_load(&state);
}

static uint32_t now_ms(void)
{
    return (uint32_t)(esp_timer_get_time() / 1000);
}

static void on_disconnect(void *ctx, esp_event_base_t base, int32_t id, void *data)
{
    enum network_state joined = NETWORK_JOINED;

    (void)ctx;
    (void)base;
    (void)id;
    (void)data;
    atomic_compare_exchange_strong(&state, &joined, NETWORK_JOINING);
    atomic_store(&idle, true);
}

static void on_address(void *ctx, esp_event_base_t base, int32_t id, void *data)
{
    const ip_event_got_ip_t *event = data;

    (void)ctx;
    (void)base;
    (void)id;
    atomic_store(&state, NETWORK_JOINED);
    ESP_LOGI(tag, "address " IPSTR, IP2STR(&event->ip_info.ip));
}

static bool start_driver(void)
{
    wifi_init_config_t init = WIFI_INIT_CONFIG_DEFAULT();

    if (esp_netif_init() != ESP_OK || esp_event_loop_create_default() != ESP_OK)
        return false;
    esp_netif_create_default_wifi_sta();
    esp_netif_create_default_wifi_ap();
    return esp_wifi_init(&init) == ESP_OK && esp_wifi_set_storage(WIFI_STORAGE_RAM) == ESP_OK &&
           esp_event_handler_register(WIFI_EVENT, WIFI_EVENT_STA_DISCONNECTED, on_disconnect, NULL) ==
               ESP_OK &&
           esp_event_handler_register(IP_EVENT, IP_EVENT_STA_GOT_IP, on_address, NULL) == ESP_OK;
}

/* The driver's fields are filled to the end where the text is as long: no terminator then. */
static void copy(uint8_t *to, size_t cap, const char *text)
{
    size_t len = strlen(text);

    memcpy(to, text, len < cap ? len : cap);
}

static bool start_station(void)
{
    wifi_config_t config = {0};

    copy(config.sta.ssid, sizeof config.sta.ssid, CONFIG_ROVER_WIFI_SSID);
    copy(config.sta.password, sizeof config.sta.password, CONFIG_ROVER_WIFI_PASSWORD);
    return esp_wifi_set_mode(WIFI_MODE_STA) == ESP_OK &&
           esp_wifi_set_config(WIFI_IF_STA, &config) == ESP_OK && esp_wifi_start() == ESP_OK &&
           esp_wifi_connect() == ESP_OK;
}

static bool open_own_network(void)
{
    wifi_config_t config = {.ap = {.max_connection = 4, .authmode = WIFI_AUTH_WPA2_PSK}};

    copy(config.ap.ssid, sizeof config.ap.ssid, CONFIG_ROVER_AP_SSID);
    copy(config.ap.password, sizeof config.ap.password, CONFIG_ROVER_AP_PASSWORD);
    config.ap.ssid_len = (uint8_t)strlen(CONFIG_ROVER_AP_SSID);
    return esp_wifi_set_mode(network_has_station() ? WIFI_MODE_APSTA : WIFI_MODE_AP) == ESP_OK &&
           esp_wifi_set_config(WIFI_IF_AP, &config) == ESP_OK && esp_wifi_start() == ESP_OK;
}

static void use_own_network(void)
{
    atomic_store(&state, open_own_network() ? NETWORK_OWN : NETWORK_BROKEN);
    ESP_LOGW(tag, "own network \"%s\", the page is at " ROVER_SCHEME "://192.168.4.1:8080/",
             CONFIG_ROVER_AP_SSID);
}

void network_start(void)
{
    bool up = start_driver();

    if (up && network_has_station())
        up = start_station();
    else if (up)
        use_own_network();
    if (!up)
        atomic_store(&state, NETWORK_BROKEN);
    otapult_esp_radio(network_state() != NETWORK_BROKEN);
}

/* A rover that drove out of reach comes back. Seldom while its own network is open: every try takes the
 * radio away from it. */
static void try_again(uint32_t every_ms)
{
    if (now_ms() - tried_ms < every_ms || !atomic_exchange(&idle, false))
        return;
    tried_ms = now_ms();
    if (esp_wifi_connect() != ESP_OK)
        atomic_store(&idle, true);
}

void network_poll(void)
{
    switch (network_state()) {
    case NETWORK_JOINING:
        try_again(5000);
        if (now_ms() - joining_since_ms > CONFIG_ROVER_WIFI_SECONDS * 1000u)
            use_own_network();
        break;
    case NETWORK_OWN:
        if (network_has_station())
            try_again(60000);
        break;
    case NETWORK_JOINED: joining_since_ms = now_ms(); break;
    case NETWORK_BROKEN: break;
    }
}

/* What otapult discover lists of it. The texts are copied by mDNS. */
static esp_err_t add_service(uint16_t port)
{
    struct otapult_status status;
    struct otapult_slot slot;
    struct otapult_image_info info = {.size = 0};
    char build[OTAPULT_BUILD_ID_CHARS + 1] = "";

    otapult_status(otapult_esp_device(), &status);
    if (otapult_slot(otapult_esp_device(), status.slots.running, &slot, &info) == 0 && info.size != 0)
        otapult_build_id(&info.desc, build);
    mdns_txt_item_t texts[] = {
        {"otapult", "1"},
        {"name", otapult_name(otapult_esp_device())},
        {"path", "/api/ota"},
        {"tls", strcmp(ROVER_SCHEME, "https") == 0 ? "1" : "0"},
        {"project", info.desc.project},
        {"version", info.desc.version},
        {"build", build},
        {"chip", info.size != 0 ? otapult_chip_name(info.chip_id) : ""},
    };
    return mdns_service_add(NULL, "_http", "_tcp", port, texts, sizeof texts / sizeof texts[0]);
}

void network_announce(uint16_t port)
{
    if (mdns_init() != ESP_OK || mdns_hostname_set(CONFIG_ROVER_HOST_NAME) != ESP_OK ||
        mdns_instance_name_set(otapult_name(otapult_esp_device())) != ESP_OK || add_service(port) != ESP_OK)
        ESP_LOGW(tag, "mDNS did not start: use the address");
}
