/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OTAPULT_WEB_REQUEST_H
#define OTAPULT_WEB_REQUEST_H

#include "otapult/http.h"

/* What a request says of itself. Nothing here answers. */

/* The value of a header and how often it is there; NULL and 0 when it is not. */
const char *otapult_header_of(const struct otapult_exchange *x, const char *name, unsigned *count);

/* The host and port that an absolute-form target names, *len long; NULL: the target is a path alone. */
const char *otapult_target_host(const char *target, size_t *len);

/* The value of the parameter `name` in the address, not decoded and *len long; NULL when it is not there. */
const char *otapult_query_value(const struct otapult_exchange *x, const char *name, size_t *len);

/* Has the address that parameter with that value: "force=1"? */
bool otapult_query_is(const struct otapult_exchange *x, const char *pair);

/* text[len] as a decimal number. What 32 bits do not hold counts as one less than OTAPULT_SIZE_UNKNOWN: too large for
 * anything. false: it is none. */
bool otapult_read_number(const char *text, size_t len, uint32_t *out);

/* The id of an update: 8 hex digits, not all 0. */
bool otapult_read_id(const char *text, size_t len, uint32_t *out);

/* GET or HEAD: the client asks to see something and changes nothing. */
bool otapult_only_looks(const struct otapult_exchange *x);

/* A browser opens the address for a person: a page is wanted, and not for a script of another page. */
bool otapult_opens_page(const struct otapult_exchange *x);

/* The first language of Accept-Language is Russian. */
bool otapult_prefers_russian(const struct otapult_exchange *x);

#endif
