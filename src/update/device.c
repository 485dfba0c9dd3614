/* SPDX-License-Identifier: Apache-2.0 */
#include "update/device.h"

#include <string.h>

#include "base/text.h"
#include "image/format.h"

_Static_assert(sizeof(struct otapult) <= OTAPULT_RAM, "OTAPULT_RAM holds the device");

bool otapult_always_ready(void *app, char *why, size_t cap)
{
    (void)app;
    (void)why;
    (void)cap;
    return true;
}

void otapult_lock(struct otapult *o)
{
    o->port->lock(o->port->ctx);
}

void otapult_unlock(struct otapult *o)
{
    o->port->unlock(o->port->ctx);
}

uint32_t otapult_now(const struct otapult *o)
{
    return o->port->now_ms(o->port->ctx);
}

void otapult_log(const struct otapult *o, const char *line)
{
    o->port->log(o->port->ctx, line);
}

void otapult_hold(struct otapult *o, bool on)
{
    if (o->config.hold != NULL)
        o->config.hold(o->config.app, on);
}

uint16_t otapult_device_chip(const struct otapult *o)
{
    return o->config.chip_id;
}

uint32_t otapult_device_stall_ms(const struct otapult *o)
{
    return o->config.stall_ms;
}

void otapult_slots_failed(struct otapult *o, int err)
{
    otapult_lock(o);
    bool is_news = err != o->slots_error;
    o->slots_error = err;
    otapult_unlock(o);
    if (is_news)
        otapult_log(o, "the slots cannot be read");
}

void otapult_refresh_slots(struct otapult *o)
{
    struct otapult_slots slots;
    int err = o->port->slots(o->port->ctx, &slots);

    if (err != 0) {
        otapult_slots_failed(o, err);
        return;
    }
    otapult_lock(o);
    o->slots = slots;
    o->slots_error = 0;
    otapult_unlock(o);
}

void otapult_restart_soon(struct otapult *o)
{
    o->phase = OTAPULT_REBOOTING;
    o->restart_at_ms = otapult_now(o) + o->config.restart_ms;
}

void otapult_note_by(struct otapult *o, enum otapult_event event, int slot, const struct otapult_trial *trial,
                     const char *code, const char *text, const char *by)
{
    struct otapult_log_entry e = {.event = (uint8_t)event, .slot = (int8_t)slot};

    if (trial != NULL) {
        e.size = trial->size;
        e.tries = trial->tries;
        memcpy(e.version, trial->version, sizeof e.version);
        memcpy(e.project, trial->project, sizeof e.project);
        memcpy(e.build, trial->build, sizeof e.build);
    }
    otapult_text_set(e.code, sizeof e.code, code);
    otapult_text_set(e.text, sizeof e.text, text);
    otapult_text_set(e.by, sizeof e.by, by);
    otapult_journal_add(&o->journal, &e);
}

void otapult_note(struct otapult *o, enum otapult_event event, int slot, const struct otapult_trial *trial,
                  const char *code, const char *text)
{
    otapult_note_by(o, event, slot, trial, code, text, NULL);
}

void otapult_note_account(struct otapult *o, const char *text, const char *by)
{
    otapult_note_by(o, OTAPULT_EV_ACCOUNT, OTAPULT_SLOT_NONE, NULL, NULL, text, by);
}

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

static bool usable(const struct otapult_config *c)
{
    return c->port != NULL && c->ready != NULL && (c->check_count == 0 || c->checks != NULL) &&
           c->check_count <= 32 && c->key_count <= OTAPULT_KEYS_MAX && (c->key_count == 0 || c->keys != NULL);
}

