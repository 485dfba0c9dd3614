/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OTAPULT_WEB_ACCOUNT_H
#define OTAPULT_WEB_ACCOUNT_H

#include "otapult/http.h"

/* Login, password and API tokens: the routes of the secure profile, in the shapes of docs/http-api.md. In
 * the open profile ota_routes.c answers OPEN_PROFILE in the same places. */

#define OTAPULT_ACCOUNT_ROUTES 7

extern const struct otapult_route otapult_account_routes[OTAPULT_ACCOUNT_ROUTES];

#endif
