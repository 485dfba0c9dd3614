/* SPDX-License-Identifier: Apache-2.0 */
#include "update/outcome.h"

#include <string.h>

#include "update/ticket.h"

#define UPDATE_KEY "ota.update1" /* 1: the format, which is struct otapult_update */

_Static_assert(sizeof(struct otapult_update) == 120, "stored format of an update's outcome");

void otapult_load_outcome(struct otapult *o)
{
    size_t len = 0;

    if (o->port->kv_get(o->port->ctx, UPDATE_KEY, &o->update, sizeof o->update, &len) != 0 ||
        len != sizeof o->update)
        memset(&o->update, 0, sizeof o->update);
}

/* ---- again ---- */

/* Is a second request with the same id answered with the end of the first? Not where the first ended because
 * its client was gone or too slow: then the client means the second as a new attempt. */
static bool is_final(int err)
{
    return err != OTAPULT_E_CONNECTION_LOST && err != OTAPULT_E_STALLED && err != OTAPULT_E_UPLOAD_TOO_SLOW;
}

static bool ended_well(uint8_t outcome)
{
    return outcome == OTAPULT_UPDATE_ACTIVATED || outcome == OTAPULT_UPDATE_STAGED ||
           outcome == OTAPULT_UPDATE_ALREADY;
}

/* Under lock. */
static int recall(struct otapult *o, const struct otapult_update_options *ask, struct otapult_update *past,
                  struct otapult_finding *why)
{
    const struct otapult_update *u = &o->update;
    bool late = ask->boot != 0 && o->journal.boot != 0 && ask->boot != o->journal.boot;
    bool same = ask->id != 0 ? ask->id == u->id : late && ask->boot == u->boot;

    if (same && ended_well(u->outcome)) {
        *past = *u;
        return 0;
    }
    const struct otapult_ended *end = otapult_ended(o, o->update_ticket);
    if (same && u->outcome == OTAPULT_UPDATE_FAILED && end != NULL && is_final(end->err)) {
        *why = end->why;
        return end->err;
    }
    if (!late)
        return 0;
    *why = (struct otapult_finding){.got = ask->boot, .want = o->journal.boot};
    return OTAPULT_E_BOOT_PASSED;
}

int otapult_recall(struct otapult *o, const struct otapult_update_options *options,
                   struct otapult_update *past, struct otapult_finding *why)
{
    memset(past, 0, sizeof *past);
    otapult_lock(o);
    int err = recall(o, options, past, why);
    otapult_unlock(o);
    return err;
}

/* ---- what became of it ---- */

uint32_t otapult_update_id(struct otapult *o, const struct otapult_update_options *options)
{
    uint32_t id = options->id;

    if (id == 0 && o->port->random(o->port->ctx, &id, sizeof id) != 0)
        id = o->journal.boot << 16 | o->tickets; /* told apart is all it needs to be */
    return id != 0 ? id : 1;
}

void otapult_outcome_begins(struct otapult *o, uint32_t id)
{
    o->update_ticket = o->ticket;
    o->update = (struct otapult_update){
        .id = id, .boot = o->journal.boot, .outcome = OTAPULT_UPDATE_RUNS, .slot = (int8_t)o->target};
}

void otapult_outcome_ends(struct otapult *o)
{
    if (o->update.outcome == OTAPULT_UPDATE_RUNS)
        o->update.outcome = OTAPULT_UPDATE_FAILED;
}

void otapult_outcome_describe(const struct otapult *o, enum otapult_outcome outcome, int slot,
                              struct otapult_update *out)
{
    const struct otapult_image_info *info = &o->session.judge.inspect.info;

    *out = o->update; /* nobody else writes it while the claim is taken */
    out->outcome = (uint8_t)outcome;
    out->slot = (int8_t)slot;
    out->size = info->size;
    otapult_build_id(&info->desc, out->build);
    memcpy(out->version, info->desc.version, sizeof out->version);
    memcpy(out->project, info->desc.project, sizeof out->project);
    memcpy(out->sha256, info->sha256, sizeof out->sha256);
}

void otapult_outcome_done(struct otapult *o, enum otapult_outcome outcome)
{
    struct otapult_update u;

    otapult_outcome_describe(o, outcome, outcome == OTAPULT_UPDATE_ALREADY ? o->slots.running : o->target,
                             &u);
    if (outcome != OTAPULT_UPDATE_ALREADY && o->port->kv_set(o->port->ctx, UPDATE_KEY, &u, sizeof u) != 0)
        otapult_log(o, OTAPULT_LOG_ERROR, "the store failed to keep what became of the update");
    otapult_lock(o);
    o->update = u;
    otapult_unlock(o);
}

void otapult_last_update(struct otapult *o, struct otapult_update *out)
{
    otapult_lock(o);
    *out = o->update;
    otapult_unlock(o);
}
