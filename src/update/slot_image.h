/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OTAPULT_UPDATE_SLOT_IMAGE_H
#define OTAPULT_UPDATE_SLOT_IMAGE_H

#include "update/common.h"

/* What lies in a slot. otapult_slot_label() and otapult_running_desc() of door.h are here, too.
 *
 * Reading flash takes long, and nobody reads it under the lock. So what is shown of the slots (o->slots, o->seen) is read
 * by the claim's holder whenever something has changed, and copied under the lock at once; readers see that copy. */

/* Reads the table of slots, and the rows of those that are shown, into o->slots and o->seen: whenever a state,
 * or what is chosen for the next boot, has changed. Their first bytes are read only where they are not known yet.
 * Only for the claim's holder. Where the port gives no table everything stays, and o->slots_error is its error. */
void otapult_refresh_slots(struct otapult *o);

/* Which of the slots that are shown hold a build that has failed here, asked anew. Only for the claim's holder. */
void otapult_refresh_failures(struct otapult *o);

/* The same when slot `index` was written. `desc`: what was verified there, so that it is not read once more;
 * NULL: its first bytes are read. */
void otapult_refresh_written(struct otapult *o, int index, const struct otapult_app_desc *desc);

/* What the port says of slot `index`, without a look into its flash. 0, or the port's error. */
OTAPULT_MUST_CHECK int otapult_slot_row(struct otapult *o, int index, struct otapult_slot *slot);

/* What the image in slot `index` says of itself; all zeros, and *found false, where there is none. 0, or the
 * error of the port, which could not read it. */
OTAPULT_MUST_CHECK int otapult_slot_desc(struct otapult *o, int index, struct otapult_app_desc *desc,
                                         bool *found);

/* The same of a slot whose image begins with held[16], which flash need not have yet. */
OTAPULT_MUST_CHECK int otapult_slot_desc_under(struct otapult *o, int index, const uint8_t held[OTAPULT_SLOT_HELD],
                                               struct otapult_app_desc *desc, bool *found);

/* The running firmware is never written to. What counts is where the two lie, whatever the port calls them: slot
 * `index` may be another one by its number and the same by its address. 0, SLOTS_OVERLAP or the port's error. */
OTAPULT_MUST_CHECK int otapult_keep_off_running(struct otapult *o, int index, struct otapult_finding *why);

/* Sets o->limits for a slot of `size` bytes; `upload`: for what comes from outside, not for what is there. Only
 * for the claim's holder. */
void otapult_set_limits(struct otapult *o, uint32_t size, bool upload);

/* And what one update adds to them. */
void otapult_limit_age(struct otapult *o, const struct otapult_update_options *options);

/* Reads the whole image in slot `index` and judges it, with the session's memory; only for the claim's
 * holder. 0, and then session.judge.inspect describes it; LOCKED; the error of the port, which could not read
 * it; or what is wrong with it, and *wrong (may be NULL; says nothing without an error) is set: the image, not
 * its reading, failed. */
OTAPULT_MUST_CHECK int otapult_check_image(struct otapult *o, int index, struct otapult_finding *why,
                                           bool *wrong);

#endif
