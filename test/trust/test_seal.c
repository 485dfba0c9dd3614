/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <psa/crypto.h>
#include <string.h>

#include "login.h"
#include "ram_port.h"
#include "store.h"
#include "trust/trust.h"
#include "trust/users.h"

/* What was lost is not absent: a store that does not fit its seal opens nothing to anybody. */

#define NEW_PASSWORD "the new password"
#define OLD_PASSWORD "the old password"

static const uint8_t built_in[2][OTAPULT_KEY_DIGEST] = {{0xA1, 1}, {0xB2, 2}}; /* the second gets revoked */
static const uint8_t home[16] = {1};

static struct ram_port board;
static struct otapult_seal seal;
static struct otapult_trust trust;
static struct otapult_users users;
static unsigned shows;
static char old_token[OTAPULT_SECRET], token[OTAPULT_SECRET];

static bool show(void *app, const char *password)
{
    (void)app;
    (void)password;
    shows++;
    return true;
}

/* A boot, as far as it matters here; false: locked. */
static bool boot(const struct otapult_port *port)
{
    otapult_seal_open(&seal, port);
    int err = otapult_trust_load(&trust, &seal, built_in, 2);
    otapult_users_start(&users, &seal, 1, show, NULL);
    assert_true((seal.broken != NULL) == (err != 0));
    assert_true(seal.broken == NULL || otapult_users_fault(&users) != NULL);
    return seal.broken == NULL;
}

static void put_password(const char *text)
{
    struct otapult_password p = {.cost = 1, .salt = "0123456789abcde"};

    assert_int_equal(otapult_pbkdf2((const uint8_t *)text, strlen(text), p.salt, sizeof p.salt, 1, p.hash),
                     0);
    assert_int_equal(otapult_seal_set(&seal, "usr.pw1", &p, sizeof p), 0);
}

/* A device with a life behind it: a key revoked, one learned, a password changed, a token revoked. */
static void live(const struct otapult_port *port)
{
    struct otapult_finding why;

    shows = 0;
    otapult_seal_open(&seal, port);
    assert_null(seal.broken);
    put_password(OLD_PASSWORD);
    assert_true(boot(port));
    assert_int_equal(otapult_users_token_make(&users, "old", old_token, &why), 0);
    assert_int_equal(otapult_users_token_make(&users, "ci", token, &why), 0);
    assert_int_equal(otapult_trust_raise(&trust, &seal, 3), 0);
    assert_int_equal(otapult_trust_adopt(&trust, &seal, 0), 0);
    assert_int_equal(otapult_trust_revoke(&trust, &seal, built_in[1]), 0);
    assert_int_equal(otapult_users_token_revoke(&users, "old", &why), 0);
    assert_int_equal(otapult_trust_raise(&trust, &seal, 7), 0);
    put_password(NEW_PASSWORD);
    assert_true(boot(port));
    assert_int_equal(shows, 0);
}

static bool is_password(const char *text)
{
    struct otapult_who who;
    uint32_t wait_s;

    return otapult_users_password(&users, home, text, strlen(text), &who, &wait_s) == 0;
}

static bool is_token(const char *id)
{
    struct otapult_who who;

    return otapult_users_token(&users, id, 32, &who);
}

/* After a boot: everything is as it was left, or all is locked. Nothing in between. */
static void assert_nothing_opened(bool fine)
{
    assert_int_not_equal(otapult_trust_ask(&trust, built_in[1], NULL), OTAPULT_KEY_TRUSTED);
    assert_false(is_token(old_token));
    assert_false(is_password(OLD_PASSWORD));
    assert_int_equal(shows, 0); /* a password that is lost is none to be made */
    assert_int_equal(is_password(NEW_PASSWORD), fine);
    assert_int_equal(is_token(token), fine);
    assert_int_equal(otapult_trust_count(&trust), fine ? 1 : 0);
    if (fine)
        assert_int_equal(trust.least_security, 7);
}

/* ---- a store that loses values ---- */

static int a_device(void **state)
{
    (void)state;
    psa_crypto_init();
    ram_port_begin(&board);
    live(&board.port);
    return 0;
}

static void what_was_left_is_found(void **state)
{
    (void)state;
    assert_true(boot(&board.port));
    assert_nothing_opened(true);
}

