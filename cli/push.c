/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ask.h"
#include "interrupt.h"
#include "named.h"
#include "new_file.h"
#include "regular_file.h"
#include "rollout.h"
#include "rollout_state.h"
#include "rollout_view.h"

/* `otapult push` and `otapult activate`: the same roll-out, with a file or without one. Here is what comes
 * before and after it; the roll-out itself is in rollout.c. */

static int set_kind(struct job *j, const char *given, const char *own)
{
    const char *word = own != NULL ? own : given;

    j->kind_given = word != NULL;
    return word == NULL || kind_by_word(word, &j->kind) ? 0 : STATUS_USAGE;
}

static int set_jobs(struct rollout *r)
{
    r->count = r->fleet.count;
    r->job = calloc(r->count, sizeof *r->job);
    if (r->job == NULL)
        return STATUS_NO;
    for (size_t i = 0; i < r->count; i++) {
        struct fleet_member *m = &r->fleet.member[i];
        struct job *j = &r->job[i];
        j->rollout = r;
        j->robot = &m->robot;
        if (r->payload != NULL) {
            snprintf(j->build, sizeof j->build, "%s", r->payload->build);
            snprintf(j->version, sizeof j->version, "%s", r->payload->version);
            if (!job_draw_id(j))
                return STATUS_NO;
        }
        if (set_kind(j, r->options->as, m->kind) != 0)
            return STATUS_USAGE;
    }
    return r->options->resume != NULL ? state_load(r, r->options->resume) : 0;
}

/* Can the files of --resume and --junit be written? Asked before anything is sent, because in the end it
 * would be too late. */
static int outputs_unwritable(const struct options *options)
{
    const char *const path[] = {options->resume, options->junit};

    for (size_t i = 0; i < sizeof path / sizeof path[0]; i++) {
        int err = path[i] != NULL ? new_file_try(path[i]) : 0;
        if (err != 0)
            return trouble_say(TROUBLE_FILE_UNWRITABLE, "file", path[i], regular_file_words(err));
    }
    return 0;
}

/* Where the report cannot be written, the status of the robots counts all the same: the larger of the two is
 * returned. */
static int write_junit(const struct rollout *r, int status)
{
    int err = view_write_junit(r, r->options->junit);

    if (err == 0)
        return status;
    int why = trouble_say(TROUBLE_FILE_UNWRITABLE, "file", r->options->junit, regular_file_words(err));
    return status > why ? status : why;
}

static int roll_out(const struct options *options, struct payload *payload, char *const *robots, size_t count)
{
    struct rollout r = {.options = options, .payload = payload};

    int status = fleet_open(&r.fleet, options, robots, count);
    if (status != 0)
        return status;
    status = outputs_unwritable(options);
    if (status == 0)
        status = set_jobs(&r);
    if (status == 0)
        status = rollout_run(&r);
    if (r.job != NULL && options->junit != NULL)
        status = write_junit(&r, status);
    free(r.job);
    fleet_free(&r.fleet);
    return status;
}

static int run_push(const struct options *options)
{
    struct payload payload;

    interrupt_catch(); /* reading and packing take a moment, too */
    int status = payload_read(&payload, options->file, options->builds);
    if (status != 0)
        return interrupted() ? STATUS_INTERRUPTED : status;
    status = roll_out(options, &payload, options->operand + 1, options->operands - 1);
    payload_free(&payload);
    return status;
}

static int run_activate(const struct options *options)
{
    struct options together = *options;

    interrupt_catch();
    together.jobs = 500;
    return roll_out(&together, NULL, options->operand, options->operands);
}

#define ROLLOUT_EXITS                                                                                        \
    "0 every robot is proved; else the largest of: 1 refused, 2 wrong usage, 3 offline, not begun, or lost " \
    "while sending, 4 a stranger or no login, 5 not proved, 130 interrupted."

const struct verb verb_push = {
    .name = "push",
    .gist = "send firmware, and prove it",
    .operands = "FILE ROBOT…",
    .summary = "sends firmware to robots and says what is proved",
    .about =
        "Judges FILE by the robot's own code, asks each ROBOT what it is, refuses what cannot work before a byte is "
        "sent, sends it in the smallest form the robot takes (a patch from the build it runs, found with --builds; "
        "gzip; as it is), waits through the restart and the trial, and says of "
        "each robot what is proved: confirmed 3.0.0 (1f2e3d4c), already running it, rolled back and why, still on "
        "trial, did not come back in 90 s. A link that breaks is taken up "
        "again as long as something gets through.\n"
        "\n"
        "Many robots: by name, @GROUP of the inventory, @all of it, --inventory FILE without a ROBOT, or --discover. Those that "
        "are offline are skipped and named. Ctrl-C once ends it and says in which state each robot is.\n"
        "\n"
        "A device of another kind, which has an upload page but cannot say what it runs, is told by its answers: "
        "the API of one POST /api/ota/upload, ElegantOTA, WLED, Tasmota. What it cannot prove is said.\n"
        "\n"
        "An inventory is an INI file:\n"
        "\n"
        "  [robot rover-1]\n"
        "  host = rover-1.local:8443\n"
        "  groups = hall, canary\n"
        "  token_file = /run/secrets/rover-1\n"
        "\n"
        "and may also say pin (sha256//…, of its public key), kind and timeout.",
    .exits = ROLLOUT_EXITS,
    .examples = "otapult push firmware.bin rover.local\n"
                "otapult push firmware.bin @hall --canary 2 --max-failures 3 --junit report.xml\n"
                "otapult push firmware.bin @hall --builds releases\n"
                "otapult push firmware.bin --discover --resume roll-out.json",
    .least = 1,
    .most = OPERANDS_ANY,
    .completes = {COMPLETES_FILE, COMPLETES_ROBOT},
    .group = GROUP_ROBOTS,
    .options = (const struct verb_option[]){ROBOT_OPTIONS,
                                            {OPTION_JOBS, NULL},
                                            {OPTION_CANARY, NULL},
                                            {OPTION_MAX_FAILURES, NULL},
                                            {OPTION_BUILDS, NULL},
                                            {OPTION_STAGE, NULL},
                                            {OPTION_RESUME, NULL},
                                            {OPTION_WAIT, NULL},
                                            {OPTION_FORCE, "send it also where the robot advises against it"},
                                            {OPTION_JUNIT, NULL},
                                            {OPTION_AS, NULL},
                                            {OPTION_ACCEPT_UNPROVED, NULL},
                                            {OPTION_NONE, NULL}},
    .run = run_push,
};

const struct verb verb_activate = {
    .name = "activate",
    .gist = "boot what is staged",
    .operands = "ROBOT…",
    .summary = "boots what otapult push --stage has sent",
    .about =
        "Makes each ROBOT boot the firmware that waits in its other slot, all together, waits through the restart "
        "and the trial, and says what is proved, as otapult push does.",
    .exits = ROLLOUT_EXITS,
    .examples = "otapult push firmware.bin @hall --stage && otapult activate @hall",
    .least = 0,
    .most = OPERANDS_ANY,
    .completes = {COMPLETES_ROBOT, COMPLETES_ROBOT},
    .group = GROUP_ROBOTS,
    .options = (const struct verb_option[]){ROBOT_OPTIONS,
                                            {OPTION_RESUME, NULL},
                                            {OPTION_WAIT, NULL},
                                            {OPTION_JUNIT, NULL},
                                            {OPTION_NONE, NULL}},
    .run = run_activate,
};
