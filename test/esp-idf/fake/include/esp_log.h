/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FAKE_ESP_LOG_H
#define FAKE_ESP_LOG_H

/* log/include/esp_log.h, v5.1 and v6.0.2: macros with printf's arguments behind the tag. */
void fake_log(char level, const char *tag, const char *format, ...) __attribute__((format(printf, 3, 4)));

#define ESP_LOGE(tag, ...) fake_log('E', tag, __VA_ARGS__)
#define ESP_LOGW(tag, ...) fake_log('W', tag, __VA_ARGS__)
#define ESP_LOGI(tag, ...) fake_log('I', tag, __VA_ARGS__)

#endif
