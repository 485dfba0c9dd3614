/* SPDX-License-Identifier: Apache-2.0 */
#include "update/slot_image.h"

#include <string.h>

#include "image/format.h"
#include "update/claim.h"

static int read_head(struct otapult *o, int index, uint8_t head[OTAPULT_HEAD_SIZE])
{
    struct otapult_flash flash;

    int err = o->port->open(o->port->ctx, index, &flash);
    return err == 0 ? flash.read(flash.ctx, 0, head, OTAPULT_HEAD_SIZE) : err;
}

int otapult_slot_row(struct otapult *o, int index, struct otapult_slot *slot)
{
    return o->port->slot(o->port->ctx, index, slot);
}

int otapult_slot(struct otapult *o, int index, struct otapult_slot *slot, struct otapult_image_info *info)
{
    uint8_t head[OTAPULT_HEAD_SIZE];

    memset(info, 0, sizeof *info);
    int err = otapult_slot_row(o, index, slot);
    if (err == 0)
        err = read_head(o, index, head);
    if (err == 0 && otapult_read_head(head, info) == 0)
        info->size = sizeof head; /* at least; not 0 says that an image is there */
    return err;
}

int otapult_slot_desc(struct otapult *o, int index, struct otapult_app_desc *desc, bool *found)
{
    uint8_t head[OTAPULT_HEAD_SIZE];

    memset(desc, 0, sizeof *desc);
    int err = read_head(o, index, head);
    *found = err == 0 && head[0] == OTAPULT_IMAGE_MAGIC &&
             otapult_desc_decode(head + OTAPULT_DESC_OFFSET, desc);
    return err;
}

bool otapult_running_desc(struct otapult *o, struct otapult_app_desc *desc)
{
    bool found;

    return otapult_slot_desc(o, o->slots.running, desc, &found) == 0 && found;
}

/* What an upload must not be too old for; NULL: nothing. */
static const struct otapult_version *running_version(struct otapult *o)
{
    struct otapult_app_desc desc;

    if (o->config.too_old == NULL || !otapult_running_desc(o, &desc))
        return NULL;
    otapult_version_of(&desc, &o->running);
    return &o->running;
}

void otapult_set_limits(struct otapult *o, uint32_t size, bool upload)
{
    o->limits.slot_size = size;
    o->limits.least_security = o->trust.least_security;
    o->limits.trust = o->keys != NULL ? &o->trust : NULL;
    o->limits.running = upload ? running_version(o) : NULL;
}

/* `wrong` tells the image's faults from those of reading it: who goes back must not say that an image is
 * broken when flash did not answer. */
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
    if (err != 0 && wrong != NULL)
        *wrong = in->err == err; /* an error of the port is not the inspector's */
    *why = in->why;
    return err;
}
