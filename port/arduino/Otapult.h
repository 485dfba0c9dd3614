/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OTAPULT_ARDUINO_H
#define OTAPULT_ARDUINO_H

#include <esp_app_desc.h>
#include <esp_err.h>
#include <esp_http_server.h>
#include <esp_idf_version.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

extern "C" {
#include "otapult/esp_idf.h"
}

/* Otapult in a sketch; Arduino core 3.x.
 *
 *   #include <Otapult.h>
 *   OTAPULT_FIRMWARE("my-robot", "1.4.2")
 *   void setup() { WiFi.begin("my network", "its password"); Otapult.begin(); }
 *   void loop()  { Otapult.loop(); }
 *
 * Page and API are then at http://ADDRESS:8080/api/ota, on a server of Otapult's own: a WebServer or
 * AsyncWebServer of the sketch on port 80 is not disturbed. This library also defines verifyRollbackLater(),
 * so that a new firmware is confirmed by its health checks and not by the core before setup().
 *
 * The functions of otapult/esp_idf.h and otapult/otapult.h may be used beside the class. */

/* The sketch's own name and version, at file scope. Without it every sketch calls itself what the core's
 * library was built as ("arduino-lib-builder"), and neither page nor log can tell two versions apart. At most
 * 31 characters each; longer ones do not compile. Takes the place of the core's own description, which is
 * weak (esp_app_desc of ESP-IDF 5, component esp_app_format). */
#define OTAPULT_FIRMWARE(project, firmware_version)                                                   \
    extern "C" {                                                                                      \
    extern const esp_app_desc_t esp_app_desc;                                                         \
    constexpr esp_app_desc_t esp_app_desc __attribute__((used, section(".rodata_desc"))) =            \
        otapultDescription(project, firmware_version, __DATE__, __TIME__);                            \
    }

/* What OTAPULT_FIRMWARE stores; evaluated by the compiler. The ELF's SHA-256 is filled in by esptool. */
template <size_t P, size_t V, size_t D, size_t T>
constexpr esp_app_desc_t otapultDescription(const char (&project)[P], const char (&version)[V],
                                            const char (&date)[D], const char (&time)[T])
{
    esp_app_desc_t d = {};
    static_assert(P <= sizeof d.project_name, "the project's name has at most 31 characters");
    static_assert(V <= sizeof d.version, "the version has at most 31 characters");

    d.magic_word = ESP_APP_DESC_MAGIC_WORD;
#ifdef CONFIG_BOOTLOADER_APP_SECURE_VERSION
    d.secure_version = CONFIG_BOOTLOADER_APP_SECURE_VERSION;
#endif
    for (size_t i = 0; i < V; i++)
        d.version[i] = version[i];
    for (size_t i = 0; i < P; i++)
        d.project_name[i] = project[i];
    for (size_t i = 0; i < T; i++)
        d.time[i] = time[i];
    for (size_t i = 0; i < D; i++)
        d.date[i] = date[i];
    d.idf_ver[0] = 'v';
    d.idf_ver[1] = '0' + ESP_IDF_VERSION_MAJOR;
    d.idf_ver[2] = '.';
    d.idf_ver[3] = '0' + ESP_IDF_VERSION_MINOR;
    d.idf_ver[4] = '.';
    d.idf_ver[5] = '0' + ESP_IDF_VERSION_PATCH % 10;
    /* Not every version of ESP-IDF has the two fields; these macros come and go with them. */
#ifdef CONFIG_ESP_EFUSE_BLOCK_REV_MIN_FULL
    d.min_efuse_blk_rev_full = CONFIG_ESP_EFUSE_BLOCK_REV_MIN_FULL;
#endif
#ifdef CONFIG_ESP_EFUSE_BLOCK_REV_MAX_FULL
    d.max_efuse_blk_rev_full = CONFIG_ESP_EFUSE_BLOCK_REV_MAX_FULL;
#endif
#if defined(CONFIG_MMU_PAGE_SIZE) && ESP_IDF_VERSION >= ESP_IDF_VERSION_VAL(5, 4, 0)
    d.mmu_page_size = 31 - __builtin_clz(CONFIG_MMU_PAGE_SIZE);
#endif
    return d;
}

