/* SPDX-License-Identifier: Apache-2.0 */
#include "trust/users.h"

#include <psa/crypto.h>
#include <stddef.h>
#include <string.h>

#include "base/bytes.h"
#include "base/text.h"
#include "trust/secret.h"

_Static_assert(sizeof(struct otapult_users) <= OTAPULT_USERS_RAM, "OTAPULT_USERS_RAM holds the users");
_Static_assert(sizeof(struct otapult_token) == 64, "stored format of a token");

/* Two rules go through this file. No secret is kept as it is: a copy of the store or of the RAM lets nobody
 * in. And the lock is held only to copy: hashing a password takes a second, in which other requests go on,
 * and meanwhile a new password or a logout may end what was true before. So each login carries the serial of
 * the password, session or token that it rests on (struct otapult_who), and otapult_users_still() compares it
 * with the one of now.
 *
 * What is missing or damaged although it was sealed (seal.h) lets nobody in. Absence must not be the way to a
 * new password, for an attacker could bring it about. */

#define KEY_PASSWORD "usr.pw1" /* 1: the format */
#define KEY_SESSIONS "usr.ses2"
#define SECRET_BYTES 16u

/* Sessions on their way over a restart; of those that are there. */
struct kept_sessions {
    uint8_t for_boot[4];
    struct {
        uint8_t hash[32];
        uint32_t age_ms;
    } session[OTAPULT_SESSIONS];
};

static void lock(struct otapult_users *u)
{
    u->port->lock(u->port->ctx);
}

static void unlock(struct otapult_users *u)
{
    u->port->unlock(u->port->ctx);
}

static uint32_t now_of(const struct otapult_users *u)
{
    return u->port->now_ms(u->port->ctx);
}

static int store(struct otapult_users *u, const char *key, const void *value, size_t len)
{
    return otapult_seal_set(u->seal, key, value, len);
}

/* Under lock. */
static uint32_t new_serial(struct otapult_users *u)
{
    if (++u->serials == 0)
        ++u->serials;
    return u->serials;
}

static int hash_of(const char *id, uint8_t hash[32])
{
    size_t n;

    return psa_hash_compute(PSA_ALG_SHA_256, (const uint8_t *)id, OTAPULT_SECRET - 1, hash, 32, &n) ==
                   PSA_SUCCESS
               ? 0
               : OTAPULT_E_INTERNAL;
}

static int new_secret(struct otapult_users *u, char id[OTAPULT_SECRET], uint8_t hash[32])
{
    uint8_t random[SECRET_BYTES];
    struct otapult_text t;

    if (u->port->random(u->port->ctx, random, sizeof random) != 0)
        return OTAPULT_E_INTERNAL;
    otapult_text_init(&t, id, OTAPULT_SECRET);
    otapult_text_digest(&t, random, sizeof random);
    otapult_forget(random, sizeof random);
    return hash_of(id, hash);
}

/* ---- sessions ---- */

/* Under lock: is the session in place n alive? One whose time is over goes. */
static bool alive(struct otapult_users *u, unsigned n, uint32_t now)
{
    if (u->session[n].serial == 0)
        return false;
    if (now - u->session[n].used_ms < OTAPULT_SESSION_IDLE_MS &&
        now - u->session[n].began_ms < OTAPULT_SESSION_MAX_MS - u->session[n].before_ms)
        return true;
    u->session[n].serial = 0;
    return false;
}

/* Under lock: a place for a new session. */
static unsigned free_session(struct otapult_users *u, uint32_t now)
{
    unsigned best = 0;

    for (unsigned n = 0; n < OTAPULT_SESSIONS; n++) {
        if (!alive(u, n, now))
            return n;
        if (now - u->session[n].used_ms > now - u->session[best].used_ms)
            best = n;
    }
    return best;
}

