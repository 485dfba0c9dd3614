/* SPDX-License-Identifier: Apache-2.0 */
#include "tls_identity.h"

#include <gnutls/crypto.h>
#include <gnutls/x509.h>
#include <ifaddrs.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KEY_KEY       "tls.key"
#define PART          256u /* a value of the store */
#define PARTS         4u   /* of a certificate */
#define ADDRESSES_MAX 8u
#define BEGINNING     1735689600 /* 2025: before any device, which has no clock */

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

/* ---- making one ---- */

static bool add_name(gnutls_x509_crt_t crt, const char *name)
{
    return gnutls_x509_crt_set_subject_alt_name(crt, GNUTLS_SAN_DNSNAME, name, (unsigned)strlen(name),
                                                GNUTLS_FSAN_APPEND) == 0;
}

static bool add_address(gnutls_x509_crt_t crt, const struct sockaddr *address)
{
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;

    if (address != NULL && address->sa_family == AF_INET) {
        memcpy(&v4, address, sizeof v4);
        return gnutls_x509_crt_set_subject_alt_name(crt, GNUTLS_SAN_IPADDRESS, &v4.sin_addr, 4,
                                                    GNUTLS_FSAN_APPEND) == 0;
    }
    if (address == NULL || address->sa_family != AF_INET6)
        return false;
    memcpy(&v6, address, sizeof v6);
    return !IN6_IS_ADDR_LINKLOCAL(&v6.sin6_addr) &&
           gnutls_x509_crt_set_subject_alt_name(crt, GNUTLS_SAN_IPADDRESS, &v6.sin6_addr, 16,
                                                GNUTLS_FSAN_APPEND) == 0;
}

/* Loopback comes first of them. */
static void add_addresses(gnutls_x509_crt_t crt)
{
    struct ifaddrs *list = NULL;
    unsigned count = 0;

    if (getifaddrs(&list) != 0)
        return;
    for (const struct ifaddrs *i = list; i != NULL && count < ADDRESSES_MAX; i = i->ifa_next)
        count += add_address(crt, i->ifa_addr);
    freeifaddrs(list);
}

static bool fill(gnutls_x509_crt_t crt, gnutls_x509_privkey_t key, const char *const *names)
{
    const char *name = names != NULL && names[0] != NULL ? names[0] : "localhost";
    uint8_t serial[16];
    bool good = gnutls_rnd(GNUTLS_RND_NONCE, serial, sizeof serial) == 0;

    serial[0] = (serial[0] & 0x3F) | 0x40; /* positive, and not shorter than it is */
    good = good && gnutls_x509_crt_set_version(crt, 3) == 0 &&
           gnutls_x509_crt_set_serial(crt, serial, sizeof serial) == 0 &&
           gnutls_x509_crt_set_activation_time(crt, BEGINNING) == 0 &&
           gnutls_x509_crt_set_expiration_time(crt, GNUTLS_X509_NO_WELL_DEFINED_EXPIRATION) == 0 &&
           gnutls_x509_crt_set_dn_by_oid(crt, GNUTLS_OID_X520_COMMON_NAME, 0, name, (unsigned)strlen(name)) ==
               0 &&
           gnutls_x509_crt_set_key_usage(crt, GNUTLS_KEY_DIGITAL_SIGNATURE) == 0 &&
           gnutls_x509_crt_set_key_purpose_oid(crt, GNUTLS_KP_TLS_WWW_SERVER, 0) == 0 &&
           gnutls_x509_crt_set_key(crt, key) == 0 && add_name(crt, "localhost");
    for (; good && names != NULL && *names != NULL; names++)
        good = add_name(crt, *names);
    add_addresses(crt);
    return good && gnutls_x509_crt_sign2(crt, crt, key, GNUTLS_DIG_SHA256, 0) == 0;
}

/* ---- the store ---- */

static void part_key(unsigned n, char key[9])
{
    memcpy(key, "tls.crt?", 9);
    key[7] = (char)('a' + n);
}

