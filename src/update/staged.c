/* SPDX-License-Identifier: Apache-2.0 */
#include "update/staged.h"

#include <string.h>

#include "base/bytes.h"
#include "update/arm.h"
#include "update/claim.h"
#include "update/known.h"
#include "update/outcome.h"
#include "update/report.h"
#include "update/slot_image.h"

/* The note is stored after the slot was proved and before anybody is told that something waits. A power cut
 * before it leaves a slot without its first bytes, which boots nothing, and nothing waits.
 * A start is: prove the slot once more, write its first bytes, make it the next boot's, forget the note. A
 * power cut in between leaves the note, and the next start finds by otapult_load_staged() whether the image
 * still waits, or runs. Proving comes first because keys, least version and flash may all have changed
 * meanwhile. */

#define STAGED_KEY "ota.staged1" /* 1: the format, which is the struct below */

struct staged_note {
    struct otapult_update image;
    uint8_t held[OTAPULT_SLOT_HELD];
    uint32_t forced; /* it was taken although it had failed here */
};
_Static_assert(sizeof(struct staged_note) == 140, "stored format of what is staged");

static bool load(const struct otapult_port *port, struct staged_note *note)
{
    size_t len = 0;

    if (port->kv_get(port->ctx, STAGED_KEY, note, sizeof *note, &len) != 0 || len != sizeof *note)
        return false;
    note->image.version[sizeof note->image.version - 1] = '\0';
    note->image.project[sizeof note->image.project - 1] = '\0';
    note->image.build[sizeof note->image.build - 1] = '\0';
    return note->image.id != 0;
}

static void show(struct otapult *o, const struct otapult_update *image)
{
    otapult_lock(o);
    o->staged = *image;
    otapult_unlock(o);
}

void otapult_unstage(struct otapult *o)
{
    if (o->staged.id == 0)
        return;
    show(o, &(struct otapult_update){0});
    if (o->port->kv_set(o->port->ctx, STAGED_KEY, NULL, 0) != 0)
        otapult_log(o, OTAPULT_LOG_ERROR, "the store failed to forget what was staged");
}

/* ---- at start ---- */

/* *waits: the first bytes are not in flash, as it should be. Or they are, because the power went between
 * writing them and the activation, or in each trial: then it goes on waiting, unless the image itself has
 * failed. */
static int look_at_header(struct otapult *o, const struct staged_note *note, bool *waits)
{
    struct otapult_flash flash;
    uint8_t head[OTAPULT_SLOT_HELD] = {0};

    int err = o->port->open(o->port->ctx, note->image.slot, &flash);
    if (err == 0)
        err = flash.read(flash.ctx, 0, head, sizeof head);
    *waits = otapult_has_only(head, sizeof head, 0xFF) ||
             (memcmp(head, note->held, sizeof head) == 0 && !otapult_has_failed(o->port, note->image.build));
    return err;
}

static int look_at_build(struct otapult *o, const struct staged_note *note, bool *same)
{
    struct otapult_app_desc desc;
    char build[OTAPULT_BUILD_ID_CHARS + 1];

    int err = otapult_slot_desc_under(o, note->image.slot, note->held, &desc, same);
    otapult_build_id(&desc, build);
    *same = *same && strcmp(build, note->image.build) == 0;
    return err;
}

/* Where the slot cannot be read now it counts as waiting: it is read and judged anyway when it is started. */
static bool still_waits(struct otapult *o, const struct staged_note *note)
{
    const int slot = (int)note->image.slot;
    bool waits, same;

    if (slot < 0 || slot >= o->slots.count || slot == o->slots.running)
        return false;
    if (look_at_header(o, note, &waits) != 0 || look_at_build(o, note, &same) != 0)
        return true;
    return waits && same;
}

void otapult_load_staged(struct otapult *o)
{
    struct staged_note note;

    if (!load(o->port, &note))
        return;
    show(o, &note.image);
    if (!still_waits(o, &note))
        otapult_unstage(o);
}

/* ---- staging ---- */

int otapult_stage(struct otapult *o, int slot, const char *by, struct otapult_finding *why)
{
    const struct otapult_image_info *info = &o->session.judge.inspect.info;
    struct staged_note note = {.forced = o->force};
    struct otapult_trial trial;

    otapult_outcome_describe(o, OTAPULT_UPDATE_STAGED, slot, &note.image);
    memcpy(note.held, o->session.writer.held, sizeof note.held);
    if (o->port->kv_set(o->port->ctx, STAGED_KEY, &note, sizeof note) != 0) {
        *why = (struct otapult_finding){.text = "what is staged"};
        return OTAPULT_E_STORE;
    }
    show(o, &note.image);
    otapult_describe(&trial, slot, &info->desc, info->size);
    otapult_note(o, OTAPULT_EV_STAGED, slot, &trial, NULL, NULL, by);
    return 0;
}

