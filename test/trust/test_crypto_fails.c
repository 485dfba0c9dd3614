/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <gnutls/x509.h>
#include <stdlib.h>
#include <string.h>

#include "failing_crypto.h"
#include "login.h"
#include "oracle.h"
#include "ram_port.h"
#include "sample_image.h"
#include "signer.h"
#include "trust/certificate.h"
#include "trust/password.h"
#include "trust/sha256.h"
#include "trust/sha384.h"
#include "trust/signature.h"
#include "trust/users.h"

/* Each call of the crypto library fails once. Then there is no digest, no login, no identity and no right
 * signature; an error comes out, and never what only a call that worked may say. */

static struct ram_port board;

static int a_board(void **state)
{
    (void)state;
    ram_port_begin(&board);
    crypto_fails_at(0);
    return 0;
}

/* work() says whether it ended well. Returns how many calls it makes. */
static unsigned fail_each_call(bool (*work)(void))
{
    for (unsigned n = 1;; n++) {
        crypto_fails_at(n);
        bool good = work();
        if (crypto_calls() < n) {
            assert_true(good);
            crypto_fails_at(0);
            return n - 1;
        }
        if (good)
            fail_msg("call %u failed, and all is well", n);
    }
}

/* ---- digests ---- */

static bool sha256_of_two_pieces(void)
{
    static const uint8_t abc[4] = {0xba, 0x78, 0x16, 0xbf}; /* FIPS 180-4 */
    struct otapult_sha256 h;
    uint8_t digest[32];

    memset(&h, 0xA5, sizeof h);
    otapult_sha256_init(&h);
    otapult_sha256_feed(&h, "a", 1);
    otapult_sha256_feed(&h, "bc", 2);
    int err = otapult_sha256_peek(&h, digest);
    if (err == 0)
        assert_memory_equal(digest, abc, sizeof abc);
    else
        assert_int_equal(err, OTAPULT_E_INTERNAL);
    return err == 0;
}

static bool sha384_of_two_pieces(void)
{
    static const uint8_t abc[4] = {0xcb, 0x00, 0x75, 0x3f};
    struct otapult_sha384 h;
    uint8_t digest[OTAPULT_SHA384_SIZE];

    memset(&h, 0xA5, sizeof h);
    otapult_sha384_init(&h);
    otapult_sha384_feed(&h, "a", 1);
    otapult_sha384_feed(&h, "bc", 2);
    int err = otapult_sha384_finish(&h, digest);
    if (err == 0 && OTAPULT_P384)
        assert_memory_equal(digest, abc, sizeof abc);
    else
        assert_int_equal(err, OTAPULT_P384 ? OTAPULT_E_INTERNAL : 0);
    return err == 0;
}

static void a_digest_is_of_all_bytes_or_none(void **state)
{
    (void)state;
    assert_int_equal(fail_each_call(sha256_of_two_pieces), 6); /* init, setup, two pieces, a copy, its end */
    assert_int_equal(fail_each_call(sha384_of_two_pieces), OTAPULT_P384 ? 5 : 0);
}

/* ---- passwords and logins ---- */

static bool password_is_hashed(void)
{
    struct otapult_password p;

    int err = otapult_password_hash(&p, &board.port, "correct horse battery", 21);
    if (err != 0)
        assert_int_equal(err, OTAPULT_E_INTERNAL);
    return err == 0;
}

static struct otapult_password stored;

static bool password_is_right(void)
{
    return otapult_password_is(&stored, "correct horse", 13);
}

static void a_password_is_right_only_when_all_of_it_was_hashed(void **state)
{
    (void)state;
    stored = (struct otapult_password){.cost = 3, .salt = "salt"};
    assert_int_equal(
        otapult_pbkdf2((const uint8_t *)"correct horse", 13, stored.salt, sizeof stored.salt, 3, stored.hash),
        0);
    assert_int_equal(fail_each_call(password_is_right), 1 + 4 + 3 * 6);
    crypto_fails_at(0);
    for (unsigned n = 1; n < 40; n++) { /* the first rounds of many */
        crypto_fails_at(n);
        assert_false(password_is_hashed());
    }
}

static struct otapult_seal seal;
static struct otapult_users users;
static char session[OTAPULT_SECRET], token[OTAPULT_SECRET];

static bool show(void *app, const char *password)
{
    (void)app;
    (void)password;
    return true;
}

static bool opens_a_session(void)
{
    char id[OTAPULT_SECRET];

    return otapult_users_login(&users, login_owner(&users), id) == 0;
}

