/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_REMOTE_H
#define CLI_REMOTE_H

#include <stdbool.h>
#include <stddef.h>

#include "known_devices.h"

/* A device on the network, through libcurl. Its public key is pinned on first use, and nothing is sent to
 * a device that shows another one: neither a request nor a password. */

struct remote {
    char  base[256];  /* "https://rover.local:8443" */
    char  where[256]; /* "rover.local:8443", as in known_devices */
    bool  tls;
    struct known_device shown; /* of its certificate; TLS only */
};

struct remote_answer {
    long   status;
    char  *body; /* terminated; NULL where there is none */
    size_t len;
};

/* Takes a URL and, through TLS, finds out whether this is the device of last time. `first_use`: a device
 * that is not known yet is taken as it is, and noted. false: standard error says why. */
bool remote_open(struct remote *r, const char *url, bool first_use);

/* GET. Who asks comes from the environment: OTAPULT_TOKEN, or OTAPULT_PASSWORD of admin; both are sent
 * through TLS only. false: no answer, and standard error says why. */
bool remote_get(const struct remote *r, const char *path, struct remote_answer *answer);
void remote_answer_free(struct remote_answer *answer);

#endif
