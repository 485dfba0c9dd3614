/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FAKE_IDF_H
#define FAKE_IDF_H

#include <setjmp.h>

#include "boot_model.h"
#include "esp_http_server.h"
#include "esp_ota_ops.h"
#include "esp_system.h"
#include "freertos/semphr.h"
#include "freertos/task.h"
#include "store.h"

/* A fake of those parts of ESP-IDF which the port uses, over the emulated flash and the bootloader model of
 * sim/. Its headers in include/ say what each function does, and by which file that was checked. Here
 * is how a test drives it.
 *
 * There are no threads and there is no real time. A task runs when the test runs it, from its beginning to
 * the next ulTaskNotifyTake() that has nothing to take; from there it is left by longjmp, so it must keep
 * nothing on its stack across that call. Time passes where something waits: a delay, a receive timeout,
 * a flash operation.
 *
 * What the real one would punish (a reset, a corrupted heap, a write into running code) aborts the program
 * with a line that says why. */

#define FAKE_TASKS 4

struct fake_task {
    const char    *name;
    TaskFunction_t code;
    void          *arg;
    uint32_t       notified, stack;
    bool           running;
    jmp_buf        sleep;
};

/* The RTC watchdog. */
struct fake_watchdog {
    bool     on, unlocked;
    uint64_t timeout_us, fed_us;
};

struct fake_idf {
    struct nor_flash  *nor;
    esp_reset_reason_t reset;
    int                running; /* slot index as the bootloader model gives it */
    uint64_t           now_us;
    uint64_t           (*clock)(void *ctx); /* instead of now_us, in microseconds; may be NULL */
    void              *clock_ctx;

    esp_partition_t partition[16];
    unsigned        partitions;
    bool            encrypted;  /* app slots and OTA data are: 16-byte rule */

    struct store store, vault;
    bool         nvs_up, nvs_open, vault_up, vault_open;
    esp_err_t    vault_error; /* as nvs_error, of the partition "otapult" alone */
    esp_err_t    nvs_error;     /* what every access to NVS gives; ESP_OK: it works */
    esp_err_t    boot_error;    /* what esp_ota_set_boot_partition() gives, before it does anything */

    struct fake_task  task[FAKE_TASKS];
    unsigned          tasks;
    struct fake_task *now;      /* the task that runs; NULL: the test itself */
    unsigned          mutexes_held;
    uint32_t          ticks_slept, watchdog_fed;
    bool              watched;  /* every task has a watchdog */
    bool              restarted;
    jmp_buf          *on_restart; /* where esp_restart() goes outside a task */

    uint32_t random;
    bool     any_block_revision; /* an eFuse says that images may be for others */
    bool     radio_on;          /* Wi-Fi or Bluetooth is: what the application tells the port */
    bool     adc_noise;         /* between bootloader_random_enable() and _disable() */
    unsigned adc_noises;        /* how often so far */
    const char *key_digests;    /* CONFIG_OTAPULT_KEY_DIGESTS; NULL: "" */
    char     log[4096];         /* all lines, each ends in a newline */
    bool     loud;              /* and to stderr */
    uint16_t taken_port;        /* no server starts on this one */
    bool     no_heap;           /* no async request can be made */
    bool     network;           /* an interface is up, with an address */
    bool     own_network;       /* the access point of the chip's own is */
    bool     server_hangs;      /* no server's task answers */
    struct fake_watchdog watchdog;
};
extern struct fake_idf fake_idf;

/* Power comes: everything volatile is gone, the port's state too. Reads the partition table out of `nor`.
 * `running` is what the bootloader model booted. RTC memory keeps what is in it, unless power was lost: then it holds
 * anything. */
void fake_idf_power_on(struct nor_flash *nor, int running, esp_reset_reason_t reset);

/* The start-up code: calls app_main(), which the test has. */
void fake_idf_main(void);

/* Has the RTC watchdog not been fed in time? The chip would be reset. */
bool fake_watchdog_bites(void);

/* Runs one task, or each one, until it sleeps. */
void fake_task_run(struct fake_task *task);
void fake_tasks_run(void);

void fake_idf_punish(const char *what) __attribute__((noreturn));
void fake_idf_pass(uint64_t us);

/* ---- the server ---- */

struct fake_header {
    const char *name, *value;
};

/* What the socket does at one read behind the early bytes: > 0: gives at most so many bytes; 0: the peer has
 * closed; < 0: this error. */
typedef int fake_step;

struct fake_request {
    int         method;
    const char *uri;
    struct fake_header header[8]; /* name NULL behind the last. Content-Length decides content_len. */
    const void *body;
    size_t      len;              /* bytes that arrive, then the peer is silent: timeouts for ever */
    size_t      early;            /* of them, came along with the headers; at most 128 */
    const fake_step *steps;       /* then as much as is asked for */
    size_t      step_count;
    bool        close_at_end;     /* instead of silence: 0 */
    size_t      send_piece;       /* bytes one httpd_send() takes; 0: all */
    size_t      send_limit;       /* bytes after which sending fails; 0: none */
    void      (*on_read)(void *ctx); /* before each read of the socket */
    void       *ctx;
};

/* A connection and what came of its one request. */
struct fake_connection {
    const struct fake_request *request;
    int    fd;
    bool   tls;
    bool   open;       /* the server still has it */
    bool   listening;  /* the server would see another request */
    bool   async;      /* handed over and not completed */
    bool   purged;     /* the server dropped the rest of the body itself, and got to its end */
    size_t read;       /* bytes of the body that were received */
    size_t early, step; /* the script's state */
    size_t remaining;
    char   sent[32768];
    size_t sent_len;
    int    status;     /* of the answer; 0: none came */
    char   body[32768]; /* of the answer, without chunk sizes */
    size_t body_len;
    bool   complete;   /* the last chunk came */
    bool   continued;  /* 100 Continue came first */
    struct fake_httpd *server;
    httpd_req_t handler_req;
    httpd_req_t *copy;
};

/* Carries the request to its handler; what the handler left to another task is done by fake_task_run().
 * The connection must stay where it is until the request is done. */
void fake_httpd_request(httpd_handle_t server, const struct fake_request *request, struct fake_connection *c);

/* The server refuses the request by itself, with `status` where nobody handles that error. */
void fake_httpd_refuse(httpd_handle_t server, httpd_err_code_t error, int status,
                       const struct fake_request *request, struct fake_connection *c);

/* Reads status and body out of what was sent. */
void fake_httpd_parse(struct fake_connection *c);

/* The server's task: works, closes connections that it was told to. */
void fake_httpd_work(void);

/* No code of the chip runs any more, in whatever it was: every server and connection is gone. */
void fake_httpd_power_off(void);

unsigned fake_httpd_handlers(httpd_handle_t server);
bool     fake_httpd_is_running(httpd_handle_t server);
bool     fake_httpd_speaks_tls(httpd_handle_t server);
const httpd_config_t *fake_httpd_config(httpd_handle_t server);

/* What a server with TLS was started with: its own copies. */
const uint8_t *fake_httpd_certificate(httpd_handle_t server, size_t *len);
const uint8_t *fake_httpd_key(httpd_handle_t server, size_t *len);

/* The server on that TCP port; NULL: none runs there. */
httpd_handle_t fake_httpd_on(uint16_t port);
unsigned       fake_httpd_servers(void);

#endif
