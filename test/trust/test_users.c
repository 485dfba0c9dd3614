/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <psa/crypto.h>
#include <stdio.h>
#include <string.h>

#include "login.h"
#include "ram_port.h"
#include "sealed.h"
#include "trust/secret.h"
#include "trust/users.h"

#define COUNT(a)  (sizeof(a) / sizeof(a)[0])
#define PASSWORD  "correct horse battery"
#define MINUTE_MS 60000u

static struct ram_port board;
static struct otapult_seal seal;
static struct otapult_users users;
static struct otapult_who who;
static uint32_t wait_s;
static char shown[64];
static unsigned shows;
static bool can_show;

static const uint8_t home[16] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF, 192, 168, 1, 10};

static bool show(void *app, const char *password)
{
    assert_string_equal(app, "app");
    snprintf(shown, sizeof shown, "%s", password);
    shows++;
    return can_show;
}

static void boot(uint32_t number)
{
    otapult_seal_open(&seal, &board.port);
    otapult_users_start(&users, &seal, number, show, (void *)(uintptr_t) "app");
}

static int a_device(void **state)
{
    (void)state;
    ram_port_begin(&board);
    psa_crypto_init();
    can_show = true;
    shows = 0;
    shown[0] = '\0';
    login_store(&board.port, PASSWORD);
    board.clock = 1000;
    boot(1);
    assert_null(otapult_users_fault(&users));
    return 0;
}

static int try_from(const uint8_t source[16], const char *text, size_t len)
{
    return otapult_users_password(&users, source, text, len, &who, &wait_s);
}

static int try(const char *text)
{
    return try_from(home, text, strlen(text));
}

static int change(const char *text, size_t len)
{
    struct otapult_who old = login_owner(&users);

    return otapult_users_change(&users, &old, text, len);
}

static void login(char id[OTAPULT_SECRET])
{
    assert_int_equal(otapult_users_login(&users, login_owner(&users), id), 0);
}

static bool is_session(const char *id)
{
    return otapult_users_session(&users, id, strlen(id), &who);
}

static bool is_token(const char *id)
{
    return otapult_users_token(&users, id, strlen(id), &who);
}

static int make_token(const char *name, char id[OTAPULT_SECRET])
{
    struct otapult_finding why;

    return otapult_users_token_make(&users, name, id, &why);
}

static int revoke(const char *name)
{
    struct otapult_finding why;

    return otapult_users_token_revoke(&users, name, &why);
}

static void no_set(void *ctx, const char *key)
{
    (void)ctx;
    fail_msg("%s is written", key);
}

/* ---- passwords ---- */

static void pbkdf2_gives_the_published_values(void **state)
{
    static const struct {
        const char *password, *salt;
        uint32_t cost;
        uint8_t first[8];
    } cases[] = {
        /* RFC 7914, section 11 */
        {"passwd", "salt", 1, {0x55, 0xac, 0x04, 0x6e, 0x56, 0xe3, 0x08, 0x9f}},
        {"Password", "NaCl", 80000, {0x4d, 0xdc, 0xd8, 0xf6, 0x0b, 0x98, 0xbe, 0x21}},
        /* Python's hashlib */
        {"", "", 2, {0x97, 0x39, 0x84, 0x11, 0xd6, 0xae, 0xa4, 0x3a}},
    };
    static const uint8_t long_one[8] = {0x4b, 0x29, 0xb3, 0x3c, 0x58, 0x46, 0x4e, 0xce};
    uint8_t out[32], block[64], salt[64];

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        assert_int_equal(otapult_pbkdf2((const uint8_t *)cases[i].password, strlen(cases[i].password),
                                        (const uint8_t *)cases[i].salt, strlen(cases[i].salt), cases[i].cost,
                                        out),
                         0);
        assert_memory_equal(out, cases[i].first, 8);
    }
    memset(block, 'x', sizeof block);
    for (unsigned i = 0; i < sizeof salt; i++)
        salt[i] = (uint8_t)i;
    assert_int_equal(otapult_pbkdf2(block, 64, salt, 64, 3, out), 0);
    assert_memory_equal(out, long_one, 8);
    assert_int_equal(otapult_pbkdf2(block, 65, salt, 1, 1, out), OTAPULT_E_INTERNAL);
    assert_int_equal(otapult_pbkdf2(block, 1, salt, 65, 1, out), OTAPULT_E_INTERNAL);
    assert_int_equal(otapult_pbkdf2(block, 1, salt, 1, 0, out), OTAPULT_E_INTERNAL);
}

static void secrets_are_compared_to_their_end(void **state)
{
    uint8_t a[32] = {0}, b[32] = {0};

    (void)state;
    assert_true(otapult_same_secret(a, b, sizeof a));
    for (size_t i = 0; i < sizeof a; i++) {
        for (unsigned bit = 0; bit < 8; bit++) {
            b[i] = (uint8_t)(1u << bit);
            assert_false(otapult_same_secret(a, b, sizeof a));
        }
        b[i] = 0;
    }
}

static void a_secret_is_forgotten_to_its_last_byte_and_nothing_beside_it(void **state)
{
    static const uint8_t left[8] = {'s', 0, 0, 0, 0, 0, 'e', 't'};
    uint8_t secret[8] = {'s', 'e', 'c', 'r', 'e', 't', 'e', 't'};

    (void)state;
    otapult_forget(secret + 1, 5);
    assert_memory_equal(secret, left, sizeof left);
    otapult_forget(secret, 0);
    assert_memory_equal(secret, left, sizeof left);
}

static void a_made_password_is_readable_and_never_the_same(void **state)
{
    char before[OTAPULT_PASSWORD_TEXT] = "", text[OTAPULT_PASSWORD_TEXT];

    (void)state;
    for (int n = 0; n < 200; n++) {
        assert_int_equal(otapult_password_make(&board.port, text), 0);
        assert_int_equal(strlen(text), 19);
        for (size_t i = 0; i < 19; i++) {
            if (i % 5 == 4)
                assert_int_equal(text[i], '-');
            else
                assert_non_null(strchr("abcdefghijkmnpqrstuvwxyz23456789", text[i]));
        }
        assert_string_not_equal(text, before);
        memcpy(before, text, sizeof text);
    }
    board.random_error = OTAPULT_E_INTERNAL;
    assert_int_equal(otapult_password_make(&board.port, text), OTAPULT_E_INTERNAL);
}

static void a_password_is_neither_empty_nor_a_prefix_nor_longer(void **state)
{
    static const char *const wrong[] = {"",
                                        "c",
                                        "correct horse batter",
                                        PASSWORD "x",
                                        PASSWORD " ",
                                        " " PASSWORD,
                                        "Correct horse battery",
                                        PASSWORD PASSWORD,
                                        PASSWORD PASSWORD PASSWORD "y"};

    (void)state;
    for (size_t i = 0; i < COUNT(wrong); i++) {
        assert_int_equal(try(wrong[i]), OTAPULT_E_LOGIN_FAILED);
        board.clock += MINUTE_MS;
    }
    assert_int_equal(try_from(home, PASSWORD "\0", sizeof PASSWORD), OTAPULT_E_LOGIN_FAILED);
    board.clock += MINUTE_MS;
    assert_int_equal(try(PASSWORD), 0);
    assert_int_equal(who.kind, OTAPULT_BY_PASSWORD);
}

