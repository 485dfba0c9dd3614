/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OTAPULT_HOST_MHD_INTERNAL_H
#define OTAPULT_HOST_MHD_INTERNAL_H

#include <microhttpd.h>
#include <pthread.h>
#include <time.h>

#include "otapult/http.h"

/* Between mhd_server.c, which owns the server, mhd_exchange.c, which owns what goes over one connection, and
 * mhd_wait.c, by which both wait. */

struct mhd_server {
    struct MHD_Daemon *daemon;
    const struct otapult_site *sites;
    size_t site_count;
    bool tls;
    uint16_t https_port;
    pthread_mutex_t mutex;
    pthread_cond_t moved; /* stopping was set, or an exchange ended */
    bool stopping;
    bool (*is_cut)(void); /* NULL: power is always there */
    unsigned exchanges; /* begun and not completed */
};

/* Callbacks of libmicrohttpd; ctx is the server. */
void *mhd_on_request_line(void *ctx, const char *uri, struct MHD_Connection *connection);
enum MHD_Result mhd_on_request(void *ctx, struct MHD_Connection *connection, const char *path,
                               const char *method, const char *version, const char *data, size_t *len,
                               void **slot);
void mhd_on_completed(void *ctx, struct MHD_Connection *connection, void **slot,
                      enum MHD_RequestTerminationCode why);

/* Is the board without power? Then nothing is answered any more. */
bool mhd_is_cut(struct mhd_server *s);

struct timespec mhd_after_ms(long ms);

/* Waits until something moves; false: the time is over. Under the mutex. */
bool mhd_wait_until(struct mhd_server *s, const struct timespec *until);

#endif
