/* SPDX-License-Identifier: Apache-2.0 */
#include "tls_identity.h"

#include <gnutls/crypto.h>
#include <gnutls/x509.h>
#include <ifaddrs.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "trust/certificate.h"

/* The certificate and key of the virtual board as PEM, for GnuTLS. The device's own is made by the core
 * (src/trust/certificate.c), so that a client sees the same as from a board; here it is only wrapped. With
 * files of the user's nothing is made, but they are read and matched, because GnuTLS would complain only at
 * the first handshake. */

#define ADDRESSES_MAX 8u

static bool fail(struct tls_identity *id, const char *why)
{
    id->why = why;
    return false;
}

/* ---- what a certificate is ---- */

static bool describe(struct tls_identity *id, gnutls_x509_crt_t crt)
{
    uint8_t digest[32];
    size_t len = sizeof digest;
    const gnutls_datum_t key_digest = {digest, sizeof digest};
    gnutls_datum_t base64 = {NULL, 0};

    if (gnutls_x509_crt_get_fingerprint(crt, GNUTLS_DIG_SHA256, digest, &len) != 0)
        return fail(id, "the certificate has no fingerprint");
    for (size_t i = 0; i < len; i++)
        snprintf(id->fingerprint + 3 * i, 4, i + 1 < len ? "%02X:" : "%02X", digest[i]);
    len = sizeof digest;
    if (gnutls_x509_crt_get_key_id(crt, GNUTLS_KEYID_USE_SHA256, digest, &len) != 0 ||
        gnutls_base64_encode2(&key_digest, &base64) != 0)
        return fail(id, "the certificate has no public key");
    snprintf(id->pin, sizeof id->pin, "sha256//%.*s", (int)base64.size, (const char *)base64.data);
    gnutls_free(base64.data);
    return true;
}

static bool fit(gnutls_x509_crt_t crt, gnutls_x509_privkey_t key)
{
    uint8_t a[32], b[32];
    size_t a_len = sizeof a, b_len = sizeof b;

    return gnutls_x509_crt_get_key_id(crt, GNUTLS_KEYID_USE_SHA256, a, &a_len) == 0 &&
           gnutls_x509_privkey_get_key_id(key, GNUTLS_KEYID_USE_SHA256, b, &b_len) == 0 && a_len == b_len &&
           memcmp(a, b, a_len) == 0;
}

static char *as_text(gnutls_datum_t *pem)
{
    char *text = pem->data == NULL ? NULL : strndup((const char *)pem->data, pem->size);

    gnutls_free(pem->data);
    return text;
}

static bool export(struct tls_identity *id, gnutls_x509_crt_t crt, gnutls_x509_privkey_t key)
{
    gnutls_datum_t crt_pem = {NULL, 0}, key_pem = {NULL, 0};

    if (!fit(crt, key))
        return fail(id, "the certificate is not this key's");
    if (gnutls_x509_crt_export2(crt, GNUTLS_X509_FMT_PEM, &crt_pem) == 0)
        id->certificate = as_text(&crt_pem);
    if (gnutls_x509_privkey_export2(key, GNUTLS_X509_FMT_PEM, &key_pem) == 0)
        id->key = as_text(&key_pem);
    if (id->certificate == NULL || id->key == NULL)
        return fail(id, "not enough memory");
    return describe(id, crt);
}

/* ---- the device's own ---- */

/* false: not one to be named in a certificate. */
static bool take_address(const struct sockaddr *address, uint8_t dst[16])
{
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;

    if (address == NULL || (address->sa_family != AF_INET && address->sa_family != AF_INET6))
        return false;
    if (address->sa_family == AF_INET) {
        memcpy(&v4, address, sizeof v4);
        memcpy(dst, (const uint8_t[12]){[10] = 0xFF, [11] = 0xFF}, 12);
        memcpy(dst + 12, &v4.sin_addr, 4);
        return true;
    }
    memcpy(&v6, address, sizeof v6);
    memcpy(dst, &v6.sin6_addr, 16);
    return !IN6_IS_ADDR_LINKLOCAL(&v6.sin6_addr);
}

