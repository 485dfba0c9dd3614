/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "life_state.h"

/* The simulated hardware. */

static void set_motors(void *ctx, int left, int right)
{
    (void)ctx;
    (void)left;
    (void)right; /* the rover itself keeps the figures which the page draws */
}

static enum otapult_health check_network(void *ctx, char *why, size_t cap)
{
    const struct life *life = ctx;
    uint32_t patience = life->options->fast ? 300 : 3000;

    if (life->server != NULL)
        return OTAPULT_HEALTH_PASS;
    if (life->board.port.now_ms(life->board.port.ctx) < patience)
        return OTAPULT_HEALTH_WAIT;
    snprintf(why, cap, "no answer from the access point");
    return OTAPULT_HEALTH_FAIL;
}

static enum otapult_health check_page(void *ctx, char *why, size_t cap)
{
    const struct life *life = ctx;
    struct sockaddr_storage at;

    (void)why;
    (void)cap;
    bool answers = life->server != NULL && mhd_server_address(life->server, &at) &&
                   secure_page_answers(&at, life->options->secure.on);
    return answers ? OTAPULT_HEALTH_PASS : OTAPULT_HEALTH_WAIT;
}

static enum otapult_health check_drive(void *ctx, char *why, size_t cap)
{
    const struct life *life = ctx;

    (void)why;
    (void)cap;
    return life->temper == SAMPLE_NEVER_CONFIRMS ? OTAPULT_HEALTH_WAIT : OTAPULT_HEALTH_PASS;
}

struct rover_hardware hardware_of(struct life *life)
{
    return (struct rover_hardware){life, set_motors, check_network, check_page, check_drive};
}
