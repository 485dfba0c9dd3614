/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_NAMED_H
#define CLI_NAMED_H

#include "fleet.h"

/* The robots that a call names: on its command line, in an inventory, or by asking the network. */

/* Fills *fleet from operand[count] and the options. A robot that is named twice is in it once. 0, or the
 * status the command ends with: standard error says why. */
int fleet_open(struct fleet *fleet, const struct options *options, char *const *operand, size_t count);

#endif