/* NVS drops what has a wrong CRC. All of it at once is another matter: that is a new device. */
static void any_values_lost_lock(void **state)
{
    const struct ram_port whole = board;
    unsigned there = 0, places[RAM_PORT_KEYS];

    (void)state;
    for (unsigned n = 0; n < RAM_PORT_KEYS; n++)
        if (board.kv[n].len > 0)
            places[there++] = n;
    assert_int_equal(there, 6); /* keys, revoked, security, password, a token, the seal */
    for (unsigned lost = 1; lost < (1u << there) - 1; lost++) {
        board = whole;
        for (unsigned i = 0; i < there; i++)
            if (lost & 1u << i)
                board.kv[places[i]].len = 0;
        assert_false(boot(&board.port));
        assert_nothing_opened(false);
    }
}

static void any_bit_changed_locks(void **state)
{
    const struct ram_port whole = board;
    unsigned locks = 0, uses = 0;

    (void)state;
    for (unsigned n = 0; n < RAM_PORT_KEYS; n++)
        for (size_t bit = 0; bit < 8 * whole.kv[n].len; bit++) {
            board = whole;
            board.kv[n].value[bit / 8] ^= (uint8_t)(1u << bit % 8);
            bool fine = boot(&board.port);
            assert_nothing_opened(fine);
            locks += !fine;
            uses += fine;
        }
    assert_int_equal(uses, 64 + 512); /* when a token was last used, and one of the two halves of the seal */
    assert_true(locks > 1000);
}

static void a_store_that_cannot_be_read_locks(void **state)
{
    (void)state;
    board.get_error = OTAPULT_E_STORE;
    assert_false(boot(&board.port));
    board.get_error = 0;
    assert_nothing_opened(false);
}

static void what_is_lost_while_it_runs_is_not_sealed(void **state)
{
    struct otapult_finding why;
    char id[OTAPULT_SECRET];
    size_t len;

    (void)state;
    assert_true(boot(&board.port));
    assert_non_null(ram_port_value(&board, "ota.revoked1", &len));
    assert_int_equal(board.port.kv_set(&board, "ota.revoked1", NULL, 0), 0); /* not through the seal */
    assert_int_equal(otapult_users_token_make(&users, "new", id, &why), OTAPULT_E_STORE);
    assert_string_equal(seal.broken, "keys and logins in the store have changed while the device ran");
    assert_false(boot(&board.port));
    assert_nothing_opened(false);
}

/* ---- cuts ---- */

static jmp_buf plug;
static unsigned until_cut;

static void cut_before_set(void *ctx, const char *key)
{
    (void)ctx;
    (void)key;
    if (until_cut-- == 0)
        longjmp(plug, 1);
}

static bool cut_while(void (*change)(void), unsigned at)
{
    until_cut = at;
    board.before_set = cut_before_set;
    if (setjmp(plug) == 0) {
        change();
        board.before_set = NULL;
        return false;
    }
    board.before_set = NULL;
    board.locked = 0;
    return true;
}

static void raise_it(void)
{
    assert_int_equal(otapult_trust_raise(&trust, &seal, 9), 0);
}

/* Before or after each write of a change: the old value or the new one, never a lock. */
static void a_cut_anywhere_in_a_change_fits_the_seal(void **state)
{
    const struct ram_port whole = board;
    unsigned cuts = 0;

    (void)state;
    for (unsigned at = 0;; at++) {
        board = whole;
        assert_true(boot(&board.port));
        bool cut = cut_while(raise_it, at);
        board.log_level = OTAPULT_LOG_INFO;
        assert_true(boot(&board.port));
        assert_int_not_equal(board.log_level, OTAPULT_LOG_ERROR); /* there is nothing to complain of */
        assert_int_equal(trust.least_security, cut && at < 2 ? 7 : 9);
        assert_int_equal(otapult_trust_raise(&trust, &seal, 10), 0);
        assert_true(boot(&board.port));
        if (!cut)
            break;
        cuts++;
    }
    assert_int_equal(cuts, 3); /* the seal, the value, the seal */
}

static void a_store_that_fails_leaves_the_old_value_and_no_lock(void **state)
{
    (void)state;
    assert_true(boot(&board.port));
    board.set_error = OTAPULT_E_STORE;
    assert_int_equal(otapult_trust_raise(&trust, &seal, 9), OTAPULT_E_STORE);
    board.set_error = 0;
    assert_true(boot(&board.port));
    assert_nothing_opened(true);
}

