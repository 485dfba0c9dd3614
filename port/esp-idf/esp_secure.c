/* SPDX-License-Identifier: Apache-2.0 */
#include <bootloader_random.h>
#include <esp_log.h>
#include <esp_random.h>
#include <psa/crypto.h>
#include <sdkconfig.h>
#include <stdio.h>
#include <string.h>

#include "esp_board.h"
#include "self.h"
#include "trust/certificate.h"
#include "trust/secret.h"
#include "trust/trust.h"

/* The secure profile of a board: what otapult_esp_secure names. The core's half is otapult_secure; here is
 * what it needs of the chip: keys from Kconfig, good random numbers before any radio is on, a certificate,
 * and a console that shows the first password. No other file of the port names this one's functions, so a
 * firmware in the open profile does not link them. */

#ifndef CONFIG_OTAPULT_KEY_DIGESTS
#define CONFIG_OTAPULT_KEY_DIGESTS ""
#endif

#ifdef CONFIG_OTAPULT_REFUSE_OLDER
#define TOO_OLD otapult_is_older
#else
#define TOO_OLD NULL
#endif

static union otapult_users_memory users;
static uint8_t keys[OTAPULT_KEYS_MAX][OTAPULT_KEY_DIGEST];
static struct otapult_identity own;

/* ---- keys ---- */

static esp_err_t choose_keys(struct otapult_config *device, const char *text)
{
    if (device->keys != NULL)
        return ESP_OK;
    const char *from = text != NULL ? "key_digests" : "CONFIG_OTAPULT_KEY_DIGESTS";
    if (text == NULL)
        text = CONFIG_OTAPULT_KEY_DIGESTS; /* "": no key, which is allowed */

    device->key_count = 0;
    if (*text != '\0' && !otapult_read_digests(text, keys, OTAPULT_KEYS_MAX, &device->key_count)) {
        ESP_LOGE(ESP_BOARD_TAG,
                 "nothing starts: %s must be at most %u digests of 64 hex digits, commas between", from,
                 OTAPULT_KEYS_MAX);
        return ESP_ERR_INVALID_ARG;
    }
    device->keys = (const uint8_t(*)[OTAPULT_KEY_DIGEST])keys;
    return ESP_OK;
}

/* ---- chance ---- */

/* With the radio off noise comes from the ADC, while it is switched on for that and nothing else uses it
 * (ESP-IDF, bootloader_random.h). That is why it is allowed only inside otapult_esp_start() and
 * otapult_serve(). */
static int quiet_random(void *dst, size_t len)
{
    bootloader_random_enable();
    esp_fill_random(dst, len);
    bootloader_random_disable();
    return 0;
}

/* Up to ESP-IDF 5 PSA has a generator of its own, seeded when it is first called: not with less than it
 * should be only because that is now. TLS draws from it later. */
static void seed_crypto(void)
{
    if (atomic_load(&otapult_esp_board.radio)) {
        (void)psa_crypto_init();
        return;
    }
    bootloader_random_enable();
    (void)psa_crypto_init(); /* an error is found by the device's start */
    bootloader_random_disable();
}

/* ---- the profile ---- */

/* Never to the log, which applications send over the network. */
static bool show_password(void *app, const char *password)
{
    (void)app;
    printf("otapult: password of admin: %s\n", password);
    printf("otapult: it is shown this once; change it at /api/ota/account\n");
    return true;
}

static esp_err_t configure(struct otapult_config *device, const char *key_digests)
{
    esp_err_t err = choose_keys(device, key_digests);

    if (err != ESP_OK)
        return err;
    device->secure = &otapult_secure;
    if (device->users == NULL)
        device->users = &users;
    if (device->show_password == NULL)
        device->show_password = show_password;
    if (device->too_old == NULL)
        device->too_old = TOO_OLD;
    seed_crypto();
    return ESP_OK;
}

static esp_err_t identity(const struct otapult_config *device, struct otapult_esp_tls *tls)
{
    struct esp_board *b = &otapult_esp_board;
    const struct otapult_port *port = device->port != NULL ? device->port : &b->port;
    const struct otapult_identity_for what = {device->hosts, NULL, 0};
    char fingerprint[OTAPULT_FINGERPRINT];
    struct otapult_finding why;

    b->quiet_random = quiet_random;
    int err = otapult_identity_own(&own, port, &what, &why);
    b->quiet_random = NULL;
    if (err != 0) {
        ESP_LOGE(ESP_BOARD_TAG, "no HTTPS, so nothing is served: %s", why.text);
        return ESP_FAIL;
    }
    otapult_identity_fingerprint(&own, fingerprint);
    printf("otapult: certificate SHA-256 %s\n", fingerprint);
    *tls = (struct otapult_esp_tls){own.certificate, own.certificate_len, own.key, own.key_len};
    return ESP_OK;
}

static void forget(void)
{
    otapult_forget(&own, sizeof own);
}

const struct otapult_esp_secure otapult_esp_secure = {
    .configure = configure,
    .quiet_random = quiet_random,
    .identity = identity,
    .forget = forget,
    .on_plain_request = otapult_esp_on_plain_request,
    .speaks_tls = otapult_esp_self_speaks_tls,
};
