/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OTAPULT_UPDATE_STAGED_H
#define OTAPULT_UPDATE_STAGED_H

#include "update/common.h"

/* What was written and verified, and waits to be started: one slot, whose first 16 bytes are not in flash but in a
 * note in the key-value store, so nothing boots it (rule 3 holds for as long as it waits). Nothing believes the note:
 * before the firmware is started its slot is read and judged as if it had never been verified.
 * otapult_activate_staged() is here, too. All of this is for the claim's holder. */

/* At start, when it is known what runs: what the store has, where the slot still fits it. */
void otapult_load_staged(struct otapult *o);

/* The session has finished: its image waits in `slot` from now on, with a journal entry for `by`. 0, or STORE, and
 * then nothing waits. */
OTAPULT_MUST_CHECK int otapult_stage(struct otapult *o, int slot, const char *by, struct otapult_finding *why);

/* Nothing is staged any more. Before the slot's first erase. A store that fails is logged: what it still has does not
 * fit the slot any more. */
void otapult_unstage(struct otapult *o);

#endif
