/* SPDX-License-Identifier: Apache-2.0 */
#include "update/upload.h"

#include <string.h>

#include "base/text.h"
#include "update/arm.h"
#include "update/claim.h"
#include "update/intake.h"
#include "update/known.h"
#include "update/outcome.h"
#include "update/report.h"
#include "update/slot_image.h"
#include "update/staged.h"
#include "update/ticket.h"

/* One file from begin to finish. Its client is somewhere on a network: it may fall silent, come twice, or be
 * ended by somebody else between any two calls. So nothing here belongs to the client but a ticket, and every
 * call asks first whether the ticket still counts (ticket.c). The claim is held from begin to one of the two
 * ends, and each end gives it back exactly once: end_well(), or end_badly(), which also poll() calls.
 *
 * What the bytes are is not asked here but by the session, behind intake.c. */

/* ---- begin ---- */

bool otapult_has_failed_here(const struct otapult *o, const char *build)
{
    return otapult_has_failed(o->port, build);
}

uint32_t otapult_next_slot_size(struct otapult *o)
{
    struct otapult_slot slot;

    otapult_lock(o);
    int next = o->claim == OTAPULT_FREE ? o->slots.next : OTAPULT_SLOT_NONE;
    otapult_unlock(o);
    return next != OTAPULT_SLOT_NONE && otapult_slot_row(o, next, &slot) == 0 ? slot.size : 0;
}

/* Under lock. What waits to be started has no first bytes yet, and counts all the same. */
static bool holds_image(const struct otapult *o, int index)
{
    if (o->staged.id != 0 && o->staged.slot == index)
        return true;
    for (unsigned n = 0; n < o->seen_count; n++)
        if (o->seen[n].index == index)
            return o->seen[n].has_image;
    return false;
}

/* Under lock. */
static void begin_counting(struct otapult *o)
{
    o->target = o->slots.next;
    o->had_image = holds_image(o, o->target);
    o->received = o->written = 0;
    o->total = OTAPULT_SIZE_UNKNOWN;
}

/* The claim is asked for first, then what forbids every update: a client that only has to wait for another
 * task is told to wait, and not that something is broken which that task may be mending. */
static int take_device(struct otapult *o, const char *by, uint32_t *ticket, struct otapult_finding *why)
{
    otapult_lock(o);
    int err = otapult_take_locked(o, OTAPULT_FOR_UPLOAD, by, why);
    if (err == 0) {
        err = otapult_arm_refusal(o, why);
        if (err != 0) {
            otapult_give_back_locked(o); /* before anybody could see it */
        } else {
            *ticket = otapult_give_ticket(o);
            begin_counting(o);
        }
    }
    otapult_unlock(o);
    return err;
}

/* Refuses a build that has failed on this device, and one of another project where config.same_project is
 * set. */
static int refuse_build(struct otapult *o, const struct otapult_app_desc *desc, struct otapult_finding *why)
{
    struct otapult_app_desc running;
    char build[OTAPULT_BUILD_ID_CHARS + 1];

    otapult_build_id(desc, build);
    if (otapult_has_failed(o->port, build)) {
        otapult_text_set(o->refused, sizeof o->refused, build);
        *why = (struct otapult_finding){.text = o->refused};
        return OTAPULT_E_BUILD_REJECTED;
    }
    if (o->config.same_project && otapult_running_desc(o, &running) &&
        strcmp(running.project, desc->project) != 0) {
        otapult_text_set(o->refused, sizeof o->refused, running.project);
        *why = (struct otapult_finding){.text = o->refused};
        return OTAPULT_E_OTHER_PROJECT;
    }
    return 0;
}

/* Before the slot is written to: what was staged there, or half sent, is gone then, and must not be spoken of
 * any more. */
static void clear_slot(struct otapult *o)
{
    otapult_unstage(o);
    if (o->resume != NULL)
        o->resume->erasing(o);
}

static int begin_writing(void *ctx, struct otapult_finding *why)
{
    struct otapult *o = ctx;

    clear_slot(o);
    return otapult_go_on(o, why);
}

/* The last word on the head of an image: with 0 it is accepted, and the slot is erased for it, unless it is
 * so far what runs. */
