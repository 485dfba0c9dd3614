/* SPDX-License-Identifier: Apache-2.0 */
#include "update/arm.h"

#include "update/claim.h"
#include "update/slot_image.h"

/* The one place that makes another slot the next boot's, for uploads, rollbacks, second tries and what was
 * staged. (boot.c activates only what runs already.) The order is what makes a power cut harmless:
 *
 *   1  the note of the trial says WRITTEN
 *   2  the slot is read once more (secure profile)
 *   3  port->activate(): OTA data names the slot
 *   4  the note says ARMED
 *
 * Where the power goes before 3 is done, OTA data has the old choice, and the next boot finds that the image
 * never ran. Within 3 it has the old choice or the new one, never none (rule 4). Before 4 the note still says
 * WRITTEN: the table in trial.c knows what that can mean. A store that fails leaves out 1 and 4, and costs
 * the second try after a power cut, not the update.
 *
 * The image's first 16 bytes are in flash before that (rule 3): otapult_session_commit(). */

int otapult_arm_refusal(const struct otapult *o, struct otapult_finding *why)
{
    if (o->pending)
        return OTAPULT_E_UNCONFIRMED;
    if (o->slots_error != 0)
        return o->slots_error;
    int err = otapult_table_refusal(&o->slots, why);
    if (err != 0)
        return err;
    return o->keys != NULL ? o->keys->refusal(o, why) : 0;
}

/* The last look before the slot becomes the boot slot: has it changed since it was verified? */
static int check_again(struct otapult *o, int slot, struct otapult_finding *why)
{
    if (otapult_check_image(o, slot, why, NULL) == 0)
        return 0;
    *why = (struct otapult_finding){.at = otapult_borrow(o)->judge.inspect.pos};
    return OTAPULT_E_FLASH_READBACK;
}

int otapult_arm(struct otapult *o, struct otapult_trial *trial, struct otapult_finding *why)
{
    trial->verdict = OTAPULT_TRIAL_WRITTEN;
    trial->tries++;
    int stored = otapult_trial_save(o->port, trial);
    if (stored != 0)
        otapult_log(o, OTAPULT_LOG_ERROR, "the store failed: this image gets one boot");

    int err = o->keys != NULL ? check_again(o, trial->slot, why) : 0;
    if (err == 0)
        err = o->port->activate(o->port->ctx, trial->slot);
    if (err != 0) {
        otapult_trial_clear(o->port);
        return err;
    }
    trial->verdict = OTAPULT_TRIAL_ARMED;
    if (stored == 0 && otapult_trial_save(o->port, trial) != 0)
        otapult_log(o, OTAPULT_LOG_ERROR, "the store failed after the activation");
    return 0;
}

/* The slot is no longer what was verified: it shall not boot when the other one fails, either. */
static void withdraw(struct otapult *o)
{
    const struct otapult_flash *f = &o->session.writer.flash;

    if (f->erase(f->ctx, 0, f->sector) != 0)
        otapult_log(o, OTAPULT_LOG_ERROR, "the slot has changed since it was verified, and cannot be erased");
}

int otapult_arm_session(struct otapult *o, int slot, const char *by, struct otapult_finding *why)
{
    const struct otapult_image_info *info = &o->session.judge.inspect.info;
    struct otapult_trial trial;

    int err = otapult_session_commit(&o->session);
    if (err != 0) {
        *why = o->session.why;
        return err;
    }
    otapult_describe(&trial, slot, &info->desc, info->size);
    err = otapult_arm(o, &trial, why);
    if (err == 0)
        otapult_note(o, OTAPULT_EV_ACTIVATED, slot, &trial, NULL, NULL, by);
    else if (err == OTAPULT_E_FLASH_READBACK)
        withdraw(o);
    return err;
}
