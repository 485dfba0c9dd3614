/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_OUTCOMES_H
#define CLI_OUTCOMES_H

#include <stdbool.h>

/* What can come of a roll-out for one robot. */

enum outcome {
#define OUTCOME(id, word, words, status, proved) OUTCOME_##id,
#include "outcomes.def"
    OUTCOMES
};

struct outcome_row {
    const char *word, *words;
    int status;
    bool proved;
};
extern const struct outcome_row outcome_table[OUTCOMES];

#endif