/* Under lock. */
static void put_session(struct otapult_users *u, const uint8_t hash[32], uint32_t age_ms, uint32_t now)
{
    unsigned n = free_session(u, now);

    memcpy(u->session[n].hash, hash, sizeof u->session[n].hash);
    u->session[n].serial = new_serial(u);
    u->session[n].began_ms = u->session[n].used_ms = now;
    u->session[n].before_ms = age_ms;
}

/* Under lock. */
static bool is_password(const struct otapult_users *u, const struct otapult_who *who)
{
    return who->kind == OTAPULT_BY_PASSWORD && who->serial == u->password_serial;
}

/* The password was looked at for a second, without the lock: a session of an old one must not begin behind
 * the change that ends them all. */
int otapult_users_login(struct otapult_users *u, struct otapult_who who, char id[OTAPULT_SECRET])
{
    uint8_t hash[32];
    uint32_t now = now_of(u);

    int err = new_secret(u, id, hash);
    if (err != 0)
        return err;
    lock(u);
    bool still_good = is_password(u, &who);
    if (still_good)
        put_session(u, hash, 0, now);
    unlock(u);
    return still_good ? 0 : OTAPULT_E_LOGIN_ENDED;
}

/* After the sessions were kept for a restart that is due: one that ends now must not come over it. */
static void forget_kept(struct otapult_users *u)
{
    lock(u);
    bool kept = u->saved;
    u->saved = false;
    unlock(u);
    if (kept && u->port->kv_set(u->port->ctx, KEY_SESSIONS, NULL, 0) != 0)
        u->port->log(u->port->ctx, OTAPULT_LOG_ERROR, "kept sessions could not be removed from the store");
}

void otapult_users_logout(struct otapult_users *u, struct otapult_who who)
{
    if (who.kind != OTAPULT_BY_SESSION || who.slot >= OTAPULT_SESSIONS)
        return;
    lock(u);
    if (u->session[who.slot].serial == who.serial)
        u->session[who.slot].serial = 0;
    unlock(u);
    forget_kept(u);
}

bool otapult_users_session(struct otapult_users *u, const char *id, size_t len, struct otapult_who *who)
{
    uint8_t hash[32];
    uint32_t now = now_of(u);
    bool found = false;

    if (len != OTAPULT_SECRET - 1 || hash_of(id, hash) != 0)
        return false;
    lock(u);
    for (unsigned n = 0; n < OTAPULT_SESSIONS; n++) { /* all of them, wherever it is */
        bool same = otapult_same_secret(hash, u->session[n].hash, sizeof hash);
        if (!alive(u, n, now) || !same)
            continue;
        found = true;
        u->session[n].used_ms = now;
        *who = (struct otapult_who){OTAPULT_BY_SESSION, (uint8_t)n, u->session[n].serial};
    }
    unlock(u);
    return found;
}

/* The age of a session just before the restart; what the restart takes does not count. */
static size_t collect_sessions(struct otapult_users *u, struct kept_sessions *kept, uint32_t now)
{
    size_t count = 0;

    otapult_put_le32(kept->for_boot, u->boot + 1);
    lock(u);
    for (unsigned n = 0; n < OTAPULT_SESSIONS; n++) {
        if (!alive(u, n, now))
            continue;
        memcpy(kept->session[count].hash, u->session[n].hash, sizeof kept->session[count].hash);
        kept->session[count++].age_ms = u->session[n].before_ms + (now - u->session[n].began_ms);
    }
    u->saved = true;
    unlock(u);
    return count;
}

static bool is_saved(struct otapult_users *u)
{
    lock(u);
    bool saved = u->saved;
    unlock(u);
    return saved;
}

/* A logout between collecting and storing takes `saved` back; then what was stored has one session too many
 * and is stored again. */
void otapult_users_save(struct otapult_users *u)
{
    struct kept_sessions kept;
    uint32_t now = now_of(u);

    while (u->boot != 0 && !is_saved(u)) {
        size_t count = collect_sessions(u, &kept, now);
        size_t len = count == 0 ? 0 : offsetof(struct kept_sessions, session) + count * sizeof *kept.session;
        if (u->port->kv_set(u->port->ctx, KEY_SESSIONS, &kept, len) != 0)
            u->port->log(u->port->ctx, OTAPULT_LOG_ERROR, "the sessions could not be kept");
    }
}

