/* SPDX-License-Identifier: Apache-2.0 */
#include "update/common.h"

#include <string.h>

#include "base/text.h"
#include "update/report.h"

_Static_assert(sizeof(struct otapult) <= OTAPULT_RAM, "OTAPULT_RAM holds the device");

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

void otapult_log(const struct otapult *o, enum otapult_log_level level, const char *line)
{
    o->port->log(o->port->ctx, level, line);
}

/* ---- the table of slots ---- */

void otapult_slots_failed(struct otapult *o, int err)
{
    otapult_lock(o);
    bool is_news = err != o->slots_error;
    o->slots_error = err;
    otapult_unlock(o);
    if (is_news)
        otapult_log(o, OTAPULT_LOG_ERROR, "the slots cannot be read");
}

/* ---- notes ---- */

void otapult_describe(struct otapult_trial *trial, int slot, const struct otapult_app_desc *desc,
                      uint32_t size)
{
    *trial = (struct otapult_trial){.slot = (int8_t)slot, .size = size};
    otapult_build_id(desc, trial->build);
    memcpy(trial->version, desc->version, sizeof trial->version);
    memcpy(trial->project, desc->project, sizeof trial->project);
}

void otapult_note(struct otapult *o, enum otapult_event event, int slot, const struct otapult_trial *trial,
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
    otapult_report_event(o->port, &e);
    otapult_journal_add(&o->journal, &e);
}

void otapult_note_source(struct otapult *o, const char *by, int err, const struct otapult_finding *why)
{
    char text[80];

    if (err != 0)
        otapult_detail(err, why, NULL, text, sizeof text);
    else
        otapult_text_set(text, sizeof text, why->text);
    otapult_note(o, OTAPULT_EV_SOURCE, OTAPULT_SLOT_NONE, NULL,
                 err != 0 ? otapult_error_row(err)->code : NULL, text, by);
}

void otapult_note_account(struct otapult *o, const char *text, const char *by)
{
    otapult_note(o, OTAPULT_EV_ACCOUNT, OTAPULT_SLOT_NONE, NULL, NULL, text, by);
}
