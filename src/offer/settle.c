/* SPDX-License-Identifier: Apache-2.0 */
#include "offer/settle.h"

#include <string.h>

#include "base/text.h"

/* An update that the puller has written ends after a restart, and perhaps in another firmware. So what it was
 * is kept in the store (kept.h) through these stages, and each boot looks at the device's note of its last
 * update, and at its journal, for what became of it:
 *
 *   NOTHING -> COMING -> WRITTEN -> SUCCEEDED or FAILED -> NOTHING
 *
 * An end (SUCCEEDED, FAILED) is stored before the source hears of it, and NOTHING when it has. Where the
 * power goes in between, it is told after the next start, perhaps a second time: better twice than never. */

/* ---- telling the source ---- */

int otapult_tell(struct otapult_puller *p, enum otapult_report_kind kind, uint32_t done, uint32_t total,
                 const char *text)
{
    const struct otapult_report report = {.kind = kind,
                                          .action = p->kept.stage != OTAPULT_KEPT_NOTHING ? p->kept.action
                                                                                          : p->offer.action,
                                          .done = done,
                                          .total = total,
                                          .text = text};

    if (p->pull->source->report == NULL)
        return 0;
    p->env.why = (struct otapult_finding){0};
    return p->pull->source->report(&p->env, &report);
}

void otapult_mention(struct otapult_puller *p, enum otapult_report_kind kind, const char *text)
{
    int err = otapult_tell(p, kind, 0, 0, text);

    if (err != 0)
        otapult_puller_ended(p, err, &p->env.why);
}

/* A report that the source does not take is told again, at growing intervals, until it is taken. */
static void report(struct otapult_puller *p)
{
    bool good = p->kept.stage == OTAPULT_KEPT_SUCCEEDED;

    if (!good && p->kept.stage != OTAPULT_KEPT_FAILED)
        return;
    if (p->reports > 0 && !otapult_puller_due(p, p->report_ms))
        return;
    int err = otapult_tell(p, good ? OTAPULT_REPORT_SUCCEEDED : OTAPULT_REPORT_FAILED, 0, 0, p->kept.text);
    if (err != 0 && err != OTAPULT_E_OFFER_WITHDRAWN) {
        otapult_puller_ended(p, err, &p->env.why);
        p->reports++;
        p->report_ms = otapult_puller_now(p) + otapult_ask_again(p->pull, p->reports, 0, p->reports) * 1000;
        return;
    }
    p->reports = 0;
    p->kept.told = 1;
    p->kept.stage = OTAPULT_KEPT_NOTHING;
    otapult_puller_save(p);
}

/* ---- what became of it ---- */

static void settle(struct otapult_puller *p, enum otapult_kept_stage stage, const char *text)
{
    p->kept.stage = (uint8_t)stage;
    otapult_text_set(p->kept.text, sizeof p->kept.text, text);
    p->kept.again = 0;
    memset(p->kept.chosen, 0, sizeof p->kept.chosen);
    if (stage == OTAPULT_KEPT_FAILED)
        otapult_kept_add(p->kept.refused, p->kept.tried);
    else
        memcpy(p->kept.proved, p->kept.tried, sizeof p->kept.proved);
    otapult_puller_save(p);
}

void otapult_settle_failed(struct otapult_puller *p, const char *text)
{
    settle(p, OTAPULT_KEPT_FAILED, text);
}

void otapult_settle_succeeded(struct otapult_puller *p, const char *text)
{
    settle(p, OTAPULT_KEPT_SUCCEEDED, text);
}

static bool is_bad_end(uint8_t event)
{
    return event == OTAPULT_EV_REJECTED || event == OTAPULT_EV_CRASHED || event == OTAPULT_EV_GAVE_UP ||
           event == OTAPULT_EV_NOT_LOADED || event == OTAPULT_EV_CRASH_LOOP;
}

/* The journal's newest entry on how the trial of `build` ended; false: there is none. Entries of the boot in
 * which it was written, or of one before, are about an earlier trial of the same build. A rollback is not
 * looked for: its entry names the build that it goes to, and says nothing against that one. */
