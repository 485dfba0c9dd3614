/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OTAPULT_OFFER_URL_H
#define OTAPULT_OFFER_URL_H

#include <stdbool.h>

#include "otapult/offer.h"

/* Addresses, as far as a device follows them: http or https, a host, maybe a port, a path. No user, no fragment, no
 * blank or control character, ASCII alone. */

/* Why this address is not one to fetch, English; NULL: it is. `plain`: http:// is allowed. */
const char *otapult_url_fault(const char *url, bool plain);

/* Are scheme, host and port the same? */
bool otapult_url_same_origin(const char *a, const char *b);

/* Is the host (without port, any case) one of `hosts`, NULL behind the last? `hosts` may be NULL. */
bool otapult_url_host_in(const char *url, const char *const *hosts);

/* What `ref` means where `base` was fetched: a whole address, a path from the root, or beside it. false: it does
 * not fit into dst[OTAPULT_OFFER_URL]. Judges nothing: the result goes through otapult_url_fault(). */
bool otapult_url_resolve(const char *base, const char *ref, char dst[OTAPULT_OFFER_URL]);

#endif
