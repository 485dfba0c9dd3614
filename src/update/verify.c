/* SPDX-License-Identifier: Apache-2.0 */
#include "update/device.h"

const struct otapult_app_desc *otapult_running_image(struct otapult *o)
{
    struct otapult_app_desc *desc = &o->session.judge.inspect.info.desc;
    bool found;

    return otapult_slot_desc(o, o->slots.running, desc, &found) == 0 && found ? desc : NULL;
}

/* What an upload must not be too old for; NULL: nothing. */
static const struct otapult_version *running_version(struct otapult *o)
{
    const struct otapult_app_desc *desc = o->config.too_old == NULL ? NULL : otapult_running_image(o);

    if (desc == NULL)
        return NULL;
    otapult_version_of(desc, &o->running);
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
