/* SPDX-License-Identifier: Apache-2.0 */
#include "job_ask.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "interrupt.h"
#include "job_bare.h"
#include "job_return.h"
#include "job_send.h"

/* The first step of a job, and the step back to which a broken link leads: the robot is asked what it is, and
 * the answer decides. Before a byte is sent everything that can be known is looked at: is it the same robot
 * as before, does it run the file already, would it take it. */

static enum outcome outcome_of_fault(const struct fault *f)
{
    switch (f->status) {
    case STATUS_UNREACHABLE: return OUTCOME_OFFLINE;
    case STATUS_STRANGER: return OUTCOME_STRANGER;
    default: return OUTCOME_REFUSED;
    }
}

/* Does the device's status itself say why it cannot be updated now? */
static bool says_it_cannot(const struct robot *r, struct fault *f)
{
    cJSON *json = cJSON_Parse(r->status_text);
    bool cannot = fault_of_answer(f, 500, cJSON_GetObjectItemCaseSensitive(json, "error"));

    cJSON_Delete(json);
    return cannot;
}

static void order_came(void *ctx, struct robot *robot, const struct wire_answer *a)
{
    struct job *j = ctx;

    (void)a;
    if (robot->fault.status == 0 || strcmp(robot->fault.code, "answer_lost") == 0)
        job_wait_for_restart(j); /* which tells whether it did it */
    else
        job_fail(j, OUTCOME_REFUSED, &robot->fault);
}

static void activate(struct job *j, const struct device *d)
{
    struct fault f = {0};

    if (!d->staged) {
        fault_of_trouble(&f, d->knows_staging ? TROUBLE_NOTHING_STAGED : TROUBLE_CANNOT_STAGE, "");
        job_fail(j, OUTCOME_REFUSED, &f);
        return;
    }
    memcpy(j->build, d->staged_image.build, sizeof j->build);
    memcpy(j->version, d->staged_image.version, sizeof j->version);
    robot_order(j->robot, j->rollout->wire, "/api/ota/activate", order_came, j);
}

/* Somebody rolls the robot back, or restarts it, so what runs now is not what will run in a moment. */
static bool is_about_to_restart(const struct device *d)
{
    static const char *const ends[] = {"rollback", "restart", "activation"};

    for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++)
        if (strcmp(d->busy_for, ends[i]) == 0)
            return true;
    return strcmp(d->state, "rebooting") == 0;
}

/* Waits for the restart, and then for the trial of the firmware that it went back to: before the trial's end
 * the robot takes no update. false: the job has waited long enough. */
static bool wait_for_its_restart(struct job *j)
{
    if (j->restart_by == 0)
        j->restart_by = wire_now() + j->rollout->options->wait_s * 1000u;
    if (wire_now() >= j->restart_by || interrupted())
        return false;
    job_ask_after(j, LOOK_AGAIN_MS);
    return true;
}

static void push(struct job *j, const struct device *d)
{
    struct rollout *r = j->rollout;
    struct fault f = {0};

    if ((is_about_to_restart(d) || (j->restart_by != 0 && d->pending)) && wait_for_its_restart(j))
        return;
    if (job_runs_it(j, d) && !r->options->force && d->pending) {
        j->boot = 0; /* it came before this call; only its trial is left to be seen */
        job_trial(j);
    } else if (job_runs_it(j, d) && !r->options->force && !is_about_to_restart(d)) {
        job_end(j, OUTCOME_ALREADY);
    } else if (payload_unfit(r->payload, d, &f)) {
        job_fail(j, OUTCOME_UNFIT, &f);
    } else if (d->has_error && says_it_cannot(j->robot, &f)) {
        job_fail(j, OUTCOME_REFUSED, &f);
    } else if (r->options->stage && !d->knows_staging) {
        fault_of_trouble(&f, TROUBLE_CANNOT_STAGE, "");
        job_fail(j, OUTCOME_UNFIT, &f);
    } else {
        job_send(j);
    }
}

/* Did the link break while the file was sent? Then the network is tried again before the robot counts as
 * lost. */
static bool broke_while_sending(const struct job *j, const struct fault *f)
{
    return j->attempts > 0 && f->status == STATUS_UNREACHABLE;
}

/* The same robot may have been named twice, as by its name and by its address. The id of the update that it
 * has belongs to the other job then. */
static const struct job *same_robot(const struct job *j)
{
    const struct rollout *r = j->rollout;

    for (size_t i = 0; i < r->count && r->payload != NULL; i++) {
        if (&r->job[i] != j && strcmp(r->job[i].id, j->robot->device.update) == 0)
            return &r->job[i];
    }
    return NULL;
}

static void end_same(struct job *j, const struct job *same)
{
    snprintf(j->words, sizeof j->words, "%s", same->robot->name);
    j->form_word = NULL; /* under this name it was sent nothing */
    j->form_len = 0;
    job_end(j, OUTCOME_SAME);
}

/* The robot has said what it is. Where something had been sent already (send_began), it may have restarted
 * meanwhile. */
static void introduced(struct job *j, const struct device *d)
{
    const struct job *same = same_robot(j);

    if (same != NULL) {
        end_same(j, same);
    } else if (j->send_began != 0 && job_is_another(j)) {
        job_refuse_another(j);
    } else if (j->send_began != 0 && d->boot != j->boot) {
        j->unsure = true;
        j->deadline = wire_now() + j->rollout->options->wait_s * 1000u;
        job_look(j);
    } else {
        j->boot = d->boot;
        j->before = d->image;
        memcpy(j->name, d->name, sizeof j->name);
        memcpy(j->chip, d->chip, sizeof j->chip);
        if (j->rollout->payload != NULL)
            push(j, d);
        else
            activate(j, d);
    }
}

static void asked(void *ctx, struct robot *robot)
{
    struct job *j = ctx;

    if (robot->fault.status == 0) {
        introduced(j, &robot->device);
    } else if (strcmp(robot->fault.code, "not_otapult") == 0 && j->rollout->payload != NULL && robot->met) {
        j->fault = robot->fault;
        if (j->kind_given)
            job_bare_begin(j);
        else
            job_probe(j);
    } else if (j->restart_by != 0 && robot->fault.status == STATUS_UNREACHABLE && wait_for_its_restart(j)) {
        return;
    } else if (!broke_while_sending(j, &robot->fault)) {
        job_fail(j, outcome_of_fault(&robot->fault), &robot->fault);
    } else if (!job_retry(j)) {
        job_fail(j, OUTCOME_LOST, &robot->fault);
    }
}

void job_ask(struct job *j)
{
    robot_ask(j->robot, j->rollout->wire, asked, j);
}
