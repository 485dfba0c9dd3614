/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OTAPULT_UPDATE_CLAIM_H
#define OTAPULT_UPDATE_CLAIM_H

#include "update/common.h"

/* Who holds the device, and for what. There is one claim. A caller takes it before it writes to flash,
 * changes what boots or whom the device trusts, or reads an image with the session's memory, and gives it back
 * afterwards; an upload has it from begin to its end. Nobody waits for it: a caller that does not get it is told
 * what is under way. */

/* Takes the device for something that `by` asks for (NULL: the device itself). 0, BUSY or REBOOTING. */
OTAPULT_MUST_CHECK int otapult_take(struct otapult *o, enum otapult_claim what, const char *by,
                                    struct otapult_finding *why);

/* The same under the lock, for callers that have more to look at in the same moment. */
OTAPULT_MUST_CHECK int otapult_take_locked(struct otapult *o, enum otapult_claim what, const char *by,
                                           struct otapult_finding *why);

/* Takes the device for something that ends in a restart, and has the application hold still. The claim comes
 * before the question, so that the answer is still true when it is acted upon: nobody else can have begun
 * anything. As otapult_take(), and NOT_READY; then nothing is taken. */
OTAPULT_MUST_CHECK int otapult_take_to_restart(struct otapult *o, enum otapult_claim what, const char *by,
                                               struct otapult_finding *why);

/* The end of that: the restart, whose reason `why` is static, or after an error the device is free and the application may move. */
void otapult_end_in_restart(struct otapult *o, int err, const char *why);

/* Ends it. Does nothing when a restart is due: nobody is to begin anything before that. */
void otapult_give_back(struct otapult *o);
void otapult_give_back_locked(struct otapult *o);

/* The memory of a session, for reading an image. It goes with the claim. */
struct otapult_session *otapult_borrow(struct otapult *o);

/* Has poll() restart the device in so many ms. `why`, for the log, is static. The claim stays taken until then. */
void otapult_restart_in(struct otapult *o, uint32_t ms, const char *why);

/* ---- the application's part ---- */

/* Asks it whether an update or a restart may happen now: 0 or NOT_READY. */
OTAPULT_MUST_CHECK int otapult_ask_ready(struct otapult *o, struct otapult_finding *why);

/* Tells it to keep still, or that it need not any more; once, however often it is called. */
void otapult_hold(struct otapult *o, bool on);

#endif
