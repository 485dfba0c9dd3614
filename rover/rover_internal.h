/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ROVER_INTERNAL_H
#define ROVER_INTERNAL_H

#include "rover.h"

/* Between the files of the rover. */

void rover_lock(struct rover *r);
void rover_unlock(struct rover *r);

/* Motor power in per cent. false: an update runs, the rover stands still. */
bool rover_drive(struct rover *r, int left, int right);

/* A consistent copy of where the rover is and what it does. */
void rover_look(struct rover *r, struct rover *copy);

#endif
