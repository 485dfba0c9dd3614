/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>
#include <psa/crypto.h>

#include "update/self_test.h"
#include "world.h"

/* The self-test at start, on a device whose crypto library is broken. The functions below take the place of
 * the library's own in this program. */

static enum { RIGHT, ALWAYS_YES, ALWAYS_NO } verifies;
static bool hashes_nothing;

/* Right is what the samples of the self-test need: the last byte of the genuine signature. */
psa_status_t psa_verify_hash(psa_key_id_t key, psa_algorithm_t alg, const uint8_t *hash, size_t hash_length,
                             const uint8_t *signature, size_t signature_length)
{
    (void)key;
    (void)alg;
    (void)hash;
    (void)hash_length;
    assert_int_equal(signature_length, 64);
    bool genuine = signature[32] == 0x5A;
    return verifies == ALWAYS_YES || (verifies == RIGHT && genuine) ? PSA_SUCCESS
                                                                    : PSA_ERROR_INVALID_SIGNATURE;
}

/* Key digests of zeros: each key is every other key. */
psa_status_t psa_hash_compute(psa_algorithm_t alg, const uint8_t *input, size_t input_length, uint8_t *hash,
                              size_t hash_size, size_t *hash_length)
{
    psa_hash_operation_t op = psa_hash_operation_init();

    *hash_length = 32;
    if (hashes_nothing && alg == PSA_ALG_SHA_256) {
        for (size_t i = 0; i < 32; i++)
            hash[i] = 0;
        return PSA_SUCCESS;
    }
    if (psa_hash_setup(&op, alg) != PSA_SUCCESS || psa_hash_update(&op, input, input_length) != PSA_SUCCESS)
        return PSA_ERROR_GENERIC_ERROR;
    return psa_hash_finish(&op, hash, hash_size, hash_length);
}

static const uint8_t some_key[1][OTAPULT_KEY_DIGEST] = {{1, 2, 3, 4}};
static const uint8_t no_key[1][OTAPULT_KEY_DIGEST];

static const char *test_with(const uint8_t (*keys)[OTAPULT_KEY_DIGEST])
{
    static struct otapult_judge judge;
    static uint8_t scratch[OTAPULT_SIGNATURE_SECTOR];
    struct otapult_trust trust;

    otapult_trust_init(&trust, keys, 1);
    trust.least_security = UINT32_MAX; /* no security version is above the sample's */
    return otapult_self_test(&judge, scratch, &trust);
}

static void a_device_in_order_passes(void **state)
{
    (void)state;
    verifies = RIGHT;
    assert_null(test_with(some_key));
}

static void a_library_that_says_yes_to_everything_is_found(void **state)
{
    (void)state;
    verifies = ALWAYS_YES;
    assert_string_equal(test_with(some_key), "a wrong signature was taken");
}

static void a_library_that_says_no_to_everything_is_found(void **state)
{
    (void)state;
    verifies = ALWAYS_NO;
    assert_string_equal(test_with(some_key), "a right signature was refused");
}

static void keys_that_cannot_be_told_apart_are_found(void **state)
{
    (void)state;
    verifies = RIGHT;
    hashes_nothing = true;
    assert_string_equal(test_with(no_key), "a signature by an unknown key was taken");
    hashes_nothing = false;
}

static void configure(void *ctx, struct otapult_config *config)
{
    (void)ctx;
    config->secure = &otapult_secure;
    config->keys = some_key;
    config->key_count = 1;
}

/* The same on a whole device: updates are locked, everything else works. */
static void a_device_that_fails_takes_no_update(void **state)
{
    static struct world w;
    struct sample_spec spec = {SAMPLE_DEFAULT, .size = 9000};
    struct otapult_finding why;
    struct otapult_status status;
    uint32_t ticket;
    size_t len;
    uint8_t *image = sample_image(&spec, &len);

    (void)state;
    verifies = ALWAYS_YES;
    world_init(&w, WORLD_TWO_OTA, image, len);
    w.configure = configure;
    assert_true(world_boot(&w));
    otapult_status(w.ota, &status);
    assert_int_equal(status.trust_error, OTAPULT_E_LOCKED);
    assert_int_equal(otapult_begin(w.ota, (uint32_t)len, &ticket, &why), OTAPULT_E_LOCKED);
    assert_string_equal(why.text, "a wrong signature was taken");
    assert_int_equal(status.phase, OTAPULT_IDLE);

    verifies = RIGHT; /* the next start finds the library in order */
    world_pull_plug(&w);
    assert_true(world_boot(&w));
    assert_int_equal(otapult_begin(w.ota, (uint32_t)len, &ticket, &why), 0);
    world_end(&w);
    free(image);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_device_in_order_passes),
        cmocka_unit_test(a_library_that_says_yes_to_everything_is_found),
        cmocka_unit_test(a_library_that_says_no_to_everything_is_found),
        cmocka_unit_test(keys_that_cannot_be_told_apart_are_found),
        cmocka_unit_test(a_device_that_fails_takes_no_update),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
