/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OTAPULT_TRUST_CERTIFICATE_H
#define OTAPULT_TRUST_CERTIFICATE_H

#include "otapult/port.h"

/* The device's own identity towards browsers: a P-256 key, and an X.509 certificate that it signs itself.
 * Made at the first start, kept in the key-value store, the same ever after.
 *
 *   tls.key            the key: ECPrivateKey (RFC 5915), DER, with curve and public key
 *   tls.crta … .crtd   the certificate, DER, 256 bytes each; the first that is shorter is its end
 *
 * Only what serves HTTPS asks for it: firmware of the open profile does not link it.
 *
 * The certificate is version 3, ECDSA with SHA-256, 16 random bytes for a number, valid from 2025 (before
 * any device, which has no clock) to the end of time (RFC 5280's 99991231235959Z), for digital signatures
 * of a server, with "localhost", the names and the addresses as its alternative names.
 *
 * Why DER is written here and not by mbedTLS: of mbedTLS Otapult uses PSA Crypto alone, and its certificate
 * writer differs in 2.28, 3.x and 4.x in the functions' arguments. Why the random bytes are the port's and
 * not PSA's own: the port answers for them, or gives an error; ESP-IDF's PSA is seeded whenever somebody
 * first calls it, radio on or not. So the key is a random number, refused where it is not below the curve's
 * order, and the signature is deterministic (RFC 6979): it needs no random number that could give the key
 * away. */

#define OTAPULT_IDENTITY_KEY   "tls.key"
#define OTAPULT_IDENTITY_PART  256u /* a value of the store */
#define OTAPULT_IDENTITY_PARTS 4u   /* of a certificate; the last is never full */

struct otapult_identity {
    uint8_t  key[OTAPULT_IDENTITY_PART];
    uint8_t  certificate[OTAPULT_IDENTITY_PARTS * OTAPULT_IDENTITY_PART];
    uint16_t key_len, certificate_len;
};

/* What a new certificate is for. */
struct otapult_identity_for {
    const char *const *names;         /* "rover.local"; the first is its subject; NULL behind the last. May
                                       * be NULL */
    const uint8_t (*addresses)[16];   /* IPv6, or IPv4 as ::ffff:a.b.c.d */
    size_t address_count;
};

/* The identity out of the store, or a new one, stored. A certificate that is damaged, or not this key's, is
 * made again for the same key. A key that is damaged or lost is an error, so that nobody's trust in the old one
 * goes to a new one unseen: the owner's new password (otapult_new_password()) removes what is left of it.
 * STORE, INTERNAL (no random bytes, or crypto does not work); why->text says which, and *id is all zero.
 * Blocks for a few accesses to the store, at most two signatures and one verification. */
OTAPULT_MUST_CHECK int otapult_identity_own(struct otapult_identity *id, const struct otapult_port *port,
                                            const struct otapult_identity_for *what,
                                            struct otapult_finding *why);

/* The owner's own act: removes a key that is lost or damaged, so that the next start makes another; one that is whole
 * stays. STORE: it could not be removed; INTERNAL: crypto does not work, so nobody can tell, and it stays. */
OTAPULT_MUST_CHECK int otapult_identity_drop_lost(const struct otapult_port *port, bool *dropped);

/* SHA-256 of the certificate as browsers show it: "AB:CD:…". Empty where crypto does not work. */
#define OTAPULT_FINGERPRINT 96u
void otapult_identity_fingerprint(const struct otapult_identity *id, char text[OTAPULT_FINGERPRINT]);

#endif
