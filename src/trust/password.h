/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OTAPULT_TRUST_PASSWORD_H
#define OTAPULT_TRUST_PASSWORD_H

#include "otapult/port.h"

/* A password as it is stored, and how one is compared: PBKDF2-HMAC-SHA256 (RFC 8018) through PSA's hash
 * functions, because mbedTLS 2.28 has no PBKDF2 in PSA and 4.x has no other. */

/* Bytes. 64 is a block of SHA-256, which HMAC takes as it is. */
#define OTAPULT_PASSWORD_MIN 12u
#define OTAPULT_PASSWORD_MAX 64u

/* Iterations for a new password: about a second of an ESP32-S3, see `make bench`. Each stored password
 * says its own, so this may change. More than COST_MAX is taken for damage: it would stop the device. */
#define OTAPULT_PASSWORD_COST     10000u
#define OTAPULT_PASSWORD_COST_MAX 1000000u

/* The stored form is the struct: little-endian on every target. */
struct otapult_password {
    uint32_t cost;
    uint8_t  salt[16];
    uint8_t  hash[32];
};

/* A made password: 16 characters of 5 random bits, so 80 bits, in groups of four. Its alphabet leaves out
 * what looks alike: 0 and O, 1, I and l. */
#define OTAPULT_PASSWORD_TEXT 20 /* with its NUL */
OTAPULT_MUST_CHECK int otapult_password_make(const struct otapult_port *port, char text[OTAPULT_PASSWORD_TEXT]);

/* Salts and hashes `text` of MIN to MAX bytes without a NUL. PASSWORD_LENGTH, or INTERNAL (no random bytes, no crypto). */
OTAPULT_MUST_CHECK int otapult_password_hash(struct otapult_password *p, const struct otapult_port *port,
                                             const char *text, size_t len);

/* Is `text` the password? A text of 1 to MAX bytes without a NUL takes the same time whatever it is, also one shorter
 * than MIN. An empty or longer text, a NUL in it, a damaged `p` and a failing crypto are all no. */
bool otapult_password_is(const struct otapult_password *p, const char *text, size_t len);

/* PBKDF2-HMAC-SHA256 of one block: len at most 64, salt_len at most 64. */
OTAPULT_MUST_CHECK int otapult_pbkdf2(const uint8_t *password, size_t len, const uint8_t *salt,
                                      size_t salt_len, uint32_t cost, uint8_t out[32]);

#endif
