/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OTAPULT_HOST_MHD_SERVER_H
#define OTAPULT_HOST_MHD_SERVER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include "otapult/http.h"

/* Server adapter: libmicrohttpd, a thread a connection. */

struct mhd_server;

/* TLS 1.2 or 1.3, through GnuTLS. */
struct mhd_tls {
    const char *certificate, *key; /* PEM, copied; NULL: this server is the one without TLS */
    uint16_t    https_port;        /* of the server with TLS, where pages are redirected to */
};

/* Listens on bind:port (port 0: a free one); "::" takes IPv4, too. Keeps pointers to `sites`, which must outlive the server.
 * NULL: could not listen; errno says why (EKEYREJECTED: certificate or key cannot be used). A connection
 * on which nothing moves for idle_s seconds is closed. `tls` NULL: plain HTTP and nothing beside it. */
struct mhd_server *mhd_server_start(const char *bind, uint16_t port, const struct otapult_site *sites,
                                    size_t count, unsigned idle_s, const struct mhd_tls *tls);
uint16_t mhd_server_port(const struct mhd_server *s);

/* Where it listens, as the system says. false: it does not say. */
bool mhd_server_address(const struct mhd_server *s, struct sockaddr_storage *address);

/* A board without power answers nothing: from the moment is_cut() says so connections end without a word. Called
 * from any thread, until the server has stopped. */
void mhd_server_power(struct mhd_server *s, bool (*is_cut)(void));

/* Closes the listening socket, ends event streams, lets answers under way finish, frees everything. */
void mhd_server_stop(struct mhd_server *s);

#endif
