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
#ifndef CONFIG_ROVER_LEFT_FORWARD
#define CONFIG_ROVER_LEFT_FORWARD   4
#define CONFIG_ROVER_LEFT_BACKWARD  5
#define CONFIG_ROVER_RIGHT_FORWARD  6
#define CONFIG_ROVER_RIGHT_BACKWARD 7
#endif

#endif
