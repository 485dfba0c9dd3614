/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/text.h"
#include "update/device.h"

/* ---- tickets ---- */

static int error_of_old_ticket(const struct otapult *o, uint32_t ticket)
{
    return ticket == o->last_ticket && o->last_err != 0 ? o->last_err : OTAPULT_E_STALLED;
}

/* Under lock: what readers see of the session. */
static void count_bytes(struct otapult *o)
{
    o->received = o->session.writer.received;
    o->written = o->session.writer.written;
}

int otapult_enter(struct otapult *o, uint32_t ticket)
{
    int err = 0;

    otapult_lock(o);
    if (ticket != 0 && ticket == o->ticket)
        o->inside++;
    else
        err = error_of_old_ticket(o, ticket);
    otapult_unlock(o);
    return err;
}

void otapult_leave(struct otapult *o, uint32_t ticket)
{
    otapult_lock(o);
    if (ticket == o->ticket && o->inside > 0) {
        o->inside--;
        o->touched_ms = otapult_now(o);
        count_bytes(o);
    }
    otapult_unlock(o);
}

struct otapult_multipart *otapult_upload_parser(struct otapult *o)
{
    return &o->parser;
}

void otapult_name_holder(struct otapult *o, uint32_t ticket, const char *by)
{
    if (otapult_enter(o, ticket) != 0)
        return;
    otapult_text_set(o->holder, sizeof o->holder, by);
    otapult_leave(o, ticket);
}

/* ---- begin ---- */

uint32_t otapult_room(struct otapult *o)
{
    struct otapult_slot slot;

    otapult_lock(o);
    int next = o->phase == OTAPULT_IDLE ? o->slots.next : OTAPULT_SLOT_NONE;
    otapult_unlock(o);
    return next != OTAPULT_SLOT_NONE && otapult_slot_row(o, next, &slot) == 0 ? slot.size : 0;
}

int otapult_target(const struct otapult *o)
{
    return o->target;
}

static int refuse_by_phase(const struct otapult *o, struct otapult_finding *why)
{
    why->got = o->received;
    why->want = o->total;
    if (o->phase == OTAPULT_REBOOTING)
        return OTAPULT_E_REBOOTING;
    if (o->phase != OTAPULT_IDLE)
        return OTAPULT_E_BUSY;
    return o->pending ? OTAPULT_E_UNCONFIRMED : 0;
}

static int refuse_by_table(const struct otapult *o, struct otapult_finding *why)
{
    if (o->slots_error != 0)
        return o->slots_error;
    if (o->slots.next == OTAPULT_SLOT_NONE) {
        *why = (struct otapult_finding){.got = 0, .want = 1};
        return OTAPULT_E_NO_OTA_PARTITION;
    }
    if (!o->slots.ota_data)
        return OTAPULT_E_NO_OTA_DATA;
    return o->config.secure != NULL ? o->config.secure->refusal(o, why) : 0;
}

int otapult_ask_ready(struct otapult *o, struct otapult_finding *why)
{
    o->reason[0] = '\0';
    if (o->config.ready(o->config.app, o->reason, sizeof o->reason))
        return 0;
    *why = (struct otapult_finding){.text = o->reason[0] != '\0' ? o->reason : "not now"};
    return OTAPULT_E_NOT_READY;
}

/* Takes the device for a new update; nobody else gets in from here on. */
static int claim(struct otapult *o, uint32_t *ticket, struct otapult_finding *why)
{
    otapult_lock(o);
    int err = refuse_by_phase(o, why);
    if (err == 0)
        err = refuse_by_table(o, why);
    if (err == 0) {
        if (++o->tickets == 0) /* 0 is nobody's */
            ++o->tickets;
        o->phase = OTAPULT_RECEIVING;
        o->ticket = *ticket = o->tickets;
        o->inside = 1;
        o->holder[0] = '\0';
        o->target = o->slots.next;
        o->received = o->written = 0;
    }
    otapult_unlock(o);
    return err;
}

static int open_target(struct otapult *o, uint32_t size, struct otapult_finding *why)
{
    struct otapult_flash flash;

    int err = o->port->open(o->port->ctx, o->target, &flash);
    if (err != 0)
        return err;
    if (size != OTAPULT_SIZE_UNKNOWN && size > flash.size) {
        *why = (struct otapult_finding){.got = size, .want = flash.size};
        return OTAPULT_E_IMAGE_TOO_LARGE;
    }
    otapult_set_limits(o, flash.size, true);
    otapult_session_init(&o->session, &flash, &o->limits, size);
    return 0;
}

/* Under lock: the holder is out from here on, whatever it is doing. */
static void end_ticket(struct otapult *o, int err)
{
    if (o->ticket != 0) {
        o->last_ticket = o->ticket;
        o->last_err = err;
    }
    o->ticket = 0;
    o->inside = 0;
}

static void release(struct otapult *o, int err)
{
    otapult_lock(o);
    end_ticket(o, err);
    if (o->phase != OTAPULT_REBOOTING)
        o->phase = OTAPULT_IDLE;
    otapult_unlock(o);
}

int otapult_begin(struct otapult *o, uint32_t size, uint32_t *ticket, struct otapult_finding *why)
{
    *why = (struct otapult_finding){0};
    int err = claim(o, ticket, why);
    if (err != 0)
        return err;

    err = otapult_ask_ready(o, why);
    if (err == 0)
        err = open_target(o, size, why);
    if (err != 0) {
        release(o, err);
        return err;
    }
    otapult_hold(o, true);
    otapult_lock(o);
    o->total = size;
    otapult_unlock(o);
    otapult_leave(o, *ticket);
    return 0;
}

/* ---- the end, good or bad ---- */

