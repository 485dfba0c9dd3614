/* SPDX-License-Identifier: Apache-2.0 */
#include "trust/sha256.h"

#define SHA256_SIZE 32u

void otapult_sha256_init(struct otapult_sha256 *h)
{
    h->op = psa_hash_operation_init();
    h->err = OTAPULT_OK;
    if (psa_crypto_init() != PSA_SUCCESS || psa_hash_setup(&h->op, PSA_ALG_SHA_256) != PSA_SUCCESS)
        h->err = OTAPULT_E_INTERNAL;
}

void otapult_sha256_feed(struct otapult_sha256 *h, const void *data, size_t len)
{
    if (h->err == OTAPULT_OK && psa_hash_update(&h->op, data, len) != PSA_SUCCESS)
        h->err = OTAPULT_E_INTERNAL;
}

int otapult_sha256_peek(const struct otapult_sha256 *h, uint8_t digest[SHA256_SIZE])
{
    psa_hash_operation_t copy = psa_hash_operation_init();
    size_t len;
    if (h->err != OTAPULT_OK)
        return h->err;
    if (psa_hash_clone(&h->op, &copy) == PSA_SUCCESS &&
        psa_hash_finish(&copy, digest, SHA256_SIZE, &len) == PSA_SUCCESS && len == SHA256_SIZE)
        return OTAPULT_OK;
    psa_hash_abort(&copy);
    return OTAPULT_E_INTERNAL;
}