/* A change of keys loads the trust again from a store that knows nothing of it. */
static void a_least_version_that_was_not_stored_outlives_a_change_of_keys(void **state)
{
    const uint8_t other[OTAPULT_KEY_DIGEST] = {0xC3, 3};

    (void)state;
    assert_true(boot(&board.port));
    board.set_error = OTAPULT_E_STORE;
    assert_int_equal(otapult_trust_raise(&trust, &seal, 9), OTAPULT_E_STORE);
    board.set_error = 0;
    assert_int_equal(otapult_trust_revoke(&trust, &seal, other), 0);
    assert_int_equal(trust.least_security, 9);
    assert_true(boot(&board.port));
    assert_int_equal(trust.least_security, 7); /* "until the restart" */
}

/* After a cut the seal fits the old value and the new one; it is to be narrowed down to what there is. */
static void a_seal_that_cannot_be_narrowed_down_is_told_and_locks_nothing(void **state)
{
    (void)state;
    assert_true(boot(&board.port));
    assert_true(cut_while(raise_it, 1));
    board.set_error = OTAPULT_E_STORE;
    board.log_level = OTAPULT_LOG_INFO;
    assert_true(boot(&board.port));
    assert_int_equal(board.log_level, OTAPULT_LOG_ERROR);
    assert_string_equal(board.log, "the seal of keys and logins could not be stored");
    board.set_error = 0;
    assert_nothing_opened(true);
}

/* ---- two changes at once ---- */

static uint32_t now, other_ends_at;

/* A millisecond passes with each look at the clock. */
static uint32_t look_at_clock(void *ctx)
{
    (void)ctx;
    if (now == other_ends_at)
        seal.busy = false;
    return now++;
}

static uint32_t clock_that_stands(void *ctx)
{
    (void)ctx;
    return 7;
}

static int raise_while_another_changes(uint32_t ms)
{
    assert_true(boot(&board.port));
    board.port.now_ms = look_at_clock;
    now = 0;
    other_ends_at = ms;
    seal.busy = true;
    return otapult_trust_raise(&trust, &seal, trust.least_security + 1);
}

static void a_change_waits_a_second_for_the_end_of_another(void **state)
{
    (void)state;
    assert_int_equal(raise_while_another_changes(1001), OTAPULT_E_STORE);
    assert_int_equal(raise_while_another_changes(500), 0);
    assert_int_equal(raise_while_another_changes(1000), 0);
    assert_false(seal.busy);
}

static void the_owner_does_not_wait_for_ever_either(void **state)
{
    (void)state;
    assert_true(boot(&board.port));
    board.port.now_ms = clock_that_stands;
    seal.busy = true;
    assert_int_equal(otapult_seal_renew(&seal), OTAPULT_E_STORE);
    assert_true(seal.busy); /* it is the other's to end */
}

/* ---- the owner ---- */

static void the_owner_seals_what_is_left(void **state)
{
    (void)state;
    assert_int_equal(board.port.kv_set(&board, "ota.keys1", NULL, 0), 0);
    assert_false(boot(&board.port));
    assert_int_equal(otapult_seal_renew(&seal), 0);
    assert_int_equal(otapult_users_reset(&users), 0);
    assert_int_equal(shows, 1);
    assert_true(boot(&board.port));
    assert_int_equal(shows, 1);
    assert_int_equal(otapult_trust_ask(&trust, built_in[1], NULL), OTAPULT_KEY_REVOKED);
    assert_int_equal(trust.least_security, 7);
    assert_false(is_token(token) || is_password(NEW_PASSWORD));
}

static const char *unreadable; /* until it is written */
static int (*real_get)(void *ctx, const char *key, void *dst, size_t cap, size_t *len);
static int (*real_set)(void *ctx, const char *key, const void *src, size_t len);

static int get_but_one(void *ctx, const char *key, void *dst, size_t cap, size_t *len)
{
    return unreadable != NULL && strcmp(key, unreadable) == 0 ? OTAPULT_E_STORE
                                                              : real_get(ctx, key, dst, cap, len);
}

static int set_mends(void *ctx, const char *key, const void *src, size_t len)
{
    if (unreadable != NULL && strcmp(key, unreadable) == 0)
        unreadable = NULL;
    return real_set(ctx, key, src, len);
}

