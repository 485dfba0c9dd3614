/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/text.h"
#include "trust/certificate.h"
#include "trust/secret.h"
#include "trust/users.h"
#include "update/claim.h"
#include "update/self_test.h"
#include "update/slot_image.h"

/* The secure profile's part of the device: users and their logins, the keys whose signatures count, the
 * self-test, the seal over all of that. The rest of this room reaches it through o->keys, so that firmware of
 * the open profile does not link it.
 *
 * What is missing here locks: without a readable store, a whole seal and a self-test that passes, o->locked
 * says why and every update is refused. o->trust is changed as a whole: its new state is made in a copy,
 * stored, and then copied under the lock, because the status copies it at any moment. */

/* ---- users ---- */

static void start_users(struct otapult *o)
{
    struct otapult_users *u = (struct otapult_users *)(void *)o->config.users;

    if (u == NULL) {
        otapult_log(o, OTAPULT_LOG_ERROR,
                    "secure: no memory for the login (config.users); every request is refused");
        return;
    }
    otapult_users_start(u, &o->seal, o->journal.boot, o->config.show_password, o->config.app);
    o->users = u;
}

static void poll_users(struct otapult *o)
{
    if (o->users != NULL)
        otapult_users_poll(o->users);
}

static void save_sessions(struct otapult *o)
{
    if (o->users != NULL)
        otapult_users_save(o->users);
}

/* ---- start ---- */

static void log_two(struct otapult *o, const char *first, const char *second)
{
    char line[96];
    struct otapult_text t;

    otapult_text_init(&t, line, sizeof line);
    otapult_text_str(&t, first);
    otapult_text_str(&t, second);
    otapult_log(o, OTAPULT_LOG_ERROR, line);
}

static void log_keys(struct otapult *o)
{
    char line[96];
    struct otapult_text t;

    otapult_text_init(&t, line, sizeof line);
    otapult_text_str(&t, "signature: enforced, keys");
    for (unsigned n = 0; n < OTAPULT_KEYS_ALL; n++) {
        const uint8_t *key = otapult_trust_key(&o->trust, n);
        if (key == NULL)
            continue;
        otapult_text_str(&t, " ");
        otapult_text_digest(&t, key, 4);
    }
    otapult_log(o, OTAPULT_LOG_INFO, line);
}

static void log_public_keys(struct otapult *o)
{
    for (size_t i = 0; i < o->config.key_count; i++)
        if (otapult_key_is_public(o->config.keys[i]))
            otapult_log(o, OTAPULT_LOG_WARNING, "a built-in key is a published test key and does not count");
}

/* Without any key the error is another than with a wrong one, because the owner has to do something else
 * about it. */
static int refusal(const struct otapult *o, struct otapult_finding *why)
{
    if (o->locked != NULL) {
        *why = (struct otapult_finding){.text = o->locked};
        return OTAPULT_E_LOCKED;
    }
    return otapult_trust_count(&o->trust) == 0 ? OTAPULT_E_SIGNATURE_NO_KEYS : 0;
}

/* Which keys the device trusts, and whether its checks work at all. Only for the claim's holder. */
static void load_trust(struct otapult *o)
{
    struct otapult_session *s = otapult_borrow(o);
    struct otapult_trust trust;
    const char *locked = o->seal.broken;

    if (otapult_trust_load(&trust, &o->seal, o->config.keys, o->config.key_count) == 0)
        locked = otapult_self_test(&s->judge, s->writer.sector, &trust);
    else if (locked == NULL)
        locked = "the store does not say which keys are revoked";
    otapult_lock(o);
    o->trust = trust;
    o->locked = locked;
    otapult_unlock(o);
}

static void log_trust(struct otapult *o)
{
    struct otapult_finding why;

    log_public_keys(o);
    if (o->locked != NULL)
        log_two(o, "updates are locked: ", o->locked);
    else if (refusal(o, &why) != 0)
        otapult_log(o, OTAPULT_LOG_ERROR,
                    "updates are refused: a signature is required, and no trusted key is there");
    else
        log_keys(o);
    if (o->seal.broken != NULL)
        otapult_log(o, OTAPULT_LOG_ERROR,
                    "updates and logins stay locked until the owner makes a new password at the device");
}

static void start(struct otapult *o)
{
    otapult_seal_open(&o->seal, o->port);
    start_users(o);
    load_trust(o);
    log_trust(o);
}

/* ---- the owner at the device ---- */

/* The store may have lost a revocation. The log tells the owner which keys are revoked now, so that what is
 * missing can be revoked again. */
static void log_renewed(struct otapult *o)
{
    char line[96];
    struct otapult_text t;

    otapult_text_init(&t, line, sizeof line);
    otapult_text_str(&t, "sealed anew; least security version ");
    otapult_text_dec(&t, o->trust.least_security);
    otapult_text_str(&t, ", revoked keys:");
    for (unsigned i = 0; i < o->trust.revoked_count; i++) {
        const uint32_t id = o->trust.revoked_id[i];
        const uint8_t bytes[4] = {(uint8_t)(id >> 24), (uint8_t)(id >> 16), (uint8_t)(id >> 8), (uint8_t)id};
        otapult_text_str(&t, " ");
        otapult_text_digest(&t, bytes, sizeof bytes);
    }
    otapult_text_str(&t, o->trust.revoked_count == 0 ? " none" : "");
    otapult_log(o, OTAPULT_LOG_WARNING, line);
}

