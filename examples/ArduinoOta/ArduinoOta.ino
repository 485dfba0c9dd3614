/* SPDX-License-Identifier: Apache-2.0 */
/* Otapult beside a sketch: the upload page at http://ADDRESS:8080/api/ota, the sketch goes on as it was.
 * Board: any ESP32 with the Arduino core 3.x. Tools > Partition Scheme: one with OTA in its name. */
#include <Otapult.h>
#include <WiFi.h>

OTAPULT_FIRMWARE("my-robot", "1.0.0") /* what page and log call it; raise it with each firmware */

void setup()
{
    Serial.begin(115200);
    WiFi.begin("my network", "its password");
    if (!Otapult.begin())
        Serial.println(Otapult.why());
}

void loop()
{
    Otapult.loop();
    delay(10); /* the sketch's own work */
}
