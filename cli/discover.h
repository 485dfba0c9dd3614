/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_DISCOVER_H
#define CLI_DISCOVER_H

#include "fleet.h"

/* The robots of this network, by one question over multicast DNS from a port of our own: the answers come
 * straight back, so no daemon is needed and none is disturbed. */

/* Adds every robot that answers. 0, or the status the command ends with. */
int discover_robots(struct fleet *fleet, const struct options *options);

/* Looks names up that end in .local, and bare names, which nobody else may know: robot.connect_to. */
void discover_names(struct fleet *fleet);

#endif
