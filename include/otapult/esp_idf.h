/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OTAPULT_ESP_IDF_H
#define OTAPULT_ESP_IDF_H

#include <esp_err.h>
#include <esp_http_server.h>
#include <sdkconfig.h>

#include "otapult/http.h"

/* Otapult on a board with ESP-IDF 5.1 to 6.x.
 *
 *   struct otapult_esp_config config = OTAPULT_ESP_CONFIG_DEFAULT;
 *   config.device.ready = stands_still;              what the robot says before an update
 *   config.device.hold = keep_still;                 what it does for one
 *   ESP_ERROR_CHECK(otapult_mount(server, &config));
 *
 * That is all: page and API are at /api/ota of the running server, a task of Otapult's own polls the
 * device, and a new firmware stays when the network is up and the page's server answers for soak_ms. There is one device, so everything here is there once; all memory is static.
 *
 * These functions return esp_err_t, so that ESP_ERROR_CHECK() takes them. They are called from one task,
 * the one that sets the application up, unless they say otherwise. */

/* All of the secure profile on a board: what otapult_secure is to the device, and HTTPS with a certificate of
 * the device's own, the password on the console, the keys of CONFIG_OTAPULT_KEY_DIGESTS. Firmware that does
 * not name it does not link it. */
struct otapult_esp_secure;
extern const struct otapult_esp_secure otapult_esp_secure;

struct otapult_esp_config {
    /* As in otapult.h. `ready` and `hold` must be set. Filled in where NULL: `port` by otapult_esp_port(), `checks` by
     * otapult_esp_checks, `name` by the last three bytes of the MAC address, "a1b2c3"; always: chip_id, chip_rev and block_rev, and `secure` by the switch below. In the secure profile also where NULL: `keys`,
     * `users`, `too_old`, and `show_password` by one that prints to standard output, not to the log. */
    struct otapult_config device;

    /* The application's own routes, served beside Otapult's: OTAPULT_SITES_MAX at most, copied. Their
     * `app` and the routes must outlive the server. */
    const struct otapult_site *sites;
    size_t                     site_count;

    /* true: there are no checks, only otapult_confirm() confirms a new firmware, within device.confirm_ms. */
    bool confirm_by_hand;

    uint16_t port;            /* TCP, of otapult_serve() */
    /* TCP, of a second server that otapult_serve() starts in the secure profile: it speaks no TLS, sends
     * pages on to `port`, and refuses the rest. 0: none. Takes five sockets of lwIP. */
    uint16_t redirect_port;
    uint8_t  upload_priority; /* of the task that takes uploads */
    uint8_t  poll_priority;   /* of the task that calls otapult_poll(), and with it the health checks */

    /* The one switch: NULL is the open profile, &otapult_esp_secure the secure one. The default is what
     * CONFIG_OTAPULT_SECURE says, of Kconfig or, where there is none, of the build's flags. */
    const struct otapult_esp_secure *secure;

    /* Trusted keys of the secure profile where device.keys is NULL: their digests in hex, commas between;
     * NULL: CONFIG_OTAPULT_KEY_DIGESTS. Must live until the start is over. */
    const char *key_digests;
};

/* Whatever it is defined to: a flag with a value that was meant otherwise shall not open the device. */
#ifdef CONFIG_OTAPULT_SECURE
#define OTAPULT_ESP_PROFILE (&otapult_esp_secure)
#else
#define OTAPULT_ESP_PROFILE NULL
#endif

/* What CONFIG_OTAPULT_GZIP and CONFIG_OTAPULT_PATCH say, of Kconfig or of the build's flags: gzip files are taken
 * in 44 KB of static memory, patches in 32 KB. Both share the larger one: a patch inside a gzip file, which gains
 * nothing, is refused. For other memory, PSRAM for instance, leave the switches off and set the three members
 * yourself. */