static size_t load_certificate(const struct otapult_port *port, uint8_t der[PARTS * PART])
{
    size_t len = 0, part = PART;
    char key[9];

    for (unsigned n = 0; n < PARTS && part == PART; n++) {
        part_key(n, key);
        if (port->kv_get(port->ctx, key, der + len, PART, &part) != 0 || part > PART)
            return 0;
        len += part;
    }
    return len;
}

static bool store_certificate(const struct otapult_port *port, const uint8_t *der, size_t len)
{
    char key[9];

    if (len > PARTS * PART - 1) /* the last part is not full: it says where the end is */
        return false;
    for (unsigned n = 0; n < PARTS; n++) {
        size_t part = len < PART ? len : PART;
        part_key(n, key);
        if (port->kv_set(port->ctx, key, der, part) != 0)
            return false;
        der += part;
        len -= part;
    }
    return true;
}

/* The key is stored first: without its certificate it is as good as before, the other way round not. */
static bool own_key(struct tls_identity *id, gnutls_x509_privkey_t key, const struct otapult_port *port)
{
    uint8_t der[PART];
    size_t len = 0;

    if (port->kv_get(port->ctx, KEY_KEY, der, sizeof der, &len) != 0 || len > sizeof der)
        return fail(id, "the store cannot be read");
    const gnutls_datum_t stored = {der, (unsigned)len};
    if (len > 0 && gnutls_x509_privkey_import(key, &stored, GNUTLS_X509_FMT_DER) != 0)
        return fail(id, "the stored key is damaged");
    if (len > 0)
        return true;

    len = sizeof der;
    if (gnutls_x509_privkey_generate(key, GNUTLS_PK_ECDSA, GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1),
                                     0) != 0 ||
        gnutls_x509_privkey_export(key, GNUTLS_X509_FMT_DER, der, &len) != 0)
        return fail(id, "no key could be made");
    bool stored_well = port->kv_set(port->ctx, KEY_KEY, der, len) == 0;
    gnutls_memset(der, 0, sizeof der);
    return stored_well ? true : fail(id, "the key could not be stored");
}

static bool make_certificate(struct tls_identity *id, gnutls_x509_crt_t crt, gnutls_x509_privkey_t key,
                             const struct otapult_port *port, const char *const *names)
{
    uint8_t der[PARTS * PART];
    size_t len = sizeof der;

    if (!fill(crt, key, names) || gnutls_x509_crt_export(crt, GNUTLS_X509_FMT_DER, der, &len) != 0)
        return fail(id, "no certificate could be made");
    return store_certificate(port, der, len) ? true : fail(id, "the certificate could not be stored");
}

static bool load(gnutls_x509_crt_t crt, gnutls_x509_privkey_t key, const struct otapult_port *port)
{
    uint8_t der[PARTS * PART];
    const gnutls_datum_t stored = {der, (unsigned)load_certificate(port, der)};

    return stored.size > 0 && gnutls_x509_crt_import(crt, &stored, GNUTLS_X509_FMT_DER) == 0 && fit(crt, key);
}

static bool own(struct tls_identity *id, gnutls_x509_crt_t loaded, gnutls_x509_crt_t made,
                gnutls_x509_privkey_t key, const struct otapult_port *port, const char *const *names)
{
    if (!own_key(id, key, port))
        return false;
    if (load(loaded, key, port))
        return export(id, loaded, key);
    return make_certificate(id, made, key, port, names) && export(id, made, key);
}

bool tls_identity_own(struct tls_identity *id, const struct otapult_port *port, const char *const *names)
{
    gnutls_x509_crt_t loaded = NULL, made = NULL;
    gnutls_x509_privkey_t key = NULL;

    *id = (struct tls_identity){0};
    bool good = gnutls_x509_crt_init(&loaded) == 0 && gnutls_x509_crt_init(&made) == 0 &&
                gnutls_x509_privkey_init(&key) == 0;
    good = good ? own(id, loaded, made, key, port, names) : fail(id, "GnuTLS does not start");
    gnutls_x509_crt_deinit(loaded);
    gnutls_x509_crt_deinit(made);
    gnutls_x509_privkey_deinit(key);
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
