/* SPDX-License-Identifier: Apache-2.0 */
#include "web/status_json.h"

#include <string.h>

#include "update/door.h"

/* ---- members ---- */

/* One member of an object that shows a struct: where its value lies, and how that is written. */
struct member {
    const char *key;
    size_t at;
    void (*show)(struct otapult_json *j, const char *key, const void *value, struct otapult *o);
};

static void put_members(struct otapult_json *j, struct otapult *o, const void *of,
                        const struct member *members, size_t count)
{
    for (const struct member *m = members; m < members + count; m++)
        m->show(j, m->key, (const char *)of + m->at, o);
}

static void put_object(struct otapult_json *j, const char *key, struct otapult *o, const void *of,
                       const struct member *members, size_t count)
{
    otapult_json_open(j, key, '{');
    put_members(j, o, of, members, count);
    otapult_json_close(j, '}');
}

static void show_number(struct otapult_json *j, const char *key, const void *value, struct otapult *o)
{
    (void)o;
    otapult_json_num(j, key, *(const uint32_t *)value);
}

static void show_byte(struct otapult_json *j, const char *key, const void *value, struct otapult *o)
{
    (void)o;
    otapult_json_num(j, key, *(const uint8_t *)value);
}

static void show_bool(struct otapult_json *j, const char *key, const void *value, struct otapult *o)
{
    (void)o;
    otapult_json_bool(j, key, *(const bool *)value);
}

static void show_text(struct otapult_json *j, const char *key, const void *value, struct otapult *o)
{
    (void)o;
    otapult_json_str(j, key, value);
}

/* The empty text is null. */
static void show_word(struct otapult_json *j, const char *key, const void *value, struct otapult *o)
{
    const char *text = value;

    (void)o;
    otapult_json_str(j, key, text[0] == '\0' ? NULL : text);
}

#define COUNT(table) (sizeof(table) / sizeof *(table))

/* ---- errors ---- */

static void show_static(struct otapult_json *j, const char *key, const void *value, struct otapult *o)
{
    (void)o;
    otapult_json_str(j, key, *(const char *const *)value);
}

struct shown_error {
    bool success;
    const char *caption, *code, *hint;
    char detail[192];
};

static const struct member shown_error_members[] = {
    {"success", offsetof(struct shown_error, success), show_bool},
    {"error", offsetof(struct shown_error, caption), show_static},
    {"code", offsetof(struct shown_error, code), show_static},
    {"detail", offsetof(struct shown_error, detail), show_text},
    {"hint", offsetof(struct shown_error, hint), show_static},
};

void otapult_error_json(struct otapult_json *j, const char *key, int err, const struct otapult_finding *why,
                        bool russian)
{
    static const struct otapult_finding nothing;
    const struct otapult_error_row *row = otapult_error_row(err);
    struct shown_error e;

    e.success = false;
    e.caption = row->caption;
    e.code = row->code;
    e.hint = russian ? row->hint_ru : row->hint_en;
    otapult_detail(err, why == NULL ? &nothing : why, e.detail, sizeof e.detail);
    put_object(j, key, NULL, &e, shown_error_members, COUNT(shown_error_members));
}

static void show_status(struct otapult_json *j, const char *key, const void *value, struct otapult *o)
{
    (void)o;
    otapult_json_num(j, key, *(const uint16_t *)value);
}

static const struct member error_members[] = {
    {"code", offsetof(struct otapult_error_row, code), show_static},
    {"error", offsetof(struct otapult_error_row, caption), show_static},
    {"status", offsetof(struct otapult_error_row, status), show_status},
    {"en", offsetof(struct otapult_error_row, hint_en), show_static},
    {"ru", offsetof(struct otapult_error_row, hint_ru), show_static},
};

void otapult_errors_json(struct otapult_json *j)
{
    otapult_json_open(j, NULL, '{');
    otapult_json_open(j, "errors", '[');
    for (int err = OTAPULT_OK + 1; err < OTAPULT_ERROR_COUNT; err++)
        put_object(j, NULL, NULL, otapult_error_row(err), error_members, COUNT(error_members));
    otapult_json_close(j, ']');
    otapult_json_close(j, '}');
}

/* ---- slots ---- */

