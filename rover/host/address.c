/* SPDX-License-Identifier: Apache-2.0 */
#include "address.h"

#include <ifaddrs.h>
#include <net/if.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

/* struct sockaddr_storage is made to be looked at as either. */
static const struct sockaddr_in *v4(const struct sockaddr_storage *a)
{
    return (const struct sockaddr_in *)a;
}

static const struct sockaddr_in6 *v6(const struct sockaddr_storage *a)
{
    return (const struct sockaddr_in6 *)a;
}

socklen_t address_size(const struct sockaddr_storage *a)
{
    return a->ss_family == AF_INET6 ? sizeof(struct sockaddr_in6) : sizeof(struct sockaddr_in);
}

bool address_is_any(const struct sockaddr_storage *a)
{
    return a->ss_family == AF_INET6 ? IN6_IS_ADDR_UNSPECIFIED(&v6(a)->sin6_addr)
                                    : v4(a)->sin_addr.s_addr == htonl(INADDR_ANY);
}

struct sockaddr_storage address_of_self(const struct sockaddr_storage *a)
{
    struct sockaddr_storage self = *a;

    if (address_is_any(a) && a->ss_family == AF_INET6)
        ((struct sockaddr_in6 *)&self)->sin6_addr = in6addr_loopback;
    else if (address_is_any(a))
        ((struct sockaddr_in *)&self)->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return self;
}

/* A zone (fe80::1%eth0) has its '%' escaped, RFC 6874. */
static void put_host(char *to, size_t cap, const struct sockaddr_storage *a)
{
    char host[NI_MAXHOST] = "?";

    (void)getnameinfo((const struct sockaddr *)a, address_size(a), host, sizeof host, NULL, 0,
                      NI_NUMERICHOST);
    const char *zone = strchr(host, '%');
    if (a->ss_family != AF_INET6)
        snprintf(to, cap, "%s", host);
    else if (zone == NULL)
        snprintf(to, cap, "[%s]", host);
    else
        snprintf(to, cap, "[%.*s%%25%s]", (int)(zone - host), host, zone + 1);
}

void address_url(char url[ADDRESS_URL], const char *scheme, const struct sockaddr_storage *a)
{
    char host[64]; /* an IPv6 address has at most 45 characters, a zone 15 */
    unsigned port = ntohs(a->ss_family == AF_INET6 ? v6(a)->sin6_port : v4(a)->sin_port);

    put_host(host, sizeof host, a);
    snprintf(url, ADDRESS_URL, "%s://%s:%u/", scheme, host, port);
}

/* Loopback is no news, and no browser opens an address with a zone. */
static bool is_of_use(const struct ifaddrs *i)
{
    if (i->ifa_addr == NULL || (i->ifa_flags & IFF_UP) == 0 || (i->ifa_flags & IFF_LOOPBACK) != 0)
        return false;
    return i->ifa_addr->sa_family == AF_INET ||
           (i->ifa_addr->sa_family == AF_INET6 &&
            !IN6_IS_ADDR_LINKLOCAL(&((const struct sockaddr_in6 *)(const void *)i->ifa_addr)->sin6_addr));
}

void address_list(const struct sockaddr_storage *any,
                  void (*found)(void *ctx, const struct sockaddr_storage *a), void *ctx)
{
    struct ifaddrs *all = NULL;

    if (getifaddrs(&all) != 0)
        return;
    for (const struct ifaddrs *i = all; i != NULL; i = i->ifa_next) {
        struct sockaddr_storage a = {0};

        if (!is_of_use(i) || (any->ss_family == AF_INET && i->ifa_addr->sa_family != AF_INET))
            continue;
        memcpy(&a, i->ifa_addr,
               i->ifa_addr->sa_family == AF_INET6 ? sizeof(struct sockaddr_in6) : sizeof(struct sockaddr_in));
        if (a.ss_family == AF_INET6)
            ((struct sockaddr_in6 *)&a)->sin6_port = v6(any)->sin6_port;
        else
            ((struct sockaddr_in *)&a)->sin_port = v4(any)->sin_port; /* at the same place in both */
        found(ctx, &a);
    }
    freeifaddrs(all);
}