static void every_length_of_password_up_to_64_works(void **state)
{
    char text[OTAPULT_PASSWORD_MAX + 1];

    (void)state;
    memset(text, 'p', sizeof text);
    assert_int_equal(change(text, 11), OTAPULT_E_PASSWORD_LENGTH);
    assert_int_equal(change(text, 65), OTAPULT_E_PASSWORD_LENGTH);
    assert_int_equal(try(PASSWORD), 0);
    for (size_t len = 12; len <= 64; len += 26) {
        assert_int_equal(change(text, len), 0);
        assert_int_equal(try_from(home, text, len), 0);
        assert_int_equal(try_from(home, text, len - 1), OTAPULT_E_LOGIN_FAILED);
    }
    assert_int_equal(try_from(home, text, 65), OTAPULT_E_LOGIN_FAILED);
}

static void a_stored_password_says_its_cost(void **state)
{
    struct otapult_password p;
    size_t len;

    (void)state;
    assert_int_equal(change("a new password", 14), 0);
    memcpy(&p, ram_port_value(&board, "usr.pw1", &len), sizeof p);
    assert_int_equal(len, sizeof p);
    assert_int_equal(p.cost, OTAPULT_PASSWORD_COST);
    assert_int_equal(otapult_pbkdf2((const uint8_t *)"a new password", 14, p.salt, 16, 77, p.hash), 0);
    p.cost = 77; /* another firmware's */
    assert_int_equal(board.port.kv_set(&board, "usr.pw1", &p, sizeof p), 0);
    sealed(&board.port);
    boot(2);
    assert_int_equal(try("a new password"), 0);
}

/* ---- the first start ---- */

static void the_first_start_shows_a_password_once(void **state)
{
    (void)state;
    ram_port_begin(&board);
    boot(1);
    assert_null(otapult_users_fault(&users));
    assert_int_equal(shows, 1);
    assert_int_equal(try(shown), 0);
    assert_false(ram_port_holds(&board, shown, 19));
    assert_null(strstr(board.log, shown));
    boot(2);
    assert_int_equal(shows, 1);
    assert_int_equal(try(shown), 0);
}

static void assert_locked(const char *reason)
{
    char secret[OTAPULT_SECRET] = "0123456789abcdef0123456789abcdef";

    assert_non_null(otapult_users_fault(&users));
    assert_memory_equal(board.log, "secure: ", 8);
    assert_non_null(strstr(board.log, reason));
    assert_int_equal(try(""), OTAPULT_E_LOGIN_FAILED);
    assert_int_equal(try(PASSWORD), OTAPULT_E_LOGIN_FAILED);
    assert_int_equal(try(shown), OTAPULT_E_LOGIN_FAILED);
    assert_false(is_session(secret));
    assert_false(is_token(secret));
}

/* A missing password means refuse, with the reason, never skip. */
static void without_a_password_nobody_gets_in(void **state)
{
    (void)state;
    ram_port_begin(&board);
    otapult_seal_open(&seal, &board.port);
    otapult_users_start(&users, &seal, 1, NULL, NULL);
    assert_locked("no first password could be made, shown and stored");

    ram_port_begin(&board);
    board.random_error = OTAPULT_E_INTERNAL;
    boot(1);
    assert_locked("no first password could be made, shown and stored");

    ram_port_begin(&board);
    board.set_error = OTAPULT_E_STORE;
    boot(1);
    assert_locked("no first password could be made, shown and stored");

    ram_port_begin(&board);
    login_store(&board.port, PASSWORD);
    board.get_error = OTAPULT_E_STORE;
    boot(1);
    board.get_error = 0;
    assert_locked("the store lost what it held of keys or logins");
    assert_int_equal(shows, 1); /* of the store that could not be written; no new one where one may be */
}

/* The first of a device that has none, and one that the owner asks for: neither counts, nothing is kept. */
static void a_password_that_nobody_saw_is_not_kept(void **state)
{
    (void)state;
    can_show = false;
    assert_int_equal(otapult_users_reset(&users), OTAPULT_E_INTERNAL);
    assert_int_equal(try(shown), OTAPULT_E_LOGIN_FAILED);
    assert_int_equal(try(PASSWORD), 0);

    ram_port_begin(&board);
    boot(1);
    assert_int_equal(shows, 2);
    assert_locked("no first password could be made, shown and stored");
    can_show = true;
    boot(2);
    assert_int_equal(shows, 3);
    assert_int_equal(try(shown), 0);
}

static void a_damaged_password_is_no_password(void **state)
{
    static const uint32_t costs[] = {0, OTAPULT_PASSWORD_COST_MAX + 1, UINT32_MAX};
    struct otapult_password p;
    size_t len;

    (void)state;
    memcpy(&p, ram_port_value(&board, "usr.pw1", &len), sizeof p);
    for (size_t i = 0; i < COUNT(costs); i++) {
        p.cost = costs[i];
        assert_int_equal(board.port.kv_set(&board, "usr.pw1", &p, sizeof p), 0);
        sealed(&board.port);
        boot(2);
        assert_locked("the stored password is damaged");
    }
    for (size_t n = 1; n < 60; n += 50) {
        uint8_t junk[64] = {1};
        assert_int_equal(board.port.kv_set(&board, "usr.pw1", junk, n), 0);
        sealed(&board.port);
        boot(3);
        assert_locked("the stored password is damaged");
    }
    assert_int_equal(otapult_users_reset(&users), 0); /* who stands before the device gets in again */
    assert_null(otapult_users_fault(&users));
    assert_int_equal(try(shown), 0);
}

/* ---- sessions ---- */

static void a_session_is_its_id_and_nothing_else(void **state)
{
    char id[OTAPULT_SECRET], other[64];

    (void)state;
    login(id);
    assert_int_equal(strlen(id), 32);
    assert_true(is_session(id));
    assert_int_equal(who.kind, OTAPULT_BY_SESSION);
    for (size_t len = 0; len < 32; len++) /* a prefix */
        assert_false(otapult_users_session(&users, id, len, &who));
    snprintf(other, sizeof other, "%s0", id);
    assert_false(is_session(other));
    for (size_t i = 0; i < 32; i++) {
        snprintf(other, sizeof other, "%s", id);
        other[i] = other[i] == '0' ? '1' : '0';
        assert_false(is_session(other));
    }
    assert_false(is_token(id)); /* of one kind only */
    assert_false(ram_port_holds(&board, id, 32));
}