/* Of all that are sealed: the first, the last and one between. */
static void what_cannot_be_read_is_given_up_by_the_owner(void **state)
{
    static const char *const keys[] = {"ota.keys1", "ota.security1", "usr.tokh"};

    (void)state;
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        assert_int_equal(a_device(NULL), 0);
        real_get = board.port.kv_get;
        real_set = board.port.kv_set;
        board.port.kv_get = get_but_one;
        board.port.kv_set = set_mends;
        unreadable = keys[i];
        assert_false(boot(&board.port));
        assert_int_equal(otapult_seal_renew(&seal), 0);
        assert_null(unreadable);
        assert_true(boot(&board.port));
        assert_true(boot(&board.port));
        assert_int_equal(trust.least_security, i == 1 ? 0 : 7);
        assert_int_equal(otapult_trust_ask(&trust, built_in[1], NULL), OTAPULT_KEY_REVOKED);
    }
}

/* The list is full with three: a fourth is refused, and each of them counts without any firmware that names
 * it. */
static void learned_keys_count_where_the_firmware_names_others(void **state)
{
    static const uint8_t keys[4][OTAPULT_KEY_DIGEST] = {{1, 1}, {2, 2}, {3, 3}, {4, 4}};

    (void)state;
    ram_port_begin(&board);
    otapult_seal_open(&seal, &board.port);
    for (unsigned n = 0; n < 3; n++) {
        assert_int_equal(otapult_trust_load(&trust, &seal, keys + n, 1), 0);
        assert_int_equal(otapult_trust_adopt(&trust, &seal, 0), 0);
        assert_non_null(otapult_trust_key(&trust, OTAPULT_KEYS_MAX + n));
        assert_int_equal(otapult_trust_adopt(&trust, &seal, 0), 0); /* it is there already */
        assert_int_equal(otapult_trust_load(&trust, &seal, keys + 3, 1), 0);
        assert_int_equal(otapult_trust_count(&trust), n + 2);
        for (unsigned m = 0; m < 4; m++)
            assert_int_equal(otapult_trust_ask(&trust, keys[m], NULL),
                             m <= n || m == 3 ? OTAPULT_KEY_TRUSTED : OTAPULT_KEY_UNKNOWN);
    }
    assert_int_equal(otapult_trust_adopt(&trust, &seal, 0), OTAPULT_E_KEYS_FULL);
    assert_int_equal(otapult_trust_revoke(&trust, &seal, keys[1]), 0); /* which makes room */
    assert_int_equal(otapult_trust_adopt(&trust, &seal, 0), 0);
    assert_int_equal(otapult_trust_load(&trust, &seal, NULL, 0), 0);
    for (unsigned m = 0; m < 4; m++)
        assert_int_equal(otapult_trust_ask(&trust, keys[m], NULL),
                         m == 1 ? OTAPULT_KEY_REVOKED : OTAPULT_KEY_TRUSTED);
}

static void no_set(void *ctx, const char *key)
{
    (void)ctx;
    fail_msg("%s is written", key);
}

/* A learned key that is revoked makes room for another, and nothing is complained of. */
static void a_revoked_key_takes_up_no_room(void **state)
{
    static const uint8_t other[OTAPULT_KEY_DIGEST] = {0xC3, 3};
    size_t len;

    (void)state;
    assert_true(boot(&board.port));
    const uint8_t *learned = ram_port_value(&board, "ota.keys1", &len);
    assert_non_null(learned);
    assert_memory_equal(learned + len - OTAPULT_KEY_DIGEST, built_in[0], OTAPULT_KEY_DIGEST);
    assert_int_equal(otapult_trust_revoke(&trust, &seal, built_in[0]), OTAPULT_E_KEY_LAST);
    const uint8_t both[2][OTAPULT_KEY_DIGEST] = {{0xA1, 1}, {0xC3, 3}};
    assert_int_equal(otapult_trust_load(&trust, &seal, both, 2), 0);
    board.log_level = OTAPULT_LOG_INFO;
    assert_int_equal(otapult_trust_revoke(&trust, &seal, built_in[0]), 0);
    assert_int_not_equal(board.log_level, OTAPULT_LOG_ERROR);
    learned = ram_port_value(&board, "ota.keys1", &len);
    assert_true(learned == NULL || len < OTAPULT_KEY_DIGEST);
    assert_int_equal(otapult_trust_ask(&trust, other, NULL), OTAPULT_KEY_TRUSTED);
    board.before_set = no_set;
    assert_int_equal(otapult_trust_raise(&trust, &seal, 3),
                     0); /* less than it is, or as much: nothing to do */
    assert_int_equal(otapult_trust_raise(&trust, &seal, 7), 0);
    board.before_set = NULL;
    assert_int_equal(trust.least_security, 7);
}

