/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OTAPULT_WEB_ELSEWHERE_H
#define OTAPULT_WEB_ELSEWHERE_H

#include "otapult/http.h"

/* Requests that a browser sends for somebody else's page, in every profile. Two ways lead here:
 *
 *   a page of another site sends a request to this device: the browser says so, in Origin and in
 *   Sec-Fetch-Site, and the page cannot stop it from saying so;
 *
 *   a page of another site has its own name resolved to this device's address (DNS rebinding), so that
 *   the browser takes both for one site: then the Host is a name this device does not have.
 *
 * Programs send neither, and may send anything: this protects people with browsers, not the device. */

/* What the request says of itself that gives it away; NULL: it comes from here. `hosts`: the device's
 * names, NULL behind the last, or NULL. */
const char *otapult_foreign_host(const struct otapult_exchange *x, const char *const *hosts);
const char *otapult_foreign_origin(const struct otapult_exchange *x);

/* How many characters of a Host are the host, its port left out; 0: it is no Host. */
size_t otapult_host_length(const char *host);

#endif
