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
    bool                own;   /* served by a plain server of Otapult's own on port 8080 */
    bool                tls;   /* served through TLS, by a server of Otapult's own on port 8080 */
    void (*begin)(void);       /* power is there, nothing of Otapult has run yet; may be NULL */
};

/* Lays out flash with `image` as factory firmware. */
void life_init(struct life *l, enum world_layout layout, const uint8_t *image, size_t len);
void life_end(struct life *l);

/* Bootloader, and power for the chip; nothing of the port has run yet. false: nothing boots. */
bool life_boot(struct life *l, esp_reset_reason_t reset);

/* life_boot(), then an application: a plain server on port 80 with Otapult mounted, or as `tls` says. */
bool life_start(struct life *l, esp_reset_reason_t reset);

/* Runs the tasks, and boots again when the device restarts, until nothing is due. false: nothing boots. */
bool life_settle(struct life *l);

/* Version of the firmware that runs. */
const char *life_version(void);

/* ---- requests; the text of their Content-Length lasts for a few of them ---- */

struct fake_request life_get(const char *uri);
struct fake_request life_post(const char *uri, const char *type, const void *body, size_t len);

/* The same with one more header. */
struct fake_request life_with(struct fake_request r, const char *name, const char *value);

/* The same as life_post(), of tus 1.0.0: an HTTP_HEAD, HTTP_PATCH, … */
struct fake_request life_tus(int method, const char *uri, const void *body, size_t len);

/* Creates an upload of `length` bytes; its address, until the next one is created. */
const char *life_create_upload(struct life *l, size_t length);

/* What the board has safe of it; -1: it knows nothing of it. */
long life_safe_offset(struct life *l, const char *uri);

/* A form around data[len] with the field "firmware", into dst[cap]; returns its length. */
size_t life_form(char *dst, size_t cap, const char *boundary, const void *name, size_t name_len,
                 const void *data, size_t len);

/* Until it is answered, whichever task that takes. */
void life_send(struct life *l, struct fake_connection *c, const struct fake_request *r);

#endif
