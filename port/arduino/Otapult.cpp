/* SPDX-License-Identifier: Apache-2.0 */
#include "Otapult.h"

#include <esp_log.h>
#include <esp_netif.h>
#include <esp_wifi.h>
#include <stdio.h>

OtapultClass Otapult;

/* Otapult confirms a new firmware when its checks have passed; the core would do so before setup(). The core
 * calls it as a C function, which it declares in no header. */
extern "C" bool verifyRollbackLater()
{
    otapult_esp_watch_trial(); /* before setup(), in which a bad firmware may hang */
    return true;
}

/* ---- from C's callbacks to the sketch's ---- */

/* A check has no context of its own, so each place in the table has a function of its own. */
template <size_t N> static otapult_health probe(void *, char *, size_t)
{
    return Otapult.passes(N) ? OTAPULT_HEALTH_PASS : OTAPULT_HEALTH_WAIT;
}

static otapult_health (*const probes[OTAPULT_ARDUINO_CHECKS])(void *, char *, size_t) = {
    probe<0>, probe<1>, probe<2>, probe<3>};

static bool mayBegin(void *, char *why, size_t cap)
{
    if (Otapult.mayBegin())
        return true;
    snprintf(why, cap, "the sketch says: not now");
    return false;
}

static void hold(void *, bool on)
{
    Otapult.hold(on);
}

/* ---- before begin() ---- */

OtapultClass &OtapultClass::check(const char *word, bool (*passes)())
{
    if (checkCount_ == OTAPULT_ARDUINO_CHECKS) {
        tooMany_ = true;
        return *this;
    }
    checks_[checkCount_] = {word, probes[checkCount_]};
    passes_[checkCount_++] = passes;
    return *this;
}

OtapultClass &OtapultClass::ready(bool (*mayBegin)())
{
    ready_ = mayBegin;
    return *this;
}

OtapultClass &OtapultClass::onHold(void (*hold)(bool on))
{
    hold_ = hold;
    return *this;
}

OtapultClass &OtapultClass::host(const char *name)
{
    size_t n = 0;

    while (n < OTAPULT_ARDUINO_HOSTS && hosts_[n] != nullptr)
        n++;
    if (n == OTAPULT_ARDUINO_HOSTS)
        tooMany_ = true;
    else
        hosts_[n] = name;
    return *this;
}

/* ---- begin() and after ---- */

bool OtapultClass::fail(const char *why)
{
    why_ = why;
    ESP_LOGE("otapult", "does not start: %s", why);
    return false;
}

void OtapultClass::configure(otapult_esp_config &config)
{
    config.device.ready = ::mayBegin;
    config.device.hold = ::hold;
    config.device.checks = checks_;
    config.device.check_count = checkCount_;
    config.device.name = name_;
    config.device.hosts = hosts_;
    config.secure = secure_;
    config.key_digests = keyDigests_;
}

bool OtapultClass::begin(uint16_t port)
{
    otapult_esp_config config = OTAPULT_ESP_CONFIG_DEFAULT;

    if (tooMany_)
        return fail("more checks or host names than there is room for");
    configure(config);
    config.port = port;
    esp_err_t err = esp_netif_init(); /* WiFi.begin() may come later; a server needs the TCP/IP stack now */
    if (err == ESP_OK)
        err = otapult_esp_start(&config);
    loop();
    if (err == ESP_OK)
        err = otapult_serve(&config, nullptr, nullptr);
    return err == ESP_OK || fail(esp_err_to_name(err));
}

void OtapultClass::loop()
{
    wifi_mode_t mode = WIFI_MODE_NULL;

    otapult_esp_radio(esp_wifi_get_mode(&mode) == ESP_OK && mode != WIFI_MODE_NULL);
}

bool OtapultClass::confirm()
{
    return otapult_esp_device() != nullptr && otapult_confirm(otapult_esp_device()) == 0;
}

bool OtapultClass::pending() const
{
    struct otapult_status status;

    if (otapult_esp_device() == nullptr)
        return false;
    otapult_status(otapult_esp_device(), &status);
    return status.pending;
}