/* What was kept is for the boot after the restart and for no other: where the store cannot remove it, the
 * number of the boot in it no longer fits. A loss of power ends all sessions. */
static void load_sessions(struct otapult_users *u)
{
    struct kept_sessions kept;
    const size_t head = offsetof(struct kept_sessions, session);
    uint32_t now = now_of(u);
    size_t len = 0;

    if (u->port->kv_get(u->port->ctx, KEY_SESSIONS, &kept, sizeof kept, &len) != 0 || len == 0)
        return;
    if (u->port->kv_set(u->port->ctx, KEY_SESSIONS, NULL, 0) != 0)
        u->port->log(u->port->ctx, OTAPULT_LOG_ERROR, "kept sessions could not be removed from the store");
    if (len < head || len > sizeof kept || (len - head) % sizeof *kept.session != 0 ||
        otapult_le32(kept.for_boot) != u->boot || u->port->reset_reason(u->port->ctx) == OTAPULT_RESET_POWER)
        return;
    for (size_t i = 0; i < (len - head) / sizeof *kept.session; i++) {
        if (kept.session[i].age_ms < OTAPULT_SESSION_MAX_MS)
            put_session(u, kept.session[i].hash, kept.session[i].age_ms, now);
    }
}

void otapult_users_poll(struct otapult_users *u)
{
    uint32_t now = now_of(u);

    lock(u);
    for (unsigned n = 0; n < OTAPULT_SESSIONS; n++)
        (void)alive(u, n, now);
    unlock(u);
}

/* ---- the password ---- */

/* `old`: the password that lets it be changed; NULL: the owner at the device does. Of two that know the same
 * old one only the first changes it, or each would be told that his is the password now. */
static int begin_change(struct otapult_users *u, const struct otapult_who *old)
{
    int err = 0;

    lock(u);
    if (u->changing)
        err = OTAPULT_E_PASSWORD_CHANGING;
    else if (old != NULL && !is_password(u, old))
        err = OTAPULT_E_LOGIN_ENDED;
    else
        u->changing = true;
    unlock(u);
    return err;
}

static void end_change(struct otapult_users *u, const struct otapult_password *next, struct otapult_who *who)
{
    lock(u);
    u->changing = false;
    if (next != NULL) {
        u->password = *next;
        u->password_serial = new_serial(u);
        u->fault = NULL;
        if (who != NULL)
            who->serial = u->password_serial;
    }
    for (unsigned n = 0; n < OTAPULT_SESSIONS && next != NULL; n++)
        u->session[n].serial = 0;
    unlock(u);
}

/* Makes `next` the password, in the store first; every session ends. */
static int take_password(struct otapult_users *u, const struct otapult_password *next,
                         struct otapult_who *who)
{
    int err = begin_change(u, who);
    if (err != 0)
        return err;
    err = store(u, KEY_PASSWORD, next, sizeof *next);
    end_change(u, err == 0 ? next : NULL, who);
    if (err == 0)
        forget_kept(u);
    return err;
}

int otapult_users_change(struct otapult_users *u, struct otapult_who *who, const char *text, size_t len)
{
    struct otapult_password next;

    int err = otapult_password_hash(&next, u->port, text, len);
    return err == 0 ? take_password(u, &next, who) : err;
}

/* Shown before it is stored: when the power goes in between, the next boot makes and shows another; the
 * other way round there would be one that nobody knows. */
