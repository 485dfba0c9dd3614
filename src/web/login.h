/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OTAPULT_WEB_LOGIN_H
#define OTAPULT_WEB_LOGIN_H

#include "trust/users.h"

/* Whose request it is, on a device of the secure profile: TLS first, then a password, a session or an API
 * token, as much as the route's level asks for. */

/* The gate's last check: sets x->who, or answers. */
void otapult_login_admit(struct otapult_exchange *x);

/* false: the login that let this request in has ended. */
bool otapult_login_still(const struct otapult_exchange *x);

/* For the journal. */
void otapult_login_name(const struct otapult_exchange *x, char name[OTAPULT_WHO_NAME]);

/* otapult_http_mark() */
void otapult_login_mark(const struct otapult_exchange *x, uint8_t mark[16]);

/* The session of this request's cookie. */
bool otapult_login_session(const struct otapult_exchange *x, struct otapult_who *who);

/* Tries the password for this request's client; answers when it is not the one. */
bool otapult_login_password(struct otapult_exchange *x, const char *text, size_t len,
                            struct otapult_who *who);

/* `__Host-` makes browsers insist on TLS and on this host alone. */
#define OTAPULT_COOKIE "__Host-otapult"

#endif
