/* SPDX-License-Identifier: Apache-2.0 */
#include "mhd_internal.h"

#include <errno.h>

/* Waiting by the monotonic clock: somebody who sets this computer's time neither stops a wait nor lengthens
 * it. */

bool mhd_is_cut(struct mhd_server *s)
{
    pthread_mutex_lock(&s->mutex);
    bool cut = s->is_cut != NULL && s->is_cut();
    pthread_mutex_unlock(&s->mutex);
    return cut;
}

struct timespec mhd_after_ms(long ms)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    t.tv_sec += ms / 1000;
    t.tv_nsec += ms % 1000 * 1000000L;
    t.tv_sec += t.tv_nsec / 1000000000L;
    t.tv_nsec %= 1000000000L;
    return t;
}

bool mhd_wait_until(struct mhd_server *s, const struct timespec *until)
{
    return pthread_cond_clockwait(&s->moved, &s->mutex, CLOCK_MONOTONIC, until) != ETIMEDOUT;
}
