/* SPDX-License-Identifier: Apache-2.0 */
#include <psa/crypto.h>
#include <string.h>

#include "trust/signature.h"

/* Whose a block of a signature sector is, and whether its signature is right: the part of signatures that
 * needs public-key crypto. Blocks have their numbers little-endian, PSA wants them the other way round, and
 * there is no room for a second block; so the numbers are turned where they stand, and everything that reads
 * the block as it came (its form, its digest, the digest of its key) has to be done before. */

int otapult_signature_key(const uint8_t block[OTAPULT_SIGNATURE_BLOCK], uint8_t digest[OTAPULT_KEY_DIGEST])
{
    const struct otapult_signature_layout *l = otapult_signature_kind(block);
    size_t len = 0;

    if (l == NULL || psa_hash_compute(PSA_ALG_SHA_256, block + l->key_at, l->key_size, digest,
                                      OTAPULT_KEY_DIGEST, &len) != PSA_SUCCESS)
        return OTAPULT_E_INTERNAL;
    return len == OTAPULT_KEY_DIGEST ? 0 : OTAPULT_E_INTERNAL;
}

/* ---- is the signature right? ---- */

static void reverse(uint8_t *p, size_t n)
{
    for (size_t i = 0; i < n / 2; i++) {
        uint8_t kept = p[i];
        p[i] = p[n - 1 - i];
        p[n - 1 - i] = kept;
    }
}

/* A key in the form PSA imports, and a signature in the form PSA verifies. */
struct verification {
    psa_key_type_t type;
    size_t bits;
    psa_algorithm_t alg;
    const uint8_t *key, *digest, *signature;
    size_t key_len, digest_len, signature_len;
};

/* RSAPublicKey of RFC 8017, written around the modulus: SEQUENCE, INTEGER n, INTEGER e. It overwrites the end
 * of the digest before the modulus, which has been compared, and e and the beginning of R^2 behind it: e is
 * copied first, and R^2 is only a help for the bootloader. */
static void prepare_rsa(const struct otapult_signature_layout *l, uint8_t *block, struct verification *v)
{
    static const uint8_t head[] = {0x30, 0x82, 0x01, 0x00, 0x02, 0x82, 0x01, 0x81, 0x00};
    uint8_t e[5] = {0}, *n = block + l->key_at, *at = n - sizeof head, *end = n + l->number_size;
    unsigned skip = 0;

    memcpy(e + 1, end, 4);
    reverse(e + 1, 4);
    while (skip < sizeof e - 1 && e[skip] == 0 && e[skip + 1] < 0x80)
        skip++; /* as DER wants it: no zero in front but the one that keeps a number positive */
    reverse(n, l->number_size);
    memcpy(at, head, sizeof head);
    *end++ = 0x02;
    *end++ = (uint8_t)(sizeof e - skip);
    memcpy(end, e + skip, sizeof e - skip);
    end += sizeof e - skip;
    at[3] = (uint8_t)(end - at - 4 - 0x100);

    v->type = PSA_KEY_TYPE_RSA_PUBLIC_KEY;
    v->bits = l->number_size * 8u;
    v->alg = PSA_ALG_RSA_PSS(PSA_ALG_SHA_256);
    v->key = at;
    v->key_len = (size_t)(end - at);
    reverse(block + l->signature_at, l->signature_size);
}

/* An uncompressed point: 4, X, Y. The 4 takes the place of the curve. */
static void prepare_ecdsa(const struct otapult_signature_layout *l, uint8_t *block, struct verification *v)
{
    const size_t n = l->number_size;

    block[l->key_at] = 4;
    reverse(block + l->key_at + 1, n);
    reverse(block + l->key_at + 1 + n, n);
    reverse(block + l->signature_at, n);
    reverse(block + l->signature_at + n, n);
    v->type = PSA_KEY_TYPE_ECC_PUBLIC_KEY(PSA_ECC_FAMILY_SECP_R1);
    v->bits = n * 8;
    v->alg = l->digest_size == 32 ? PSA_ALG_ECDSA(PSA_ALG_SHA_256) : PSA_ALG_ECDSA(PSA_ALG_SHA_384);
    v->key = block + l->key_at;
    v->key_len = l->key_size;
}

static bool holds(const struct verification *v)
{
    psa_key_attributes_t attributes = psa_key_attributes_init();
    mbedtls_svc_key_id_t key;

    psa_set_key_type(&attributes, v->type);
    psa_set_key_bits(&attributes, v->bits);
    psa_set_key_usage_flags(&attributes, PSA_KEY_USAGE_VERIFY_HASH);
    psa_set_key_algorithm(&attributes, v->alg);
    if (psa_import_key(&attributes, v->key, v->key_len, &key) != PSA_SUCCESS)
        return false;
    psa_status_t status =
        psa_verify_hash(key, v->alg, v->digest, v->digest_len, v->signature, v->signature_len);
    return psa_destroy_key(key) == PSA_SUCCESS && status == PSA_SUCCESS;
}

/* Is the signature right? Turns the numbers of the block round where they stand. */
static bool verify(struct otapult_signature *s, const struct otapult_signature_layout *l)
{
    struct verification v = {.digest = l->digest_size == 32 ? s->sha256 : s->sha384,
                             .digest_len = l->digest_size,
                             .signature = s->block + l->signature_at,
                             .signature_len = l->signature_size};

    if (l->curve == 0)
        prepare_rsa(l, s->block, &v);
    else
        prepare_ecdsa(l, s->block, &v);
    return holds(&v);
}

/* ---- whose it is ---- */

/* Where no block is of a trusted key, the error names the one that says most: a revoked key rather than a
 * published one, that rather than an unknown one. */
static void keep_standing(struct otapult_signature *s, enum otapult_standing standing, uint32_t key)
{
    if (s->standing_key != 0 && standing <= s->standing)
        return;
    s->standing = (uint8_t)standing;
    s->standing_block = s->blocks;
    s->standing_key = key;
}

static const char *check(struct otapult_signature *s, uint32_t *key)
{
    uint8_t digest[OTAPULT_KEY_DIGEST];
    unsigned n = 0;

    if (otapult_signature_key(s->block, digest) != 0)
        return "its key cannot be read";
    *key = otapult_key_id(digest);
    enum otapult_standing standing = otapult_trust_ask(s->trust, digest, &n);
    keep_standing(s, standing, *key);
    if (standing != OTAPULT_KEY_TRUSTED)
        return NULL;
    if (!verify(s, otapult_signature_kind(s->block)))
        return "the signature is wrong, key";
    s->signers |= (uint8_t)(1u << n);
    return NULL;
}

const struct otapult_verifier otapult_verifier = {
    .check = check,
    .sha384_init = otapult_sha384_init,
    .sha384_feed = otapult_sha384_feed,
    .sha384_finish = otapult_sha384_finish,
};
