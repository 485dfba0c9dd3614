/* SPDX-License-Identifier: Apache-2.0 */
#include "web/status_json.h"

#include <string.h>

#include "update/device.h"

static const char *or_null(const char *s)
{
    return s[0] == '\0' ? NULL : s;
}

/* ---- errors ---- */

void otapult_error_json(struct otapult_json *j, const char *key, int err, const struct otapult_finding *why,
                        bool russian)
{
    const struct otapult_error_row *row = otapult_error_row(err);
    const struct otapult_finding nothing = {0};
    char detail[192];

    otapult_detail(err, why == NULL ? &nothing : why, detail, sizeof detail);
    otapult_json_open(j, key, '{');
    otapult_json_bool(j, "success", false);
    otapult_json_str(j, "error", row->caption);
    otapult_json_str(j, "code", row->code);
    otapult_json_str(j, "detail", detail);
    otapult_json_str(j, "hint", russian ? row->hint_ru : row->hint_en);
    otapult_json_close(j, '}');
}

void otapult_errors_json(struct otapult_json *j)
{
    otapult_json_open(j, NULL, '{');
    otapult_json_open(j, "errors", '[');
    for (int err = OTAPULT_OK + 1; err < OTAPULT_ERROR_COUNT; err++) {
        const struct otapult_error_row *row = otapult_error_row(err);

        otapult_json_open(j, NULL, '{');
        otapult_json_str(j, "code", row->code);
        otapult_json_str(j, "error", row->caption);
        otapult_json_num(j, "status", row->status);
        otapult_json_str(j, "en", row->hint_en);
        otapult_json_str(j, "ru", row->hint_ru);
        otapult_json_close(j, '}');
    }
    otapult_json_close(j, ']');
    otapult_json_close(j, '}');
}

/* ---- slots ---- */

/* All zeros where the port cannot tell. */
static void look_at(struct otapult *o, int index, struct otapult_slot *slot, struct otapult_image_info *info)
{
    memset(slot, 0, sizeof *slot);
    memset(info, 0, sizeof *info);
    if (index == OTAPULT_SLOT_NONE)
        return;
    if (otapult_slot(o, index, slot, info) != 0)
        info->size = 0;
}

void otapult_slot_label(struct otapult *o, int index, char dst[17])
{
    struct otapult_slot slot;
    struct otapult_image_info info;

    look_at(o, index, &slot, &info);
    memcpy(dst, slot.label, sizeof slot.label);
    dst[16] = '\0';
}

static void label_json(struct otapult_json *j, const char *key, struct otapult *o, int index)
{
    char label[17];

    otapult_slot_label(o, index, label);
    otapult_json_str(j, key, or_null(label));
}

void otapult_desc_json(struct otapult_json *j, const struct otapult_app_desc *desc, bool all)
{
    char build[OTAPULT_BUILD_ID_CHARS + 1];

    otapult_build_id(desc, build);
    otapult_json_str(j, "project", desc->project);
    otapult_json_str(j, "version", desc->version);
    otapult_json_str(j, "build", build);
    if (!all)
        return;
    otapult_json_str(j, "idf", desc->idf);
    otapult_json_str(j, "date", desc->date);
    otapult_json_str(j, "time", desc->time);
}

static const char *slot_state_name(enum otapult_slot_state state)
{
    static const char *const names[] = {
        [OTAPULT_STATE_NONE] = "none",       [OTAPULT_STATE_NEW] = "new",
        [OTAPULT_STATE_VALID] = "valid",     [OTAPULT_STATE_PENDING_VERIFY] = "pending_verify",
        [OTAPULT_STATE_INVALID] = "invalid", [OTAPULT_STATE_ABORTED] = "aborted",
    };
    size_t n = (size_t)state;

    return n < sizeof names / sizeof *names ? names[n] : "undefined";
}

static bool is_being_written(const struct otapult_status *s, int index)
{
    return index == s->slots.next && (s->phase == OTAPULT_RECEIVING || s->phase == OTAPULT_VERIFYING);
}

static void slot_json(struct otapult_json *j, struct otapult *o, const struct otapult_status *s, int index)
{
    struct otapult_slot slot;
    struct otapult_image_info info;

    look_at(o, index, &slot, &info);
    otapult_json_open(j, NULL, '{');
    otapult_json_str(j, "label", or_null(slot.label));
    otapult_json_num(j, "size", slot.size);
    otapult_json_str(j, "state", slot_state_name(slot.state));
    otapult_json_bool(j, "running", index == s->slots.running);
    if (info.size == 0 || is_being_written(s, index)) {
        otapult_json_null(j, "image");
    } else {
        otapult_json_open(j, "image", '{');
        otapult_desc_json(j, &info.desc, true);
        otapult_json_close(j, '}');
    }
    otapult_json_close(j, '}');
}

static void slots_json(struct otapult_json *j, struct otapult *o, const struct otapult_status *s,
                       enum otapult_status_slots which)
{
    int count = s->slots.count < OTAPULT_SLOTS_MAX ? s->slots.count : OTAPULT_SLOTS_MAX;

    otapult_json_open(j, "slots", '[');
    if (s->slots.factory)
        slot_json(j, o, s, OTAPULT_SLOT_FACTORY);
    for (int i = 0; i < count; i++) {
        if (which == OTAPULT_ALL_SLOTS || i == s->slots.running || i == s->slots.next)
            slot_json(j, o, s, i);
    }
    otapult_json_close(j, ']');
}

/* ---- the log ---- */

