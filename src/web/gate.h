/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OTAPULT_WEB_GATE_H
#define OTAPULT_WEB_GATE_H

#include "trust/users.h"

/* What every request passes when its headers are in, before the first byte of its body, in this order:
 * its length, where it comes from, TLS, who sends it. The route's level says who may. */

/* false: it was refused, and the answer is written. Sets x->who. */
bool otapult_gate(struct otapult_exchange *x);

/* false: the login that let this request in has ended. */
bool otapult_gate_still(const struct otapult_exchange *x);

/* The session of this request's cookie. */
bool otapult_gate_session(const struct otapult_exchange *x, struct otapult_who *who);

/* Tries the password for this request's client; answers when it is not the one. */
bool otapult_gate_password(struct otapult_exchange *x, const char *text, size_t len,
                           struct otapult_who *who);

/* `__Host-` makes browsers insist on TLS and on this host alone. */
#define OTAPULT_COOKIE "__Host-otapult"

#endif
