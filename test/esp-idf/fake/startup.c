/* SPDX-License-Identifier: Apache-2.0 */
#include "fake_idf.h"

/* Against: ESP-IDF v5.1 to v6.1, components/freertos/app_startup.c: the main task calls app_main(). By then
 * esp_system/startup.c has switched off the bootloader's watchdog. */
void app_main(void);

void fake_idf_main(void)
{
    app_main();
}
