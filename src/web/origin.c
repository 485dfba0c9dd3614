/* SPDX-License-Identifier: Apache-2.0 */
#include "web/origin.h"

#include <string.h>

#include "web/header.h"
#include "web/request.h"

/* The core keeps no list of allowed origins. It compares what the browser says of the page with what the
 * browser says of the device, both in the same request: equal is ours. So a device that is reached by three
 * names, through a proxy or by its address needs no configuration. Names alone do, against DNS rebinding: see
 * is_ours(). */

#define DIGITS "0123456789"

/* ---- Host ---- */

static bool is_port(const char *s)
{
    size_t digits = strspn(s, DIGITS);

    return digits <= 5 && s[digits] == '\0';
}

/* RFC 3986, section 3.2.2: of what a host is made; in brackets also ':'. */
#define HOST_CHARS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz" DIGITS "-._~%!$&'()*+,;="

size_t otapult_host_length(const char *host)
{
    bool bracket = host[0] == '[';
    size_t len = strcspn(host, bracket ? "]" : ":") + bracket;

    if (len > strlen(host)) /* a bracket that is not closed */
        return 0;
    if (strspn(host + bracket, bracket ? HOST_CHARS ":" : HOST_CHARS) < len - 2u * bracket)
        return 0;
    return host[len] == '\0' || (host[len] == ':' && is_port(host + len + 1)) ? len : 0;
}

/* Four decimal numbers. Browsers turn 0x7f.1 and its kin into this before they send it (WHATWG URL,
 * section 3.5). */
static bool is_ipv4(const char *s, size_t len)
{
    unsigned dots = 0, value = 0, digits = 0;

    for (size_t i = 0; i < len; i++) {
        if (s[i] == '.') {
            if (digits == 0)
                return false;
            dots++;
            value = digits = 0;
        } else {
            value = value * 10 + (unsigned)(s[i] - '0');
            if (s[i] < '0' || s[i] > '9' || ++digits > 3 || value > 255)
                return false;
        }
    }
    return dots == 3 && digits > 0;
}

/* In brackets nothing but an address can stand (RFC 3986, section 3.2.2): a name has no colon. So what is
 * inside need not be a right address; it is enough that no name looks so. */
static bool is_ipv6(const char *s, size_t len)
{
    if (len < 4 || s[0] != '[' || memchr(s, ':', len) == NULL)
        return false;
    return strspn(s + 1, "0123456789abcdefABCDEF:.%") >= len - 2;
}

/* Addresses are always ours: rebinding needs a name, which the attacker's server can point elsewhere. A
 * device without `hosts` is reached by its address alone. */
static bool is_ours(const char *host, size_t len, const char *const *hosts)
{
    if (is_ipv4(host, len) || is_ipv6(host, len) || otapult_same_word(host, len, "localhost"))
        return true;
    for (; hosts != NULL && *hosts != NULL; hosts++) {
        if (otapult_same_word(host, len, *hosts))
            return true;
    }
    return false;
}

/* Without a Host it is no browser; whether it may lack one is the gate's question. */
const char *otapult_foreign_host(const struct otapult_exchange *x, const char *const *hosts)
{
    unsigned count;
    const char *host = otapult_header_of(x, "Host", &count);

    return host == NULL || is_ours(host, otapult_host_length(host), hosts) ? NULL : host;
}

/* ---- Origin ---- */

/* A page that came to the browser without TLS may have been changed on its way: it is another site than this
 * host through TLS, and may send nothing here. A page that came through TLS may send to this host without
 * TLS: then a proxy in between takes the TLS off. */
static bool same_scheme(const struct otapult_exchange *x, const char *origin, const char *site)
{
    return !x->req->tls || otapult_same_word(origin, (size_t)(site - origin), "https");
}

static const char *foreign_page(const struct otapult_exchange *x)
{
    unsigned origins, hosts;
    const char *origin = otapult_header_of(x, "Origin", &origins);
    const char *host = otapult_header_of(x, "Host", &hosts);

    /* Browsers send Origin with every POST, and with a GET only where scripts ask; what a GET gives away is
     * guarded by foreign_fetch() and by Cross-Origin-Resource-Policy in every answer. */
    if (otapult_only_looks(x) || origin == NULL)
        return NULL;
    const char *site = strstr(origin, "://");
    bool same = origins == 1 && hosts == 1 && site != NULL && same_scheme(x, origin, site) &&
                otapult_same_word(site + 3, strlen(site + 3), host);
    return same ? NULL : origin;
}

/* Any site may link to the device's pages. No other site may load anything of the device's into its own.
 * "none": the user typed the address or chose a bookmark (W3C Fetch Metadata, section 2.3). "same-site" is
 * refused as well: another robot of the same domain is another device. */
static const char *foreign_fetch(const struct otapult_exchange *x)
{
    unsigned sites, modes;
    const char *site = otapult_header_of(x, "Sec-Fetch-Site", &sites);
    const char *mode = otapult_header_of(x, "Sec-Fetch-Mode", &modes);

    if (site == NULL || (sites == 1 && (strcmp(site, "same-origin") == 0 || strcmp(site, "none") == 0)))
        return NULL;
    bool link = otapult_only_looks(x) && modes == 1 && strcmp(mode, "navigate") == 0;
    return link ? NULL : site;
}

const char *otapult_foreign_origin(const struct otapult_exchange *x)
{
    const char *page = foreign_page(x);

    return page != NULL ? page : foreign_fetch(x);
}
