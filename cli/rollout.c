/* SPDX-License-Identifier: Apache-2.0 */
#include "rollout.h"

#include <signal.h>
#include <stdio.h>

#include "interrupt.h"
#include "job_ask.h"
#include "job_send.h"
#include "job_tus.h"
#include "rollout_state.h"
#include "rollout_view.h"

/* Decides which robot begins when, and when nobody begins any more. All robots go through the steps of job.h
 * in one loop; this file is told of each end and starts the next. The outcome of a robot is written to the
 * file of --resume as soon as it is known, so a command that is killed knows the next time where it was. */

/* ---- which robot begins when ---- */

static bool in_canary_phase(const struct rollout *r)
{
    return r->options->canary > 0 && r->canaries_proved < r->options->canary;
}

static bool may_start(const struct rollout *r)
{
    if (r->stopped || interrupted() || r->next == r->count || r->active >= r->options->jobs)
        return false;
    return !in_canary_phase(r) || r->canaries < r->options->canary;
}

static void start(struct rollout *r, struct job *j)
{
    r->active++;
    j->canary = in_canary_phase(r);
    r->canaries += j->canary;
    j->began = wire_now();
    job_come_to(j, JOB_ASKING);
    job_ask(j);
}

static void start_more(struct rollout *r)
{
    while (may_start(r)) {
        struct job *j = &r->job[r->next++];
        if (j->state == JOB_QUEUED)
            start(r, j);
    }
}

/* ---- the end of a job ---- */

static void stop_rollout(struct rollout *r, const char *why, const char *name)
{
    if (r->stopped)
        return;
    r->stopped = true;
    snprintf(r->why_stopped, sizeof r->why_stopped, "%s%s%s", why, name[0] != '\0' ? ": " : "", name);
}

/* Learns from this robot's end for the next ones: how many canaries have proved the firmware, and whether to
 * stop. */
static void draw_conclusions(struct rollout *r, const struct job *j)
{
    bool proved = outcome_table[j->outcome].proved;
    bool passed = j->outcome == OUTCOME_OFFLINE || j->outcome == OUTCOME_SAME;

    if (j->canary && passed)
        r->canaries--; /* the next robot takes its place */
    if (j->canary && proved)
        r->canaries_proved++;
    if (!proved && !passed)
        r->failures++;
    if (j->canary && !proved && !passed)
        stop_rollout(r, "a canary failed", j->robot->name);
    else if (r->options->max_failures > 0 && r->failures >= r->options->max_failures)
        stop_rollout(r, "too many failures", "");
}

static void ended(struct job *j)
{
    struct rollout *r = j->rollout;

    r->active--;
    draw_conclusions(r, j);
    view_done(r, j);
    if (r->options->resume != NULL)
        state_save(r, r->options->resume);
    start_more(r);
}

static void began(const struct job *j)
{
    view_began(j->rollout, j);
}

static const struct job_ways ways = {.ask = job_ask, .send = job_send, .began = began, .ended = ended};

/* Says what is known of a robot that was left in the middle. */
static void leave(struct job *j)
{
    static const char *const states[] = {
        [JOB_QUEUED] = "",
        [JOB_ASKING] = "nothing was sent; it keeps what it runs",
        [JOB_PROBING] = "nothing was sent; it keeps what it runs",
        [JOB_PACKING] = "nothing was sent; it keeps what it runs",
        [JOB_SENDING] =
            "while sending; it keeps what it runs, and may wait some minutes for the rest: otapult cancel",
        [JOB_RESTARTING] = "it has the file and restarts; nothing is proved",
        [JOB_TRIAL] = "it runs the new firmware, on trial; nothing is proved",
        [JOB_DONE] = "",
    };

    if (j->state == JOB_DONE)
        return;
    const char *words = states[j->state];
    if (j->state == JOB_QUEUED)
        words = interrupted() ? "interrupted" : j->rollout->why_stopped;
    else if (j->given_up)
        words = "while sending; it knows that nothing more comes, and keeps what it runs";
    snprintf(j->words, sizeof j->words, "%s", words);
    j->outcome = j->state == JOB_QUEUED ? OUTCOME_NOT_STARTED : OUTCOME_INTERRUPTED;
    j->state = JOB_DONE;
}

/* Half an upload holds the robot for minutes, so a command that ends tells it that nothing more will come.
 * Connections that are under way end first, for it waits for what they may still bring. */
static void give_up_uploads(struct rollout *r)
{
    wire_cut(r->wire);
    for (size_t i = 0; i < r->count; i++) {
        if (r->job[i].state == JOB_SENDING)
            job_give_up(&r->job[i]);
    }
    wire_run(r->wire, NULL, NULL);
}

int rollout_run(struct rollout *r)
{
    int worst = STATUS_OK;

    signal(SIGPIPE, SIG_IGN); /* `otapult push | head` must not leave a robot in the middle of its upload */
    r->ways = &ways;
    r->wire = wire_open();
    if (r->wire == NULL)
        return STATUS_NO;
    r->view = view_open(r);
    start_more(r);
    robots_wait(r->wire);
    if (interrupted())
        give_up_uploads(r);
    for (size_t i = 0; i < r->count; i++) {
        leave(&r->job[i]);
        int status = job_status(&r->job[i]);
        worst = status > worst ? status : worst;
    }
    if (r->options->resume != NULL && !state_save(r, r->options->resume))
        worst = worst > STATUS_NO ? worst : STATUS_NO;
    view_close(r);
    wire_close(r->wire);
    return interrupted() ? STATUS_INTERRUPTED : worst;
}
