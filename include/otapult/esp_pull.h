/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OTAPULT_ESP_PULL_H
#define OTAPULT_ESP_PULL_H

#include "otapult/esp_idf.h"
#include "otapult/offer.h"

/* Releases that a board fetches by itself: what struct otapult_pull asks of ESP-IDF.
 *
 *   static union otapult_pull_memory memory;
 *   static struct otapult_esp_fetch fetch;
 *   otapult_esp_fetch_init(&fetch, NULL);
 *   static struct otapult_pull pull = {… .fetch = &fetch.fetch, .clock = &otapult_esp_clock …};
 *   config.device.pull = &pull;
 *   otapult_esp_start(&config);
 *   otapult_esp_pull(2);                    once the network is up
 *
 * Beside the static memory below a TLS connection takes about 40 KB of ESP-IDF's heap while it lasts. */

struct otapult_esp_fetch {
    struct otapult_fetch fetch; /* for otapult_pull.fetch */
    const char *ca_pem;
    char        buffer[1024];
    char        words[48]; /* of the last error */
};

/* HTTP through esp_http_client, one connection a request. `ca_pem`: the only CA that counts, in PEM with its NUL; NULL:
 * ESP-IDF's bundle (CONFIG_MBEDTLS_CERTIFICATE_BUNDLE), and without that every https request is refused. Certificates
 * are held against the time only where CONFIG_MBEDTLS_HAVE_TIME_DATE says so. */
void otapult_esp_fetch_init(struct otapult_esp_fetch *f, const char *ca_pem);

/* The chip's clock in the time zone of TZ: the application starts ESP-IDF's SNTP client and sets TZ in the environment.
 * Until the first answer of a time server there is no clock. */
extern const struct otapult_clock otapult_esp_clock;

/* Starts the task that looks for releases, with a static stack of CONFIG_OTAPULT_PULL_STACK bytes. A second call does
 * nothing. Errors: ESP_ERR_INVALID_STATE: the device is not started, or has no `pull`. */
esp_err_t otapult_esp_pull(uint8_t priority);

#endif