/* What an attacker has put into the browser before the login is not what the login makes valid. */
static void session_fixation(void **state)
{
    char planted[OTAPULT_SECRET] = "00000000000000000000000000000000", first[OTAPULT_SECRET],
         second[OTAPULT_SECRET];

    (void)state;
    assert_false(is_session(planted));
    login(first);
    login(second);
    assert_string_not_equal(first, planted);
    assert_string_not_equal(first, second);
    assert_false(is_session(planted));
}

static void a_session_ends_when_nobody_uses_it(void **state)
{
    char id[OTAPULT_SECRET];

    (void)state;
    login(id);
    for (int n = 0; n < 10; n++) {
        board.clock += OTAPULT_SESSION_IDLE_MS - 1;
        assert_true(is_session(id));
    }
    board.clock += OTAPULT_SESSION_IDLE_MS;
    assert_false(otapult_users_still(&users, who, true));
    assert_false(is_session(id));
    board.clock -= 5; /* it is over for good */
    assert_false(is_session(id));
}

/* After 49 days its last use would look like one of just now. */
static void an_ended_session_stays_ended_when_the_clock_comes_round(void **state)
{
    char id[OTAPULT_SESSIONS][OTAPULT_SECRET];

    (void)state;
    for (unsigned n = 0; n < OTAPULT_SESSIONS; n++)
        login(id[n]);
    board.clock += OTAPULT_SESSION_IDLE_MS;
    otapult_users_poll(&users);
    board.clock += UINT32_MAX - OTAPULT_SESSION_IDLE_MS + 2;
    for (unsigned n = 0; n < OTAPULT_SESSIONS; n++)
        assert_false(is_session(id[n]));
}

static void a_session_ends_after_twelve_hours_of_use(void **state)
{
    char id[OTAPULT_SECRET];

    (void)state;
    board.clock = UINT32_MAX - 5 * MINUTE_MS; /* the clock wraps on the way */
    boot(1);
    login(id);
    for (unsigned n = 0; n < 71; n++) {
        board.clock += 10 * MINUTE_MS;
        otapult_users_poll(&users);
        assert_true(is_session(id));
    }
    board.clock += 10 * MINUTE_MS - 1;
    assert_true(is_session(id));
    board.clock += 1;
    assert_false(is_session(id));
}

static void a_fifth_session_takes_the_place_of_the_least_used(void **state)
{
    char id[5][OTAPULT_SECRET];

    (void)state;
    for (int n = 0; n < 4; n++) {
        login(id[n]);
        board.clock += 1000;
    }
    assert_true(is_session(id[0]));
    login(id[4]);
    assert_true(is_session(id[0]));
    assert_false(is_session(id[1]));
    assert_true(is_session(id[2]) && is_session(id[3]) && is_session(id[4]));
}

/* However short ago it was used. */
static void the_place_of_one_that_logged_out_is_taken_first(void **state)
{
    char id[4][OTAPULT_SECRET], more[OTAPULT_SECRET];

    (void)state;
    for (int out = 0; out < 4; out++) {
        boot(1);
        for (int n = 0; n < 4; n++)
            login(id[n]);
        board.clock += 1000;
        assert_true(is_session(id[out]));
        otapult_users_logout(&users, who);
        login(more);
        for (int n = 0; n < 4; n++)
            assert_int_equal(is_session(id[n]), n != out);
        assert_true(is_session(more));
    }
}

/* They tell a login from a later one in its place; 0 would be nobody's. */
static void logins_are_numbered_on_when_the_numbers_come_round(void **state)
{
    char id[OTAPULT_SECRET], token[OTAPULT_SECRET];

    (void)state;
    users.serials = UINT32_MAX - 1;
    assert_int_equal(make_token("before", token), 0);
    login(id);
    assert_true(is_token(token) && is_session(id));
    users.serials = UINT32_MAX;
    assert_int_equal(make_token("behind", token), 0);
    assert_true(is_token(token));
}

static void a_logout_ends_one_session(void **state)
{
    char a[OTAPULT_SECRET], b[OTAPULT_SECRET];
    struct otapult_who one;

    (void)state;
    login(a);
    login(b);
    assert_true(is_session(a));
    one = who;
    assert_true(otapult_users_still(&users, one, true));
    otapult_users_logout(&users, one);
    assert_false(otapult_users_still(&users, one, true));
    assert_false(is_session(a));
    assert_true(is_session(b));
    login(a);
    assert_false(otapult_users_still(&users, one, true)); /* the place is another session's now */
    otapult_users_logout(&users, one);
    assert_true(is_session(a));
}

static void a_password_change_ends_all_logins_but_tokens(void **state)
{
    char id[OTAPULT_SECRET], token[OTAPULT_SECRET];
    struct otapult_who session, password, script;

    (void)state;
    login(id);
    assert_int_equal(make_token("ci", token), 0);
    assert_true(is_session(id));
    session = who;
    assert_int_equal(try(PASSWORD), 0);
    password = who;
    assert_true(is_token(token));
    script = who;
    assert_int_equal(change("another password", 16), 0);
    assert_false(otapult_users_still(&users, session, true));
    assert_false(otapult_users_still(&users, password, true));
    assert_true(otapult_users_still(&users, script, true));
    assert_false(is_session(id));
    assert_int_equal(try(PASSWORD), OTAPULT_E_LOGIN_FAILED);
    assert_int_equal(try("another password"), 0);
    boot(2);
    assert_int_equal(try("another password"), 0);
}

static void a_change_that_cannot_be_stored_changes_nothing(void **state)
{
    char id[OTAPULT_SECRET];

    (void)state;
    login(id);
    board.set_error = OTAPULT_E_STORE;
    assert_int_equal(change("another password", 16), OTAPULT_E_STORE);
    assert_int_equal(otapult_users_reset(&users), OTAPULT_E_STORE);
    board.set_error = 0;
    assert_true(is_session(id));
    assert_int_equal(try(PASSWORD), 0);
    assert_int_equal(change("another password", 16), 0);
}

static void change_meanwhile(void *ctx, const char *key)
{
    (void)ctx;
    if (strcmp(key, "usr.pw1") != 0)
        return; /* the seal is written before it */
    board.before_set = NULL;
    assert_int_equal(change("the second password", 19), OTAPULT_E_PASSWORD_CHANGING);
}

/* Both were let in by the password that was there; what the first has changed the second must not change
 * back. */
