/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ROVER_SETTINGS_H
#define ROVER_SETTINGS_H

#include <sdkconfig.h>

/* Settings of Kconfig.projbuild. An Arduino build has no Kconfig of ours: platformio.ini defines what
 * should differ from these. */

#ifndef CONFIG_ROVER_WIFI_SSID
#define CONFIG_ROVER_WIFI_SSID ""
#endif
#ifndef CONFIG_ROVER_WIFI_PASSWORD
#define CONFIG_ROVER_WIFI_PASSWORD ""
#endif
#ifndef CONFIG_ROVER_WIFI_SECONDS
#define CONFIG_ROVER_WIFI_SECONDS 30
#endif
#ifndef CONFIG_ROVER_AP_SSID
#define CONFIG_ROVER_AP_SSID "rover"
#endif
#ifndef CONFIG_ROVER_AP_PASSWORD
#define CONFIG_ROVER_AP_PASSWORD "otapult-rover"
#endif
#ifndef CONFIG_ROVER_HOST_NAME
#define CONFIG_ROVER_HOST_NAME "rover"
#endif
#ifndef CONFIG_ROVER_BUTTON
#define CONFIG_ROVER_BUTTON 0
#endif
#ifndef CONFIG_ROVER_LEFT_FORWARD
#define CONFIG_ROVER_LEFT_FORWARD   4
#define CONFIG_ROVER_LEFT_BACKWARD  5
#define CONFIG_ROVER_RIGHT_FORWARD  6
#define CONFIG_ROVER_RIGHT_BACKWARD 7
#endif

#define ROVER_PORT          8080
#define ROVER_REDIRECT_PORT 80 /* of the secure profile */

#ifdef CONFIG_OTAPULT_SECURE
#define ROVER_SCHEME "https"
#else
#define ROVER_SCHEME "http"
#endif

#endif