/* Loopback comes first of them. */
static size_t find_addresses(uint8_t addresses[ADDRESSES_MAX][16])
{
    struct ifaddrs *list = NULL;
    size_t count = 0;

    if (getifaddrs(&list) != 0)
        return 0;
    for (const struct ifaddrs *i = list; i != NULL && count < ADDRESSES_MAX; i = i->ifa_next)
        count += take_address(i->ifa_addr, addresses[count]);
    freeifaddrs(list);
    return count;
}

static bool export_own(struct tls_identity *id, const struct otapult_identity *own)
{
    const gnutls_datum_t key_der = {(uint8_t *)(uintptr_t)own->key, own->key_len};
    const gnutls_datum_t crt_der = {(uint8_t *)(uintptr_t)own->certificate, own->certificate_len};
    gnutls_x509_crt_t crt = NULL;
    gnutls_x509_privkey_t key = NULL;

    bool good = gnutls_x509_crt_init(&crt) == 0 && gnutls_x509_privkey_init(&key) == 0 &&
                gnutls_x509_crt_import(crt, &crt_der, GNUTLS_X509_FMT_DER) == 0 &&
                gnutls_x509_privkey_import(key, &key_der, GNUTLS_X509_FMT_DER) == 0;
    good = good ? export(id, crt, key) : fail(id, "GnuTLS does not take the device's own certificate");
    gnutls_x509_crt_deinit(crt);
    gnutls_x509_privkey_deinit(key);
    return good;
}

bool tls_identity_own(struct tls_identity *id, const struct otapult_port *port, const char *const *names)
{
    uint8_t addresses[ADDRESSES_MAX][16];
    const struct otapult_identity_for what = {names, (const uint8_t(*)[16])addresses,
                                              find_addresses(addresses)};
    struct otapult_identity own;
    struct otapult_finding why;

    *id = (struct tls_identity){0};
    if (otapult_identity_own(&own, port, &what, &why) != 0)
        return fail(id, why.text);
    bool good = export_own(id, &own);
    gnutls_memset(&own, 0, sizeof own);
    return good;
}

/* ---- the user's own ---- */

/* The first certificate of the file is the server's; the others go along as they are. */
static bool check_files(struct tls_identity *id, const gnutls_datum_t *crt_pem, const gnutls_datum_t *key_pem)
{
    gnutls_x509_crt_t crt = NULL;
    gnutls_x509_privkey_t key = NULL;
    bool good = false;

    if (gnutls_x509_crt_init(&crt) != 0 || gnutls_x509_privkey_init(&key) != 0)
        good = fail(id, "GnuTLS does not start");
    else if (gnutls_x509_crt_import(crt, crt_pem, GNUTLS_X509_FMT_PEM) != 0)
        good = fail(id, "the certificate's file holds none in PEM");
    else if (gnutls_x509_privkey_import2(key, key_pem, GNUTLS_X509_FMT_PEM, NULL, 0) != 0)
        good = fail(id, "the key's file holds none in PEM");
    else
        good = fit(crt, key) ? describe(id, crt) : fail(id, "the certificate is not this key's");
    gnutls_x509_crt_deinit(crt);
    gnutls_x509_privkey_deinit(key);
    return good;
}

bool tls_identity_files(struct tls_identity *id, const char *certificate, const char *key)
{
    gnutls_datum_t crt_pem = {NULL, 0}, key_pem = {NULL, 0};

    *id = (struct tls_identity){0};
    if (gnutls_load_file(certificate, &crt_pem) != 0)
        return fail(id, "the certificate's file cannot be read");
    if (gnutls_load_file(key, &key_pem) != 0) {
        gnutls_free(crt_pem.data);
        return fail(id, "the key's file cannot be read");
    }
    bool good = check_files(id, &crt_pem, &key_pem);
    id->certificate = as_text(&crt_pem);
    id->key = as_text(&key_pem);
    return good && id->certificate != NULL && id->key != NULL;
}

void tls_identity_free(struct tls_identity *id)
{
    if (id->key != NULL)
        gnutls_memset(id->key, 0, strlen(id->key));
    free(id->certificate);
    free(id->key);
    id->certificate = id->key = NULL;
}