static void who_knew_the_old_password_can_do_nothing_behind_a_change(void **state)
{
    struct otapult_who old, second;
    char id[OTAPULT_SECRET] = "";

    (void)state;
    assert_int_equal(try(PASSWORD), 0);
    old = second = who;
    assert_int_equal(otapult_users_change(&users, &old, "the first password", 18), 0);
    assert_int_equal(otapult_users_change(&users, &second, "the second password", 19), OTAPULT_E_LOGIN_ENDED);
    assert_int_equal(otapult_users_login(&users, second, id), OTAPULT_E_LOGIN_ENDED);
    assert_false(is_session(id));
    assert_int_equal(try("the second password"), OTAPULT_E_LOGIN_FAILED);
    assert_int_equal(try("the first password"), 0);
    assert_int_equal(otapult_users_login(&users, old, id),
                     0); /* who changed it is logged in by the new one */
    assert_true(is_session(id));
    old = (struct otapult_who){.kind = OTAPULT_BY_TOKEN, .serial = users.password_serial};
    assert_int_equal(otapult_users_login(&users, old, id), OTAPULT_E_LOGIN_ENDED);
    boot(2);
    assert_int_equal(try("the first password"), 0);
}

static void of_two_changes_at_once_one_is_refused(void **state)
{
    (void)state;
    board.before_set = change_meanwhile;
    assert_int_equal(change("the first password", 18), 0);
    assert_null(board.before_set);
    assert_int_equal(try("the first password"), 0);
    boot(2);
    assert_int_equal(try("the first password"), 0);
}

static void a_token_ends_no_session(void **state)
{
    char id[OTAPULT_SECRET];

    (void)state;
    login(id);
    assert_true(is_session(id));
    who.kind = OTAPULT_BY_TOKEN;
    otapult_users_logout(&users, who);
    assert_true(is_session(id));
    who.kind = OTAPULT_BY_SESSION;
    who.slot = OTAPULT_SESSIONS; /* there is none */
    otapult_users_logout(&users, who);
    assert_true(is_session(id));
}

static void who_is_in_no_place_is_nobody(void **state)
{
    static const struct otapult_who none[] = {{OTAPULT_BY_SESSION, OTAPULT_SESSIONS, 1},
                                              {OTAPULT_BY_SESSION, UINT8_MAX, 1},
                                              {OTAPULT_BY_TOKEN, OTAPULT_TOKENS, 1},
                                              {OTAPULT_BY_TOKEN, UINT8_MAX, 1},
                                              {OTAPULT_BY_TOKEN + 1, 0, 1},
                                              {UINT8_MAX, 0, 1}};

    (void)state;
    for (size_t i = 0; i < COUNT(none); i++) {
        assert_false(otapult_users_still(&users, none[i], false));
        assert_false(otapult_users_still(&users, none[i], true));
    }
    const struct otapult_who nobody = {.kind = OTAPULT_NOBODY}; /* no login let it in, and none can end it */
    assert_true(otapult_users_still(&users, nobody, false));
}

static void logins_have_names(void **state)
{
    char id[OTAPULT_SECRET], name[OTAPULT_WHO_NAME];

    (void)state;
    assert_int_equal(try(PASSWORD), 0);
    otapult_users_name(&users, who, name);
    assert_string_equal(name, "admin");
    login(id);
    assert_true(is_session(id));
    otapult_users_name(&users, who, name);
    assert_string_equal(name, "admin");
    otapult_users_name(&users, (struct otapult_who){.kind = OTAPULT_NOBODY}, name);
    assert_string_equal(name, "anyone");
    otapult_users_name(&users, (struct otapult_who){OTAPULT_BY_TOKEN, OTAPULT_TOKENS, 1}, name);
    assert_string_equal(name, "anyone");
}

static void fail_at_one_token(void *ctx, const char *key)
{
    (void)ctx;
    board.set_error = strcmp(key, "usr.tokb") == 0 ? OTAPULT_E_STORE : 0;
}

/* One that could not be removed is said, whatever becomes of those behind it. */
static void a_reset_that_leaves_a_token_says_so(void **state)
{
    char id[OTAPULT_SECRET];

    (void)state;
    assert_int_equal(make_token("one", id), 0);
    assert_int_equal(make_token("two", id), 0);
    board.before_set = fail_at_one_token;
    assert_int_equal(otapult_users_reset(&users), OTAPULT_E_STORE);
    board.before_set = NULL;
    assert_false(is_token(id)); /* not in this boot */
    assert_int_equal(otapult_users_reset(&users), 0);
}

/* ---- over a restart ---- */

static void a_restart_of_its_own_keeps_the_sessions(void **state)
{
    char a[OTAPULT_SECRET], b[OTAPULT_SECRET];
    size_t len;

    (void)state;
    login(a);
    board.clock += 10 * MINUTE_MS;
    login(b);
    otapult_users_save(&users);
    unsigned writes = board.writes;
    board.clock += 1000;
    otapult_users_save(&users); /* until the restart comes */
    assert_int_equal(board.writes, writes);
    assert_false(ram_port_holds(&board, a, 32));

    board.clock = 500;
    boot(2);
    assert_true(is_session(a) && is_session(b));
    assert_null(ram_port_value(&board, "usr.ses2", &len));
    for (unsigned n = 0; n < 71; n++) {
        board.clock += 10 * MINUTE_MS;
        otapult_users_poll(&users);
        (void)is_session(a);
        (void)is_session(b);
    }
    assert_false(is_session(a)); /* its age came along */
    assert_true(is_session(b));
}

static void all_four_sessions_come_over_a_restart(void **state)
{
    char id[OTAPULT_SESSIONS][OTAPULT_SECRET];

    (void)state;
    for (unsigned n = 0; n < OTAPULT_SESSIONS; n++)
        login(id[n]);
    otapult_users_save(&users);
    boot(2);
    for (unsigned n = 0; n < OTAPULT_SESSIONS; n++)
        assert_true(is_session(id[n]));
}

static void where_nobody_is_logged_in_nothing_is_kept(void **state)
{
    char id[OTAPULT_SECRET];
    size_t len;

    (void)state;
    unsigned writes = board.writes;
    otapult_users_save(&users);
    assert_int_equal(board.writes, writes);
    boot(2);
    login(id);
    assert_true(is_session(id));
    otapult_users_logout(&users, who);
    otapult_users_save(&users);
    assert_null(ram_port_value(&board, "usr.ses2", &len));
}

static void a_password_change_ends_kept_sessions(void **state)
{
    char id[OTAPULT_SECRET];

    (void)state;
    login(id);
    otapult_users_save(&users); /* the restart is due */
    assert_int_equal(change("another password", 16), 0);
    boot(2);
    assert_false(is_session(id));
}

static void the_good_way_writes_little_and_complains_of_nothing(void **state)
{
    char id[OTAPULT_SECRET];

    (void)state;
    board.log_level = OTAPULT_LOG_INFO;
    unsigned writes = board.writes;
    boot(2); /* nothing was kept */
    assert_int_equal(board.writes, writes);
    board.before_set = no_set;
    boot(3);
    board.before_set = NULL;
    login(id);
    otapult_users_save(&users);
    assert_int_equal(board.writes, writes + 1);
    boot(4);
    assert_int_equal(board.writes, writes + 2);
    assert_true(is_session(id));
    otapult_users_save(&users);
    otapult_users_logout(&users, who);
    assert_int_not_equal(board.log_level, OTAPULT_LOG_ERROR);
}

