/* SPDX-License-Identifier: Apache-2.0 */
#include "fixed_signer.h"

#include <gnutls/crypto.h>
#include <nettle/ecc-curve.h>
#include <nettle/ecc.h>
#include <nettle/ecdsa.h>
#include <nettle/rsa.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Where things are, read from the table in src/trust/signature.h. */
struct kind {
    uint8_t magic[4];
    size_t digest, key, key_len, number, signature, signature_len;
    const struct ecc_curve *(*group)(void); /* NULL: RSA */
    uint8_t curve;
};
static const struct kind rsa = {{0xE7, 2, 0, 0}, 32, 36, 776, 384, 812, 384, NULL, 0};
static const struct kind p256 = {{0xE7, 3, 0, 0}, 32, 36, 65, 32, 101, 64, nettle_get_secp_256r1, 2};
static const struct kind p384 = {{0xE7, 3, 1, 0}, 48, 52, 97, 48, 149, 96, nettle_get_secp_384r1, 3};

#define PSS_SALT 32u

static void must(int done)
{
    if (!done) {
        fputs("fixed_signer: nettle refuses\n", stderr);
        abort();
    }
}

/* ---- keys ---- */

static struct rsa_public_key rsa_public;
static struct rsa_private_key rsa_private;
static struct ecc_point ec_public[FIXED_KEYS];
static struct ecc_scalar ec_private[FIXED_KEYS];
static uint8_t digests[FIXED_KEYS][32];
static uint8_t last[FIXED_KEYS][SIGNER_BLOCK]; /* what each has signed last */
static bool made;

static void fixed_random(void *state, size_t len, uint8_t *out)
{
    uint64_t *x = state;

    for (size_t i = 0; i < len; i++) {
        *x = *x * 6364136223846793005u + 1442695040888963407u;
        out[i] = (uint8_t)(*x >> 56);
    }
}

static const struct kind *kind_of_key(enum fixed_key key)
{
    return key == FIXED_RSA ? &rsa : key == FIXED_P384 ? &p384 : &p256;
}

static void free_keys(void)
{
    rsa_public_key_clear(&rsa_public);
    rsa_private_key_clear(&rsa_private);
    for (int k = FIXED_P256; k < FIXED_KEYS; k++) {
        ecc_point_clear(&ec_public[k]);
        ecc_scalar_clear(&ec_private[k]);
    }
}

static void make_keys(void)
{
    static const struct fixed_digests any;
    uint8_t block[SIGNER_BLOCK];
    uint64_t seed = 20260101;

    made = true;
    rsa_public_key_init(&rsa_public);
    rsa_private_key_init(&rsa_private);
    mpz_set_ui(rsa_public.e, 65537);
    must(rsa_generate_keypair(&rsa_public, &rsa_private, &seed, fixed_random, NULL, NULL, 3072, 0));
    for (int k = FIXED_P256; k < FIXED_KEYS; k++) {
        const struct ecc_curve *curve = kind_of_key((enum fixed_key)k)->group();
        ecc_point_init(&ec_public[k], curve);
        ecc_scalar_init(&ec_private[k], curve);
        ecdsa_generate_keypair(&ec_public[k], &ec_private[k], &seed, fixed_random);
    }
    (void)atexit(free_keys);
    for (int k = 0; k < FIXED_KEYS; k++) {
        fixed_signer_block((enum fixed_key)k, &any, block);
        must(fixed_block_key(block, digests[k]));
    }
}

const uint8_t *fixed_key_digest(enum fixed_key key)
{
    if (!made)
        make_keys();
    return digests[key];
}

/* ---- making blocks ---- */

static void put_little(const mpz_t n, uint8_t *dst, size_t len)
{
    must(mpz_sgn(n) >= 0 && (mpz_sizeinbase(n, 2) + 7) / 8 <= len);
    memset(dst, 0, len);
    mpz_export(dst, NULL, -1, 1, 0, 0, n);
}

static void take_little(mpz_t n, const uint8_t *src, size_t len)
{
    mpz_import(n, len, -1, 1, 0, 0, src);
}

/* R^2 and -1/n, which only the chip's hardware reads, are left 0. */
static void sign_rsa(const struct fixed_digests *d, uint8_t *block)
{
    uint8_t salt[PSS_SALT];
    uint64_t seed = 7;
    mpz_t signature;

    mpz_init(signature);
    fixed_random(&seed, sizeof salt, salt);
    put_little(rsa_public.n, block + 36, 384);
    put_little(rsa_public.e, block + 420, 4);
    must(rsa_pss_sha256_sign_digest_tr(&rsa_public, &rsa_private, &seed, fixed_random, sizeof salt, salt,
                                       d->sha256, signature));
    put_little(signature, block + 812, 384);
    mpz_clear(signature);
}

/* Its nonce is drawn after the digest: the same for the same block, and never for two. */
static void sign_ecdsa(enum fixed_key key, const struct kind *k, const uint8_t *digest, uint8_t *block)
{
    struct dsa_signature signature;
    uint64_t seed;
    mpz_t x, y;

    memcpy(&seed, digest, sizeof seed);
    dsa_signature_init(&signature);
    mpz_inits(x, y, NULL);
    ecdsa_sign(&ec_private[key], &seed, fixed_random, k->digest, digest, &signature);
    ecc_point_get(&ec_public[key], x, y);
    block[k->key] = k->curve;
    put_little(x, block + k->key + 1, k->number);
    put_little(y, block + k->key + 1 + k->number, k->number);
    put_little(signature.r, block + k->signature, k->number);
    put_little(signature.s, block + k->signature + k->number, k->number);
    mpz_clears(x, y, NULL);
    dsa_signature_clear(&signature);
}

