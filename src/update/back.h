/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OTAPULT_UPDATE_BACK_H
#define OTAPULT_UPDATE_BACK_H

#include "update/common.h"

/* Makes the image in slot `index` the next boot's, once it was verified as a whole. By the claim's holder. 0, or
 * NO_ROLLBACK with the reason, or the port's error; then the old choice still holds. */
OTAPULT_MUST_CHECK int otapult_go_to(struct otapult *o, int index, struct otapult_finding *why);

#endif
