/* SPDX-License-Identifier: Apache-2.0 */
#include "offer/choose.h"
#include "offer/pull.h"
#include "web/offer_routes.h"

/* Releases that the device fetches by itself. Whoever names it has the linker take all of it but the source,
 * which is named beside it; nothing else here does. */
const struct otapult_pulling otapult_pulling = {
    .errors = &otapult_errors_of_pull,
    .fault = otapult_pull_fault,
    .start = otapult_pull_start,
    .view = otapult_offer_view,
    .brief = otapult_offer_brief,
    .routes = otapult_offer_routes,
    .route_count = OTAPULT_OFFER_ROUTES,
};
