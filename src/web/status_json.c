/* SPDX-License-Identifier: Apache-2.0 */
#include "web/status_json.h"
#include "otapult/offer.h"

#include <string.h>

#include "base/language.h"
#include "base/text.h"
#include "update/door.h"
#include "web/error_json.h"

/* The device's state and log, printed. All that is shown comes out of one view, taken at one moment under the
 * device's lock, so two members never contradict each other; printing may take as long as the network does.
 * The shapes are promised in docs/http-api.md: members may be added, none may go.
 *
 * Texts of the log are kept in English, for the journal outlives the client that caused them; the reader's
 * language is found for each part of a text when it is shown. */

/* The empty text is null. */
static void word_json(struct otapult_json *j, const char *key, const char *text)
{
    otapult_json_str(j, key, text[0] == '\0' ? NULL : text);
}

/* ---- slots ---- */

static const struct otapult_slot_view *find_slot(const struct otapult_view *v, int index)
{
    for (unsigned n = 0; n < v->slot_count; n++)
        if (v->slot[n].index == index)
            return &v->slot[n];
    return NULL;
}

static void label_json(struct otapult_json *j, const char *key, const struct otapult_view *v, int index)
{
    const struct otapult_slot_view *slot = find_slot(v, index);

    word_json(j, key, slot != NULL ? slot->slot.label : "");
}

