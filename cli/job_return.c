/* SPDX-License-Identifier: Apache-2.0 */
#include "job_return.h"

#include <stdio.h>
#include <string.h>

/* The robot has the file. Whether it runs it is concluded from what the robot says after its restart, and
 * three things tell it: the number of the boot (has it restarted at all?), the build (is it the one that was
 * sent?), and the log (why is it not?). `unsure` means that no answer to the upload came; where the log says
 * nothing either, an old build may also mean that the file never arrived, and then it is sent again. */

#define POLL_MS        500u /* how often a robot that restarts is asked */
#define TRIAL_POLL_MS  1000u
#define TRIAL_SLACK_MS 15000u /* a robot that goes back by itself restarts once more */

static void ask_again(struct job *j, unsigned ms, enum job_state state);
static void send_again(struct job *j);

/* ---- does it stay? ---- */

void job_trial(struct job *j)
{
    const struct device *d = &j->robot->device;
    uint32_t left = d->confirm_left_ms > d->soak_left_ms ? d->confirm_left_ms : d->soak_left_ms;

    if (j->state != JOB_TRIAL)
        j->deadline = wire_now() + left + TRIAL_SLACK_MS + j->rollout->options->wait_s * 1000u;
    job_come_to(j, JOB_TRIAL);
    if (wire_now() < j->deadline) {
        ask_again(j, TRIAL_POLL_MS, JOB_TRIAL);
        return;
    }
    snprintf(j->words, sizeof j->words, "%s",
             d->waiting_for[0] != '\0' ? d->waiting_for : "its confirmation");
    job_end(j, OUTCOME_ON_TRIAL);
}

static bool tells_why_back(const struct device_event *e, const struct job *j)
{
    static const char *const events[] = {"rejected", "crashed",     "not_loaded",
                                         "gave_up",  "rolled_back", "power_lost"};

    for (size_t i = 0; i < sizeof events / sizeof events[0]; i++) {
        if (strcmp(e->event, events[i]) == 0)
            return e->boot >= j->boot && (e->build[0] == '\0' || strcmp(e->build, j->build) == 0 ||
                                          strcmp(e->event, "rolled_back") == 0);
    }
    return false;
}

/* The newest entry of its log that is about this firmware. */
static void log_came(void *ctx, const struct wire_answer *a)
{
    struct job *j = ctx;
    struct device_event e = {.text = ""};
    const cJSON *entry;
    cJSON *json = a->body != NULL ? cJSON_ParseWithLength(a->body, a->len) : NULL;

    cJSON_ArrayForEach(entry, cJSON_GetObjectItemCaseSensitive(json, "entries"))
    {
        device_read_event(&e, entry);
        if (tells_why_back(&e, j))
            break;
        e = (struct device_event){.text = ""};
    }
    cJSON_Delete(json);
    if (strcmp(e.event, "power_lost") == 0 && wire_now() < j->deadline) {
        ask_again(j, TRIAL_POLL_MS, JOB_RESTARTING); /* it gets another try */
        return;
    }
    if (e.event[0] == '\0' && j->unsure && j->state != JOB_TRIAL) {
        j->boot = j->robot->device.boot; /* it restarted before it had all, and has never run this */
        send_again(j);
        return;
    }
    snprintf(j->words, sizeof j->words, "%s%s%s", e.event, e.text[0] != '\0' ? ": " : "", e.text);
    job_end(j, OUTCOME_ROLLED_BACK);
}

static void ask_why_back(struct job *j)
{
    struct wire_request q;
    char url[ROBOT_URL];

    robot_request(j->robot, "/api/ota/log", &q, url);
    q.ctx = j;
    q.done = log_came;
    wire_send(j->rollout->wire, &q);
}

/* ---- does it come back? ---- */

static void not_back(struct job *j)
{
    if (wire_now() < j->deadline) {
        ask_again(j, POLL_MS, j->state);
        return;
    }
    snprintf(j->words, sizeof j->words, "in %lu s", (unsigned long)j->rollout->options->wait_s);
    job_end(j, OUTCOME_NOT_BACK);
}

bool job_runs_it(const struct job *j, const struct device *d)
{
    return d->image.there && strcmp(d->image.build, j->build) == 0 &&
           strcmp(d->image.version, j->version) == 0;
}

/* It did not take what it was sent. A link that broke while sending counted as an attempt then. */
static void send_again(struct job *j)
{
    struct fault f = {0};

    j->unsure = false;
    if (j->state == JOB_SENDING || job_try_again(j)) {
        j->rollout->ways->send(j);
        return;
    }
    fault_of_trouble(&f, TROUBLE_CONNECTION_LOST,
                     "each time before the robot answered; it keeps what it runs");
    job_fail(j, OUTCOME_LOST, &f);
}

static bool differ(const char *a, const char *b)
{
    return a[0] != '\0' && b[0] != '\0' && strcmp(a, b) != 0;
}

/* The network may have given its address to another robot while it restarted. A firmware may call its robot
 * otherwise, but goes on counting its boots. */
bool job_is_another(const struct job *j)
{
    const struct device *d = &j->robot->device;
    bool goes_on = d->boot > j->boot && d->boot - j->boot <= 3;

    return differ(d->chip, j->chip) || (differ(d->name, j->name) && !goes_on);
}

void job_refuse_another(struct job *j)
{
    const struct device *d = &j->robot->device;
    char detail[4 * DEVICE_WORD + 40];
    struct fault f;

    snprintf(detail, sizeof detail, "%s (%s), and it was %s (%s)", d->name, d->chip, j->name, j->chip);
    fault_of_trouble(&f, TROUBLE_OTHER_ROBOT, detail);
    job_fail(j, OUTCOME_STRANGER, &f);
}

/* It answers after the file was sent. What it ran before may have the same build: the boot tells. */
void job_look(struct job *j)
{
    const struct device *d = &j->robot->device;

    if (d->boot == j->boot && j->unsure && strcmp(d->state, "idle") == 0)
        send_again(j);
    else if (d->boot == j->boot || strcmp(d->state, "rebooting") == 0)
        not_back(j);
    else if (!job_runs_it(j, d))
        ask_why_back(j);
    else if (d->pending)
        job_trial(j);
    else
        job_end(j, OUTCOME_CONFIRMED);
}

static void polled(void *ctx, struct robot *robot)
{
    struct job *j = ctx;

    if (robot->fault.status == 0 && job_is_another(j))
        job_refuse_another(j);
    else if (robot->fault.status == 0)
        job_look(j);
    else if (robot->fault.status == STATUS_STRANGER && strcmp(robot->fault.code, "not_otapult") != 0)
        job_fail(j, OUTCOME_STRANGER, &robot->fault);
    else
        not_back(j);
}

static void poll_now(void *ctx)
{
    struct job *j = ctx;

    robot_ask(j->robot, j->rollout->wire, polled, j);
}

static void ask_again(struct job *j, unsigned ms, enum job_state state)
{
    job_come_to(j, state);
    job_after(j, ms, poll_now);
}

void job_wait_for_restart(struct job *j)
{
    j->deadline = wire_now() + j->rollout->options->wait_s * 1000u;
    ask_again(j, POLL_MS, JOB_RESTARTING);
}
