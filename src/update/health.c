/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/text.h"
#include "update/device.h"

static int running_slot(struct otapult *o)
{
    otapult_lock(o);
    int running = o->slots.running;
    otapult_unlock(o);
    return running;
}

/* The firmware waits for a decision, and nothing else is under way. */
static bool is_pending(struct otapult *o)
{
    otapult_lock(o);
    bool pending = o->pending && !o->deciding && o->phase != OTAPULT_REBOOTING;
    otapult_unlock(o);
    return pending;
}

/* The image that runs, described for the journal: the trial's own note where there is one. */
static void describe_running(struct otapult *o, struct otapult_trial *trial)
{
    struct otapult_app_desc desc;
    bool found;
    int running = running_slot(o);

    if (otapult_trial_load(o->port, trial) && trial->slot == running)
        return;
    (void)otapult_slot_desc(o, running, &desc, &found); /* all zeros where it cannot be read */
    otapult_describe(trial, running, &desc, 0);
}

/* ---- confirmation ---- */

/* Takes the decision over the pending firmware, described in *trial; false when there is none to take. */
static bool take_decision(struct otapult *o, struct otapult_trial *trial)
{
    otapult_lock(o);
    bool mine = o->pending && !o->deciding;
    if (mine)
        o->deciding = true;
    otapult_unlock(o);
    if (mine)
        describe_running(o, trial);
    return mine;
}

