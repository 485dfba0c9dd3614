/* SPDX-License-Identifier: Apache-2.0 */
#include "announce.h"

#include <arpa/inet.h>
#include <errno.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "console.h"
#include "dns_sd.h"

#define TEXTS 8
#define TEXT  80

struct announce {
    int fd, stop[2]; /* closing stop[1] ends the thread */
    pthread_t thread;
    struct in_addr address; /* INADDR_ANY: the one by which the asking machine reaches this one */
    char host[80], text[TEXTS][TEXT];
    const char *texts[TEXTS + 1];
    struct dns_own own;
};

/* ---- what is said ---- */

static void add_text(struct announce *a, const char *key, const char *value)
{
    unsigned n = 0;

    while (a->texts[n] != NULL)
        n++;
    if (n == TEXTS || value[0] == '\0')
        return;
    snprintf(a->text[n], TEXT, "%s=%s", key, value);
    a->texts[n] = a->text[n];
}

static void describe(struct announce *a, const struct life *life)
{
    struct otapult_slot slot;
    struct otapult_image_info info = {.size = 0};
    char build[OTAPULT_BUILD_ID_CHARS + 1];

    add_text(a, "otapult", "1");
    add_text(a, "name", otapult_name(life->ota));
    add_text(a, "path", "/api/ota");
    if (life->options->secure.on)
        add_text(a, "tls", "1");
    if (otapult_slot(life->ota, life->board.boot.slot, &slot, &info) != 0 || info.size == 0)
        return;
    otapult_build_id(&info.desc, build);
    add_text(a, "project", info.desc.project);
    add_text(a, "version", info.desc.version);
    add_text(a, "build", build);
    add_text(a, "chip", otapult_chip_name(info.chip_id));
}

/* What a host may be called: letters, digits and dashes. */
static void host_of(const char *name, char host[80])
{
    size_t n = 0;

    for (; *name != '\0' && n < 63; name++) {
        bool fine = (*name >= 'a' && *name <= 'z') || (*name >= 'A' && *name <= 'Z') ||
                    (*name >= '0' && *name <= '9');
        host[n++] = fine ? *name : '-';
    }
    snprintf(host + n, 80 - n, ".local");
}

/* ---- to whom ---- */

/* This machine's address on the way to the machine that asks. */
static struct in_addr address_towards(const struct sockaddr_in *to)
{
    struct sockaddr_in own = {.sin_family = AF_INET};
    socklen_t len = sizeof own;
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    if (fd >= 0 && connect(fd, (const struct sockaddr *)to, sizeof *to) == 0)
        getsockname(fd, (struct sockaddr *)&own, &len);
    if (fd >= 0)
        close(fd);
    return own.sin_addr;
}

static void answer(struct announce *a)
{
    uint8_t question[9000], message[DNS_SD_MESSAGE];
    struct sockaddr_in from = {.sin_family = AF_INET};
    socklen_t len = sizeof from;
    ssize_t n = recvfrom(a->fd, question, sizeof question, 0, (struct sockaddr *)&from, &len);

    if (n <= 0)
        return;
    bool straight = ntohs(from.sin_port) != DNS_SD_PORT;
    const struct in_addr own = a->address.s_addr != INADDR_ANY ? a->address : address_towards(&from);
    memcpy(a->own.address, &own, sizeof a->own.address);
    size_t size = dns_write_answer(message, &a->own, question, (size_t)n, straight);
    if (!straight)
        inet_pton(AF_INET, DNS_SD_GROUP, &from.sin_addr);
    if (size > 0)
        sendto(a->fd, message, size, 0, (const struct sockaddr *)&from, sizeof from);
}

static void *run(void *ctx)
{
    struct announce *a = ctx;
    struct pollfd wait[] = {{.fd = a->fd, .events = POLLIN}, {.fd = a->stop[0], .events = POLLIN}};

    for (;;) {
        if (poll(wait, 2, -1) < 0 && errno != EINTR)
            return NULL;
        if (wait[1].revents != 0)
            return NULL;
        if ((wait[0].revents & POLLIN) != 0)
            answer(a);
    }
}

/* ---- beginning and end ---- */

static bool join(int fd, struct in_addr interface)
{
    struct ip_mreq group = {.imr_interface = interface};

    inet_pton(AF_INET, DNS_SD_GROUP, &group.imr_multiaddr);
    return setsockopt(fd, IPPROTO_IP, IP_ADD_MEMBERSHIP, &group, sizeof group) == 0;
}

static bool join_all(const struct announce *a)
{
    struct ifaddrs *all = NULL;
    bool joined = false;

    if (a->address.s_addr != INADDR_ANY)
        return join(a->fd, a->address);
    if (getifaddrs(&all) != 0)
        return false;
    for (const struct ifaddrs *i = all; i != NULL; i = i->ifa_next) {
        struct sockaddr_in own;
        if (i->ifa_addr == NULL || i->ifa_addr->sa_family != AF_INET || (i->ifa_flags & IFF_UP) == 0)
            continue;
        memcpy(&own, i->ifa_addr, sizeof own);
        joined |= join(a->fd, own.sin_addr);
    }
    freeifaddrs(all);
    return joined;
}

static bool open_socket(struct announce *a)
{
    const int on = 1, ttl = 255;
    const struct sockaddr_in any = {.sin_family = AF_INET, .sin_port = htons(DNS_SD_PORT)};

    a->fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (a->fd < 0)
        return false;
    setsockopt(a->fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    setsockopt(a->fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on);
    setsockopt(a->fd, IPPROTO_IP, IP_MULTICAST_TTL, &ttl, sizeof ttl);
    if (a->address.s_addr != INADDR_ANY)
        setsockopt(a->fd, IPPROTO_IP, IP_MULTICAST_IF, &a->address, sizeof a->address);
    return bind(a->fd, (const struct sockaddr *)&any, sizeof any) == 0 && join_all(a);
}

static void discard(struct announce *a)
{
    if (a->fd >= 0)
        close(a->fd);
    for (int i = 0; i < 2; i++) {
        if (a->stop[i] >= 0)
            close(a->stop[i]);
    }
    free(a);
}

struct announce *announce_start(struct life *life, const struct sockaddr_storage *at)
{
    struct announce *a = calloc(1, sizeof *a);
    struct sockaddr_in v4;

    if (a == NULL)
        return NULL;
    a->fd = a->stop[0] = a->stop[1] = -1;
    memcpy(&v4, at, sizeof v4);
    a->address = v4.sin_addr;
    describe(a, life);
    host_of(otapult_name(life->ota), a->host);
    a->own = (struct dns_own){
        .label = otapult_name(life->ota), .host = a->host, .port = life->port, .txt = a->texts};
    if (at->ss_family == AF_INET && open_socket(a) && pipe(a->stop) == 0 &&
        pthread_create(&a->thread, NULL, run, a) == 0)
        return a;
    console_say("not announced in the network: use the address");
    discard(a);
    return NULL;
}

void announce_stop(struct announce *a)
{
    if (a == NULL)
        return;
    close(a->stop[1]);
    a->stop[1] = -1;
    pthread_join(a->thread, NULL);
    discard(a);
}
