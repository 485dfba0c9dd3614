/* SPDX-License-Identifier: Apache-2.0 */
#include "trust/signature.h"

#include <psa/crypto.h>
#include <string.h>

#include "base/bytes.h"

#define DIGEST_AT 4u
#define N_AT      36u
#define N_SIZE    384u
#define E_AT      (N_AT + N_SIZE)
#define CRC_AT    1196u
#define ERASED    0xFFu

static const struct otapult_signature_layout layouts[OTAPULT_SCHEMES] = {
    [OTAPULT_RSA_3072] = {{OTAPULT_SIGNATURE_MAGIC, 2, 0, 0}, 32, N_AT, 776, 0, N_SIZE, 812, 384},
    [OTAPULT_ECDSA_P256] = {{OTAPULT_SIGNATURE_MAGIC, 3, 0, 0}, 32, 36, 65, 2, 32, 101, 64},
    [OTAPULT_ECDSA_P384] = {{OTAPULT_SIGNATURE_MAGIC, 3, 1, 0}, 48, 52, 97, 3, 48, 149, 96},
};

const struct otapult_signature_layout *otapult_signature_layout(enum otapult_signature_scheme scheme)
{
    return &layouts[scheme];
}

const struct otapult_signature_layout *otapult_signature_kind(const uint8_t block[OTAPULT_SIGNATURE_BLOCK])
{
    for (unsigned i = 0; i < OTAPULT_SCHEMES; i++) {
        const struct otapult_signature_layout *l = &layouts[i];
        bool same = memcmp(block, l->kind, sizeof l->kind) == 0 &&
                    (l->curve == 0 || block[l->key_at] == l->curve);
        if (same && (i != OTAPULT_ECDSA_P384 || OTAPULT_P384))
            return l;
    }
    return NULL;
}

static uint32_t crc32_of(const uint8_t *p, size_t n)
{
    uint32_t crc = UINT32_MAX;

    for (; n > 0; n--, p++) {
        crc ^= *p;
        for (int bit = 0; bit < 8; bit++)
            crc = crc >> 1 ^ (crc & 1 ? 0xEDB88320u : 0);
    }
    return ~crc;
}

void otapult_signature_seal(uint8_t block[OTAPULT_SIGNATURE_BLOCK])
{
    otapult_put_le32(block + CRC_AT, crc32_of(block, CRC_AT));
}

int otapult_signature_key(const uint8_t block[OTAPULT_SIGNATURE_BLOCK], uint8_t digest[OTAPULT_KEY_DIGEST])
{
    const struct otapult_signature_layout *l = otapult_signature_kind(block);
    size_t len = 0;

    if (l == NULL || psa_hash_compute(PSA_ALG_SHA_256, block + l->key_at, l->key_size, digest,
                                      OTAPULT_KEY_DIGEST, &len) != PSA_SUCCESS)
        return OTAPULT_E_INTERNAL;
    return len == OTAPULT_KEY_DIGEST ? 0 : OTAPULT_E_INTERNAL;
}

/* ---- verifying ---- */

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

/* RSAPublicKey of RFC 8017, written around the modulus: SEQUENCE, INTEGER n, INTEGER e. What stood before
 * and behind the modulus has served by now. */
static void prepare_rsa(uint8_t *block, struct verification *v)
{
    static const uint8_t head[] = {0x30, 0x82, 0x01, 0x00, 0x02, 0x82, 0x01, 0x81, 0x00};
    uint8_t e[5] = {0}, *at = block + N_AT - sizeof head, *end = block + E_AT;
    unsigned skip = 0;

    memcpy(e + 1, block + E_AT, 4);
    reverse(e + 1, 4);
    while (skip < sizeof e - 1 && e[skip] == 0 && e[skip + 1] < 0x80)
        skip++; /* as DER wants it: no zero in front but the one that keeps a number positive */
    reverse(block + N_AT, N_SIZE);
    memcpy(at, head, sizeof head);
    *end++ = 0x02;
    *end++ = (uint8_t)(sizeof e - skip);
    memcpy(end, e + skip, sizeof e - skip);
    end += sizeof e - skip;
    at[3] = (uint8_t)(end - at - 4 - 0x100);

    v->type = PSA_KEY_TYPE_RSA_PUBLIC_KEY;
    v->bits = N_SIZE * 8;
    v->alg = PSA_ALG_RSA_PSS(PSA_ALG_SHA_256);
    v->key = at;
    v->key_len = (size_t)(end - at);
    reverse(block + layouts[OTAPULT_RSA_3072].signature_at, layouts[OTAPULT_RSA_3072].signature_size);
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
        prepare_rsa(s->block, &v);
    else
        prepare_ecdsa(l, s->block, &v);
    return holds(&v);
}

/* ---- a block ---- */

static int refuse(const struct otapult_signature *s, struct otapult_finding *why, const char *text,
                  uint32_t key)
{
    *why = (struct otapult_finding){.got = s->blocks, .want = key, .text = text};
    return OTAPULT_E_SIGNATURE_WRONG;
}

static bool has_only(const uint8_t *p, size_t n, uint8_t value)
{
    for (size_t i = 0; i < n; i++)
        if (p[i] != value)
            return false;
    return true;
}

