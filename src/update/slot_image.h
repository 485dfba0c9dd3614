/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OTAPULT_UPDATE_SLOT_IMAGE_H
#define OTAPULT_UPDATE_SLOT_IMAGE_H

#include "update/common.h"

/* What lies in a slot. otapult_slot_row() and otapult_slot_desc() of door.h are here, too. */

/* What the image in the running slot says of itself, into *desc. false: nothing that can be read. */
bool otapult_running_desc(struct otapult *o, struct otapult_app_desc *desc);

/* Sets o->limits for a slot of `size` bytes; `upload`: for what comes from outside, not for what is there. Only
 * for the claim's holder. */
void otapult_set_limits(struct otapult *o, uint32_t size, bool upload);

/* Reads the whole image in slot `index` and judges it, with the session's memory; only for the claim's
 * holder. 0, and then session.judge.inspect describes it; LOCKED; the error of the port, which could not read
 * it; or what is wrong with it, and *wrong (may be NULL) is set: the image, not its reading, failed. */
OTAPULT_MUST_CHECK int otapult_check_image(struct otapult *o, int index, struct otapult_finding *why,
                                           bool *wrong);

#endif
