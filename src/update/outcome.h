/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OTAPULT_UPDATE_OUTCOME_H
#define OTAPULT_UPDATE_OUTCOME_H

#include "update/common.h"

/* What became of the update that runs or ran last, so that a request for it which comes twice is answered and not
 * done again. Browsers and proxies send a request again by themselves when they have lost its answer, also after the
 * restart: what was activated is kept in the key-value store. otapult_last_update() is here, too. */

/* At start: what the store has. */
void otapult_load_outcome(struct otapult *o);

/* Was this asked for before? 0, and *past says how it ended, or has the id 0: it was not; the error that it ended
 * with; or BOOT_PASSED. */
OTAPULT_MUST_CHECK int otapult_recall(struct otapult *o, const struct otapult_update_options *options,
                                      struct otapult_update *past, struct otapult_finding *why);

/* An id for the update: the client's own, or a new one; never 0. */
uint32_t otapult_update_id(struct otapult *o, const struct otapult_update_options *options);

/* Under lock: an update begins. It ends: badly, unless otapult_outcome_done() has said otherwise. */
void otapult_outcome_begins(struct otapult *o, uint32_t id);
void otapult_outcome_ends(struct otapult *o);

/* By the claim's holder: fills *out with what the update that runs will be once it has ended with `outcome` in `slot`; the
 * image is the one that the session holds. */
void otapult_outcome_describe(const struct otapult *o, enum otapult_outcome outcome, int slot,
                              struct otapult_update *out);

/* By the claim's holder: the update ended well, with the image that the session holds. Where anything was written, that is
 * stored, so that it is known after the restart. */
void otapult_outcome_done(struct otapult *o, enum otapult_outcome outcome);

#endif
