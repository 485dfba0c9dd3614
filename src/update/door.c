/* SPDX-License-Identifier: Apache-2.0 */
#include "update/common.h"

/* The doors through which src/web sees the configuration. The others lead straight to the file that answers:
 * upload, confirm, back, slot_image. */

int otapult_target(struct otapult *o)
{
    otapult_lock(o);
    int target = o->target;
    otapult_unlock(o);
    return target;
}

uint32_t otapult_next_slot_size(struct otapult *o)
{
    struct otapult_slot slot;

    otapult_lock(o);
    int next = o->claim == OTAPULT_FREE ? o->slots.next : OTAPULT_SLOT_NONE;
    otapult_unlock(o);
    return next != OTAPULT_SLOT_NONE && otapult_slot_row(o, next, &slot) == 0 ? slot.size : 0;
}

const struct otapult_secure *otapult_profile(const struct otapult *o)
{
    return o->config.secure;
}

struct otapult_users *otapult_device_users(const struct otapult *o)
{
    return o->users;
}

const char *const *otapult_device_hosts(const struct otapult *o)
{
    return o->config.hosts;
}

uint16_t otapult_device_chip(const struct otapult *o)
{
    return o->config.chip_id;
}

uint32_t otapult_device_stall_ms(const struct otapult *o)
{
    return o->config.stall_ms;
}
