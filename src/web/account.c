/* SPDX-License-Identifier: Apache-2.0 */
#include "web/account.h"

#include <string.h>

#include "base/text.h"
#include "trust/secret.h"
#include "trust/users.h"
#include "update/door.h"
#include "web/answer.h"
#include "web/body.h"
#include "web/login.h"
#include "web/page.h"

/* The browser's and the administrator's side of src/trust/users.h. Each route here gets a secret in or gives
 * one out, so two things hold for all: a secret lies only in memory that the function forgets before it
 * returns, and what was done goes into the journal with the name of the login that did it, never with the
 * secret. */

#define COOKIE_HEAD "Set-Cookie: " OTAPULT_COOKIE "="
#define COOKIE_TAIL "; Path=/; HttpOnly; Secure; SameSite=Strict"

/* ---- answers ---- */

/* Begins a new session of the password `who` and answers with its cookie. */
static void answer_session(struct otapult_exchange *x, struct otapult_who who, const char *message)
{
    char line[sizeof COOKIE_HEAD + OTAPULT_SECRET + sizeof COOKIE_TAIL + 2];
    char id[OTAPULT_SECRET];
    struct otapult_text t;

    int err = otapult_users_login(otapult_device_users(x->guard), who, id);
    if (err != 0) {
        otapult_http_error(x, err, &(struct otapult_finding){.text = "no random numbers"});
        return;
    }
    otapult_text_init(&t, line, sizeof line);
    otapult_text_str(&t, COOKIE_HEAD);
    otapult_text_str(&t, id);
    otapult_text_str(&t, COOKIE_TAIL "\r\n");
    otapult_http_success(x, message, line);
    otapult_forget(line, sizeof line);
    otapult_forget(id, sizeof id);
}

/* A string of the body. Answers when it is not there. */
static bool member(struct otapult_exchange *x, const char *key, char *dst, size_t cap)
{
    static const char shape[] = "the body is not an object of strings with the members of docs/http-api.md";

    if (otapult_json_member(x->small, x->len, key, dst, cap))
        return true;
    otapult_http_error(x, OTAPULT_E_BAD_REQUEST, &(struct otapult_finding){.text = shape});
    return false;
}

static void note(struct otapult_exchange *x, const char *what, const char *name)
{
    char text[48], by[OTAPULT_WHO_NAME];
    struct otapult_text t;

    otapult_text_init(&t, text, sizeof text);
    otapult_text_str(&t, what);
    otapult_text_str(&t, name);
    otapult_http_who(x, by);
    otapult_note_account(x->guard, text, by);
}

/* ---- in and out ---- */

/* One byte more than a password may have: what is longer is wrong, not malformed. */
typedef char password_text[OTAPULT_PASSWORD_MAX + 2];

/* The password of the body is the one, of which *who is the login. Answers when it is not. */
static bool knows_password(struct otapult_exchange *x, struct otapult_who *who)
{
    password_text text;

    bool good = member(x, "password", text, sizeof text) &&
                otapult_login_password(x, text, strlen(text), who);
    otapult_forget(text, sizeof text);
    return good;
}

/* Always a new session, also for a client that has one: an id that was planted in the browser before the
 * login must not become a session that is logged in (session fixation). */
static void login_end(struct otapult_exchange *x)
{
    struct otapult_who who, before;

    if (!knows_password(x, &who))
        return;
    if (otapult_login_session(x, &before))
        otapult_users_logout(otapult_device_users(x->guard), before);
    answer_session(x, who, "Logged in.");
}

/* Succeeds also where there is no session: the user wants to be logged out, and is. */
static void logout_end(struct otapult_exchange *x)
{
    struct otapult_who who;

    if (otapult_login_session(x, &who))
        otapult_users_logout(otapult_device_users(x->guard), who);
    otapult_http_success(x, "Logged out.", COOKIE_HEAD COOKIE_TAIL "; Max-Age=0\r\n");
}

static void change_to(struct otapult_exchange *x, struct otapult_who who, const char *text)
{
    struct otapult_finding why = {.got = (uint32_t)strlen(text), .text = "writing the password"};

    int err = otapult_users_change(otapult_device_users(x->guard), &who, text, why.got);
    if (err != 0) {
        otapult_http_error(x, err, &why);
        return;
    }
    otapult_end_login(x->guard, "admin");
    note(x, "password changed", "");
    answer_session(x, who, "Password changed.");
}

