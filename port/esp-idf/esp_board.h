/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OTAPULT_ESP_BOARD_H
#define OTAPULT_ESP_BOARD_H

#include <stdatomic.h>

#include <esp_idf_version.h>
#include <esp_partition.h>
#include <freertos/FreeRTOS.h>
#include <freertos/semphr.h>
#include <freertos/task.h>
#include <hal/wdt_hal.h>
#include <nvs.h>
#include <sdkconfig.h>

#include "flash/layout.h"
#include "otapult/esp_idf.h"

/* What the files of the ESP-IDF port share. Each calls only what stands below it:
 *
 *   mount      routes and servers      app_main  what comes before the application's own
 *   server     one request             start     the device and its task
 *   health     the built-in checks     watchdog  of a firmware on trial
 *   self       a client of one's own   slots, system    the two halves of struct otapult_port
 *   esp_board  this struct, the clock */

/* ---- versions of ESP-IDF ---- */

#define ESP_BOARD_IDF(major, minor, patch) (ESP_IDF_VERSION >= ESP_IDF_VERSION_VAL(major, minor, patch))

/* A request handed to a second task takes its body along. Earlier, httpd_req_async_handler_begin() left
 * the server's task reading the same body, and took the connection's first bytes for another request.
 * Source: esp_http_server/src/httpd_txrx.c, httpd_main.c of every tag from v5.2 to v6.0.2. */
#define ESP_BOARD_HANDS_OVER                                                                          \
    (ESP_BOARD_IDF(5, 3, 2) || (ESP_BOARD_IDF(5, 2, 4) && !ESP_BOARD_IDF(5, 3, 0)))

/* ESP_RST_PWR_GLITCH and ESP_RST_CPU_LOCKUP came to the older branches, too. */
#define ESP_BOARD_MORE_RESETS                                                                         \
    (ESP_BOARD_IDF(5, 2, 2) || (ESP_BOARD_IDF(5, 1, 4) && !ESP_BOARD_IDF(5, 2, 0)))

/* An image may name the eFuse block revisions it is for. Source: esp_image_format.c of every tag from v5.1. */
#if CONFIG_IDF_TARGET_ESP32
#define ESP_BOARD_ASKS_EFUSES 0
#else
#define ESP_BOARD_ASKS_EFUSES                                                                         \
    (ESP_BOARD_IDF(5, 3, 2) || (ESP_BOARD_IDF(5, 2, 3) && !ESP_BOARD_IDF(5, 3, 0)) ||                 \
     (ESP_BOARD_IDF(5, 1, 7) && !ESP_BOARD_IDF(5, 2, 0)))
#endif

#define ESP_BOARD_ANY_METHOD ESP_BOARD_IDF(5, 3, 0) /* HTTP_ANY */
#define ESP_BOARD_MARKS_INVALID ESP_BOARD_IDF(5, 5, 0) /* esp_ota_mark_app_invalid_rollback() */

/* ---- the board ---- */

/* A partition with an app in it, or to be. */
struct esp_slot {
    const esp_partition_t *partition; /* NULL: the table has none */
    bool     read_only;
    uint32_t rested_ms; /* when the task that writes it last let others run */
};

/* A namespace of NVS. */
struct esp_store {
    nvs_handle_t nvs;
    bool         open; /* false: every access gives OTAPULT_E_STORE */
};

/* How the page's check finds out that the server answers. */
enum esp_proof {
    ESP_PROOF_NONE,  /* nothing is served */
    ESP_PROOF_TASK,  /* its task takes up work: all that can be known of somebody else's server */
    ESP_PROOF_PLAIN, /* a request of one's own to own_port */
    ESP_PROOF_TLS,   /* a handshake with own_port, whose certificate is ours */
};

/* Everything that outlives a call; all zero when power comes. Each task's stack is in the file that makes the task, the
 * exchanges are in server.c. What several tasks look at is atomic or under `mutex`; the rest is set before the
 * tasks are made and only read afterwards. */
struct esp_board {
    bool                   bound; /* port, slots, mutex are set up */
    struct otapult_port    port;
    struct esp_slot        slot[OTAPULT_SLOTS_MAX], factory;
    int                    slot_count;
    const esp_partition_t *ota_data; /* NULL: none, or one that is too small or not on a sector */
    int                    table_error; /* of otapult_layout_fault() */
    struct otapult_finding table_why;
    char                   table_text[OTAPULT_LAYOUT_TEXT];
    struct esp_store       store, vault; /* the latter where the table has a partition of that name */
    StaticSemaphore_t      mutex_memory;
    SemaphoreHandle_t      mutex;
    atomic_bool            radio;
    int (*quiet_random)(void *dst, size_t len); /* without a radio; NULL: none to be had */

