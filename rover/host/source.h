/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ROVER_HOST_SOURCE_H
#define ROVER_HOST_SOURCE_H

#include "otapult/offer.h"

/* Where the virtual rover looks for releases by itself, and the thread that does it. */

#define SOURCE_HOSTS_MAX 4u
#define SOURCE_TOKEN     "OTAPULT_HAWKBIT_TOKEN" /* of the environment */

struct source_options {
    const char *folder; /* address of otapult.json; NULL: it looks nowhere */
    const char *channel;
    const char *hawkbit; /* address of the server; NULL: it is no such source */
    const char *tenant;  /* NULL: DEFAULT */
    const char *token;   /* file that holds it; NULL: the environment does */
    bool        gateway; /* the token is the gateway's */
    const char *ca, *pin;
    const char *id;     /* NULL: the rover's name */
    const char *hosts[SOURCE_HOSTS_MAX + 1];
    unsigned host_count;
    unsigned ask_s;     /* 0: the core's own */
    bool     plain, no_signature, downgrade;
    uint8_t  policy;
    struct otapult_window window;
    uint8_t  keys[OTAPULT_KEYS_MAX][OTAPULT_KEY_DIGEST]; /* of the open profile */
    size_t   key_count;
};

/* "HH:MM-HH:MM" into a window. */
bool source_read_window(const char *text, struct otapult_window *out);

/* config->pull, and in the open profile its keys. false: standard error says why. */
bool source_configure(const struct source_options *o, const char *name, struct otapult_config *config);

/* The thread that calls otapult_pull_poll(); nothing where the rover looks nowhere. */
bool source_start(struct otapult *ota, bool fast);

/* Ends it, and the request that runs. */
void source_stop(void);

#endif
