/* SPDX-License-Identifier: Apache-2.0 */
#include "web/request.h"

#include <string.h>

#include "web/header.h"

const char *otapult_header_of(const struct otapult_exchange *x, const char *name, unsigned *count)
{
    *count = 0;
    const char *value = x->req->header(x->req->ctx, name, count);
    if (value == NULL)
        *count = 0;
    return value;
}

bool otapult_only_looks(const struct otapult_exchange *x)
{
    return strcmp(x->req->method, "GET") == 0 || strcmp(x->req->method, "HEAD") == 0;
}

/* Sec-Fetch-Mode is the browser's own word; where it does not send one, Accept tells pages from scripts. */
bool otapult_opens_page(const struct otapult_exchange *x)
{
    unsigned modes, accepts;
    const char *mode = otapult_header_of(x, "Sec-Fetch-Mode", &modes);
    const char *accept = otapult_header_of(x, "Accept", &accepts);

    if (!otapult_only_looks(x) || (mode != NULL && strcmp(mode, "navigate") != 0))
        return false;
    return accept != NULL && otapult_same_word(accept, strcspn(accept, ",;"), "text/html");
}

bool otapult_prefers_russian(const struct otapult_exchange *x)
{
    unsigned count;
    const char *value = otapult_header_of(x, "Accept-Language", &count);

    if (value == NULL)
        return false;
    value += strspn(value, " \t");
    return otapult_same_word(value, strcspn(value, "-,; \t"), "ru");
}