static int make_password(struct otapult_users *u)
{
    char text[OTAPULT_PASSWORD_TEXT];
    struct otapult_password next;

    int err = u->show == NULL ? OTAPULT_E_INTERNAL : otapult_password_make(u->port, text);
    if (err == 0)
        err = otapult_password_hash(&next, u->port, text, sizeof text - 1);
    if (err != 0)
        return err;
    bool shown = u->show(u->app, text);
    otapult_forget(text, sizeof text);
    return shown ? take_password(u, &next, NULL) : OTAPULT_E_INTERNAL;
}

/* Under lock. */
static bool may_try(struct otapult_users *u, const uint8_t source[16], uint32_t now,
                    struct otapult_password *copy, struct otapult_who *who, uint32_t *wait_s)
{
    uint32_t wait_ms = otapult_attempts_ask(&u->attempts, source, now);

    *copy = u->password;
    *who = (struct otapult_who){.kind = OTAPULT_BY_PASSWORD, .serial = u->password_serial};
    *wait_s = (wait_ms + 999) / 1000;
    return wait_ms == 0;
}

int otapult_users_password(struct otapult_users *u, const uint8_t source[16], const char *text, size_t len,
                           struct otapult_who *who, uint32_t *wait_s)
{
    struct otapult_password copy;
    uint32_t now = now_of(u);

    lock(u);
    bool in_time = may_try(u, source, now, &copy, who, wait_s);
    unlock(u);
    if (!in_time)
        return OTAPULT_E_LOGIN_DELAYED;
    bool good = otapult_password_is(&copy, text, len);
    lock(u);
    otapult_attempts_result(&u->attempts, source, now, good);
    unlock(u);
    return good ? 0 : OTAPULT_E_LOGIN_FAILED;
}

/* ---- tokens ---- */

static void token_key(unsigned n, char key[9])
{
    memcpy(key, "usr.tok?", 9);
    key[7] = (char)('a' + n);
}

/* Under lock. */
static uint32_t copy_token(const struct otapult_users *u, unsigned n, struct otapult_token *copy)
{
    *copy = u->token[n];
    return u->token_serial[n];
}

/* Stores what place n holds in RAM. Does so again when the place has changed meanwhile: otherwise a task that
 * stores the first use of a token could write it back after another task has revoked it. */
static int store_token(struct otapult_users *u, unsigned n)
{
    struct otapult_token copy;
    uint32_t serial, serial_now;
    char key[9];
    int err;

    token_key(n, key);
    do {
        lock(u);
        serial = copy_token(u, n, &copy);
        unlock(u);
        err = store(u, key, &copy, serial == 0 ? 0 : sizeof copy);
        lock(u);
        serial_now = u->token_serial[n];
        unlock(u);
    } while (serial != serial_now);
    return err;
}

static bool is_token_name(const char *name)
{
    size_t len = strlen(name);

    return len > 0 && len < OTAPULT_TOKEN_NAME &&
           strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-") == len;
}

/* Under lock: the place of the token of that name; OTAPULT_TOKENS: there is none. "" finds a free place. */
static unsigned find_token(const struct otapult_users *u, const char *name)
{
    unsigned n = 0;

    while (n < OTAPULT_TOKENS && strcmp(u->token[n].name, name) != 0)
        n++;
    return n;
}

/* Under lock: takes a free place for *t. */
static int put_token(struct otapult_users *u, const struct otapult_token *t, unsigned *place,
                     struct otapult_finding *why)
{
    *place = find_token(u, "");
    *why = (struct otapult_finding){.want = OTAPULT_TOKENS, .text = "that name is taken"};
    if (find_token(u, t->name) < OTAPULT_TOKENS)
        return OTAPULT_E_TOKEN_NAME;
    if (*place == OTAPULT_TOKENS)
        return OTAPULT_E_TOKENS_FULL;
    u->token[*place] = *t;
    u->token_serial[*place] = new_serial(u);
    return 0;
}

/* Under lock. */
static void drop_token(struct otapult_users *u, unsigned n)
{
    memset(&u->token[n], 0, sizeof u->token[n]);
    u->token_serial[n] = 0;
}

