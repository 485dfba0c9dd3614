/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OTAPULT_UPDATE_WAY_BACK_H
#define OTAPULT_UPDATE_WAY_BACK_H

#include "update/common.h"

/* Where a rollback would go, found in what the device has kept of its slots. Page, API and rollback itself ask this
 * one function. Under the lock. */
void otapult_find_way_back(const struct otapult *o, struct otapult_way_back *out);

#endif
