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

/* What would be no motor's pin, by the chips' data sheets: flash and PSRAM of the usual modules, inputs only, and what
 * the chip has not got. motors.c compares. The defaults below also keep off those that the chip looks at when it
 * starts. */
#if CONFIG_IDF_TARGET_ESP32
#define ROVER_PIN_IS_TAKEN(pin) (((pin) >= 6 && (pin) <= 11) || (pin) >= 34)
#elif CONFIG_IDF_TARGET_ESP32C3
#define ROVER_PIN_IS_TAKEN(pin) ((pin) >= 11)
#elif CONFIG_IDF_TARGET_ESP32C6
#define ROVER_PIN_IS_TAKEN(pin) ((pin) >= 24)
#elif CONFIG_IDF_TARGET_ESP32S2
#define ROVER_PIN_IS_TAKEN(pin) (((pin) >= 22 && (pin) <= 32) || (pin) >= 46)
#else /* ESP32-S3: 33 to 37 are octal PSRAM's */
#define ROVER_PIN_IS_TAKEN(pin) (((pin) >= 22 && (pin) <= 37) || (pin) > 48)
#endif

#ifndef CONFIG_ROVER_BUTTON /* BOOT */
#if CONFIG_IDF_TARGET_ESP32C3 || CONFIG_IDF_TARGET_ESP32C6
#define CONFIG_ROVER_BUTTON 9
#else
#define CONFIG_ROVER_BUTTON 0
#endif
#endif

#ifndef CONFIG_ROVER_LEFT_FORWARD
#if CONFIG_IDF_TARGET_ESP32
#define CONFIG_ROVER_LEFT_FORWARD   25
#define CONFIG_ROVER_LEFT_BACKWARD  26
#define CONFIG_ROVER_RIGHT_FORWARD  27
#define CONFIG_ROVER_RIGHT_BACKWARD 33
#elif CONFIG_IDF_TARGET_ESP32C6
#define CONFIG_ROVER_LEFT_FORWARD   18
#define CONFIG_ROVER_LEFT_BACKWARD  19
#define CONFIG_ROVER_RIGHT_FORWARD  20
#define CONFIG_ROVER_RIGHT_BACKWARD 21
#else
#define CONFIG_ROVER_LEFT_FORWARD   4
#define CONFIG_ROVER_LEFT_BACKWARD  5
#define CONFIG_ROVER_RIGHT_FORWARD  6
#define CONFIG_ROVER_RIGHT_BACKWARD 7
#endif
#endif

#ifdef CONFIG_ROVER_SOURCE_AUTO
#define ROVER_SOURCE_POLICY OTAPULT_PULL_AUTO
#else
#define ROVER_SOURCE_POLICY OTAPULT_PULL_URGENT
#endif

/* CMakeLists.txt of this folder puts the file into the firmware, and says so; where it does not run there is none. */
#ifndef CONFIG_ROVER_SOURCE_CA
#define CONFIG_ROVER_SOURCE_CA ""
#endif
#ifdef ROVER_SOURCE_HAS_CA
extern const char rover_source_ca[] __asm__("_binary_rover_source_ca_start");
#define ROVER_SOURCE_CA_PEM rover_source_ca
#else
#define ROVER_SOURCE_CA_PEM NULL
#endif

#ifdef CONFIG_ROVER_FOLDER
#ifndef CONFIG_ROVER_FOLDER_URL
#define CONFIG_ROVER_FOLDER_URL "https://updates.example.org/rover/otapult.json"
#endif
#ifndef CONFIG_ROVER_FOLDER_CHANNEL
#define CONFIG_ROVER_FOLDER_CHANNEL ""
#endif
#ifndef CONFIG_ROVER_FOLDER_KEYS /* nor has the secure profile it */
#define CONFIG_ROVER_FOLDER_KEYS ""
#endif
#endif

#ifdef CONFIG_ROVER_HAWKBIT
#ifndef CONFIG_ROVER_HAWKBIT_URL
#define CONFIG_ROVER_HAWKBIT_URL "https://hawkbit.example.org"
#endif
#ifndef CONFIG_ROVER_HAWKBIT_TENANT
#define CONFIG_ROVER_HAWKBIT_TENANT "DEFAULT"
#endif
#endif

#define ROVER_PORT          8080
#define ROVER_REDIRECT_PORT 80 /* of the secure profile */

#ifdef CONFIG_OTAPULT_SECURE
#define ROVER_SCHEME "https"
#else
#define ROVER_SCHEME "http"
#endif

#endif
