/* SPDX-License-Identifier: Apache-2.0 */
#include "near.h"

#include <ctype.h>
#include <stdbool.h>
#include <string.h>

/* The word of a table that is nearest to a mistyped one, by Damerau and Levenshtein's distance: about one
 * change for each three letters still counts as near. It is only ever suggested, never taken. */

#define WORD_MAX 32u

static unsigned least_of(unsigned a, unsigned b)
{
    return a < b ? a : b;
}

static bool same_letter(char a, char b)
{
    return tolower((unsigned char)a) == tolower((unsigned char)b);
}

/* Letters to be put in, left out, changed, or swapped with their neighbour, to make b of a. */
static unsigned distance(const char *a, const char *b)
{
    unsigned rows[3][WORD_MAX + 1] = {{0}};
    size_t m = strlen(a), n = strlen(b);

    if (m > WORD_MAX || n > WORD_MAX)
        return WORD_MAX;
    for (unsigned j = 0; j <= n; j++)
        rows[0][j] = j;
    for (unsigned i = 1; i <= m; i++) {
        unsigned *now = rows[i % 3], *last = rows[(i + 2) % 3], *before = rows[(i + 1) % 3];
        now[0] = i;
        for (unsigned j = 1; j <= n; j++) {
            now[j] =
                least_of(least_of(last[j], now[j - 1]) + 1, last[j - 1] + !same_letter(a[i - 1], b[j - 1]));
            if (i > 1 && j > 1 && same_letter(a[i - 1], b[j - 2]) && same_letter(a[i - 2], b[j - 1]))
                now[j] = least_of(now[j], before[j - 2] + 1);
        }
    }
    return rows[m % 3][n];
}

const char *nearest_word(const char *typed, const char *(*word_at)(const void *list, unsigned index),
                         const void *list)
{
    const char *best = NULL, *word;
    unsigned bound = (unsigned)strlen(typed) / 3 + 1, least = bound + 1;

    for (unsigned i = 0; (word = word_at(list, i)) != NULL; i++) {
        unsigned d = distance(typed, word);
        if (d < least) {
            least = d;
            best = word;
        }
    }
    return best;
}
