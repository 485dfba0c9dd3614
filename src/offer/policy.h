/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OTAPULT_OFFER_POLICY_H
#define OTAPULT_OFFER_POLICY_H

#include "otapult/offer.h"

/* When a device asks, and when it takes what is offered. Nothing here keeps a state or calls anybody. */

/* ---- is it taken? ---- */

/* What speaks for an offer, and against it. */
struct otapult_circumstances {
    bool same;          /* it is what runs */
    bool other_project;
    bool older;         /* than what runs, unless offer and configuration both allow a downgrade */
    bool unconfirmed;   /* what runs waits for its own confirmation */
    bool chosen;        /* a person has said INSTALL */
    bool skipped;       /* or SKIP */
    bool later;         /* or LATER, within a day */
    bool failed;        /* the build was rejected here, or crashed, or did not load */
    bool refused;       /* the file was refused here; where a source is told, for this action */
    bool left;          /* of all offers it was confirmed here last, and yet something else runs: somebody wanted that */
    bool not_now;       /* says the source */
    bool asks;          /* the policy wants a person's word for it */
    bool clockless;     /* there is a window, and no clock */
    bool closed;        /* the window is */
};

enum otapult_verdict_of_offer {
    OTAPULT_TAKE_IT,
    OTAPULT_WAIT,  /* as things are now; a person may take it */
    OTAPULT_NEVER, /* not even a person */
    OTAPULT_DROP,  /* it runs already, so there is nothing to offer */
};

struct otapult_judgement {
    enum otapult_verdict_of_offer verdict;
    bool        final; /* it will not be taken by itself: a source that waits for the end of it is told */
    const char *wait; /* why not, English, static; NULL: it is taken */
    int         err;  /* NEVER: what a person is told */
};

/* A table; the first row that holds decides. */
struct otapult_judgement otapult_judge_offer(const struct otapult_circumstances *c);

/* Is version `offered` below `running`? Where either follows no order, it is not. */
bool otapult_offer_is_older(const char *offered, const char *running);

/* ---- the maintenance window ---- */

/* Is `t` inside of it? `shift`: minutes by which this robot begins later than the others. */
bool otapult_window_open(const struct otapult_window *w, const struct otapult_wall_time *t, uint32_t shift);

/* The most that the begin is shifted: half an hour, or half the window where that is shorter. */
uint32_t otapult_window_spread(const struct otapult_window *w);

/* Is that a time of today's world? A clock that nobody has set says 1970 or the day of its firmware. */
bool otapult_time_is_good(const struct otapult_wall_time *t);

/* ---- the robots apart ---- */

/* A number below `range` (0: 0) that `id` and `salt` decide: the same for a robot, spread evenly over many. */
uint32_t otapult_spread(const char *id, uint32_t salt, uint32_t range);

/* Is it this robot's turn, when `percentage` of all may take `what`? By SHA-256 of "id:what": the first four bytes,
 * little-endian, modulo 100, are below it. So each release begins with other robots. */
bool otapult_is_its_turn(const char *id, const char *what, uint32_t percentage);

/* Seconds until the next question, after `failures` in a row without an answer; 0: the last one was answered.
 * `said`: by the server; 0: nothing. Never 0, at most OTAPULT_ASK_MAX. */
#define OTAPULT_ASK_MAX 2000000u /* 23 days: what the clock of the port can count is 24 */
uint32_t otapult_ask_again(const struct otapult_pull *pull, uint32_t failures, uint32_t said, uint32_t asked);

#endif
