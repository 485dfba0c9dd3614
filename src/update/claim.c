/* SPDX-License-Identifier: Apache-2.0 */
#include "update/claim.h"

#include "base/text.h"

/* The claim is a word under the lock and nothing waits for it: a web client that waited would hold one of a
 * board's few sockets, and a person wants to read what is under way. */

/* Where a restart is due the caller hears of it, whatever else holds the device: it should ask again after
 * that. */
int otapult_take_locked(struct otapult *o, enum otapult_claim what, const char *by,
                        struct otapult_finding *why)
{
    if (o->restarting)
        return OTAPULT_E_REBOOTING;
    if (o->claim != OTAPULT_FREE) {
        *why = (struct otapult_finding){.at = o->claim, .got = o->received, .want = o->total};
        return OTAPULT_E_BUSY;
    }
    o->claim = what;
    otapult_text_set(o->by, sizeof o->by, by);
    return 0;
}

int otapult_take(struct otapult *o, enum otapult_claim what, const char *by, struct otapult_finding *why)
{
    otapult_lock(o);
    int err = otapult_take_locked(o, what, by, why);
    otapult_unlock(o);
    return err;
}

void otapult_give_back_locked(struct otapult *o)
{
    if (!o->restarting)
        o->claim = OTAPULT_FREE;
}

void otapult_give_back(struct otapult *o)
{
    otapult_lock(o);
    otapult_give_back_locked(o);
    otapult_unlock(o);
}

/* A function, although it only names a member: so one can search for the callers that use the session's
 * memory without being an upload. */
struct otapult_session *otapult_borrow(struct otapult *o)
{
    return &o->session;
}

void otapult_restart_in(struct otapult *o, uint32_t ms, const char *why)
{
    otapult_lock(o);
    o->restarting = true;
    o->restart_at_ms = otapult_now(o) + ms;
    o->restart_why = why;
    otapult_unlock(o);
}

int otapult_ask_ready(struct otapult *o, struct otapult_finding *why)
{
    o->reason[0] = '\0';
    if (o->config.ready(o->config.app, o->reason, sizeof o->reason))
        return 0;
    *why = (struct otapult_finding){.text = o->reason[0] != '\0' ? o->reason : "not now"};
    return OTAPULT_E_NOT_READY;
}

void otapult_hold(struct otapult *o, bool on)
{
    if (o->held == on)
        return;
    o->held = on;
    o->config.hold(o->config.app, on);
}

/* ---- what ends in a restart ---- */

int otapult_take_to_restart(struct otapult *o, enum otapult_claim what, const char *by,
                            struct otapult_finding *why)
{
    *why = (struct otapult_finding){0};
    int err = otapult_take(o, what, by, why);
    if (err != 0)
        return err;
    err = otapult_ask_ready(o, why);
    if (err == 0)
        otapult_hold(o, true);
    else
        otapult_give_back(o);
    return err;
}

/* After the restart was asked for, giving back does nothing: the claim stays taken until it comes. */
void otapult_end_in_restart(struct otapult *o, int err, const char *why)
{
    if (err != 0)
        otapult_hold(o, false);
    else
        otapult_restart_in(o, o->config.restart_ms, why);
    otapult_give_back(o);
}
