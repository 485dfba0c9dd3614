/* SPDX-License-Identifier: Apache-2.0 */
/* The sockets of lwIP, as far as firmware here uses them: no compiler of the cross build brings any.
 * Against: ESP-IDF v6.0.2, components/lwip/lwip/src/include/lwip/sockets.h. */
#ifndef CROSS_SYS_SOCKET_H
#define CROSS_SYS_SOCKET_H

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

#endif
