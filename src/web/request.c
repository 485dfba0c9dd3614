/* SPDX-License-Identifier: Apache-2.0 */
#include "web/request.h"

#include <string.h>

#include "base/bytes.h"
#include "web/header.h"

const char *otapult_header_of(const struct otapult_exchange *x, const char *name, unsigned *count)
{
    *count = 0;
    const char *value = x->req->header(x->req->ctx, name, count);
    if (value == NULL)
        *count = 0;
    return value;
}

/* RFC 3986, section 3: the scheme reads the same in either case. */
const char *otapult_target_host(const char *target, size_t *len)
{
    const size_t scheme = strcspn(target, ":");

    if (!otapult_same_word(target, scheme, "http") && !otapult_same_word(target, scheme, "https"))
        return NULL;
    if (strncmp(target + scheme, "://", 3) != 0)
        return NULL;
    *len = strcspn(target + scheme + 3, "/");
    return target + scheme + 3;
}

const char *otapult_http_path(const char *target)
{
    size_t len;
    const char *host = otapult_target_host(target, &len);

    if (host == NULL)
        return target;
    return host[len] == '\0' ? "/" : host + len;
}

const char *otapult_query_value(const struct otapult_exchange *x, const char *name, size_t *len)
{
    size_t n = strlen(name);

    for (const char *p = x->req->query; *p != '\0'; p += *p == '&') {
        size_t part = strcspn(p, "&");
        if (part > n && strncmp(p, name, n) == 0 && p[n] == '=') {
            *len = part - n - 1;
            return p + n + 1;
        }
        p += part;
    }
    return NULL;
}

bool otapult_query_is(const struct otapult_exchange *x, const char *pair)
{
    const size_t n = strlen(pair);

    for (const char *p = x->req->query; *p != '\0'; p += *p == '&') {
        size_t part = strcspn(p, "&");
        if (part == n && strncmp(p, pair, n) == 0)
            return true;
        p += part;
    }
    return false;
}

bool otapult_read_number(const char *text, size_t len, uint32_t *out)
{
    const uint32_t most = OTAPULT_SIZE_UNKNOWN - 1;
    uint32_t v = 0;

    for (size_t i = 0; i < len; i++) {
        const uint32_t digit = (uint32_t)(text[i] - '0');
        if (digit > 9)
            return false;
        v = v > (most - digit) / 10 ? most : v * 10 + digit;
    }
    *out = v;
    return len > 0;
}

bool otapult_read_id(const char *text, size_t len, uint32_t *out)
{
    uint32_t v = 0;

    for (size_t i = 0; i < len; i++) {
        const uint32_t digit = otapult_hex_digit(text[i]);
        if (digit > 15)
            return false;
        v = v << 4 | digit;
    }
    *out = v;
    return len == 8 && v != 0;
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