void otapult_image_json(struct otapult_json *j, const struct otapult_app_desc *desc)
{
    char build[OTAPULT_BUILD_ID_CHARS + 1];

    otapult_build_id(desc, build);
    otapult_json_str(j, "project", desc->project);
    otapult_json_str(j, "version", desc->version);
    otapult_json_str(j, "build", build);
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

/* The view still describes the image that was in such a slot before: it is gone, or will be with the first
 * erase. */
static bool is_being_written(const struct otapult_status *s, int index)
{
    return index == s->slots.next && (s->phase == OTAPULT_RECEIVING || s->phase == OTAPULT_VERIFYING);
}

static void slot_image_json(struct otapult_json *j, const struct otapult_app_desc *desc)
{
    otapult_json_open(j, "image", '{');
    otapult_image_json(j, desc);
    otapult_json_str(j, "idf", desc->idf);
    otapult_json_str(j, "date", desc->date);
    otapult_json_str(j, "time", desc->time);
    otapult_json_close(j, '}');
}

static void slot_json(struct otapult_json *j, const struct otapult_status *s,
                      const struct otapult_slot_view *v)
{
    bool shown = v->has_image && !is_being_written(s, v->index);
    /* A slot without an image has no state, even where an OTA data record still has one for it. */
    bool is_empty = !shown && v->readable && v->index != s->slots.running;

    const char *state = slot_state_name(v->slot.state);

    if (s->staged.id != 0 && s->staged.slot == v->index)
        state = "staged";
    else if (is_empty)
        state = "empty";
    otapult_json_open(j, NULL, '{');
    word_json(j, "label", v->slot.label);
    otapult_json_num(j, "size", v->slot.size);
    otapult_json_str(j, "state", state);
    otapult_json_bool(j, "running", v->index == s->slots.running);
    if (shown)
        slot_image_json(j, &v->image);
    else
        otapult_json_null(j, "image");
    otapult_json_close(j, '}');
}

static void slot_of_table_json(struct otapult_json *j, struct otapult *o, const struct otapult_view *v,
                               int index)
{
    const struct otapult_slot_view *slot = find_slot(v, index);
    struct otapult_slot_view read;

    if (slot == NULL) { /* tables of more than OTAPULT_VIEW_SLOTS: the one place where printing reads flash */
        otapult_look_at_slot(o, index, &read);
        slot = &read;
    }
    slot_json(j, &v->status, slot);
}

static void slots_json(struct otapult_json *j, struct otapult *o, const struct otapult_view *v,
                       enum otapult_status_slots which)
{
    const struct otapult_slots *slots = &v->status.slots;

    otapult_json_open(j, "slots", '[');
    if (slots->factory)
        slot_of_table_json(j, o, v, OTAPULT_SLOT_FACTORY);
    for (int i = 0; i < slots->count; i++) {
        if (which == OTAPULT_ALL_SLOTS || i == slots->running || i == slots->next)
            slot_of_table_json(j, o, v, i);
    }
    otapult_json_close(j, ']');
}

/* ---- the log ---- */

#define CAUSE 224 /* enough for 80 bytes of the journal in Russian, whose letters take two bytes each */

/* `health check "network": no answer`, as update/confirm.c puts a cause together: each part that is not the
 * check's name has its own words in the other language. Anything else as a whole. */
static const char *words_of_cause(const char *text, const struct otapult_language *language, char dst[CAUSE])
{
    const char *open = strstr(text, " \""), *close = open != NULL ? strchr(open + 2, '"') : NULL;
    struct otapult_text t;

    if (close == NULL)
        return otapult_in_language(text, language);
    otapult_text_init(&t, dst, CAUSE);
    otapult_put_in_language(&t, text, (size_t)(open - text), language);
    otapult_text_bytes(&t, open, (size_t)(close + 1 - open));
    if (strncmp(close + 1, ": ", 2) == 0) {
        otapult_text_str(&t, ": ");
        otapult_text_str(&t, otapult_in_language(close + 3, language));
    }
    return dst;
}

/* `token made: ci`: the part before the colon is ours and is translated, the name behind it is the user's. */
static const char *words_of_deed(const char *text, const struct otapult_language *language, char dst[CAUSE])
{
    const char *colon = strstr(text, ": ");
    struct otapult_text t;

    if (colon == NULL)
        return otapult_in_language(text, language);
    otapult_text_init(&t, dst, CAUSE);
    otapult_put_in_language(&t, text, (size_t)(colon + 2 - text), language);
    otapult_text_str(&t, colon + 2);
    return dst;
}

/* `5 crashes in a row; safe mode`: Russian has the number behind the word, which would change with it. */
static const char *words_of_loop(const char *text, const struct otapult_language *language, char dst[CAUSE])
{
    const size_t digits = strspn(text, "0123456789");
    const char *then = strstr(text, "; ");
    struct otapult_text t;

    if (digits == 0 || then == NULL)
        return otapult_in_language(text, language);
    otapult_text_init(&t, dst, CAUSE);
    otapult_text_str(&t, otapult_in_language("crashes in a row", language));
    otapult_text_str(&t, ": ");
    otapult_text_bytes(&t, text, digits);
    otapult_text_str(&t, "; ");
    otapult_text_str(&t, otapult_in_language(then + 2, language));
    return dst;
}

/* An entry's text as it is kept, in the reader's language. */
static const char *in_language(const struct otapult_log_entry *e, const struct otapult_language *language,
                               char dst[CAUSE])
{
    if (language == NULL)
        return e->text;
    if (e->event == OTAPULT_EV_ACCOUNT)
        return words_of_deed(e->text, language, dst);
    if (e->event == OTAPULT_EV_CRASH_LOOP)
        return words_of_loop(e->text, language, dst);
    if (e->code[0] == '\0')
        return words_of_cause(e->text, language, dst);
    language->retell(otapult_error_by_code(e->code), e->text, dst, CAUSE);
    return dst;
}

/* `label`: of the slot that the entry is about. */
static void entry_json(struct otapult_json *j, const char *key, const struct otapult_log_entry *e,
                       const char *label, const struct otapult_language *language)
{
    char cause[CAUSE];

    otapult_json_open(j, key, '{');
    otapult_json_num(j, "seq", e->seq);
    otapult_json_str(j, "event", otapult_event_name(e->event));
    otapult_json_num(j, "boot", e->boot);
    otapult_json_num(j, "uptime_s", e->uptime_s);
    word_json(j, "slot", label);
    otapult_json_num(j, "size", e->size);
    word_json(j, "project", e->project);
    word_json(j, "version", e->version);
    word_json(j, "build", e->build);
    word_json(j, "code", e->code);
    otapult_json_num(j, "tries", e->tries);
    otapult_json_str(j, "text", in_language(e, language, cause));
    word_json(j, "by", e->by);
    otapult_json_close(j, '}');
}

void otapult_log_json(struct otapult_json *j, struct otapult *o, const struct otapult_language *language)
{
    struct otapult_log_entry e;
    char label[17];

    otapult_json_open(j, NULL, '{');
    word_json(j, "name", otapult_name(o));
    otapult_json_open(j, "entries", '[');
    for (unsigned n = 0; n < OTAPULT_LOG_ENTRIES && otapult_log_entry(o, n, &e); n++) {
        otapult_slot_label(o, e.slot, label);
        entry_json(j, NULL, &e, label, language);
    }
    otapult_json_close(j, ']');
    otapult_json_close(j, '}');
}

/* ---- the status ---- */

/* What waits to be started. */
static void staged_json(struct otapult_json *j, const struct otapult_view *v)
{
    const struct otapult_update *u = &v->status.staged;

    if (u->id == 0) {
        otapult_json_null(j, "staged");
        return;
    }
    otapult_json_open(j, "staged", '{');
    label_json(j, "slot", v, u->slot);
    otapult_json_num(j, "size", u->size);
    otapult_json_hex(j, "sha256", u->sha256, sizeof u->sha256);
    otapult_json_open(j, "image", '{');
    otapult_json_str(j, "project", u->project);
    otapult_json_str(j, "version", u->version);
    otapult_json_str(j, "build", u->build);
    otapult_json_close(j, '}');
    otapult_json_close(j, '}');
}

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

void otapult_update_id_json(struct otapult_json *j, uint32_t id)
{
    const uint8_t bytes[] = {(uint8_t)(id >> 24), (uint8_t)(id >> 16), (uint8_t)(id >> 8), (uint8_t)id};

    if (id != 0)
        otapult_json_hex(j, "update", bytes, sizeof bytes);
    else
        otapult_json_null(j, "update");
}

static void update_json(struct otapult_json *j, const struct otapult_status *s)
{
    otapult_json_str(j, "state", phase_name(s->phase));
    otapult_update_id_json(j, s->update);
    otapult_json_num(j, "received", s->received);
    otapult_json_num(j, "written", s->written);
    if (s->total == OTAPULT_SIZE_UNKNOWN)
        otapult_json_null(j, "total");
    else
        otapult_json_num(j, "total", s->total);
}

static void boot_json(struct otapult_json *j, const struct otapult_view *v)
{
    const struct otapult_status *s = &v->status;

    label_json(j, "running", v, s->slots.running);
    label_json(j, "next", v, s->slots.next);
    label_json(j, "boot_slot", v, s->slots.boot);
    otapult_json_bool(j, "safe_mode", s->safe_mode);
    otapult_json_bool(j, "pending", s->pending);
    if (!s->pending)
        return;
    otapult_json_num(j, "confirm_left_ms", s->confirm_left_ms);
    otapult_json_num(j, "soak_left_ms", s->soak_left_ms);
    word_json(j, "waiting_for", s->waiting_for);
}

static void last_json(struct otapult_json *j, const struct otapult_view *v,
                      const struct otapult_language *language)
{
    const struct otapult_slot_view *slot = find_slot(v, v->last.slot);

    if (v->last.seq != 0)
        entry_json(j, "last", &v->last, slot != NULL ? slot->slot.label : "", language);
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

static void limits_json(struct otapult_json *j, const struct otapult *o, const struct otapult_view *v)
{
    const struct otapult_slot_view *next = find_slot(v, v->status.slots.next);

    otapult_json_open(j, "limits", '{');
    otapult_json_str(j, "chip", otapult_chip_name(otapult_device_chip(o)));
    otapult_json_num(j, "chip_revision", otapult_device_revision(o));
    if (otapult_device_block_revision(o) != 0)
        otapult_json_num(j, "efuse_block_revision", otapult_device_block_revision(o));
    else
        otapult_json_null(j, "efuse_block_revision");
    otapult_json_num(j, "slot_size", next != NULL ? next->slot.size : 0);
    otapult_json_num(j, "stall_ms", otapult_device_stall_ms(o));
    if (otapult_device_resume_ms(o) != 0)
        otapult_json_num(j, "resume_ms", otapult_device_resume_ms(o));
    else
        otapult_json_null(j, "resume_ms");
    otapult_json_open(j, "accepts", '[');
    for (size_t n = 0; otapult_device_accepts(o, n) != NULL; n++)
        otapult_json_str(j, NULL, otapult_device_accepts(o, n));
    otapult_json_close(j, ']');
    otapult_json_close(j, '}');
}

/* Where a rollback would go to, or why nowhere. */
static void way_back_json(struct otapult_json *j, const struct otapult_view *v,
                          const struct otapult_language *language)
{
    const struct otapult_way_back *way = &v->way_back;
    const struct otapult_slot_view *slot = find_slot(v, way->slot);

    if (slot == NULL) {
        otapult_json_null(j, "way_back");
        otapult_json_str(j, "no_way_back",
                         way->none == NULL ? NULL : otapult_in_language(way->none, language));
        return;
    }
    otapult_json_open(j, "way_back", '{');
    otapult_json_str(j, "slot", slot->slot.label);
    otapult_json_bool(j, "needs_force", way->doubt != NULL);
    otapult_json_str(j, "why", way->doubt == NULL ? NULL : otapult_in_language(way->doubt, language));
    otapult_json_close(j, '}');
    otapult_json_null(j, "no_way_back");
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

/* What the source of releases offers; null where there is no source. */
static void offer_json(struct otapult_json *j, struct otapult *o)
{
    const struct otapult_pull *pull = otapult_device_pull(o);
    char version[32];

    if (pull == NULL) {
        otapult_json_null(j, "offer");
        return;
    }
    const char *state = pull->code->brief(o, version);
    otapult_json_open(j, "offer", '{');
    otapult_json_str(j, "state", state);
    word_json(j, "version", version);
    otapult_json_close(j, '}');
}

/* The error that otapult_begin() would give for the partition table, or for lack of trust; 0: none. */
static int lasting_error(const struct otapult_status *s, struct otapult_finding *why)
{
    *why = (struct otapult_finding){0};
    if (s->slots_error != 0)
        return s->slots_error;
    int err = otapult_table_refusal(&s->slots, why);
    if (err != 0)
        return err;
    why->text = s->locked;
    return s->trust_error;
}

void otapult_status_json(struct otapult_json *j, struct otapult *o, const struct otapult_view *v,
                         enum otapult_status_slots which, const struct otapult_language *language)
{
    const struct otapult_status *s = &v->status;
    struct otapult_finding why;
    int err = lasting_error(s, &why);

    otapult_json_open(j, NULL, '{');
    word_json(j, "name", otapult_name(o));
    update_json(j, s);
    boot_json(j, v);
    busy_json(j, s);
    slots_json(j, o, v, which);
    staged_json(j, v);
    way_back_json(j, v, language);
    last_json(j, v, language);
    limits_json(j, o, v);
    if (err != 0)
        otapult_error_json(j, "error", err, &why, false, language);
    signature_json(j, s);
    offer_json(j, o);
    otapult_json_bool(j, "open", !s->secure);
    otapult_json_num(j, "boot", s->boot);
    otapult_json_num(j, "uptime_ms", s->uptime_ms);
    otapult_json_close(j, '}');
}
