/* SPDX-License-Identifier: Apache-2.0 */
#include <psa/crypto.h>
#include <string.h>

#include "fixed_signer.h"
#include "fuzz.h"
#include "trust/signature.h"

/* The stage over the signature sector against a second opinion, which shares no code with it: what a device
 * takes must be exactly what the format's description says, whatever the split. The sector's end is where
 * memory ends, and a stage must not hold a pointer into what it was fed.
 *
 * Input: split; who is trusted (bits, below); then the sector. */
#define SETTINGS 2u
enum { TRUST_RSA = 1, TRUST_P256 = 2, TRUST_P384 = 4, REVOKED = 8, OWN_KEYS = 16, WITHOUT_TRUST = 32 };

static const struct fixed_digests signed_bytes = {"what was signed, by its SHA-256",
                                                  "and the same image once more, by its SHA-384..."};

struct stage {
    struct otapult_signature signature;
    struct otapult_finding why;
    int err;
};

/* ---- who is trusted ---- */

static uint8_t keys[3][OTAPULT_KEY_DIGEST];
static size_t key_count;

/* Only what can be a key of the block's owner: three at most, as a device has. */
static void choose_keys(uint8_t settings, const uint8_t *sector, size_t len)
{
    key_count = 0;
    if (settings & OWN_KEYS) { /* then no key has to be known to get deep */
        for (size_t at = 0; at + SIGNER_BLOCK <= len && key_count < 3; at += SIGNER_BLOCK)
            key_count += fixed_block_key(sector + at, keys[key_count]);
        return;
    }
    for (unsigned k = FIXED_RSA; k <= FIXED_P384; k++)
        if (settings & (1u << k))
            memcpy(keys[key_count++], fixed_key_digest((enum fixed_key)k), sizeof keys[0]);
}

static void make_trust(struct otapult_trust *trust, uint8_t settings)
{
    otapult_trust_init(trust, (const uint8_t(*)[OTAPULT_KEY_DIGEST])keys, key_count);
    if ((settings & REVOKED) == 0 || key_count == 0)
        return;
    trust->usable &= (uint8_t)~1u; /* the first of them is revoked: it counts for nothing */
    trust->revoked_id[trust->revoked_count++] = otapult_key_id(keys[0]);
    memset(keys[0], 0, sizeof keys[0]);
}

/* ---- the stage ---- */

static int feed(void *stage, const uint8_t *p, size_t n)
{
    struct stage *s = stage, moved = *s; /* it may be copied at any byte */

    moved.err = otapult_signature_feed(&moved.signature, p, n, &moved.why);
    *s = moved;
    return s->err;
}

static void take(struct stage *s, const struct otapult_trust *trust, const uint8_t *sector, size_t len,
                 uint8_t split)
{
    memset(s, 0, sizeof *s);
    otapult_signature_init(&s->signature, trust, signed_bytes.sha256, signed_bytes.sha384);
    s->err = fuzz_feed_pieces(feed, s, sector, len, split);
    if (s->err == 0)
        s->err = otapult_signature_finish(&s->signature, &s->why);
    FUZZ_EXPECT(s->err == 0 || s->err == OTAPULT_E_SIGNATURE_WRONG);
}

/* Whose blocks they are, one bit a trusted key. */
static unsigned signers_of(const uint8_t *sector)
{
    uint8_t digest[OTAPULT_KEY_DIGEST];
    unsigned signers = 0;

    for (size_t at = 0; at < 3 * SIGNER_BLOCK; at += SIGNER_BLOCK)
        for (unsigned k = 0; k < key_count && fixed_block_key(sector + at, digest); k++)
            if (memcmp(digest, keys[k], sizeof digest) == 0) {
                signers |= 1u << k;
                break;
            }
    return signers;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct stage s, again;
    struct otapult_trust trust;

    if (size < SETTINGS || size - SETTINGS > SIGNER_SECTOR || psa_crypto_init() != PSA_SUCCESS)
        return 0;
    const uint8_t *sector = data + SETTINGS;
    const size_t len = size - SETTINGS;
    const bool whole = len == SIGNER_SECTOR, asks = (data[1] & WITHOUT_TRUST) == 0;

    choose_keys(data[1], sector, len);
    make_trust(&trust, data[1]);
    take(&s, asks ? &trust : NULL, sector, len, data[0]);
    FUZZ_EXPECT((s.err == 0) ==
                (whole && fixed_sector_is_right(sector, &signed_bytes,
                                                asks ? (const uint8_t(*)[32])keys : NULL, key_count)));
    FUZZ_EXPECT(s.err != 0 || !asks || s.signature.signers == signers_of(sector));

    if (asks && data[0] % 4 != 1) /* a verification costs milliseconds */
        return 0;
    take(&again, asks ? &trust : NULL, sector, len, 0);
    FUZZ_EXPECT(again.err == s.err);
    FUZZ_EXPECT(again.why.text == s.why.text && again.why.got == s.why.got && again.why.want == s.why.want);
    return 0;
}

/* ---- mutations that get deep ---- */

/* A right block in the place of one that is there. */
static void place(uint8_t *block, uint32_t which)
{
    static uint8_t blocks[FIXED_KEYS][SIGNER_BLOCK];

    if (blocks[0][0] == 0)
        for (unsigned k = 0; k < FIXED_KEYS; k++)
            fixed_signer_block((enum fixed_key)k, &signed_bytes, blocks[k]);
    memcpy(block, blocks[which % FIXED_KEYS], SIGNER_BLOCK);
}

/* The digest right, zeros where they belong, the CRC. `keep` says what stays wrong, one bit each. */
static void mend(uint8_t *block, uint32_t keep)
{
    const bool p384 = block[1] == 3 && block[2] == 1;
    const size_t end = block[1] == 2 ? 1196 : p384 ? 245 : 165;

    if ((keep & 1) == 0)
        memcpy(block + 4, p384 ? signed_bytes.sha384 : signed_bytes.sha256, p384 ? 48 : 32);
    if ((keep & 2) == 0) {
        memset(block + end, 0, 1196 - end);
        memset(block + 1200, 0, 16);
    }
    if ((keep & 4) == 0)
        signer_seal(block);
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned int seed)
{
    uint32_t state = seed, how = fuzz_random(&state);
    uint8_t *sector = data + SETTINGS;

    size = LLVMFuzzerMutate(data, size, max_size);
    if (how % 8 == 0 || max_size < SETTINGS + SIGNER_SECTOR || size < SETTINGS)
        return size;
    if (size < SETTINGS + SIGNER_SECTOR)
        memset(data + size, 0xFF, SETTINGS + SIGNER_SECTOR - size);
    for (uint32_t n = 0; n < 3; n++, how = fuzz_random(&state)) {
        uint8_t *block = sector + n * SIGNER_BLOCK;
        if (how % 8 == 1)
            place(block, how >> 8);
        if (how % 16 == 2)
            memset(block, 0xFF, SETTINGS + SIGNER_SECTOR - (size_t)(block - data));
        if (block[0] == 0xE7)
            mend(block, how >> 16 & how >> 20 & how >> 24);
    }
    if (how % 8 != 3)
        memset(sector + 3 * SIGNER_BLOCK, 0xFF, SIGNER_SECTOR - 3 * SIGNER_BLOCK);
    return SETTINGS + SIGNER_SECTOR;
}
