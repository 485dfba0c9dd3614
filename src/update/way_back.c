/* SPDX-License-Identifier: Apache-2.0 */
#include "update/way_back.h"

/* Everything here is decided by what the device has kept of its slots (o->seen). The image itself is verified
 * only when it is gone back to: so a way back may be shown, and then turn out to be none. */

/* What speaks against an image; NULL: nothing. */
static const char *doubt_about(const struct otapult_slot_view *v)
{
    if (v->slot.state == OTAPULT_STATE_INVALID)
        return "it rejected itself when it ran last";
    if (v->slot.state == OTAPULT_STATE_ABORTED)
        return "it did not confirm itself when it ran last";
    return v->failed ? "it has failed on this device" : NULL;
}

/* The one that ran before comes first. Of two OTA slots that is the slot of the next update; of more it is
 * the one that OTA data, which remembers two, still calls confirmed. A factory app comes last, because it is
 * the oldest there is. */
static unsigned rank(const struct otapult *o, const struct otapult_slot_view *v)
{
    if (v->index == OTAPULT_SLOT_FACTORY)
        return 3;
    if (v->slot.state == OTAPULT_STATE_VALID)
        return 0;
    return v->index == o->slots.next ? 1 : 2;
}

/* One without doubts is better than any other. */
static bool is_better(const struct otapult *o, const struct otapult_slot_view *a,
                      const struct otapult_slot_view *b)
{
    bool doubt_a = doubt_about(a) != NULL, doubt_b = doubt_about(b) != NULL;

    return doubt_a != doubt_b ? doubt_b : rank(o, a) < rank(o, b);
}

void otapult_find_way_back(const struct otapult *o, struct otapult_way_back *out)
{
    const struct otapult_slot_view *best = NULL;
    bool staged = false;

    *out = (struct otapult_way_back){.slot = OTAPULT_SLOT_NONE};
    if (!o->slots.ota_data) {
        out->none = "there is no otadata partition to choose a slot by";
        return;
    }
    out->none = "there is no other slot";
    for (unsigned n = 0; n < o->seen_count; n++) {
        const struct otapult_slot_view *v = &o->seen[n];
        if (v->index == o->slots.running)
            continue;
        if (o->staged.id != 0 && v->index == o->staged.slot) { /* it has never run */
            staged = true;
            continue;
        }
        out->none = "no other slot holds a firmware";
        /* One that cannot be read may hold an image: the rollback itself then meets the port's error. */
        if ((v->has_image || !v->readable) && (best == NULL || is_better(o, v, best)))
            best = v;
    }
    if (staged)
        out->none = "the other slot holds a firmware that waits to be started";
    if (best != NULL)
        *out = (struct otapult_way_back){.slot = best->index, .doubt = doubt_about(best)};
}