static void a_new_device_has_no_seal_and_is_not_locked(void **state)
{
    (void)state;
    ram_port_begin(&board);
    shows = 0;
    assert_true(boot(&board.port));
    assert_int_equal(shows, 1);
    assert_true(boot(&board.port));
    assert_int_equal(shows, 1);
}

/* ---- every bit of a real store ---- */

#define CHIP (4 * NOR_SECTOR)

static struct nor_flash nor;
static struct store parts[2]; /* the store, the vault */

static int part_get(struct store *s, const char *key, void *dst, size_t cap, size_t *len)
{
    return store_get(s, key, dst, cap, len);
}

static int store_kv_get(void *ctx, const char *key, void *dst, size_t cap, size_t *len)
{
    (void)ctx;
    return part_get(&parts[0], key, dst, cap, len);
}

static int store_kv_set(void *ctx, const char *key, const void *src, size_t len)
{
    (void)ctx;
    return store_set(&parts[0], key, src, len);
}

static int vault_kv_get(void *ctx, const char *key, void *dst, size_t cap, size_t *len)
{
    (void)ctx;
    return part_get(&parts[1], key, dst, cap, len);
}

static int vault_kv_set(void *ctx, const char *key, const void *src, size_t len)
{
    (void)ctx;
    return store_set(&parts[1], key, src, len);
}

/* The RAM board, but for its store, which is the virtual board's; with `vault` two of them. */
static void a_device_on_flash(bool vault)
{
    psa_crypto_init();
    ram_port_begin(&board);
    nor_open_memory(&nor, CHIP);
    for (unsigned i = 0; i < 2; i++)
        parts[i] = (struct store){.nor = &nor, .base = i * 2 * NOR_SECTOR, .size = 2 * NOR_SECTOR};
    board.port.kv_get = store_kv_get;
    board.port.kv_set = store_kv_set;
    board.port.vault_get = vault ? vault_kv_get : NULL;
    board.port.vault_set = vault ? vault_kv_set : NULL;
    board.log_level = OTAPULT_LOG_INFO;
    live(&board.port);
    assert_int_not_equal(board.log_level, OTAPULT_LOG_ERROR);
}

/* Erased flash is looked at here and there: a flip in it is no more than something behind the log. */
static void every_bit_of_the_store(bool vault)
{
    static uint8_t clean[CHIP];
    unsigned locks = 0, same = 0;

    a_device_on_flash(vault);
    memcpy(clean, nor.data, sizeof clean);
    for (uint32_t bit = 0; bit < 8 * CHIP; bit++) {
        if (clean[bit / 8] == 0xFF && bit % 211 != 0)
            continue;
        memcpy(nor.data, clean, sizeof clean);
        nor.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
        bool fine = boot(&board.port);
        assert_nothing_opened(fine);
        locks += !fine;
        same += fine;
    }
    nor_close(&nor);
    assert_true(locks > 1000 && same > 100);
    print_message("store%s: %u flips lock, %u change nothing\n", vault ? " and vault" : "", locks, same);
}

static void no_flip_in_the_store_opens_anything(void **state)
{
    (void)state;
    every_bit_of_the_store(false);
}

static void no_flip_in_store_or_vault_opens_anything(void **state)
{
    (void)state;
    every_bit_of_the_store(true);
}

static void erase(unsigned part)
{
    memset(nor.data + part * 2 * NOR_SECTOR, 0xFF, 2 * NOR_SECTOR);
}

/* The store is what nvs_flash_erase() erases. Without a vault the device is a new one then: docs/security.md.
 */
static void an_erased_store_takes_nothing_out_of_the_vault(void **state)
{
    (void)state;
    a_device_on_flash(true);
    erase(0);
    assert_true(boot(&board.port));
    assert_nothing_opened(true);
    erase(1); /* and the store knows by now that there was one */
    assert_false(boot(&board.port));
    assert_nothing_opened(false);
    nor_close(&nor);
}

