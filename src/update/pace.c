/* SPDX-License-Identifier: Apache-2.0 */
#include "update/pace.h"

void otapult_pace_begin(struct otapult_pace *p, uint32_t now)
{
    *p = (struct otapult_pace){.touched_ms = now, .counted_ms = now};
}

/* Adds up differences, each far below 49 days, so it does not matter that the clock wraps. */
static void count(struct otapult_pace *p, uint32_t now)
{
    uint32_t gone = now - p->counted_ms;

    p->waited_ms += gone;
    p->total_ms += gone;
    p->counted_ms = now;
}

void otapult_pace_again(struct otapult_pace *p, const struct otapult_pace *before, uint32_t received)
{
    struct otapult_pace sum = *before;

    count(&sum, p->counted_ms);
    p->total_ms = sum.total_ms;
    if (received != 0)
        return;
    p->waited_ms = sum.waited_ms;
    p->touched_ms = sum.touched_ms;
}

void otapult_pace_enter(struct otapult_pace *p, uint32_t now)
{
    count(p, now);
}

void otapult_pace_leave(struct otapult_pace *p, uint32_t now)
{
    p->touched_ms = p->counted_ms = now;
}

static int too_slow(struct otapult_finding *why, uint32_t bytes, uint32_t ms)
{
    *why = (struct otapult_finding){.got = bytes, .want = ms / 1000};
    return OTAPULT_E_UPLOAD_TOO_SLOW;
}

/* Looks at a period when it is over, and begins the next. In each period the client may be away for `away`
 * ms. */
static int check_rate(struct otapult_pace *p, const struct otapult_config *config, uint32_t away,
                      uint32_t received, struct otapult_finding *why)
{
    uint32_t came = received - p->from;

    if (p->waited_ms < away || p->waited_ms - away < config->min_rate_ms)
        return 0;
    if (came < (uint64_t)config->min_rate * (p->waited_ms - away) / 1000)
        return too_slow(why, came, p->waited_ms);
    p->waited_ms = 0;
    p->from = received;
    return 0;
}

static int check_time(const struct otapult_pace *p, const struct otapult_config *config, uint32_t now,
                      uint32_t patience, uint32_t received, struct otapult_finding *why)
{
    if (now - p->touched_ms >= patience) {
        *why = (struct otapult_finding){.got = patience / 1000};
        return OTAPULT_E_STALLED;
    }
    if (config->upload_ms != 0 && p->total_ms >= config->upload_ms)
        return too_slow(why, received, p->total_ms);
    return 0;
}

int otapult_pace_check(struct otapult_pace *p, const struct otapult_config *config, uint32_t now,
                       uint32_t received, struct otapult_finding *why)
{
    count(p, now);
    int err = check_time(p, config, now, config->stall_ms, received, why);
    return err == 0 ? check_rate(p, config, 0, received, why) : err;
}

int otapult_pace_check_resumable(struct otapult_pace *p, const struct otapult_config *config, uint32_t now,
                                 uint32_t received, struct otapult_finding *why)
{
    count(p, now);
    int err = check_time(p, config, now, config->resume_ms, received, why);
    return err == 0 ? check_rate(p, config, config->resume_ms, received, why) : err;
}
