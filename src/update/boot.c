/* SPDX-License-Identifier: Apache-2.0 */
#include "update/boot.h"

#include <string.h>

#include "update/arm.h"
#include "update/claim.h"
#include "update/guard.h"
#include "update/known.h"
#include "update/slot_image.h"
#include "update/staged.h"

/* What did the last boot mean? The firmware that crashed cannot tell, and the one that runs now may be
 * another. So it is concluded from three things: the trial's note in the store, OTA data, and the reason of
 * the reset. The table is in trial.c; here the evidence is collected and the conclusion acted upon.
 *
 * It runs at start, before any request, and again from poll() while a slot cannot be read; always with the
 * claim. */

/* ---- the trial's fate ---- */

/* A note about a slot that the partition table no longer has says nothing. */
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
    /* The build id tells whether the slot still holds the image of the trial: a later image must not inherit
     * the verdict on an earlier one. */
    *e = (struct otapult_evidence){
        .runs_it = o->slots.running == trial->slot && same,
        .boot_is_it = o->slots.boot == trial->slot && o->slots.running != trial->slot,
        .state = slot.state,
        .verdict = (enum otapult_verdict)trial->verdict,
        .reset = o->reset,
        .tries_left = same && trial->tries <= o->config.max_retries,
    };
    return 0;
}

/* Power was lost during the trial: the image gets another. The slot is read first, because a power cut is
 * also what tears flash. false: it cannot be tried again. */
static bool try_again(struct otapult *o, struct otapult_trial *trial)
{
    struct otapult_finding why;

    if (otapult_check_image(o, trial->slot, &why, NULL) != 0)
        return false;
    if (otapult_trial_save(o->port, trial) != 0) /* without a count of tries this might never end */
        return false;
    otapult_note(o, OTAPULT_EV_POWER_LOST, trial->slot, trial, NULL, "power was lost; trying again", NULL);
    if (otapult_arm(o, trial, &why) != 0)
        return false;
    otapult_restart_in(o, 0, "the new firmware is tried again"); /* nobody waits for an answer */
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

    if (!fell_back || o->slots_error != 0 || o->restarting)
        return;
    if (o->port->activate(o->port->ctx, o->slots.running) != 0)
        otapult_log(o, OTAPULT_LOG_ERROR,
                    "OTA data names a slot that does not load, and could not be changed");
    otapult_refresh_slots(o);
}

static const struct {
    enum otapult_event event;
    const char *text; /* NULL: what the trial itself noted, or the cause of the reset */
    bool failed;      /* the build is to blame, and not the power */
} fate_entries[] = {
    [OTAPULT_FATE_CONFIRMED] = {OTAPULT_EV_CONFIRMED, "", false},
    [OTAPULT_FATE_NOT_LOADED] = {OTAPULT_EV_NOT_LOADED, "the bootloader could not load it", true},
    [OTAPULT_FATE_REJECTED] = {OTAPULT_EV_REJECTED, NULL, true},
    [OTAPULT_FATE_CRASHED] = {OTAPULT_EV_CRASHED, NULL, true},
    [OTAPULT_FATE_GAVE_UP] = {OTAPULT_EV_GAVE_UP, "power was lost in every trial", false},
    [OTAPULT_FATE_POWER_LOST] = {OTAPULT_EV_GAVE_UP, "power was lost; it could not be tried again", false},
};

static void note_fate(struct otapult *o, const struct otapult_trial *trial, enum otapult_fate fate,
                      enum otapult_reset reset)
{
    const char *text = fate_entries[fate].text;

    if (fate_entries[fate].event == OTAPULT_EV_NONE)
        return;
    if (text == NULL)
        text = fate == OTAPULT_FATE_REJECTED ? trial->text : reset_word(reset);
    otapult_note(o, fate_entries[fate].event, trial->slot, trial, NULL, text, NULL);
    if (fate_entries[fate].failed)
        otapult_remember_failure(o->port, trial->build);
}

/* The fate of the trial. STALE where the table of slots has changed, or another image came into the slot by
 * USB: then the note says nothing any more. 0, or the error of the port, and then it must be asked again. */
static int find_fate(struct otapult *o, const struct otapult_trial *trial, struct otapult_evidence *e,
                     enum otapult_fate *fate)
{
    *fate = OTAPULT_FATE_STALE;
    if (!is_in_table(&o->slots, trial->slot))
        return 0;
    int err = evidence_of(o, trial, e);
    if (err != 0)
        return err;
    if (o->slots.running != trial->slot || e->runs_it)
        *fate = otapult_trial_fate(e);
    return 0;
}

/* 0, or the error for which it must be asked again. */
static int conclude_trial(struct otapult *o, struct otapult_trial *trial)
{
    struct otapult_evidence e = {.reset = OTAPULT_RESET_OTHER};
    enum otapult_fate fate;

    int err = find_fate(o, trial, &e, &fate);
    if (err != 0 || fate == OTAPULT_FATE_RUNS)
        return err;
    if (fate == OTAPULT_FATE_POWER_LOST && try_again(o, trial))
        return 0;
    note_fate(o, trial, fate, e.reset);
    if (fate == OTAPULT_FATE_CONFIRMED && o->keys != NULL)
        o->keys->settle(o, true);
    otapult_trial_clear(o->port);
    return 0;
}

/* ---- what runs ---- */

/* Is the running firmware one that waits for its confirmation? */
static int find_pending(struct otapult *o)
{
    struct otapult_slot running = {.state = OTAPULT_STATE_NONE};
    int err = 0;

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
    if (!pending && o->keys != NULL)
        o->keys->settle(o, false);
    return 0;
}

/* The fate of the trial comes first: it needs OTA data as the bootloader left it. Then the choice is
 * repaired, which changes OTA data. Whether the running firmware is pending is read last, and always: a
 * firmware that nobody watches would stay for ever. */
static void resolve(struct otapult *o)
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
    if (!o->resolved)
        return;
    otapult_load_staged(o);
    if (o->resume != NULL)
        o->resume->start(o);
    otapult_guard_decide(o);
}

void otapult_resolve_boot(struct otapult *o)
{
    struct otapult_finding why;

    if (otapult_take(o, OTAPULT_FOR_SLOTS, NULL, &why) != 0)
        return; /* never so at start: no request has come yet */
    resolve(o);
    otapult_give_back(o);
}

void otapult_poll_slots(struct otapult *o)
{
    struct otapult_finding why;

    otapult_lock(o);
    bool failed = o->slots_error != 0 || o->look_again;
    otapult_unlock(o);
    if (!failed || otapult_take(o, OTAPULT_FOR_SLOTS, NULL, &why) != 0)
        return; /* what is under way comes first; the next poll asks again */
    if (o->resolved)
        otapult_refresh_slots(o);
    else
        resolve(o);
    otapult_give_back(o);
}
