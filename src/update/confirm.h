/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OTAPULT_UPDATE_CONFIRM_H
#define OTAPULT_UPDATE_CONFIRM_H

#include "update/common.h"

/* Does the running firmware stay? Its health checks, its user and the deadline decide; otapult_confirm() and
 * otapult_confirm_by() are here, too. Each decision takes the claim, so there is one at a time. */

/* From poll: health checks and the deadline of the confirmation. */
void otapult_poll_health(struct otapult *o);

bool otapult_is_pending(struct otapult *o);

/* The pending firmware goes, and the previous one returns at the restart, which is the caller's, as the claim
 * is: an update that began now would overwrite the way back. `text`: why, for the journal of the next boot.
 * 0, NOT_PENDING, or the port's error, and then the firmware stays pending. */
OTAPULT_MUST_CHECK int otapult_reject(struct otapult *o, const char *text);

#endif