static bool find_word(struct otapult_puller *p, const char *build, struct otapult_log_entry *e)
{
    for (unsigned n = 0; n < OTAPULT_LOG_ENTRIES; n++)
        if (otapult_log_entry(p->device, n, e) && e->boot > p->kept.boot && strcmp(e->build, build) == 0 &&
            (is_bad_end(e->event) || e->event == OTAPULT_EV_CONFIRMED))
            return true;
    return false;
}

static void fail_with(struct otapult_puller *p, const struct otapult_log_entry *e)
{
    char text[sizeof p->kept.text];
    struct otapult_text t;

    otapult_text_init(&t, text, sizeof text);
    otapult_text_str(&t, otapult_event_name(e->event));
    otapult_text_str(&t, e->text[0] != '\0' ? ": " : "");
    otapult_text_str(&t, e->text);
    settle(p, OTAPULT_KEPT_FAILED, text);
}

static bool runs(const struct otapult_puller *p, const char *build)
{
    char running[OTAPULT_BUILD_ID_CHARS + 1];

    otapult_build_id(&p->env.running, running);
    return strcmp(running, build) == 0;
}

/* It was activated, something else runs, and the journal does not say why: the power may have gone while the
 * device was about to try it once more. It is fetched again, but only a few times. */
static void fetch_again(struct otapult_puller *p)
{
    static const struct otapult_finding unknown = {.text = "another firmware runs again and again"};

    p->kept.stage = OTAPULT_KEPT_NOTHING;
    if (++p->kept.again < OTAPULT_SETTLE_TRIES) {
        otapult_puller_save(p);
        return;
    }
    settle(p, OTAPULT_KEPT_FAILED, unknown.text);
    otapult_note_source(p->device, p->pull->source->name, 0, &unknown);
}

/* For a boot after the one in which it was activated, once no trial is under way. An image that was confirmed
 * has succeeded, also where somebody has gone back from it since. */
static void conclude(struct otapult_puller *p, const struct otapult_update *u)
{
    struct otapult_log_entry e;
    const bool known = find_word(p, u->build, &e);

    if (runs(p, u->build) || (known && e.event == OTAPULT_EV_CONFIRMED))
        settle(p, OTAPULT_KEPT_SUCCEEDED, "");
    else if (known)
        fail_with(p, &e);
    else if (otapult_has_failed_here(p->device, u->build))
        settle(p, OTAPULT_KEPT_FAILED, "another firmware runs");
    else
        fetch_again(p);
}

/* COMING or WRITTEN was stored before the restart. The device's own note of its last update says how far it
 * came: the power may have gone after the activation and before WRITTEN was stored. */
static void look_at_last(struct otapult_puller *p, const struct otapult_update *u)
{
    bool same = u->id == p->kept.update;
    bool activated = same && u->outcome == OTAPULT_UPDATE_ACTIVATED;
    bool started = same && u->outcome == OTAPULT_UPDATE_STAGED && p->kept.stage == OTAPULT_KEPT_WRITTEN;

    if (activated || started)
        conclude(p, u);
    else if (p->kept.stage == OTAPULT_KEPT_WRITTEN)
        settle(p, OTAPULT_KEPT_FAILED, "another update took its place");
    else
        p->kept.stage = OTAPULT_KEPT_NOTHING; /* the download broke off: it is begun anew, or goes on */
}

bool otapult_settle_poll(struct otapult_puller *p)
{
    struct otapult_status s;
    struct otapult_update u;

    report(p);
    if (p->settled && p->kept.stage != OTAPULT_KEPT_WRITTEN)
        return false;
    otapult_status(p->device, &s);
    if (s.pending || s.phase == OTAPULT_REBOOTING ||
        (p->kept.stage == OTAPULT_KEPT_WRITTEN && s.boot == p->kept.boot)) {
        otapult_puller_state(
            p, p->kept.stage == OTAPULT_KEPT_NOTHING ? OTAPULT_PULL_IDLE : OTAPULT_PULL_TRYING, NULL, 0);
        return true;
    }
    otapult_last_update(p->device, &u);
    if (p->kept.stage == OTAPULT_KEPT_COMING || p->kept.stage == OTAPULT_KEPT_WRITTEN)
        look_at_last(p, &u);
    report(p); /* before the source is asked: it would offer the same once more */
    otapult_puller_state(p, OTAPULT_PULL_IDLE, NULL, 0);
    p->settled = true;
    return false;
}
