/* SPDX-License-Identifier: Apache-2.0 */
/* Against: arduino-esp32 3.3, libraries/WiFi/src/WiFi.h. */
#ifndef FAKE_WIFI_H
#define FAKE_WIFI_H

#include "Arduino.h"

enum wl_status_t { WL_CONNECTED = 3 };

struct IPAddress {
    String toString() const;
};

struct WiFiClass {
    wl_status_t begin(const char *ssid, const char *password);
    wl_status_t status();
    IPAddress localIP();
};
extern WiFiClass WiFi;

#endif