static int meet(void *ctx, const struct otapult_app_desc *desc, struct otapult_finding *why)
{
    struct otapult *o = ctx;

    if (o->misnamed)
        return OTAPULT_E_FILE_NAME;
    int err = o->force ? 0 : refuse_build(o, desc, why);
    if (err == 0 && !o->session.same.on)
        clear_slot(o);
    return err;
}

static int open_target(struct otapult *o, uint32_t size, const struct otapult_update_options *options,
                       struct otapult_finding *why)
{
    struct otapult_flash flash;

    int err = otapult_keep_off_running(o, o->target, why);
    if (err == 0)
        err = o->port->open(o->port->ctx, o->target, &flash);
    if (err != 0)
        return err;
    if (size != OTAPULT_SIZE_UNKNOWN && size > flash.size) {
        *why = (struct otapult_finding){.got = size, .want = flash.size};
        return OTAPULT_E_IMAGE_TOO_LARGE;
    }
    otapult_set_limits(o, flash.size, true);
    otapult_limit_age(o, options);
    o->limits.meet = meet;
    o->limits.meet_ctx = o;
    otapult_intake_init(o, &flash, size);
    o->session.expected = options->sha256;
    return o->force ? 0 : otapult_intake_compare(o, begin_writing);
}

/* Ticket, outcome and claim end under one lock: nobody may find the device free and this update still
 * running. */
static void end_update(struct otapult *o, int err, const struct otapult_finding *why)
{
    if (o->resume != NULL)
        o->resume->ended(o, err);
    otapult_lock(o);
    if (o->ticket != 0)
        otapult_end_ticket(o, err, why);
    otapult_outcome_ends(o);
    o->verifying = o->resumable = false;
    otapult_give_back_locked(o);
    otapult_unlock(o);
}

/* The update could not begin. The caller tells its client why, and the last update stays the one that ran
 * before. */
static void give_up(struct otapult *o)
{
    otapult_lock(o);
    otapult_drop_ticket(o);
    otapult_give_back_locked(o);
    otapult_unlock(o);
}

static int begin(struct otapult *o, const char *by, const struct otapult_update_options *options,
                 uint32_t size, uint32_t *ticket, struct otapult_finding *why)
{
    uint32_t id = otapult_update_id(o, options);

    int err = take_device(o, by, ticket, why);
    if (err != 0)
        return err;
    o->force = options->force;
    o->later = options->later;
    err = otapult_ask_ready(o, why);
    if (err == 0)
        err = open_target(o, size, options, why);
    if (err != 0) {
        *ticket = 0;
        give_up(o);
        return err;
    }
    otapult_hold(o, true);
    otapult_lock(o);
    o->own_pace = options->own_pace;
    o->total = size;
    otapult_outcome_begins(o, id);
    otapult_unlock(o);
    otapult_report_begin(o->port, size, by);
    otapult_leave(o);
    return 0;
}

/* An attempt of a client that has lost its connection. */
struct lost {
    uint32_t ticket; /* 0: there is none */
    uint32_t received;
    struct otapult_pace pace;
};

static void find_lost(struct otapult *o, uint32_t id, const char *by, struct lost *out)
{
    otapult_lock(o);
    const bool same = o->update.id == id && strcmp(o->by, by != NULL ? by : "") == 0;
    *out = (struct lost){.ticket = same ? o->ticket : 0, .received = o->received, .pace = o->pace};
    otapult_unlock(o);
}

/* Where an update of the same id still runs, its client has lost the connection and asks again: the old one
 * is ended. Two different clients may have the same id by chance, so `by` has to be the same, too. */
static void end_lost(struct otapult *o, uint32_t id, const char *by, struct lost *out)
{
    find_lost(o, id, by, out);
    const struct otapult_finding came = {.got = out->received};
    if (out->ticket != 0)
        otapult_cancel(o, out->ticket, OTAPULT_E_CONNECTION_LOST, &came);
}

