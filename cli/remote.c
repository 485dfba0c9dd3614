/* SPDX-License-Identifier: Apache-2.0 */
#include "remote.h"

#include <curl/curl.h>
#include <gnutls/x509.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ANSWER_MAX (256u * 1024u)
#define PATIENCE_S 20L

static bool fail(const struct remote *r, const char *why)
{
    fprintf(stderr, "otapult: %s: %s\n", r->where, why);
    return false;
}

/* ---- the address ---- */

static bool read_parts(struct remote *r, const char *scheme, const char *host, const char *port)
{
    r->tls = strcmp(scheme, "https") == 0;
    int base = snprintf(r->base, sizeof r->base, "%s://%s:%s", scheme, host, port);
    int where = snprintf(r->where, sizeof r->where, "%s:%s", host, port);

    return (r->tls || strcmp(scheme, "http") == 0) && base < (int)sizeof r->base &&
           where < (int)sizeof r->where && strpbrk(r->where, " \n") == NULL;
}

static bool read_url(struct remote *r, const char *url)
{
    char *scheme = NULL, *host = NULL, *port = NULL;
    CURLU *u = curl_url();

    bool good = u != NULL && curl_url_set(u, CURLUPART_URL, url, CURLU_DEFAULT_SCHEME) == CURLUE_OK &&
                curl_url_get(u, CURLUPART_SCHEME, &scheme, 0) == CURLUE_OK &&
                curl_url_get(u, CURLUPART_HOST, &host, 0) == CURLUE_OK &&
                curl_url_get(u, CURLUPART_PORT, &port, CURLU_DEFAULT_PORT) == CURLUE_OK &&
                read_parts(r, scheme, host, port);
    curl_free(scheme);
    curl_free(host);
    curl_free(port);
    curl_url_cleanup(u);
    if (!good)
        fprintf(stderr, "otapult: an address is like https://rover.local:8443\n");
    return good;
}

/* ---- its certificate ---- */

static const char *first_certificate(const struct curl_certinfo *info)
{
    if (info == NULL || info->num_of_certs < 1)
        return NULL;
    for (const struct curl_slist *i = info->certinfo[0]; i != NULL; i = i->next) {
        if (strncmp(i->data, "Cert:", 5) == 0)
            return i->data + 5;
    }
    return NULL;
}

static bool describe(struct known_device *d, gnutls_x509_crt_t crt)
{
    uint8_t digest[32];
    size_t len = sizeof digest;
    const gnutls_datum_t key_digest = {digest, sizeof digest};
    gnutls_datum_t base64 = {NULL, 0};

    if (gnutls_x509_crt_get_fingerprint(crt, GNUTLS_DIG_SHA256, digest, &len) != 0)
        return false;
    for (size_t i = 0; i < len; i++)
        snprintf(d->fingerprint + 3 * i, 4, i + 1 < len ? "%02X:" : "%02X", digest[i]);
    len = sizeof digest;
    if (gnutls_x509_crt_get_key_id(crt, GNUTLS_KEYID_USE_SHA256, digest, &len) != 0 ||
        gnutls_base64_encode2(&key_digest, &base64) != 0)
        return false;
    snprintf(d->pin, sizeof d->pin, "sha256//%.*s", (int)base64.size, (const char *)base64.data);
    gnutls_free(base64.data);
    return true;
}

static bool read_certificate(struct known_device *d, const char *pem)
{
    gnutls_x509_crt_t crt = NULL;
    gnutls_datum_t text = {NULL, 0};

    if (pem == NULL || gnutls_x509_crt_init(&crt) != 0)
        return false;
    text.data = (unsigned char *)strdup(pem);
    text.size = (unsigned)strlen(pem);
    bool good = text.data != NULL && gnutls_x509_crt_import(crt, &text, GNUTLS_X509_FMT_PEM) == 0 &&
                describe(d, crt);
    free(text.data);
    gnutls_x509_crt_deinit(crt);
    return good;
}

/* A connection over which nothing is asked yet. What the certificate says of itself proves nothing; the
 * pin does. */
