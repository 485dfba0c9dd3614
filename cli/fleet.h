/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_FLEET_H
#define CLI_FLEET_H

#include "options.h"
#include "robot.h"

/* The robots of one call; named.h fills it. */

struct fleet_member {
    struct robot robot;
    char *name;       /* own copies of what the robot points to */
    char *token, *pin, *kind;
};

struct fleet {
    struct fleet_member *member;
    size_t count, room;
};

void fleet_free(struct fleet *fleet);

/* Another robot, with what the options say of all. NULL: the address is none, and standard error says why. */
struct fleet_member *fleet_add(struct fleet *fleet, const struct options *options, const char *name,
                               const char *address);

/* Asks all of them at once, then calls `each` for one after another in their order, with the status it is to
 * return so far: the largest. */
int fleet_ask(struct fleet *fleet, int (*each)(struct robot *r, const struct options *options),
              const struct options *options);

#endif
