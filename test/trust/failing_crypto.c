/* SPDX-License-Identifier: Apache-2.0 */
#include "failing_crypto.h"

#include <dlfcn.h>
#include <psa/crypto.h>
#include <stdbool.h>

static unsigned calls, fails_at, depth;

void crypto_fails_at(unsigned n)
{
    fails_at = n;
    calls = 0;
}

unsigned crypto_calls(void)
{
    return calls;
}

/* What the library calls of its own while one of its functions runs does not count. */
static bool is_the_one(void)
{
    return depth == 0 && ++calls == fails_at;
}

/* A function of the library: its name, what it takes, and that handed on. */
#define STANDS_BEFORE(name, takes, given)          \
    psa_status_t name takes                        \
    {                                              \
        psa_status_t(*real) takes;                 \
        *(void **)&real = dlsym(RTLD_NEXT, #name); \
        if (is_the_one())                          \
            return PSA_ERROR_HARDWARE_FAILURE;     \
        depth++;                                   \
        psa_status_t status = real given;          \
        depth--;                                   \
        return status;                             \
    }

STANDS_BEFORE(psa_crypto_init, (void), ())
STANDS_BEFORE(psa_hash_setup, (psa_hash_operation_t * op, psa_algorithm_t alg), (op, alg))
STANDS_BEFORE(psa_hash_update, (psa_hash_operation_t * op, const uint8_t *data, size_t len), (op, data, len))
STANDS_BEFORE(psa_hash_clone, (const psa_hash_operation_t *from, psa_hash_operation_t *to), (from, to))
STANDS_BEFORE(psa_hash_finish, (psa_hash_operation_t * op, uint8_t *hash, size_t size, size_t *len),
              (op, hash, size, len))
STANDS_BEFORE(psa_hash_compute,
              (psa_algorithm_t alg, const uint8_t *data, size_t data_len, uint8_t *hash, size_t size,
               size_t *len),
              (alg, data, data_len, hash, size, len))
STANDS_BEFORE(psa_import_key,
              (const psa_key_attributes_t *attributes, const uint8_t *data, size_t len,
               mbedtls_svc_key_id_t *key),
              (attributes, data, len, key))
STANDS_BEFORE(psa_export_public_key, (mbedtls_svc_key_id_t key, uint8_t *data, size_t size, size_t *len),
              (key, data, size, len))
STANDS_BEFORE(psa_sign_hash,
              (mbedtls_svc_key_id_t key, psa_algorithm_t alg, const uint8_t *hash, size_t hash_len,
               uint8_t *signature, size_t size, size_t *len),
              (key, alg, hash, hash_len, signature, size, len))
STANDS_BEFORE(psa_verify_hash,
              (mbedtls_svc_key_id_t key, psa_algorithm_t alg, const uint8_t *hash, size_t hash_len,
               const uint8_t *signature, size_t len),
              (key, alg, hash, hash_len, signature, len))