static bool makes_a_token(void)
{
    struct otapult_finding why;
    char id[OTAPULT_SECRET];

    int err = otapult_users_token_make(&users, "another", id, &why);
    struct otapult_token t;
    assert_int_equal(otapult_users_token_at(&users, 1, &t), err == 0);
    return err == 0;
}

static bool is_the_session(void)
{
    struct otapult_who who;
    return otapult_users_session(&users, session, 32, &who);
}

static bool is_the_token(void)
{
    struct otapult_who who;
    return otapult_users_token(&users, token, 32, &who);
}

static void nobody_gets_in_by_an_id_that_was_not_hashed(void **state)
{
    struct otapult_finding why;

    (void)state;
    otapult_seal_open(&seal, &board.port);
    otapult_users_start(&users, &seal, 1, show, NULL);
    assert_null(otapult_users_fault(&users));
    assert_int_equal(otapult_users_login(&users, login_owner(&users), session), 0);
    assert_int_equal(otapult_users_token_make(&users, "ci", token, &why), 0);
    assert_int_equal(fail_each_call(opens_a_session), 1);
    assert_int_equal(fail_each_call(is_the_session), 1);
    assert_true(is_the_token()); /* its first use is noted, which hashes for the seal */
    assert_int_equal(fail_each_call(is_the_token), 1);
    assert_true(fail_each_call(makes_a_token) > 1);
}

/* A seal that could not be computed fits nothing. */
static void what_cannot_be_hashed_is_locked(void **state)
{
    unsigned n = 1;

    (void)state;
    otapult_seal_open(&seal, &board.port);
    assert_int_equal(otapult_seal_set(&seal, "usr.pw1", "some value", 10), 0);
    for (;; n++) {
        crypto_fails_at(n);
        otapult_seal_open(&seal, &board.port);
        if (crypto_calls() < n)
            break;
        assert_non_null(seal.broken);
    }
    assert_null(seal.broken);
    assert_true(n > 4);
    for (n = 1;; n++) {
        crypto_fails_at(0);
        otapult_seal_open(&seal, &board.port);
        crypto_fails_at(n);
        int err = otapult_seal_set(&seal, "usr.pw1", "other", 5);
        if (crypto_calls() < n)
            break;
        assert_int_equal(err, OTAPULT_E_STORE);
        crypto_fails_at(0);
        otapult_seal_open(&seal, &board.port);
        assert_null(seal.broken); /* and nothing is damaged */
    }
    for (n = 1;; n++) {
        crypto_fails_at(n);
        int err = otapult_seal_renew(&seal);
        if (crypto_calls() < n)
            break;
        assert_int_equal(err, OTAPULT_E_STORE);
    }
}

/* ---- the identity ---- */

static const struct otapult_identity_for what = {NULL, NULL, 0};
static struct otapult_identity id;

/* To GnuTLS its public half is that of its private one. */
static void assert_key_is_right(void)
{
    const gnutls_datum_t der = {id.key, id.key_len};
    gnutls_x509_privkey_t key;

    assert_int_equal(gnutls_x509_privkey_init(&key), 0);
    assert_int_equal(gnutls_x509_privkey_import(key, &der, GNUTLS_X509_FMT_DER), 0);
    assert_int_equal(gnutls_x509_privkey_verify_params(key), 0);
    gnutls_x509_privkey_deinit(key);
}

/* All of it, or an error and nothing. The next start has one, and a key that was stored stays. */
static unsigned own_with_each_call_failing(const struct ram_port *before)
{
    static const struct otapult_identity none;
    struct otapult_finding why;
    char fingerprint[OTAPULT_FINGERPRINT];

    for (unsigned n = 1;; n++) {
        board = *before;
        board.port.ctx = &board;
        crypto_fails_at(n);
        int err = otapult_identity_own(&id, &board.port, &what, &why);
        unsigned calls = crypto_calls();
        crypto_fails_at(0);
        if (err != 0) {
            assert_memory_equal(&id, &none, sizeof id);
            assert_non_null(why.text);
        }
        struct otapult_identity first = id;
        assert_int_equal(otapult_identity_own(&id, &board.port, &what, &why), 0);
        if (err == 0) /* it is whole, for it is taken as it is */
            assert_memory_equal(&id, &first, sizeof id);
        assert_key_is_right();
        otapult_identity_fingerprint(&id, fingerprint);
        assert_int_equal(strlen(fingerprint), OTAPULT_FINGERPRINT - 1);
        if (calls < n)
            return n - 1;
    }
}

