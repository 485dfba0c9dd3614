/* SPDX-License-Identifier: Apache-2.0 */
#include "kinds.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "say.h"

/* The rows of kinds.def as a table, and the search for a word of it. */

const struct kind_row kind_table[KINDS] = {
#define KIND(id, word, probe, evidence, before, upload, field, success) \
    [KIND_##id] = {word, probe, evidence, before, upload, field, success},
#include "kinds.def"
};

bool kind_by_word(const char *word, enum kind *out)
{
    char known[100];
    struct otapult_text t;

    for (unsigned k = 0; k < KINDS; k++) {
        if (strcmp(word, kind_table[k].word) == 0) {
            *out = (enum kind)k;
            return true;
        }
    }
    otapult_text_init(&t, known, sizeof known);
    for (unsigned k = 0; k < KINDS; k++) {
        otapult_text_str(&t, " ");
        otapult_text_str(&t, kind_table[k].word);
    }
    complain("%s: no such kind of device; known are%s", say_clean(word), known);
    return false;
}