/* All zeros where the port cannot tell. */
static void look_at(struct otapult *o, int index, struct otapult_slot *slot)
{
    if (index == OTAPULT_SLOT_NONE || otapult_slot_row(o, index, slot) != 0)
        memset(slot, 0, sizeof *slot);
    slot->label[sizeof slot->label - 1] = '\0';
}

void otapult_slot_label(struct otapult *o, int index, char dst[17])
{
    struct otapult_slot slot;

    look_at(o, index, &slot);
    memcpy(dst, slot.label, sizeof slot.label);
}

static void show_label(struct otapult_json *j, const char *key, const void *value, struct otapult *o)
{
    struct otapult_slot slot;

    look_at(o, *(const int *)value, &slot);
    show_word(j, key, slot.label, o);
}

static void show_build(struct otapult_json *j, const char *key, const void *desc, struct otapult *o)
{
    char build[OTAPULT_BUILD_ID_CHARS + 1];

    otapult_build_id(desc, build);
    show_text(j, key, build, o);
}

static const struct member desc_members[] = {
    {"project", offsetof(struct otapult_app_desc, project), show_text},
    {"version", offsetof(struct otapult_app_desc, version), show_text},
    {"build", 0, show_build},
    {"idf", offsetof(struct otapult_app_desc, idf), show_text}, /* from here on: with `all` */
    {"date", offsetof(struct otapult_app_desc, date), show_text},
    {"time", offsetof(struct otapult_app_desc, time), show_text},
};

