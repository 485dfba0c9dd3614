/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ROVER_HOST_LIFE_STATE_H
#define ROVER_HOST_LIFE_STATE_H

#include "host_port.h"
#include "mhd_server.h"
#include "options.h"
#include "rover.h"
#include "sample_image.h"

/* What life.c lends to network.c and hardware.c, and what these do with it. */

struct announce;

struct life {
    const struct options *options;
    struct host_port board;
    union otapult_memory memory;
    struct otapult *ota;
    struct rover rover;
    struct mhd_server *server, *redirects;
    struct announce *announce; /* NULL: nobody in the network is told */
    union otapult_users_memory users;
    uint64_t decoder_memory[(OTAPULT_GZIP_RAM + OTAPULT_PATCH_RAM) / 8]; /* a patch may come in a gzip file */
    uint16_t port;
    enum sample_temper temper; /* of the firmware that runs */
    uint32_t after_ms;         /* of the temper */
};

/* They stay when the rover restarts. */
struct ports {
    uint16_t main, http;
};

/* Serves the device's pages and the rover's, by the profile's rules. true also where the firmware's temper
 * keeps it off the network. false: standard error says why. */
bool network_serve(struct life *life, struct ports *ports);
void network_stop(struct life *life);

/* The rover's motors and health checks, over `life`, which must outlive them. */
struct rover_hardware hardware_of(struct life *life);

#endif
