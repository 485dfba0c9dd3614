/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TEST_SIGNER_H
#define TEST_SIGNER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Signed images for tests. Keys and signatures are made by test/support/signer.mjs, with Node's crypto, and
 * share no code with what is tested. Anything that fails aborts the program. */

#define SIGNER_BLOCK  1216u
#define SIGNER_SECTOR 4096u

enum signer_key { SIGNER_RSA, SIGNER_OTHER, SIGNER_P256, SIGNER_P384, SIGNER_KEYS };

struct signer {
    const char *script; /* signer.mjs */
    char    folder[64];
    uint8_t digest[SIGNER_KEYS][32]; /* of each key */
};

/* Makes a key of each kind, new ones each time; takes a second or two. */
void signer_open(struct signer *s, const char *script);
void signer_close(struct signer *s);

/* The block by `key` over data[len]. salt: of RSA-PSS, 32 as it should be. */
void signer_block(const struct signer *s, enum signer_key key, const uint8_t *data, size_t len, unsigned salt,
                  uint8_t block[SIGNER_BLOCK]);

/* A copy of image[len] with room for more: padded with 0xFF to whole sectors, *padded_len bytes, and an
 * empty sector behind it. The caller frees it. */
uint8_t *signer_pad(const uint8_t *image, size_t len, size_t *padded_len);

/* image[len] signed with keys[count], at most three: *out_len bytes. The caller frees it. */
uint8_t *signer_sign(const struct signer *s, const uint8_t *image, size_t len, const enum signer_key *keys,
                     unsigned count, size_t *out_len);

/* Sets the CRC of a block right. Own code, bit by bit. */
void signer_seal(uint8_t block[SIGNER_BLOCK]);

#endif
