/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/bytes.h"
#include "trust/signature.h"
#include "trust/trust.h"

/* Reads and writes the part of a trust that outlives the firmware. Every change goes the same way: the list
 * is read from the store, changed, written through the seal, and then all of it is loaded again, so that what
 * counts is always what a restart would find. The one exception is the least security version, which counts
 * at once: a store that fails must not let an older image in before the restart.
 *
 * Callers hold the device's claim and work on a copy (update/keys.c): other tasks copy the trust under the
 * lock, and under it no store may be read. */

#define KEYS_KEY     "ota.keys1"
#define REVOKED_KEY  "ota.revoked1"
#define SECURITY_KEY "ota.security1"

/* Digests one after the other, as the store holds them. */
struct digests {
    uint8_t count;
    uint8_t digest[OTAPULT_REVOKED_MAX][OTAPULT_KEY_DIGEST];
};
_Static_assert(OTAPULT_KEYS_MAX <= OTAPULT_REVOKED_MAX, "struct digests holds either list");
_Static_assert(OTAPULT_REVOKED_MAX *OTAPULT_KEY_DIGEST <= 256, "a value of the store");

static bool contains(const struct digests *list, const uint8_t digest[OTAPULT_KEY_DIGEST])
{
    for (unsigned i = 0; i < list->count; i++)
        if (memcmp(list->digest[i], digest, OTAPULT_KEY_DIGEST) == 0)
            return true;
    return false;
}

static int load_list(const struct otapult_seal *seal, const char *key, unsigned max, struct digests *out)
{
    size_t len = 0;

    if (otapult_seal_get(seal, key, out->digest, sizeof out->digest, &len) != 0 ||
        len % OTAPULT_KEY_DIGEST != 0 || len > max * OTAPULT_KEY_DIGEST)
        return OTAPULT_E_STORE;
    out->count = (uint8_t)(len / OTAPULT_KEY_DIGEST);
    return 0;
}

static int save_list(struct otapult_seal *seal, const char *key, const struct digests *list)
{
    int err = otapult_seal_set(seal, key, list->digest, (size_t)list->count * OTAPULT_KEY_DIGEST);
    return err == 0 ? 0 : OTAPULT_E_STORE;
}

static int load_security(const struct otapult_seal *seal, uint32_t *version)
{
    uint8_t raw[4];
    size_t len = 0;

    if (otapult_seal_get(seal, SECURITY_KEY, raw, sizeof raw, &len) != 0 || (len != 0 && len != sizeof raw))
        return OTAPULT_E_STORE;
    *version = len == 0 ? 0 : otapult_le32(raw);
    return 0;
}

/* ---- what counts ---- */

static bool may_count(const struct digests *revoked, const uint8_t digest[OTAPULT_KEY_DIGEST])
{
    return !contains(revoked, digest) && !otapult_key_is_public(digest);
}

static void apply(struct otapult_trust *t, const struct digests *stored, const struct digests *revoked)
{
    t->usable = t->stored_count = t->revoked_count = 0;
    for (unsigned i = 0; i < t->built_in_count; i++)
        if (may_count(revoked, t->built_in[i]))
            t->usable |= (uint8_t)(1u << i);
    for (unsigned i = 0; i < stored->count; i++)
        if (may_count(revoked, stored->digest[i]))
            memcpy(t->stored[t->stored_count++], stored->digest[i], OTAPULT_KEY_DIGEST);
    for (unsigned i = 0; i < revoked->count; i++)
        t->revoked_id[t->revoked_count++] = otapult_key_id(revoked->digest[i]);
}

void otapult_trust_init(struct otapult_trust *t, const uint8_t (*built_in)[OTAPULT_KEY_DIGEST], size_t count)
{
    const struct digests none = {0};

    memset(t, 0, sizeof *t);
    t->verifier = &otapult_verifier;
    t->built_in = built_in;
    t->built_in_count = (uint8_t)(count <= OTAPULT_KEYS_MAX ? count : OTAPULT_KEYS_MAX);
    apply(t, &none, &none);
}