int otapult_start(union otapult_memory *memory, const struct otapult_config *config, struct otapult **out)
{
    struct otapult *o = (struct otapult *)(void *)memory;

    *out = NULL;
    if (!usable(config) || psa_crypto_init() != PSA_SUCCESS)
        return OTAPULT_E_INTERNAL;

    memset(o, 0, sizeof *o);
    o->config = *config;
    o->port = config->port;
    o->limits = (struct otapult_inspect_limits){
        .chip_id = config->chip_id,
        .chip_rev = config->chip_rev,
        .block_rev = config->block_rev,
        .too_old = config->too_old,
    };
    o->total = OTAPULT_SIZE_UNKNOWN;
    o->slots.running = o->slots.boot = o->slots.next = OTAPULT_SLOT_NONE;
    otapult_journal_start(&o->journal, o->port);
    if (o->config.secure != NULL)
        o->config.secure->start(o);
    else
        otapult_log(o, "open: anyone on this network can upload firmware");
    otapult_resolve_boot(o);
    *out = o;
    return 0;
}

static bool restart_is_due(struct otapult *o)
{
    otapult_lock(o);
    bool due = o->phase == OTAPULT_REBOOTING && (int32_t)(otapult_now(o) - o->restart_at_ms) >= 0;
    otapult_unlock(o);
    return due;
}

void otapult_poll(struct otapult *o)
{
    otapult_poll_slots(o);
    otapult_poll_stall(o);
    otapult_poll_health(o);
    if (o->config.secure != NULL)
        o->config.secure->poll(o);
    if (!restart_is_due(o))
        return;
    if (o->config.secure != NULL)
        o->config.secure->leave(o);
    o->port->restart(o->port->ctx);
}

static void copy_waiting_for(const struct otapult *o, struct otapult_status *out)
{
    size_t i = 0;

    while (i < o->config.check_count && (o->passed & 1u << i) != 0)
        i++;
    if (i < o->config.check_count)
        otapult_text_set(out->waiting_for, sizeof out->waiting_for, o->config.checks[i].name);
}

void otapult_status(struct otapult *o, struct otapult_status *out)
{
    memset(out, 0, sizeof *out);
    out->uptime_ms = otapult_now(o);
    otapult_lock(o);
    out->phase = o->phase;
    out->received = o->received;
    out->written = o->written;
    out->total = o->total;
    out->slots = o->slots;
    out->slots_error = o->slots_error;
    out->pending = o->pending;
    out->boot = o->journal.boot;
    out->secure = o->config.secure != NULL;
    if (out->secure)
        o->config.secure->status(o, out);
    if (o->pending) {
        uint32_t waited = out->uptime_ms - o->pending_since_ms;
        out->confirm_left_ms = waited < o->config.confirm_ms ? o->config.confirm_ms - waited : 0;
        copy_waiting_for(o, out);
    }
    otapult_unlock(o);
}

static int read_slot_head(struct otapult *o, int index, uint8_t head[OTAPULT_HEAD_SIZE])
{
    struct otapult_flash flash;

    int err = o->port->open(o->port->ctx, index, &flash);
    return err == 0 ? flash.read(flash.ctx, 0, head, OTAPULT_HEAD_SIZE) : err;
}

int otapult_slot_row(struct otapult *o, int index, struct otapult_slot *slot)
{
    return o->port->slot(o->port->ctx, index, slot);
}

int otapult_slot(struct otapult *o, int index, struct otapult_slot *slot, struct otapult_image_info *info)
{
    uint8_t head[OTAPULT_HEAD_SIZE];

    memset(info, 0, sizeof *info);
    int err = otapult_slot_row(o, index, slot);
    if (err == 0)
        err = read_slot_head(o, index, head);
    if (err == 0 && otapult_read_head(head, info) == 0)
        info->size = sizeof head; /* at least; not 0 says that an image is there */
    return err;
}

int otapult_slot_desc(struct otapult *o, int index, struct otapult_app_desc *desc, bool *found)
{
    uint8_t head[OTAPULT_HEAD_SIZE];

    memset(desc, 0, sizeof *desc);
    int err = read_slot_head(o, index, head);
    *found = err == 0 && head[0] == OTAPULT_IMAGE_MAGIC &&
             otapult_desc_decode(head + OTAPULT_DESC_OFFSET, desc);
    return err;
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
    };
    bool known = event > OTAPULT_EV_NONE && event <= OTAPULT_EV_ACCOUNT;
    return known ? names[event] : "none";
}