void fixed_signer_block(enum fixed_key key, const struct fixed_digests *d, uint8_t block[SIGNER_BLOCK])
{
    const struct kind *k = kind_of_key(key);
    const uint8_t *digest = k->digest == 32 ? d->sha256 : d->sha384;

    if (!made)
        make_keys();
    memset(block, 0, SIGNER_BLOCK);
    memcpy(block, k->magic, sizeof k->magic);
    memcpy(block + 4, digest, k->digest);
    if (key == FIXED_RSA)
        sign_rsa(d, block);
    else
        sign_ecdsa(key, k, digest, block);
    signer_seal(block);
    memcpy(last[key], block, SIGNER_BLOCK);
}

/* ---- the second opinion ---- */

static const struct kind *kind_of(const uint8_t *block)
{
    if (memcmp(block, rsa.magic, 4) == 0)
        return &rsa;
    if (memcmp(block, p256.magic, 4) == 0 && block[p256.key] == p256.curve)
        return &p256;
    return memcmp(block, p384.magic, 4) == 0 && block[p384.key] == p384.curve ? &p384 : NULL;
}

bool fixed_block_key(const uint8_t block[SIGNER_BLOCK], uint8_t digest[32])
{
    const struct kind *k = kind_of(block);

    if (k != NULL)
        must(gnutls_hash_fast(GNUTLS_DIG_SHA256, block + k->key, k->key_len, digest) == 0);
    return k != NULL;
}

static bool all(const uint8_t *p, size_t from, size_t to, uint8_t value)
{
    for (; from < to; from++)
        if (p[from] != value)
            return false;
    return true;
}

static bool has_form(const uint8_t *block, const struct fixed_digests *d, bool with_trust)
{
    const struct kind *k = kind_of(block);
    uint8_t again[SIGNER_BLOCK];

    memcpy(again, block, sizeof again);
    signer_seal(again);
    if (k == NULL || memcmp(again, block, sizeof again) != 0 || !all(block, 1200, SIGNER_BLOCK, 0) ||
        !all(block, k->signature + k->signature_len, 1196, 0))
        return false;
    if (k->digest == 48)
        return !with_trust || memcmp(block + 4, d->sha384, 48) == 0;
    return memcmp(block + 4, d->sha256, 32) == 0;
}

/* An even n or e, or an e of 1, is no key: with the last one anybody could sign. */
static bool rsa_holds(const uint8_t *block, const uint8_t *digest)
{
    struct rsa_public_key key;
    mpz_t signature;

    rsa_public_key_init(&key);
    mpz_init(signature);
    take_little(key.n, block + 36, 384);
    take_little(key.e, block + 420, 4);
    take_little(signature, block + 812, 384);
    bool ok = mpz_sizeinbase(key.n, 2) == 3072 && mpz_odd_p(key.n) && mpz_odd_p(key.e) &&
              mpz_cmp_ui(key.e, 1) > 0 && rsa_public_key_prepare(&key) &&
              rsa_pss_sha256_verify_digest(&key, PSS_SALT, digest, signature);
    rsa_public_key_clear(&key);
    mpz_clear(signature);
    return ok;
}

static bool ecdsa_holds(const struct kind *k, const uint8_t *block, const uint8_t *digest)
{
    const uint8_t *point = block + k->key + 1, *numbers = block + k->signature;
    struct dsa_signature signature;
    struct ecc_point q;
    mpz_t x, y;

    ecc_point_init(&q, k->group());
    dsa_signature_init(&signature);
    mpz_inits(x, y, NULL);
    take_little(x, point, k->number);
    take_little(y, point + k->number, k->number);
    take_little(signature.r, numbers, k->number);
    take_little(signature.s, numbers + k->number, k->number);
    bool ok = ecc_point_set(&q, x, y) && ecdsa_verify(&q, k->digest, digest, &signature);
    mpz_clears(x, y, NULL);
    dsa_signature_clear(&signature);
    ecc_point_clear(&q);
    return ok;
}

static bool holds(const uint8_t *block, const struct fixed_digests *d)
{
    const struct kind *k = kind_of(block);

    if (k == &rsa)
        return rsa_holds(block, d->sha256);
    return ecdsa_holds(k, block, k == &p384 ? d->sha384 : d->sha256);
}

/* Made by fixed_signer_block() over the same digest, which stands in it: no need to verify it, and that
 * takes milliseconds. */
static bool is_ours(const uint8_t *block)
{
    for (int k = 0; k < FIXED_KEYS; k++)
        if (memcmp(block, last[k], SIGNER_BLOCK) == 0)
            return true;
    return false;
}

static bool is_trusted(const uint8_t *block, const uint8_t (*trusted)[32], size_t count)
{
    uint8_t digest[32];

    if (!fixed_block_key(block, digest))
        return false;
    for (size_t i = 0; i < count; i++)
        if (memcmp(digest, trusted[i], sizeof digest) == 0)
            return true;
    return false;
}

bool fixed_sector_is_right(const uint8_t sector[SIGNER_SECTOR], const struct fixed_digests *d,
                           const uint8_t (*trusted)[32], size_t count)
{
    size_t blocks = 1, signed_by = 0;

    while (blocks < 3 && sector[blocks * SIGNER_BLOCK] != 0xFF)
        blocks++;
    if (!all(sector, blocks * SIGNER_BLOCK, SIGNER_SECTOR, 0xFF))
        return false;
    for (size_t n = 0; n < blocks; n++) {
        const uint8_t *block = sector + n * SIGNER_BLOCK;
        if (!has_form(block, d, trusted != NULL))
            return false;
        if (trusted == NULL || !is_trusted(block, trusted, count))
            continue;
        if (!is_ours(block) && !holds(block, d))
            return false;
        signed_by++;
    }
    return trusted == NULL || signed_by > 0;
}
