/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OTAPULT_OFFER_CHOOSE_H
#define OTAPULT_OFFER_CHOOSE_H

#include "offer/puller.h"

/* A person's word, and what anybody may know: otapult_offer_choose() and otapult_offer_view() of offer.h. */

/* The word of the state in the API, and the version that is offered, "" for none. */
const char *otapult_offer_brief(struct otapult *o, char *version);
const char *otapult_pull_state_name(unsigned state);

#endif
