/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OTAPULT_UPDATE_TICKET_H
#define OTAPULT_UPDATE_TICKET_H

#include "update/common.h"

/* A ticket names one update in the calls of its client. It may be taken away between two of them, as from a
 * client that has stalled; whatever the client sends later meets the error that ended its update. A call of the
 * client enters and leaves; while it is inside nobody else ends the update or uses the session's memory.
 * otapult_touch() and otapult_why_ended() of door.h are here, too. */

/* Under lock: gives the claim's holder a new ticket, and its call counts as inside. */
uint32_t otapult_give_ticket(struct otapult *o);

/* Under lock: takes the ticket away. Later calls with it get `err`; a copy of *why is kept for them. */
void otapult_end_ticket(struct otapult *o, int err, const struct otapult_finding *why);

/* Under lock: takes back a ticket that its client has not been told. Nothing is remembered of it, because the call that
 * was to tell it returns the error. */
void otapult_drop_ticket(struct otapult *o);

/* Under lock: how the update of `ticket` ended, as long as that is remembered; NULL: it is not. */
const struct otapult_ended *otapult_ended(const struct otapult *o, uint32_t ticket);

/* Under lock: the update goes on under a new ticket, which is returned, because its client came back by another
 * connection. Calls with the old ticket get CONNECTION_LOST from now on; one that is inside stays so until it leaves. */
uint32_t otapult_change_ticket(struct otapult *o);

/* By the call that is inside: 0, or UPLOAD_ENDED when somebody else has ended the update. */
OTAPULT_MUST_CHECK int otapult_go_on(struct otapult *o, struct otapult_finding *why);

/* As otapult_go_on(), for the last time: from here on nobody can end the update any more, because its slot becomes the
 * next boot's. */
OTAPULT_MUST_CHECK int otapult_settle(struct otapult *o, struct otapult_finding *why);

/* Begins a call of the client. 0; the error that has ended the update, and then there is nothing to leave;
 * INTERNAL: another call of this client is not over yet. Calls do not nest. */
OTAPULT_MUST_CHECK int otapult_enter(struct otapult *o, uint32_t ticket);
void otapult_leave(struct otapult *o);

/* Under lock, by the call that is inside: copies the session's counters to where the status reads them. Readers must not
 * look into the session itself. */
void otapult_count_bytes(struct otapult *o);

#endif
