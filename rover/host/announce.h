/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ROVER_HOST_ANNOUNCE_H
#define ROVER_HOST_ANNOUNCE_H

#include <sys/socket.h>

#include "life_state.h"

/* Says over multicast DNS that there is a rover, as a board does: answers questions, from a thread of its own.
 * It shares the port with whoever else answers on this machine. */

struct announce;

/* `at`: where the rover is served. NULL where nothing can be announced, an IPv6 address for instance; that
 * costs comfort and nothing else. */
struct announce *announce_start(struct life *life, const struct sockaddr_storage *at);
void announce_stop(struct announce *a); /* NULL: nothing */

#endif
