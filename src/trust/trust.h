/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OTAPULT_TRUST_TRUST_H
#define OTAPULT_TRUST_TRUST_H

#include "otapult/otapult.h"
#include "trust/seal.h"
#include "trust/key.h"

/* Whose signatures count, and the least security version: what the application was built with, and what
 * the key-value store has learned since. Read from the store once, at start. A change is stored
 * first and believed afterwards, so that a power cut leaves the old state or the new.
 *
 *   ota.keys1      digests learned from confirmed firmware, one after the other
 *   ota.revoked1   digests that never count again, wherever they stand
 *   ota.security1  the least security version, 4 bytes
 *
 * A revocation always wins, so the two lists need not change together. All three are under the seal (seal.h). */

#define OTAPULT_KEYS_ALL (2u * OTAPULT_KEYS_MAX) /* built in and stored */

struct otapult_signature;
struct otapult_sha384;

/* What a trust asks of the crypto library: verifier.c. It is reached through a trust alone, so that firmware
 * which makes none does not carry it. */
struct otapult_verifier {
    /* The block that was taken last, well-formed by now: whose it is and, where the key is trusted, whether
     * the signature is right. NULL, or what is wrong; *key names the key when it could be read. Turns the
     * numbers of the block round where they stand. */
    const char *(*check)(struct otapult_signature *s, uint32_t *key);
    void (*sha384_init)(struct otapult_sha384 *h); /* sha384.h */
    void (*sha384_feed)(struct otapult_sha384 *h, const void *data, size_t len);
    int (*sha384_finish)(struct otapult_sha384 *h, uint8_t *digest);
};

struct otapult_trust {
    const struct otapult_verifier *verifier;
    const uint8_t (*built_in)[OTAPULT_KEY_DIGEST]; /* the application's array */
    uint8_t  built_in_count;
    uint8_t  usable;        /* of built_in, one bit each: neither revoked nor public */
    uint8_t  stored_count;
    uint8_t  revoked_count;
    uint8_t  stored[OTAPULT_KEYS_MAX][OTAPULT_KEY_DIGEST]; /* usable ones only */
    uint32_t revoked_id[OTAPULT_REVOKED_MAX]; /* for words, never for a decision */
    uint32_t least_security;
};

enum otapult_standing { /* of a key; the later, the more there is to say about it */
    OTAPULT_KEY_UNKNOWN,
    OTAPULT_KEY_PUBLIC, /* everybody has its private half */
    OTAPULT_KEY_REVOKED,
    OTAPULT_KEY_TRUSTED,
};

/* ---- questions ---- */

/* Trusted keys in effect, numbered 0 to OTAPULT_KEYS_ALL - 1 with gaps: NULL where there is none. */
const uint8_t *otapult_trust_key(const struct otapult_trust *t, unsigned n);
unsigned otapult_trust_count(const struct otapult_trust *t);

/* What is known of a key. TRUSTED: *n (may be NULL) is its number. */
enum otapult_standing otapult_trust_ask(const struct otapult_trust *t,
                                        const uint8_t digest[OTAPULT_KEY_DIGEST], unsigned *n);

/* ---- trust_store.c: what the store says, and what changes ---- */

/* Trust in the built-in keys alone. Keeps the pointer; `count` at most OTAPULT_KEYS_MAX. */
void otapult_trust_init(struct otapult_trust *t, const uint8_t (*built_in)[OTAPULT_KEY_DIGEST], size_t count);

/* The same with what the store says. STORE: it cannot be read, its seal is broken, or it holds what this code did not write;
 * a revocation may be lost then, and no key counts. */
OTAPULT_MUST_CHECK int otapult_trust_load(struct otapult_trust *t, const struct otapult_seal *seal,
                                          const uint8_t (*built_in)[OTAPULT_KEY_DIGEST], size_t count);

/* Built-in key `n` into the store, where it outlives this firmware. 0 also when it is there already, or
 * does not count. KEYS_FULL, STORE. */
OTAPULT_MUST_CHECK int otapult_trust_adopt(struct otapult_trust *t, struct otapult_seal *seal,
                                           unsigned n);

/* `digest` never counts again. KEY_LAST, KEYS_FULL, STORE. 0 also when it was revoked before. */
OTAPULT_MUST_CHECK int otapult_trust_revoke(struct otapult_trust *t, struct otapult_seal *seal,
                                            const uint8_t digest[OTAPULT_KEY_DIGEST]);

/* The least security version moves up to `version`; never down. STORE: it holds until the restart. */
OTAPULT_MUST_CHECK int otapult_trust_raise(struct otapult_trust *t, struct otapult_seal *seal,
                                           uint32_t version);

#endif
