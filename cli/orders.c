/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "ask.h"

/* `otapult confirm`, `rollback`, `reboot` and `cancel`: one POST without a body each. */

/* Each robot is asked for its status first: so it is known to be the right one before it gets an order. */

struct order {
    const char *path, *forced; /* with --force */
    const char *done;          /* what is said of a robot that did it */
    const char *busy_for;      /* and what its status says while it does it; NULL: nothing that tells */
};

struct call {
    struct wire *wire;
    const struct order *order;
    bool force;
};

/* The answer was lost. A robot that is about to restart says why; anything else, or another lost answer,
 * tells nothing, and then that is what is said. */
static void looked(void *ctx, struct robot *r)
{
    const struct call *call = ctx;
    bool does_it = r->fault.status == 0 && strcmp(r->device.busy_for, call->order->busy_for) == 0;

    if (!does_it)
        fault_of_trouble(&r->fault, TROUBLE_ANSWER_LOST, "");
}

static void answered(void *ctx, struct robot *r, const struct wire_answer *a)
{
    struct call *call = ctx;

    (void)a;
    if (call->order->busy_for != NULL && strcmp(r->fault.code, "answer_lost") == 0)
        robot_ask(r, call->wire, looked, call);
}

static void asked(void *ctx, struct robot *r)
{
    struct call *call = ctx;

    if (r->fault.status == 0)
        robot_order(r, call->wire, call->force ? call->order->forced : call->order->path, answered, call);
}

static void begin(void *ctx, struct robot *r, struct wire *w)
{
    struct call *call = ctx;

    call->wire = w;
    robot_ask(r, w, asked, call);
}

static int tell(void *ctx, struct robot *r)
{
    const struct call *call = ctx;

    if (r->fault.status != 0)
        return fault_say(&r->fault, "robot", r->name);
    if (!say_as_json()) {
        printf("%s: %s\n", r->name, call->order->done);
        return STATUS_OK;
    }
    return print_done(r, call->order->done);
}

static int give(const struct options *options, const struct order *order)
{
    struct call call = {.order = order, .force = options->force};
    const struct talk talk = {begin, tell, &call};

    return talk_with_robots(options, &talk);
}

static int run_confirm(const struct options *options)
{
    static const struct order order = {"/api/ota/confirm", "/api/ota/confirm",
                                       "confirmed; this firmware stays", NULL};
    return give(options, &order);
}

static int run_rollback(const struct options *options)
{
    static const struct order order = {"/api/ota/rollback", "/api/ota/rollback?force=1",
                                       "goes back to the other slot, and restarts", "rollback"};
    return give(options, &order);
}

static int run_reboot(const struct options *options)
{
    static const struct order order = {"/api/ota/reboot", "/api/ota/reboot", "restarts", "restart"};
    return give(options, &order);
}

static int run_cancel(const struct options *options)
{
    static const struct order order = {"/api/ota/cancel", "/api/ota/cancel", "the running update is ended",
                                       NULL};
    return give(options, &order);
}

#define ORDER_VERB                                                                 \
    .operands = "ROBOT…",                                                          \
    .exits = "0 every robot did it, 1 one refused, 2 wrong usage, 3 one does not " \
             "answer, 4 one is a stranger or asks for a login.",                   \
    .least = 0, .most = OPERANDS_ANY, .completes = {COMPLETES_ROBOT, COMPLETES_ROBOT}, .group = GROUP_ROBOTS

const struct verb verb_confirm = {
    ORDER_VERB,
    .name = "confirm",
    .gist = "the new firmware stays",
    .summary = "confirms firmware that is on trial",
    .about = "Confirms the running firmware of each ROBOT, which is on trial: it stays.",
    .examples = "otapult confirm rover.local",
    .options = (const struct verb_option[]){ROBOT_OPTIONS, {OPTION_NONE, NULL}},
    .run = run_confirm,
};

const struct verb verb_rollback = {
    ORDER_VERB,
    .name = "rollback",
    .gist = "back to the other slot",
    .summary = "goes back to the firmware in the other slot",
    .about = "Each ROBOT verifies the firmware in its other slot, makes it the one that boots, and restarts.",
    .examples = "otapult rollback rover.local",
    .options = (const struct verb_option[]){ROBOT_OPTIONS, {OPTION_FORCE, NULL}, {OPTION_NONE, NULL}},
    .run = run_rollback,
};

const struct verb verb_reboot = {
    ORDER_VERB,
    .name = "reboot",
    .gist = "restart a robot",
    .summary = "restarts robots",
    .about = "Restarts each ROBOT, unless an update runs there.",
    .examples = "otapult reboot rover.local",
    .options = (const struct verb_option[]){ROBOT_OPTIONS, {OPTION_NONE, NULL}},
    .run = run_reboot,
};

const struct verb verb_cancel = {
    ORDER_VERB,
    .name = "cancel",
    .gist = "end a running update",
    .summary = "ends an update that runs",
    .about =
        "Ends the update that runs on each ROBOT, whoever began it. What was written is no bootable image.",
    .examples = "otapult cancel rover.local",
    .options = (const struct verb_option[]){ROBOT_OPTIONS, {OPTION_NONE, NULL}},
    .run = run_cancel,
};