/* For the owner at the device: what the store still has counts again; what it has lost is gone. */
static int renew_seal(struct otapult *o)
{
    struct otapult_finding why;
    int err = otapult_take(o, OTAPULT_FOR_KEYS, NULL, &why);

    if (err != 0)
        return err;
    err = otapult_seal_renew(&o->seal);
    if (err == 0) {
        load_trust(o);
        log_renewed(o);
        log_trust(o);
    }
    otapult_give_back(o);
    return err;
}

/* The key of HTTPS is not under the seal and may be lost alone. Without it nothing is served. A device that
 * had a key makes another one only here, at its owner's word: each client that has noted the certificate will
 * warn of an attack. */
static int settle_identity(struct otapult *o)
{
    bool dropped;

    int err = otapult_identity_drop_lost(o->port, &dropped);
    if (err == 0 && dropped)
        otapult_log(o, OTAPULT_LOG_WARNING, "the key of HTTPS was lost; the next start makes another");
    return err;
}

int otapult_new_password(struct otapult *o)
{
    if (o->keys == NULL)
        return OTAPULT_E_OPEN_PROFILE;
    if (o->users == NULL)
        return OTAPULT_E_NOT_SECURED;
    int err = o->seal.broken != NULL ? renew_seal(o) : 0;
    if (err == 0)
        err = settle_identity(o);
    if (err == 0)
        err = otapult_users_reset(o->users);
    if (err != 0)
        return err;
    otapult_end_login(o, NULL);
    otapult_note_account(o, "new password made at the device", NULL);
    return 0;
}

/* Copies the keys that count, each once: a built-in key may be stored as well. */
static void copy_keys(const struct otapult *o, struct otapult_status *out)
{
    for (unsigned n = 0, first; n < OTAPULT_KEYS_ALL; n++) {
        const uint8_t *key = otapult_trust_key(&o->trust, n);
        if (key != NULL && otapult_trust_ask(&o->trust, key, &first) == OTAPULT_KEY_TRUSTED && first == n)
            memcpy(out->key[out->key_count++], key, sizeof *out->key);
    }
}

static void copy_trust_status(const struct otapult *o, struct otapult_status *out)
{
    out->locked = o->locked;
    out->trust_error = refusal(o, &(struct otapult_finding){0});
    copy_keys(o, out);
}

/* ---- what a confirmed firmware changes ---- */

static void settle_security(struct otapult *o, struct otapult_trust *trust)
{
    struct otapult_app_desc desc;

    if (otapult_running_desc(o, &desc) && otapult_trust_raise(trust, &o->seal, desc.secure_version) != 0)
        otapult_log(o, OTAPULT_LOG_ERROR,
                    "the store failed: the least security version holds until the restart");
}

/* Is there a built-in key that is not stored yet? If not, the slot need not be read. */
static bool has_new_key(const struct otapult_trust *trust)
{
    for (unsigned n = 0; n < OTAPULT_KEYS_MAX; n++) {
        const uint8_t *key = otapult_trust_key(trust, n);
        bool stored = false;
        for (unsigned i = 0; key != NULL && i < trust->stored_count; i++)
            stored = stored || memcmp(trust->stored[i], key, OTAPULT_KEY_DIGEST) == 0;
        if (key != NULL && !stored)
            return true;
    }
    return false;
}

/* Only a key which the firmware names itself, and which has signed it: the signature sector is covered by
 * no signature, so that anybody can add a block of his own to an image. */
static void settle_keys(struct otapult *o, struct otapult_trust *trust)
{
    struct otapult_finding why;

    if (!has_new_key(trust) || otapult_check_image(o, o->slots.running, &why, NULL) != 0)
        return;
    uint8_t signers = otapult_borrow(o)->judge.inspect.signature.signers;
    for (unsigned n = 0; n < OTAPULT_KEYS_MAX; n++)
        if ((signers & 1u << n) != 0 && otapult_trust_adopt(trust, &o->seal, n) != 0)
            otapult_log(o, OTAPULT_LOG_ERROR, "a new key could not be stored: the store failed, or is full");
}

/* The store has it by now; what is in RAM follows in one moment, because the status may be copying it. */
static void believe(struct otapult *o, const struct otapult_trust *trust)
{
    otapult_lock(o);
    o->trust = *trust;
    otapult_unlock(o);
}

/* Works on a copy: an upload's inspector holds a pointer to o->trust, and readers copy it under the lock. */
static void settle(struct otapult *o, bool learn)
{
    struct otapult_trust trust = o->trust;

    if (o->locked != NULL || o->slots_error != 0)
        return;
    settle_security(o, &trust);
    if (learn)
        settle_keys(o, &trust);
    believe(o, &trust);
}

/* ---- revocation ---- */

int otapult_revoke_key(struct otapult *o, const uint8_t digest[OTAPULT_KEY_DIGEST])
{
    struct otapult_finding why;

    if (o->keys == NULL)
        return OTAPULT_E_OPEN_PROFILE;
    if (o->locked != NULL)
        return OTAPULT_E_LOCKED;
    int err = otapult_take(o, OTAPULT_FOR_KEYS, NULL, &why);
    if (err != 0)
        return err;
    struct otapult_trust trust = o->trust;
    err = otapult_trust_revoke(&trust, &o->seal, digest);
    believe(o, &trust);
    otapult_give_back(o);
    return err;
}

/* ---- what the rest of the room reaches ---- */

const struct otapult_keys otapult_secure_keys = {
    .start = start,
    .refusal = refusal,
    .status = copy_trust_status,
    .settle = settle,
    .poll = poll_users,
    .leave = save_sessions,
};
