/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OTAPULT_OFFER_PULL_H
#define OTAPULT_OFFER_PULL_H

#include "offer/puller.h"

/* The device's part of it, for struct otapult_pulling. otapult_pull_poll() of offer.h is here, too. */
const char *otapult_pull_fault(const struct otapult_config *config);
void otapult_pull_start(struct otapult *o);

#endif
