/* SPDX-License-Identifier: Apache-2.0 */
#include "web/answer.h"

/* Addresses that people try lead to the page. The redirects are relative, so they work behind a proxy, too.
 */

static enum otapult_http_next lead_down(struct otapult_exchange *x)
{
    otapult_http_head(x, 302, "text/plain", "Location: api/ota\r\n");
    return OTAPULT_HTTP_ANSWERED;
}

static enum otapult_http_next lead_up(struct otapult_exchange *x)
{
    otapult_http_head(x, 302, "text/plain", "Location: ../ota\r\n");
    return OTAPULT_HTTP_ANSWERED;
}

void otapult_front_site(struct otapult_site *site, bool root)
{
    static const struct otapult_route routes[] = {
        {.method = "GET", .path = "/api/ota/", .begin = lead_up, .level = OTAPULT_PAGE},
        {.method = "GET", .path = "/update", .begin = lead_down, .level = OTAPULT_PAGE},
        {.method = "GET", .path = "/", .begin = lead_down, .level = OTAPULT_PAGE},
    };

    *site = (struct otapult_site){.routes = routes,
                                  .count = root ? OTAPULT_FRONT_ROUTES : OTAPULT_FRONT_ROUTES - 1};
    _Static_assert(sizeof routes / sizeof *routes == OTAPULT_FRONT_ROUTES, "the root is the last of them");
}
