/* SPDX-License-Identifier: Apache-2.0 */
#include "fixed_signer.h"

#include <mbedtls/ecdsa.h>
#include <mbedtls/rsa.h>
#include <mbedtls/sha256.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Where things are, read from the table in src/trust/signature.h. */
struct kind {
    uint8_t magic[4];
    size_t digest, key, key_len, number, signature, signature_len;
    mbedtls_ecp_group_id group;
    uint8_t curve;
};
static const struct kind rsa = {{0xE7, 2, 0, 0}, 32, 36, 776, 384, 812, 384, MBEDTLS_ECP_DP_NONE, 0};
static const struct kind p256 = {{0xE7, 3, 0, 0}, 32, 36, 65, 32, 101, 64, MBEDTLS_ECP_DP_SECP256R1, 2};
static const struct kind p384 = {{0xE7, 3, 1, 0}, 48, 52, 97, 48, 149, 96, MBEDTLS_ECP_DP_SECP384R1, 3};

static void must(int status)
{
    if (status != 0) {
        fprintf(stderr, "mbedTLS: -0x%x\n", (unsigned)-status);
        abort();
    }
}

/* ---- keys ---- */

static mbedtls_rsa_context rsa_key;
static mbedtls_ecp_keypair ec_key[FIXED_KEYS];
static uint8_t digests[FIXED_KEYS][32];
static uint8_t last[FIXED_KEYS][SIGNER_BLOCK]; /* what each has signed last */
static bool made;

static int fixed_random(void *state, unsigned char *out, size_t len)
{
    uint64_t *x = state;

    for (size_t i = 0; i < len; i++) {
        *x = *x * 6364136223846793005u + 1442695040888963407u;
        out[i] = (unsigned char)(*x >> 56);
    }
    return 0;
}

static const struct kind *kind_of_key(enum fixed_key key)
{
    return key == FIXED_RSA ? &rsa : key == FIXED_P384 ? &p384 : &p256;
}

static void free_keys(void)
{
    mbedtls_rsa_free(&rsa_key);
    for (int k = FIXED_P256; k < FIXED_KEYS; k++)
        mbedtls_ecp_keypair_free(&ec_key[k]);
}

static void make_keys(void)
{
    static const struct fixed_digests any;
    uint8_t block[SIGNER_BLOCK];
    uint64_t seed = 20260101;

    made = true;
    mbedtls_rsa_init(&rsa_key, MBEDTLS_RSA_PKCS_V21, MBEDTLS_MD_SHA256);
    must(mbedtls_rsa_gen_key(&rsa_key, fixed_random, &seed, 3072, 65537));
    for (int k = FIXED_P256; k < FIXED_KEYS; k++) {
        mbedtls_ecp_keypair_init(&ec_key[k]);
        must(mbedtls_ecp_gen_key(kind_of_key((enum fixed_key)k)->group, &ec_key[k], fixed_random, &seed));
    }
    (void)atexit(free_keys);
    for (int k = 0; k < FIXED_KEYS; k++) {
        fixed_signer_block((enum fixed_key)k, &any, block);
        if (!fixed_block_key(block, digests[k]))
            abort();
    }
}

const uint8_t *fixed_key_digest(enum fixed_key key)
{
    if (!made)
        make_keys();
    return digests[key];
}

/* ---- making blocks ---- */

static void put_little(const mbedtls_mpi *n, uint8_t *dst, size_t len)
{
    must(mbedtls_mpi_write_binary_le(n, dst, len));
}

/* R^2 and -1/n, which only the chip's hardware reads, are left 0. */
static void sign_rsa(const struct fixed_digests *d, uint8_t *block)
{
    uint8_t big[384];
    uint64_t seed = 7;
    mbedtls_mpi n;

    put_little(&rsa_key.N, block + 36, 384);
    put_little(&rsa_key.E, block + 420, 4);
    must(mbedtls_rsa_rsassa_pss_sign_ext(&rsa_key, fixed_random, &seed, MBEDTLS_MD_SHA256, 32, d->sha256, 32,
                                         big));
    mbedtls_mpi_init(&n);
    must(mbedtls_mpi_read_binary(&n, big, sizeof big));
    put_little(&n, block + 812, 384);
    mbedtls_mpi_free(&n);
}

