/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OTAPULT_UPDATE_BOOT_H
#define OTAPULT_UPDATE_BOOT_H

#include "update/common.h"

/* What the last boot meant: reads the slots, finds the fate of the last trial, and what follows from it. Where
 * the port's slots fail, o->slots_error says so, and what is still to be done is tried again by poll. */

/* At start. */
void otapult_resolve_boot(struct otapult *o);

/* From poll: once more what the port's slots have refused. */
void otapult_poll_slots(struct otapult *o);

#endif
