/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "ask.h"
#include "words.h"

/* `otapult offer`. The status of all robots is asked for at once, and then their offers one by one. */

/* What robots were offered by their sources, and a person's word on it. */

static struct {
    struct wire *wire;
    const char *choice; /* "install", "later", "skip"; NULL: only looks */
    int worst;
} call;

static void note(int status)
{
    if (status > call.worst)
        call.worst = status;
}

/* ---- looking ---- */

static void print_offer(const cJSON *json, bool fits)
{
    const cJSON *offer = cJSON_GetObjectItemCaseSensitive(json, "offer");
    char version[DEVICE_WORD], notes[400], wait[160], size[SIZE_TEXT];

    if (!cJSON_IsObject(offer)) {
        puts("nothing is offered");
        return;
    }
    member_text(offer, "version", version, sizeof version);
    member_text(offer, "notes", notes, sizeof notes);
    member_text(offer, "wait", wait, sizeof wait);
    size_text(member_number(offer, "size", 0), size);
    if (fits)
        printf("%s is available, %s\n", version, size);
    else
        printf("%s is there, not for this robot\n", version);
    if (notes[0] != '\0')
        printf("  what is new: %s\n", notes);
    if (wait[0] != '\0')
        printf("  %s: %s\n", fits ? "it waits" : "why", wait);
}

static void print_error_of(const cJSON *json)
{
    const cJSON *error = cJSON_GetObjectItemCaseSensitive(json, "error");
    char detail[400];

    member_text(error, "detail", detail, sizeof detail);
    if (detail[0] != '\0')
        printf("  the last question: %s\n", detail);
}

static void print_answer(const struct robot *r, const struct wire_answer *a)
{
    cJSON *json = cJSON_ParseWithLength(a->body, a->len);
    char state[24];

    if (say_as_json()) {
        print_robot_json(r, a->body);
    } else if (call.choice != NULL) {
        char message[160];
        member_text(json, "message", message, sizeof message);
        printf("%s: %s\n", r->name, message);
    } else {
        member_text(json, "state", state, sizeof state);
        printf("%s: ", r->name);
        if (strcmp(state, "fetching") == 0)
            printf("being fetched: ");
        if (strcmp(state, "trying") == 0)
            puts("on trial, after its restart");
        else
            print_offer(json, strcmp(state, "idle") != 0);
        print_error_of(json);
    }
    cJSON_Delete(json);
}

/* ---- asking ---- */

static void came(void *ctx, const struct wire_answer *a)
{
    struct robot *r = ctx;

    r->under_way = NULL;
    if (call.choice != NULL ? robot_order_fault(&r->fault, a) : robot_fault_without(&r->fault, a, "state"))
        note(fault_say(&r->fault, "robot", r->name));
    else
        print_answer(r, a);
}

static int ask(struct robot *r, const struct options *options)
{
    static char body[40];
    struct wire_request q;
    char url[ROBOT_URL];

    (void)options;
    if (r->fault.status != 0)
        return fault_say(&r->fault, "robot", r->name);
    robot_request(r, "/api/ota/offer", &q, url);
    q.ctx = r;
    q.done = came;
    if (call.choice != NULL) {
        snprintf(body, sizeof body, "{\"choice\":\"%s\"}", call.choice);
        q.method = "POST";
        q.body = body;
        q.body_len = strlen(body);
        q.type = "application/json";
    }
    r->under_way = call.choice != NULL ? "it was told, and has not answered" : "nothing was changed";
    wire_send(call.wire, &q);
    robots_wait(call.wire);
    robot_leave(r);
    return r->fault.status == STATUS_INTERRUPTED ? fault_say(&r->fault, "robot", r->name) : STATUS_OK;
}

static int run(const struct options *o)
{
    if (o->install + o->later + o->skip > 1) {
        complain("offer: wants one of --install, --later and --skip");
        return STATUS_USAGE;
    }
    call.choice = o->install ? "install" : o->later ? "later" : o->skip ? "skip" : NULL;
    call.worst = STATUS_OK;
    call.wire = wire_open();
    if (call.wire == NULL)
        return STATUS_NO;
    note(ask_robots(o, ask));
    wire_close(call.wire);
    return call.worst;
}

const struct verb verb_offer = {
    .name = "offer",
    .gist = "what a robot was offered",
    .operands = "ROBOT…",
    .summary = "shows what the sources of robots offer, and says yes or no to it",
    .about =
        "Shows of each ROBOT that fetches releases by itself what it was offered, and what that waits for. With "
        "--install, --later or --skip that is your word on it: the robot itself fetches, verifies and tries it.",
    .exits =
        "0 every robot answered, 1 one refused or has no source, 2 wrong usage, 3 one does not answer, 4 one is a "
        "stranger or asks for a login.",
    .examples = "otapult offer rover.local\n"
                "otapult offer rover.local --install",
    .least = 0,
    .most = OPERANDS_ANY,
    .completes = {COMPLETES_ROBOT, COMPLETES_ROBOT},
    .group = GROUP_ROBOTS,
    .options = (const struct verb_option[]){{OPTION_INSTALL, NULL},
                                            {OPTION_LATER, NULL},
                                            {OPTION_SKIP, NULL},
                                            ROBOT_OPTIONS,
                                            {OPTION_NONE, NULL}},
    .run = run,
};