static void a_loss_of_power_ends_the_sessions(void **state)
{
    char id[OTAPULT_SECRET];

    (void)state;
    login(id);
    boot(2);
    assert_false(is_session(id));

    login(id);
    otapult_users_save(&users);
    board.reset = OTAPULT_RESET_POWER; /* while the device restarted */
    boot(3);
    assert_false(is_session(id));
    board.reset = OTAPULT_RESET_SOFTWARE;
    boot(4);
    assert_false(is_session(id));
}

/* What a restart carried over is for the next boot alone, also where the store does not let go of it. */
static void what_was_carried_over_a_restart_is_consumed_by_it(void **state)
{
    char id[OTAPULT_SECRET];

    (void)state;
    for (int failing = 0; failing < 2; failing++) {
        uint32_t number = 2 + 10 * (uint32_t)failing;

        boot(number - 1);
        login(id);
        otapult_users_save(&users);
        board.set_error = failing ? OTAPULT_E_STORE : 0;
        boot(number);
        board.set_error = 0;
        assert_true(is_session(id));
        boot(number + 1);
        assert_false(is_session(id));
    }
}

static void a_session_that_is_merely_looked_at_ends(void **state)
{
    char id[OTAPULT_SECRET];

    (void)state;
    login(id);
    assert_true(is_session(id));
    for (unsigned n = 0; n < 14; n++) {
        board.clock += MINUTE_MS;
        assert_true(otapult_users_still(&users, who, false));
    }
    board.clock += MINUTE_MS;
    assert_false(otapult_users_still(&users, who, false));
    assert_false(is_session(id));
}

static void a_logout_is_not_undone_by_a_restart(void **state)
{
    char a[OTAPULT_SECRET], b[OTAPULT_SECRET];

    (void)state;
    login(a);
    login(b);
    otapult_users_save(&users);
    boot(2);
    assert_true(is_session(a));
    otapult_users_logout(&users, who);
    boot(3);
    assert_false(is_session(a));

    login(a);
    login(b);
    otapult_users_save(&users);
    assert_true(is_session(a));
    otapult_users_logout(&users, who); /* the restart is due, and saved for already */
    otapult_users_save(&users);
    boot(4);
    assert_false(is_session(a));
    assert_true(is_session(b));
}

static char leaving[OTAPULT_SECRET];

static void log_out_meanwhile(void *ctx, const char *key)
{
    (void)ctx;
    board.before_set = NULL;
    assert_string_equal(key, "usr.ses2");
    assert_true(is_session(leaving));
    otapult_users_logout(&users, who);
}

static void a_logout_while_sessions_are_kept_is_not_undone(void **state)
{
    (void)state;
    login(leaving);
    board.before_set = log_out_meanwhile;
    otapult_users_save(&users);
    assert_null(board.before_set);
    boot(2);
    assert_false(is_session(leaving));
}

static void foreign_bytes_in_the_store_are_no_sessions(void **state)
{
    char id[OTAPULT_SECRET];
    uint8_t junk[256];

    (void)state;
    login(id);
    for (size_t len = 1; len <= sizeof junk; len++) {
        memset(junk, (int)len, sizeof junk);
        assert_int_equal(board.port.kv_set(&board, "usr.ses2", junk, len), 0);
        boot(2);
        assert_null(otapult_users_fault(&users));
        assert_false(is_session(id));
    }
}

/* ---- tokens ---- */

static void a_token_is_its_id_and_nothing_else(void **state)
{
    char id[OTAPULT_SECRET], other[64], name[OTAPULT_WHO_NAME];

    (void)state;
    assert_int_equal(make_token("build-server", id), 0);
    assert_true(is_token(id));
    assert_int_equal(who.kind, OTAPULT_BY_TOKEN);
    otapult_users_name(&users, who, name);
    assert_string_equal(name, "token build-server");
    for (size_t len = 0; len < 32; len++)
        assert_false(otapult_users_token(&users, id, len, &who));
    snprintf(other, sizeof other, "%s ", id);
    assert_false(is_token(other));
    memset(other, 'a', sizeof other - 1);
    other[sizeof other - 1] = '\0';
    assert_false(is_token(other));
    board.before_set = no_set; /* nor is it a use of any token */
    for (size_t i = 0; i < 32; i++) {
        snprintf(other, sizeof other, "%s", id);
        other[i] = other[i] == '0' ? '1' : '0';
        assert_false(is_token(other));
    }
    board.before_set = NULL;
    assert_false(is_session(id));
    assert_false(ram_port_holds(&board, id, 32));
    boot(2);
    assert_true(is_token(id));
}

static void token_replay_after_revocation(void **state)
{
    char a[OTAPULT_SECRET], b[OTAPULT_SECRET];
    struct otapult_who before;
    size_t len;

    (void)state;
    assert_int_equal(make_token("a", a), 0);
    assert_int_equal(make_token("b", b), 0);
    assert_true(is_token(a));
    before = who;
    assert_non_null(ram_port_value(&board, "usr.toka", &len));
    assert_int_equal(revoke("a"), 0);
    assert_null(ram_port_value(&board, "usr.toka", &len)); /* nothing is left of it */
    assert_false(is_token(a));
    assert_false(otapult_users_still(&users, before, true));
    assert_true(is_token(b));
    assert_int_equal(revoke("a"), OTAPULT_E_TOKEN_NAME);
    assert_int_equal(revoke(""), OTAPULT_E_TOKEN_NAME);
    assert_int_equal(make_token("a", b), 0); /* in the same place */
    assert_false(otapult_users_still(&users, before, true));
    boot(2);
    assert_false(is_token(a));
}

static void revoke_meanwhile(void *ctx, const char *key)
{
    (void)ctx;
    board.before_set = NULL;
    assert_string_equal(key, "usr.toka");
    assert_int_equal(revoke("a"),
                     OTAPULT_E_STORE); /* another task would wait; this one is the one it waits for */
}

/* Its first use in a boot is stored; a revocation in that moment holds all the same. */
static void a_token_revoked_during_its_use_stays_revoked(void **state)
{
    char id[OTAPULT_SECRET];

    (void)state;
    assert_int_equal(make_token("a", id), 0);
    board.before_set = revoke_meanwhile;
    (void)is_token(id);
    assert_null(board.before_set);
    assert_false(is_token(id));
    boot(2);
    assert_false(is_token(id));
}

