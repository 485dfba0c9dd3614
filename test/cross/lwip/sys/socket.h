/* SPDX-License-Identifier: Apache-2.0 */
/* The sockets of lwIP, as far as firmware here uses them: no compiler of the cross build brings any.
 * Against: ESP-IDF v6.0.2, components/lwip/lwip/src/include/lwip/sockets.h. */
#ifndef CROSS_SYS_SOCKET_H
#define CROSS_SYS_SOCKET_H

#include <stddef.h>
#include <stdint.h>

#define AF_INET  2
#define AF_INET6 10

typedef uint32_t socklen_t;
typedef uint8_t  sa_family_t;

struct sockaddr {
    uint8_t     sa_len;
    sa_family_t sa_family;
    char        sa_data[14];
};

struct sockaddr_storage {
    uint8_t     s2_len;
    sa_family_t ss_family;
    char        s2_data1[2];
    uint32_t    s2_data2[3], s2_data3[3];
};

#define SOCK_STREAM 1
#define SOL_SOCKET  0xfff
#define SO_SNDTIMEO 0x1005
#define SO_RCVTIMEO 0x1006

int socket(int domain, int type, int protocol);
int connect(int s, const struct sockaddr *name, socklen_t namelen);
int setsockopt(int s, int level, int optname, const void *opval, socklen_t optlen);
long recv(int s, void *mem, size_t len, int flags);
long send(int s, const void *dataptr, size_t size, int flags);

#endif