static CURL *new_handle(const char *url)
{
    CURL *c = curl_easy_init();

    if (c == NULL)
        return NULL;
    curl_easy_setopt(c, CURLOPT_URL, url);
    curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(c, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    curl_easy_setopt(c, CURLOPT_SSL_VERIFYPEER, 0L);
    curl_easy_setopt(c, CURLOPT_SSL_VERIFYHOST, 0L);
    curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(c, CURLOPT_TIMEOUT, PATIENCE_S);
    return c;
}

static bool shake_hands(struct remote *r)
{
    struct curl_certinfo *info = NULL;
    CURL *c = new_handle(r->base);

    if (c == NULL)
        return fail(r, "libcurl does not start");
    curl_easy_setopt(c, CURLOPT_CONNECT_ONLY, 1L);
    curl_easy_setopt(c, CURLOPT_CERTINFO, 1L);
    CURLcode err = curl_easy_perform(c);
    bool good = err == CURLE_OK && curl_easy_getinfo(c, CURLINFO_CERTINFO, &info) == CURLE_OK &&
                read_certificate(&r->shown, first_certificate(info));
    if (!good)
        fail(r, err != CURLE_OK ? curl_easy_strerror(err) : "its certificate cannot be read");
    curl_easy_cleanup(c);
    return good;
}

static bool shout(const struct remote *r, const struct known_device *before)
{
    fprintf(stderr,
            "otapult: THIS IS NOT THE DEVICE OF LAST TIME, or it has a new key.\n"
            "  device       %s\n"
            "  certificate  %s\n"
            "  last time    %s\n"
            "Somebody may sit between you and the device. Nothing was sent. If you have given it a new\n"
            "key, or have reset it, compare the certificate with the one on its console, and remove its\n"
            "line from %s\n",
            r->where, r->shown.fingerprint, before->fingerprint, known_path());
    return false;
}

static bool meet(const struct remote *r, bool first_use)
{
    if (first_use) {
        fprintf(stderr, "otapult: %s is noted as %s\n", r->where, r->shown.fingerprint);
        return known_add(r->where, &r->shown);
    }
    fprintf(stderr,
            "otapult: %s is not known yet.\n"
            "  certificate  %s\n"
            "Compare it with the one on the device's console; if it is the same, repeat this with\n"
            "--insecure-first-use, which notes it in %s\n",
            r->where, r->shown.fingerprint, known_path());
    return false;
}

bool remote_open(struct remote *r, const char *url, bool first_use)
{
    struct known_device before;

    *r = (struct remote){0};
    if (!read_url(r, url))
        return false;
    if (!r->tls)
        return true;
    if (!shake_hands(r))
        return false;
    switch (known_find(r->where, &before)) {
    case KNOWN_YES: return strcmp(before.pin, r->shown.pin) == 0 || shout(r, &before);
    case KNOWN_NOT: return meet(r, first_use);
    case KNOWN_UNREADABLE: break;
    }
    fprintf(stderr, "otapult: %s cannot be read, or is damaged\n", known_path());
    return false;
}

/* ---- requests ---- */

static size_t collect(char *data, size_t size, size_t count, void *ctx)
{
    struct remote_answer *a = ctx;
    size_t n = size * count;

    if (n > ANSWER_MAX - a->len)
        return 0;
    char *body = realloc(a->body, a->len + n + 1);
    if (body == NULL)
        return 0;
    memcpy(body + a->len, data, n);
    a->body = body;
    a->len += n;
    body[a->len] = '\0';
    return n;
}

static void identify(CURL *c)
{
    const char *token = getenv("OTAPULT_TOKEN"), *password = getenv("OTAPULT_PASSWORD");

    if (token != NULL) {
        curl_easy_setopt(c, CURLOPT_HTTPAUTH, (long)CURLAUTH_BEARER);
        curl_easy_setopt(c, CURLOPT_XOAUTH2_BEARER, token);
    } else if (password != NULL) {
        curl_easy_setopt(c, CURLOPT_HTTPAUTH, (long)CURLAUTH_BASIC);
        curl_easy_setopt(c, CURLOPT_USERNAME, "admin");
        curl_easy_setopt(c, CURLOPT_PASSWORD, password);
    }
}

bool remote_get(const struct remote *r, const char *path, struct remote_answer *answer)
{
    char url[512];

    *answer = (struct remote_answer){0};
    snprintf(url, sizeof url, "%s%s", r->base, path);
    CURL *c = new_handle(url);
    if (c == NULL)
        return fail(r, "libcurl does not start");
    if (r->tls) {
        curl_easy_setopt(c, CURLOPT_PINNEDPUBLICKEY, r->shown.pin);
        identify(c);
    }
    curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, collect);
    curl_easy_setopt(c, CURLOPT_WRITEDATA, answer);
    CURLcode err = curl_easy_perform(c);
    curl_easy_getinfo(c, CURLINFO_RESPONSE_CODE, &answer->status);
    curl_easy_cleanup(c);
    return err == CURLE_OK ? true : fail(r, curl_easy_strerror(err));
}

void remote_answer_free(struct remote_answer *answer)
{
    free(answer->body);
    answer->body = NULL;
}
