/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OTAPULT_WEB_GATE_H
#define OTAPULT_WEB_GATE_H

#include "otapult/http.h"

/* What every request passes when its headers are in, before the first byte of its body, in this order:
 * its length, the host it is for, the page it comes from; then what the profile asks for. */

/* false: it was refused, and the answer is written. Sets x->who. */
bool otapult_gate(struct otapult_exchange *x);

/* The profile that guards this request; NULL: the open one, or no device of Otapult's. */
const struct otapult_secure *otapult_profile_of(const struct otapult_exchange *x);

/* false: the login that let this request in has ended. */
bool otapult_gate_still(const struct otapult_exchange *x);

/* What the login of this request rests on: another one for another password, or another API token of the same
 * name; the same in every boot. All zero in the open profile. Not to be shown to anybody as it is. */
void otapult_http_mark(const struct otapult_exchange *x, uint8_t mark[16]);

#endif
