/* SPDX-License-Identifier: Apache-2.0 */
#include "discover.h"

#include <arpa/inet.h>
#include <errno.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "dns_sd.h"

/* Multicast DNS without a daemon of the system's: a question out of every interface, and all answers for a
 * while (RFC 6762, section 5.1, one-shot queries). An answer proves only that something is there; whether it
 * is a robot of this user's, TLS and the login tell. */

#define ID 0x4F54u

#define LISTEN_MS  1500u /* after the last question; devices answer within 120 ms, radio permitting */
#define AGAIN_MS   500u  /* the question once more: a datagram may be lost */
#define SETTLED_MS 250u  /* for names: the one answer comes soon, and ends the waiting */

/* ---- one question out of every interface ---- */

static void send_from(int fd, struct in_addr interface, const uint8_t *message, size_t len)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(DNS_SD_PORT)};

    inet_pton(AF_INET, DNS_SD_GROUP, &to.sin_addr);
    if (setsockopt(fd, IPPROTO_IP, IP_MULTICAST_IF, &interface, sizeof interface) == 0)
        sendto(fd, message, len, 0, (const struct sockaddr *)&to, sizeof to);
}

static void send_everywhere(int fd, const uint8_t *message, size_t len)
{
    struct ifaddrs *all = NULL;

    if (getifaddrs(&all) != 0)
        return;
    for (const struct ifaddrs *i = all; i != NULL; i = i->ifa_next) {
        struct sockaddr_in own;
        if (i->ifa_addr == NULL || i->ifa_addr->sa_family != AF_INET || (i->ifa_flags & IFF_UP) == 0)
            continue;
        memcpy(&own, i->ifa_addr, sizeof own);
        send_from(fd, own.sin_addr, message, len);
    }
    freeifaddrs(all);
}

static int open_socket(void)
{
    const int ttl = 255, buffer = 1 << 20;
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    if (fd < 0)
        return -1;
    setsockopt(fd, IPPROTO_IP, IP_MULTICAST_TTL, &ttl, sizeof ttl);
    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &buffer, sizeof buffer); /* a whole fleet answers at once */
    return fd;
}

/* Hands every message that comes before `until` to `take`, and ends early when that returns true. */
static bool listen_until(int fd, uint64_t until,
                         bool (*take)(void *ctx, const uint8_t *message, size_t len, const char *from),
                         void *ctx)
{
    uint8_t message[9000];
    struct sockaddr_in from = {.sin_family = AF_INET};
    char text[48];

    for (uint64_t now = wire_now(); now < until; now = wire_now()) {
        struct pollfd p = {.fd = fd, .events = POLLIN};
        socklen_t len = sizeof from;
        if (poll(&p, 1, (int)(until - now)) <= 0)
            continue;
        ssize_t n = recvfrom(fd, message, sizeof message, 0, (struct sockaddr *)&from, &len);
        if (n > 0 && inet_ntop(AF_INET, &from.sin_addr, text, sizeof text) != NULL &&
            take(ctx, message, (size_t)n, text))
            return true;
    }
    return false;
}

/* ---- robots ---- */

static bool take_robots(void *ctx, const uint8_t *message, size_t len, const char *from)
{
    dns_robots_take(ctx, message, len, from);
    return false;
}

static int by_instance(const void *a, const void *b)
{
    return strcmp(((const struct dns_robot *)a)->instance, ((const struct dns_robot *)b)->instance);
}

/* Keeps those that call themselves Otapult, in the order of their names. */
static void sift(struct dns_robots *all)
{
    unsigned kept = 0;

    for (unsigned i = 0; i < all->count; i++) {
        if (all->robot[i].otapult && all->robot[i].port != 0)
            all->robot[kept++] = all->robot[i];
    }
    all->count = kept;
    qsort(all->robot, kept, sizeof all->robot[0], by_instance);
}

static int find_robots(struct dns_robots *all)
{
    uint8_t question[DNS_SD_MESSAGE];
    size_t len = dns_write_question(question, ID, DNS_SD_SERVICE, DNS_PTR, true);
    int fd = open_socket();

    all->count = 0;
    if (fd < 0)
        return trouble_say(TROUBLE_NO_ROUTE, "robot", "discover", strerror(errno));
    send_everywhere(fd, question, len);
    listen_until(fd, wire_now() + AGAIN_MS, take_robots, all);
    send_everywhere(fd, question, len);
    listen_until(fd, wire_now() + LISTEN_MS, take_robots, all);
    close(fd);
    sift(all);
    return 0;
}

/* What the robot is shown as: the name that it tells ("Rover 1"), else a name made of what it announces. */
static void label_of(const struct dns_robot *robot, char label[DNS_NAME])
{
    size_t n = 0;

    if (robot->name[0] != '\0') {
        snprintf(label, DNS_NAME, "%s", robot->name);
        return;
    }
    for (const char *c = robot->instance; *c != '\0' && *c != '.'; c++) {
        if (*c == '\\' && c[1] != '\0')
            c++;
        label[n++] = *c;
    }
    label[n] = '\0';
}

static void url_of(const struct dns_robot *robot, char url[80])
{
    snprintf(url, 80, "%s://%s:%u", robot->tls ? "https" : "http", robot->address, robot->port);
}

