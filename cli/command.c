/* SPDX-License-Identifier: Apache-2.0 */
#include "command.h"

#include <string.h>

/* The exit statuses in words, and the search for a verb. The numbers are an interface: scripts and CI compare
 * them. */

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

const struct verb *verb_find(const struct verb *const *verbs, const char *name)
{
    for (; *verbs != NULL; verbs++) {
        if (strcmp((*verbs)->name, name) == 0)
            return *verbs;
    }
    return NULL;
}
