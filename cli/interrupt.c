/* SPDX-License-Identifier: Apache-2.0 */
#include "interrupt.h"

#include <signal.h>
#include <stddef.h>

/* The handler notes the signal and is gone after the first (SA_RESETHAND), so the second one ends the process
 * as it does anywhere: a command that does not come to its orderly end must never be one that cannot be
 * stopped. */

static volatile sig_atomic_t caught;

static void note(int signal)
{
    (void)signal;
    caught = 1;
}

void interrupt_catch(void)
{
    const struct sigaction once = {.sa_handler = note, .sa_flags = (int)SA_RESETHAND};
    struct sigaction before;

    if (interrupted())
        return; /* the next one ends it at once */
    sigaction(SIGINT, &once, NULL);
    sigaction(SIGTERM, &once, NULL);
    sigaction(SIGHUP, NULL, &before);
    if (before.sa_handler != SIG_IGN) /* nohup */
        sigaction(SIGHUP, &once, NULL);
}

bool interrupted(void)
{
    return caught != 0;
}
