/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OTAPULT_UPDATE_STATUS_H
#define OTAPULT_UPDATE_STATUS_H

#include "update/common.h"

/* What anybody may know at any time: otapult_status(), otapult_log_entry() and otapult_event_name() of
 * otapult.h, and what door.h says of the configuration. Takes no claim: what it copies is written under the lock. */

#endif
