/* SPDX-License-Identifier: Apache-2.0 */
#include "power.h"

#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <time.h>

static volatile sig_atomic_t off, cut;

static void on_signal(int number)
{
    if (number == SIGUSR1)
        cut = 1;
    else
        off = 1;
}

void power_catch_signals(void)
{
    struct sigaction action = {.sa_handler = on_signal};

    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGUSR1, &action, NULL);
    signal(SIGPIPE, SIG_IGN);
}

bool power_is_off(void)
{
    return off != 0;
}

bool power_is_cut(void)
{
    return cut != 0;
}

bool power_return(void)
{
    bool was_cut = cut != 0;

    cut = 0;
    return was_cut;
}

void power_sleep_us(uint64_t us)
{
    struct timespec t = {(time_t)(us / 1000000), (long)(us % 1000000 * 1000)};

    while (nanosleep(&t, &t) != 0 && errno == EINTR && !off)
        ;
}
