/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OTAPULT_HOST_TLS_IDENTITY_H
#define OTAPULT_HOST_TLS_IDENTITY_H

#include <stdbool.h>
#include <stddef.h>

#include "otapult/port.h"

/* Key and certificate of the server with TLS, as PEM: the device's own, which the core makes
 * (trust/certificate.h), or the user's files. GnuTLS only reads and exports. */

struct tls_identity {
    char *certificate, *key; /* PEM */
    char  fingerprint[96];   /* SHA-256 of the certificate as browsers show it: "AB:CD:…" */
    char  pin[64];           /* SHA-256 of the public key as curl takes it: "sha256//…" */
    const char *why;         /* what went wrong */
};

/* The device's own: a P-256 key, made where the store holds none, and a certificate that it signs itself
 * for `names` (NULL behind the last), localhost and the addresses this machine has when it is made. Both
 * stay in the key-value store; a certificate that was lost is made again for the same key. false: `why`. */
bool tls_identity_own(struct tls_identity *id, const struct otapult_port *port, const char *const *names);

/* The user's own, from PEM files; the certificate may bring its chain. false: `why`. */
bool tls_identity_files(struct tls_identity *id, const char *certificate, const char *key);

/* To be called also after a failure. */
void tls_identity_free(struct tls_identity *id);

#endif