static void names_of_tokens_are_plain_and_there_once(void **state)
{
    static const char *const wrong[] = {"",    "a b", "<b>", "a\"b", "a\nb",
                                        "имя", "x/y", "a'b", "a\\b", "123456789012345678901"};
    static const char *const good[] = {"a", "A.b_c-9", "12345678901234567890"};
    char id[OTAPULT_SECRET];

    (void)state;
    for (size_t i = 0; i < COUNT(wrong); i++)
        assert_int_equal(make_token(wrong[i], id), OTAPULT_E_TOKEN_NAME);
    for (size_t i = 0; i < COUNT(good); i++) {
        assert_int_equal(make_token(good[i], id), 0);
        assert_int_equal(make_token(good[i], id), OTAPULT_E_TOKEN_NAME);
    }
    boot(2);
    for (unsigned i = 0; i < COUNT(good); i++) {
        struct otapult_token t;
        assert_true(otapult_users_token_at(&users, i, &t));
        assert_string_equal(t.name, good[i]);
    }
}

static void there_are_eight_tokens(void **state)
{
    static const uint8_t no_hash[sizeof((struct otapult_token *)0)->hash];
    char id[OTAPULT_SECRET], name[3] = "t0";
    struct otapult_token t;
    struct otapult_finding why;

    (void)state;
    for (unsigned n = 0; n < OTAPULT_TOKENS; n++, name[1]++) {
        assert_false(otapult_users_token_at(&users, n, &t));
        assert_int_equal(make_token(name, id), 0);
        assert_true(otapult_users_token_at(&users, n, &t));
        assert_string_equal(t.name, name);
        assert_memory_equal(t.hash, no_hash, sizeof no_hash); /* it is shown to nobody */
    }
    assert_int_equal(otapult_users_token_make(&users, name, id, &why), OTAPULT_E_TOKENS_FULL);
    assert_int_equal(why.want, 8);
    assert_int_equal(revoke("t3"), 0);
    assert_int_equal(make_token("x", id), 0); /* the shortest name there is */
    assert_true(otapult_users_token_at(&users, 3, &t));
    assert_string_equal(t.name, "x");
}

static void the_last_use_of_a_token_is_stored_once_a_boot(void **state)
{
    char id[OTAPULT_SECRET];
    struct otapult_token t;

    (void)state;
    assert_int_equal(make_token("ci", id), 0);
    assert_true(otapult_users_token_at(&users, 0, &t));
    assert_int_equal(t.boot, 0);
    board.clock = 7000;
    assert_true(is_token(id));
    unsigned writes = board.writes;
    board.clock = 9000;
    assert_true(is_token(id));
    assert_int_equal(board.writes, writes);
    assert_true(otapult_users_token_at(&users, 0, &t));
    assert_int_equal(t.boot, 1);
    assert_int_equal(t.uptime_s, 9);
    boot(5);
    assert_true(otapult_users_token_at(&users, 0, &t));
    assert_int_equal(t.boot, 1);
    assert_true(is_token(id));
    assert_int_equal(board.writes, writes + 1);
}

static void a_use_that_cannot_be_stored_is_told_and_counts(void **state)
{
    char id[OTAPULT_SECRET];

    (void)state;
    assert_int_equal(make_token("ci", id), 0);
    for (uint32_t failing = 0; failing < 2; failing++) {
        boot(2 + failing);
        board.log_level = OTAPULT_LOG_INFO;
        board.set_error = failing ? OTAPULT_E_STORE : 0;
        assert_true(is_token(id));
        board.set_error = 0;
        assert_int_equal(board.log_level, failing ? OTAPULT_LOG_ERROR : OTAPULT_LOG_INFO);
    }
    assert_string_equal(board.log, "the use of a token could not be stored");
}

/* What is noted of a use is not sealed, of none of the eight. */
static void the_use_of_any_token_fits_the_seal(void **state)
{
    char id[8][OTAPULT_SECRET], name[] = "t0";

    (void)state;
    for (unsigned n = 0; n < 8; n++, name[1]++)
        assert_int_equal(make_token(name, id[n]), 0);
    for (uint32_t number = 2; number < 4; number++) {
        board.clock = number * 70000; /* every byte of it changes */
        boot(number + 0x01010100u * number);
        assert_null(otapult_users_fault(&users));
        for (unsigned n = 0; n < 8; n++) {
            unsigned writes = board.writes;
            assert_true(is_token(id[n]));
            assert_int_equal(board.writes, writes + 1); /* and no new seal */
        }
    }
    boot(9);
    assert_null(otapult_users_fault(&users));
}

static void a_token_that_cannot_be_stored_is_not_made(void **state)
{
    char id[OTAPULT_SECRET];
    struct otapult_token t;

    (void)state;
    board.set_error = OTAPULT_E_STORE;
    assert_int_equal(make_token("ci", id), OTAPULT_E_STORE);
    assert_false(otapult_users_token_at(&users, 0, &t));
    assert_false(is_token(id));
    board.set_error = 0;
    board.random_error = OTAPULT_E_INTERNAL;
    assert_int_equal(make_token("ci", id), OTAPULT_E_INTERNAL);
    assert_int_equal(otapult_users_login(&users, login_owner(&users), id), OTAPULT_E_INTERNAL);
}

static void a_new_password_at_the_device_clears_everything(void **state)
{
    char id[OTAPULT_SECRET], token[OTAPULT_SECRET];

    (void)state;
    login(id);
    assert_int_equal(make_token("ci", token), 0);
    while (try("no") == OTAPULT_E_LOGIN_FAILED)
        ;
    assert_int_equal(otapult_users_reset(&users), 0);
    assert_int_equal(shows, 1);
    assert_false(is_session(id));
    assert_false(is_token(token));
    assert_int_equal(try(shown), 0); /* the delays are forgotten too */
    boot(2);
    assert_false(is_token(token));
    assert_int_equal(try(PASSWORD), OTAPULT_E_LOGIN_FAILED);
}

/* ---- attempts ---- */

static void assert_delays_grow(void)
{
    static const uint32_t waits[] = {1, 2, 4, 8, 16, 32, 60, 60, 60};

    for (unsigned n = 0; n < OTAPULT_ATTEMPTS_FREE; n++)
        assert_int_equal(try("no"), OTAPULT_E_LOGIN_FAILED);
    for (size_t i = 0; i < COUNT(waits); i++) {
        assert_int_equal(try(PASSWORD), OTAPULT_E_LOGIN_DELAYED); /* the right one is not looked at either */
        assert_int_equal(wait_s, waits[i]);
        board.clock += waits[i] * 1000 - 1;
        assert_int_equal(try(PASSWORD), OTAPULT_E_LOGIN_DELAYED);
        assert_int_equal(wait_s, 1);
        board.clock += 1; /* coming too early has not made it longer */
        assert_int_equal(try("no"), OTAPULT_E_LOGIN_FAILED);
    }
    board.clock += MINUTE_MS;
    assert_int_equal(try(PASSWORD), 0);
    assert_int_equal(try("no"), OTAPULT_E_LOGIN_FAILED);
    assert_int_equal(try(PASSWORD), 0);
}

static void delays_grow_up_to_a_minute(void **state)
{
    (void)state;
    assert_delays_grow();
    assert_delays_grow(); /* a guess from where somebody has logged in is a guess, too */
}