int otapult_users_token_make(struct otapult_users *u, const char *name, char id[OTAPULT_SECRET],
                             struct otapult_finding *why)
{
    struct otapult_token t = {0};
    unsigned place;

    *why = (struct otapult_finding){.text = "that is no name for a token"};
    if (!is_token_name(name))
        return OTAPULT_E_TOKEN_NAME;
    memcpy(t.name, name, strlen(name) + 1);
    int err = new_secret(u, id, t.hash);
    if (err != 0)
        return err;
    lock(u);
    err = put_token(u, &t, &place, why);
    unlock(u);
    if (err != 0 || store_token(u, place) == 0)
        return err;
    lock(u);
    drop_token(u, place);
    unlock(u);
    *why = (struct otapult_finding){.text = "writing the token"};
    return OTAPULT_E_STORE;
}

int otapult_users_token_revoke(struct otapult_users *u, const char *name, struct otapult_finding *why)
{
    lock(u);
    unsigned n = name[0] == '\0' ? OTAPULT_TOKENS : find_token(u, name);
    if (n < OTAPULT_TOKENS)
        drop_token(u, n);
    unlock(u);
    *why = (struct otapult_finding){.text = "there is no token of that name"};
    if (n == OTAPULT_TOKENS)
        return OTAPULT_E_TOKEN_NAME;
    *why = (struct otapult_finding){.text = "removing the token"};
    return store_token(u, n);
}

bool otapult_users_token_at(struct otapult_users *u, unsigned n, struct otapult_token *out)
{
    lock(u);
    *out = u->token[n];
    unlock(u);
    memset(out->hash, 0, sizeof out->hash);
    return out->name[0] != '\0';
}

/* Under lock: notes the use; true when it is the first of this boot, which the store is to know. */
static bool touch_token(struct otapult_users *u, unsigned n, uint32_t now)
{
    struct otapult_token *t = &u->token[n];
    bool first = t->boot != u->boot;

    t->boot = u->boot;
    t->uptime_s = now / 1000;
    return first;
}

bool otapult_users_token(struct otapult_users *u, const char *id, size_t len, struct otapult_who *who)
{
    uint8_t hash[32];
    uint32_t now = now_of(u);
    bool found = false, first = false;

    if (len != OTAPULT_SECRET - 1 || hash_of(id, hash) != 0)
        return false;
    lock(u);
    for (unsigned n = 0; n < OTAPULT_TOKENS; n++) { /* all of them, wherever it is */
        bool same = otapult_same_secret(hash, u->token[n].hash, sizeof hash);
        if (u->token_serial[n] == 0 || !same)
            continue;
        found = true;
        first = touch_token(u, n, now);
        *who = (struct otapult_who){OTAPULT_BY_TOKEN, (uint8_t)n, u->token_serial[n]};
    }
    unlock(u);
    if (first && store_token(u, who->slot) != 0)
        u->port->log(u->port->ctx, OTAPULT_LOG_ERROR, "the use of a token could not be stored");
    return found;
}

/* A token that cannot be read is no token. Its owner finds it missing and makes another; nobody gets in by
 * it. */
static void load_tokens(struct otapult_users *u)
{
    char key[9];
    size_t len = 0;

    for (unsigned n = 0; n < OTAPULT_TOKENS; n++) {
        struct otapult_token *t = &u->token[n];

        token_key(n, key);
        int err = otapult_seal_get(u->seal, key, t, sizeof *t, &len);
        t->name[sizeof t->name - 1] = '\0';
        if (err == 0 && len == sizeof *t && is_token_name(t->name))
            u->token_serial[n] = new_serial(u);
        else
            drop_token(u, n);
    }
}

/* ---- whose request it is ---- */

