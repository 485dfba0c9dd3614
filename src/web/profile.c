/* SPDX-License-Identifier: Apache-2.0 */
#include "update/door.h"
#include "web/account.h"
#include "web/login.h"

/* The secure profile. Firmware that names this object links all of it; no other file of the core names it. */
const struct otapult_secure otapult_secure = {
    .keys = &otapult_secure_keys,
    .errors = &otapult_errors_of_secure,
    .admit = otapult_login_admit,
    .still = otapult_login_still,
    .name = otapult_login_name,
    .mark = otapult_login_mark,
    .routes = otapult_account_routes,
    .route_count = OTAPULT_ACCOUNT_ROUTES,
};
