/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OTAPULT_UPDATE_UPLOAD_H
#define OTAPULT_UPDATE_UPLOAD_H

#include "update/common.h"

/* One file from begin to finish: otapult_begin() to otapult_cancel() of otapult.h, otapult_begin_by() and
 * otapult_next_slot_size() of door.h. */

/* From poll: ends an upload that brings nothing, or too little, or that somebody else has ended. */
void otapult_poll_upload(struct otapult *o);

/* Under lock, so that the caller may look first whose update it is: as otapult_end_update_by(). *mine: nobody is inside,
 * and the caller has ended it; otapult_end_taken() follows behind the lock. */
OTAPULT_MUST_CHECK int otapult_end_locked(struct otapult *o, const char *by, bool *mine, struct otapult_finding *why);
void otapult_end_taken(struct otapult *o);

#endif