/* NULL: as every block must be, whoever made it. */
static const char *fault_of(const struct otapult_signature *s)
{
    const uint8_t *b = s->block;

    if (b[0] != OTAPULT_SIGNATURE_MAGIC)
        return "no signature block";
    if (otapult_le32(b + CRC_AT) != crc32_of(b, CRC_AT))
        return "its CRC is wrong";
    const struct otapult_signature_layout *l = otapult_signature_kind(b);
    if (l == NULL)
        return "a kind that is not known here";
    const size_t end = (size_t)l->signature_at + l->signature_size;
    if (!has_only(b + end, CRC_AT - end, 0) ||
        !has_only(b + CRC_AT + 4, OTAPULT_SIGNATURE_BLOCK - CRC_AT - 4, 0))
        return "bytes where zeros belong";
    if (l->digest_size == OTAPULT_SHA384_SIZE && s->trust == NULL)
        return NULL;
    const uint8_t *digest = l->digest_size == OTAPULT_SHA384_SIZE ? s->sha384 : s->sha256;
    return memcmp(b + DIGEST_AT, digest, l->digest_size) == 0 ? NULL : "its digest is of other data";
}

/* What the key of the block is to us, when it is no trusted one: the best word is kept for the end. */
static void keep_standing(struct otapult_signature *s, enum otapult_standing standing, uint32_t key)
{
    if (s->standing_key != 0 && standing <= s->standing)
        return;
    s->standing = (uint8_t)standing;
    s->standing_block = s->blocks;
    s->standing_key = key;
}

static int ask_trust(struct otapult_signature *s, struct otapult_finding *why)
{
    uint8_t digest[OTAPULT_KEY_DIGEST];
    unsigned n = 0;

    if (otapult_signature_key(s->block, digest) != 0)
        return refuse(s, why, "its key cannot be read", 0);
    enum otapult_standing standing = otapult_trust_ask(s->trust, digest, &n);
    keep_standing(s, standing, otapult_key_id(digest));
    if (standing != OTAPULT_KEY_TRUSTED)
        return 0;
    if (!verify(s, otapult_signature_kind(s->block)))
        return refuse(s, why, "the signature is wrong, key", otapult_key_id(digest));
    s->signers |= (uint8_t)(1u << n);
    return 0;
}

static int take_block(struct otapult_signature *s, struct otapult_finding *why)
{
    if (s->block[0] == ERASED && s->blocks > 0)
        return has_only(s->block, sizeof s->block, ERASED) ? 0
                                                           : refuse(s, why, "bytes where 0xFF belongs", 0);
    if (s->pos > (s->blocks + 1u) * OTAPULT_SIGNATURE_BLOCK)
        return refuse(s, why, "empty, and another follows", 0);
    const char *fault = fault_of(s);
    if (fault != NULL)
        return refuse(s, why, fault, 0);
    int err = s->trust != NULL ? ask_trust(s, why) : 0;
    s->blocks++;
    return err;
}

/* ---- the stage ---- */

void otapult_signature_init(struct otapult_signature *s, const struct otapult_trust *trust,
                            const uint8_t sha256[32], const uint8_t sha384[OTAPULT_SHA384_SIZE])
{
    memset(s, 0, sizeof *s);
    s->trust = trust;
    memcpy(s->sha256, sha256, sizeof s->sha256);
    memcpy(s->sha384, sha384, sizeof s->sha384);
}

/* The room behind the last block. */
static int take_tail(struct otapult_signature *s, const uint8_t *p, size_t n, struct otapult_finding *why)
{
    s->pos += (uint32_t)n;
    return has_only(p, n, ERASED) ? 0 : refuse(s, why, "bytes behind the last block", 0);
}

int otapult_signature_feed(struct otapult_signature *s, const uint8_t *p, size_t n,
                           struct otapult_finding *why)
{
    const uint32_t tail_at = OTAPULT_SIGNATURE_BLOCKS * OTAPULT_SIGNATURE_BLOCK;
    int err = 0;

    while (err == 0 && n > 0 && s->pos < tail_at) {
        const uint32_t have = s->pos % OTAPULT_SIGNATURE_BLOCK, room = OTAPULT_SIGNATURE_BLOCK - have;
        const uint32_t len = n < room ? (uint32_t)n : room;
        memcpy(s->block + have, p, len);
        s->pos += len;
        p += len;
        n -= len;
        if (len == room)
            err = take_block(s, why);
    }
    if (err == 0 && n > OTAPULT_SIGNATURE_SECTOR - s->pos)
        return OTAPULT_E_INTERNAL;
    return err == 0 && n > 0 ? take_tail(s, p, n, why) : err;
}

static const char *const standing_words[] = {
    [OTAPULT_KEY_UNKNOWN] = "unknown key",
    [OTAPULT_KEY_PUBLIC] = "a published test key,",
    [OTAPULT_KEY_REVOKED] = "revoked key",
};

int otapult_signature_finish(const struct otapult_signature *s, struct otapult_finding *why)
{
    if (s->pos == OTAPULT_SIGNATURE_SECTOR && s->blocks > 0 && (s->trust == NULL || s->signers != 0))
        return 0;
    bool named = s->standing < OTAPULT_KEY_TRUSTED;
    *why = (struct otapult_finding){.got = s->standing_block,
                                    .want = named ? s->standing_key : 0,
                                    .text = named ? standing_words[s->standing] : "not whole"};
    return OTAPULT_E_SIGNATURE_WRONG;
}