static void entry_json(struct otapult_json *j, const char *key, struct otapult *o,
                       const struct otapult_log_entry *e)
{
    otapult_json_open(j, key, '{');
    otapult_json_num(j, "seq", e->seq);
    otapult_json_str(j, "event", otapult_event_name(e->event));
    otapult_json_num(j, "boot", e->boot);
    otapult_json_num(j, "uptime_s", e->uptime_s);
    label_json(j, "slot", o, e->slot);
    otapult_json_num(j, "size", e->size);
    otapult_json_str(j, "project", or_null(e->project));
    otapult_json_str(j, "version", or_null(e->version));
    otapult_json_str(j, "build", or_null(e->build));
    otapult_json_str(j, "code", or_null(e->code));
    otapult_json_num(j, "tries", e->tries);
    otapult_json_str(j, "text", e->text);
    otapult_json_str(j, "by", or_null(e->by));
    otapult_json_close(j, '}');
}

void otapult_log_json(struct otapult_json *j, struct otapult *o)
{
    struct otapult_log_entry e;

    otapult_json_open(j, NULL, '{');
    otapult_json_open(j, "entries", '[');
    for (unsigned n = 0; n < OTAPULT_LOG_ENTRIES && otapult_log_entry(o, n, &e); n++)
        entry_json(j, NULL, o, &e);
    otapult_json_close(j, ']');
    otapult_json_close(j, '}');
}

/* ---- the status ---- */

static const char *phase_name(enum otapult_phase phase)
{
    switch (phase) {
    case OTAPULT_IDLE: return "idle";
    case OTAPULT_RECEIVING: return "receiving";
    case OTAPULT_VERIFYING: return "verifying";
    case OTAPULT_REBOOTING: return "rebooting";
    }
    return "idle";
}

static void progress_json(struct otapult_json *j, const struct otapult_status *s)
{
    otapult_json_str(j, "state", phase_name(s->phase));
    otapult_json_num(j, "received", s->received);
    otapult_json_num(j, "written", s->written);
    if (s->total == OTAPULT_SIZE_UNKNOWN)
        otapult_json_null(j, "total");
    else
        otapult_json_num(j, "total", s->total);
}

static void choice_json(struct otapult_json *j, struct otapult *o, const struct otapult_status *s)
{
    label_json(j, "running", o, s->slots.running);
    label_json(j, "next", o, s->slots.next);
    label_json(j, "boot_slot", o, s->slots.boot);
    otapult_json_bool(j, "pending", s->pending);
    if (!s->pending)
        return;
    otapult_json_num(j, "confirm_left_ms", s->confirm_left_ms);
    otapult_json_str(j, "waiting_for", or_null(s->waiting_for));
}

static void last_json(struct otapult_json *j, struct otapult *o)
{
    struct otapult_log_entry e;

    if (otapult_log_entry(o, 0, &e))
        entry_json(j, "last", o, &e);
    else
        otapult_json_null(j, "last");
}

static void limits_json(struct otapult_json *j, struct otapult *o, const struct otapult_status *s)
{
    struct otapult_slot slot;
    struct otapult_image_info info;

    look_at(o, s->slots.next, &slot, &info);
    otapult_json_open(j, "limits", '{');
    otapult_json_str(j, "chip", otapult_chip_name(otapult_device_chip(o)));
    otapult_json_num(j, "slot_size", slot.size);
    otapult_json_num(j, "stall_ms", otapult_device_stall_ms(o));
    otapult_json_close(j, '}');
}

static void signature_json(struct otapult_json *j, const struct otapult_status *s)
{
    char id[9];
    struct otapult_text t;

    otapult_json_open(j, "signature", '{');
    otapult_json_bool(j, "enforced", s->secure);
    otapult_json_open(j, "keys", '[');
    for (unsigned n = 0; n < s->key_count; n++) {
        otapult_text_init(&t, id, sizeof id);
        otapult_text_digest(&t, s->key[n], sizeof s->key[n]);
        otapult_json_str(j, NULL, id);
    }
    otapult_json_close(j, ']');
    otapult_json_close(j, '}');
}

/* The same error as otapult_begin() would give for the partition table, or for lack of trust. */
static int lasting_error(const struct otapult_status *s, struct otapult_finding *why)
{
    *why = (struct otapult_finding){0};
    if (s->slots_error != 0)
        return s->slots_error;
    if (s->slots.next == OTAPULT_SLOT_NONE) {
        why->want = 1;
        return OTAPULT_E_NO_OTA_PARTITION;
    }
    if (!s->slots.ota_data)
        return OTAPULT_E_NO_OTA_DATA;
    why->text = s->locked;
    return s->trust_error;
}

void otapult_status_json(struct otapult_json *j, struct otapult *o, enum otapult_status_slots which,
                         bool russian)
{
    struct otapult_status s;
    struct otapult_finding why;

    otapult_status(o, &s);
    int err = lasting_error(&s, &why);

    otapult_json_open(j, NULL, '{');
    progress_json(j, &s);
    choice_json(j, o, &s);
    slots_json(j, o, &s, which);
    last_json(j, o);
    limits_json(j, o, &s);
    if (err != 0)
        otapult_error_json(j, "error", err, &why, russian);
    signature_json(j, &s);
    otapult_json_bool(j, "open", !s.secure);
    otapult_json_num(j, "boot", s.boot);
    otapult_json_num(j, "uptime_ms", s.uptime_ms);
    otapult_json_close(j, '}');
}
