/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_VERBS_H
#define CLI_VERBS_H

#include "command.h"

/* All verbs, in the order of the overview; the last is NULL. For main() alone: the list names every verb, so a verb that
 * needs the list has it from options->verbs. */
extern const struct verb *const verbs[];

#endif