static void end_decision(struct otapult *o, bool pending)
{
    otapult_lock(o);
    o->deciding = false;
    o->pending = pending;
    otapult_unlock(o);
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

/* What is about to be written goes to the store first, for the next start. */
static void note_decision(struct otapult *o, struct otapult_trial *trial, enum otapult_verdict verdict)
{
    trial->verdict = (uint8_t)verdict;
    if (otapult_trial_save(o->port, trial) != 0)
        otapult_log(o, verdict == OTAPULT_TRIAL_PASSED ? "the store failed before the confirmation"
                                                       : "the store failed before the rejection");
}

int otapult_confirm_by(struct otapult *o, const char *by)
{
    struct otapult_trial trial;

    if (!take_decision(o, &trial))
        return OTAPULT_E_NOT_PENDING;
    note_decision(o, &trial, OTAPULT_TRIAL_PASSED);
    int err = write_decision(o, o->port->confirm, OTAPULT_STATE_VALID);
    if (err == 0) {
        if (o->config.secure != NULL)
            o->config.secure->confirmed(o);
        otapult_note_by(o, OTAPULT_EV_CONFIRMED, trial.slot, &trial, NULL, NULL, by);
        otapult_trial_clear(o->port);
        otapult_refresh_slots(o);
    }
    end_decision(o, err != 0); /* last: then an update may begin, whose trial must not be the one cleared */
    return err;
}

int otapult_confirm(struct otapult *o)
{
    return otapult_confirm_by(o, NULL);
}

/* Behind what happened: to which check, and its own words if it has any. */
static void put_cause(struct otapult_text *t, const char *name, const char *why)
{
    otapult_text_str(t, " \"");
    otapult_text_str(t, name);
    otapult_text_str(t, why[0] != '\0' ? "\": " : "\"");
    otapult_text_str(t, why);
}

/* The running firmware goes, and the previous one returns at the restart, which is the caller's. Until then
 * the decision stays taken: an upload that began now would overwrite the way back. */
static int reject(struct otapult *o, const char *what, const char *name, const char *why)
{
    struct otapult_trial trial;
    struct otapult_text t;

    if (!take_decision(o, &trial))
        return OTAPULT_E_NOT_PENDING;
    otapult_text_init(&t, trial.text, sizeof trial.text);
    otapult_text_str(&t, what);
    if (name != NULL)
        put_cause(&t, name, why);
    note_decision(o, &trial, OTAPULT_TRIAL_REJECTED);
    int err = write_decision(o, o->port->reject, OTAPULT_STATE_INVALID);
    if (err == 0)
        otapult_log(o, trial.text);
    else
        end_decision(o, true);
    return err;
}

/* Ends what has claimed the device, or the life of the firmware. */
static void end_claim(struct otapult *o, bool restart)
{
    otapult_lock(o);
    if (restart)
        otapult_restart_soon(o);
    else if (o->phase == OTAPULT_VERIFYING)
        o->phase = OTAPULT_IDLE;
    otapult_unlock(o);
}

static void ask_again_later(struct otapult *o)
{
    otapult_log(o, "there is nothing to go back to: the firmware keeps running");
    otapult_lock(o);
    o->pending_since_ms = otapult_now(o);
    otapult_unlock(o);
}

static void reject_for(struct otapult *o, const char *what, const char *name, const char *why)
{
    if (reject(o, what, name, why) != 0) {
        ask_again_later(o);
        return;
    }
    otapult_hold(o, true);
    end_claim(o, true);
}

/* true: this check has been decided, one way or the other, and the next may be asked. */
static bool probe(struct otapult *o, size_t i)
{
    const struct otapult_health_check *check = &o->config.checks[i];
    char why[48];

    if (o->passed & 1u << i)
        return true;
    why[0] = '\0';
    switch (check->probe(o->config.app, why, sizeof why)) {
    case OTAPULT_HEALTH_PASS:
        otapult_lock(o);
        o->passed |= 1u << i;
        otapult_unlock(o);
        return true;
    case OTAPULT_HEALTH_FAIL: reject_for(o, "health check", check->name, why); return false;
    case OTAPULT_HEALTH_WAIT: break;
    }
    return false;
}

static bool all_pass(struct otapult *o)
{
    bool all = o->config.check_count > 0;

    for (size_t i = 0; i < o->config.check_count && is_pending(o); i++)
        all = probe(o, i) && all;
    return all && is_pending(o);
}

static void check_deadline(struct otapult *o)
{
    struct otapult_status s;

    otapult_status(o, &s);
    if (!is_pending(o) || s.confirm_left_ms > 0)
        return;
    reject_for(o, "deadline passed, waiting for", s.waiting_for[0] != '\0' ? s.waiting_for : "confirmation",
               "");
}

void otapult_poll_health(struct otapult *o)
{
    if (!is_pending(o))
        return;
    if (!all_pass(o))
        check_deadline(o);
    else if (otapult_confirm(o) != 0)
        otapult_log(o, "the confirmation could not be written");
}

/* ---- going back, restarting ---- */

/* Takes the device for something that ends in a restart, and has the application hold still. */
static int claim_restart(struct otapult *o, struct otapult_finding *why)
{
    int err = 0;

    *why = (struct otapult_finding){0};
    otapult_lock(o);
    if (o->phase == OTAPULT_REBOOTING)
        err = OTAPULT_E_REBOOTING;
    else if (o->phase != OTAPULT_IDLE) {
        why->got = o->received;
        why->want = o->total;
        err = OTAPULT_E_BUSY;
    } else {
        o->phase = OTAPULT_VERIFYING;
    }
    otapult_unlock(o);
    if (err != 0)
        return err;
    err = otapult_ask_ready(o, why);
    if (err == 0)
        otapult_hold(o, true);
    else
        end_claim(o, false);
    return err;
}

int otapult_restart(struct otapult *o, struct otapult_finding *why)
{
    int err = claim_restart(o, why);

    if (err == 0)
        end_claim(o, true);
    return err;
}

static int no_rollback(struct otapult_finding *why, const char *text)
{
    *why = (struct otapult_finding){.text = text};
    return OTAPULT_E_NO_ROLLBACK;
}

static const struct {
    int err;
    const char *text;
} unfit[] = {
    {OTAPULT_E_SIGNATURE_WRONG, "the other slot's image is not signed by a trusted key"},
    {OTAPULT_E_IMAGE_TRAILING, "the other slot's image is not signed by a trusted key"},
    {OTAPULT_E_IMAGE_SECURITY_VERSION, "the other slot's image has a security version that is too low"},
};

static int verify_target(struct otapult *o, int index, struct otapult_finding *why)
{
    int err = otapult_verify(o, index, why);

    if (err == 0 || err == OTAPULT_E_LOCKED)
        return err;
    if (o->session.judge.inspect.err != err)
        return err; /* not the image is wrong: flash could not be read */
    const char *text = "the other slot holds no whole image";
    for (size_t i = 0; i < sizeof unfit / sizeof *unfit; i++)
        if (unfit[i].err == err)
            text = unfit[i].text;
    return no_rollback(why, text);
}

static int other_slot(const struct otapult_slots *slots)
{
    if (!slots->ota_data)
        return OTAPULT_SLOT_NONE;
    if (slots->next != OTAPULT_SLOT_NONE)
        return slots->next;
    bool factory = slots->factory && slots->running != OTAPULT_SLOT_FACTORY;
    return factory ? OTAPULT_SLOT_FACTORY : OTAPULT_SLOT_NONE;
}

static int go_to_other(struct otapult *o, const char *by, struct otapult_finding *why)
{
    const struct otapult_image_info *info = &o->session.judge.inspect.info;
    struct otapult_trial trial;

    otapult_lock(o);
    int target = other_slot(&o->slots);
    otapult_unlock(o);
    if (o->slots_error != 0)
        return o->slots_error;
    if (target == OTAPULT_SLOT_NONE)
        return no_rollback(why, "there is no other slot");
    int err = verify_target(o, target, why);
    if (err != 0)
        return err;
    otapult_describe(&trial, target, &info->desc, info->size);
    err = otapult_arm(o, &trial);
    if (err == 0)
        otapult_note_by(o, OTAPULT_EV_ROLLED_BACK, target, &trial, NULL, NULL, by);
    return err;
}

int otapult_rollback_by(struct otapult *o, const char *by, struct otapult_finding *why)
{
    int err = claim_restart(o, why);
    if (err != 0)
        return err;

    err = is_pending(o) ? reject(o, "rolled back by request", NULL, NULL) : go_to_other(o, by, why);
    if (err != 0)
        otapult_hold(o, false);
    end_claim(o, err == 0);
    otapult_refresh_slots(o);
    return err;
}

int otapult_rollback(struct otapult *o, struct otapult_finding *why)
{
    return otapult_rollback_by(o, NULL, why);
}

/* ---- what the last boot means ---- */

static bool is_in_table(const struct otapult_slots *slots, int index)
{
    return index == OTAPULT_SLOT_FACTORY ? slots->factory : index >= 0 && index < slots->count;
}

/* 0, or the error of the slot, which should be there and cannot be read: then nothing is known of it. */
static int evidence_of(struct otapult *o, const struct otapult_trial *trial, struct otapult_evidence *e)
{
    struct otapult_slot slot;
    struct otapult_app_desc desc;
    char build[OTAPULT_BUILD_ID_CHARS + 1];
    bool found;

    int err = otapult_slot_row(o, trial->slot, &slot);
    if (err == 0)
        err = otapult_slot_desc(o, trial->slot, &desc, &found);
    if (err != 0)
        return err;
    otapult_build_id(&desc, build);
    bool same = strcmp(build, trial->build) == 0;
    e->runs_it = o->slots.running == trial->slot && same;
    e->boot_is_it = o->slots.boot == trial->slot && o->slots.running != trial->slot;
    e->state = slot.state;
    e->verdict = (enum otapult_verdict)trial->verdict;
    e->reset = o->port->reset_reason(o->port->ctx);
    e->tries_left = same && trial->tries <= o->config.max_retries;
    return 0;
}

/* Power was lost during the trial: the image gets another. false: it cannot. */
static bool try_again(struct otapult *o, struct otapult_trial *trial)
{
    struct otapult_finding why;

    if (otapult_verify(o, trial->slot, &why) != 0)
        return false;
    trial->verdict = OTAPULT_TRIAL_WRITTEN;
    trial->text[0] = '\0';
    if (otapult_trial_save(o->port, trial) != 0) /* without a count of tries this might never end */
        return false;
    otapult_note(o, OTAPULT_EV_POWER_LOST, trial->slot, trial, NULL, "power was lost; trying again");
    if (otapult_arm(o, trial) != 0)
        return false;
    otapult_lock(o);
    o->restart_at_ms = otapult_now(o);
    o->phase = OTAPULT_REBOOTING;
    otapult_unlock(o);
    return true;
}

static const char *reset_word(enum otapult_reset reset)
{
    static const char *const words[] = {
        [OTAPULT_RESET_POWER] = "power was lost",
        [OTAPULT_RESET_SOFTWARE] = "it restarted itself before its confirmation",
        [OTAPULT_RESET_CRASH] = "it crashed before its confirmation",
        [OTAPULT_RESET_WATCHDOG] = "the watchdog reset it before its confirmation",
        [OTAPULT_RESET_OTHER] = "it was reset before its confirmation",
    };
    return (unsigned)reset <= OTAPULT_RESET_OTHER ? words[reset] : words[OTAPULT_RESET_OTHER];
}

/* The bootloader runs another slot than OTA data names. Left so, a later confirmation would confirm the
 * broken slot, and an update would overwrite the record of the good one. */
static void repair_choice(struct otapult *o)
{
    bool fell_back = o->slots.boot >= 0 && o->slots.running >= 0 && o->slots.boot != o->slots.running;

    if (!fell_back || o->slots_error != 0 || o->phase == OTAPULT_REBOOTING)
        return;
    if (o->port->activate(o->port->ctx, o->slots.running) != 0)
        otapult_log(o, "OTA data names a slot that does not load, and could not be changed");
    otapult_refresh_slots(o);
}

static const struct {
    enum otapult_event event;
    const char *text; /* NULL: the trial's own, or the reset's */
} fate_entries[] = {
    [OTAPULT_FATE_CONFIRMED] = {OTAPULT_EV_CONFIRMED, ""},
    [OTAPULT_FATE_NOT_LOADED] = {OTAPULT_EV_NOT_LOADED, "the bootloader could not load it"},
    [OTAPULT_FATE_REJECTED] = {OTAPULT_EV_REJECTED, NULL},
    [OTAPULT_FATE_CRASHED] = {OTAPULT_EV_CRASHED, NULL},
    [OTAPULT_FATE_GAVE_UP] = {OTAPULT_EV_GAVE_UP, "power was lost in every trial"},
    [OTAPULT_FATE_POWER_LOST] = {OTAPULT_EV_GAVE_UP, "power was lost; it could not be tried again"},
};

static void note_fate(struct otapult *o, const struct otapult_trial *trial, enum otapult_fate fate,
                      enum otapult_reset reset)
{
    const char *text = fate_entries[fate].text;

    if (fate_entries[fate].event == OTAPULT_EV_NONE)
        return;
    if (text == NULL)
        text = fate == OTAPULT_FATE_REJECTED ? trial->text : reset_word(reset);
    otapult_note(o, fate_entries[fate].event, trial->slot, trial, NULL, text);
}

/* 0, or the error for which it must be asked again. */
static int conclude_trial(struct otapult *o, struct otapult_trial *trial)
{
    struct otapult_evidence e;
    /* Another table or another image by USB: nothing can be said of this one any more. */
    enum otapult_fate fate = OTAPULT_FATE_STALE;

    e.reset = OTAPULT_RESET_OTHER;
    if (is_in_table(&o->slots, trial->slot)) {
        int err = evidence_of(o, trial, &e);
        if (err != 0)
            return err;
        if (o->slots.running != trial->slot || e.runs_it)
            fate = otapult_trial_fate(&e);
    }
    if (fate == OTAPULT_FATE_RUNS)
        return 0;
    if (fate == OTAPULT_FATE_POWER_LOST && try_again(o, trial))
        return 0;
    note_fate(o, trial, fate, e.reset);
    if (fate == OTAPULT_FATE_CONFIRMED && o->config.secure != NULL)
        o->config.secure->settle(o, true);
    otapult_trial_clear(o->port);
    return 0;
}

/* Is the running firmware one that waits for its confirmation? */
static int find_pending(struct otapult *o)
{
    struct otapult_slot running;
    int err = 0;

    running.state = OTAPULT_STATE_NONE;
    if (is_in_table(&o->slots, o->slots.running))
        err = otapult_slot_row(o, o->slots.running, &running);
    if (err != 0)
        return err;
    /* NEW although it runs: a bootloader without rollback. The checks decide all the same. */
    bool pending = o->slots.boot == o->slots.running &&
                   (running.state == OTAPULT_STATE_PENDING_VERIFY || running.state == OTAPULT_STATE_NEW);
    otapult_lock(o);
    if (pending && !o->pending)
        o->pending_since_ms = otapult_now(o);
    o->pending = pending;
    otapult_unlock(o);
    if (!pending && o->config.secure != NULL)
        o->config.secure->settle(o, false);
    return 0;
}

void otapult_resolve_boot(struct otapult *o)
{
    struct otapult_trial trial;

    otapult_refresh_slots(o);
    if (o->slots_error != 0)
        return;
    int err = otapult_trial_load(o->port, &trial) ? conclude_trial(o, &trial) : 0;
    if (err == 0)
        repair_choice(o);
    int pending_err = find_pending(o); /* the health checks do not wait for the journal */
    err = err != 0 ? err : pending_err;
    if (err != 0)
        otapult_slots_failed(o, err);
    o->resolved = o->slots_error == 0;
}

void otapult_poll_slots(struct otapult *o)
{
    otapult_lock(o);
    bool again = o->slots_error != 0 && o->phase == OTAPULT_IDLE;
    if (again)
        o->phase = OTAPULT_VERIFYING; /* nobody else gets in meanwhile */
    otapult_unlock(o);
    if (!again)
        return;
    if (o->resolved)
        otapult_refresh_slots(o);
    else
        otapult_resolve_boot(o);
    end_claim(o, false);
}