void otapult_desc_json(struct otapult_json *j, const struct otapult_app_desc *desc, bool all)
{
    put_members(j, NULL, desc, desc_members, all ? COUNT(desc_members) : 3);
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

static void show_state(struct otapult_json *j, const char *key, const void *value, struct otapult *o)
{
    show_text(j, key, slot_state_name(*(const enum otapult_slot_state *)value), o);
}

static const struct member slot_members[] = {
    {"label", offsetof(struct otapult_slot, label), show_word},
    {"size", offsetof(struct otapult_slot, size), show_number},
    {"state", offsetof(struct otapult_slot, state), show_state},
};

static bool is_being_written(const struct otapult_status *s, int index)
{
    return index == s->slots.next && (s->phase == OTAPULT_RECEIVING || s->phase == OTAPULT_VERIFYING);
}

static void slot_json(struct otapult_json *j, struct otapult *o, const struct otapult_status *s, int index)
{
    struct otapult_slot slot;
    struct otapult_app_desc desc;
    bool found = false;

    look_at(o, index, &slot);
    otapult_json_open(j, NULL, '{');
    put_members(j, o, &slot, slot_members, COUNT(slot_members));
    otapult_json_bool(j, "running", index == s->slots.running);
    if (!is_being_written(s, index) && otapult_slot_desc(o, index, &desc, &found) == 0 && found)
        put_object(j, "image", o, &desc, desc_members, COUNT(desc_members));
    else
        otapult_json_null(j, "image");
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

static void show_event(struct otapult_json *j, const char *key, const void *value, struct otapult *o)
{
    show_text(j, key, otapult_event_name(*(const uint8_t *)value), o);
}

static void show_entry_slot(struct otapult_json *j, const char *key, const void *value, struct otapult *o)
{
    show_label(j, key, &(const int){*(const int8_t *)value}, o);
}

static const struct member entry_members[] = {
    {"seq", offsetof(struct otapult_log_entry, seq), show_number},
    {"event", offsetof(struct otapult_log_entry, event), show_event},
    {"boot", offsetof(struct otapult_log_entry, boot), show_number},
    {"uptime_s", offsetof(struct otapult_log_entry, uptime_s), show_number},
    {"slot", offsetof(struct otapult_log_entry, slot), show_entry_slot},
    {"size", offsetof(struct otapult_log_entry, size), show_number},
    {"project", offsetof(struct otapult_log_entry, project), show_word},
    {"version", offsetof(struct otapult_log_entry, version), show_word},
    {"build", offsetof(struct otapult_log_entry, build), show_word},
    {"code", offsetof(struct otapult_log_entry, code), show_word},
    {"tries", offsetof(struct otapult_log_entry, tries), show_byte},
    {"text", offsetof(struct otapult_log_entry, text), show_text},
    {"by", offsetof(struct otapult_log_entry, by), show_word},
};

void otapult_log_json(struct otapult_json *j, struct otapult *o)
{
    struct otapult_log_entry e;

    otapult_json_open(j, NULL, '{');
    otapult_json_open(j, "entries", '[');
    for (unsigned n = 0; n < OTAPULT_LOG_ENTRIES && otapult_log_entry(o, n, &e); n++)
        put_object(j, NULL, o, &e, entry_members, COUNT(entry_members));
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

static void show_phase(struct otapult_json *j, const char *key, const void *value, struct otapult *o)
{
    show_text(j, key, phase_name(*(const enum otapult_phase *)value), o);
}

static void show_total(struct otapult_json *j, const char *key, const void *value, struct otapult *o)
{
    if (*(const uint32_t *)value == OTAPULT_SIZE_UNKNOWN)
        otapult_json_null(j, key);
    else
        show_number(j, key, value, o);
}

static const struct member status_members[] = {
    {"state", offsetof(struct otapult_status, phase), show_phase},
    {"received", offsetof(struct otapult_status, received), show_number},
    {"written", offsetof(struct otapult_status, written), show_number},
    {"total", offsetof(struct otapult_status, total), show_total},
    {"running", offsetof(struct otapult_status, slots.running), show_label},
    {"next", offsetof(struct otapult_status, slots.next), show_label},
    {"boot_slot", offsetof(struct otapult_status, slots.boot), show_label},
    {"pending", offsetof(struct otapult_status, pending), show_bool},
    {"confirm_left_ms", offsetof(struct otapult_status, confirm_left_ms),
     show_number}, /* from here on: when pending */
    {"waiting_for", offsetof(struct otapult_status, waiting_for), show_word},
};

static void last_json(struct otapult_json *j, struct otapult *o)
{
    struct otapult_log_entry e;

    if (otapult_log_entry(o, 0, &e))
        put_object(j, "last", o, &e, entry_members, COUNT(entry_members));
    else
        otapult_json_null(j, "last");
}

static void busy_json(struct otapult_json *j, const struct otapult_status *s)
{
    if (s->claim == OTAPULT_FREE) {
        otapult_json_null(j, "busy");
        return;
    }
    otapult_json_open(j, "busy", '{');
    otapult_json_str(j, "for", otapult_claim_name(s->claim));
    otapult_json_str(j, "by", s->by[0] == '\0' ? NULL : s->by);
    otapult_json_close(j, '}');
}

struct limits {
    const char *chip;
    uint32_t slot_size, stall_ms;
};

static const struct member limit_members[] = {
    {"chip", offsetof(struct limits, chip), show_static},
    {"slot_size", offsetof(struct limits, slot_size), show_number},
    {"stall_ms", offsetof(struct limits, stall_ms), show_number},
};

static void limits_json(struct otapult_json *j, struct otapult *o, const struct otapult_status *s)
{
    struct otapult_slot slot;

    look_at(o, s->slots.next, &slot);
    struct limits limits = {otapult_chip_name(otapult_device_chip(o)), slot.size, otapult_device_stall_ms(o)};
    put_object(j, "limits", o, &limits, limit_members, COUNT(limit_members));
}

static void signature_json(struct otapult_json *j, const struct otapult_status *s)
{
    otapult_json_open(j, "signature", '{');
    otapult_json_bool(j, "enforced", s->secure);
    otapult_json_open(j, "keys", '[');
    for (unsigned n = 0; n < s->key_count; n++)
        otapult_json_hex(j, NULL, s->key[n], sizeof s->key[n]);
    otapult_json_close(j, ']');
    otapult_json_close(j, '}');
}

static void show_open(struct otapult_json *j, const char *key, const void *value, struct otapult *o)
{
    (void)o;
    otapult_json_bool(j, key, !*(const bool *)value);
}

static const struct member profile_members[] = {
    {"open", offsetof(struct otapult_status, secure), show_open},
    {"boot", offsetof(struct otapult_status, boot), show_number},
    {"uptime_ms", offsetof(struct otapult_status, uptime_ms), show_number},
};

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
    put_members(j, o, &s, status_members, s.pending ? COUNT(status_members) : 8);
    busy_json(j, &s);
    slots_json(j, o, &s, which);
    last_json(j, o);
    limits_json(j, o, &s);
    if (err != 0)
        otapult_error_json(j, "error", err, &why, russian);
    signature_json(j, &s);
    put_members(j, o, &s, profile_members, COUNT(profile_members));
    otapult_json_close(j, '}');
}