static void a_vault_that_came_later_is_not_taken_for_a_new_device(void **state)
{
    (void)state;
    a_device_on_flash(false);
    board.port.vault_get = vault_kv_get;
    board.port.vault_set = vault_kv_set;
    assert_false(boot(&board.port));
    assert_nothing_opened(false);
    nor_close(&nor);
}

/* Also when nothing was started between the renewal and the loss. */
static void a_renewed_vault_that_is_erased_locks(void **state)
{
    (void)state;
    a_device_on_flash(true);
    assert_int_equal(vault_kv_set(NULL, "ota.seal1", "none", 4), 0);
    assert_false(boot(&board.port));
    erase(0);
    assert_int_equal(otapult_seal_renew(&seal), 0);
    erase(1);
    assert_false(boot(&board.port));
    nor_close(&nor);
}

/* The store beside the vault, in which one value can be neither read nor written. */
static const char *bad;

static int get_but_bad(void *ctx, const char *key, void *dst, size_t cap, size_t *len)
{
    return strcmp(key, bad) == 0 ? OTAPULT_E_STORE : store_kv_get(ctx, key, dst, cap, len);
}

static int set_but_bad(void *ctx, const char *key, const void *src, size_t len)
{
    return strcmp(key, bad) == 0 ? OTAPULT_E_STORE : store_kv_set(ctx, key, src, len);
}

/* Whether there was a seal is not known then. */
static void an_empty_vault_beside_an_unreadable_store_locks(void **state)
{
    static const char *const keys[] = {"ota.sealed", "ota.seal1"};

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        a_device_on_flash(true);
        erase(0);
        erase(1);
        bad = keys[i];
        board.port.kv_get = get_but_bad;
        otapult_seal_open(&seal, &board.port);
        assert_string_equal(seal.broken, "the seal of keys and logins is gone");
        board.port.kv_get = store_kv_get;
        otapult_seal_open(&seal, &board.port);
        assert_null(seal.broken); /* both empty: a new device */
        nor_close(&nor);
    }
}

static void a_mark_that_cannot_be_stored_is_told_and_the_change_holds(void **state)
{
    (void)state;
    a_device_on_flash(true);
    bad = "ota.sealed";
    board.port.kv_set = set_but_bad;
    assert_int_equal(otapult_trust_raise(&trust, &seal, 9), 0);
    assert_int_equal(board.log_level, OTAPULT_LOG_ERROR);
    assert_string_equal(board.log, "the mark of the vault could not be stored");
    assert_true(boot(&board.port));
    assert_int_equal(trust.least_security, 9);
    nor_close(&nor);
}

#define TEST(test) cmocka_unit_test_setup(test, a_device)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_was_left_is_found),
        TEST(any_values_lost_lock),
        TEST(any_bit_changed_locks),
        TEST(a_store_that_cannot_be_read_locks),
        TEST(what_is_lost_while_it_runs_is_not_sealed),
        TEST(a_cut_anywhere_in_a_change_fits_the_seal),
        TEST(a_store_that_fails_leaves_the_old_value_and_no_lock),
        TEST(a_least_version_that_was_not_stored_outlives_a_change_of_keys),
        TEST(a_seal_that_cannot_be_narrowed_down_is_told_and_locks_nothing),
        TEST(a_change_waits_a_second_for_the_end_of_another),
        TEST(the_owner_does_not_wait_for_ever_either),
        TEST(the_owner_seals_what_is_left),
        TEST(what_cannot_be_read_is_given_up_by_the_owner),
        TEST(learned_keys_count_where_the_firmware_names_others),
        TEST(a_revoked_key_takes_up_no_room),
        TEST(a_new_device_has_no_seal_and_is_not_locked),
        TEST(no_flip_in_the_store_opens_anything),
        TEST(no_flip_in_store_or_vault_opens_anything),
        TEST(an_erased_store_takes_nothing_out_of_the_vault),
        TEST(a_vault_that_came_later_is_not_taken_for_a_new_device),
        TEST(a_renewed_vault_that_is_erased_locks),
        TEST(an_empty_vault_beside_an_unreadable_store_locks),
        TEST(a_mark_that_cannot_be_stored_is_told_and_the_change_holds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
