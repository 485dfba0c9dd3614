/* SPDX-License-Identifier: Apache-2.0 */
#include "trust/trust.h"

#include <string.h>

#include "base/bytes.h"
#include "trust/signature.h"

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

static int load_list(const struct otapult_port *port, const char *key, unsigned max, struct digests *out)
{
    size_t len = 0;

    out->count = 0;
    if (port->kv_get(port->ctx, key, out->digest, sizeof out->digest, &len) != 0 ||
        len % OTAPULT_KEY_DIGEST != 0 || len > max * OTAPULT_KEY_DIGEST)
        return OTAPULT_E_STORE;
    out->count = (uint8_t)(len / OTAPULT_KEY_DIGEST);
    return 0;
}

static int save_list(const struct otapult_port *port, const char *key, const struct digests *list)
{
    int err = port->kv_set(port->ctx, key, list->digest, (size_t)list->count * OTAPULT_KEY_DIGEST);
    return err == 0 ? 0 : OTAPULT_E_STORE;
}

static int load_security(const struct otapult_port *port, uint32_t *version)
{
    uint8_t raw[4];
    size_t len = 0;

    if (port->kv_get(port->ctx, SECURITY_KEY, raw, sizeof raw, &len) != 0 || (len != 0 && len != sizeof raw))
        return OTAPULT_E_STORE;
    *version = len == 0 ? 0 : otapult_le32(raw);
    return 0;
}

uint32_t otapult_key_id(const uint8_t digest[OTAPULT_KEY_DIGEST])
{
    uint32_t id = (uint32_t)digest[0] << 24 | (uint32_t)digest[1] << 16 | (uint32_t)digest[2] << 8 |
                  digest[3];
    return id == 0 ? 1 : id;
}

/* ---- as text ---- */

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

static bool read_digest(const char *hex, uint8_t digest[OTAPULT_KEY_DIGEST])
{
    for (unsigned i = 0; i < 2 * OTAPULT_KEY_DIGEST; i++) { /* ends at the NUL, too */
        const int digit = hex_digit(hex[i]);
        if (digit < 0)
            return false;
        digest[i / 2] = (uint8_t)(digest[i / 2] << 4 | digit);
    }
    return true;
}

