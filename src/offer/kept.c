/* SPDX-License-Identifier: Apache-2.0 */
#include "offer/kept.h"

#include <string.h>

#include "base/text.h"

/* One value of the store holds all of it, so a power cut leaves what was known before or what is known now,
 * never parts of both. A value of another length, as after an update of Otapult, counts as nothing known. */

#define KEPT_KEY "ota.offer1" /* 1: the format, which is struct otapult_kept */

_Static_assert(sizeof(struct otapult_kept) == 220, "stored format of what is known of offers");

void otapult_kept_load(struct otapult_kept *k, const struct otapult_port *port)
{
    size_t len = 0;

    if (port->kv_get(port->ctx, KEPT_KEY, k, sizeof *k, &len) != 0 || len != sizeof *k)
        memset(k, 0, sizeof *k);
    k->action[sizeof k->action - 1] = '\0';
    k->text[sizeof k->text - 1] = '\0';
}

void otapult_kept_save(const struct otapult_kept *k, const struct otapult_port *port)
{
    if (port->kv_set(port->ctx, KEPT_KEY, k, sizeof *k) != 0)
        port->log(port->ctx, OTAPULT_LOG_ERROR, "the store failed to keep what is known of offers");
}

/* ---- the validator of a file ---- */

#define ETAG_KEY "ota.etag1" /* 1: the format, which is struct validator */

struct validator {
    uint8_t file[OTAPULT_OFFER_KEY]; /* the first bytes of its SHA-256 */
    char etag[OTAPULT_CALL_ETAG];
};
_Static_assert(sizeof(struct validator) == 104, "stored format of a validator");

void otapult_kept_etag(const struct otapult_port *port, const uint8_t file[32], const char *etag)
{
    struct validator v = {.etag = ""};

    memcpy(v.file, file, sizeof v.file);
    otapult_text_set(v.etag, sizeof v.etag, etag);
    if (port->kv_set(port->ctx, ETAG_KEY, &v, sizeof v) != 0)
        port->log(port->ctx, OTAPULT_LOG_WARNING, "the store failed to keep the ETag of a file");
}

void otapult_kept_load_etag(const struct otapult_port *port, const uint8_t file[32],
                            char etag[OTAPULT_CALL_ETAG])
{
    struct validator v;
    size_t len = 0;

    etag[0] = '\0';
    if (port->kv_get(port->ctx, ETAG_KEY, &v, sizeof v, &len) != 0 || len != sizeof v ||
        memcmp(v.file, file, sizeof v.file) != 0)
        return;
    v.etag[sizeof v.etag - 1] = '\0';
    otapult_text_set(etag, OTAPULT_CALL_ETAG, v.etag);
}

/* ---- keys of offers ---- */

static size_t place_of(uint8_t (*keys)[OTAPULT_OFFER_KEY], const uint8_t key[OTAPULT_OFFER_KEY])
{
    size_t n = 0;

    while (n < OTAPULT_KEPT_KEYS && memcmp(keys[n], key, OTAPULT_OFFER_KEY) != 0)
        n++;
    return n;
}

bool otapult_kept_has(uint8_t (*keys)[OTAPULT_OFFER_KEY], const uint8_t key[OTAPULT_OFFER_KEY])
{
    return place_of(keys, key) < OTAPULT_KEPT_KEYS;
}

void otapult_kept_remove(uint8_t (*keys)[OTAPULT_OFFER_KEY], const uint8_t key[OTAPULT_OFFER_KEY])
{
    size_t at = place_of(keys, key);

    if (at == OTAPULT_KEPT_KEYS)
        return;
    memmove(keys[at], keys[at + 1], (OTAPULT_KEPT_KEYS - 1 - at) * OTAPULT_OFFER_KEY);
    memset(keys[OTAPULT_KEPT_KEYS - 1], 0, OTAPULT_OFFER_KEY);
}

void otapult_kept_add(uint8_t (*keys)[OTAPULT_OFFER_KEY], const uint8_t key[OTAPULT_OFFER_KEY])
{
    otapult_kept_remove(keys, key);
    memmove(keys[1], keys[0], (OTAPULT_KEPT_KEYS - 1) * OTAPULT_OFFER_KEY);
    memcpy(keys[0], key, OTAPULT_OFFER_KEY);
}
