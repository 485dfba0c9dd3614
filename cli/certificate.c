/* SPDX-License-Identifier: Apache-2.0 */
#include "certificate.h"

#include <gnutls/x509.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* GnuTLS takes the certificate apart: its key id is the SHA-256 of the public key, which is what libcurl's
 * pin wants. */

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

bool certificate_read(const char *pem, struct known_device *d)
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
