/* SPDX-License-Identifier: Apache-2.0 */
#include <sdkconfig.h>

#include "otapult/esp_idf.h"

/* What runs before app_main. component.cmake has the linker send calls of app_main() here: an init function
 * of ESP-IDF would come too early, because its start-up code switches the RTC watchdog off behind the last of
 * them (esp_system/startup.c of v5.1; a last init function in later versions). Until then the bootloader's
 * watchdog runs. */

#ifdef CONFIG_OTAPULT_WATCHDOG
void __real_app_main(void);
void __wrap_app_main(void);

void __wrap_app_main(void)
{
    otapult_esp_watch_trial();
    __real_app_main();
}
#endif
