/* SPDX-License-Identifier: Apache-2.0 */
#include "update/guard.h"

#include "base/text.h"
#include "update/back.h"
#include "update/claim.h"
#include "update/known.h"
#include "update/slot_image.h"
#include "update/way_back.h"

/* A firmware that was confirmed and crashes all the same: nothing else brings such a robot back. The count
 * has to survive the crash and cost no flash, so it lives in memory that a reset leaves alone. Only crashes
 * in a row count: a life that lasted, or that ended in a restart somebody meant, sets it back. */

#define MAGIC     0x4F544731u /* "OTG1": the layout of the words below */
#define ANNOUNCED 1u          /* the life ends in a restart that was meant */
#define LASTED    2u          /* it went on for longer than crash_window_ms */
#define COUNT_AT  8           /* above the flags: crashes in a row before this life */

/* word[0] is MAGIC, word[1] flags and count, word[2] the slot that ran. word[3] is made of the others: when
 * power comes, memory may hold anything, and must not look like a note. */
static uint32_t check_word(const struct otapult_retained *r)
{
    return ~(r->word[0] + 31 * (r->word[1] + 31 * r->word[2]));
}

static bool is_note(const struct otapult_retained *r)
{
    return r->word[0] == MAGIC && r->word[3] == check_word(r);
}

static void write_note(struct otapult *o, uint32_t flags)
{
    struct otapult_retained *r = o->port->retained;

    if (r == NULL)
        return;
    r->word[0] = MAGIC;
    r->word[1] = o->crashes << COUNT_AT | flags;
    r->word[2] = (uint32_t)o->slots.running;
    r->word[3] = check_word(r);
}

static bool is_crash(enum otapult_reset reset)
{
    return reset == OTAPULT_RESET_CRASH || reset == OTAPULT_RESET_WATCHDOG;
}

void otapult_guard_start(struct otapult *o)
{
    const struct otapult_retained *r = o->port->retained;

    o->reset = o->port->reset_reason(o->port->ctx);
    if (r == NULL || o->reset == OTAPULT_RESET_POWER || !is_note(r))
        return;
    /* A panic handler restarts the chip by software, too: what was not announced was no decision. */
    if (o->reset == OTAPULT_RESET_SOFTWARE && !(r->word[1] & ANNOUNCED))
        o->reset = OTAPULT_RESET_CRASH;
    if (is_crash(o->reset) && !(r->word[1] & LASTED))
        o->crashes = (r->word[1] >> COUNT_AT) + 1;
    o->crashed_slot = (int)r->word[2];
}

/* ---- what follows ---- */

/* Where to: an image that has proved itself on this device, and has not failed on it since; NONE: there is
 * none. */
static int proven_slot(struct otapult *o)
{
    struct otapult_way_back way;
    struct otapult_slot slot;

    otapult_lock(o);
    otapult_find_way_back(o, &way);
    otapult_unlock(o);
    if (way.slot == OTAPULT_SLOT_NONE || way.doubt != NULL || otapult_slot_row(o, way.slot, &slot) != 0)
        return OTAPULT_SLOT_NONE;
    bool proven = slot.state == OTAPULT_STATE_VALID || slot.state == OTAPULT_STATE_UNDEFINED;
    return proven ? way.slot : OTAPULT_SLOT_NONE;
}

static void note_loop(struct otapult *o, const char *then)
{
    struct otapult_app_desc desc;
    struct otapult_trial trial;
    struct otapult_text t;
    char text[80];

    (void)otapult_running_desc(o, &desc); /* all zeros where it cannot be read */
    otapult_describe(&trial, o->slots.running, &desc, 0);
    trial.tries = o->crashes > 255 ? 255 : (uint8_t)o->crashes;
    otapult_text_init(&t, text, sizeof text);
    otapult_text_dec(&t, o->crashes);
    otapult_text_str(&t, " crashes in a row; ");
    otapult_text_str(&t, then);
    otapult_note(o, OTAPULT_EV_CRASH_LOOP, trial.slot, &trial, NULL, text, NULL);
}

/* So that no source installs it again by itself. And before a way is looked for: in another slot the same
 * build would be confirmed, crash as well, and lead back here, for ever. */
static void remember_what_crashes(struct otapult *o)
{
    struct otapult_app_desc desc;
    char build[OTAPULT_BUILD_ID_CHARS + 1];

    if (!otapult_running_desc(o, &desc))
        return;
    otapult_build_id(&desc, build);
    otapult_remember_failure(o->port, build);
    otapult_refresh_failures(o);
}

/* Tried only when the count reaches the limit, not above it: a device in safe mode would otherwise read its
 * slots again after each crash. */
static bool leave_the_crashing(struct otapult *o)
{
    struct otapult_finding why;

    if (o->crashes != o->config.crash_limit)
        return false;
    remember_what_crashes(o);
    int other = proven_slot(o);
    if (other == OTAPULT_SLOT_NONE || otapult_go_to(o, other, &why) != 0)
        return false;
    note_loop(o, "the other slot's firmware boots instead");
    return true;
}

void otapult_guard_decide(struct otapult *o)
{
    if (o->crashed_slot != o->slots.running)
        o->crashes = 0; /* of another firmware, which does not run any more */
    bool tripped = o->config.crash_limit > 0 && o->crashes >= o->config.crash_limit && !o->restarting;
    if (tripped && leave_the_crashing(o)) {
        otapult_restart_in(o, 0, "the firmware kept crashing"); /* nobody waits for an answer */
    } else if (tripped) {
        o->safe_mode = true;
        if (o->crashes == o->config.crash_limit)
            note_loop(o, "safe mode");
        otapult_log(o, OTAPULT_LOG_ERROR, "safe mode: the firmware kept crashing");
    }
    write_note(o, 0);
}

void otapult_guard_poll(struct otapult *o)
{
    /* In safe mode the application does not run, so nothing is proved by its going well. */
    if (o->noted || o->safe_mode || otapult_now(o) < o->config.crash_window_ms)
        return;
    o->noted = true;
    write_note(o, LASTED);
}

void otapult_guard_announce(struct otapult *o)
{
    o->crashes = 0; /* somebody wants to go on from here */
    o->noted = true;
    write_note(o, ANNOUNCED);
}