static void an_identity_is_whole_or_there_is_none(void **state)
{
    static struct ram_port fresh, later;
    char fingerprint[OTAPULT_FINGERPRINT];
    struct otapult_finding why;

    (void)state;
    fresh = board;
    assert_int_equal(otapult_identity_own(&id, &board.port, &what, &why), 0);
    later = board;
    assert_int_equal(own_with_each_call_failing(&fresh), 5); /* init, key, its point, digest, signature */
    assert_int_equal(own_with_each_call_failing(&later), 5); /* init, key, its point, digest, verification */
    crypto_fails_at(1);
    otapult_identity_fingerprint(&id, fingerprint);
    assert_string_equal(fingerprint, "");
}

/* Nobody can tell whether it is damaged then: it stays. */
static void a_key_that_crypto_does_not_read_is_not_dropped(void **state)
{
    struct otapult_finding why;
    bool dropped = true;
    size_t len;

    (void)state;
    assert_int_equal(otapult_identity_own(&id, &board.port, &what, &why), 0);
    crypto_fails_at(2); /* behind init: the key */
    assert_int_equal(otapult_identity_own(&id, &board.port, &what, &why), OTAPULT_E_INTERNAL);
    assert_string_equal(why.text, "crypto does not read the stored key");
    for (unsigned n = 1; n <= 2; n++) { /* the key, its point */
        crypto_fails_at(n);
        assert_int_equal(otapult_identity_drop_lost(&board.port, &dropped), OTAPULT_E_INTERNAL);
        assert_false(dropped);
    }
    assert_non_null(ram_port_value(&board, OTAPULT_IDENTITY_KEY, &len));
}

/* The library has room for 32. */
static void a_key_that_came_to_nothing_is_given_back(void **state)
{
    const struct ram_port fresh = board;
    struct otapult_finding why;

    (void)state;
    for (unsigned n = 0; n < 100; n++) {
        board = fresh;
        board.port.ctx = &board;
        crypto_fails_at(3); /* its point, once it is in */
        assert_int_equal(otapult_identity_own(&id, &board.port, &what, &why), 0); /* of the next number */
        board = fresh;
        board.port.ctx = &board;
        board.set_error = OTAPULT_E_STORE; /* and one that cannot be kept */
        assert_int_equal(otapult_identity_own(&id, &board.port, &what, &why), OTAPULT_E_STORE);
    }
}

/* ---- signatures ---- */

static struct signer s;
static uint8_t *file;
static size_t file_len;
static enum signer_key signed_by;

static bool signature_is_right(void)
{
    struct otapult_signature signature;
    struct otapult_finding why = {0};
    struct otapult_trust trust;
    uint8_t sha256[32], *sector = file + file_len - SIGNER_SECTOR;

    oracle_sha256(file, file_len - SIGNER_SECTOR, sha256);
    otapult_trust_init(&trust, (const uint8_t(*)[OTAPULT_KEY_DIGEST])s.digest[signed_by], 1);
    otapult_signature_init(&signature, &trust, sha256, sector + 4); /* P-384's digest stands in its block */
    int err = otapult_signature_feed(&signature, sector, SIGNER_SECTOR, &why);
    if (err == 0)
        err = otapult_signature_finish(&signature, &why);
    if (err != 0)
        assert_int_equal(err, OTAPULT_E_SIGNATURE_WRONG);
    return err == 0;
}

static void no_signature_is_right_that_was_not_verified(void **state)
{
    const struct sample_spec spec = {SAMPLE_DEFAULT, .size = 9000};
    size_t len;

    (void)state;
    uint8_t *image = sample_image(&spec, &len);
    signer_open(&s, OTAPULT_SOURCE_DIR "/test/support/signer.mjs");
    for (signed_by = 0; signed_by < SIGNER_KEYS; signed_by++) {
        file = signer_sign(&s, image, len, &signed_by, 1, &file_len);
        assert_int_equal(fail_each_call(signature_is_right), 3); /* whose key, the key, the verification */
        free(file);
    }
    signer_close(&s);
    free(image);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup(f, a_board)
    const struct CMUnitTest tests[] = {
        TEST(a_digest_is_of_all_bytes_or_none),
        TEST(a_password_is_right_only_when_all_of_it_was_hashed),
        TEST(nobody_gets_in_by_an_id_that_was_not_hashed),
        TEST(what_cannot_be_hashed_is_locked),
        TEST(an_identity_is_whole_or_there_is_none),
        TEST(a_key_that_crypto_does_not_read_is_not_dropped),
        TEST(a_key_that_came_to_nothing_is_given_back),
        TEST(no_signature_is_right_that_was_not_verified),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