bool otapult_read_digests(const char *text, uint8_t (*keys)[OTAPULT_KEY_DIGEST], size_t max, size_t *count)
{
    for (;;) {
        if (*count >= max || !read_digest(text, keys[*count]))
            return false;
        ++*count;
        text += 2 * OTAPULT_KEY_DIGEST;
        if (*text == '\0')
            return true;
        if (*text++ != ',')
            return false;
    }
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

int otapult_trust_load(struct otapult_trust *t, const struct otapult_port *port,
                       const uint8_t (*built_in)[OTAPULT_KEY_DIGEST], size_t count)
{
    struct digests stored, revoked;

    otapult_trust_init(t, built_in, count);
    int err = load_list(port, REVOKED_KEY, OTAPULT_REVOKED_MAX, &revoked);
    if (err == 0)
        err = load_list(port, KEYS_KEY, OTAPULT_KEYS_MAX, &stored);
    if (err == 0)
        err = load_security(port, &t->least_security);
    if (err == 0)
        apply(t, &stored, &revoked);
    else
        t->usable = 0;
    return err;
}

const uint8_t *otapult_trust_key(const struct otapult_trust *t, unsigned n)
{
    if (n < t->built_in_count)
        return t->usable & 1u << n ? t->built_in[n] : NULL;
    if (n < OTAPULT_KEYS_MAX)
        return NULL;
    n -= OTAPULT_KEYS_MAX;
    return n < t->stored_count ? t->stored[n] : NULL;
}

static bool is_key(const struct otapult_trust *t, unsigned n, const uint8_t digest[OTAPULT_KEY_DIGEST])
{
    const uint8_t *key = otapult_trust_key(t, n);
    return key != NULL && memcmp(key, digest, OTAPULT_KEY_DIGEST) == 0;
}

/* A key that is both built in and stored counts once. */
static unsigned count_without(const struct otapult_trust *t, const uint8_t *left_out)
{
    unsigned count = 0, first;

    for (unsigned n = 0; n < OTAPULT_KEYS_ALL; n++) {
        const uint8_t *key = otapult_trust_key(t, n);
        if (key == NULL || (left_out != NULL && memcmp(key, left_out, OTAPULT_KEY_DIGEST) == 0))
            continue;
        count += otapult_trust_ask(t, key, &first) == OTAPULT_KEY_TRUSTED && first == n;
    }
    return count;
}

unsigned otapult_trust_count(const struct otapult_trust *t)
{
    return count_without(t, NULL);
}

static bool is_revoked(const struct otapult_trust *t, const uint8_t digest[OTAPULT_KEY_DIGEST])
{
    for (unsigned i = 0; i < t->revoked_count; i++)
        if (t->revoked_id[i] == otapult_key_id(digest))
            return true;
    return false;
}

enum otapult_standing otapult_trust_ask(const struct otapult_trust *t,
                                        const uint8_t digest[OTAPULT_KEY_DIGEST], unsigned *n)
{
    for (unsigned i = 0; i < OTAPULT_KEYS_ALL; i++) {
        if (!is_key(t, i, digest))
            continue;
        if (n != NULL)
            *n = i;
        return OTAPULT_KEY_TRUSTED;
    }
    if (is_revoked(t, digest))
        return OTAPULT_KEY_REVOKED;
    return otapult_key_is_public(digest) ? OTAPULT_KEY_PUBLIC : OTAPULT_KEY_UNKNOWN;
}

/* ---- what changes ---- */

int otapult_trust_adopt(struct otapult_trust *t, const struct otapult_port *port, unsigned n)
{
    struct digests stored;
    const uint8_t *key = n < OTAPULT_KEYS_MAX ? otapult_trust_key(t, n) : NULL;

    int err = load_list(port, KEYS_KEY, OTAPULT_KEYS_MAX, &stored);
    if (err != 0 || key == NULL || contains(&stored, key))
        return err;
    if (stored.count == OTAPULT_KEYS_MAX)
        return OTAPULT_E_STORE;
    memcpy(stored.digest[stored.count++], key, OTAPULT_KEY_DIGEST);
    err = save_list(port, KEYS_KEY, &stored);
    return err == 0 ? otapult_trust_load(t, port, t->built_in, t->built_in_count) : err;
}

static int add_revoked(const struct otapult_port *port, const uint8_t digest[OTAPULT_KEY_DIGEST])
{
    struct digests revoked;

    int err = load_list(port, REVOKED_KEY, OTAPULT_REVOKED_MAX, &revoked);
    if (err != 0 || contains(&revoked, digest))
        return err;
    if (revoked.count == OTAPULT_REVOKED_MAX)
        return OTAPULT_E_STORE;
    memcpy(revoked.digest[revoked.count++], digest, OTAPULT_KEY_DIGEST);
    return save_list(port, REVOKED_KEY, &revoked);
}

/* Room for another key. It does not count any more, so a failure costs nothing. */
static void forget_stored(const struct otapult_port *port, const uint8_t digest[OTAPULT_KEY_DIGEST])
{
    struct digests stored, kept = {0};

    if (load_list(port, KEYS_KEY, OTAPULT_KEYS_MAX, &stored) != 0 || !contains(&stored, digest))
        return;
    for (unsigned i = 0; i < stored.count; i++)
        if (memcmp(stored.digest[i], digest, OTAPULT_KEY_DIGEST) != 0)
            memcpy(kept.digest[kept.count++], stored.digest[i], OTAPULT_KEY_DIGEST);
    if (save_list(port, KEYS_KEY, &kept) != 0)
        port->log(port->ctx, "a revoked key still takes up room in the store");
}

int otapult_trust_revoke(struct otapult_trust *t, const struct otapult_port *port,
                         const uint8_t digest[OTAPULT_KEY_DIGEST])
{
    if (count_without(t, digest) == 0)
        return OTAPULT_E_KEY_LAST;
    int err = add_revoked(port, digest);
    if (err != 0)
        return err;
    forget_stored(port, digest);
    return otapult_trust_load(t, port, t->built_in, t->built_in_count);
}

int otapult_trust_raise(struct otapult_trust *t, const struct otapult_port *port, uint32_t version)
{
    uint8_t raw[4];

    if (version <= t->least_security)
        return 0;
    t->least_security = version;
    otapult_put_le32(raw, version);
    return port->kv_set(port->ctx, SECURITY_KEY, raw, sizeof raw) == 0 ? 0 : OTAPULT_E_STORE;
}