#if defined(CONFIG_OTAPULT_GZIP)
#define OTAPULT_ESP_DECODER_RAM OTAPULT_GZIP_RAM /* the larger one */
#elif defined(CONFIG_OTAPULT_PATCH)
#define OTAPULT_ESP_DECODER_RAM OTAPULT_PATCH_RAM
#endif
#ifdef OTAPULT_ESP_DECODER_RAM
extern const struct otapult_decoder *const otapult_esp_decoders[];
extern uint64_t otapult_esp_decoder_memory[OTAPULT_ESP_DECODER_RAM / sizeof(uint64_t)];
#define OTAPULT_ESP_DECODERS                                                                          \
    .decoders = otapult_esp_decoders, .decoder_memory = otapult_esp_decoder_memory,                   \
    .decoder_memory_size = sizeof otapult_esp_decoder_memory
#else
#define OTAPULT_ESP_DECODERS .decoders = NULL
#endif

/* What CONFIG_OTAPULT_RUSSIAN says: texts of errors for clients that prefer Russian. */
#ifdef CONFIG_OTAPULT_RUSSIAN
#define OTAPULT_ESP_RUSSIAN &otapult_russian
#else
#define OTAPULT_ESP_RUSSIAN NULL
#endif

/* What CONFIG_OTAPULT_RESUME says: uploads that break off and go on. */
#ifdef CONFIG_OTAPULT_RESUME
#define OTAPULT_ESP_RESUME &otapult_resumable
#else
#define OTAPULT_ESP_RESUME NULL
#endif

#define OTAPULT_SITES_MAX 3

/* The built-in health checks, for tables of the application's own, too; none fails, the deadline does.
 * otapult_esp_network_is_up: the default interface of esp_netif is up, or the access point of the chip's own.
 * otapult_esp_page_answers: the server answered a request within the last second, anybody's; else Otapult makes
 * one itself. Of otapult_serve() the page, in the secure profile a TLS handshake and the redirect, which blocks
 * for 0.3 s at most for each step, TLS for 1.5 s; of otapult_mount(), where the port is not known, or with a
 * certificate of the application's, that the server's task takes up work. */
#define OTAPULT_ESP_CHECKS 2
extern const struct otapult_health_check otapult_esp_checks[OTAPULT_ESP_CHECKS];
enum otapult_health otapult_esp_network_is_up(void *app, char *why, size_t cap);
enum otapult_health otapult_esp_page_answers(void *app, char *why, size_t cap);

/* Arms the chip's RTC watchdog, where the running firmware waits for its confirmation: unless the task that polls
 * feeds it, the chip is reset after CONFIG_OTAPULT_WATCHDOG_SECONDS (60), and the bootloader goes back. The
 * confirmation disarms it. The component does this before app_main() (CONFIG_OTAPULT_WATCHDOG), and the Arduino
 * library before setup(); in another build make it the first call of app_main(). A second call does nothing. */
void otapult_esp_watch_trial(void);

#define OTAPULT_ESP_CONFIG_DEFAULT                                                                    \
    {                                                                                                 \
        .device = {OTAPULT_CONFIG_DEFAULT, .russian = OTAPULT_ESP_RUSSIAN,                               \
                   .resumable = OTAPULT_ESP_RESUME, OTAPULT_ESP_DECODERS},                              \
        .port = 8080, .upload_priority = 4, .poll_priority = 3,                                             \
        .secure = OTAPULT_ESP_PROFILE,                                                                \
    }

/* Entries of httpd_config_t.max_uri_handlers to keep for Otapult's own routes; add one for each route of
 * the application's sites, and for each handler registered otherwise. */
#define OTAPULT_ESP_HANDLERS 34

/* What httpd_config_t.stack_size must be at least, and 4096 more with TLS: all requests but long uploads
 * run in the server's task. */
#define OTAPULT_ESP_SERVER_STACK 6144