/* Under lock. */
static bool still(struct otapult_users *u, struct otapult_who who, uint32_t now, bool use)
{
    switch (who.kind) {
    case OTAPULT_NOBODY: return true;
    case OTAPULT_BY_PASSWORD: return who.serial == u->password_serial;
    case OTAPULT_BY_TOKEN: return who.slot < OTAPULT_TOKENS && who.serial == u->token_serial[who.slot];
    case OTAPULT_BY_SESSION: break;
    default: return false;
    }
    if (who.slot >= OTAPULT_SESSIONS || who.serial != u->session[who.slot].serial || !alive(u, who.slot, now))
        return false;
    if (use)
        u->session[who.slot].used_ms = now;
    return true;
}

bool otapult_users_still(struct otapult_users *u, struct otapult_who who, bool use)
{
    uint32_t now = now_of(u);

    lock(u);
    bool yes = still(u, who, now, use);
    unlock(u);
    return yes;
}

void otapult_users_name(struct otapult_users *u, struct otapult_who who, char name[OTAPULT_WHO_NAME])
{
    struct otapult_text t;
    struct otapult_token token = {0};

    otapult_text_init(&t, name, OTAPULT_WHO_NAME);
    if (who.kind == OTAPULT_BY_PASSWORD || who.kind == OTAPULT_BY_SESSION) {
        otapult_text_str(&t, "admin");
    } else if (who.kind == OTAPULT_BY_TOKEN && who.slot < OTAPULT_TOKENS) {
        (void)otapult_users_token_at(u, who.slot, &token);
        otapult_text_str(&t, "token ");
        otapult_text_str(&t, token.name);
    } else {
        otapult_text_str(&t, "anyone");
    }
}

void otapult_users_mark(struct otapult_users *u, struct otapult_who who, uint8_t mark[16])
{
    lock(u);
    memcpy(mark, who.kind == OTAPULT_BY_TOKEN ? u->token[who.slot].hash : u->password.hash, 16);
    unlock(u);
}

/* ---- the beginning ---- */

const char *otapult_users_fault(struct otapult_users *u)
{
    lock(u);
    const char *fault = u->fault;
    unlock(u);
    return fault;
}

static const char *load_password(struct otapult_users *u)
{
    size_t len = 0;

    if (u->seal->broken != NULL)
        return u->seal->broken;
    if (otapult_seal_get(u->seal, KEY_PASSWORD, &u->password, sizeof u->password, &len) != 0)
        return "the store cannot be read";
    if (len == 0)
        return make_password(u) == 0 ? NULL : "no first password could be made, shown and stored";
    if (len != sizeof u->password || u->password.cost == 0 || u->password.cost > OTAPULT_PASSWORD_COST_MAX)
        return "the stored password is damaged";
    u->password_serial = new_serial(u);
    return NULL;
}

void otapult_users_start(struct otapult_users *u, struct otapult_seal *seal, uint32_t boot,
                         bool (*show)(void *app, const char *password), void *app)
{
    char line[80];
    struct otapult_text t;

    *u = (struct otapult_users){.port = seal->port, .seal = seal, .boot = boot, .show = show, .app = app};
    otapult_attempts_init(&u->attempts, now_of(u));
    u->fault = load_password(u);
    load_tokens(u);
    load_sessions(u);
    if (u->fault == NULL)
        return;
    otapult_text_init(&t, line, sizeof line);
    otapult_text_str(&t, "secure: ");
    otapult_text_str(&t, u->fault);
    u->port->log(u->port->ctx, OTAPULT_LOG_ERROR, line);
}

/* For the owner at the device: also ends every delay, so that the new password can be tried at once. */
int otapult_users_reset(struct otapult_users *u)
{
    uint32_t now = now_of(u);
    bool removed = true;

    int err = make_password(u);
    if (err != 0)
        return err;
    for (unsigned n = 0; n < OTAPULT_TOKENS; n++) {
        lock(u);
        drop_token(u, n);
        unlock(u);
        removed = store_token(u, n) == 0 && removed;
    }
    lock(u);
    otapult_attempts_init(&u->attempts, now);
    unlock(u);
    return removed ? 0 : OTAPULT_E_STORE;
}
