/* SPDX-License-Identifier: Apache-2.0 */
#include "trust/password.h"

#include <psa/crypto.h>
#include <string.h>

#include "trust/secret.h"

#define BLOCK  64u
#define DIGEST 32u

_Static_assert(sizeof(struct otapult_password) == 52, "stored format of a password");

/* ---- HMAC with the two key blocks hashed once ----
 *
 * The key of every one of the thousands of HMACs is the password. A hash state that has taken its block is
 * kept and cloned, which halves the work: four blocks to hash become two. */

struct hmac_key {
    psa_hash_operation_t inner, outer;
};

static psa_status_t hash_pad(psa_hash_operation_t *op, const uint8_t *password, size_t len, uint8_t pad)
{
    uint8_t block[BLOCK];

    memset(block, pad, sizeof block);
    for (size_t i = 0; i < len; i++)
        block[i] ^= password[i];
    psa_status_t status = psa_hash_setup(op, PSA_ALG_SHA_256);
    if (status == PSA_SUCCESS)
        status = psa_hash_update(op, block, sizeof block);
    otapult_forget(block, sizeof block);
    return status;
}

static psa_status_t begin_key(struct hmac_key *key, const uint8_t *password, size_t len)
{
    key->inner = key->outer = psa_hash_operation_init();
    psa_status_t status = hash_pad(&key->inner, password, len, 0x36);

    return status == PSA_SUCCESS ? hash_pad(&key->outer, password, len, 0x5C) : status;
}

static void end_key(struct hmac_key *key)
{
    psa_hash_abort(&key->inner);
    psa_hash_abort(&key->outer);
}

/* `begun` stays as it is. */
static psa_status_t hash_more(const psa_hash_operation_t *begun, const uint8_t *data, size_t len,
                              uint8_t digest[DIGEST])
{
    psa_hash_operation_t op = psa_hash_operation_init();
    size_t n;

    psa_status_t status = psa_hash_clone(begun, &op);
    if (status == PSA_SUCCESS)
        status = psa_hash_update(&op, data, len);
    if (status == PSA_SUCCESS)
        status = psa_hash_finish(&op, digest, DIGEST, &n);
    if (status != PSA_SUCCESS)
        psa_hash_abort(&op);
    return status;
}

/* mac and data may be the same. */
static psa_status_t hmac(const struct hmac_key *key, const uint8_t *data, size_t len, uint8_t mac[DIGEST])
{
    psa_status_t status = hash_more(&key->inner, data, len, mac);

    return status == PSA_SUCCESS ? hash_more(&key->outer, mac, DIGEST, mac) : status;
}

/* The function F of RFC 8018, section 5.2, for the first block alone: it has the 32 bytes that are needed. */
static psa_status_t stretch(const struct hmac_key *key, const uint8_t *salt, size_t salt_len, uint32_t cost,
                            uint8_t out[DIGEST])
{
    uint8_t first[BLOCK + 4], u[DIGEST];

    memcpy(first, salt, salt_len);
    memcpy(first + salt_len, "\0\0\0\1", 4); /* the number of the block */
    psa_status_t status = hmac(key, first, salt_len + 4, u);
    memcpy(out, u, DIGEST);
    for (uint32_t n = 1; n < cost && status == PSA_SUCCESS; n++) {
        status = hmac(key, u, sizeof u, u);
        for (size_t i = 0; i < DIGEST; i++)
            out[i] ^= u[i];
    }
    otapult_forget(u, sizeof u);
    return status;
}

int otapult_pbkdf2(const uint8_t *password, size_t len, const uint8_t *salt, size_t salt_len, uint32_t cost,
                   uint8_t out[32])
{
    struct hmac_key key;

    if (len > BLOCK || salt_len > BLOCK || cost == 0 || psa_crypto_init() != PSA_SUCCESS)
        return OTAPULT_E_INTERNAL;
    psa_status_t status = begin_key(&key, password, len);
    if (status == PSA_SUCCESS)
        status = stretch(&key, salt, salt_len, cost, out);
    end_key(&key);
    otapult_forget(&key, sizeof key);
    return status == PSA_SUCCESS ? 0 : OTAPULT_E_INTERNAL;
}

/* ---- passwords ---- */

/* HMAC fills its key up with NULs, so "x" and "x\0" are the same key. */
static bool holds_nul(const char *text, size_t len)
{
    return memchr(text, '\0', len) != NULL;
}

int otapult_password_make(const struct otapult_port *port, char text[OTAPULT_PASSWORD_TEXT])
{
    static const char alphabet[33] = "abcdefghijkmnpqrstuvwxyz23456789"; /* 32, so every byte is fair */
    uint8_t random[16];
    char *to = text;

    if (port->random(port->ctx, random, sizeof random) != 0)
        return OTAPULT_E_INTERNAL;
    for (size_t i = 0; i < sizeof random; i++) {
        if (i > 0 && i % 4 == 0)
            *to++ = '-';
        *to++ = alphabet[random[i] & 31];
    }
    *to = '\0';
    otapult_forget(random, sizeof random);
    return 0;
}

int otapult_password_hash(struct otapult_password *p, const struct otapult_port *port, const char *text,
                          size_t len)
{
    if (len < OTAPULT_PASSWORD_MIN || len > OTAPULT_PASSWORD_MAX || holds_nul(text, len))
        return OTAPULT_E_PASSWORD_LENGTH;
    p->cost = OTAPULT_PASSWORD_COST;
    if (port->random(port->ctx, p->salt, sizeof p->salt) != 0)
        return OTAPULT_E_INTERNAL;
    return otapult_pbkdf2((const uint8_t *)text, len, p->salt, sizeof p->salt, p->cost, p->hash);
}

bool otapult_password_is(const struct otapult_password *p, const char *text, size_t len)
{
    uint8_t hash[DIGEST];

    if (len == 0 || len > OTAPULT_PASSWORD_MAX || holds_nul(text, len))
        return false;
    if (p->cost == 0 || p->cost > OTAPULT_PASSWORD_COST_MAX)
        return false;
    if (otapult_pbkdf2((const uint8_t *)text, len, p->salt, sizeof p->salt, p->cost, hash) != 0)
        return false;
    return otapult_same_secret(hash, p->hash, sizeof hash);
}
