/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OTAPULT_TRUST_ATTEMPTS_H
#define OTAPULT_TRUST_ATTEMPTS_H

#include <stdbool.h>
#include <stdint.h>

/* How often a password may be tried. Pure bookkeeping: the caller brings the clock and the lock.
 *
 *   per source  after FREE attempts that were wrong the next one waits 1 s, 2 s, 4 s … up to a minute
 *   in total    one attempt every 3 s, with 20 in hand, over all sources together; a source that has
 *               logged in before does not stand in that queue
 *
 * An attempt that comes too early is not looked at, costs nothing and does not lengthen the wait, so
 * nobody can be kept out by attempts from elsewhere:
 *   - a source that has logged in before (the last 4 are remembered) waits for no other source;
 *   - a source that is new waits for a share of the total; one other source, or a few, cannot use that up,
 *     because they wait for their own delay.
 * What this does not give: an attacker who commands many addresses can use up the total, and then a
 * source that is new has to be quick. Sessions and API tokens are not attempts, and a person at the
 * device can make a new password. An attacker at the owner's own address shares the owner's delay. */

#define OTAPULT_ATTEMPTS_FREE     5u
#define OTAPULT_ATTEMPTS_WAIT_MAX 60000u /* ms, per source */
#define OTAPULT_ATTEMPTS_EVERY    3000u  /* ms, in total */
#define OTAPULT_ATTEMPTS_BURST    20u

struct otapult_source {
    uint8_t  key[8];
    uint32_t at_ms;    /* of its last attempt */
    uint8_t  failures; /* in a row */
    bool     used;
};

struct otapult_attempts {
    struct otapult_source source[8]; /* that have not logged in; the one silent for longest makes room */
    struct otapult_source known[4];  /* that have */
    uint32_t credit_ms; /* of the total: an attempt costs EVERY */
    uint32_t filled_ms; /* when it was last filled up */
};

void otapult_attempts_init(struct otapult_attempts *a, uint32_t now);

/* May `source` (an IPv6 address; a whole /64 counts as one source) try now? 0: yes, and the attempt is
 * counted as a failure until result() says otherwise, so that many at once get no further than many in a
 * row. Otherwise the milliseconds to wait. */
uint32_t otapult_attempts_ask(struct otapult_attempts *a, const uint8_t source[16], uint32_t now);

/* What became of an attempt that was allowed. */
void otapult_attempts_result(struct otapult_attempts *a, const uint8_t source[16], uint32_t now, bool good);

#endif
