/* SPDX-License-Identifier: Apache-2.0 */
#include "offer/url.h"

#include <string.h>

#include "base/text.h"

/* An address in its parts; each points into it. */
struct parts {
    size_t scheme_len;
    const char *host;          /* with its port */
    size_t host_len, name_len; /* `name`: without the port */
    const char *path;          /* "" or what begins with / */
};

static bool begins(const char *s, const char *with)
{
    size_t n = strlen(with);

    return strlen(s) >= n && otapult_text_alike(s, n, with, n);
}

/* false: there is no scheme and host in front. An IPv6 address keeps its brackets, and the colons in them are
 * no port. */
static bool take_apart(const char *url, struct parts *p)
{
    const char *colon = strstr(url, "://");

    if (colon == NULL)
        return false;
    p->scheme_len = (size_t)(colon - url);
    p->host = colon + 3;
    p->host_len = strcspn(p->host, "/?#");
    p->path = p->host + p->host_len;
    const char *end = p->host[0] == '[' ? memchr(p->host, ']', p->host_len) : NULL;
    p->name_len = end != NULL ? (size_t)(end + 1 - p->host) : strcspn(p->host, ":/?#");
    return true;
}

static bool is_visible(const char *url)
{
    while (*url > ' ' && *url <= '~' && *url != '\\' && *url != '#')
        url++;
    return *url == '\0';
}

static bool is_port(const char *s, size_t len)
{
    size_t i = 1;

    while (i < len && s[i] >= '0' && s[i] <= '9')
        i++;
    return len == 0 || (s[0] == ':' && len > 1 && len <= 6 && i == len);
}

const char *otapult_url_fault(const char *url, bool plain)
{
    struct parts p;

    if (strlen(url) >= OTAPULT_OFFER_URL)
        return "an address that is too long";
    if (!is_visible(url))
        return "an address with a forbidden character";
    if (!take_apart(url, &p) || !(begins(url, "https://") || begins(url, "http://")))
        return "no address of http or https";
    if (!plain && !begins(url, "https://"))
        return "an address without TLS";
    if (p.name_len == 0 || memchr(p.host, '@', p.host_len) != NULL ||
        !is_port(p.host + p.name_len, p.host_len - p.name_len))
        return "an address without a good host";
    return NULL;
}

bool otapult_url_same_origin(const char *a, const char *b)
{
    struct parts x, y;

    return take_apart(a, &x) && take_apart(b, &y) && otapult_text_alike(a, x.scheme_len, b, y.scheme_len) &&
           otapult_text_alike(x.host, x.host_len, y.host, y.host_len);
}

bool otapult_url_host_in(const char *url, const char *const *hosts)
{
    struct parts p;

    if (hosts == NULL || !take_apart(url, &p))
        return false;
    while (*hosts != NULL && !otapult_text_alike(p.host, p.name_len, *hosts, strlen(*hosts)))
        hosts++;
    return *hosts != NULL;
}

/* How many bytes of `base` stay in front of the relative address `ref`. */
static size_t kept(const char *base, const struct parts *p, const char *ref)
{
    size_t root = (size_t)(p->path - base), path = strcspn(p->path, "?#");

    if (ref[0] == '/')
        return root;
    while (path > 0 && p->path[path - 1] != '/')
        path--;
    return root + path;
}

bool otapult_url_resolve(const char *base, const char *ref, char dst[OTAPULT_OFFER_URL])
{
    struct otapult_text t;
    struct parts p;

    otapult_text_init(&t, dst, OTAPULT_OFFER_URL);
    if (strstr(ref, "://") == NULL) {
        if (!take_apart(base, &p))
            return false;
        if (ref[0] == '/' && ref[1] == '/') { /* only the scheme is kept */
            otapult_text_bytes(&t, base, p.scheme_len + 1);
        } else {
            size_t n = kept(base, &p, ref);
            otapult_text_bytes(&t, base, n);
            if (base[n - 1] != '/' && ref[0] != '/')
                otapult_text_str(&t, "/");
        }
    }
    otapult_text_str(&t, ref);
    return !t.full;
}
