/* SPDX-License-Identifier: Apache-2.0 */
/* Otapult beside a sketch: the upload page at http://ADDRESS:8080/api/ota, the sketch goes on as it was.
 * Board: any ESP32 with the Arduino core 3.x. Tools > Partition Scheme: one with OTA in its name. */
#include <Otapult.h>
#include <WiFi.h>

static const char *NETWORK = "my network", *PASSWORD = "its password";

/* The firmware is confirmed when the check below has passed; without this the core does it at once. The
 * core's own is C: without extern "C" this would be another function, and never be called. */
extern "C" bool verifyRollbackLater()
{
    return true;
}

static otapult_health networkIsUp(void *, char *, size_t)
{
    return WiFi.status() == WL_CONNECTED ? OTAPULT_HEALTH_PASS : OTAPULT_HEALTH_WAIT;
}

static const otapult_health_check checks[] = {{"network", networkIsUp}};

void setup()
{
    otapult_esp_config config = OTAPULT_ESP_CONFIG_DEFAULT;

    Serial.begin(115200);
    config.device.ready = otapult_always_ready; /* a sketch that moves something says no while it does */
    config.device.checks = checks;
    config.device.check_count = 1;
    ESP_ERROR_CHECK(otapult_esp_start(&config));
    if (otapult_esp_check() != 0)
        Serial.println(otapult_error_row(otapult_esp_check())->hint_en);

    WiFi.begin(NETWORK, PASSWORD);
    while (WiFi.status() != WL_CONNECTED)
        delay(100);
    otapult_esp_radio(true);
    ESP_ERROR_CHECK(otapult_serve(&config, NULL, NULL));
    Serial.printf("http://%s:8080/api/ota\n", WiFi.localIP().toString().c_str());
}

void loop()
{
    delay(10); /* the sketch's own work */
}
