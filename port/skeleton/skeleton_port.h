/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OTAPULT_SKELETON_PORT_H
#define OTAPULT_SKELETON_PORT_H

#include "otapult/port.h"

/* A port to begin with: it compiles, and every function of it says that it is not implemented, never 0. Those
 * that cannot say so are NULL. The shared port test (test/support/port_contract.h) names the first that it
 * misses; CONTRIBUTING.md says in which order to go on. */
extern const struct otapult_port skeleton_port;

#endif
