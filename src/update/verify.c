/* SPDX-License-Identifier: Apache-2.0 */
#include "update/device.h"

const struct otapult_image_info *otapult_running_image(struct otapult *o)
{
    struct otapult_image_info *info = &o->session.judge.inspect.info;
    struct otapult_slot slot;

    return otapult_slot(o, o->slots.running, &slot, info) == 0 && info->size != 0 ? info : NULL;
}

/* What an upload must not be too old for; NULL: nothing. */
static const struct otapult_version *running_version(struct otapult *o)
{
    const struct otapult_image_info *info = o->config.too_old == NULL ? NULL : otapult_running_image(o);

    if (info == NULL)
        return NULL;
    otapult_version_of(&info->desc, &o->running);
    return &o->running;
}

void otapult_set_limits(struct otapult *o, uint32_t size, bool upload)
{
    o->limits.slot_size = size;
    o->limits.least_security = o->trust.least_security;
    o->limits.trust = o->config.secure != NULL ? &o->trust : NULL;
    o->limits.running = upload ? running_version(o) : NULL;
}

int otapult_verify(struct otapult *o, int index, struct otapult_finding *why)
{
    struct otapult_flash flash;
    struct otapult_session *s = &o->session;

    s->judge.inspect.err = 0; /* stays so when flash cannot even be read */
    if (o->locked != NULL) {
        why->text = o->locked;
        return OTAPULT_E_LOCKED;
    }
    int err = o->port->open(o->port->ctx, index, &flash);
    if (err != 0)
        return err;
    otapult_set_limits(o, flash.size, false);
    err = otapult_verify_slot(&flash, &o->limits, &s->judge.inspect, s->writer.sector, OTAPULT_SLOT_SECTOR);
    *why = s->judge.inspect.why;
    return err;
}