    struct otapult        *device; /* NULL: not started */
    uint32_t               stall_ms;
    const struct otapult_esp_secure *secure; /* the profile it was started in */
    union otapult_memory   memory;
    StaticTask_t           poll_memory, upload_memory;
    TaskHandle_t           poll_task, upload_task, pull_task; /* NULL: not started */

    httpd_handle_t         server; /* NULL: not mounted */
    httpd_handle_t         redirect; /* sends on to https_port; NULL: none */
    uint16_t               https_port;
    struct otapult_site    sites[2 + OTAPULT_SITES_MAX]; /* Otapult's, the application's, the front */
    size_t                 site_count;
    bool                   has_front[OTAPULT_FRONT_ROUTES]; /* not where the application was there before */
    atomic_uint            server_stack; /* bytes of it free where a request begins; 0: not known */
    atomic_bool            uploading; /* the upload task has a request, or is about to */

    _Atomic(enum esp_proof) proof;
    uint16_t               own_port, redirect_port; /* where a request of one's own goes */
    atomic_bool            asking;   /* the server's task has not said anything yet */
    atomic_bool            answered; /* a request was, at answered_ms */
    atomic_uint            answered_ms;

    char                   name[7];  /* of a device that is given none: the last bytes of its MAC address */
    bool                   watched;  /* the RTC watchdog runs; the task's that polls */
    wdt_hal_context_t      watchdog;
};

extern struct esp_board otapult_esp_board;

/* As port->retained; the one thing that outlives a reset. */
extern struct otapult_retained otapult_esp_retained;

#define ESP_BOARD_TAG   "otapult" /* of log lines, and the namespace in NVS */
#define ESP_BOARD_VAULT "otapult" /* label of the partition, data and nvs, that nobody else erases */

/* slots.c and system.c: fill in their part of the port. */
void otapult_esp_bind_slots(struct esp_board *b);
void otapult_esp_bind_system(struct esp_board *b);

/* NVS, opened once so that no later call needs the heap for it. A store that does not open is logged: then
 * every access gives OTAPULT_E_STORE. */
void otapult_esp_open_store(struct esp_board *b);

uint32_t otapult_esp_now_ms(void);

/* server.c: the handler of every route; user_ctx is the route's path. */
esp_err_t otapult_esp_on_request(httpd_req_t *r);

/* Error handlers for a server that serves nothing but Otapult's sites: its refusals in the documented shape. */
esp_err_t otapult_esp_on_refusal(httpd_req_t *r, httpd_err_code_t error);
esp_err_t otapult_esp_on_unknown(httpd_req_t *r, httpd_err_code_t error);

/* The same on the server of redirect_port, in its task. */
esp_err_t otapult_esp_on_plain_request(httpd_req_t *r);

/* health.c: a request was answered, or the server's task did something. From any task. */
void otapult_esp_note_answer(struct esp_board *b);

/* watchdog.c */
void otapult_esp_feed_watchdog(struct esp_board *b);

/* Takes the requests that are handed over. */
void otapult_esp_upload_task(void *arg);

/* ---- esp_secure.c ---- */

/* What the secure profile does that the open one does not. The other files reach esp_secure.c through this
 * object alone, so that the linker leaves it out of firmware that does not name it. */
struct otapult_esp_secure {
    /* Turns the device's profile on. ESP_ERR_INVALID_ARG: the key digests cannot be read; NULL: those of
     * Kconfig. */
    esp_err_t (*configure)(struct otapult_config *device, const char *key_digests);
    /* Unpredictable bytes without a radio, while nothing else uses ADC or radio. */
    int (*quiet_random)(void *dst, size_t len);
    /* The device's own key and certificate, until forget(). ESP_FAIL, and the log says why. */
    esp_err_t (*identity)(const struct otapult_config *device, struct otapult_esp_tls *tls);
    void (*forget)(void);
    esp_err_t (*on_plain_request)(httpd_req_t *r);
    /* As otapult_esp_self_speaks_tls(). */
    bool (*speaks_tls)(uint16_t port);
};

#endif
