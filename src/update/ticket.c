/* SPDX-License-Identifier: Apache-2.0 */
#include "update/ticket.h"

uint32_t otapult_give_ticket(struct otapult *o)
{
    if (++o->tickets == 0) /* 0 is nobody's */
        ++o->tickets;
    o->ticket = o->tickets;
    o->inside = true;
    return o->ticket;
}

void otapult_end_ticket(struct otapult *o, int err)
{
    o->last_ticket = o->ticket;
    o->last_err = err;
    o->ticket = 0;
    o->inside = false;
}

static int error_of_old_ticket(const struct otapult *o, uint32_t ticket)
{
    return ticket == o->last_ticket && o->last_err != 0 ? o->last_err : OTAPULT_E_STALLED;
}

int otapult_enter(struct otapult *o, uint32_t ticket)
{
    int err = 0;

    otapult_lock(o);
    if (ticket == 0 || ticket != o->ticket)
        err = error_of_old_ticket(o, ticket);
    else if (o->inside)
        err = OTAPULT_E_INTERNAL;
    else
        o->inside = true;
    otapult_unlock(o);
    return err;
}

void otapult_count_bytes(struct otapult *o)
{
    o->received = o->came;
    o->written = o->session.writer.written;
}

void otapult_leave(struct otapult *o)
{
    otapult_lock(o);
    o->inside = false;
    o->touched_ms = otapult_now(o);
    otapult_count_bytes(o);
    otapult_unlock(o);
}

int otapult_touch(struct otapult *o, uint32_t ticket)
{
    int err = otapult_enter(o, ticket);

    if (err == 0)
        otapult_leave(o);
    return err;
}
