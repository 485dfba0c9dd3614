/* SPDX-License-Identifier: Apache-2.0 */
#include "offer/choose.h"
#include "offer/pull.h"
#include "web/offer_routes.h"

/* Releases that the device fetches by itself. A firmware that names this object links all of it but the
 * source, which its configuration names beside it; no other file of the core names either. */
const struct otapult_pulling otapult_pulling = {
    .errors = &otapult_errors_of_pull,
    .fault = otapult_pull_fault,
    .start = otapult_pull_start,
    .view = otapult_offer_view,
    .brief = otapult_offer_brief,
    .routes = otapult_offer_routes,
    .route_count = OTAPULT_OFFER_ROUTES,
};
