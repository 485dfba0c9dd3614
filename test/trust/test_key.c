/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <psa/crypto.h>
#include <stdio.h>
#include <string.h>

#include "trust/key.h"
#include "trust/sha384.h"
#include "trust/trust.h"

/* Digests of keys, as they are written and as they are counted. */

#define A "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
#define B "FFEEDDCCBBAA99887766554433221100ffeeddccbbaa99887766554433221100"

static uint8_t keys[3][OTAPULT_KEY_DIGEST];
static size_t count;

static bool read(const char *text)
{
    count = 0;
    return otapult_read_digests(text, keys, 3, &count);
}

static void digests_are_read_with_commas_between(void **state)
{
    (void)state;
    assert_true(read(A));
    assert_int_equal(count, 1);
    assert_int_equal(keys[0][31], 0x1F);
    assert_true(read(A "," B "," A));
    assert_int_equal(count, 3);
    assert_int_equal(keys[1][0], 0xFF);
    assert_int_equal(keys[2][1], 1);
    count = 2;
    assert_true(otapult_read_digests(B, keys, 3, &count)); /* behind those that are there */
    assert_int_equal(count, 3);
    assert_int_equal(keys[2][0], 0xFF);
}

static void what_is_no_list_of_digests_is_refused(void **state)
{
    static const char *const texts[] = {"",      "00",  A "0",    A ",", A "," A "," A "," A,
                                        A ";" B, "," A, A ",," B, A " ", "g" A};

    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        assert_false(read(texts[i]));
}

static void three_built_in_keys_hide_no_learned_one(void **state)
{
    static const uint8_t built_in[3][OTAPULT_KEY_DIGEST] = {{1}, {2}, {3}};
    struct otapult_trust t = {.built_in = built_in, .built_in_count = 3, .usable = 5, .stored_count = 1};

    (void)state;
    t.stored[0][0] = 4;
    assert_ptr_equal(otapult_trust_key(&t, 0), built_in[0]);
    assert_null(otapult_trust_key(&t, 1)); /* not usable */
    assert_ptr_equal(otapult_trust_key(&t, 2), built_in[2]);
    assert_ptr_equal(otapult_trust_key(&t, 3), t.stored[0]);
    assert_null(otapult_trust_key(&t, 4));
    assert_int_equal(otapult_trust_count(&t), 3);
}

static void a_key_that_is_built_in_and_stored_counts_once(void **state)
{
    static const uint8_t built_in[3][OTAPULT_KEY_DIGEST] = {{1}, {2}, {3}};
    struct otapult_trust t = {.built_in = built_in, .built_in_count = 3, .usable = 7, .stored_count = 2};
    unsigned n;

    (void)state;
    t.stored[0][0] = 2;
    t.stored[1][0] = 4;
    assert_int_equal(otapult_trust_count(&t), 4);
    assert_int_equal(otapult_trust_ask(&t, t.stored[0], &n), OTAPULT_KEY_TRUSTED);
    assert_int_equal(n, 1);
    t.usable = 5; /* it is stored, whatever the firmware says */
    assert_int_equal(otapult_trust_count(&t), 4);
}

/* Whatever was in its memory. */
static void trust_begins_with_the_keys_of_the_firmware_alone(void **state)
{
    static const uint8_t built_in[4][OTAPULT_KEY_DIGEST] = {{1}, {2}, {3}, {4}};
    struct otapult_trust t;

    (void)state;
    for (unsigned named = 0; named <= 4; named++) { /* of a fourth there is no room */
        memset(&t, 0xA5, sizeof t);
        otapult_trust_init(&t, built_in, named);
        assert_int_equal(otapult_trust_count(&t), named < 3 ? named : 3);
        assert_int_equal(t.least_security, 0);
        for (unsigned n = 0; n < 4; n++)
            assert_int_equal(otapult_trust_ask(&t, built_in[n], NULL),
                             n < named && n < 3 ? OTAPULT_KEY_TRUSTED : OTAPULT_KEY_UNKNOWN);
    }
}

static void revoked_keys_are_told_from_unknown_ones(void **state)
{
    struct otapult_trust t = {.revoked_count = OTAPULT_REVOKED_MAX};
    uint8_t key[OTAPULT_KEY_DIGEST] = {1, 2, 3, 0};

    (void)state;
    for (uint8_t i = 0; i < OTAPULT_REVOKED_MAX; i++)
        t.revoked_id[i] = 0x01020300u + i;
    for (key[3] = 0; key[3] < OTAPULT_REVOKED_MAX; key[3]++)
        assert_int_equal(otapult_trust_ask(&t, key, NULL), OTAPULT_KEY_REVOKED);
    assert_int_equal(otapult_trust_ask(&t, key, NULL), OTAPULT_KEY_UNKNOWN);
}

static void a_key_is_called_by_its_first_four_bytes(void **state)
{
    static const uint8_t key[OTAPULT_KEY_DIGEST] = {0x12, 0x34, 0x56, 0x78, 0x9A};
    static const uint8_t zeros[OTAPULT_KEY_DIGEST] = {0, 0, 0, 0, 0x9A},
                         one[OTAPULT_KEY_DIGEST] = {0, 0, 0, 1};

    (void)state;
    assert_int_equal(otapult_key_id(key), 0x12345678);
    assert_int_equal(otapult_key_id(one), 1);
    assert_int_equal(otapult_key_id(zeros), 1); /* 0 is no key's */
}

/* All bytes of the list count, and each key of it. */
static void every_published_key_is_known(void **state)
{
    static const uint8_t published[][8] = {
#define BYTES(...)  \
    {               \
        __VA_ARGS__ \
    }
#define OTAPULT_PUBLIC_KEY(bytes, source) bytes,
#include "trust/public_keys.def"
    };

    (void)state;
    for (size_t i = 0; i < sizeof published / sizeof *published; i++) {
        uint8_t digest[OTAPULT_KEY_DIGEST] = {0};
        memcpy(digest, published[i], 8);
        assert_true(otapult_key_is_public(digest));
        digest[8] = 1;
        assert_true(otapult_key_is_public(digest));
        for (unsigned byte = 0; byte < 8; byte++) {
            digest[byte] ^= 1;
            assert_false(otapult_key_is_public(digest));
            digest[byte] ^= 1;
        }
    }
}

/* FIPS 180-4's example, over memory that is not zero. */
static void sha384_begins_anew_whatever_was_there(void **state)
{
#if OTAPULT_P384
    static const uint8_t first[8] = {0xcb, 0x00, 0x75, 0x3f, 0x45, 0xa3, 0x5e, 0x8b};
    struct otapult_sha384 h;
    uint8_t digest[OTAPULT_SHA384_SIZE];

    memset(&h, 0xA5, sizeof h);
    otapult_sha384_init(&h);
    otapult_sha384_feed(&h, "abc", 3);
    assert_int_equal(otapult_sha384_finish(&h, digest), 0);
    assert_memory_equal(digest, first, sizeof first);
#endif
    (void)state;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(digests_are_read_with_commas_between),
        cmocka_unit_test(what_is_no_list_of_digests_is_refused),
        cmocka_unit_test(three_built_in_keys_hide_no_learned_one),
        cmocka_unit_test(a_key_that_is_built_in_and_stored_counts_once),
        cmocka_unit_test(trust_begins_with_the_keys_of_the_firmware_alone),
        cmocka_unit_test(revoked_keys_are_told_from_unknown_ones),
        cmocka_unit_test(a_key_is_called_by_its_first_four_bytes),
        cmocka_unit_test(every_published_key_is_known),
        cmocka_unit_test(sha384_begins_anew_whatever_was_there),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