static int begin_again(struct otapult *o, const char *by, const struct otapult_update_options *options,
                       uint32_t size, const struct lost *lost, uint32_t *ticket, struct otapult_finding *why)
{
    int err = begin(o, by, options, size, ticket, why);

    if (err != 0 || lost->ticket == 0)
        return err;
    otapult_lock(o);
    otapult_pace_again(&o->pace, &lost->pace, lost->received);
    otapult_unlock(o);
    return 0;
}

/* Whether the same was asked for before is looked at first: the device may be about to restart into what came
 * of it, and then begin() would only say REBOOTING. */
int otapult_begin_by(struct otapult *o, const char *by, const struct otapult_update_options *options,
                     uint32_t size, uint32_t *ticket, struct otapult_update *past,
                     struct otapult_finding *why)
{
    struct otapult_update nobody_asks;
    struct lost lost;

    if (past == NULL)
        past = &nobody_asks;
    *ticket = 0;
    *why = (struct otapult_finding){0};
    end_lost(o, options->id, by, &lost);
    int err = otapult_recall(o, options, past, why);
    if (err == 0 && past->id == 0)
        err = begin_again(o, by, options, size, &lost, ticket, why);
    if (err != 0)
        otapult_report_refusal(o->port, "update", err, why, size, by);
    return err;
}

void otapult_tell_refusal(struct otapult *o, const char *by, int err, const struct otapult_finding *why,
                          uint32_t size)
{
    otapult_report_refusal(o->port, "update", err, why, size, by);
}

int otapult_begin_with(struct otapult *o, const struct otapult_update_options *options, uint32_t size,
                       uint32_t *ticket, struct otapult_update *past, struct otapult_finding *why)
{
    return otapult_begin_by(o, NULL, options, size, ticket, past, why);
}

int otapult_begin(struct otapult *o, uint32_t size, uint32_t *ticket, struct otapult_finding *why)
{
    static const struct otapult_update_options plain;

    return otapult_begin_by(o, NULL, &plain, size, ticket, NULL, why);
}

int otapult_begin_download(struct otapult *o, const char *by, const struct otapult_update_options *options,
                           struct otapult_download *d, uint32_t *ticket, struct otapult_finding *why)
{
    d->at = 0;
    d->hashed = true;
    otapult_sha256_init(d->sha);
    return o->resume != NULL ? o->resume->download(o, by, options, d, ticket, why)
                             : otapult_begin_by(o, by, options, d->size, ticket, NULL, why);
}

/* ---- a bad end ---- */

static void note_refusal(struct otapult *o, int err, const struct otapult_finding *why)
{
    const struct otapult_inspect *in = &o->session.judge.inspect;
    struct otapult_trial trial = {.size = in->info.size};
    char detail[80];

    if (otapult_judge_accepted(&o->session.judge))
        otapult_describe(&trial, o->target, &in->info.desc, in->info.size);
    otapult_detail(err, why, NULL, detail, sizeof detail);
    otapult_note(o, OTAPULT_EV_REFUSED, o->target, &trial, otapult_error_row(err)->code, detail, o->by);
    otapult_report_refusal(o->port, "update", err, why,
                           o->total != OTAPULT_SIZE_UNKNOWN ? o->total : o->received, o->by);
}

/* Called by the client's own call, inside, or by a task that has taken the ticket away. The journal is
 * written first, while the claim is still held: the session's memory describes what was refused. The
 * application may move before the device is free, or the next update's hold(true) could come before this
 * hold(false). */
static int end_badly(struct otapult *o, int err, const struct otapult_finding *why)
{
    note_refusal(o, err, why);
    otapult_refresh_written(o, o->target, NULL); /* it may be empty now */
    otapult_hold(o, false);
    end_update(o, err, why);
    return err;
}

/* The ticket is taken away first, so that a client which asks while the journal is being written is told the
 * end. */
void otapult_cancel(struct otapult *o, uint32_t ticket, int err, const struct otapult_finding *why)
{
    otapult_lock(o);
    const bool mine = ticket != 0 && ticket == o->ticket && !o->inside;
    if (mine)
        otapult_end_ticket(o, err, why);
    otapult_unlock(o);
    if (mine)
        (void)end_badly(o, err, why);
}

/* ---- an end by somebody else ---- */