static void an_hour_of_silence_forgets(void **state)
{
    (void)state;
    for (unsigned n = 0; n < 20; n++) {
        (void)try("no");
        board.clock += MINUTE_MS;
    }
    board.clock += 59 * MINUTE_MS;
    for (unsigned n = 0; n < OTAPULT_ATTEMPTS_FREE; n++)
        assert_int_equal(try("no"), OTAPULT_E_LOGIN_FAILED);
}

static void make_source(uint8_t source[16], unsigned n)
{
    memset(source, 0, 16);
    memset(source + 10, 0xFF, 2);
    source[12] = 10;
    source[13] = (uint8_t)(n >> 16);
    source[14] = (uint8_t)(n >> 8);
    source[15] = (uint8_t)n;
}

/* 10,000 tries in 1,000 s. Returns how many of them were looked at. */
static unsigned storm(unsigned sources)
{
    unsigned looked_at = 0;
    uint8_t source[16];

    for (unsigned n = 0; n < 10000; n++) {
        make_source(source, n % sources);
        looked_at += try_from(source, "guess", 5) == OTAPULT_E_LOGIN_FAILED;
        board.clock += 100;
    }
    return looked_at;
}

static void login_brute_force_from_one_source(void **state)
{
    (void)state;
    assert_in_range(storm(1), 10, 40);
    assert_int_equal(try(PASSWORD), 0); /* the owner, for the first time from here */
}

static void login_brute_force_from_a_few_sources(void **state)
{
    (void)state;
    assert_in_range(storm(8), 80, 320);
    assert_int_equal(try(PASSWORD), 0);
}

/* More sources than are remembered: the total bounds them, and whoever has been here before passes. */
static void login_brute_force_from_everywhere(void **state)
{
    char id[OTAPULT_SECRET], token[OTAPULT_SECRET];

    (void)state;
    assert_int_equal(make_token("ci", token), 0);
    assert_int_equal(try(PASSWORD), 0);
    assert_true(storm(10000) <= OTAPULT_ATTEMPTS_BURST + 1000000 / OTAPULT_ATTEMPTS_EVERY + 1);
    assert_int_equal(try(PASSWORD), 0);
    login(id);
    storm(10000);
    assert_true(is_token(token));
    for (unsigned n = 0; n < OTAPULT_ATTEMPTS_FREE; n++)
        assert_int_equal(try("typo"), OTAPULT_E_LOGIN_FAILED); /* attempts of others are not the owner's */
    board.clock += 1000;
    assert_int_equal(try(PASSWORD), 0);
}

/* What the design does not give, as attempts.h says: a new source finds the total used up. It is told how
 * long to wait, never more than a few seconds, and is not refused for good. */
static void a_new_source_among_ten_thousand_is_told_to_wait(void **state)
{
    (void)state;
    storm(10000);
    int err = try(PASSWORD);
    assert_true(err == 0 || wait_s <= OTAPULT_ATTEMPTS_EVERY / 1000);
    board.clock += OTAPULT_ATTEMPTS_EVERY;
    assert_int_equal(try(PASSWORD), 0);
}

static void an_ipv6_network_is_one_source(void **state)
{
    uint8_t source[16] = {0x20, 0x01, 0x0d, 0xb8};
    unsigned looked_at = 0;

    (void)state;
    for (unsigned n = 0; n < 200; n++) {
        source[15] = (uint8_t)n;
        source[8] = (uint8_t)(n * 7);
        looked_at += try_from(source, "guess", 5) == OTAPULT_E_LOGIN_FAILED;
    }
    assert_int_equal(looked_at, OTAPULT_ATTEMPTS_FREE);
    source[7] = 1;
    assert_int_equal(try_from(source, PASSWORD, strlen(PASSWORD)), 0);
}

/* By its four bytes, whatever lies in memory behind them. */
static void an_ipv4_address_is_one_source(void **state)
{
    struct {
        uint8_t source[16], beyond;
    } from = {{0}, 0};
    unsigned looked_at = 0;

    (void)state;
    memcpy(from.source, home, sizeof home);
    for (unsigned n = 0; n < 50; n++) {
        from.beyond = (uint8_t)n;
        looked_at += try_from(from.source, "guess", 5) == OTAPULT_E_LOGIN_FAILED;
    }
    assert_int_equal(looked_at, OTAPULT_ATTEMPTS_FREE);
    from.source[12]++;
    assert_int_equal(try_from(from.source, PASSWORD, strlen(PASSWORD)), 0);
}

/* Many at once get no further than many in a row: an attempt counts when it begins. */
static void attempts_at_once_count_before_they_fail(void **state)
{
    struct otapult_attempts a;
    unsigned allowed = 0;

    (void)state;
    otapult_attempts_init(&a, 0);
    for (unsigned n = 0; n < 100; n++)
        allowed += otapult_attempts_ask(&a, home, 0) == 0;
    assert_int_equal(allowed, OTAPULT_ATTEMPTS_FREE);
}

static void a_device_that_starts_has_seen_nobody(void **state)
{
    (void)state;
    for (unsigned value = 0; value < 256; value++) {
        struct otapult_attempts a;
        uint8_t source[16];
        unsigned allowed = 0;
        const uint32_t now = value * 0x01010101u;

        memset(source, (int)value, sizeof source);
        otapult_attempts_init(&a, now);
        for (unsigned n = 0; n < 100; n++)
            allowed += otapult_attempts_ask(&a, source, now) == 0;
        assert_int_equal(allowed, OTAPULT_ATTEMPTS_FREE);
    }
}

/* On a copy: is it delayed sooner than one that was never seen? */
static bool is_remembered(struct otapult_attempts a, const uint8_t source[16], uint32_t now)
{
    assert_int_equal(otapult_attempts_ask(&a, source, now), 0);
    return otapult_attempts_ask(&a, source, now) != 0;
}

/* Eight that have failed are remembered, wherever the clock stands; a ninth takes the place of the first. */
static void the_source_silent_for_longest_makes_room(void **state)
{
    static const uint32_t begins[] = {1000, UINT32_MAX - 60000, UINT32_MAX - 120000};
    uint8_t source[9][16];

    (void)state;
    for (size_t i = 0; i < COUNT(begins); i++) {
        struct otapult_attempts a;
        uint32_t now = begins[i];

        otapult_attempts_init(&a, now);
        for (unsigned n = 0; n < 9; n++, now += OTAPULT_ATTEMPTS_FREE * OTAPULT_ATTEMPTS_EVERY) {
            make_source(source[n], n);
            for (unsigned tries = 0; tries < OTAPULT_ATTEMPTS_FREE; tries++)
                assert_int_equal(otapult_attempts_ask(&a, source[n], now), 0);
            for (unsigned m = 0; m <= n; m++)
                assert_int_equal(is_remembered(a, source[m], now + 1000), n < 8 || m > 0);
        }
    }
}

