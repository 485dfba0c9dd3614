/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "ask.h"

/* What happened on robots, as they noted it. */

struct call {
    struct wire *wire;
    unsigned robots;
};

static void print_word(const char *before, const char *word)
{
    if (word[0] != '\0')
        printf(" %s%s", before, word);
}

static void print_entry(const cJSON *entry)
{
    struct device_event e;
    char by[DEVICE_WORD];

    device_read_event(&e, entry);
    member_text(entry, "by", by, sizeof by);
    printf("  boot %-3u %6u s  %-11s", (unsigned)e.boot, (unsigned)member_number(entry, "uptime_s", 0),
           e.event);
    print_word("", e.slot);
    print_word("", e.version);
    print_word("", e.build);
    print_word("", e.code);
    print_word("", e.text);
    print_word("by ", by);
    putchar('\n');
}

static void print_log(const struct robot *r, const struct wire_answer *a, bool several)
{
    cJSON *json = cJSON_ParseWithLength(a->body, a->len);
    const cJSON *entry;
    char called[ROBOT_CALLED];

    if (say_as_json()) {
        print_robot_json(r, a->body);
    } else {
        robot_called(r, called);
        if (several)
            printf("%s\n", called);
        cJSON_ArrayForEach(entry, cJSON_GetObjectItemCaseSensitive(json, "entries")) print_entry(entry);
    }
    cJSON_Delete(json);
}

static void log_came(void *ctx, struct robot *r, const struct wire_answer *a)
{
    const struct call *call = ctx;

    if (r->fault.status == 0)
        print_log(r, a, call->robots > 1);
}

static void asked(void *ctx, struct robot *r)
{
    const struct call *call = ctx;

    if (r->fault.status == 0)
        robot_get(r, call->wire, "/api/ota/log", "entries", log_came, ctx);
}

static void begin(void *ctx, struct robot *r, struct wire *w)
{
    struct call *call = ctx;

    call->wire = w;
    call->robots++;
    robot_ask(r, w, asked, call);
}

static int end(void *ctx, struct robot *r)
{
    (void)ctx;
    return r->fault.status != 0 ? fault_say(&r->fault, "robot", r->name) : STATUS_OK;
}

static int run(const struct options *options)
{
    struct call call = {.robots = 0};
    const struct talk talk = {begin, end, &call};

    return talk_with_robots(options, &talk);
}

const struct verb verb_log = {
    .name = "log",
    .gist = "what happened on a robot",
    .operands = "ROBOT…",
    .summary = "shows what happened on robots, newest first",
    .about =
        "Shows the log of each ROBOT: what was refused, activated, confirmed, rejected, rolled back, and why.",
    .examples = "otapult log rover.local",
    .least = 0,
    .most = OPERANDS_ANY,
    .completes = {COMPLETES_ROBOT, COMPLETES_ROBOT},
    .group = GROUP_ROBOTS,
    .options = (const struct verb_option[]){ROBOT_OPTIONS, {OPTION_NONE, NULL}},
    .run = run,
};
