/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ask.h"
#include "interrupt.h"

/* Follows robots: a line whenever one of them says something new. Asked once a second, which every robot
 * bears; a stream of events would hold one of its few connections. */

#define EVERY_MS 1000u

struct watched {
    struct robot *robot;
    struct wire_timer timer;
    char line[400];
};

static struct wire *wire;

static void line_of(const struct robot *r, char line[400])
{
    const struct device *d = &r->device;
    char image[IMAGE_TEXT];

    image_text(&d->image, image);
    if (r->fault.status != 0)
        snprintf(line, 400, "%s", r->fault.caption);
    else if (strcmp(d->state, "idle") != 0 && d->total > 0)
        snprintf(line, 400, "%s %u of %u KB, runs %s", d->state, (unsigned)(d->received / 1024),
                 (unsigned)(d->total / 1024), image);
    else
        snprintf(line, 400, "%s, runs %s in %s%s%s", d->state, image, d->running,
                 d->pending ? ", on trial: " : "", d->pending ? d->waiting_for : "");
}

static void ask(void *ctx);

static void asked(void *ctx, struct robot *r)
{
    struct watched *w = ctx;
    char line[400], called[ROBOT_CALLED];

    line_of(r, line);
    if (strcmp(line, w->line) != 0) {
        memcpy(w->line, line, sizeof line);
        robot_called(r, called);
        if (!say_as_json())
            printf("%s: %s\n", called, line);
        else if (r->fault.status != 0)
            fault_say(&r->fault, "robot", r->name);
        else
            print_robot_json(r, r->status_text);
        fflush(stdout);
    }
    if (r->fault.status == STATUS_STRANGER)
        return; /* asking again changes nothing */
    w->timer = (struct wire_timer){.ctx = w, .fire = ask};
    wire_after(wire, &w->timer, EVERY_MS);
}

static void ask(void *ctx)
{
    struct watched *w = ctx;

    robot_ask(w->robot, wire, asked, w);
}

static bool stopped(void *ctx)
{
    (void)ctx;
    return interrupted();
}

static int run(const struct options *options)
{
    struct fleet fleet;
    int status = fleet_open(&fleet, options, options->operand, options->operands);

    if (status != 0)
        return status;
    struct watched *all = calloc(fleet.count, sizeof *all);
    wire = wire_open();
    interrupt_catch();
    for (size_t i = 0; all != NULL && wire != NULL && i < fleet.count; i++) {
        all[i].robot = &fleet.member[i].robot;
        ask(&all[i]);
    }
    if (wire == NULL || all == NULL) {
        if (wire != NULL)
            wire_close(wire);
        free(all);
        fleet_free(&fleet);
        return STATUS_NO;
    }
    wire_run(wire, stopped, NULL);
    wire_close(wire);
    for (size_t i = 0; i < fleet.count; i++)
        status = all[i].robot->fault.status > status ? all[i].robot->fault.status : status;
    free(all);
    fleet_free(&fleet);
    return interrupted() ? STATUS_INTERRUPTED : status;
}

const struct verb verb_watch = {
    .name = "watch",
    .gist = "follow it live",
    .operands = "ROBOT…",
    .summary = "follows robots until Ctrl-C",
    .about =
        "Prints a line whenever a ROBOT says something new: an update that comes in, a restart, a trial, its end.",
    .examples = "otapult watch rover.local",
    .least = 0,
    .most = OPERANDS_ANY,
    .completes = {COMPLETES_ROBOT, COMPLETES_ROBOT},
    .group = GROUP_ROBOTS,
    .options = (const struct verb_option[]){ROBOT_OPTIONS, {OPTION_NONE, NULL}},
    .run = run,
};
