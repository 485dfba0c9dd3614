/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OTAPULT_UPDATE_PACE_H
#define OTAPULT_UPDATE_PACE_H

#include "otapult/otapult.h"

/* Does the client of an update send fast enough? Only the time counts in which the device waits for it: what the
 * device needs itself, for erasing or unpacking, is not the client's fault. All of it under the lock. */
struct otapult_pace {
    uint32_t touched_ms; /* when the client's last call ended */
    uint32_t counted_ms; /* up to when its time is in the two below */
    uint32_t waited_ms;  /* in this period */
    uint32_t total_ms;   /* since the update began */
    uint32_t from;       /* bytes of the file that had come when this period began */
};

void otapult_pace_begin(struct otapult_pace *p, uint32_t now);

/* The client that `before` is of has begun anew. Who does so again and again must not hold the device for longer by it
 * than one who waits: all of the time counts on, and while nothing has come (`received` is 0, of the attempt before)
 * the silence, too. */
void otapult_pace_again(struct otapult_pace *p, const struct otapult_pace *before, uint32_t received);

/* A call of the client begins, and ends. */
void otapult_pace_enter(struct otapult_pace *p, uint32_t now);
void otapult_pace_leave(struct otapult_pace *p, uint32_t now);

/* Between two calls, `received` bytes having come: 0, STALLED or UPLOAD_TOO_SLOW. */
OTAPULT_MUST_CHECK int otapult_pace_check(struct otapult_pace *p, const struct otapult_config *config,
                                          uint32_t now, uint32_t received, struct otapult_finding *why);

/* The same for a client that may go away and come back: each period is longer by config->resume_ms, which it may be
 * away. */
OTAPULT_MUST_CHECK int otapult_pace_check_resumable(struct otapult_pace *p, const struct otapult_config *config,
                                                    uint32_t now, uint32_t received,
                                                    struct otapult_finding *why);

#endif
