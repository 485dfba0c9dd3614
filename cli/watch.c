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
    struct wire *wire;
    struct watched *next;
    struct wire_timer timer;
    char line[400];
};

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
    wire_after(w->wire, &w->timer, EVERY_MS);
}

static void ask(void *ctx)
{
    struct watched *w = ctx;

    robot_ask(w->robot, w->wire, asked, w);
}

static void begin(void *ctx, struct robot *r, struct wire *wire)
{
    struct watched **all = ctx, *w = calloc(1, sizeof *w);

    if (w == NULL)
        return;
    *w = (struct watched){.robot = r, .wire = wire, .next = *all};
    *all = w;
    ask(w);
}

/* Ctrl-C is its usual end: there is nothing to be said of it. */
static int end(void *ctx, struct robot *r)
{
    (void)ctx;
    return r->fault.status;
}

static int run(const struct options *options)
{
    struct watched *all = NULL, *next;
    const struct talk talk = {begin, end, &all};
    int status = talk_with_robots(options, &talk);

    for (; all != NULL; all = next) {
        next = all->next;
        free(all);
    }
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
