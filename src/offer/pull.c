/* SPDX-License-Identifier: Apache-2.0 */
#include "offer/pull.h"

#include <string.h>

#include "base/text.h"
#include "offer/fetch.h"
#include "offer/settle.h"
#include "trust/trust.h"

/* otapult_pull_poll() does the one step that is due and returns: it finds out what became of the last update,
 * fetches a piece, asks the source, or decides about the offer, in this order. The last update comes first,
 * because nothing new may begin while nobody knows whether it holds. All of it runs in one task, so only what
 * requests read is locked. */

/* ---- the start ---- */

static const char *fault_of_members(const struct otapult_pull *pull)
{
    if (pull->memory == NULL)
        return "pull without memory";
    if (pull->fetch == NULL || pull->fetch->run == NULL)
        return "pull without fetch";
    if (pull->source == NULL)
        return "pull without a source";
    if (pull->id == NULL || pull->id[0] == '\0')
        return "pull without the robot's id";
    if (pull->ask_s == 0 || pull->retry_s == 0)
        return "pull without ask_s or retry_s: OTAPULT_PULL_DEFAULT has them";
    if (pull->window.from >= 1440 || pull->window.to >= 1440)
        return "a maintenance window beyond the day";
    return NULL;
}

const char *otapult_pull_fault(const struct otapult_config *config)
{
    const char *fault = fault_of_members(config->pull);

    return fault != NULL ? fault
                         : config->pull->source->fault(config->pull, config->secure != NULL,
                                                       (unsigned)config->key_count);
}

void otapult_pull_start(struct otapult *o)
{
    struct otapult_puller *p = otapult_puller_of(o);
    uint32_t first;

    memset(p, 0, sizeof *p);
    p->device = o;
    p->port = otapult_device_port(o);
    p->pull = otapult_device_pull(o);
    p->env = (struct otapult_source_env){.device = o, .pull = p->pull, .memory = p->source};
    first = p->pull->first_s < OTAPULT_ASK_MAX ? p->pull->first_s : OTAPULT_ASK_MAX;
    p->next_ms = otapult_puller_now(p) + otapult_spread(p->pull->id, 0, first * 1000 + 1);
    otapult_kept_load(&p->kept, p->port);
}

/* ---- a question ---- */

static void schedule(struct otapult_puller *p)
{
    uint32_t s = otapult_ask_again(p->pull, p->failures, p->env.next_s, p->env.asked);
    uint32_t now = otapult_puller_now(p);

    otapult_puller_lock(p);
    p->asked = true;
    p->asked_ms = now;
    p->next_ms = now + s * 1000;
    otapult_puller_unlock(p);
}

/* Says so once for each release, and on the console only: the journal has room for twelve entries, and a
 * source may offer the same release for months. */
static void say_unfit(const struct otapult_puller *p)
{
    const struct otapult_offer *fresh = &p->fresh;
    char line[128];
    struct otapult_text t;

    if (fresh->unfit == NULL ||
        (p->offer.unfit == fresh->unfit && strcmp(p->offer.version, fresh->version) == 0))
        return;
    otapult_text_init(&t, line, sizeof line);
    otapult_text_str(&t, "release ");
    otapult_text_str(&t, fresh->version);
    otapult_text_str(&t, " is not taken: ");
    otapult_text_str(&t, fresh->unfit);
    p->port->log(p->port->ctx, OTAPULT_LOG_INFO, line);
}

/* Where the source does not answer, what it offered before stays. */
static void ask(struct otapult_puller *p)
{
    memset(&p->fresh, 0, sizeof p->fresh);
    p->env.why = (struct otapult_finding){0};
    p->env.next_s = 0;
    p->env.unchanged = false;
    p->env.owed = p->kept.stage != OTAPULT_KEPT_NOTHING ? p->kept.action : NULL;
    int err = p->pull->source->ask(&p->env, &p->fresh);
    p->env.asked++;
    p->failures = err != 0 ? p->failures + 1 : 0;
    if (err == 0)
        p->consented = false;
    if (err == 0 && !p->env.unchanged) {
        say_unfit(p);
        otapult_puller_offer(p, &p->fresh);
    }
    otapult_puller_ended(p, err, &p->env.why);
    schedule(p);
}

