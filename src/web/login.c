/* SPDX-License-Identifier: Apache-2.0 */
#include "web/login.h"

#include <string.h>

#include "base/text.h"
#include "trust/secret.h"
#include "update/door.h"
#include "web/answer.h"
#include "web/header.h"
#include "web/origin.h"
#include "web/request.h"

/* Three ways to be let in: a session's cookie for the page, Basic with the password for people with curl,
 * Bearer with an API token for scripts. Each ends in a call of src/trust/users.h; what is stored, compared
 * and counted is decided there. This file takes headers apart and says no in the words of HTTP.
 *
 * TLS is asked for before anything of a login is read: what came in the clear has been read by others
 * already. */

/* ---- how it came ---- */

/* A page is sent to the same place through TLS; anything else is refused, because the secret it carries has
 * been in the clear and the client must learn of it. Both parts of the new address are safe to repeat: the
 * gate has looked at the Host, and the path is our own table's, not the request's. 307 keeps the method. */
static bool redirect(struct otapult_exchange *x)
{
    unsigned count;
    char line[192];
    struct otapult_text t;
    const char *host = otapult_header_of(x, "Host", &count);

    if (x->route->level != OTAPULT_PAGE || x->req->https_port == 0 || host == NULL)
        return false;
    otapult_text_init(&t, line, sizeof line);
    otapult_text_str(&t, "Location: https://");
    otapult_text_bytes(&t, host, otapult_host_length(host));
    otapult_text_str(&t, ":");
    otapult_text_dec(&t, x->req->https_port);
    otapult_text_str(&t, x->route->path);
    otapult_text_str(&t, "\r\n");
    if (!t.full)
        otapult_http_head(x, 307, "text/plain", line);
    return !t.full;
}

/* 0 with an answer: a page was redirected. */
static int check_tls(struct otapult_exchange *x)
{
    if (x->req->tls)
        return 0;
    return redirect(x) ? 0 : OTAPULT_E_HTTPS_REQUIRED;
}

/* ---- whose request it is ---- */

static int base64_digit(char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    return c == '+' ? 62 : c == '/' ? 63 : -1;
}

/* Length of what `text` says in base64 (RFC 4648, section 4), into dst[cap]; 0: it is none, or does not fit.
 * Clients that leave the padding out are understood; what the last digit has too much is not looked at. */
static size_t from_base64(const char *text, char *dst, size_t cap)
{
    size_t len = strlen(text), n = 0;
    uint32_t bits = 0;

    while (len > 0 && text[len - 1] == '=')
        len--;
    if (len % 4 == 1 || len / 4 * 3 + len % 4 > cap)
        return 0;
    for (size_t i = 0; i < len; i++) {
        int digit = base64_digit(text[i]);
        if (digit < 0)
            return 0;
        bits = bits << 6 | (uint32_t)digit;
        if (i % 4 != 0)
            dst[n++] = (char)(bits >> (6 - 2 * (i % 4)));
    }
    return n;
}

/* A guess, and only for comfort: a browser that is not told of Basic shows our own login. */
static bool is_browser(const struct otapult_exchange *x)
{
    unsigned count;
    const char *agent = otapult_header_of(x, "User-Agent", &count);

    return otapult_header_of(x, "Sec-Fetch-Site", &count) != NULL ||
           (agent != NULL && strncmp(agent, "Mozilla/", 8) == 0);
}

/* A browser that hears of Basic shows a window of its own and then sends the password with every request,
 * also one that another site makes it send. So only programs get the header that RFC 9110, section 11.6.1,
 * asks for. */
static void refuse(struct otapult_exchange *x, int err, const struct otapult_finding *why)
{
    char line[40];
    struct otapult_text t;

    if (err == OTAPULT_E_LOGIN_DELAYED) {
        otapult_text_init(&t, line, sizeof line);
        otapult_text_str(&t, "Retry-After: ");
        otapult_text_dec(&t, why->got);
        otapult_text_str(&t, "\r\n");
        otapult_http_error_with(x, err, why, line);
    } else if (otapult_error_row(err)->status == 401 && !is_browser(x)) {
        otapult_http_error_with(x, err, why,
                                "WWW-Authenticate: Basic realm=\"Otapult\", charset=\"UTF-8\"\r\n");
    } else {
        otapult_http_error(x, err, why);
    }
}

static int try_password(struct otapult_exchange *x, const char *text, size_t len, struct otapult_who *who,
                        struct otapult_finding *why)
{
    struct otapult_users *u = otapult_device_users(x->guard);

    why->text = "password";
    return otapult_users_password(u, x->req->source, text, len, who, &why->got);
}

bool otapult_login_password(struct otapult_exchange *x, const char *text, size_t len, struct otapult_who *who)
{
    struct otapult_finding why = {0};

    int err = try_password(x, text, len, who, &why);
    if (err != 0)
        refuse(x, err, &why);
    return err == 0;
}

