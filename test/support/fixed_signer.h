/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TEST_FIXED_SIGNER_H
#define TEST_FIXED_SIGNER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "signer.h"

/* Signature blocks for fuzzing, and a second opinion on them. By nettle, which GnuTLS stands on: it shares
 * nothing with src/, nor with the mbedTLS below it. The keys are the same in every run, made from a fixed
 * seed when they are first asked for (about a second), so that an input that was found means the same
 * tomorrow. */

enum fixed_key { FIXED_RSA, FIXED_P256, FIXED_P384, FIXED_OTHER, FIXED_KEYS }; /* the last one a P-256, too */

/* What is signed: digests of the bytes before the sector. */
struct fixed_digests {
    uint8_t sha256[32], sha384[48];
};

/* The digest of a key, as the device knows it. */
const uint8_t *fixed_key_digest(enum fixed_key key);

/* A whole block, always the same. */
void fixed_signer_block(enum fixed_key key, const struct fixed_digests *d, uint8_t block[SIGNER_BLOCK]);

/* The key digest of a block of a known kind; false: it is of none. */
bool fixed_block_key(const uint8_t block[SIGNER_BLOCK], uint8_t digest[32]);

/* Must this sector be taken? With `trusted` (32 bytes each): by whom of them it must be signed is said in
 * src/trust/signature.h, and this is that text once more. Without, NULL: is its form right? */
bool fixed_sector_is_right(const uint8_t sector[SIGNER_SECTOR], const struct fixed_digests *d,
                           const uint8_t (*trusted)[32], size_t count);

#endif
