/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FAKE_SDKCONFIG_H
#define FAKE_SDKCONFIG_H

/* Not a header of ESP-IDF but what its configuration makes: an ESP32-S3 as rover/sdkconfig.defaults wants
 * it. The port's tests may define FAKE_PLAIN to leave out what is optional. */
#define CONFIG_IDF_FIRMWARE_CHIP_ID 0x0009
#define CONFIG_FREERTOS_HZ          100
#define CONFIG_HTTPD_MAX_URI_LEN    512
#define CONFIG_PARTITION_TABLE_OFFSET 0x8000

/* What a test says, instead of a string of the build. */
#define CONFIG_OTAPULT_KEY_DIGESTS fake_key_digests()
const char *fake_key_digests(void);

#ifndef FAKE_PLAIN
#define CONFIG_BOOTLOADER_APP_ROLLBACK_ENABLE 1
#define CONFIG_ESP_HTTPS_SERVER_ENABLE        1
#define CONFIG_ESP_TASK_WDT_INIT              1
#define CONFIG_LWIP_IPV6                      1
#define CONFIG_MBEDTLS_CERTIFICATE_BUNDLE     1
#define CONFIG_OTAPULT_REFUSE_OLDER           1
#define CONFIG_OTAPULT_WATCHDOG               1
#define CONFIG_OTAPULT_WATCHDOG_SECONDS       60
#define CONFIG_OTAPULT_RUSSIAN                1
#define CONFIG_OTAPULT_RESUME                 1
#ifndef FAKE_WITHOUT_GZIP
#define CONFIG_OTAPULT_GZIP 1
#endif
#ifndef FAKE_WITHOUT_PATCH
#define CONFIG_OTAPULT_PATCH 1
#endif
#endif

#endif