/* RFC 7617. There is one user. */
static int take_basic(struct otapult_exchange *x, const char *credentials, struct otapult_finding *why)
{
    static const char user[] = "admin:";
    const size_t user_len = sizeof user - 1;
    char pair[sizeof user + OTAPULT_PASSWORD_MAX];

    size_t len = from_base64(credentials, pair, sizeof pair);
    int err = OTAPULT_E_LOGIN_FAILED;
    why->text = "user name or password";
    if (len >= user_len && memcmp(pair, user, user_len) == 0)
        err = try_password(x, pair + user_len, len - user_len, &x->who, why);
    otapult_forget(pair, sizeof pair);
    return err;
}

static int take_bearer(struct otapult_exchange *x, const char *id, struct otapult_finding *why)
{
    why->text = "API token";
    return otapult_users_token(otapult_device_users(x->guard), id, strlen(id), &x->who)
               ? 0
               : OTAPULT_E_LOGIN_FAILED;
}

/* RFC 9110, section 11.4: a scheme, blanks, credentials. */
static int take_authorization(struct otapult_exchange *x, const char *value, struct otapult_finding *why)
{
    size_t scheme = strcspn(value, " ");
    const char *credentials = value + scheme + strspn(value + scheme, " ");

    if (otapult_same_word(value, scheme, "Basic"))
        return take_basic(x, credentials, why);
    if (otapult_same_word(value, scheme, "Bearer"))
        return take_bearer(x, credentials, why);
    why->text = "Authorization";
    return OTAPULT_E_LOGIN_FAILED;
}

/* RFC 6265, section 4.2.1: name=value; name=value */
static const char *find_cookie(const char *value, size_t *len)
{
    static const char name[] = OTAPULT_COOKIE "=";

    while (value != NULL && *value != '\0') {
        value += strspn(value, "; ");
        *len = strcspn(value, ";");
        if (strncmp(value, name, sizeof name - 1) == 0) {
            *len -= sizeof name - 1;
            return value + sizeof name - 1;
        }
        value += *len;
    }
    return NULL;
}

bool otapult_login_session(const struct otapult_exchange *x, struct otapult_who *who)
{
    unsigned count;
    size_t len;
    const char *id = find_cookie(otapult_header_of(x, "Cookie", &count), &len);

    return id != NULL && otapult_users_session(otapult_device_users(x->guard), id, len, who);
}

static int take_session(struct otapult_exchange *x, struct otapult_finding *why)
{
    if (otapult_login_session(x, &x->who))
        return 0;
    why->text = "nobody is logged in";
    return OTAPULT_E_LOGIN_REQUIRED;
}

/* 0: x->who is set. Two Authorization headers: a proxy may have looked at the other one than we do. With one
 * that is wrong the cookie is not tried: the client has said which login it means. */
static int identify(struct otapult_exchange *x, struct otapult_finding *why)
{
    unsigned count;
    const char *authorization = otapult_header_of(x, "Authorization", &count);

    if (count > 1) {
        why->text = "Authorization";
        return OTAPULT_E_LOGIN_FAILED;
    }
    return authorization != NULL ? take_authorization(x, authorization, why) : take_session(x, why);
}

static const char *users_fault(struct otapult *o)
{
    struct otapult_users *u = otapult_device_users(o);

    return u == NULL ? "no memory for the login" : otapult_users_fault(u);
}

static int check_login(struct otapult_exchange *x, struct otapult_finding *why)
{
    why->text = users_fault(x->guard);
    if (why->text != NULL)
        return OTAPULT_E_NOT_SECURED;
    if (x->route->level == OTAPULT_PUBLIC || x->route->level == OTAPULT_PAGE)
        return 0;
    int err = identify(x, why);
    if (err == 0 && x->route->level == OTAPULT_OWNER && x->who.kind == OTAPULT_BY_TOKEN)
        return OTAPULT_E_OWNER_REQUIRED;
    return err;
}

/* ---- of struct otapult_secure ---- */

void otapult_login_admit(struct otapult_exchange *x)
{
    struct otapult_finding why = {0};

    int err = check_tls(x);
    if (err == 0 && !x->answered)
        err = check_login(x, &why);
    if (err != 0)
        refuse(x, err, &why);
}

bool otapult_login_still(const struct otapult_exchange *x)
{
    return otapult_users_still(otapult_device_users(x->guard), x->who, x->route->event == NULL);
}

void otapult_login_name(const struct otapult_exchange *x, char name[OTAPULT_WHO_NAME])
{
    struct otapult_users *u = otapult_device_users(x->guard);

    name[0] = '\0';
    if (u != NULL)
        otapult_users_name(u, x->who, name);
}

void otapult_login_mark(const struct otapult_exchange *x, uint8_t mark[16])
{
    struct otapult_users *u = otapult_device_users(x->guard);

    memset(mark, 0, 16);
    if (u != NULL)
        otapult_users_mark(u, x->who, mark);
}
