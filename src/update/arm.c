/* SPDX-License-Identifier: Apache-2.0 */
#include "update/arm.h"

#include "update/claim.h"
#include "update/slot_image.h"

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
    /* A store that fails costs the second try after a power cut, not the update. */
    int stored = otapult_trial_save(o->port, trial);
    if (stored != 0)
        otapult_log(o, "the store failed: this image gets one boot");

    int err = o->keys != NULL ? check_again(o, trial->slot, why) : 0;
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