#define OTAPULT_ARDUINO_CHECKS 4 /* health checks that a sketch may add */
#define OTAPULT_ARDUINO_HOSTS  3 /* and names of its host */

/* There is one, called Otapult. check, ready, onHold, name, host and secure are to be called before
 * begin(); everything from setup() and loop(), which are one task. */
class OtapultClass {
public:
    /* A condition for a new firmware to stay: passes() returns true. While any check returns false the firmware
     * waits; after a minute of that the old one comes back. `word` names the check for people ("network"), has at
     * most 23 characters, and must live on. passes() is called in a task of Otapult's own and must not block.
     * Without any check these two are asked: is the network up, does the page answer? With more than
     * OTAPULT_ARDUINO_CHECKS begin() fails. */
    OtapultClass &check(const char *word, bool (*passes)());

    /* Is asked before an update or a restart: false means not now. Without it the answer is always yes. Must not
     * block. */
    OtapultClass &ready(bool (*mayBegin)());

    /* Called with true before the first flash operation of an update and before every restart that the device
     * makes itself: bring every output to rest and start nothing. With false when it ended without one. */
    OtapultClass &onHold(void (*hold)(bool on));

    /* What people call this robot, in page, log and `otapult status`: at most 40 bytes of UTF-8; the text must live
     * on. Without it the last three bytes of its MAC address. */
    OtapultClass &name(const char *name)
    {
        name_ = name;
        return *this;
    }

    /* A name under which people open the robot, "robot.local", beside its IP address. Requests for any other name are
     * refused. At most three names; the text must live on. */
    OtapultClass &host(const char *name);

    /* The secure profile: HTTPS, a login whose first password is shown once on the serial console, and only
     * firmware that is signed by a key with one of these digests, the 64 hex digits which `otapult key-digest`
     * prints; several are separated by a comma. The text must live on. */
    OtapultClass &secure(const char *keyDigests)
    {
        secure_ = &otapult_esp_secure; /* here and not in Otapult.cpp: only a sketch that calls this links the profile */
        keyDigests_ = keyDigests;
        return *this;
    }

    /* Starts device and server, before or after WiFi.begin(). false: nothing is served, and why() says why. */
    bool begin(uint16_t port = 8080);
    const char *why() const { return why_; }

    /* To be called from loop(): tells Otapult whether the radio is on. Without a radio the chip has no good random
     * numbers, and Otapult then uses none. */
    void loop();

    /* Confirms the running firmware, whatever the checks say: it stays. false: it was not waiting for a
     * confirmation, or that could not be written. */
    bool confirm();

    /* Does the running firmware still wait for its confirmation? */
    bool pending() const;

    /* Called by Otapult. */
    bool passes(size_t check) const { return check < checkCount_ && passes_[check](); }
    bool mayBegin() const { return ready_ == nullptr || ready_(); }
    void hold(bool on) const
    {
        if (hold_ != nullptr)
            hold_(on);
    }

private:
    void configure(otapult_esp_config &config);
    bool fail(const char *why);

    otapult_health_check checks_[OTAPULT_ARDUINO_CHECKS] = {};
    bool (*passes_[OTAPULT_ARDUINO_CHECKS])() = {};
    size_t checkCount_ = 0;
    bool tooMany_ = false;
    bool (*ready_)() = nullptr;
    void (*hold_)(bool on) = nullptr;
    const char *name_ = nullptr;
    const char *hosts_[OTAPULT_ARDUINO_HOSTS + 1] = {};
    const struct otapult_esp_secure *secure_ = OTAPULT_ESP_PROFILE;
    const char *keyDigests_ = nullptr;
    const char *why_ = "";
};

extern OtapultClass Otapult;

#endif
