/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OTAPULT_WEB_REQUEST_H
#define OTAPULT_WEB_REQUEST_H

#include "otapult/http.h"

/* What a request says of itself. Nothing here answers. */

/* The value of a header and how often it is there; NULL and 0 when it is not. */
const char *otapult_header_of(const struct otapult_exchange *x, const char *name, unsigned *count);

/* GET or HEAD: the client asks to see something and changes nothing. */
bool otapult_only_looks(const struct otapult_exchange *x);

/* A browser opens the address for a person: a page is wanted, and not for a script of another page. */
bool otapult_opens_page(const struct otapult_exchange *x);

/* The first language of Accept-Language is Russian. */
bool otapult_prefers_russian(const struct otapult_exchange *x);

#endif
