/* SPDX-License-Identifier: Apache-2.0 */
/* Against: ESP-IDF v6.0.2, components/lwip/lwip/src/include/lwip/sockets.h, inet.h. */
#ifndef CROSS_NETINET_IN_H
#define CROSS_NETINET_IN_H

#include <sys/socket.h>

#define INADDR_LOOPBACK 0x7f000001u

uint16_t lwip_htons(uint16_t n);
uint32_t lwip_htonl(uint32_t n);
#define htons lwip_htons
#define htonl lwip_htonl

struct in_addr {
    uint32_t s_addr;
};

struct in6_addr {
    uint8_t s6_addr[16];
};

struct sockaddr_in {
    uint8_t        sin_len;
    sa_family_t    sin_family;
    uint16_t       sin_port;
    struct in_addr sin_addr;
    char           sin_zero[8];
};

struct sockaddr_in6 {
    uint8_t         sin6_len;
    sa_family_t     sin6_family;
    uint16_t        sin6_port;
    uint32_t        sin6_flowinfo;
    struct in6_addr sin6_addr;
    uint32_t        sin6_scope_id;
};

#endif
