/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OTAPULT_UPDATE_ARM_H
#define OTAPULT_UPDATE_ARM_H

#include "update/common.h"

/* Makes trial->slot the next boot's, with a trial to go with it: the trial is saved before the activation, and
 * once more after it, so that whichever firmware boots next knows how far this came. `trial` is as
 * otapult_describe() makes it. Where signatures are required the slot is read and verified once more, last of
 * all. Only for the claim's holder.
 * 0, FLASH_READBACK (it is not what was verified before) or the port's error, and then the old choice still
 * holds. */
OTAPULT_MUST_CHECK int otapult_arm(struct otapult *o, struct otapult_trial *trial, struct otapult_finding *why);

/* Under lock: what forbids every change of what boots. UNCONFIRMED, the error of the slots or of their table, LOCKED,
 * SIGNATURE_NO_KEYS, or 0. */
OTAPULT_MUST_CHECK int otapult_arm_refusal(const struct otapult *o, struct otapult_finding *why);

/* What o->session has finished is made bootable and the next boot's, and the journal has it for `by`. The journal
 * comes after the activation. 0 or the error of the flash, or as otapult_arm(): after FLASH_READBACK the slot does
 * not boot. Only for the claim's holder. */
OTAPULT_MUST_CHECK int otapult_arm_session(struct otapult *o, int slot, const char *by,
                                           struct otapult_finding *why);

#endif