/* The old password is asked for again: a session may be somebody else's by now. */
static void password_end(struct otapult_exchange *x)
{
    char text[2 * OTAPULT_PASSWORD_MAX]; /* longer than it may be, so that its length can be told */
    struct otapult_who who;

    if (member(x, "new", text, sizeof text) && knows_password(x, &who))
        change_to(x, who, text);
    otapult_forget(text, sizeof text);
}

/* ---- tokens ---- */

static enum otapult_http_next get_tokens(struct otapult_exchange *x)
{
    struct otapult_token token;
    struct otapult_answer a;

    otapult_answer_begin(&a, x, 200);
    otapult_json_open(&a.json, NULL, '{');
    otapult_json_num(&a.json, "most", OTAPULT_TOKENS);
    otapult_json_open(&a.json, "tokens", '[');
    for (unsigned n = 0; n < OTAPULT_TOKENS; n++) {
        if (!otapult_users_token_at(otapult_device_users(x->guard), n, &token))
            continue;
        otapult_json_open(&a.json, NULL, '{');
        otapult_json_str(&a.json, "name", token.name);
        otapult_json_num(&a.json, "boot", token.boot);
        otapult_json_num(&a.json, "uptime_s", token.uptime_s);
        otapult_json_close(&a.json, '}');
    }
    otapult_json_close(&a.json, ']');
    otapult_json_close(&a.json, '}');
    otapult_answer_end(&a);
    return OTAPULT_HTTP_ANSWERED;
}

static void answer_token(struct otapult_exchange *x, const char *name, const char *id)
{
    struct otapult_answer a;

    otapult_answer_begin(&a, x, 200);
    otapult_json_open(&a.json, NULL, '{');
    otapult_json_bool(&a.json, "success", true);
    otapult_json_str(&a.json, "name", name);
    otapult_json_str(&a.json, "token", id);
    otapult_json_close(&a.json, '}');
    otapult_answer_end(&a);
    otapult_forget(a.buf, sizeof a.buf);
}

/* Has room for more than a name may have, so that a name which is too long is refused as such. */
typedef char name_text[64];

static void token_create_end(struct otapult_exchange *x)
{
    name_text name;
    char id[OTAPULT_SECRET];
    struct otapult_finding why;

    if (!member(x, "name", name, sizeof name))
        return;
    int err = otapult_users_token_make(otapult_device_users(x->guard), name, id, &why);
    if (err != 0) {
        otapult_http_error(x, err, &why);
        return;
    }
    note(x, "token made: ", name);
    answer_token(x, name, id);
    otapult_forget(id, sizeof id);
}

/* Ends the uploads of a token. They know its user as "token NAME". */
static void end_login_of(struct otapult_exchange *x, const char *name)
{
    char by[OTAPULT_WHO_NAME];
    struct otapult_text t;

    otapult_text_init(&t, by, sizeof by);
    otapult_text_str(&t, "token ");
    otapult_text_str(&t, name);
    otapult_end_login(x->guard, by);
}

static void token_revoke_end(struct otapult_exchange *x)
{
    name_text name;
    struct otapult_finding why;

    if (!member(x, "name", name, sizeof name))
        return;
    int err = otapult_users_token_revoke(otapult_device_users(x->guard), name, &why);
    if (err != 0) {
        otapult_http_error(x, err, &why);
        return;
    }
    end_login_of(x, name);
    note(x, "token revoked: ", name);
    otapult_http_success(x, "Revoked.", "");
}

/* ---- the page of all this ---- */

static enum otapult_http_next get_page(struct otapult_exchange *x)
{
    otapult_http_asset(x, &otapult_account_page);
    return OTAPULT_HTTP_ANSWERED;
}

/* ---- the table ---- */

#define POST(name, begin_, end_, level_)                                                                \
    {                                                                                                   \
        .method = "POST", .path = "/api/ota/" name, .begin = (begin_), .body = otapult_http_small_body, \
        .end = (end_), .level = (level_)                                                                \
    }

const struct otapult_route otapult_account_routes[OTAPULT_ACCOUNT_ROUTES] = {
    {.method = "GET", .path = "/api/ota/account", .begin = get_page, .level = OTAPULT_PAGE},
    {.method = "GET", .path = "/api/ota/tokens", .begin = get_tokens, .level = OTAPULT_OWNER},
    POST("login", otapult_http_begin_json, login_end, OTAPULT_PUBLIC),
    POST("logout", otapult_begin_button, logout_end, OTAPULT_PUBLIC),
    POST("password", otapult_http_begin_json, password_end, OTAPULT_OWNER),
    POST("tokens/create", otapult_http_begin_json, token_create_end, OTAPULT_OWNER),
    POST("tokens/revoke", otapult_http_begin_json, token_revoke_end, OTAPULT_OWNER),
};
