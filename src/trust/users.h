/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OTAPULT_TRUST_USERS_H
#define OTAPULT_TRUST_USERS_H

#include "otapult/http.h"
#include "trust/attempts.h"
#include "trust/password.h"
#include "trust/seal.h"

/* Who may use the device in its secure profile: one administrator with a password, sessions of browsers,
 * API tokens of scripts. Everything secret is kept as a hash, in RAM as in the key-value store: the
 * password by PBKDF2, ids of sessions and tokens, 128 random bits each, by SHA-256.
 *
 * Times are of this boot: there is no clock on board. Sessions live in RAM; a restart which the device
 * makes itself, after an update, takes them along in the store, so that the page can say what came of it;
 * the boot after it takes them out. A loss of power ends them.
 *
 * All functions may be called from any task; the short state is under the port's lock, and nothing is
 * hashed, read or written under it. */

#define OTAPULT_SESSIONS        4u        /* the one unused for longest makes room */
#define OTAPULT_SESSION_IDLE_MS 900000u   /* 15 min without a request */
#define OTAPULT_SESSION_MAX_MS  43200000u /* 12 h in all */
#define OTAPULT_TOKENS          8u
#define OTAPULT_TOKEN_NAME      21 /* letters, digits, '.', '_', '-'; with its NUL */
#define OTAPULT_SECRET          33 /* 32 hex digits of a session or token; with their NUL */

enum otapult_who_kind {
    OTAPULT_NOBODY,      /* not asked: the open profile, or a route for everybody */
    OTAPULT_BY_PASSWORD, /* sent along with the request */
    OTAPULT_BY_SESSION,
    OTAPULT_BY_TOKEN,
};

struct otapult_token {
    uint8_t  hash[32];
    char     name[OTAPULT_TOKEN_NAME + 3]; /* "": there is none in this place */
    uint32_t boot, uptime_s;               /* of its last use; boot 0: never. Stored once a boot. */
};

struct otapult_users {
    const struct otapult_port *port;
    struct otapult_seal       *seal;
    bool (*show)(void *app, const char *password);
    void       *app;
    uint32_t    boot;

    /* under lock */
    const char             *fault; /* why nobody gets in; NULL: all is well */
    struct otapult_password password;
    uint32_t                serials; /* given out; 0 is nobody's */
    uint32_t                password_serial;
    struct {
        uint8_t  hash[32];
        uint32_t serial; /* 0: the place is free */
        uint32_t began_ms, used_ms;
        uint32_t before_ms; /* its age when this boot began */
    } session[OTAPULT_SESSIONS];
    struct otapult_token    token[OTAPULT_TOKENS];
    uint32_t                token_serial[OTAPULT_TOKENS];
    struct otapult_attempts attempts;
    bool                    saved;    /* the store holds the sessions of now, for the next boot */
    bool                    changing; /* a new password is being written */
};

/* To be called once after each boot: reads password, tokens and the sessions of the boot before. Where there is no
 * password yet, makes one, shows it and stores it. What is missing or damaged becomes `fault`, is logged,
 * and lets nobody in. `show` may be NULL only where a password is stored already. */
void otapult_users_start(struct otapult_users *u, struct otapult_seal *seal, uint32_t boot,
                         bool (*show)(void *app, const char *password), void *app);

/* Why nobody may be let in, whatever they bring along; static. NULL: they may. */
const char *otapult_users_fault(struct otapult_users *u);

/* From the task that polls: ends sessions whose time is over. */
void otapult_users_poll(struct otapult_users *u);

/* Just before a restart of the device's own: keeps the sessions for the next boot. */
void otapult_users_save(struct otapult_users *u);

/* ---- whose request it is ---- */

/* Tries the password. 0 with *who; LOGIN_FAILED; LOGIN_DELAYED, then *wait_s says for how long it would
 * not be looked at. Hashes: takes about a second on the board. */
OTAPULT_MUST_CHECK int otapult_users_password(struct otapult_users *u, const uint8_t source[16],
                                              const char *text, size_t len, struct otapult_who *who,
                                              uint32_t *wait_s);

/* Finds the session or token with this id, of exactly 32 characters. false: there is none, or it has ended. */
bool otapult_users_session(struct otapult_users *u, const char *id, size_t len, struct otapult_who *who);
bool otapult_users_token(struct otapult_users *u, const char *id, size_t len, struct otapult_who *who);

/* Is the login `who` still valid? Logout, a new password, revocation and time end it. With `use` the question counts as a
 * use of the session; an event stream asks without, because a page that is merely open is not used. */
bool otapult_users_still(struct otapult_users *u, struct otapult_who who, bool use);

/* The name of the login for the journal: "admin", "token ci", "anyone". */
void otapult_users_name(struct otapult_users *u, struct otapult_who who, char name[OTAPULT_WHO_NAME]);

/* A mark of what the login rests on, its API token or the password. A later token of the same name has another mark, and so
 * has another password; all sessions of one password share a mark. It is the same in every boot. It is part of a stored
 * hash, so it must not be shown as it is. */
void otapult_users_mark(struct otapult_users *u, struct otapult_who who, uint8_t mark[16]);

/* ---- what the administrator does ---- */

/* A new session with a new id, whatever the browser brought along. `who`: the password that it rests on, from
 * otapult_users_password(). LOGIN_ENDED: that is the password no more; INTERNAL: no random bytes. */
OTAPULT_MUST_CHECK int otapult_users_login(struct otapult_users *u, struct otapult_who who,
                                           char id[OTAPULT_SECRET]);
void otapult_users_logout(struct otapult_users *u, struct otapult_who who);

/* A new password; every session ends. *who: the old one, from otapult_users_password(); becomes the new one.
 * LOGIN_ENDED: somebody has changed it since; PASSWORD_LENGTH, PASSWORD_CHANGING, INTERNAL, STORE: then nothing
 * has changed. */
OTAPULT_MUST_CHECK int otapult_users_change(struct otapult_users *u, struct otapult_who *who, const char *text,
                                            size_t len);

/* As otapult_new_password(). */
OTAPULT_MUST_CHECK int otapult_users_reset(struct otapult_users *u);

/* A new token; its id is told here and kept nowhere. TOKEN_NAME, TOKENS_FULL, INTERNAL, STORE. */
OTAPULT_MUST_CHECK int otapult_users_token_make(struct otapult_users *u, const char *name,
                                                char id[OTAPULT_SECRET], struct otapult_finding *why);

/* TOKEN_NAME: there is none of that name; STORE: it is gone until the next boot, and may come back. */
OTAPULT_MUST_CHECK int otapult_users_token_revoke(struct otapult_users *u, const char *name,
                                                  struct otapult_finding *why);

/* The token in place n below OTAPULT_TOKENS, its hash left out. false: there is none. */
bool otapult_users_token_at(struct otapult_users *u, unsigned n, struct otapult_token *out);

#endif
