/* SPDX-License-Identifier: Apache-2.0 */
#include "trust/sha384.h"

#if OTAPULT_P384

void otapult_sha384_init(struct otapult_sha384 *h)
{
    h->op = psa_hash_operation_init();
    h->err = OTAPULT_OK;
    if (psa_crypto_init() != PSA_SUCCESS || psa_hash_setup(&h->op, PSA_ALG_SHA_384) != PSA_SUCCESS)
        h->err = OTAPULT_E_INTERNAL;
}

void otapult_sha384_feed(struct otapult_sha384 *h, const void *data, size_t len)
{
    if (h->err == OTAPULT_OK && psa_hash_update(&h->op, data, len) != PSA_SUCCESS)
        h->err = OTAPULT_E_INTERNAL;
}

int otapult_sha384_finish(struct otapult_sha384 *h, uint8_t digest[OTAPULT_SHA384_SIZE])
{
    size_t len = 0;

    if (h->err != OTAPULT_OK || psa_hash_finish(&h->op, digest, OTAPULT_SHA384_SIZE, &len) != PSA_SUCCESS ||
        len != OTAPULT_SHA384_SIZE)
        h->err = OTAPULT_E_INTERNAL;
    return h->err;
}

#else

typedef int otapult_no_sha384; /* ISO C wants something in every file */

#endif
