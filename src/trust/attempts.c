/* SPDX-License-Identifier: Apache-2.0 */
#include "trust/attempts.h"

#include <stddef.h>
#include <string.h>

#define SOURCES   (sizeof((struct otapult_attempts *)0)->source / sizeof(struct otapult_source))
#define KNOWN     (sizeof((struct otapult_attempts *)0)->known / sizeof(struct otapult_source))
#define CREDIT    (OTAPULT_ATTEMPTS_BURST * OTAPULT_ATTEMPTS_EVERY)
#define FORGOTTEN 3600000u /* ms without an attempt */

void otapult_attempts_init(struct otapult_attempts *a, uint32_t now)
{
    memset(a, 0, sizeof *a);
    a->credit_ms = CREDIT;
    a->filled_ms = now;
}

/* An IPv4 address, or the network half of an IPv6 one: a host there has addresses without end. */
static void key_of(const uint8_t source[16], uint8_t key[8])
{
    static const uint8_t ipv4[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF};
    bool is_ipv4 = memcmp(source, ipv4, sizeof ipv4) == 0;

    memcpy(key, is_ipv4 ? source + 8 : source, 8);
}

static struct otapult_source *find(struct otapult_source *list, size_t count, const uint8_t key[8])
{
    for (size_t i = 0; i < count; i++) {
        if (list[i].used && memcmp(list[i].key, key, sizeof list[i].key) == 0)
            return &list[i];
    }
    return NULL;
}

/* The place for a new source: a free one, else that of the source that has been silent for longest. */
static struct otapult_source *place(struct otapult_source *list, size_t count, uint32_t now)
{
    struct otapult_source *best = &list[0];

    for (size_t i = 0; i < count; i++) {
        if (!list[i].used)
            return &list[i];
        if (now - list[i].at_ms > now - best->at_ms)
            best = &list[i];
    }
    return best;
}

static struct otapult_source *enter(struct otapult_source *list, size_t count, const uint8_t key[8],
                                    uint32_t now)
{
    struct otapult_source *s = place(list, count, now);

    *s = (struct otapult_source){.at_ms = now, .used = true};
    memcpy(s->key, key, sizeof s->key);
    return s;
}

static uint32_t delay_after(unsigned failures)
{
    unsigned doublings = failures - OTAPULT_ATTEMPTS_FREE;

    if (failures < OTAPULT_ATTEMPTS_FREE)
        return 0;
    return doublings < 6 ? 1000u << doublings : OTAPULT_ATTEMPTS_WAIT_MAX;
}

/* Only an attempt that was looked at moves at_ms, so asking again and again does not lengthen the wait. */
static uint32_t own_wait(struct otapult_source *s, uint32_t now)
{
    uint32_t passed = now - s->at_ms;

    if (passed >= FORGOTTEN)
        s->failures = 0;
    uint32_t delay = delay_after(s->failures);
    return passed < delay ? delay - passed : 0;
}

/* Fills the credit up with the time that has passed. Nothing is paid here: an attempt that has to wait for
 * its own source's delay must not use up the total of everybody else. */
static uint32_t total_wait(struct otapult_attempts *a, uint32_t now)
{
    uint32_t passed = now - a->filled_ms;

    a->credit_ms = passed < CREDIT - a->credit_ms ? a->credit_ms + passed : CREDIT;
    a->filled_ms = now;
    return a->credit_ms < OTAPULT_ATTEMPTS_EVERY ? OTAPULT_ATTEMPTS_EVERY - a->credit_ms : 0;
}

/* The attempt may be made: no milliseconds to wait. It counts as a failure until a good result comes. */
static uint32_t count(struct otapult_source *s, uint32_t now)
{
    s->at_ms = now;
    s->failures = (uint8_t)(s->failures < UINT8_MAX ? s->failures + 1 : UINT8_MAX);
    return 0;
}

uint32_t otapult_attempts_ask(struct otapult_attempts *a, const uint8_t source[16], uint32_t now)
{
    uint8_t key[8];

    key_of(source, key);
    uint32_t total = total_wait(a, now);
    struct otapult_source *s = find(a->known, KNOWN, key);
    if (s != NULL) {
        uint32_t wait = own_wait(s, now);
        return wait != 0 ? wait : count(s, now);
    }
    s = find(a->source, SOURCES, key);
    uint32_t wait = s == NULL ? 0 : own_wait(s, now);
    if (wait != 0 || total != 0)
        return wait > total ? wait : total;
    a->credit_ms -= OTAPULT_ATTEMPTS_EVERY;
    return count(s != NULL ? s : enter(a->source, SOURCES, key, now), now);
}

/* A wrong password was counted when it was asked about. A right one moves its source to the known ones. */
void otapult_attempts_result(struct otapult_attempts *a, const uint8_t source[16], uint32_t now, bool good)
{
    uint8_t key[8];

    if (!good)
        return;
    key_of(source, key);
    struct otapult_source *before = find(a->source, SOURCES, key);
    struct otapult_source *s = find(a->known, KNOWN, key);
    if (before != NULL)
        before->used = false;
    if (s == NULL)
        s = enter(a->known, KNOWN, key, now);
    s->failures = 0;
    s->at_ms = now;
}
