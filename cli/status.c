/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "ask.h"

/* `otapult status`. */

static void print_field(const char *name, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void print_field(const char *name, const char *format, ...)
{
    va_list args;

    printf("  %-12s ", name);
    va_start(args, format);
    vprintf(format, args);
    va_end(args);
    putchar('\n');
}

static void print_signature(const struct device *d)
{
    char keys[DEVICE_KEYS * 24] = "";

    if (!d->signature_enforced) {
        print_field("signature", "not required");
        return;
    }
    for (unsigned i = 0; i < d->keys; i++)
        snprintf(keys + strlen(keys), sizeof keys - strlen(keys), " %s", d->key[i]);
    print_field("signature", "enforced, %s%s", keys[0] != '\0' ? "keys" : "no keys", keys);
}

static void print_trial(const struct device *d)
{
    if (!d->pending)
        return;
    uint32_t left = d->soak_left_ms > d->confirm_left_ms ? d->soak_left_ms : d->confirm_left_ms;
    print_field("on trial", "waits for %s; %u s left",
                d->waiting_for[0] != '\0' ? d->waiting_for : "its confirmation", (unsigned)(left / 1000));
}

static void print_last(const struct device *d)
{
    const struct device_event *e = &d->last;

    if (d->has_last)
        print_field("last", "%s%s%s%s%s%s%s", e->event, e->version[0] != '\0' ? " " : "", e->version,
                    e->code[0] != '\0' ? " " : "", e->code, e->text[0] != '\0' ? ": " : "", e->text);
}

static void print_status(const struct robot *r)
{
    const struct device *d = &r->device;
    char image[IMAGE_TEXT];

    printf("%s\n", r->base);
    if (d->name[0] != '\0')
        print_field("name", "%s", d->name);
    if (r->tls)
        print_field("certificate", "%s", r->fingerprint);
    if (d->image.there && otapult_is_unnamed(d->image.project))
        print_field("runs", "%s, build %s, in %s (%s)", OTAPULT_UNNAMED, d->image.build, d->running,
                    d->running_state);
    else if (d->image.there)
        print_field("runs", "%s %s, build %s, in %s (%s)", d->image.project, d->image.version, d->image.build,
                    d->running, d->running_state);
    if (d->safe_mode)
        print_field("safe mode", "its firmware kept crashing; it waits for an update");
    print_field("state", "%s%s%s", d->state, d->busy_for[0] != '\0' ? ", busy with " : "", d->busy_for);
    print_trial(d);
    image_text(&d->staged_image, image);
    if (d->staged)
        print_field("staged", "%s", image);
    if (strcmp(d->boot_slot, d->running) != 0)
        print_field("boots next", "%s", d->boot_slot);
    print_last(d);
    print_signature(d);
    print_field("access", d->open ? "open: anyone on this network can upload" : "login required");
}

static int each(struct robot *r, const struct options *options)
{
    (void)options;
    if (r->fault.status != 0)
        return fault_say(&r->fault, "robot", r->name);
    if (say_as_json())
        print_robot_json(r, r->status_text);
    else
        print_status(r);
    return STATUS_OK;
}

static int run(const struct options *options)
{
    return ask_robots(options, each);
}

const struct verb verb_status = {
    .name = "status",
    .gist = "what a robot runs",
    .operands = "ROBOT…",
    .summary = "asks robots what they run, and who they are",
    .about =
        "Shows what each ROBOT runs, whether it requires signatures and a login, and its certificate's SHA-256 "
        "fingerprint, as on its console. A ROBOT is a name of the inventory, @GROUP of it, name.local, an IP "
        "address, either with :port, or a URL; without a scheme https is tried, then http, and without a port also "
        "8080, where boards serve.\n"
        "\n"
        "A robot keeps its key: one that shows another than last time is refused, loudly. With --json a line is "
        "the robot's own answer, and its name as \"robot\".",
    .examples = "otapult status rover.local\notapult status @hall --json | jq -r '.robot + \" \" + .running'",
    .least = 0,
    .most = OPERANDS_ANY,
    .completes = {COMPLETES_ROBOT, COMPLETES_ROBOT},
    .group = GROUP_ROBOTS,
    .options = (const struct verb_option[]){ROBOT_OPTIONS, {OPTION_NONE, NULL}},
    .run = run,
};
