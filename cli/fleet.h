/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_FLEET_H
#define CLI_FLEET_H

#include "robot.h"

/* The robots of one call: from the command line, an inventory, or the network. */

struct fleet_member {
    struct robot robot;
    char *name;       /* own copies of what the robot points to */
    char *token, *pin, *kind;
};

struct fleet {
    struct fleet_member *member;
    size_t count, room;
};

/* Fills *fleet from operand[count] and the options. A robot that is named twice is in it once. 0, or the
 * status the command ends with: standard error says why. */
int fleet_open(struct fleet *fleet, const struct options *options, char *const *operand, size_t count);
void fleet_free(struct fleet *fleet);

/* Another robot, with what the options say of all. NULL: the address is none, and standard error says why. */
struct fleet_member *fleet_add(struct fleet *fleet, const struct options *options, const char *name,
                               const char *address);

/* Asks all of them at once, then calls `each` for one after another in their order, with the status it is to
 * return so far: the largest. */
int fleet_ask(struct fleet *fleet, int (*each)(struct robot *r, const struct options *options),
              const struct options *options);

/* ---- inventory.c ---- */

/* The robots of a file that `wanted` names (robots or @groups; everything where count is 0 and `all`). What it
 * names and the file does not stays: taken[i] says which it had. 0, or a status: standard error says why. */
int inventory_read(const char *path, struct fleet *fleet, const struct options *options, char *const *wanted,
                   size_t count, bool *taken);

/* Prints the names of robots and groups of the usual inventory, one a line. */
void inventory_list(void);

#endif
