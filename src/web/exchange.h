/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OTAPULT_WEB_EXCHANGE_H
#define OTAPULT_WEB_EXCHANGE_H

#include "otapult/http.h"

/* Between the files of this room. */

/* The value of a header and how often it is there; NULL and 0 when it is not. */
const char *otapult_header_of(const struct otapult_exchange *x, const char *name, unsigned *count);

/* The profile that guards this request; NULL: the open one, or no device of Otapult's. */
const struct otapult_secure *otapult_profile_of(const struct otapult_exchange *x);

bool otapult_is_get(const struct otapult_exchange *x);

/* As otapult_http_error(), with further header lines. */
void otapult_http_error_with(struct otapult_exchange *x, int err, const struct otapult_finding *why,
                             const char *headers);

/* `begin` of a button: refuses what a form may send. */
enum otapult_http_next otapult_begin_button(struct otapult_exchange *x);

/* An answer that is only a head. */
void otapult_http_head(struct otapult_exchange *x, int status, const char *headers);

#endif
