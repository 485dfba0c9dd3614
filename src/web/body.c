/* SPDX-License-Identifier: Apache-2.0 */
#include "web/body.h"

#include <string.h>

#include "web/header.h"
#include "web/request.h"

enum otapult_http_next otapult_http_begin_json(struct otapult_exchange *x)
{
    static const struct otapult_finding why = {.text = "the content type is not application/json"};
    unsigned count;
    const char *type = otapult_header_of(x, "Content-Type", &count);

    if (type != NULL && count == 1 && otapult_value_is(type, "application/json"))
        return OTAPULT_HTTP_BODY;
    otapult_http_error(x, OTAPULT_E_BAD_REQUEST, &why);
    return OTAPULT_HTTP_ANSWERED;
}

/* These three types are all that a form can send without the browser asking the device first (WHATWG Fetch,
 * "CORS-safelisted request-header"). A browser so old that it sends no Origin is held off by this alone. */
static bool is_form(const char *type)
{
    return otapult_value_is(type, "application/x-www-form-urlencoded") ||
           otapult_value_is(type, "multipart/form-data") || otapult_value_is(type, "text/plain");
}

enum otapult_http_next otapult_begin_button(struct otapult_exchange *x)
{
    static const struct otapult_finding why = {.text = "a form cannot press this button"};
    unsigned count;
    const char *type = otapult_header_of(x, "Content-Type", &count);

    if (type == NULL || !is_form(type))
        return OTAPULT_HTTP_BODY;
    otapult_http_error(x, OTAPULT_E_BAD_REQUEST, &why);
    return OTAPULT_HTTP_ANSWERED;
}

enum otapult_http_next otapult_http_small_body(struct otapult_exchange *x, const uint8_t *data, size_t len)
{
    static const struct otapult_finding why = {.want = OTAPULT_HTTP_SMALL_BODY - 1};

    if (len > why.want - x->len) {
        otapult_http_error(x, OTAPULT_E_BODY_TOO_LARGE, &why);
        return OTAPULT_HTTP_ANSWERED;
    }
    memcpy(x->small + x->len, data, len);
    x->len = (uint16_t)(x->len + len);
    x->small[x->len] = '\0';
    return OTAPULT_HTTP_BODY;
}
