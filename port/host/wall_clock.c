/* SPDX-License-Identifier: Apache-2.0 */
#include "wall_clock.h"

#include <time.h>

/* The offers' times have 32 bits: a clock beyond them, after 2106, counts as none. */
static bool now(void *ctx, struct otapult_wall_time *out)
{
    time_t t = time(NULL);
    struct tm here;

    (void)ctx;
    if (t <= 0 || t > (time_t)UINT32_MAX || localtime_r(&t, &here) == NULL)
        return false;
    *out = (struct otapult_wall_time){.unix_s = (uint32_t)t,
                                      .minute = (uint16_t)(here.tm_hour * 60 + here.tm_min),
                                      .weekday = (uint8_t)here.tm_wday};
    return true;
}

const struct otapult_clock wall_clock = {.now = now};
