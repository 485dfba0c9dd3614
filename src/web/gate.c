/* SPDX-License-Identifier: Apache-2.0 */
#include "web/gate.h"

#include <string.h>

#include "trust/users.h"
#include "update/door.h"
#include "web/answer.h"
#include "web/header.h"
#include "web/origin.h"
#include "web/request.h"

/* The checks stand in an order that gives nothing away. Length first: a request whose end is in doubt must
 * not be looked at any further. Host and origin before the login: a browser that another site steers has the
 * user's cookie, and a refusal after a look at it would tell that site whether somebody is logged in. The
 * login comes last.
 *
 * Nothing here looks at the body. Nothing here knows a password: what the secure profile asks for is reached
 * through `admit`, so that a firmware without it does not link it. */

/* ---- how long ---- */

/* RFC 9112, section 6: a body has one Content-Length, or comes in chunks. The board's server does not hand
 * chunks over, so no device takes them. Both headers, or one of them twice, is how requests are smuggled. */
static const char *length_fault(struct otapult_exchange *x)
{
    unsigned lengths, codings;
    const char *length = otapult_header_of(x, "Content-Length", &lengths);
    const char *coding = otapult_header_of(x, "Transfer-Encoding", &codings);

    if (lengths > 1)
        return "given more than once";
    if (length != NULL && coding != NULL)
        return "given beside Transfer-Encoding";
    if (length != NULL)
        return otapult_read_number(length, strlen(length), &x->length) ? NULL : "not a number";
    return coding == NULL ? NULL : "missing, and this server takes no chunks";
}

static int check_length(struct otapult_exchange *x, struct otapult_finding *why)
{
    why->text = length_fault(x);
    return why->text != NULL ? OTAPULT_E_CONTENT_LENGTH : 0;
}

/* ---- where from ---- */

/* RFC 9112, section 3.2: a client writes into Host what its target names. A server is to go by the target
 * where they differ; a client that makes them differ wants two parties to read one request in two ways, so
 * here it is refused, and all the checks behind this one may go by Host alone. */
static bool names_another(const struct otapult_exchange *x, const char *host)
{
    size_t len;
    const char *named = otapult_target_host(x->req->path, &len);

    return named != NULL && !otapult_same_word(named, len, host);
}

/* RFC 9112, section 3.2. */
static const char *host_fault(const struct otapult_exchange *x)
{
    unsigned count;
    const char *host = otapult_header_of(x, "Host", &count);

    if (host == NULL)
        return x->req->host_optional ? NULL : "HTTP/1.1 without a Host";
    if (count > 1)
        return "more than one Host";
    if (otapult_host_length(host) == 0)
        return "a Host that is none";
    return names_another(x, host) ? "a target that names another host than Host" : NULL;
}

static int check_host(struct otapult_exchange *x, struct otapult_finding *why)
{
    why->text = host_fault(x);
    if (why->text != NULL)
        return OTAPULT_E_BAD_REQUEST;
    if (x->guard == NULL)
        return 0;
    why->text = otapult_foreign_host(x, otapult_device_hosts(x->guard));
    return why->text != NULL ? OTAPULT_E_FOREIGN_HOST : 0;
}

static int check_origin(struct otapult_exchange *x, struct otapult_finding *why)
{
    why->text = otapult_foreign_origin(x);
    return why->text != NULL ? OTAPULT_E_FOREIGN_ORIGIN : 0;
}

/* ---- the gate ---- */

const struct otapult_secure *otapult_profile_of(const struct otapult_exchange *x)
{
    return x->guard != NULL ? otapult_profile(x->guard) : NULL;
}

static void admit(struct otapult_exchange *x)
{
    const struct otapult_secure *profile = otapult_profile_of(x);

    if (profile != NULL)
        profile->admit(x);
}

bool otapult_gate(struct otapult_exchange *x)
{
    struct otapult_finding why = {0};

    int err = check_length(x, &why);
    if (err == 0)
        err = check_host(x, &why);
    if (err == 0)
        err = check_origin(x, &why);
    if (err == 0)
        admit(x);
    else
        otapult_http_refuse(x, err, &why);
    return !x->answered;
}

/* NOBODY: no login let the request in, and none can end it. */
bool otapult_gate_still(const struct otapult_exchange *x)
{
    if (x->who.kind == OTAPULT_NOBODY)
        return true;
    const struct otapult_secure *profile = otapult_profile_of(x);
    return profile->still(x);
}

void otapult_http_who(const struct otapult_exchange *x, char name[OTAPULT_WHO_NAME])
{
    static const char anyone[] = "anyone";
    const struct otapult_secure *profile = otapult_profile_of(x);

    if (profile != NULL)
        profile->name(x, name);
    else
        memcpy(name, anyone, sizeof anyone);
}

void otapult_http_mark(const struct otapult_exchange *x, uint8_t mark[16])
{
    const struct otapult_secure *profile = otapult_profile_of(x);

    memset(mark, 0, 16);
    if (profile != NULL)
        profile->mark(x, mark);
}
