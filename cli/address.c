/* SPDX-License-Identifier: Apache-2.0 */
#include "address.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Reads addresses with libcurl's own parser, which the wire uses later: what is accepted here is what a
 * request will mean. Only scheme, host and port may be there. Anything behind the host would be dropped in
 * silence, and a password would have been in the list of processes. */

static bool has(CURLU *u, CURLUPart part)
{
    char *text = NULL;
    bool there = curl_url_get(u, part, &text, 0) == CURLUE_OK && text[0] != '\0';

    curl_free(text);
    return there;
}

static bool is_bare_path(CURLU *u)
{
    char *path = NULL;
    bool bare = curl_url_get(u, CURLUPART_PATH, &path, 0) != CURLUE_OK || strcmp(path, "/") == 0;

    curl_free(path);
    return bare && !has(u, CURLUPART_QUERY) && !has(u, CURLUPART_FRAGMENT);
}

static const char *read_scheme(CURLU *u, const char *text, struct address *out)
{
    char *scheme = NULL;
    const char *why = NULL;

    if (strstr(text, "://") == NULL)
        return NULL;
    if (curl_url_get(u, CURLUPART_SCHEME, &scheme, 0) != CURLUE_OK)
        return "is no address";
    if (strcmp(scheme, "https") == 0)
        out->scheme = SCHEME_HTTPS;
    else if (strcmp(scheme, "http") == 0)
        out->scheme = SCHEME_HTTP;
    else
        why = "is neither http:// nor https://";
    curl_free(scheme);
    return why;
}

static const char *read_host(CURLU *u, struct address *out)
{
    char *host = NULL, *port = NULL;
    const char *why = NULL;

    if (curl_url_get(u, CURLUPART_HOST, &host, 0) != CURLUE_OK || strlen(host) >= sizeof out->host)
        why = "has no host";
    else
        snprintf(out->host, sizeof out->host, "%s", host);
    if (curl_url_get(u, CURLUPART_PORT, &port, 0) == CURLUE_OK)
        out->port = (unsigned)strtoul(port, NULL, 10);
    curl_free(host);
    curl_free(port);
    return why;
}

static const char *read_parts(CURLU *u, const char *text, struct address *out)
{
    CURLUcode bad =
        curl_url_set(u, CURLUPART_URL, text,
                     strstr(text, "://") != NULL ? CURLU_NON_SUPPORT_SCHEME : CURLU_DEFAULT_SCHEME);
    const char *why = bad == CURLUE_OK ? read_scheme(u, text, out) : "is no address";

    if (why != NULL)
        return why;
    if (has(u, CURLUPART_USER) || has(u, CURLUPART_PASSWORD))
        return "has a password in it; use otapult login, OTAPULT_TOKEN or OTAPULT_PASSWORD";
    return is_bare_path(u) ? read_host(u, out) : "has something behind the host";
}

const char *address_read(const char *text, struct address *out)
{
    CURLU *u = curl_url();

    *out = (struct address){0};
    if (u == NULL)
        return "cannot be read: no memory";
    if (text[0] == '\0') { /* a script's variable may not be set */
        curl_url_cleanup(u);
        return "is empty";
    }
    const char *why = text[strcspn(text, " \t\r\n")] == '\0' ? read_parts(u, text, out) : "is no address";
    curl_url_cleanup(u);
    return why;
}

bool address_is_number(const struct address *a)
{
    struct in_addr v4;

    return a->host[0] == '[' || inet_pton(AF_INET, a->host, &v4) == 1 || strcmp(a->host, "localhost") == 0;
}