/* It is one of those that are known then, and its place among the eight is free. */
static void a_source_that_logs_in_makes_room(void **state)
{
    struct otapult_attempts a;
    uint8_t source[8][16];
    uint32_t now = 1000;

    (void)state;
    otapult_attempts_init(&a, now);
    assert_int_equal(otapult_attempts_ask(&a, home, now), 0);
    for (unsigned n = 0; n < 8; n++, now += OTAPULT_ATTEMPTS_FREE * OTAPULT_ATTEMPTS_EVERY) {
        make_source(source[n], n);
        if (n == 7) {
            assert_int_equal(otapult_attempts_ask(&a, home, now), 0);
            otapult_attempts_result(&a, home, now, true);
        }
        for (unsigned tries = 0; tries < OTAPULT_ATTEMPTS_FREE; tries++)
            assert_int_equal(otapult_attempts_ask(&a, source[n], now), 0);
    }
    for (unsigned n = 0; n < 8; n++)
        assert_true(is_remembered(a, source[n], now));
}

/* On a copy, when the total is used up: only who has logged in passes. */
static bool is_known(struct otapult_attempts a, const uint8_t source[16], uint32_t now)
{
    uint8_t other[16];

    for (unsigned n = 0; n < OTAPULT_ATTEMPTS_BURST + 1; n++) {
        make_source(other, 1000 + n);
        (void)otapult_attempts_ask(&a, other, now);
    }
    return otapult_attempts_ask(&a, source, now) == 0;
}

static void the_last_four_that_logged_in_are_known(void **state)
{
    static const uint32_t begins[] = {1000, UINT32_MAX - 6000, UINT32_MAX - 12000};
    uint8_t source[5][16];

    (void)state;
    for (size_t i = 0; i < COUNT(begins); i++) {
        struct otapult_attempts a;
        uint32_t now = begins[i];

        otapult_attempts_init(&a, now);
        for (unsigned n = 0; n < 5; n++, now += OTAPULT_ATTEMPTS_EVERY) {
            make_source(source[n], n);
            assert_int_equal(otapult_attempts_ask(&a, source[n], now), 0);
            otapult_attempts_result(&a, source[n], now, true);
            for (unsigned m = 0; m <= n; m++)
                assert_int_equal(is_known(a, source[m], now), n < 4 || m > 0);
        }
    }
}

/* A source seen long ago must not be held up by a clock that has come round. */
static void waits_are_bounded_wherever_the_clock_stands(void **state)
{
    static const uint32_t later[] = {0, 1, 60000, 3600000, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF};

    (void)state;
    for (size_t i = 0; i < COUNT(later); i++) {
        struct otapult_attempts a;

        otapult_attempts_init(&a, 4000000000u);
        for (unsigned n = 0; n < 30; n++)
            (void)otapult_attempts_ask(&a, home, 4000000000u + n * MINUTE_MS);
        assert_true(otapult_attempts_ask(&a, home, 4000000000u + 29 * MINUTE_MS + later[i]) <= MINUTE_MS);
    }
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup(f, a_device)
    const struct CMUnitTest tests[] = {
        TEST(pbkdf2_gives_the_published_values),
        TEST(secrets_are_compared_to_their_end),
        TEST(a_secret_is_forgotten_to_its_last_byte_and_nothing_beside_it),
        TEST(a_made_password_is_readable_and_never_the_same),
        TEST(a_password_is_neither_empty_nor_a_prefix_nor_longer),
        TEST(every_length_of_password_up_to_64_works),
        TEST(a_stored_password_says_its_cost),
        TEST(the_first_start_shows_a_password_once),
        TEST(a_password_that_nobody_saw_is_not_kept),
        TEST(without_a_password_nobody_gets_in),
        TEST(a_damaged_password_is_no_password),
        TEST(a_session_is_its_id_and_nothing_else),
        TEST(session_fixation),
        TEST(a_session_ends_when_nobody_uses_it),
        TEST(an_ended_session_stays_ended_when_the_clock_comes_round),
        TEST(a_session_ends_after_twelve_hours_of_use),
        TEST(a_fifth_session_takes_the_place_of_the_least_used),
        TEST(the_place_of_one_that_logged_out_is_taken_first),
        TEST(logins_are_numbered_on_when_the_numbers_come_round),
        TEST(a_logout_ends_one_session),
        TEST(a_password_change_ends_all_logins_but_tokens),
        TEST(a_change_that_cannot_be_stored_changes_nothing),
        TEST(who_knew_the_old_password_can_do_nothing_behind_a_change),
        TEST(of_two_changes_at_once_one_is_refused),
        TEST(a_token_ends_no_session),
        TEST(who_is_in_no_place_is_nobody),
        TEST(logins_have_names),
        TEST(a_reset_that_leaves_a_token_says_so),
        TEST(a_password_change_ends_kept_sessions),
        TEST(the_good_way_writes_little_and_complains_of_nothing),
        TEST(a_use_that_cannot_be_stored_is_told_and_counts),
        TEST(the_use_of_any_token_fits_the_seal),
        TEST(a_restart_of_its_own_keeps_the_sessions),
        TEST(all_four_sessions_come_over_a_restart),
        TEST(where_nobody_is_logged_in_nothing_is_kept),
        TEST(a_loss_of_power_ends_the_sessions),
        TEST(what_was_carried_over_a_restart_is_consumed_by_it),
        TEST(a_session_that_is_merely_looked_at_ends),
        TEST(a_logout_is_not_undone_by_a_restart),
        TEST(a_logout_while_sessions_are_kept_is_not_undone),
        TEST(foreign_bytes_in_the_store_are_no_sessions),
        TEST(a_token_is_its_id_and_nothing_else),
        TEST(token_replay_after_revocation),
        TEST(a_token_revoked_during_its_use_stays_revoked),
        TEST(names_of_tokens_are_plain_and_there_once),
        TEST(there_are_eight_tokens),
        TEST(the_last_use_of_a_token_is_stored_once_a_boot),
        TEST(a_token_that_cannot_be_stored_is_not_made),
        TEST(a_new_password_at_the_device_clears_everything),
        TEST(delays_grow_up_to_a_minute),
        TEST(an_hour_of_silence_forgets),
        TEST(login_brute_force_from_one_source),
        TEST(login_brute_force_from_a_few_sources),
        TEST(login_brute_force_from_everywhere),
        TEST(a_new_source_among_ten_thousand_is_told_to_wait),
        TEST(an_ipv6_network_is_one_source),
        TEST(an_ipv4_address_is_one_source),
        TEST(attempts_at_once_count_before_they_fail),
        TEST(a_device_that_starts_has_seen_nobody),
        TEST(the_source_silent_for_longest_makes_room),
        TEST(a_source_that_logs_in_makes_room),
        TEST(the_last_four_that_logged_in_are_known),
        TEST(waits_are_bounded_wherever_the_clock_stands),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
