/* SPDX-License-Identifier: Apache-2.0 */
#include "fleet.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The list grows by realloc(), so a member may move while robots are still being added: nobody may keep a
 * pointer to one before fleet_open() has returned. Robots keep pointers to the strings of their member, which
 * do not move. */

void fleet_free(struct fleet *fleet)
{
    for (size_t i = 0; i < fleet->count; i++) {
        struct fleet_member *m = &fleet->member[i];
        robot_free(&m->robot);
        free(m->name);
        free(m->token);
        free(m->pin);
        free(m->kind);
    }
    free(fleet->member);
    *fleet = (struct fleet){0};
}

static struct fleet_member *find(const struct fleet *fleet, const struct address *a)
{
    for (size_t i = 0; i < fleet->count; i++) {
        const struct address *b = &fleet->member[i].robot.address;
        if (strcmp(a->host, b->host) == 0 && a->port == b->port && a->scheme == b->scheme)
            return &fleet->member[i];
    }
    return NULL;
}

static struct fleet_member *make_room(struct fleet *fleet)
{
    if (fleet->count == fleet->room) {
        size_t room = fleet->room * 2 + 8;
        struct fleet_member *more = realloc(fleet->member, room * sizeof *more);
        if (more == NULL)
            return NULL;
        fleet->member = more;
        fleet->room = room;
    }
    struct fleet_member *m = &fleet->member[fleet->count];
    *m = (struct fleet_member){0};
    return m;
}

struct fleet_member *fleet_add(struct fleet *fleet, const struct options *options, const char *name,
                               const char *address)
{
    struct address a;
    const char *wrong = address_read(address, &a);

    if (wrong != NULL) {
        trouble_say(TROUBLE_ADDRESS, "robot", address, wrong);
        return NULL;
    }
    struct fleet_member *m = find(fleet, &a);
    if (m != NULL)
        return m;
    m = make_room(fleet);
    if (m == NULL || (m->name = strdup(say_clean(name))) == NULL) {
        complain("not enough memory");
        return NULL;
    }
    fleet->count++;
    m->robot = (struct robot){.name = m->name,
                              .address = a,
                              .first_use = options->first_use,
                              .timeout_s = options->timeout_s,
                              .token = options->token,
                              .password = getenv("OTAPULT_PASSWORD")};
    if (m->robot.token == NULL)
        m->robot.token = getenv("OTAPULT_TOKEN");
    return m;
}

/* ---- asking all of them ---- */

static void asked(void *ctx, struct robot *r)
{
    (void)ctx;
    (void)r;
}

int fleet_ask(struct fleet *fleet, int (*each)(struct robot *r, const struct options *options),
              const struct options *options)
{
    struct wire *w = wire_open();
    int worst = STATUS_OK;

    if (w == NULL)
        return STATUS_NO;
    for (size_t i = 0; i < fleet->count; i++)
        robot_ask(&fleet->member[i].robot, w, asked, NULL);
    robots_wait(w);
    for (size_t i = 0; i < fleet->count; i++) {
        robot_leave(&fleet->member[i].robot);
        int status = each(&fleet->member[i].robot, options);
        if (status > worst)
            worst = status;
    }
    wire_close(w);
    return worst;
}
