/* SPDX-License-Identifier: Apache-2.0 */
#include "update/slot_image.h"

#include <string.h>

#include "base/bytes.h"
#include "base/text.h"
#include "image/format.h"
#include "image/stored.h"
#include "update/claim.h"
#include "update/known.h"

static int read_head(const struct otapult_flash *flash, uint8_t head[OTAPULT_HEAD_SIZE])
{
    return flash->read(flash->ctx, 0, head, OTAPULT_HEAD_SIZE);
}

int otapult_slot_row(struct otapult *o, int index, struct otapult_slot *slot)
{
    return o->port->slot(o->port->ctx, index, slot);
}

int otapult_slot(struct otapult *o, int index, struct otapult_slot *slot, struct otapult_image_info *info)
{
    struct otapult_flash flash;
    uint8_t head[OTAPULT_HEAD_SIZE];

    memset(info, 0, sizeof *info);
    int err = otapult_slot_row(o, index, slot);
    if (err == 0)
        err = o->port->open(o->port->ctx, index, &flash);
    if (err == 0)
        err = read_head(&flash, head);
    if (err != 0 || otapult_read_head(head, info) != 0)
        return err;
    info->size = sizeof head; /* the least that it can be; anything but 0 says that there is an image */
    return otapult_name_stored(&flash, head, &info->desc);
}

/* `held`: what stands in the place of the first bytes; NULL: what flash has. */
static int read_desc(struct otapult *o, int index, const uint8_t *held, struct otapult_app_desc *desc,
                     bool *found)
{
    struct otapult_flash flash;
    uint8_t head[OTAPULT_HEAD_SIZE];

    memset(desc, 0, sizeof *desc);
    int err = o->port->open(o->port->ctx, index, &flash);
    if (err == 0)
        err = read_head(&flash, head);
    if (err == 0 && held != NULL)
        memcpy(head, held, OTAPULT_SLOT_HELD);
    *found = err == 0 && head[0] == OTAPULT_IMAGE_MAGIC &&
             otapult_desc_decode(head + OTAPULT_DESC_OFFSET, desc);
    return *found ? otapult_name_stored(&flash, head, desc) : err;
}

int otapult_slot_desc(struct otapult *o, int index, struct otapult_app_desc *desc, bool *found)
{
    return read_desc(o, index, NULL, desc, found);
}

int otapult_slot_desc_under(struct otapult *o, int index, const uint8_t held[OTAPULT_SLOT_HELD],
                            struct otapult_app_desc *desc, bool *found)
{
    return read_desc(o, index, held, desc, found);
}

/* ---- what is shown ---- */

/* Indices of the slots that are shown, in order; how many. */
struct choice {
    int index[OTAPULT_VIEW_SLOTS];
    unsigned count;
};

/* Keeps the order: factory first, then by number. */
static void choose(struct choice *c, int index)
{
    unsigned at = 0;

    while (at < c->count && c->index[at] < index)
        at++;
    bool there = at < c->count && c->index[at] == index;
    if (index == OTAPULT_SLOT_NONE || there || c->count == OTAPULT_VIEW_SLOTS)
        return;
    memmove(c->index + at + 1, c->index + at, (c->count - at) * sizeof *c->index);
    c->index[at] = index;
    c->count++;
}

/* A view has room for OTAPULT_VIEW_SLOTS. The slots that matter most are chosen first, the rest as far as
 * there is room. */
static void choose_all(struct choice *c, const struct otapult_slots *slots)
{
    c->count = 0;
    choose(c, slots->running);
    choose(c, slots->next);
    choose(c, slots->boot);
    if (slots->factory)
        choose(c, OTAPULT_SLOT_FACTORY);
    for (int i = 0; i < slots->count; i++)
        choose(c, i);
}

static bool look_at_row(struct otapult *o, int index, struct otapult_slot_view *v)
{
    memset(v, 0, sizeof *v);
    int err = otapult_slot_row(o, index, &v->slot);
    if (err != 0)
        memset(&v->slot, 0, sizeof v->slot);
    v->index = index;
    v->slot.label[sizeof v->slot.label - 1] = '\0';
    return err == 0;
}

/* Has this image failed here? Looked up now, because readers of the view must not wait for the store. */
static bool has_failed(const struct otapult *o, const struct otapult_slot_view *v)
{
    char build[OTAPULT_BUILD_ID_CHARS + 1];

    otapult_build_id(&v->image, build);
    return v->has_image && otapult_has_failed(o->port, build);
}

/* false: something of it could not be read. */
static bool look_at(struct otapult *o, int index, struct otapult_slot_view *v)
{
    bool row = look_at_row(o, index, v);

    v->readable = otapult_slot_desc(o, index, &v->image, &v->has_image) == 0;
    return row && v->readable;
}

void otapult_look_at_slot(struct otapult *o, int index, struct otapult_slot_view *out)
{
    (void)look_at(o, index, out);
}

/* What is known of the first bytes of slot `index`; NULL: nothing. */
static const struct otapult_slot_view *known(const struct otapult *o, int index)
{
    for (unsigned n = 0; n < o->seen_count; n++)
        if (o->seen[n].index == index && o->seen[n].readable)
            return &o->seen[n];
    return NULL;
}

/* As look_at(), but reads the first bytes of a slot only where they are not known yet. */
static bool look_again(struct otapult *o, int index, struct otapult_slot_view *v)
{
    const struct otapult_slot_view *before = known(o, index);

    if (before == NULL)
        return look_at(o, index, v);
    bool row = look_at_row(o, index, v);
    v->readable = true;
    v->has_image = before->has_image;
    v->image = before->image;
    return row;
}