int otapult_trust_load(struct otapult_trust *t, const struct otapult_seal *seal,
                       const uint8_t (*built_in)[OTAPULT_KEY_DIGEST], size_t count)
{
    struct digests stored, revoked;

    otapult_trust_init(t, built_in, count);
    int err = load_list(seal, REVOKED_KEY, OTAPULT_REVOKED_MAX, &revoked);
    if (err == 0)
        err = load_list(seal, KEYS_KEY, OTAPULT_KEYS_MAX, &stored);
    if (err == 0)
        err = load_security(seal, &t->least_security);
    if (err == 0)
        apply(t, &stored, &revoked);
    else
        t->usable = 0;
    return err;
}

/* ---- what changes ---- */

/* After a change. A least security version that the store did not take goes on holding, as trust.h says. */
static int reload(struct otapult_trust *t, const struct otapult_seal *seal)
{
    const uint32_t least = t->least_security;

    int err = otapult_trust_load(t, seal, t->built_in, t->built_in_count);
    if (t->least_security < least)
        t->least_security = least;
    return err;
}

int otapult_trust_adopt(struct otapult_trust *t, struct otapult_seal *seal, unsigned n)
{
    struct digests stored;
    const uint8_t *key = n < OTAPULT_KEYS_MAX ? otapult_trust_key(t, n) : NULL;

    int err = load_list(seal, KEYS_KEY, OTAPULT_KEYS_MAX, &stored);
    if (err != 0 || key == NULL || contains(&stored, key))
        return err;
    if (stored.count == OTAPULT_KEYS_MAX)
        return OTAPULT_E_KEYS_FULL;
    memcpy(stored.digest[stored.count++], key, OTAPULT_KEY_DIGEST);
    err = save_list(seal, KEYS_KEY, &stored);
    return err == 0 ? reload(t, seal) : err;
}

static int add_revoked(struct otapult_seal *seal, const uint8_t digest[OTAPULT_KEY_DIGEST])
{
    struct digests revoked;

    int err = load_list(seal, REVOKED_KEY, OTAPULT_REVOKED_MAX, &revoked);
    if (err != 0 || contains(&revoked, digest))
        return err;
    if (revoked.count == OTAPULT_REVOKED_MAX)
        return OTAPULT_E_KEYS_FULL;
    memcpy(revoked.digest[revoked.count++], digest, OTAPULT_KEY_DIGEST);
    return save_list(seal, REVOKED_KEY, &revoked);
}

/* Makes room for another key. This one is revoked and does not count any more, so a failure costs nothing. */
static void forget_stored(struct otapult_seal *seal, const uint8_t digest[OTAPULT_KEY_DIGEST])
{
    struct digests stored, kept = {0};

    if (load_list(seal, KEYS_KEY, OTAPULT_KEYS_MAX, &stored) != 0 || !contains(&stored, digest))
        return;
    for (unsigned i = 0; i < stored.count; i++)
        if (memcmp(stored.digest[i], digest, OTAPULT_KEY_DIGEST) != 0)
            memcpy(kept.digest[kept.count++], stored.digest[i], OTAPULT_KEY_DIGEST);
    if (save_list(seal, KEYS_KEY, &kept) != 0)
        seal->port->log(seal->port->ctx, OTAPULT_LOG_ERROR, "a revoked key still takes up room in the store");
}

/* 1: it is a trusted key. */
static unsigned counts(const struct otapult_trust *t, const uint8_t digest[OTAPULT_KEY_DIGEST])
{
    return otapult_trust_ask(t, digest, NULL) == OTAPULT_KEY_TRUSTED ? 1 : 0;
}

int otapult_trust_revoke(struct otapult_trust *t, struct otapult_seal *seal,
                         const uint8_t digest[OTAPULT_KEY_DIGEST])
{
    if (otapult_trust_count(t) - counts(t, digest) == 0)
        return OTAPULT_E_KEY_LAST;
    int err = add_revoked(seal, digest);
    if (err != 0)
        return err;
    forget_stored(seal, digest);
    return reload(t, seal);
}

int otapult_trust_raise(struct otapult_trust *t, struct otapult_seal *seal, uint32_t version)
{
    uint8_t raw[4];

    if (version <= t->least_security)
        return 0;
    t->least_security = version;
    otapult_put_le32(raw, version);
    return otapult_seal_set(seal, SECURITY_KEY, raw, sizeof raw) == 0 ? 0 : OTAPULT_E_STORE;
}
