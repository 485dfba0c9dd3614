/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OTAPULT_UPDATE_KNOWN_H
#define OTAPULT_UPDATE_KNOWN_H

#include "otapult/otapult.h"

/* Builds that were rejected, crashed or did not load on this device: the last OTAPULT_FAILURES, by their build
 * ids, in the key-value store. Nothing that acts by itself may take one of them again. */

#define OTAPULT_FAILURES 8u

bool otapult_has_failed(const struct otapult_port *port, const char *build);

/* A store that fails costs the memory, not the update: it is logged. */
void otapult_remember_failure(const struct otapult_port *port, const char *build);

/* It was confirmed: what was wrong before was not the build. */
void otapult_forget_failure(const struct otapult_port *port, const char *build);

#endif
