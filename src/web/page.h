/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OTAPULT_WEB_PAGE_H
#define OTAPULT_WEB_PAGE_H

#include "otapult/http.h"

/* The upload page, made from ui/ by the build. */
extern const struct otapult_asset otapult_page;

/* Login, password and API tokens. */
extern const struct otapult_asset otapult_account_page;

#endif
