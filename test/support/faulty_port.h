/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TEST_FAULTY_PORT_H
#define TEST_FAULTY_PORT_H

#include "otapult/port.h"

/* A port, wrapped: it counts the calls of every function that can fail, those of the flash it opens too,
 * and makes one of them fail, or lie. Counts run on through all lives of a device. */

enum faulty_call {
    FAULTY_SLOTS,
    FAULTY_SLOT,
    FAULTY_OPEN,
    FAULTY_ACTIVATE,
    FAULTY_CONFIRM,
    FAULTY_REJECT,
    FAULTY_KV_GET,
    FAULTY_KV_SET,
    FAULTY_RANDOM,
    FAULTY_READ, /* of a slot's flash, as the next two */
    FAULTY_WRITE,
    FAULTY_ERASE,
    FAULTY_CALLS
};

enum faulty_how {
    FAULTY_INSTEAD, /* the error, and nothing happens: what was to be filled stays as it was */
    FAULTY_AFTER,   /* the error, although it was done; what was to be filled holds rubbish */
    FAULTY_SHORT,   /* a read: 0, but the second half of what was to be filled stays as it was */
    FAULTY_NOTHING, /* a read: 0, but all of it stays as it was */
    FAULTY_FLIP,    /* a read or kv_get: 0, but bit number `bit` of it (modulo its length) is wrong */
};

struct faulty_plan {
    enum faulty_call call;
    unsigned         at; /* the number of the call, from 1; 0: nothing fails */
    bool             for_good; /* all later ones too */
    enum faulty_how  how;
    int              err;
    unsigned         bit;
};

struct faulty_port {
    struct otapult_port inner;
    struct faulty_flash {
        struct faulty_port  *port;
        struct otapult_flash inner;
    } flash[OTAPULT_SLOTS_MAX + 1];
    struct faulty_plan plan;
    unsigned calls[FAULTY_CALLS];
    unsigned restarts; /* calls of restart() */
    unsigned struck;   /* how many calls have failed */
    int      struck_slot; /* whose flash the last one was of; OTAPULT_SLOT_NONE: it was of none */
};

/* The `wrap` of a struct world: puts the struct faulty_port at `ctx` before *port. */
void faulty_port_wrap(void *ctx, struct otapult_port *port);

/* Counts from 0 again and follows `plan`; NULL: nothing fails any more, the counts go on. */
void faulty_port_arm(struct faulty_port *f, const struct faulty_plan *plan);

/* "slots", "kv_set", "write", … */
const char *faulty_call_name(enum faulty_call call);

#endif
