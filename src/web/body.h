/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OTAPULT_WEB_BODY_H
#define OTAPULT_WEB_BODY_H

#include "otapult/http.h"

/* `begin` of a button: refuses the content types that a form may send, wherever the form's page comes from.
 * The body, empty or short, means nothing. Short bodies of JSON are in otapult/http.h. */
enum otapult_http_next otapult_begin_button(struct otapult_exchange *x);

#endif
