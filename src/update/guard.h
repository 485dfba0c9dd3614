/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OTAPULT_UPDATE_GUARD_H
#define OTAPULT_UPDATE_GUARD_H

#include "update/common.h"

/* The crash guard. A life is the time from one reset to the next. Lives that ended in a crash soon after their start are
 * counted in memory that a reset leaves alone (port->retained), so that a life which ends well costs no flash write. A
 * loss of power loses the count, and so never counts as a crash.
 *
 * The same memory says that a restart was meant. A software restart that nobody announced is a crash: a panic
 * handler restarts a chip in the same way. */

/* At start: what the last life left behind. Sets o->reset and o->crashes, and consumes the announcement. */
void otapult_guard_start(struct otapult *o);

/* At start, when it is known what runs; by the claim's holder. After crash_limit crashes in a row it makes the
 * other slot's image the next boot's, where that is whole, trusted and was confirmed before; else the
 * device is in safe mode. */
void otapult_guard_decide(struct otapult *o);

/* From poll: this life has lasted longer than crash_window_ms, so the row of crashes is over. */
void otapult_guard_poll(struct otapult *o);

/* The restart that comes now is meant. */
void otapult_guard_announce(struct otapult *o);

#endif
