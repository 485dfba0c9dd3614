/* SPDX-License-Identifier: Apache-2.0 */
#include "trust/seal.h"

#include <string.h>

#include "trust/sha256.h"

#define SEAL_KEY  "ota.seal1" /* 1: the format */
#define MARK_KEY  "ota.sealed"
#define WAIT_MS   1000u
#define TRIES_MAX 1000000u /* should the clock stand still */
#define VALUE     256u

static const struct {
    char key[14];
    uint16_t covered; /* bytes of the value at most */
} covered[] = {
    {"ota.keys1", VALUE}, {"ota.revoked1", VALUE}, {"ota.security1", VALUE}, {"usr.pw1", VALUE},
    {"usr.toka", 56},     {"usr.tokb", 56},        {"usr.tokc", 56},         {"usr.tokd", 56},
    {"usr.toke", 56},     {"usr.tokf", 56},        {"usr.tokg", 56},         {"usr.tokh", 56},
};
#define COVERED (sizeof covered / sizeof *covered)

struct seal_record {
    uint8_t now[32], next[32];
};

/* ---- where it is kept ---- */

static int get(const struct otapult_port *p, const char *key, void *dst, size_t cap, size_t *len)
{
    int (*from)(void *, const char *, void *, size_t, size_t *) = p->vault_get != NULL ? p->vault_get
                                                                                       : p->kv_get;

    *len = 0;
    return from(p->ctx, key, dst, cap, len) == 0 && *len <= cap ? 0 : OTAPULT_E_STORE;
}

static int set(const struct otapult_port *p, const char *key, const void *src, size_t len)
{
    int (*to)(void *, const char *, const void *, size_t) = p->vault_set != NULL ? p->vault_set : p->kv_set;

    return to(p->ctx, key, src, len) == 0 ? 0 : OTAPULT_E_STORE;
}

/* ---- what it covers ---- */

/* A value that is about to be stored under `key`; key NULL: nothing is. */
struct change {
    const char *key;
    const void *src;
    size_t len;
};

static void feed(struct otapult_sha256 *h, const void *value, size_t len, size_t most)
{
    const uint8_t size[2] = {(uint8_t)len, (uint8_t)(len >> 8)};

    otapult_sha256_feed(h, size, sizeof size);
    otapult_sha256_feed(h, value, len < most ? len : most);
}

/* The digest of all values, as they will be once `c` is stored. *any: at least one value is there. */
static int digest_with(const struct otapult_port *p, const struct change *c, uint8_t digest[32], bool *any)
{
    struct otapult_sha256 h;
    uint8_t value[VALUE];
    size_t len;
    int err = 0;

    otapult_sha256_init(&h);
    *any = false;
    for (size_t i = 0; err == 0 && i < COVERED; i++) {
        if (c->key != NULL && strcmp(c->key, covered[i].key) == 0) {
            feed(&h, c->src, c->len, covered[i].covered);
            continue;
        }
        err = get(p, covered[i].key, value, sizeof value, &len);
        if (err == 0)
            feed(&h, value, len, covered[i].covered);
        *any = *any || len > 0;
    }
    int hashed = otapult_sha256_peek(&h, digest);
    return err != 0 ? err : hashed;
}

/* ---- opening ---- */

/* *was: this device has been sealed before, whatever the vault says. 0, or STORE. */
static int read_mark(const struct otapult_port *p, bool *was)
{
    uint8_t mark[sizeof(struct seal_record)];
    size_t mark_len = 0, seal_len = 0;

    *was = false;
    if (p->vault_get == NULL)
        return 0;
    if (p->kv_get(p->ctx, MARK_KEY, mark, sizeof mark, &mark_len) != 0 ||
        p->kv_get(p->ctx, SEAL_KEY, mark, sizeof mark, &seal_len) != 0)
        return OTAPULT_E_STORE;
    *was = mark_len > 0 || seal_len > 0; /* a seal in the store is from before ports had a vault */
    return 0;
}

/* The mark guards against a vault that lost everything. While seal and values are there it decides nothing,
 * so a failure is logged and no more. */
static void write_mark(const struct otapult_port *p)
{
    if (p->vault_get != NULL && p->kv_set(p->ctx, MARK_KEY, "1", 1) != 0)
        p->log(p->ctx, OTAPULT_LOG_ERROR, "the mark of the vault could not be stored");
}

static int write_seal(struct otapult_seal *s, const uint8_t now[32], const uint8_t next[32])
{
    struct seal_record r;

    memcpy(r.now, now, sizeof r.now);
    memcpy(r.next, next, sizeof r.next);
    return set(s->port, SEAL_KEY, &r, sizeof r);
}

