/* SPDX-License-Identifier: Apache-2.0 */
#include "update/confirm.h"

#include "base/text.h"
#include "update/claim.h"
#include "update/known.h"
#include "update/report.h"
#include "update/slot_image.h"
#include "update/status.h"

/* A new firmware on trial: it stays when its checks hold together for soak_ms, and goes back when one fails
 * or the time is over. There is no third end: a firmware that nobody decides about would be undone by the
 * next power cut, days later.
 *
 * Checks are asked by poll(), one task; a person may confirm from another at any time. The claim decides
 * between them. */

static int running_slot(struct otapult *o)
{
    otapult_lock(o);
    int running = o->slots.running;
    otapult_unlock(o);
    return running;
}

bool otapult_is_pending(struct otapult *o)
{
    otapult_lock(o);
    bool pending = o->pending;
    otapult_unlock(o);
    return pending;
}

static void set_pending(struct otapult *o, bool pending)
{
    otapult_lock(o);
    o->pending = pending;
    otapult_unlock(o);
}

/* ---- the decision, by the claim's holder ---- */

/* The image that runs, described for the journal: the trial's own note where there is one. */
static void describe_running(struct otapult *o, struct otapult_trial *trial)
{
    struct otapult_app_desc desc;
    int running = running_slot(o);

    if (otapult_trial_load(o->port, trial) && trial->slot == running)
        return;
    (void)otapult_running_desc(o, &desc); /* all zeros where it cannot be read */
    otapult_describe(trial, running, &desc, 0);
}

/* What is about to be written goes to the store first, for the next start. */
static void note_decision(struct otapult *o, struct otapult_trial *trial, enum otapult_verdict verdict)
{
    trial->verdict = (uint8_t)verdict;
    if (otapult_trial_save(o->port, trial) != 0)
        otapult_log(o, OTAPULT_LOG_ERROR,
                    verdict == OTAPULT_TRIAL_PASSED ? "the store failed before the confirmation"
                                                    : "the store failed before the rejection");
}

/* Has the port write the decision. An error may come after the record was written: then it counts. */
static int write_decision(struct otapult *o, int (*write)(void *ctx), enum otapult_slot_state wanted)
{
    struct otapult_slot slot;
    int err = write(o->port->ctx);

    if (err != 0 && otapult_slot_row(o, running_slot(o), &slot) == 0 && slot.state == wanted)
        err = 0;
    return err;
}

/* The note PASSED before the record, the note removed after it: whatever moment the power goes at, the next
 * start sees a confirmed record, or a note that says the checks had passed. Keys are learned before the
 * journal says `confirmed`, so that what it says is complete. */
static int confirm(struct otapult *o, const char *by)
{
    struct otapult_trial trial;

    if (!otapult_is_pending(o))
        return OTAPULT_E_NOT_PENDING;
    describe_running(o, &trial);
    note_decision(o, &trial, OTAPULT_TRIAL_PASSED);
    int err = write_decision(o, o->port->confirm, OTAPULT_STATE_VALID);
    if (err != 0)
        return err;
    if (o->keys != NULL)
        o->keys->settle(o, true);
    otapult_note(o, OTAPULT_EV_CONFIRMED, trial.slot, &trial, NULL, NULL, by);
    otapult_forget_failure(o->port, trial.build);
    otapult_trial_clear(o->port);
    otapult_refresh_slots(o);
    set_pending(o, false);
    return 0;
}

int otapult_reject(struct otapult *o, const char *text)
{
    struct otapult_trial trial;

    if (!otapult_is_pending(o))
        return OTAPULT_E_NOT_PENDING;
    describe_running(o, &trial);
    otapult_text_set(trial.text, sizeof trial.text, text);
    note_decision(o, &trial, OTAPULT_TRIAL_REJECTED);
    int err = write_decision(o, o->port->reject, OTAPULT_STATE_INVALID);
    if (err == 0)
        otapult_log(o, OTAPULT_LOG_ERROR, trial.text);
    return err;
}

/* ---- by request ---- */

static int take_and_confirm(struct otapult *o, const char *by, struct otapult_finding *why)
{
    *why = (struct otapult_finding){0};
    if (!otapult_is_pending(o))
        return OTAPULT_E_NOT_PENDING;
    int err = otapult_take(o, OTAPULT_FOR_CONFIRM, by, why);
    if (err != 0)
        return err;
    err = confirm(o, by);
    otapult_give_back(o); /* last: then an update may begin, whose trial must not be the one cleared */
    return err;
}

int otapult_confirm_by(struct otapult *o, const char *by, struct otapult_finding *why)
{
    int err = take_and_confirm(o, by, why);

    if (err != 0)
        otapult_report_refusal(o->port, "confirmation", err, why, 0, by);
    return err;
}

