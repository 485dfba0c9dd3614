/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OTAPULT_ARDUINO_H
#define OTAPULT_ARDUINO_H

#include <esp_err.h>
#include <esp_http_server.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Otapult in a sketch: the interface of otapult/esp_idf.h, which is C. The Arduino core 3.x is ESP-IDF, and
 * so nothing else is needed. A sketch also defines
 *
 *   extern "C" bool verifyRollbackLater() { return true; }
 *
 * or the core confirms every new firmware before setup() runs, and nothing can roll back. */
extern "C" {
#include "otapult/esp_idf.h"
}

#endif
