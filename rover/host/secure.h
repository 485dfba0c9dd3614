/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ROVER_HOST_SECURE_H
#define ROVER_HOST_SECURE_H

#include <sys/socket.h>

#include "otapult/otapult.h"
#include "tls_identity.h"

/* What the virtual rover's secure profile needs beside the core's: a certificate, the password on the
 * console, a health check that speaks TLS. */

#define SECURE_HOSTS_MAX 8u
#define SECURE_HOSTS_OWN 2u /* "rover.local", and "rover" as routers announce it */

struct secure_options {
    bool on;
    bool new_password;
    const char *certificate, *key;               /* files; NULL: the device's own */
    const char *hosts[SECURE_HOSTS_MAX + 1];     /* names of the rover, in either profile */
    unsigned host_count;
    uint8_t  keys[OTAPULT_KEYS_MAX][OTAPULT_KEY_DIGEST]; /* digests of trusted signing keys */
    size_t   key_count;
    uint8_t  revoked[OTAPULT_KEY_DIGEST]; /* to be revoked at start, where `revokes` */
    bool     revokes;
};

#define SECURE_OPTIONS_DEFAULT .hosts = {"rover.local", "rover"}, .host_count = SECURE_HOSTS_OWN

/* config->hosts, secure, keys and show_password: onto a terminal; where standard output is none, into a file
 * named after the flash file, of mode 0600, whose name is told instead. */
void secure_configure(const struct secure_options *o, const char *flash, struct otapult_config *config,
                      union otapult_users_memory *users);

/* Key and certificate, with their fingerprints told on the console. false: standard error says why. */
bool secure_identity(const struct secure_options *o, const struct otapult_port *port,
                     struct tls_identity *id);

/* Does the device, which listens on `at`, answer a request for its page? Takes half a second at most. */
bool secure_page_answers(const struct sockaddr_storage *at, bool tls);

#endif
