/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OTAPULT_WEB_ORIGIN_H
#define OTAPULT_WEB_ORIGIN_H

#include "otapult/http.h"

/* The origin check, in every profile: does a browser send this request for a page of another site? There
 * are two ways to make it do so:
 *
 *   the other site's page sends a request to this device. The browser adds Origin and Sec-Fetch-Site, which
 *   name that site, and the page cannot remove them;
 *
 *   the other site lets its own name resolve to this device's address (DNS rebinding), so that the browser
 *   takes both for one site. Then the Host is a name that this device does not have.
 *
 * Programs send neither header, and may send any: the check protects people with browsers, not the device. */

/* The header value that names another site; NULL: there is none. `hosts`: the device's
 * names, NULL behind the last, or NULL. */
const char *otapult_foreign_host(const struct otapult_exchange *x, const char *const *hosts);
const char *otapult_foreign_origin(const struct otapult_exchange *x);

/* How many characters of a Host are the host, its port left out; 0: it is no Host. */
size_t otapult_host_length(const char *host);

#endif