/* ---- starting it ---- */

/* An upload is refused for the same reasons. */
static int refuse_by_state(struct otapult *o, int slot, struct otapult_finding *why)
{
    otapult_lock(o);
    int err = otapult_arm_refusal(o, why);
    otapult_unlock(o);
    return err == 0 ? otapult_keep_off_running(o, slot, why) : err;
}

/* What is wrong with an image that was right when it came? Either the device's trust has changed since, and
 * then the judge's error says it; or else flash has changed, and STAGED_CHANGED says that. */
static int error_of(const struct otapult_session *s, int err, struct otapult_finding *why)
{
    if (s->judge.err == 0 && err != OTAPULT_E_FLASH_READBACK)
        return err; /* of the port, or 0 */
    *why = s->why;
    if (err == OTAPULT_E_SIGNATURE_WRONG || err == OTAPULT_E_SIGNATURE_MISSING ||
        err == OTAPULT_E_IMAGE_SECURITY_VERSION)
        return err;
    *why = (struct otapult_finding){.at = s->judge.inspect.pos};
    return OTAPULT_E_STAGED_CHANGED;
}

static int prove(struct otapult *o, const struct staged_note *note, struct otapult_finding *why)
{
    struct otapult_session *s = otapult_borrow(o);
    struct otapult_flash flash;

    int err = o->port->open(o->port->ctx, note->image.slot, &flash);
    if (err != 0)
        return err;
    otapult_set_limits(o, flash.size, false);
    err = otapult_session_again(s, &flash, &o->limits, note->held, note->image.size, note->image.sha256);
    err = error_of(s, err, why);
    if (err == OTAPULT_E_STAGED_CHANGED)
        otapult_unstage(o);
    return err;
}

/* The note is removed once the image is the next boot's; where the power goes before that, the note is still
 * there. It is also removed where the first bytes could not be written, or the slot was made unbootable
 * (withdraw() in arm.c): then there is nothing left to start. */
static int arm(struct otapult *o, int slot, const char *by, struct otapult_finding *why)
{
    int err = otapult_arm_session(o, slot, by, why);

    if (err == 0 || err == OTAPULT_E_FLASH_READBACK || otapult_borrow(o)->err != 0)
        otapult_unstage(o);
    return err;
}

/* In the journal as an upload that ended badly, because what was staged may be lost by it. */
static void note_refusal(struct otapult *o, const struct otapult_update *image, int err, const char *by,
                         const struct otapult_finding *why)
{
    struct otapult_trial trial = {.size = image->size};
    char detail[80];

    memcpy(trial.build, image->build, sizeof trial.build);
    memcpy(trial.version, image->version, sizeof trial.version);
    memcpy(trial.project, image->project, sizeof trial.project);
    otapult_detail(err, why, NULL, detail, sizeof detail);
    otapult_note(o, OTAPULT_EV_REFUSED, (int)image->slot, &trial, otapult_error_row(err)->code, detail, by);
}

static int start_image(struct otapult *o, const struct staged_note *note, const char *by,
                       struct otapult_finding *why)
{
    if (note->forced == 0 && otapult_has_failed(o->port, note->image.build)) {
        *why = (struct otapult_finding){.text = o->staged.build};
        return OTAPULT_E_BUILD_REJECTED;
    }
    int err = prove(o, note, why);
    return err == 0 ? arm(o, note->image.slot, by, why) : err;
}

static int start(struct otapult *o, const char *by, struct otapult_finding *why)
{
    struct staged_note note;

    if (o->staged.id == 0 || !load(o->port, &note))
        return OTAPULT_E_NO_STAGED;
    int err = refuse_by_state(o, (int)note.image.slot, why);
    if (err != 0)
        return err;
    err = start_image(o, &note, by, why);
    if (err != 0)
        note_refusal(o, &note.image, err, by, why);
    return err;
}

static int activate(struct otapult *o, const char *by, struct otapult_finding *why)
{
    int err = otapult_take_to_restart(o, OTAPULT_FOR_ACTIVATION, by, why);
    if (err != 0)
        return err;

    err = start(o, by, why);
    otapult_refresh_slots(o);
    otapult_end_in_restart(o, err, "what was staged starts");
    return err;
}

int otapult_activate_staged_by(struct otapult *o, const char *by, struct otapult_finding *why)
{
    int err = activate(o, by, why);

    if (err != 0)
        otapult_report_refusal(o->port, "activation", err, why, 0, by);
    return err;
}

int otapult_activate_staged(struct otapult *o, struct otapult_finding *why)
{
    return otapult_activate_staged_by(o, NULL, why);
}
