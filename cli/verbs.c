/* SPDX-License-Identifier: Apache-2.0 */
#include <ctype.h>
#include <stdbool.h>
#include <string.h>

#include "command.h"

const struct verb *const verbs[] = {
    &verb_push,    &verb_activate, &verb_discover,   &verb_status, &verb_watch,      &verb_log,
    &verb_confirm, &verb_rollback, &verb_reboot,     &verb_cancel, &verb_offer,      &verb_login,
    &verb_info,    &verb_check,    &verb_extract,    &verb_patch,  &verb_release,    &verb_sign,
    &verb_verify,  &verb_keygen,   &verb_key_digest, &verb_help,   &verb_completion, NULL,
};

const struct status_row status_table[] = {
    {STATUS_OK, "done; of a robot: proved, not only sent"},
    {STATUS_NO, "no: the file or the robot refuses, or a file cannot be read or written"},
    {STATUS_USAGE, "the command line, or a file that stands for it, is wrong; nothing was done"},
    {STATUS_UNREACHABLE, "a robot cannot be reached, or was not asked because the roll-out stopped"},
    {STATUS_STRANGER,
     "not the robot of last time, not a known one, not an Otapult device, or no login for it"},
    {STATUS_UNPROVED,
     "sent, but the new firmware is not proved: it went back, is still on trial, or the robot "
     "did not come back"},
    {STATUS_INTERRUPTED, "interrupted by Ctrl-C; the state of each robot was said"},
};
const size_t status_rows = sizeof status_table / sizeof status_table[0];

const struct verb *verb_find(const char *name)
{
    for (unsigned i = 0; verbs[i] != NULL; i++) {
        if (strcmp(verbs[i]->name, name) == 0)
            return verbs[i];
    }
    return NULL;
}

/* ---- what was probably meant ---- */

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
