/* SPDX-License-Identifier: Apache-2.0 */
#include "offer/choose.h"

#include <string.h>

#include "base/text.h"

/* What requests may do with the offer. They come in the server's tasks, while the poll works on the same
 * struct: all they do is copy out and leave a word under the lock, which the poll takes up (pull.c) when it
 * is at the offer next. Only the end of a download is not left to it, because the poll may be inside a
 * request to the source for minutes. */

/* Under lock. */
static int refuse(const struct otapult_puller *p, enum otapult_offer_choice choice)
{
    if (!otapult_has_offer(&p->offer) || p->state == OTAPULT_PULL_TRYING)
        return OTAPULT_E_NO_OFFER;
    return choice == OTAPULT_OFFER_INSTALL ? p->bar : 0;
}

int otapult_offer_choose(struct otapult *o, enum otapult_offer_choice choice, const char *by,
                         struct otapult_finding *why)
{
    struct otapult_puller *p;

    *why = (struct otapult_finding){0};
    if (otapult_device_pull(o) == NULL)
        return OTAPULT_E_NO_SOURCE;
    p = otapult_puller_of(o);
    otapult_puller_lock(p);
    int err = refuse(p, choice);
    bool comes = err == 0 && p->state == OTAPULT_PULL_FETCHING;
    uint32_t ticket = comes ? p->fetch.ticket : 0;
    if (err == 0) {
        p->has_word = true;
        p->word = (uint8_t)choice;
    }
    why->text = err == OTAPULT_E_OTHER_PROJECT ? p->env.running.project : p->offer.version;
    otapult_puller_unlock(p);
    if (comes && choice != OTAPULT_OFFER_INSTALL)
        err = otapult_end_update_of(o, ticket, by, why);
    return err == OTAPULT_E_NO_UPDATE ? 0 : err; /* the download ended by itself; the choice stands */
}

const char *otapult_pull_state_name(unsigned state)
{
    static const char *const names[] = {
        [OTAPULT_PULL_IDLE] = "idle",
        [OTAPULT_PULL_OFFERED] = "offered",
        [OTAPULT_PULL_FETCHING] = "fetching",
        [OTAPULT_PULL_TRYING] = "trying",
    };

    return state < sizeof names / sizeof *names ? names[state] : "idle";
}

const char *otapult_offer_brief(struct otapult *o, char *version)
{
    struct otapult_puller *p = otapult_puller_of(o);

    otapult_puller_lock(p);
    memcpy(version, p->offer.version, sizeof p->offer.version);
    unsigned state = p->state;
    otapult_puller_unlock(p);
    return otapult_pull_state_name(state);
}

/* Under lock. */
static void copy_offer(const struct otapult_puller *p, bool russian, struct otapult_offer_view *out)
{
    const struct otapult_offer *offer = &p->offer;
    const char *notes = russian && offer->notes[1][0] != '\0' ? offer->notes[1] : offer->notes[0];

    memcpy(out->version, offer->version, sizeof out->version);
    memcpy(out->project, offer->project, sizeof out->project);
    memcpy(out->build, offer->build, sizeof out->build);
    otapult_text_set(out->notes, sizeof out->notes, notes);
    out->size = offer->file_count > 0 ? offer->file[0].size : 0;
    out->urgent = offer->urgency == OTAPULT_URGENT;
    out->wait = p->wait;
}

/* Under lock. */
static void copy_state(const struct otapult_puller *p, uint32_t now, struct otapult_offer_view *out)
{
    int32_t left = (int32_t)(p->next_ms - now);

    out->state = p->state;
    out->source = p->pull->source->name;
    out->error = p->error;
    out->why = p->why;
    memcpy(out->why_text, p->why_text, sizeof out->why_text);
    if (p->why.text != NULL)
        out->why.text = out->why_text;
    out->asked_s = p->asked ? (now - p->asked_ms) / 1000 : OTAPULT_SIZE_UNKNOWN;
    out->next_s = left > 0 ? (uint32_t)left / 1000 : 0;
}

bool otapult_offer_view(struct otapult *o, bool russian, struct otapult_offer_view *out)
{
    memset(out, 0, sizeof *out);
    if (otapult_device_pull(o) == NULL)
        return false;
    struct otapult_puller *p = otapult_puller_of(o);
    uint32_t now = otapult_puller_now(p);

    otapult_puller_lock(p);
    copy_state(p, now, out);
    if (otapult_has_offer(&p->offer) || p->offer.unfit != NULL)
        copy_offer(p, russian, out);
    otapult_puller_unlock(p);
    return true;
}
