/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ROVER_HOST_LIFE_H
#define ROVER_HOST_LIFE_H

#include "life_state.h"

/* One life of the board: from a reset to the next. */

/* Boots, runs until the next reset, and says in *reset how that came; on entry it is how this life's did.
 * false: the device is dead, or cannot be simulated; standard error says why. */
bool life_live(const struct options *options, struct nor_flash *nor, struct ports *ports,
               enum otapult_reset *reset);

#endif
