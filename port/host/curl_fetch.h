/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OTAPULT_HOST_CURL_FETCH_H
#define OTAPULT_HOST_CURL_FETCH_H

#include <stdatomic.h>

#include "otapult/offer.h"

/* struct otapult_fetch by libcurl. A connection is kept between requests. */

struct curl_fetch_options {
    const char *ca;  /* PEM file of the only CA that counts; NULL: the system's */
    const char *pin; /* "sha256//…", a key that the server must have beside that; NULL: any */
    unsigned connect_s, silence_s; /* 0: 15 and 30 */
};

struct curl_fetch {
    struct otapult_fetch fetch; /* what otapult_pull wants */
    struct curl_fetch_options options;
    void *curl;       /* its handle */
    char  error[256]; /* its words for the last error */
    atomic_bool stop; /* somebody wants the request that runs, and every later one, to end */
};

/* false: libcurl does not start. */
bool curl_fetch_init(struct curl_fetch *f, const struct curl_fetch_options *options);

/* From any thread: run() returns soon, and later ones at once. */
void curl_fetch_stop(struct curl_fetch *f);
void curl_fetch_free(struct curl_fetch *f);

#endif