/* Under lock, between two calls of the client. */
static int reason_to_end(struct otapult *o, struct otapult_finding *why)
{
    const uint32_t now = otapult_now(o);

    if (!o->ending && o->own_pace)
        return 0;
    if (!o->ending && o->resumable)
        return otapult_pace_check_resumable(&o->pace, &o->config, now, o->received, why);
    if (!o->ending)
        return otapult_pace_check(&o->pace, &o->config, now, o->received, why);
    *why = (struct otapult_finding){.text = o->ended_by};
    return OTAPULT_E_UPLOAD_ENDED;
}

void otapult_poll_upload(struct otapult *o)
{
    struct otapult_finding why;

    otapult_lock(o);
    int err = o->ticket != 0 && !o->inside ? reason_to_end(o, &why) : 0;
    if (err != 0) /* the claim is still taken: nobody begins before the end below */
        otapult_end_ticket(o, err, &why);
    otapult_unlock(o);
    if (err != 0)
        (void)end_badly(o, err, &why);
}

/* Under lock. Can the update that runs still be ended? */
static int refuse_end(const struct otapult *o, struct otapult_finding *why)
{
    if (o->restarting)
        return OTAPULT_E_REBOOTING;
    if (o->claim == OTAPULT_FREE)
        return OTAPULT_E_NO_UPDATE;
    bool open = o->claim == OTAPULT_FOR_UPLOAD && o->ticket != 0 && !o->settled;
    *why = (struct otapult_finding){.at = o->claim, .got = o->received, .want = o->total};
    return open ? 0 : OTAPULT_E_BUSY;
}

/* The ticket is taken away as from a client that stalls. A client that is inside finds out by itself. */
int otapult_end_locked(struct otapult *o, const char *by, bool *mine, struct otapult_finding *why)
{
    int err = refuse_end(o, why);

    *mine = err == 0 && !o->ending && !o->inside;
    if (err == 0 && !o->ending)
        otapult_text_set(o->ended_by, sizeof o->ended_by, by != NULL ? by : "the device itself");
    if (err == 0)
        o->ending = true;
    if (*mine)
        otapult_end_ticket(o, OTAPULT_E_UPLOAD_ENDED, &(struct otapult_finding){.text = o->ended_by});
    return err;
}

void otapult_end_taken(struct otapult *o)
{
    const struct otapult_finding ended = {.text = o->ended_by};

    (void)end_badly(o, OTAPULT_E_UPLOAD_ENDED, &ended);
}

/* ticket 0: whichever runs. */
static int end_running(struct otapult *o, uint32_t ticket, const char *by, struct otapult_finding *why)
{
    bool mine = false;

    *why = (struct otapult_finding){0};
    otapult_lock(o);
    int err = ticket == 0 || ticket == o->ticket ? otapult_end_locked(o, by, &mine, why)
                                                 : OTAPULT_E_NO_UPDATE;
    otapult_unlock(o);
    if (mine)
        otapult_end_taken(o);
    return err;
}

int otapult_end_update_by(struct otapult *o, const char *by, struct otapult_finding *why)
{
    int err = end_running(o, 0, by, why);

    if (err != 0)
        otapult_report_refusal(o->port, "cancel", err, why, 0, by);
    return err;
}

int otapult_end_update_of(struct otapult *o, uint32_t ticket, const char *by, struct otapult_finding *why)
{
    return ticket != 0 ? end_running(o, ticket, by, why) : OTAPULT_E_NO_UPDATE;
}

int otapult_end_update(struct otapult *o, struct otapult_finding *why)
{
    return otapult_end_update_by(o, NULL, why);
}

void otapult_end_login(struct otapult *o, const char *by)
{
    struct otapult_finding why;
    bool mine = false;

    otapult_lock(o);
    if (o->resumable && !o->own_pace && (by == NULL || strcmp(by, o->upload.by) == 0) &&
        otapult_end_locked(o, "the end of its login", &mine, &why) != 0)
        mine = false; /* it is being activated, or has ended */
    otapult_unlock(o);
    if (mine)
        otapult_end_taken(o);
}

/* ---- bytes ---- */

