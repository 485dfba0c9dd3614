/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OTAPULT_HOST_MHD_SERVER_H
#define OTAPULT_HOST_MHD_SERVER_H

#include <stdbool.h>
#include <stdint.h>

#include "otapult/http.h"

/* Server adapter: libmicrohttpd, a thread a connection. */

struct mhd_server;

/* Listens on bind:port (port 0: a free one). Keeps pointers to `sites`, which must outlive the server.
 * NULL: could not listen; errno says why. A connection on which nothing moves for idle_s seconds is
 * closed. */
struct mhd_server *mhd_server_start(const char *bind, uint16_t port, const struct otapult_site *sites,
                                    size_t count, unsigned idle_s);
uint16_t mhd_server_port(const struct mhd_server *s);

/* Closes the listening socket, ends event streams, lets answers under way finish, frees everything. */
void mhd_server_stop(struct mhd_server *s);

#endif
