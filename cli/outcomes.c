/* SPDX-License-Identifier: Apache-2.0 */
#include "outcomes.h"

#include "command.h"

/* The rows of outcomes.def as a table. */

const struct outcome_row outcome_table[OUTCOMES] = {
#define OUTCOME(id, word, words, status, proved) [OUTCOME_##id] = {word, words, status, proved},
#include "outcomes.def"
};
