/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TEST_SEALED_H
#define TEST_SEALED_H

#include "otapult/port.h"

/* What a test puts into a port's store with its own hands counts as what the device has stored. */
void sealed(const struct otapult_port *port);

#endif
