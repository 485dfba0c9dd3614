/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OTAPULT_TRUST_SIGNATURE_H
#define OTAPULT_TRUST_SIGNATURE_H

#include "trust/sha384.h"
#include "trust/trust.h"

/* The signature sector behind a signed image, in the format of Secure Boot V2: a stage over its 4096
 * bytes. Sources: ESP-IDF v6.0.2, bootloader_support/include/esp_secure_boot.h and the RSA and ECDSA
 * layouts of espsecure 5.6.0; checked against espsecure by `make interop`.
 *
 * Up to three blocks of 1216 bytes from the start of the sector, then 0xFF to its end. Every number in a
 * block is little-endian, also n and the signature, which other formats write the other way round.
 *
 *                    RSA-3072       ECDSA P-256      ECDSA P-384
 *   0    kind        E7 02 00 00    E7 03 00 00      E7 03 01 00
 *   4    digest      SHA-256, 32    SHA-256, 32      SHA-384, 48     of all bytes before the sector
 *        key         n 384 (at 36)  curve 2 (at 36)  curve 3 (at 52)
 *                    e 4            X 32, Y 32       X 48, Y 48
 *                    R^2 mod n 384
 *                    -1/n 4
 *        signature   384 (at 812)   r 32, s 32       r 48, s 48
 *                    PSS, salt 32   (at 101)         (at 149)
 *   …    zeros
 *   1196 CRC-32      of the 1196 bytes before it
 *   1200 zeros       16
 *
 * The key digest, SHA-256 over the bytes of the key as they stand here, is what eFuses and Otapult know
 * of a key.
 *
 * What is asked: each block is whole, of a known kind, with right CRC and the right digest; unused room
 * is 0xFF, zeros are zeros. With a trust: at least one block is of a trusted key, and every signature of
 * a trusted key is right. The sector itself is signed by nobody: a block of a key that is not trusted
 * proves nothing and changes nothing. */

#define OTAPULT_SIGNATURE_SECTOR 4096u
#define OTAPULT_SIGNATURE_BLOCK  1216u
#define OTAPULT_SIGNATURE_BLOCKS 3u
#define OTAPULT_SIGNATURE_MAGIC  0xE7u

struct otapult_signature {
    const struct otapult_trust *trust; /* NULL: only the form is asked for, and no SHA-384 */
    uint32_t pos;     /* bytes of the sector taken */
    uint8_t  blocks;  /* taken and in order */
    uint8_t  signers; /* trusted keys that have signed: one bit each, as otapult_trust_key() counts */
    uint8_t  standing; /* the best of the blocks' keys, and whose it is */
    uint8_t  standing_block;
    uint32_t standing_key;
    uint8_t  sha256[32], sha384[OTAPULT_SHA384_SIZE]; /* of the signed bytes */
    uint8_t  block[OTAPULT_SIGNATURE_BLOCK];
};

/* `sha384` counts only with a trust. Keeps the pointer to the trust, which must not change meanwhile. */
void otapult_signature_init(struct otapult_signature *s, const struct otapult_trust *trust,
                            const uint8_t sha256[32], const uint8_t sha384[OTAPULT_SHA384_SIZE]);

/* The next bytes of the sector, any split, never beyond its end. 0 or SIGNATURE_WRONG with *why: the
 * number of the block, what is wrong, the key. After an error it is to be fed no more. */
OTAPULT_MUST_CHECK int otapult_signature_feed(struct otapult_signature *s, const uint8_t *p, size_t n,
                                              struct otapult_finding *why);

/* The whole sector came. 0: with a trust, a trusted key has signed. SIGNATURE_WRONG: none has. */
OTAPULT_MUST_CHECK int otapult_signature_finish(const struct otapult_signature *s,
                                                struct otapult_finding *why);

/* The one there is; otapult_trust_init() puts it into every trust. */
extern const struct otapult_verifier otapult_verifier;

/* ---- blocks one by one, for tools that make them ---- */

enum otapult_signature_scheme { OTAPULT_RSA_3072, OTAPULT_ECDSA_P256, OTAPULT_ECDSA_P384, OTAPULT_SCHEMES };

/* Where in a block things are. */
struct otapult_signature_layout {
    uint8_t  kind[4];
    uint16_t digest_size;
    uint16_t key_at, key_size; /* what the key digest is over */
    uint8_t  curve;            /* the first byte of the key; 0: RSA */
    uint16_t number_size;      /* of n, or of a coordinate */
    uint16_t signature_at, signature_size;
};
const struct otapult_signature_layout *otapult_signature_layout(enum otapult_signature_scheme scheme);

/* The layout of a whole block; NULL: of no kind that is known here. */
const struct otapult_signature_layout *otapult_signature_kind(const uint8_t block[OTAPULT_SIGNATURE_BLOCK]);

/* Fills in the CRC. */
void otapult_signature_seal(uint8_t block[OTAPULT_SIGNATURE_BLOCK]);

/* The key digest of a block of a known kind. 0 or INTERNAL. */
OTAPULT_MUST_CHECK int otapult_signature_key(const uint8_t block[OTAPULT_SIGNATURE_BLOCK],
                                             uint8_t digest[OTAPULT_KEY_DIGEST]);

#endif