/* ---- a person's word ---- */

static void take_word(struct otapult_puller *p)
{
    otapult_puller_lock(p);
    bool has = p->has_word;
    uint8_t word = p->word;
    p->has_word = false;
    otapult_puller_unlock(p);
    if (!has)
        return;
    p->later = word == OTAPULT_OFFER_LATER;
    p->later_ms = otapult_puller_now(p);
    p->holding = false;
    memset(p->kept.chosen, 0, sizeof p->kept.chosen);
    if (word == OTAPULT_OFFER_INSTALL) {
        memcpy(p->kept.chosen, p->key, sizeof p->key);
        otapult_kept_remove(p->kept.skipped, p->key);
        otapult_kept_remove(p->kept.refused, p->key);
    } else if (word == OTAPULT_OFFER_SKIP) {
        otapult_kept_add(p->kept.skipped, p->key);
    }
    otapult_puller_save(p);
    if (word == OTAPULT_OFFER_SKIP)
        otapult_mention(p, OTAPULT_REPORT_DENIED, "somebody has skipped it");
}

/* ---- is it taken? ---- */

#define A_DAY_MS 86400000u

/* Did the last update bring what runs, and was it the offered image? */
static bool was_written_here(const struct otapult_puller *p, const char *running)
{
    struct otapult_update u;

    otapult_last_update(p->device, &u);
    return p->offer.has_sha256 && u.id != 0 && strcmp(u.build, running) == 0 &&
           memcmp(u.sha256, p->offer.sha256, sizeof u.sha256) == 0;
}

static bool is_what_runs(const struct otapult_puller *p)
{
    const struct otapult_offer *offer = &p->offer;
    char build[OTAPULT_BUILD_ID_CHARS + 1];

    otapult_build_id(&p->env.running, build);
    if (offer->build[0] != '\0')
        return strcmp(offer->build, build) == 0;
    if (was_written_here(p, build))
        return true;
    return !offer->version_is_label && offer->version[0] != '\0' &&
           strcmp(offer->version, p->env.running.version) == 0;
}

/* Has the source been told how this very action ended? Then the verdict on the file stands. An operator who
 * assigns the same file once more makes a new action of it, and means it: then the file is judged anew. */
static bool is_told(const struct otapult_puller *p)
{
    return p->pull->source->report != NULL && p->kept.told != 0 && p->kept.stage == OTAPULT_KEPT_NOTHING &&
           strcmp(p->kept.action, p->offer.action) == 0;
}

static void look_at_policy(const struct otapult_puller *p, struct otapult_circumstances *c)
{
    bool urgent = p->offer.urgency == OTAPULT_URGENT;

    c->asks = p->offer.needs_consent || p->pull->policy == OTAPULT_PULL_ASK ||
              (p->pull->policy == OTAPULT_PULL_URGENT && !urgent);
    c->later = p->later && otapult_puller_now(p) - p->later_ms < A_DAY_MS;
}

static void look_at_offer(struct otapult_puller *p, struct otapult_circumstances *c)
{
    const struct otapult_offer *offer = &p->offer;
    const struct otapult_app_desc *runs = &p->env.running;
    const bool known = p->pull->source->report == NULL || is_told(p); /* the verdict on the file stands */
    struct otapult_status s;

    otapult_status(p->device, &s);
    c->same = is_what_runs(p) || memcmp(p->same, p->key, sizeof p->key) == 0;
    c->other_project = offer->project[0] != '\0' && runs->project[0] != '\0' &&
                       strcmp(offer->project, runs->project) != 0;
    c->older = !(offer->downgrade && p->pull->downgrade) &&
               otapult_offer_is_older(offer->version, runs->version);
    c->unconfirmed = s.pending;
    c->chosen = otapult_puller_chosen(p);
    c->skipped = otapult_kept_has(p->kept.skipped, p->key);
    c->refused = known && otapult_kept_has(p->kept.refused, p->key);
    c->left = known && memcmp(p->kept.proved, p->key, sizeof p->key) == 0;
    c->failed = p->failed;
    c->not_now = offer->not_now;
    look_at_policy(p, c);
}

