/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "ask.h"

/* What happened on robots, as they noted it. */

static struct {
    struct wire *wire;
    bool several;
    int worst;
} call;

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

static void note(int status)
{
    if (status > call.worst)
        call.worst = status;
}

static void print_log(const struct robot *r, const struct wire_answer *a)
{
    cJSON *json = cJSON_ParseWithLength(a->body, a->len);
    const cJSON *entry;
    char called[ROBOT_CALLED];

    if (say_as_json()) {
        print_robot_json(r, a->body);
    } else {
        robot_called(r, called);
        if (call.several)
            printf("%s\n", called);
        cJSON_ArrayForEach(entry, cJSON_GetObjectItemCaseSensitive(json, "entries")) print_entry(entry);
    }
    cJSON_Delete(json);
}

static void log_came(void *ctx, const struct wire_answer *a)
{
    struct robot *r = ctx;

    if (robot_fault(&r->fault, a))
        note(fault_say(&r->fault, "robot", r->name));
    else
        print_log(r, a);
}

static void asked(void *ctx, struct robot *r)
{
    struct wire_request q;
    char url[ROBOT_URL];

    (void)ctx;
    if (r->fault.status != 0) {
        note(fault_say(&r->fault, "robot", r->name));
        return;
    }
    robot_request(r, "/api/ota/log", &q, url);
    q.ctx = r;
    q.done = log_came;
    wire_send(call.wire, &q);
}

static int run(const struct options *options)
{
    struct fleet fleet;
    int status = fleet_open(&fleet, options, options->operand, options->operands);

    if (status != 0)
        return status;
    call.wire = wire_open();
    call.several = fleet.count > 1;
    for (size_t i = 0; call.wire != NULL && i < fleet.count; i++)
        robot_ask(&fleet.member[i].robot, call.wire, asked, NULL);
    if (call.wire == NULL)
        return STATUS_NO;
    wire_run(call.wire, NULL, NULL);
    wire_close(call.wire);
    fleet_free(&fleet);
    return call.worst;
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
