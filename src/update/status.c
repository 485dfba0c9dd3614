/* SPDX-License-Identifier: Apache-2.0 */
#include "update/status.h"

#include <string.h>

#include "base/text.h"
#include "update/way_back.h"

/* What the device shows. Everything is copied in one block under the lock, so that a reader sees one moment
 * and not parts of two; nothing is read from flash or store meanwhile (slot_image.h). */

static void copy_waiting_for(const struct otapult *o, struct otapult_status *out)
{
    size_t i = 0;

    while (i < o->config.check_count && (o->passed & 1u << i) != 0)
        i++;
    if (i < o->config.check_count)
        otapult_text_set(out->waiting_for, sizeof out->waiting_for, o->config.checks[i].name);
}

static void copy_pending(const struct otapult *o, struct otapult_status *out)
{
    uint32_t waited = out->uptime_ms - o->pending_since_ms;

    out->pending = o->pending;
    if (!o->pending)
        return;
    uint32_t soaked = o->soaking ? out->uptime_ms - o->soaking_since_ms : 0;
    out->soak_left_ms = soaked < o->config.soak_ms ? o->config.soak_ms - soaked : 0;
    out->confirm_left_ms = waited < o->config.confirm_ms ? o->config.confirm_ms - waited : 0;
    copy_waiting_for(o, out);
}

/* The phase is an update's. While the device is held for something else it is idle, and `claim` says for
 * what. */
static enum otapult_phase phase_of(const struct otapult *o)
{
    if (o->restarting)
        return OTAPULT_REBOOTING;
    if (o->claim != OTAPULT_FOR_UPLOAD)
        return OTAPULT_IDLE;
    return o->verifying ? OTAPULT_VERIFYING : OTAPULT_RECEIVING;
}

/* Under lock. */
static void copy_status(const struct otapult *o, uint32_t now, struct otapult_status *out)
{
    memset(out, 0, sizeof *out);
    out->uptime_ms = now;
    out->phase = phase_of(o);
    out->claim = o->claim;
    if (o->claim != OTAPULT_FREE)
        otapult_text_set(out->by, sizeof out->by, o->by);
    out->update = o->update.id;
    out->received = o->received;
    out->written = o->written;
    out->total = o->total;
    out->slots = o->slots;
    out->staged = o->staged;
    out->slots_error = o->slots_error;
    out->boot = o->journal.boot;
    out->safe_mode = o->safe_mode;
    copy_pending(o, out);
    out->secure = o->keys != NULL;
    if (o->keys != NULL)
        o->keys->status(o, out);
}

void otapult_status(struct otapult *o, struct otapult_status *out)
{
    uint32_t now = otapult_now(o);

    otapult_lock(o);
    copy_status(o, now, out);
    otapult_unlock(o);
}

void otapult_view(struct otapult *o, struct otapult_view *out)
{
    uint32_t now = otapult_now(o);

    otapult_lock(o);
    copy_status(o, now, &out->status);
    otapult_find_way_back(o, &out->way_back);
    out->last = o->journal.newest;
    out->slot_count = o->seen_count;
    memcpy(out->slot, o->seen, sizeof out->slot);
    otapult_unlock(o);
}

bool otapult_log_entry(struct otapult *o, unsigned n, struct otapult_log_entry *out)
{
    return otapult_journal_read(&o->journal, n, out);
}

const char *otapult_event_name(int event)
{
    static const char *const names[] = {
        [OTAPULT_EV_REFUSED] = "refused",         [OTAPULT_EV_ACTIVATED] = "activated",
        [OTAPULT_EV_CONFIRMED] = "confirmed",     [OTAPULT_EV_REJECTED] = "rejected",
        [OTAPULT_EV_CRASHED] = "crashed",         [OTAPULT_EV_POWER_LOST] = "power_lost",
        [OTAPULT_EV_GAVE_UP] = "gave_up",         [OTAPULT_EV_NOT_LOADED] = "not_loaded",
        [OTAPULT_EV_ROLLED_BACK] = "rolled_back", [OTAPULT_EV_ACCOUNT] = "account",
        [OTAPULT_EV_CRASH_LOOP] = "crash_loop",   [OTAPULT_EV_STAGED] = "staged",
        [OTAPULT_EV_SOURCE] = "source",
    };
    bool known = event > OTAPULT_EV_NONE && event <= OTAPULT_EV_SOURCE;
    return known ? names[event] : "none";
}

/* ---- of the configuration ---- */

const struct otapult_secure *otapult_profile(const struct otapult *o)
{
    return o->config.secure;
}

struct otapult_users *otapult_device_users(const struct otapult *o)
{
    return o->users;
}

const char *const *otapult_device_hosts(const struct otapult *o)
{
    return o->config.hosts;
}

const char *otapult_device_accepts(const struct otapult *o, size_t n)
{
    const struct otapult_decoder *const *d = o->config.decoders;

    if (n == 0)
        return "plain";
    for (; d != NULL && *d != NULL; d++)
        if (--n == 0)
            return (*d)->name;
    return NULL;
}

const struct otapult_pull *otapult_device_pull(const struct otapult *o)
{
    return o->config.pull;
}

const struct otapult_port *otapult_device_port(const struct otapult *o)
{
    return o->port;
}

uint16_t otapult_device_chip(const struct otapult *o)
{
    return o->config.chip_id;
}

uint16_t otapult_device_revision(const struct otapult *o)
{
    return o->config.chip_rev;
}

uint16_t otapult_device_block_revision(const struct otapult *o)
{
    return o->config.block_rev;
}

const char *otapult_name(const struct otapult *o)
{
    return o->config.name != NULL ? o->config.name : "";
}

const struct otapult_resumable *otapult_device_resumable(const struct otapult *o)
{
    return o->config.resumable;
}

uint32_t otapult_device_resume_ms(const struct otapult *o)
{
    return o->config.resumable != NULL ? o->config.resume_ms : 0;
}

uint32_t otapult_device_stall_ms(const struct otapult *o)
{
    return o->config.stall_ms;
}

const struct otapult_language *otapult_russian_texts(const struct otapult *o)
{
    return o->config.russian;
}
