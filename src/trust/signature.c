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

static int ask_trust(struct otapult_signature *s, struct otapult_finding *why)
{
    uint32_t key = 0;
    const char *fault = s->trust->verifier->check(s, &key);

    return fault == NULL ? 0 : refuse(s, why, fault, key);
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
