/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TEST_LOGIN_H
#define TEST_LOGIN_H

#include "otapult/port.h"
#include "trust/users.h"

/* What tests of the login share. */

/* Stores `text` as the administrator's password, with a cost of one iteration: it costs nothing to compare.
 * For a device that has not started yet. */
void login_store(const struct otapult_port *port, const char *text);

/* The login of somebody who knows the password, as otapult_users_password() tells it. */
struct otapult_who login_owner(const struct otapult_users *u);

/* The value of `Authorization` for "user:password". Lasts until the next call. */
const char *login_basic(const char *pair);

#endif
