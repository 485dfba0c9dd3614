/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OTAPULT_OFFER_PULL_H
#define OTAPULT_OFFER_PULL_H

#include "offer/puller.h"

/* What the device calls through struct otapult_pulling (update/door.h): is the configuration right, and the start.
 * otapult_pull_poll() of offer.h is in pull.c, too. */
const char *otapult_pull_fault(const struct otapult_config *config);
void otapult_pull_start(struct otapult *o);

#endif
