/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FAKE_LWIP_SOCKETS_H
#define FAKE_LWIP_SOCKETS_H

#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>

/* lwip/src/include/lwip/sockets.h, as in ESP-IDF v5.1 and v6.0.2: the BSD names over lwIP's functions.
 * struct sockaddr_in6 exists with CONFIG_LWIP_IPV6 only. */

/* 0 and the peer's address, cut to *len; -1 with errno set (EBADF, ENOTCONN). A server that listens on IPv6,
 * as esp_http_server does where it can, sees IPv4 peers as ::ffff:a.b.c.d. */
int fake_getpeername(int fd, struct sockaddr *peer, socklen_t *len);
#define getpeername fake_getpeername

#endif