static void sign_ecdsa(mbedtls_ecp_keypair *key, const struct kind *k, const uint8_t *digest, uint8_t *block)
{
    const mbedtls_md_type_t md = k->digest == 32 ? MBEDTLS_MD_SHA256 : MBEDTLS_MD_SHA384;
    uint64_t seed = 7;
    mbedtls_mpi r, s;

    mbedtls_mpi_init(&r);
    mbedtls_mpi_init(&s);
    must(mbedtls_ecdsa_sign_det_ext(&key->grp, &r, &s, &key->d, digest, k->digest, md, fixed_random, &seed));
    block[k->key] = k->curve;
    put_little(&key->Q.X, block + k->key + 1, k->number);
    put_little(&key->Q.Y, block + k->key + 1 + k->number, k->number);
    put_little(&r, block + k->signature, k->number);
    put_little(&s, block + k->signature + k->number, k->number);
    mbedtls_mpi_free(&r);
    mbedtls_mpi_free(&s);
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
        sign_ecdsa(&ec_key[key], k, digest, block);
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
        must(mbedtls_sha256_ret(block + k->key, k->key_len, digest, 0));
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

static bool rsa_holds(const uint8_t *block, const uint8_t *digest)
{
    mbedtls_rsa_context key;
    mbedtls_mpi n, e, s;
    uint8_t big[384];

    mbedtls_rsa_init(&key, MBEDTLS_RSA_PKCS_V21, MBEDTLS_MD_SHA256);
    mbedtls_mpi_init(&n);
    mbedtls_mpi_init(&e);
    mbedtls_mpi_init(&s);
    bool ok = mbedtls_mpi_read_binary_le(&n, block + 36, 384) == 0 &&
              mbedtls_mpi_read_binary_le(&e, block + 420, 4) == 0 &&
              mbedtls_mpi_read_binary_le(&s, block + 812, 384) == 0 && mbedtls_mpi_bitlen(&n) == 3072 &&
              mbedtls_rsa_import(&key, &n, NULL, NULL, NULL, &e) == 0 && mbedtls_rsa_complete(&key) == 0 &&
              mbedtls_rsa_check_pubkey(&key) == 0 && mbedtls_mpi_write_binary(&s, big, sizeof big) == 0 &&
              mbedtls_rsa_rsassa_pss_verify_ext(&key, NULL, NULL, MBEDTLS_RSA_PUBLIC, MBEDTLS_MD_SHA256, 32,
                                                digest, MBEDTLS_MD_SHA256, 32, big) == 0;
    mbedtls_rsa_free(&key);
    mbedtls_mpi_free(&n);
    mbedtls_mpi_free(&e);
    mbedtls_mpi_free(&s);
    return ok;
}

static bool ecdsa_holds(const struct kind *k, const uint8_t *block, const uint8_t *digest)
{
    const uint8_t *point = block + k->key + 1, *signature = block + k->signature;
    mbedtls_ecp_group group;
    mbedtls_ecp_point q;
    mbedtls_mpi r, s;

    mbedtls_ecp_group_init(&group);
    mbedtls_ecp_point_init(&q);
    mbedtls_mpi_init(&r);
    mbedtls_mpi_init(&s);
    bool ok = mbedtls_ecp_group_load(&group, k->group) == 0 && mbedtls_mpi_lset(&q.Z, 1) == 0 &&
              mbedtls_mpi_read_binary_le(&q.X, point, k->number) == 0 &&
              mbedtls_mpi_read_binary_le(&q.Y, point + k->number, k->number) == 0 &&
              mbedtls_mpi_read_binary_le(&r, signature, k->number) == 0 &&
              mbedtls_mpi_read_binary_le(&s, signature + k->number, k->number) == 0 &&
              mbedtls_ecp_check_pubkey(&group, &q) == 0 &&
              mbedtls_ecdsa_verify(&group, digest, k->digest, &q, &r, &s) == 0;
    mbedtls_ecp_group_free(&group);
    mbedtls_ecp_point_free(&q);
    mbedtls_mpi_free(&r);
    mbedtls_mpi_free(&s);
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