/* The source tells the files only to a robot that wants them. So it hears a yes, and is asked again at once,
 * but at once only the first time: a source that still names no files is asked as often as any other. A yes
 * that it did not take is told again after its next answer. */
static void ask_for_files(struct otapult_puller *p)
{
    if (p->consented)
        return;
    p->consented = true;
    int err = otapult_tell(p, OTAPULT_REPORT_TAKEN, 0, 0, "");
    if (err != 0)
        otapult_puller_ended(p, err, &p->env.why);
    else if (!p->hurried)
        otapult_puller_ask_at(p, otapult_puller_now(p));
    p->hurried = true;
}

/* Nothing is begun while the end of the last update is still to be told, because there is room for one such
 * end only; nor while the source does not answer, because then the files will not come either. */
static const char *source_fault(const struct otapult_puller *p)
{
    if (p->failures > 0)
        return "the source does not answer";
    return p->kept.stage != OTAPULT_KEPT_NOTHING ? "the source is not told of the last one yet" : NULL;
}

static void take(struct otapult_puller *p)
{
    const char *fault = source_fault(p);

    if (p->holding && !otapult_puller_due(p, p->hold_ms))
        return;
    if (fault != NULL)
        otapult_puller_state(p, OTAPULT_PULL_OFFERED, fault, 0);
    else if (p->offer.needs_consent)
        ask_for_files(p);
    else if (otapult_fetch_is_staged(p))
        otapult_fetch_start_staged(p);
    else
        otapult_fetch_begin(p);
}

/* The offered firmware runs already, whoever brought it: the source hears that its action is done. */
static void drop(struct otapult_puller *p, const char *why)
{
    otapult_mention(p, OTAPULT_REPORT_SUCCEEDED, why);
    otapult_puller_offer(p, NULL);
}

/* The robot will never take it, so it ends the action: one that stays open would hold up the source's
 * roll-out for ever. */
static void end_for_source(struct otapult_puller *p, const char *why)
{
    memcpy(p->kept.tried, p->key, sizeof p->kept.tried);
    memcpy(p->kept.action, p->offer.action, sizeof p->kept.action);
    otapult_settle_failed(p, why);
    otapult_note_source(p->device, p->pull->source->name, 0, &(struct otapult_finding){.text = why});
    otapult_puller_offer(p, NULL);
}

static void consider(struct otapult_puller *p)
{
    struct otapult_circumstances c = {0};

    if (!otapult_has_offer(&p->offer))
        return;
    take_word(p);
    look_at_offer(p, &c);
    otapult_puller_window(p, &c);
    const struct otapult_judgement j = otapult_judge_offer(&c);
    if (j.verdict == OTAPULT_DROP) {
        drop(p, j.wait);
        return;
    }
    if (j.final && p->pull->source->report != NULL && p->kept.stage == OTAPULT_KEPT_NOTHING && !is_told(p)) {
        end_for_source(p, j.wait);
        return;
    }
    if (j.verdict != OTAPULT_TAKE_IT || !p->holding)
        otapult_puller_state(p, OTAPULT_PULL_OFFERED, j.wait, j.err);
    if (j.verdict == OTAPULT_TAKE_IT)
        take(p);
}

/* ---- what is due ---- */

/* The description of what runs could not be read while the slots could not; poll after poll looks again. */
static bool knows_what_runs(struct otapult_puller *p)
{
    return p->env.running.version[0] != '\0' || otapult_running_desc(p->device, &p->env.running);
}

void otapult_pull_poll(struct otapult *o)
{
    if (otapult_device_pull(o) == NULL)
        return;
    struct otapult_puller *p = otapult_puller_of(o);
    if (!knows_what_runs(p) || otapult_settle_poll(p))
        return;
    if (otapult_fetch_runs(p))
        otapult_fetch_poll(p);
    else if (otapult_puller_due(p, p->next_ms))
        ask(p);
    else
        consider(p);
}