/* Everything is read first and then shown under one lock, so that no reader sees half of a change. */
void otapult_refresh_slots(struct otapult *o)
{
    struct otapult_slots slots;
    struct otapult_slot_view seen[OTAPULT_VIEW_SLOTS];
    struct choice shown;
    bool whole = true;

    int err = o->port->slots(o->port->ctx, &slots);
    if (err != 0) {
        otapult_slots_failed(o, err);
        return;
    }
    if (slots.count > OTAPULT_SLOTS_MAX) /* loops run over it, also while an answer is printed */
        slots.count = OTAPULT_SLOTS_MAX;
    choose_all(&shown, &slots);
    for (unsigned n = 0; n < shown.count; n++) {
        whole &= look_again(o, shown.index[n], &seen[n]);
        seen[n].failed = has_failed(o, &seen[n]);
    }
    otapult_lock(o);
    o->slots = slots;
    o->slots_error = 0;
    o->seen_count = shown.count;
    memcpy(o->seen, seen, shown.count * sizeof *seen);
    o->look_again = !whole;
    otapult_unlock(o);
}

void otapult_refresh_failures(struct otapult *o)
{
    for (unsigned n = 0; n < o->seen_count; n++) {
        bool failed = has_failed(o, &o->seen[n]); /* reads the store: not under the lock */

        otapult_lock(o);
        o->seen[n].failed = failed;
        otapult_unlock(o);
    }
}

void otapult_refresh_written(struct otapult *o, int index, const struct otapult_app_desc *desc)
{
    otapult_lock(o);
    for (unsigned n = 0; n < o->seen_count; n++) {
        struct otapult_slot_view *v = &o->seen[n];

        if (v->index != index)
            continue;
        v->has_image = v->readable = desc != NULL;
        if (desc != NULL)
            v->image = *desc;
    }
    otapult_unlock(o);
    otapult_refresh_slots(o);
}

static bool seen_label(struct otapult *o, int index, char dst[17])
{
    bool found = false;

    otapult_lock(o);
    for (unsigned n = 0; n < o->seen_count && !found; n++) {
        found = o->seen[n].index == index;
        if (found)
            memcpy(dst, o->seen[n].slot.label, sizeof o->seen[n].slot.label);
    }
    otapult_unlock(o);
    return found;
}

void otapult_slot_label(struct otapult *o, int index, char dst[17])
{
    struct otapult_slot slot;

    dst[0] = '\0';
    if (index == OTAPULT_SLOT_NONE || seen_label(o, index, dst) || otapult_slot_row(o, index, &slot) != 0)
        return;
    slot.label[sizeof slot.label - 1] = '\0';
    memcpy(dst, slot.label, sizeof slot.label);
}

/* ---- for the claim's holder ---- */

int otapult_keep_off_running(struct otapult *o, int index, struct otapult_finding *why)
{
    struct otapult_slot target, running;
    struct otapult_text t;

    /* What runs lies in none of the slots then, and the port keeps writes off it. */
    if (o->slots.running == OTAPULT_SLOT_NONE)
        return 0;
    int err = otapult_slot_row(o, index, &target);
    if (err == 0)
        err = otapult_slot_row(o, o->slots.running, &running);
    if (err != 0 || !otapult_ranges_meet(target.address, target.size, running.address, running.size))
        return err;
    otapult_text_init(&t, o->refused, sizeof o->refused);
    otapult_text_str(&t, target.label);
    otapult_text_str(&t, ", ");
    otapult_text_str(&t, running.label);
    *why = (struct otapult_finding){.at = running.address, .text = o->refused};
    return OTAPULT_E_SLOTS_OVERLAP;
}

bool otapult_running_desc(struct otapult *o, struct otapult_app_desc *out)
{
    bool found;

    otapult_lock(o);
    int running = o->slots.running;
    otapult_unlock(o);
    return otapult_slot_desc(o, running, out, &found) == 0 && found;
}

/* What an upload must not be too old for; NULL: nothing. */
static const struct otapult_version *running_version(struct otapult *o)
{
    struct otapult_app_desc desc;

    if (o->limits.too_old == NULL || !otapult_running_desc(o, &desc))
        return NULL;
    otapult_version_of(&desc, &o->running);
    return &o->running;
}

void otapult_set_limits(struct otapult *o, uint32_t size, bool upload)
{
    o->limits.slot_size = size;
    o->limits.least_security = o->trust.least_security;
    o->limits.trust = o->keys != NULL ? &o->trust : NULL;
    o->limits.too_old = o->config.too_old;
    o->limits.running = upload ? running_version(o) : NULL;
    o->limits.meet = NULL;
}

void otapult_limit_age(struct otapult *o, const struct otapult_update_options *options)
{
    if (o->limits.too_old != NULL || options->too_old == NULL)
        return;
    o->limits.too_old = options->too_old;
    o->limits.running = running_version(o);
}

/* `wrong` tells a fault of the image from an error of reading it: a rollback must not say that the image is
 * broken when it was flash that did not answer. */
int otapult_check_image(struct otapult *o, int index, struct otapult_finding *why, bool *wrong)
{
    struct otapult_session *s = otapult_borrow(o);
    struct otapult_inspect *in = &s->judge.inspect;
    struct otapult_flash flash;

    if (wrong != NULL)
        *wrong = false;
    if (o->locked != NULL) {
        *why = (struct otapult_finding){.text = o->locked};
        return OTAPULT_E_LOCKED;
    }
    int err = o->port->open(o->port->ctx, index, &flash);
    if (err != 0)
        return err;
    otapult_set_limits(o, flash.size, false);
    err = otapult_verify_slot(&flash, &o->limits, in, s->writer.sector, OTAPULT_SLOT_SECTOR);
    if (wrong != NULL)
        *wrong = in->err == err; /* an error of the port is not the inspector's */
    *why = in->why;
    return err;
}
