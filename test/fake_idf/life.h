/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FAKE_IDF_LIFE_H
#define FAKE_IDF_LIFE_H

#include "fake_idf.h"
#include "otapult/esp_idf.h"
#include "world.h"

/* A board with the ESP-IDF port on it, for tests: flash that outlives its lives, a server with Otapult
 * mounted on it. */
struct life {
    struct world       flash; /* only its flash is used */
    struct boot_result boot;
    httpd_handle_t     server;
    struct otapult_esp_config config;
    /* what the application says */
    bool                ready;
    enum otapult_health health; /* of its one check, "self-test" */
    int                 holds;
};

/* Lays out flash with `image` as factory firmware. */
void life_init(struct life *l, enum world_layout layout, const uint8_t *image, size_t len);
void life_end(struct life *l);

/* Bootloader, and power for the chip; nothing of the port has run yet. false: nothing boots. */
bool life_boot(struct life *l, esp_reset_reason_t reset);

/* life_boot(), then an application: a plain server on port 80 with Otapult mounted. */
bool life_start(struct life *l, esp_reset_reason_t reset);

/* Runs the tasks, and boots again when the device restarts, until nothing is due. false: nothing boots. */
bool life_settle(struct life *l);

/* Version of the firmware that runs. */
const char *life_version(void);

#endif
