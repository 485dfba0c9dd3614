/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OTAPULT_UPDATE_SELF_TEST_H
#define OTAPULT_UPDATE_SELF_TEST_H

#include "image/judge.h"

/* Do the checks refuse what they must? A check that is switched off by a build option, or a crypto library
 * that says yes to everything, looks like one that works until an attacker comes. So a tiny image without
 * a signature and one signed with an unknown key go the way of an upload, through the judge, as far as
 * flash. NULL: they were refused; else what was not, and then no update may be taken.
 * Uses `j` and `scratch`. Costs two verifications of ECDSA P-256. */
OTAPULT_MUST_CHECK const char *otapult_self_test(struct otapult_judge *j,
                                                 uint8_t scratch[OTAPULT_SIGNATURE_SECTOR],
                                                 const struct otapult_trust *trust);

#endif
