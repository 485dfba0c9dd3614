/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OTAPULT_WEB_ACCOUNT_H
#define OTAPULT_WEB_ACCOUNT_H

#include "otapult/http.h"

/* Login, password and API tokens: handlers of the routes in ota_routes.c, in the shapes of
 * docs/http-api.md. In the open profile each answers OPEN_PROFILE. */

enum otapult_http_next otapult_account_get(struct otapult_exchange *x);
enum otapult_http_next otapult_account_tokens(struct otapult_exchange *x);
enum otapult_http_next otapult_account_begin(struct otapult_exchange *x); /* of those that take JSON */
void otapult_account_login(struct otapult_exchange *x);
void otapult_account_logout(struct otapult_exchange *x);
void otapult_account_password(struct otapult_exchange *x);
void otapult_account_token_create(struct otapult_exchange *x);
void otapult_account_token_revoke(struct otapult_exchange *x);

#endif