static const char *find_fault(struct otapult_seal *s)
{
    struct seal_record r;
    size_t len;
    bool any, was;

    if (digest_with(s->port, &(struct change){0}, s->digest, &any) != 0)
        return "the store lost what it held of keys or logins";
    if (get(s->port, SEAL_KEY, &r, sizeof r, &len) != 0)
        return "the store lost the seal of keys and logins";
    if (len == 0) {
        bool known = read_mark(s->port, &was) == 0;
        return known && !was && !any ? NULL : "the seal of keys and logins is gone";
    }
    if (len != sizeof r || (memcmp(r.now, s->digest, 32) != 0 && memcmp(r.next, s->digest, 32) != 0))
        return "keys and logins in the store do not fit their seal";
    if (memcmp(r.now, r.next, 32) != 0 && write_seal(s, s->digest, s->digest) != 0)
        s->port->log(s->port->ctx, OTAPULT_LOG_ERROR, "the seal of keys and logins could not be stored");
    write_mark(s->port);
    return NULL;
}

void otapult_seal_open(struct otapult_seal *s, const struct otapult_port *port)
{
    *s = (struct otapult_seal){.port = port};
    s->broken = find_fault(s);
}

int otapult_seal_get(const struct otapult_seal *s, const char *key, void *dst, size_t cap, size_t *len)
{
    *len = 0;
    return s->broken != NULL ? OTAPULT_E_STORE : get(s->port, key, dst, cap, len);
}

/* ---- changing ----
 *
 * A change reads all values, writes the seal, then the value. Two tasks in there at once would seal each a
 * state that the other has just ended, so `busy` lets one in. It is a word under the lock and not the lock
 * itself, because the store is written meanwhile. */

static bool try_begin(struct otapult_seal *s)
{
    s->port->lock(s->port->ctx);
    bool mine = !s->busy;
    s->busy = true;
    s->port->unlock(s->port->ctx);
    return mine;
}

/* Asks again and again, because a port has no call that sleeps. Two tasks hardly ever change something at the
 * same moment, and a change takes a few writes of the store. */
static bool begin(struct otapult_seal *s)
{
    const uint32_t began = s->port->now_ms(s->port->ctx);

    for (unsigned tries = 0; tries < TRIES_MAX; tries++) {
        if (try_begin(s))
            return true;
        if (s->port->now_ms(s->port->ctx) - began > WAIT_MS)
            return false;
    }
    return false;
}

static void end(struct otapult_seal *s)
{
    s->port->lock(s->port->ctx);
    s->busy = false;
    s->port->unlock(s->port->ctx);
}

/* The values must still be those that were found at the start or written since: a value that the store has
 * lost while the device ran must not be sealed as absent. Wherever the power goes, the values fit a digest of
 * the seal: until the value is written that of now, from then on that of the next state. */
static int change(struct otapult_seal *s, const struct change *c)
{
    uint8_t now[32], next[32];
    bool any;

    if (s->broken != NULL || digest_with(s->port, &(struct change){0}, now, &any) != 0)
        return OTAPULT_E_STORE;
    if (memcmp(now, s->digest, sizeof now) != 0) {
        s->broken = "keys and logins in the store have changed while the device ran";
        return OTAPULT_E_STORE;
    }
    if (digest_with(s->port, c, next, &any) != 0)
        return OTAPULT_E_STORE;
    if (memcmp(now, next, sizeof now) == 0)
        return set(s->port, c->key, c->src, c->len);
    if (write_seal(s, now, next) != 0)
        return OTAPULT_E_STORE;
    int err = set(s->port, c->key, c->src, c->len);
    if (err == 0) {
        memcpy(s->digest, next, sizeof next);
        (void)write_seal(s, next, next); /* the one for both fits as well */
        write_mark(s->port);
    }
    return err;
}

int otapult_seal_set(struct otapult_seal *s, const char *key, const void *src, size_t len)
{
    const struct change c = {key, src, len};

    if (!begin(s))
        return OTAPULT_E_STORE;
    int err = change(s, &c);
    end(s);
    return err;
}

/* ---- the owner's word ---- */

/* What was lost is set to absent, so that it counts as read. */
static int settle_values(struct otapult_seal *s)
{
    uint8_t value[VALUE];
    size_t len;
    int err = 0;

    for (size_t i = 0; err == 0 && i < COVERED; i++)
        if (get(s->port, covered[i].key, value, sizeof value, &len) != 0)
            err = set(s->port, covered[i].key, NULL, 0);
    return err;
}

int otapult_seal_renew(struct otapult_seal *s)
{
    bool any;

    if (!begin(s))
        return OTAPULT_E_STORE;
    int err = settle_values(s);
    if (err == 0)
        err = digest_with(s->port, &(struct change){0}, s->digest, &any);
    if (err == 0)
        err = write_seal(s, s->digest, s->digest);
    if (err == 0) {
        s->broken = NULL;
        write_mark(s->port);
    }
    end(s);
    return err == 0 ? 0 : OTAPULT_E_STORE;
}
