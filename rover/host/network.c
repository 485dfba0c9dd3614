/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <string.h>

#include "address.h"
#include "announce.h"
#include "console.h"
#include "life_state.h"
#include "power.h"

/* The port stands behind the address, whatever that is. */
static void say_where(const char *what, const char *scheme, const struct mhd_server *server)
{
    struct sockaddr_storage at;
    char url[ADDRESS_URL];

    if (!mhd_server_address(server, &at))
        return;
    const struct sockaddr_storage self = address_of_self(&at);
    address_url(url, scheme, &self);
    console_say("%s %s", what, url);
}

static struct mhd_server *listen_at(struct life *life, uint16_t port, const struct mhd_tls *tls)
{
    static struct otapult_site sites[3];

    otapult_site(&sites[0], life->ota);
    rover_site(&sites[1], &life->rover);
    otapult_front_site(&sites[2], false); /* the rover has a home page */
    struct mhd_server *server = mhd_server_start(
        life->options->bind, port, sites, sizeof sites / sizeof *sites, life->options->stall_s + 5, tls);
    if (server == NULL)
        console_complain("cannot listen on %s, port %u: %s%s", life->options->bind, port, strerror(errno),
                         errno == EADDRINUSE ? "; --port 0 picks a free one" : "");
    else
        mhd_server_power(server, power_is_cut);
    return server;
}

/* Beside HTTPS: says where it is. */
static bool serve_redirects(struct life *life, struct ports *ports)
{
    const struct mhd_tls tls = {.https_port = life->port};

    if (life->options->http_port < 0)
        return true;
    life->redirects = listen_at(life, ports->http, &tls);
    if (life->redirects == NULL)
        return false;
    ports->http = mhd_server_port(life->redirects);
    say_where("redirecting from", "http", life->redirects);
    return true;
}

static void say_other(void *scheme, const struct sockaddr_storage *a)
{
    char url[ADDRESS_URL];

    address_url(url, scheme, a);
    console_say("also at %s", url);
}

static void say_all(const struct life *life)
{
    char *scheme = life->options->secure.on ? "https" : "http";
    struct sockaddr_storage at;

    say_where("listening on", scheme, life->server);
    if (!mhd_server_address(life->server, &at))
        return;
    if (address_is_any(&at))
        address_list(&at, say_other, scheme);
}

bool network_serve(struct life *life, struct ports *ports)
{
    const struct options *o = life->options;
    struct tls_identity id = {0};
    struct sockaddr_storage at;

    if (life->temper == SAMPLE_NO_NETWORK)
        return true;
    if (o->secure.on && !secure_identity(&o->secure, &life->board.port, &id)) {
        tls_identity_free(&id);
        return false;
    }
    const struct mhd_tls tls = {.certificate = id.certificate, .key = id.key};
    life->server = listen_at(life, ports->main, &tls);
    tls_identity_free(&id);
    if (life->server == NULL)
        return false;
    ports->main = life->port = mhd_server_port(life->server);
    if (o->secure.on && !serve_redirects(life, ports))
        return false;
    say_all(life);
    if (mhd_server_address(life->server, &at))
        life->announce = announce_start(life, &at);
    return true;
}

void network_stop(struct life *life)
{
    announce_stop(life->announce);
    life->announce = NULL;
    if (life->server != NULL)
        mhd_server_stop(life->server);
    if (life->redirects != NULL)
        mhd_server_stop(life->redirects);
    life->server = life->redirects = NULL;
}
