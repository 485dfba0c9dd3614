/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "rollout.h"

const struct kind_row kind_table[KINDS] = {
#define KIND(id, word, probe, evidence, before, upload, field, success) \
    [KIND_##id] = {word, probe, evidence, before, upload, field, success},
#include "kinds.def"
};

bool kind_by_word(const char *word, enum kind *out)
{
    for (unsigned k = 0; k < KINDS; k++) {
        if (strcmp(word, kind_table[k].word) == 0) {
            *out = (enum kind)k;
            return true;
        }
    }
    fprintf(stderr, "otapult: %s: no such kind of device; known are", say_clean(word));
    for (unsigned k = 0; k < KINDS; k++)
        fprintf(stderr, " %s", kind_table[k].word);
    fputc('\n', stderr);
    return false;
}
