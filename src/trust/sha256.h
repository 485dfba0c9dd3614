/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OTAPULT_TRUST_SHA256_H
#define OTAPULT_TRUST_SHA256_H

#include <psa/crypto.h>

#include "otapult/error.h"

/* SHA-256 as a stage, through PSA Crypto: the one API that mbedTLS 2.28, 3.x and 4.x all have. An error
 * of PSA stays and comes out of the digest: OTAPULT_E_INTERNAL. init() starts PSA where nothing has yet. */
struct otapult_sha256 {
    psa_hash_operation_t op;
    int                  err;
};

void otapult_sha256_init(struct otapult_sha256 *h);
void otapult_sha256_feed(struct otapult_sha256 *h, const void *data, size_t len);
/* The digest of all bytes so far; more may be fed afterwards. */
OTAPULT_MUST_CHECK int otapult_sha256_peek(const struct otapult_sha256 *h, uint8_t digest[32]);

#endif
