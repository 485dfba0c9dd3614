/* SPDX-License-Identifier: Apache-2.0 */
#include "update/report.h"

#include "base/text.h"

/* ---- parts of a line ---- */

static void put_size(struct otapult_text *t, uint32_t size)
{
    if (size == OTAPULT_SIZE_UNKNOWN) {
        otapult_text_str(t, ", size not known");
        return;
    }
    otapult_text_str(t, ", ");
    otapult_text_dec(t, size);
    otapult_text_str(t, " bytes");
}

static void put_if(struct otapult_text *t, const char *before, const char *text)
{
    if (text == NULL || text[0] == '\0')
        return;
    otapult_text_str(t, before);
    otapult_text_str(t, text);
}

/* Which image an entry of the journal is about. */
static void put_image(struct otapult_text *t, const struct otapult_log_entry *e)
{
    put_if(t, " ", otapult_is_unnamed(e->project) ? OTAPULT_UNNAMED : e->version);
    put_if(t, " build ", e->build);
    if (e->slot == OTAPULT_SLOT_FACTORY)
        otapult_text_str(t, ", factory");
    if (e->slot >= 0) {
        otapult_text_str(t, ", slot ");
        otapult_text_dec(t, (uint32_t)e->slot);
    }
    if (e->size != 0)
        put_size(t, e->size);
}

/* ---- lines ---- */

void otapult_report_begin(const struct otapult_port *port, uint32_t size, const char *by)
{
    char line[OTAPULT_REPORT_LINE];
    struct otapult_text t;

    otapult_text_init(&t, line, sizeof line);
    otapult_text_str(&t, "update begins");
    put_size(&t, size);
    put_if(&t, ", by ", by);
    port->log(port->ctx, OTAPULT_LOG_INFO, line);
}

/* A status of 500 and above is this device's own fault, as everywhere in HTTP. */
void otapult_report_refusal(const struct otapult_port *port, const char *what, int err,
                            const struct otapult_finding *why, uint32_t size, const char *by)
{
    const struct otapult_error_row *row = otapult_error_row(err);
    char line[OTAPULT_REPORT_LINE], detail[80];
    struct otapult_text t;

    otapult_detail(err, why, NULL, detail, sizeof detail);
    otapult_text_init(&t, line, sizeof line);
    otapult_text_str(&t, what);
    otapult_text_str(&t, " refused: ");
    otapult_text_str(&t, row->code);
    if (size != 0)
        put_size(&t, size);
    put_if(&t, ", by ", by);
    put_if(&t, ": ", detail);
    port->log(port->ctx, row->status >= 500 ? OTAPULT_LOG_ERROR : OTAPULT_LOG_WARNING, line);
}

void otapult_report_event(const struct otapult_port *port, const struct otapult_log_entry *e)
{
    static const struct {
        const char *what; /* NULL: it has a line of its own */
        enum otapult_log_level level;
    } events[] = {
        [OTAPULT_EV_ACTIVATED] = {"activated", OTAPULT_LOG_INFO},
        [OTAPULT_EV_STAGED] = {"staged", OTAPULT_LOG_INFO},
        [OTAPULT_EV_CONFIRMED] = {"confirmed", OTAPULT_LOG_INFO},
        [OTAPULT_EV_REJECTED] = {"rejected", OTAPULT_LOG_ERROR},
        [OTAPULT_EV_CRASHED] = {"crashed", OTAPULT_LOG_ERROR},
        [OTAPULT_EV_POWER_LOST] = {"retry", OTAPULT_LOG_WARNING},
        [OTAPULT_EV_GAVE_UP] = {"given up", OTAPULT_LOG_ERROR},
        [OTAPULT_EV_NOT_LOADED] = {"not loaded", OTAPULT_LOG_ERROR},
        [OTAPULT_EV_ROLLED_BACK] = {"rolled back to", OTAPULT_LOG_INFO},
        [OTAPULT_EV_ACCOUNT] = {"account", OTAPULT_LOG_INFO},
        [OTAPULT_EV_SOURCE] = {"source", OTAPULT_LOG_INFO},
        [OTAPULT_EV_CRASH_LOOP] = {"crash loop", OTAPULT_LOG_ERROR},
    };
    char line[OTAPULT_REPORT_LINE];
    struct otapult_text t;

    if (e->event >= sizeof events / sizeof *events || events[e->event].what == NULL)
        return;
    otapult_text_init(&t, line, sizeof line);
    otapult_text_str(&t, events[e->event].what);
    put_image(&t, e);
    put_if(&t, ", by ", e->by);
    put_if(&t, ": ", e->code);
    put_if(&t, ": ", e->text);
    port->log(port->ctx, e->code[0] != '\0' ? OTAPULT_LOG_WARNING : events[e->event].level, line);
}

void otapult_report_restart(const struct otapult_port *port, const char *why)
{
    char line[OTAPULT_REPORT_LINE];
    struct otapult_text t;

    otapult_text_init(&t, line, sizeof line);
    otapult_text_str(&t, "restart");
    put_if(&t, ": ", why);
    port->log(port->ctx, OTAPULT_LOG_INFO, line);
}
