/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OTAPULT_HOST_WALL_CLOCK_H
#define OTAPULT_HOST_WALL_CLOCK_H

#include "otapult/offer.h"

/* This computer's clock, in the time zone of TZ: "CET-1CEST,M3.5.0,M10.5.0/3". */
extern const struct otapult_clock wall_clock;

#endif
