/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "mhd_internal.h"
#include "mhd_server.h"

/* The server of the virtual board: how it listens, with which limits, and how it stops. What goes over a
 * connection is in mhd_exchange.c. The limits are larger than a board's, for tests open hundreds of
 * connections at once; the rules for a request are the core's and the same. */

#define CONNECTIONS_MAX    512u
#define CONNECTIONS_SOURCE 256u /* from one address: nobody takes all of them */
#define CONNECTION_RAM                                                                   \
    (256u * 1024u) /* half of it is the receive buffer; what is not used takes no memory \
                    */
#define THREAD_STACK (512u * 1024u)
#define STOP_MS      2000 /* what answers under way get */

/* No version below 1.2, no cipher below 128 bits, none without forward secrecy, and none of TLS 1.2 that is
 * not authenticated encryption: CBC has been broken too often. */
#define TLS_PRIORITIES                                                                          \
    "SECURE128:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2:-RSA:-CIPHER-ALL:+AES-256-GCM:+AES-128-GCM:" \
    "+CHACHA20-POLY1305:-MAC-ALL:+AEAD"

/* ---- the server ---- */

/* The core compares addresses as they were sent. */
static size_t leave_escaped(void *ctx, struct MHD_Connection *connection, char *s)
{
    (void)ctx;
    (void)connection;
    return strlen(s);
}

/* "::" means every address of the machine to people, the IPv4 ones among them. */
static unsigned family_flag(const struct addrinfo *a)
{
    struct sockaddr_in6 v6;

    if (a->ai_family != AF_INET6)
        return 0;
    memcpy(&v6, a->ai_addr, sizeof v6);
    return IN6_IS_ADDR_UNSPECIFIED(&v6.sin6_addr) ? MHD_USE_DUAL_STACK : MHD_USE_IPv6;
}

static struct MHD_Daemon *start_daemon(struct mhd_server *s, const struct addrinfo *a, unsigned idle_s,
                                       const struct mhd_tls *tls)
{
    unsigned flags = MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_THREAD_PER_CONNECTION | MHD_USE_POLL |
                     MHD_USE_ITC | family_flag(a) | (s->tls ? MHD_USE_TLS : 0);
    struct MHD_OptionItem options[] = {
        {MHD_OPTION_CONNECTION_LIMIT, CONNECTIONS_MAX, NULL},
        {MHD_OPTION_PER_IP_CONNECTION_LIMIT, CONNECTIONS_SOURCE, NULL},
        {MHD_OPTION_CONNECTION_MEMORY_LIMIT, CONNECTION_RAM, NULL},
        {MHD_OPTION_CONNECTION_TIMEOUT, (intptr_t)idle_s, NULL},
        {MHD_OPTION_THREAD_STACK_SIZE, THREAD_STACK, NULL},
        {MHD_OPTION_SOCK_ADDR, 0, a->ai_addr},
        /* without TLS the list ends here */
        {s->tls ? MHD_OPTION_HTTPS_MEM_CERT : MHD_OPTION_END, 0, (void *)(uintptr_t)tls->certificate},
        {MHD_OPTION_HTTPS_MEM_KEY, 0, (void *)(uintptr_t)tls->key},
        {MHD_OPTION_HTTPS_PRIORITIES, 0, (void *)(uintptr_t)TLS_PRIORITIES},
        {MHD_OPTION_END, 0, NULL},
    };

    return MHD_start_daemon(flags, 0, NULL, NULL, mhd_on_request, s, MHD_OPTION_ARRAY, options,
                            MHD_OPTION_URI_LOG_CALLBACK, mhd_on_request_line, s, MHD_OPTION_NOTIFY_COMPLETED,
                            mhd_on_completed, s, MHD_OPTION_UNESCAPE_CALLBACK, leave_escaped, s,
                            MHD_OPTION_END);
}

/* Why nothing can listen there, found out by trying: what the library left in errno does not outlive its
 * cleaning up (1.0). 0: it can, so what is left is what TLS was given. */
static int why_not(const struct addrinfo *a)
{
    const int on = 1;
    int fd = socket(a->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0), err = 0;

    if (fd < 0)
        return errno;
    if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0 ||
        bind(fd, a->ai_addr, a->ai_addrlen) != 0 || listen(fd, 1) != 0)
        err = errno;
    close(fd);
    return err;
}

/* NULL: errno says why. */
static struct MHD_Daemon *listen_on(struct mhd_server *s, const char *address, uint16_t port, unsigned idle_s,
                                    const struct mhd_tls *tls)
{
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE | AI_NUMERICSERV};
    struct addrinfo *found = NULL;
    char service[8];

    snprintf(service, sizeof service, "%u", (unsigned)port);
    if (getaddrinfo(address, service, &hints, &found) != 0) {
        errno = EADDRNOTAVAIL;
        return NULL;
    }
    struct MHD_Daemon *daemon = start_daemon(s, found, idle_s, tls);
    int err = daemon == NULL ? why_not(found) : 0;
    freeaddrinfo(found);
    if (daemon == NULL)
        errno = err != 0 ? err : EKEYREJECTED;
    return daemon;
}

static void release(struct mhd_server *s)
{
    pthread_cond_destroy(&s->moved);
    pthread_mutex_destroy(&s->mutex);
    free(s);
}

struct mhd_server *mhd_server_start(const char *bind, uint16_t port, const struct otapult_site *sites,
                                    size_t count, unsigned idle_s, const struct mhd_tls *tls)
{
    static const struct mhd_tls plain = {NULL, NULL, 0};
    struct mhd_server *s = calloc(1, sizeof *s);

    if (s == NULL)
        return NULL;
    if (tls == NULL)
        tls = &plain;
    s->sites = sites;
    s->site_count = count;
    s->tls = tls->certificate != NULL;
    s->https_port = tls->https_port;
    pthread_mutex_init(&s->mutex, NULL);
    pthread_cond_init(&s->moved, NULL);
    s->daemon = listen_on(s, bind, port, idle_s, tls);
    if (s->daemon != NULL)
        return s;
    release(s);
    return NULL;
}

uint16_t mhd_server_port(const struct mhd_server *s)
{
    return MHD_get_daemon_info(s->daemon, MHD_DAEMON_INFO_BIND_PORT)->port;
}

bool mhd_server_address(const struct mhd_server *s, struct sockaddr_storage *address)
{
    MHD_socket fd = MHD_get_daemon_info(s->daemon, MHD_DAEMON_INFO_LISTEN_FD)->listen_fd;
    socklen_t size = sizeof *address;

    return getsockname(fd, (struct sockaddr *)address, &size) == 0;
}

void mhd_server_power(struct mhd_server *s, bool (*is_cut)(void))
{
    pthread_mutex_lock(&s->mutex);
    s->is_cut = is_cut;
    pthread_mutex_unlock(&s->mutex);
}

/* First no new connections, then what is under way gets its time, then all threads are joined: after that
 * nothing of the server calls the core any more, and the device may end. */
void mhd_server_stop(struct mhd_server *s)
{
    MHD_socket listening = MHD_quiesce_daemon(s->daemon);
    struct timespec until = mhd_after_ms(STOP_MS);

    if (listening != MHD_INVALID_SOCKET)
        close(listening);
    pthread_mutex_lock(&s->mutex);
    s->stopping = true;
    pthread_cond_broadcast(&s->moved);
    while (s->exchanges > 0 && mhd_wait_until(s, &until))
        ;
    pthread_mutex_unlock(&s->mutex);
    MHD_stop_daemon(s->daemon);
    release(s);
}
