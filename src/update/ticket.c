/* SPDX-License-Identifier: Apache-2.0 */
#include "update/ticket.h"

#include "base/text.h"

static uint32_t next_ticket(struct otapult *o)
{
    if (++o->tickets == 0) /* 0 is nobody's */
        ++o->tickets;
    return o->tickets;
}

uint32_t otapult_give_ticket(struct otapult *o)
{
    o->ticket = next_ticket(o);
    o->inside = true;
    o->ending = o->settled = false;
    otapult_pace_begin(&o->pace, otapult_now(o));
    return o->ticket;
}

void otapult_end_ticket(struct otapult *o, int err, const struct otapult_finding *why)
{
    struct otapult_ended *e = &o->ended[o->ended_next++ % OTAPULT_ENDED];

    *e = (struct otapult_ended){.ticket = o->ticket, .err = err, .why = *why};
    otapult_text_set(e->text, sizeof e->text, why->text);
    e->why.text = why->text != NULL ? e->text : NULL;
    e->emptied = err != 0 && o->had_image && o->session.writer.touched;
    otapult_drop_ticket(o);
}

void otapult_drop_ticket(struct otapult *o)
{
    o->ticket = 0;
    o->inside = false;
}

const struct otapult_ended *otapult_ended(const struct otapult *o, uint32_t ticket)
{
    for (unsigned n = 0; n < OTAPULT_ENDED; n++)
        if (ticket != 0 && o->ended[n].ticket == ticket)
            return &o->ended[n];
    return NULL;
}

uint32_t otapult_change_ticket(struct otapult *o)
{
    const bool inside = o->inside;

    otapult_end_ticket(o, OTAPULT_E_CONNECTION_LOST, &(struct otapult_finding){.got = o->received});
    o->inside = inside;
    o->ticket = next_ticket(o);
    return o->ticket;
}

/* A ticket that is no longer remembered: at least OTAPULT_ENDED updates have ended since, so its client was
 * silent for long. */
static int error_of_old_ticket(const struct otapult *o, uint32_t ticket)
{
    const struct otapult_ended *e = otapult_ended(o, ticket);

    return e != NULL && e->err != 0 ? e->err : OTAPULT_E_STALLED;
}

/* While a call is inside, the update is its client's alone. poll() and requests that want to end it look at
 * `inside` under the same lock: poll() then waits, a request leaves a word (`ending`) for go_on(). */
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
    if (err == 0)
        otapult_pace_enter(&o->pace, otapult_now(o));
    otapult_unlock(o);
    return err;
}

/* *why points to `ended_by` and is read without the lock. That is safe, because it is written once for an
 * update, and this one still runs. */
static int go_on(struct otapult *o, bool for_good, struct otapult_finding *why)
{
    otapult_lock(o);
    bool ending = o->ending;
    o->settled = for_good && !ending;
    otapult_unlock(o);
    if (!ending)
        return 0;
    *why = (struct otapult_finding){.text = o->ended_by};
    return OTAPULT_E_UPLOAD_ENDED;
}

int otapult_go_on(struct otapult *o, struct otapult_finding *why)
{
    return go_on(o, false, why);
}

int otapult_settle(struct otapult *o, struct otapult_finding *why)
{
    return go_on(o, true, why);
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
    otapult_pace_leave(&o->pace, otapult_now(o));
    otapult_count_bytes(o);
    otapult_unlock(o);
}

int otapult_has_ended(struct otapult *o, uint32_t ticket)
{
    otapult_lock(o);
    int err = ticket != 0 && ticket == o->ticket ? 0 : error_of_old_ticket(o, ticket);
    otapult_unlock(o);
    return err;
}

int otapult_touch(struct otapult *o, uint32_t ticket)
{
    int err = otapult_enter(o, ticket);

    if (err == 0)
        otapult_leave(o);
    return err;
}

void otapult_why_ended(struct otapult *o, uint32_t ticket, struct otapult_finding *why, char *text,
                       size_t cap)
{
    otapult_lock(o);
    const struct otapult_ended *e = otapult_ended(o, ticket);
    *why = e != NULL ? e->why : (struct otapult_finding){.got = o->config.stall_ms / 1000};
    otapult_text_set(text, cap, why->text);
    if (why->text != NULL)
        why->text = text;
    otapult_unlock(o);
}

bool otapult_has_emptied(struct otapult *o, uint32_t ticket)
{
    otapult_lock(o);
    const struct otapult_ended *e = otapult_ended(o, ticket);
    bool emptied = e != NULL && e->emptied;
    otapult_unlock(o);
    return emptied;
}