static void note_refusal(struct otapult *o, int err, const struct otapult_finding *why)
{
    const struct otapult_inspect *in = &o->session.judge.inspect;
    struct otapult_trial trial = {.size = in->info.size};
    char detail[80];

    if (otapult_judge_accepted(&o->session.judge))
        otapult_describe(&trial, o->target, &in->info.desc, in->info.size);
    otapult_detail(err, why, detail, sizeof detail);
    otapult_note_by(o, OTAPULT_EV_REFUSED, o->target, &trial, otapult_error_row(err)->code, detail,
                    o->holder);
    otapult_log(o, detail);
}

/* By the holder, inside. */
static int end_badly(struct otapult *o, int err, const struct otapult_finding *why)
{
    note_refusal(o, err, why);
    otapult_hold(o, false);
    release(o, err);
    return err;
}

void otapult_cancel(struct otapult *o, uint32_t ticket, int err, const struct otapult_finding *why)
{
    if (otapult_enter(o, ticket) == 0)
        (void)end_badly(o, err, why);
}

void otapult_poll_stall(struct otapult *o)
{
    uint32_t now = otapult_now(o);

    otapult_lock(o);
    bool stalled = o->phase == OTAPULT_RECEIVING && o->inside == 0 &&
                   (int32_t)(now - o->touched_ms) >= (int32_t)o->config.stall_ms;
    if (stalled)
        end_ticket(o, OTAPULT_E_STALLED); /* still RECEIVING: nobody else gets in before the end */
    otapult_unlock(o);
    if (stalled)
        (void)end_badly(o, OTAPULT_E_STALLED, &(struct otapult_finding){.got = o->config.stall_ms / 1000});
}

/* ---- bytes ---- */

int otapult_feed(struct otapult *o, uint32_t ticket, const uint8_t *data, size_t len,
                 struct otapult_finding *why)
{
    *why = (struct otapult_finding){0};
    int err = otapult_enter(o, ticket);
    if (err != 0)
        return err;

    err = otapult_session_feed(&o->session, data, len);
    if (err != 0) {
        *why = o->session.why;
        return end_badly(o, err, why);
    }
    otapult_leave(o, ticket);
    return 0;
}

static void set_phase(struct otapult *o, enum otapult_phase phase)
{
    otapult_lock(o);
    o->phase = phase;
    count_bytes(o);
    otapult_unlock(o);
}

void otapult_describe(struct otapult_trial *trial, int slot, const struct otapult_app_desc *desc,
                      uint32_t size)
{
    *trial = (struct otapult_trial){.slot = (int8_t)slot, .size = size};
    otapult_build_id(desc, trial->build);
    memcpy(trial->version, desc->version, sizeof trial->version);
    memcpy(trial->project, desc->project, sizeof trial->project);
}

/* The last look before the slot becomes the boot slot: has it changed since it was verified? */
static int verify_again(struct otapult *o, int slot)
{
    struct otapult_finding why;

    if (otapult_verify(o, slot, &why) == 0)
        return 0;
    o->session.why = (struct otapult_finding){.at = o->session.judge.inspect.pos};
    return OTAPULT_E_FLASH_READBACK;
}

int otapult_arm(struct otapult *o, struct otapult_trial *trial)
{
    trial->verdict = OTAPULT_TRIAL_WRITTEN;
    trial->tries++;
    /* A store that fails costs the second try after a power cut, not the update. */
    int stored = otapult_trial_save(o->port, trial);
    if (stored != 0)
        otapult_log(o, "the store failed: this image gets one boot");

    int err = o->config.secure != NULL ? verify_again(o, trial->slot) : 0;
    if (err == 0)
        err = o->port->activate(o->port->ctx, trial->slot);
    if (err != 0) {
        otapult_trial_clear(o->port);
        return err;
    }
    trial->verdict = OTAPULT_TRIAL_ARMED;
    if (stored == 0 && otapult_trial_save(o->port, trial) != 0)
        otapult_log(o, "the store failed after the activation");
    return 0;
}

/* The slot is no longer what was verified: it shall not boot when the other one fails, either. */
static void withdraw(struct otapult *o)
{
    const struct otapult_flash *f = &o->session.writer.flash;

    if (f->erase(f->ctx, 0, f->sector) != 0)
        otapult_log(o, "the slot has changed since it was verified, and cannot be erased");
}

/* The image is in the slot and proven: make it the next boot's. */
static int activate(struct otapult *o)
{
    const struct otapult_image_info *info = &o->session.judge.inspect.info;
    struct otapult_trial trial;

    otapult_describe(&trial, o->target, &info->desc, info->size);
    int err = otapult_arm(o, &trial);
    if (err == 0)
        otapult_note_by(o, OTAPULT_EV_ACTIVATED, o->target, &trial, NULL, NULL, o->holder);
    else if (err == OTAPULT_E_FLASH_READBACK)
        withdraw(o);
    return err;
}

static void end_well(struct otapult *o)
{
    otapult_refresh_slots(o);
    otapult_lock(o);
    count_bytes(o);
    o->total = o->written;
    otapult_restart_soon(o);
    otapult_unlock(o);
    release(o, 0);
}

int otapult_finish(struct otapult *o, uint32_t ticket, const struct otapult_image_info **info,
                   struct otapult_finding *why)
{
    *why = (struct otapult_finding){0};
    int err = otapult_enter(o, ticket);
    if (err != 0)
        return err;

    set_phase(o, OTAPULT_VERIFYING);
    err = otapult_session_finish(&o->session);
    if (err == 0)
        err = activate(o);
    *why = o->session.why;
    if (err != 0)
        return end_badly(o, err, why);
    *info = &o->session.judge.inspect.info; /* nobody begins anything before the restart */
    end_well(o);
    return 0;
}