int otapult_tell_file(struct otapult *o, uint32_t ticket, uint32_t least, uint32_t most, bool misnamed)
{
    int err = otapult_enter(o, ticket);

    if (err != 0)
        return err;
    o->least_length = least;
    o->most_length = most;
    o->misnamed = misnamed;
    otapult_leave(o);
    return 0;
}

int otapult_feed(struct otapult *o, uint32_t ticket, const uint8_t *data, size_t len,
                 struct otapult_finding *why)
{
    *why = (struct otapult_finding){0};
    int err = otapult_enter(o, ticket);
    if (err != 0)
        return err;

    err = otapult_intake_feed(o, data, len, why);
    if (err != 0)
        return end_badly(o, err, why);
    otapult_leave(o);
    return 0;
}

/* ---- the good end ---- */

static void set_verifying(struct otapult *o)
{
    otapult_lock(o);
    o->verifying = true;
    otapult_unlock(o);
}

/* Does flash hold what came, and is that an image to boot? */
static int prove(struct otapult *o, struct otapult_finding *why)
{
    int err = otapult_session_finish(&o->session);

    *why = o->session.why;
    return err;
}

/* Starts or stages the image that came and was proved. 0: *outcome says which. Where it is the firmware that
 * runs, nothing is to be done. */
static int use(struct otapult *o, enum otapult_outcome *outcome, struct otapult_finding *why)
{
    if (otapult_session_is_running(&o->session)) {
        *outcome = OTAPULT_UPDATE_ALREADY;
        otapult_log(o, OTAPULT_LOG_INFO, "the file is the running firmware: nothing was written");
        return 0;
    }
    *outcome = o->later ? OTAPULT_UPDATE_STAGED : OTAPULT_UPDATE_ACTIVATED;
    return o->later ? otapult_stage(o, o->target, o->by, why) : otapult_arm_session(o, o->target, o->by, why);
}

/* A staged slot is read again: it has no first bytes yet, so it is shown without an image. */
static void refresh(struct otapult *o, enum otapult_outcome outcome)
{
    const bool boots = outcome == OTAPULT_UPDATE_ACTIVATED;

    if (outcome != OTAPULT_UPDATE_ALREADY)
        otapult_refresh_written(o, o->target, boots ? &o->session.judge.inspect.info.desc : NULL);
}

/* The counters and the restart in this order: a reader that sees `rebooting` sees the final counters. Where
 * there is no restart the application may move again before the device is free, as after a bad end. */
static void end_well(struct otapult *o, enum otapult_outcome outcome, struct otapult_update *done)
{
    otapult_outcome_done(o, outcome);
    refresh(o, outcome);
    otapult_lock(o);
    otapult_count_bytes(o);
    o->total = o->received; /* where it was an upper bound */
    *done = o->update;      /* nobody else has begun one */
    otapult_unlock(o);
    if (outcome == OTAPULT_UPDATE_ACTIVATED)
        otapult_restart_in(o, o->config.restart_ms, "a new firmware");
    else
        otapult_hold(o, false);
    end_update(o, 0, &(struct otapult_finding){0});
}

int otapult_finish_with(struct otapult *o, uint32_t ticket, struct otapult_update *done,
                        struct otapult_finding *why)
{
    enum otapult_outcome outcome = OTAPULT_UPDATE_FAILED;

    *why = (struct otapult_finding){0};
    int err = otapult_enter(o, ticket);
    if (err != 0)
        return err;

    err = otapult_intake_finish(o, why);
    set_verifying(o);
    if (err == 0)
        err = prove(o, why);
    if (err == 0)
        err = otapult_settle(o, why);
    if (err == 0)
        err = use(o, &outcome, why);
    if (err != 0)
        return end_badly(o, err, why);
    end_well(o, outcome, done);
    return 0;
}

int otapult_finish(struct otapult *o, uint32_t ticket, const struct otapult_image_info **info,
                   struct otapult_finding *why)
{
    struct otapult_update done;

    int err = otapult_finish_with(o, ticket, &done, why);
    if (err == 0)
        *info = &o->session.judge.inspect.info;
    return err;
}
