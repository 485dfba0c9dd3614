/* SPDX-License-Identifier: Apache-2.0 */
#include "update/device.h"
#include "web/account.h"
#include "web/login.h"

/* The secure profile. Whoever names it has the linker take all of it; nothing else here does. */
const struct otapult_secure otapult_secure = {
    .start = otapult_secure_start,
    .refusal = otapult_secure_refusal,
    .status = otapult_secure_status,
    .settle = otapult_secure_settle,
    .confirmed = otapult_secure_confirmed,
    .poll = otapult_secure_poll,
    .leave = otapult_secure_leave,
    .admit = otapult_login_admit,
    .still = otapult_login_still,
    .name = otapult_login_name,
    .routes = otapult_account_routes,
    .route_count = OTAPULT_ACCOUNT_ROUTES,
};