/* Starts the device: finds out what became of the last update, and starts the task that polls.
 * To be called early in app_main, before anything that a broken firmware may hang in, so that the
 * confirmation's deadline runs; the calls below do it where it has not been done. Needs no network. Calls
 * nvs_flash_init(), which the application may have done before; never erases NVS.
 * A new firmware that only lost power is activated again here; the restart into it follows soon.
 * In the secure profile the first start makes secrets: this and otapult_serve() want 8 KB of stack. Where no
 * radio was announced by then, random numbers come from ESP-IDF's bootloader_random_enable(), for moments of
 * these calls only: neither Wi-Fi, Bluetooth nor the ADC, on an ESP32 nor I2S, may be in use meanwhile.
 * Errors: ESP_ERR_INVALID_STATE (started already), ESP_ERR_INVALID_ARG (no `ready` or no `hold`; no checks although
 * there is a count, or checks with confirm_by_hand; CONFIG_OTAPULT_KEY_DIGESTS cannot be read; device.secure is set and `secure` is not),
 * ESP_FAIL (otapult_start() failed); the log says at what. A partition table without OTA slots is no error
 * here: page and API say so, see otapult_esp_check(). */
esp_err_t otapult_esp_start(const struct otapult_esp_config *config);

/* Serves page, API and config->sites on a running server, plain or TLS. `config` may be NULL when
 * otapult_esp_start() was called: then there are no sites of the application's. An upload goes on in a task
 * of its own, so that the server stays free; before ESP-IDF 5.2.4, and in 5.3 before 5.3.2, the server
 * cannot let go of a request, and everything else waits until the upload ends.
 * In the secure profile a server without TLS is of no use: every request is refused, and the log says so.
 * Errors: those of otapult_esp_start() but INVALID_STATE, which means here that a server is mounted
 * already; INVALID_ARG, too, when the device was started in the other profile; ESP_ERR_HTTPD_HANDLERS_FULL,
 * ESP_ERR_HTTPD_HANDLER_EXISTS and others of httpd_register_uri_handler(); ESP_ERR_INVALID_SIZE: the server's stack is
 * too small. The log says what the server has and what it must have; after an error none of the routes is registered.
 * /update, too, leads to the page; an application with a handler of its own there registers it before this. May wait for
 * a second for the server's task. */
esp_err_t otapult_mount(httpd_handle_t server, const struct otapult_esp_config *config);

/* Certificate and key of a TLS server. PEM with its NUL counted in the length, or DER. Copied. */
struct otapult_esp_tls {
    const uint8_t *certificate;
    size_t         certificate_len;
    const uint8_t *key;
    size_t         key_len;
};

/* Starts a server of Otapult's own on config->port and mounts it; `config` is needed here. `tls` NULL:
 * plain HTTP, but in the secure profile HTTPS with the device's own certificate: made at the first start for
 * localhost and device.hosts, kept in the store, its SHA-256 printed to standard output at each start.
 * `server` may be NULL; otherwise *server is its handle.
 * Errors: as otapult_mount(), those of httpd_start() or httpd_ssl_start(), ESP_ERR_INVALID_ARG (a redirect_port
 * in the open profile), ESP_FAIL (no certificate can be made or stored), and ESP_ERR_NOT_SUPPORTED: TLS
 * without CONFIG_ESP_HTTPS_SERVER_ENABLE. After an error nothing is served. */
esp_err_t otapult_serve(const struct otapult_esp_config *config, const struct otapult_esp_tls *tls,
                        httpd_handle_t *server);

/* Takes the routes off the server again, and stops the one of redirect_port. Call it before httpd_stop(), and
 * not while an upload runs: ESP_ERR_INVALID_STATE then, or when nothing is mounted. The device goes on. */
esp_err_t otapult_unmount(void);

/* The device, for otapult_status(), otapult_confirm() and the rest of otapult.h; NULL before its start.
 * From any task. */
struct otapult *otapult_esp_device(void);

/* The port under the device, for its clock and lock; works before the start, too. From any task, but the
 * first call belongs to the set-up. */
const struct otapult_port *otapult_esp_port(void);

/* Tells whether Wi-Fi or Bluetooth is on: the chip's random numbers are unpredictable only then, and the
 * port refuses to give any others, logins among what it refuses them to. Off until said otherwise. From any
 * task. */
void otapult_esp_radio(bool on);

/* Is this partition table fit for updates over the air? 0, or the error of the table which an upload would
 * meet: OTAPULT_E_NO_OTA_PARTITION, OTAPULT_E_NO_OTA_DATA. Needs nothing started. */
OTAPULT_MUST_CHECK int otapult_esp_check(void);

#endif
