/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OTAPULT_WEB_OFFER_ROUTES_H
#define OTAPULT_WEB_OFFER_ROUTES_H

#include "otapult/http.h"

/* GET and POST /api/ota/offer, for a device that has a source. */
#define OTAPULT_OFFER_ROUTES 2u
extern const struct otapult_route otapult_offer_routes[OTAPULT_OFFER_ROUTES];

#endif
