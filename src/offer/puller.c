/* SPDX-License-Identifier: Apache-2.0 */
#include "offer/puller.h"

#include <string.h>

#include "base/text.h"

/* The struct that all files of the puller share, and the few ways to change what other tasks read of it. Each
 * change of those words is one short block under the lock: a request that looks in between sees the state
 * before or after it, never an offer with the key of another. */

struct otapult_puller *otapult_puller_of(const struct otapult *o)
{
    return (struct otapult_puller *)(void *)otapult_device_pull(o)->memory;
}

void otapult_puller_lock(const struct otapult_puller *p)
{
    p->port->lock(p->port->ctx);
}

void otapult_puller_unlock(const struct otapult_puller *p)
{
    p->port->unlock(p->port->ctx);
}

uint32_t otapult_puller_now(const struct otapult_puller *p)
{
    return p->port->now_ms(p->port->ctx);
}

bool otapult_puller_due(const struct otapult_puller *p, uint32_t at)
{
    return (int32_t)(otapult_puller_now(p) - at) >= 0;
}

/* ---- the offer ---- */

bool otapult_has_offer(const struct otapult_offer *offer)
{
    return offer->file_count > 0 || offer->needs_consent;
}

/* The image's SHA-256 where it is known, because different files may hold the same image; else that of the
 * plain file; of an offer that names no file yet, a mix of its action's id. Zeros mean "none" wherever keys
 * are kept, so a digest that begins with zeros, which a server could announce on purpose, is changed. */
void otapult_offer_key(const struct otapult_offer *offer, uint8_t key[OTAPULT_OFFER_KEY])
{
    static const uint8_t none[OTAPULT_OFFER_KEY];

    memset(key, 0, OTAPULT_OFFER_KEY);
    if (offer->has_sha256)
        memcpy(key, offer->sha256, OTAPULT_OFFER_KEY);
    else if (offer->file_count > 0)
        memcpy(key, offer->file[offer->file_count - 1].sha256, OTAPULT_OFFER_KEY);
    else
        for (size_t i = 0; offer->action[i] != '\0'; i++)
            key[i % OTAPULT_OFFER_KEY] =
                (uint8_t)(key[i % OTAPULT_OFFER_KEY] * 31 + (uint8_t)offer->action[i]);
    if (memcmp(key, none, sizeof none) == 0)
        key[0] = 1;
}

void otapult_puller_offer(struct otapult_puller *p, const struct otapult_offer *offer)
{
    const bool has = offer != NULL && otapult_has_offer(offer);
    uint8_t key[OTAPULT_OFFER_KEY] = {0};

    if (has)
        otapult_offer_key(offer, key);
    p->failed = has && otapult_has_failed_here(p->device, offer->build);
    otapult_puller_lock(p);
    bool same = memcmp(key, p->key, sizeof key) == 0;
    if (offer != NULL)
        p->offer = *offer;
    else
        memset(&p->offer, 0, sizeof p->offer);
    memcpy(p->key, key, sizeof key);
    if (!same)
        p->has_word = false; /* the person's choice was about another offer */
    if (!has) {
        p->state = OTAPULT_PULL_IDLE;
        p->wait = p->offer.unfit;
    }
    otapult_puller_unlock(p);
    if (!same) {
        p->later = p->consented = p->hurried = false;
        p->mismatches = p->packed_failed = 0;
    }
}

void otapult_puller_state(struct otapult_puller *p, enum otapult_pull_state state, const char *wait, int bar)
{
    otapult_puller_lock(p);
    p->state = (uint8_t)state;
    p->wait = wait;
    p->bar = bar;
    otapult_puller_unlock(p);
}

void otapult_puller_ask_at(struct otapult_puller *p, uint32_t ms)
{
    otapult_puller_lock(p);
    p->next_ms = ms;
    otapult_puller_unlock(p);
}

bool otapult_puller_chosen(const struct otapult_puller *p)
{
    return memcmp(p->kept.chosen, p->key, sizeof p->key) == 0;
}

void otapult_puller_window(const struct otapult_puller *p, struct otapult_circumstances *c)
{
    const struct otapult_pull *pull = p->pull;
    struct otapult_wall_time t;

    if (pull->window.from == pull->window.to)
        return;
    uint32_t shift = otapult_spread(pull->id, 1, otapult_window_spread(&pull->window) + 1);
    c->clockless = pull->clock == NULL || !pull->clock->now(pull->clock->ctx, &t) ||
                   !otapult_time_is_good(&t);
    c->closed = !c->clockless && !otapult_window_open(&pull->window, &t, shift);
}

/* ---- errors ---- */

void otapult_puller_ended(struct otapult_puller *p, int err, const struct otapult_finding *why)
{
    otapult_puller_lock(p);
    p->error = err;
    p->why = *why;
    otapult_text_set(p->why_text, sizeof p->why_text, why->text);
    p->why.text = why->text != NULL ? p->why_text : NULL;
    otapult_puller_unlock(p);
    if (err != 0 && err != p->noted)
        otapult_note_source(p->device, p->pull->source->name, err, why);
    p->noted = err;
}

void otapult_puller_save(const struct otapult_puller *p)
{
    otapult_kept_save(&p->kept, p->port);
}
