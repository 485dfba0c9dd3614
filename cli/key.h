/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_KEY_H
#define CLI_KEY_H

#include <psa/crypto.h>
#include <stdbool.h>

#include "trust/signature.h"

/* Signing keys. PEM is read and written with mbedTLS, everything else goes through PSA Crypto. What a
 * private key passes through is wiped; it is never printed. Functions that fail say why on standard
 * error. */

#define KEY_BYTES_MAX 776u

struct key {
    enum otapult_signature_scheme scheme;
    uint8_t bytes[KEY_BYTES_MAX]; /* the public key as it stands in a block */
    bool    has_private;
    mbedtls_svc_key_id_t id;      /* in PSA, when it has */
};

/* "rsa3072", "ecdsa256", "ecdsa384" */
const char *key_scheme_word(enum otapult_signature_scheme scheme);

/* A private or public key in PEM: PKCS#1, SEC 1, PKCS#8 or SubjectPublicKeyInfo, not encrypted. `sign`:
 * only a private one will do. */
bool key_read(const char *path, bool sign, struct key *out);
void key_free(struct key *k);

/* Makes a private key and writes it to `path`, which must not be there yet: mode 0600. *out is its public
 * half. */
bool key_generate(const char *path, enum otapult_signature_scheme scheme, struct key *out);

bool key_digest(const struct key *k, uint8_t digest[OTAPULT_KEY_DIGEST]);

/* Signs the digest of a block, 32 or 48 bytes: *signature as PSA gives it, numbers highest byte first. */
bool key_sign(const struct key *k, const uint8_t *digest, uint8_t signature[384]);

#endif
