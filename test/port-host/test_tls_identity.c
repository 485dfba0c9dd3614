/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "ram_port.h"
#include "tls_identity.h"

static struct ram_port board;
static struct tls_identity id;
static const char *const names[] = {"rover.local", "rover", NULL};

static int a_device(void **state)
{
    (void)state;
    ram_port_begin(&board);
    return 0;
}

static int forget(void **state)
{
    (void)state;
    tls_identity_free(&id);
    return 0;
}

static bool make(void)
{
    tls_identity_free(&id);
    return tls_identity_own(&id, &board.port, names);
}

static void assert_refused(const char *why)
{
    assert_false(make());
    assert_string_equal(id.why, why);
}

static void it_is_made_once(void **state)
{
    char fingerprint[sizeof id.fingerprint], pin[sizeof id.pin];

    (void)state;
    assert_true(make());
    assert_non_null(strstr(id.certificate, "BEGIN CERTIFICATE"));
    assert_non_null(strstr(id.key, "PRIVATE KEY"));
    assert_int_equal(strlen(id.fingerprint), 32 * 3 - 1);
    assert_int_equal(strlen(id.pin), strlen("sha256//") + 44);
    memcpy(fingerprint, id.fingerprint, sizeof fingerprint);
    memcpy(pin, id.pin, sizeof pin);
    unsigned writes = board.writes;
    assert_true(make());
    assert_string_equal(id.fingerprint, fingerprint);
    assert_string_equal(id.pin, pin);
    assert_int_equal(board.writes, writes);
}

/* The power goes after each write in turn: the next start ends with a whole identity, and a key that was
 * stored stays. */
static void power_may_go_while_it_is_stored(void **state)
{
    static struct ram_port whole;
    char pin[sizeof id.pin];

    (void)state;
    assert_true(make());
    whole = board;
    memcpy(pin, id.pin, sizeof pin);
    for (unsigned kept = 0; whole.kv[kept].len > 0; kept++) {
        ram_port_begin(&board);
        memcpy(board.kv, whole.kv, kept * sizeof whole.kv[0]);
        board.random = whole.random;
        assert_true(make());
        if (kept > 0)
            assert_string_equal(id.pin, pin);
        else
            assert_string_not_equal(id.pin, pin);
    }
}

/* Any part lost, cut or damaged: the certificate is made again for the same key. */
static void a_damaged_certificate_is_made_again(void **state)
{
    char key[] = "tls.crt?", pin[sizeof id.pin];
    uint8_t value[256];
    size_t len;

    (void)state;
    assert_true(make());
    memcpy(pin, id.pin, sizeof pin);
    for (key[7] = 'a'; key[7] <= 'b'; key[7]++) {
        for (int how = 0; how < 3; how++) {
            assert_int_equal(board.port.kv_get(&board, key, value, sizeof value, &len), 0);
            assert_int_not_equal(len, 0);
            value[len / 2] ^= how == 0;
            len = how == 1 ? len / 2 : how == 2 ? 0 : len;
            assert_int_equal(board.port.kv_set(&board, key, value, len), 0);
            assert_true(make());
            assert_string_equal(id.pin, pin);
        }
    }
}

static void a_damaged_key_is_no_key(void **state)
{
    uint8_t value[256] = {1, 2, 3};

    (void)state;
    assert_int_equal(board.port.kv_set(&board, "tls.key", value, 100), 0);
    assert_refused("the stored key is damaged; a new password makes another");
    assert_null(id.certificate);
    assert_null(id.key);
}

static void a_store_that_fails_is_no_identity(void **state)
{
    (void)state;
    board.set_error = OTAPULT_E_STORE;
    assert_refused("the key could not be stored");
    board.set_error = 0;
    board.get_error = OTAPULT_E_STORE;
    assert_refused("the store cannot be read; if its key is lost, a new password makes another");
    board.get_error = 0;
    assert_true(make());
}

static void files_that_cannot_be_used_are_refused(void **state)
{
    (void)state;
    assert_false(tls_identity_files(&id, "/nowhere/crt", "/nowhere/key"));
    assert_string_equal(id.why, "the certificate's file cannot be read");
    tls_identity_free(&id);
    assert_false(tls_identity_files(&id, OTAPULT_SOURCE_DIR "/LICENSE", OTAPULT_SOURCE_DIR "/LICENSE"));
    assert_string_equal(id.why, "the certificate's file holds none in PEM");
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, a_device, forget)
    const struct CMUnitTest tests[] = {
        TEST(it_is_made_once),
        TEST(power_may_go_while_it_is_stored),
        TEST(a_damaged_certificate_is_made_again),
        TEST(a_damaged_key_is_no_key),
        TEST(a_store_that_fails_is_no_identity),
        TEST(files_that_cannot_be_used_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
