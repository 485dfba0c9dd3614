/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OTAPULT_TRUST_SHA384_H
#define OTAPULT_TRUST_SHA384_H

#include <psa/crypto.h>

#include "otapult/error.h"

/* P-384 signatures are over SHA-384, so a stream that may carry one is hashed twice. 1: they are
 * understood, which is the default where PSA Crypto has both; a build may say 0. */
#ifndef OTAPULT_P384
#if defined(PSA_WANT_ALG_SHA_384) && defined(PSA_WANT_ECC_SECP_R1_384)
#define OTAPULT_P384 1
#else
#define OTAPULT_P384 0
#endif
#endif

#define OTAPULT_SHA384_SIZE 48u

#if OTAPULT_P384

/* SHA-384 as a stage. An error of PSA stays and comes out of finish(): OTAPULT_E_INTERNAL. */
struct otapult_sha384 {
    psa_hash_operation_t op;
    int                  err;
};

void otapult_sha384_init(struct otapult_sha384 *h);
void otapult_sha384_feed(struct otapult_sha384 *h, const void *data, size_t len);
/* The digest of all bytes; nothing may be fed afterwards. */
OTAPULT_MUST_CHECK int otapult_sha384_finish(struct otapult_sha384 *h, uint8_t digest[OTAPULT_SHA384_SIZE]);

#else

/* Nothing is hashed, and no block asks for the digest. */
struct otapult_sha384 {
    int err;
};

static inline void otapult_sha384_init(struct otapult_sha384 *h)
{
    h->err = OTAPULT_OK;
}

static inline void otapult_sha384_feed(struct otapult_sha384 *h, const void *data, size_t len)
{
    (void)h;
    (void)data;
    (void)len;
}

OTAPULT_MUST_CHECK static inline int otapult_sha384_finish(struct otapult_sha384 *h, uint8_t digest[OTAPULT_SHA384_SIZE])
{
    for (unsigned i = 0; i < OTAPULT_SHA384_SIZE; i++)
        digest[i] = 0;
    return h->err;
}

#endif
#endif
