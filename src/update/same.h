/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OTAPULT_UPDATE_SAME_H
#define OTAPULT_UPDATE_SAME_H

#include "flash/slot_writer.h"

/* Is the file that comes the one that runs? While its bytes are those of the running slot nothing is written: a
 * click that comes twice, or a script that sends what is there, costs neither the other slot's image nor an erase.
 * At the first byte that differs the writer gets all bytes so far out of the running slot, which has the same. The judge
 * sees each byte before this does, the writer after it. */

struct otapult_same {
    bool     on;  /* so far every byte is the running slot's */
    uint32_t len; /* how many */
    struct otapult_flash running; /* for reading */
    int    (*go_on)(void *ctx, struct otapult_finding *why);
    void    *ctx;
};

/* Before the first byte. Keeps a copy of *running. go_on is asked before anything is written and before each sector
 * that is written late, and may end it with an error. */
void otapult_same_begin(struct otapult_same *s, const struct otapult_flash *running,
                        int (*go_on)(void *ctx, struct otapult_finding *why), void *ctx);

/* While s->on: the next n > 0 bytes on their way to the writer, whose sector buffer is used for reading until then.
 * 0; the port's error of reading the running slot again, where that is needed; go_on's; the writer's. */
OTAPULT_MUST_CHECK int otapult_same_feed(struct otapult_same *s, struct otapult_slot_writer *w,
                                         const uint8_t *p, size_t n, struct otapult_finding *why);

#endif