/* Applications may ask at every start, whether or not there is something to confirm. */
int otapult_confirm(struct otapult *o)
{
    return take_and_confirm(o, NULL, &(struct otapult_finding){0});
}

/* ---- by the health checks ---- */

/* Puts together what happened, to which check, and the check's own words if it has any. */
static void put_cause(char *dst, size_t cap, const char *what, const char *name, const char *why)
{
    struct otapult_text t;

    otapult_text_init(&t, dst, cap);
    otapult_text_str(&t, what);
    otapult_text_str(&t, " \"");
    otapult_text_str(&t, name);
    otapult_text_str(&t, why[0] != '\0' ? "\": " : "\"");
    otapult_text_str(&t, why);
}

/* The deadline begins anew: a rejection that failed is not tried at each poll, which would wear flash. */
static void ask_again_later(struct otapult *o)
{
    otapult_log(o, OTAPULT_LOG_ERROR, "there is nothing to go back to: the firmware keeps running");
    otapult_lock(o);
    o->pending_since_ms = otapult_now(o);
    otapult_unlock(o);
}

/* Where something else is under way the decision waits for the next poll, which asks the check again. The
 * claim is a rollback's from here to the restart: the slot that an upload would overwrite is the way back. */
static void go_back(struct otapult *o, const char *what, const char *name, const char *why)
{
    char text[80];
    struct otapult_finding busy;

    if (otapult_take(o, OTAPULT_FOR_ROLLBACK, NULL, &busy) != 0)
        return;
    put_cause(text, sizeof text, what, name, why);
    if (otapult_reject(o, text) == 0) {
        otapult_hold(o, true);
        otapult_restart_in(o, o->config.restart_ms, "the new firmware is rejected");
    } else if (otapult_is_pending(o)) {
        ask_again_later(o);
    }
    otapult_give_back(o);
}

static void set_passed(struct otapult *o, size_t i, bool passed)
{
    otapult_lock(o);
    o->passed = passed ? o->passed | 1u << i : o->passed & ~(1u << i);
    otapult_unlock(o);
}

/* Only poll() gets here, and it is one task: no check is asked twice at once. The check is called without
 * lock and without claim, so it may call this device, otapult_confirm() too. One good moment is no proof, so
 * one that has passed is asked again until the confirmation. true: it passes now. */
static bool probe(struct otapult *o, size_t i)
{
    const struct otapult_health_check *check = &o->config.checks[i];
    char why[48] = "";

    enum otapult_health health = check->probe(o->config.app, why, sizeof why);
    set_passed(o, i, health == OTAPULT_HEALTH_PASS);
    if (health == OTAPULT_HEALTH_FAIL)
        go_back(o, "health check", check->name, why);
    return health == OTAPULT_HEALTH_PASS;
}

/* The firmware waits for a decision, and none is being made. */
static bool is_open(struct otapult *o)
{
    otapult_lock(o);
    bool open = o->pending && o->claim == OTAPULT_FREE;
    otapult_unlock(o);
    return open;
}

static bool all_pass(struct otapult *o)
{
    bool all = o->config.check_count > 0;

    for (size_t i = 0; i < o->config.check_count && is_open(o); i++)
        all = probe(o, i) && all;
    return all && is_open(o);
}

static void check_deadline(struct otapult *o)
{
    struct otapult_status s;

    otapult_status(o, &s);
    if (!is_open(o) || s.confirm_left_ms > 0)
        return;
    go_back(o, "deadline passed, waiting for", s.waiting_for[0] != '\0' ? s.waiting_for : "confirmation", "");
}

/* All checks have passed together and without a break for soak_ms. */
static bool has_soaked(struct otapult *o, bool all)
{
    otapult_lock(o);
    uint32_t now = otapult_now(o);
    if (!o->soaking)
        o->soaking_since_ms = now;
    o->soaking = all;
    bool done = all && now - o->soaking_since_ms >= o->config.soak_ms;
    otapult_unlock(o);
    return done;
}

void otapult_poll_health(struct otapult *o)
{
    struct otapult_finding why;

    if (!is_open(o))
        return;
    bool all = all_pass(o);
    if (!has_soaked(o, all)) {
        if (!all) /* a soak that has begun in time may end after the deadline, unless a check breaks it */
            check_deadline(o);
        return;
    }
    int err = take_and_confirm(o, NULL, &why);
    if (err != 0 && err != OTAPULT_E_BUSY && err != OTAPULT_E_REBOOTING)
        otapult_log(o, OTAPULT_LOG_ERROR, "the confirmation could not be written");
}
