/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_INVENTORY_H
#define CLI_INVENTORY_H

#include "fleet.h"

/* The robots of a file that `wanted` names (robots or @groups; everything where count is 0 and `all`). What it
 * names and the file does not stays: taken[i] says which it had. 0, or a status: standard error says why. */
int inventory_read(const char *path, struct fleet *fleet, const struct options *options, char *const *wanted,
                   size_t count, bool *taken);

/* Prints the names of robots and groups of the usual inventory, one a line. */
void inventory_list(void);

#endif
