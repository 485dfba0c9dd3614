/* SPDX-License-Identifier: Apache-2.0 */
#include "trust/signature.h"

#include <string.h>

#include "base/bytes.h"

#define DIGEST_AT 4u
#define CRC_AT    1196u
#define ERASED    0xFFu

static const struct otapult_signature_layout layouts[OTAPULT_SCHEMES] = {
    [OTAPULT_RSA_3072] = {{OTAPULT_SIGNATURE_MAGIC, 2, 0, 0}, 32, 36, 776, 0, 384, 812, 384},
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

void otapult_signature_seal(uint8_t block[OTAPULT_SIGNATURE_BLOCK])
{
    otapult_put_le32(block + CRC_AT, otapult_crc32(0, block, CRC_AT));
}

/* ---- a block ---- */

/* NULL: it has the form that every block must have, whichever tool made it. */
static const char *fault_of(const struct otapult_signature *s)
{
    const uint8_t *b = s->block;

    if (b[0] != OTAPULT_SIGNATURE_MAGIC)
        return "no signature block";
    if (otapult_le32(b + CRC_AT) != otapult_crc32(0, b, CRC_AT))
        return "its CRC is wrong";
    const struct otapult_signature_layout *l = otapult_signature_kind(b);
    if (l == NULL)
        return "a kind that is not known here";
    const size_t end = (size_t)l->signature_at + l->signature_size;
    if (!otapult_has_only(b + end, CRC_AT - end, 0) ||
        !otapult_has_only(b + CRC_AT + 4, OTAPULT_SIGNATURE_BLOCK - CRC_AT - 4, 0))
        return "bytes where zeros belong";
    if (l->digest_size == OTAPULT_SHA384_SIZE && s->trust == NULL)
        return NULL; /* nothing has hashed the bytes with SHA-384 */
    const uint8_t *digest = l->digest_size == OTAPULT_SHA384_SIZE ? s->sha384 : s->sha256;
    return memcmp(b + DIGEST_AT, digest, l->digest_size) == 0 ? NULL : "its digest is of other data";
}

/* NULL, or what is wrong with it; names the key where that is known. An empty block is not counted, so
 * `blocks` stays behind `pos` from the first empty one on: a block that comes then stands behind a gap. */
static const char *take_block(struct otapult_signature *s, uint32_t *key)
{
    if (s->block[0] == ERASED && s->blocks > 0)
        return otapult_has_only(s->block, sizeof s->block, ERASED) ? NULL : "bytes where 0xFF belongs";
    if (s->pos > (s->blocks + 1u) * OTAPULT_SIGNATURE_BLOCK)
        return "empty, and another follows";
    const char *fault = fault_of(s);
    if (fault == NULL && s->trust != NULL)
        fault = s->trust->verifier->check(s, key);
    if (fault == NULL)
        s->blocks++;
    return fault;
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

/* Takes n bytes that do not reach beyond the block they are in; behind the last block nothing but 0xFF may
 * stand. *key is the key that a fault is to name; 0: none. */
static const char *take(struct otapult_signature *s, const uint8_t *p, uint32_t n, uint32_t *key)
{
    const uint32_t into = s->pos % OTAPULT_SIGNATURE_BLOCK;
    const bool in_block = s->pos < OTAPULT_SIGNATURE_BLOCKS * OTAPULT_SIGNATURE_BLOCK;

    *key = 0;
    s->pos += n;
    if (!in_block)
        return otapult_has_only(p, n, ERASED) ? NULL : "bytes behind the last block";
    memcpy(s->block + into, p, n);
    return into + n == OTAPULT_SIGNATURE_BLOCK ? take_block(s, key) : NULL;
}

int otapult_signature_feed(struct otapult_signature *s, const uint8_t *p, size_t n,
                           struct otapult_finding *why)
{
    const char *fault = NULL;
    uint32_t key;

    if (n > OTAPULT_SIGNATURE_SECTOR - s->pos)
        return OTAPULT_E_INTERNAL;
    while (fault == NULL && n > 0) {
        const uint32_t room = OTAPULT_SIGNATURE_BLOCK - s->pos % OTAPULT_SIGNATURE_BLOCK;
        const uint32_t len = n < room ? (uint32_t)n : room;
        fault = take(s, p, len, &key);
        p += len;
        n -= len;
    }
    if (fault == NULL)
        return 0;
    *why = (struct otapult_finding){.got = s->blocks, .want = key, .text = fault};
    return OTAPULT_E_SIGNATURE_WRONG;
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