static struct dns_robots found; /* 300 KB: not for a stack */

int discover_robots(struct fleet *fleet, const struct options *options)
{
    char label[DNS_NAME], url[80];
    int status = find_robots(&found);

    for (unsigned i = 0; i < found.count && status == 0; i++) {
        label_of(&found.robot[i], label);
        url_of(&found.robot[i], url);
        if (fleet_add(fleet, options, label, url) == NULL)
            status = STATUS_NO;
    }
    if (status == 0 && found.count == 0)
        remark("no robot answers to discovery in this network");
    return status;
}

/* ---- names ---- */

struct wanted {
    struct fleet *fleet;
    char (*name)[160];
    unsigned missing;
};

static bool take_names(void *ctx, const uint8_t *message, size_t len, const char *from)
{
    struct wanted *w = ctx;
    char address[48];

    (void)from;
    for (size_t i = 0; i < w->fleet->count; i++) {
        struct robot *r = &w->fleet->member[i].robot;
        if (w->name[i][0] == '\0' || r->connect_to[0] != '\0' ||
            !dns_address_of(message, len, w->name[i], address))
            continue;
        snprintf(r->connect_to, sizeof r->connect_to, "%s", address);
        w->missing--;
    }
    return w->missing == 0;
}

/* The robot's name in multicast DNS: "rover" is "rover.local". false: multicast DNS does not know such an
 * address. */
static bool local_name(const struct address *a, char name[160])
{
    const char *dot = strchr(a->host, '.');
    bool is_local = dot != NULL && strcasecmp(dot, ".local") == 0;

    name[0] = '\0';
    if (address_is_number(a) || (dot != NULL && !is_local))
        return false;
    snprintf(name, 160, "%s%s", a->host, is_local ? "" : ".local");
    return true;
}

static void ask_names(int fd, const struct wanted *w)
{
    uint8_t question[DNS_SD_MESSAGE];

    for (size_t i = 0; i < w->fleet->count; i++) {
        if (w->name[i][0] == '\0' || w->fleet->member[i].robot.connect_to[0] != '\0')
            continue;
        size_t len = dns_write_question(question, ID, w->name[i], DNS_A, true);
        send_everywhere(fd, question, len);
    }
}

void discover_names(struct fleet *fleet)
{
    struct wanted w = {.fleet = fleet, .name = calloc(fleet->count, sizeof *w.name)};
    int fd = -1;

    for (size_t i = 0; w.name != NULL && i < fleet->count; i++)
        w.missing += local_name(&fleet->member[i].robot.address, w.name[i]);
    if (w.missing > 0 && (fd = open_socket()) >= 0) {
        ask_names(fd, &w);
        if (!listen_until(fd, wire_now() + SETTLED_MS, take_names, &w)) {
            ask_names(fd, &w);
            listen_until(fd, wire_now() + LISTEN_MS - SETTLED_MS, take_names, &w);
        }
        close(fd);
    }
    free(w.name);
}

/* ---- the verb ---- */

static void print_json(const struct dns_robot *robot, const char *label, const char *url)
{
    char text[2048];
    struct otapult_json j;

    otapult_json_init(&j, text, sizeof text);
    otapult_json_open(&j, NULL, '{');
    otapult_json_bool(&j, "success", true);
    otapult_json_str(&j, "robot", say_clean(label));
    otapult_json_str(&j, "url", url);
    otapult_json_str(&j, "host", say_clean(robot->host));
    otapult_json_str(&j, "project", say_clean(robot->project));
    otapult_json_str(&j, "version", say_clean(robot->version));
    otapult_json_str(&j, "build", say_clean(robot->build));
    otapult_json_str(&j, "chip", say_clean(robot->chip));
    otapult_json_close(&j, '}');
    json_print(&j);
}

static int run(const struct options *options)
{
    char label[DNS_NAME], url[80];
    int status = find_robots(&found);

    (void)options;
    for (unsigned i = 0; i < found.count; i++) {
        const struct dns_robot *robot = &found.robot[i];
        label_of(robot, label);
        url_of(robot, url);
        if (say_as_json())
            print_json(robot, label, url);
        else
            printf("%-20s %-30s %s %s, build %s, %s\n", say_clean(label), url, say_clean(robot->project),
                   say_clean(robot->version), say_clean(robot->build), say_clean(robot->chip));
    }
    if (status != 0 || found.count > 0)
        return status;
    return trouble_say(TROUBLE_NOBODY, "robot", "discover", "");
}

const struct verb verb_discover = {
    .name = "discover",
    .gist = "robots of this network",
    .operands = "",
    .summary = "lists the robots of this network",
    .about =
        "Asks this network, by multicast DNS, for services of _http._tcp whose TXT records say otapult=1, and "
        "lists who answers within two seconds. Needs no daemon. Routers and some access points keep "
        "multicast to themselves: a robot that is not listed may still be reached by its address.",
    .exits = "0 somebody answered, 3 nobody did, 2 wrong usage.",
    .examples = "otapult discover\notapult push firmware.bin --discover --canary 1",
    .least = 0,
    .most = 0,
    .group = GROUP_ROBOTS,
    .options = (const struct verb_option[]){{OPTION_JSON, NULL}, {OPTION_NONE, NULL}},
    .run = run,
};
