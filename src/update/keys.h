/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OTAPULT_UPDATE_KEYS_H
#define OTAPULT_UPDATE_KEYS_H

#include "update/common.h"

/* The device's part of the secure profile: whose firmware it trusts, and who may log in. A firmware of the open
 * profile does not link it: the rest of this room reaches it through o->keys alone, which is NULL there. */
struct otapult_keys {
    /* Before anything is verified. */
    void (*start)(struct otapult *o);
    /* What refuses every update: LOCKED, SIGNATURE_NO_KEYS, or 0. */
    int (*refusal)(const struct otapult *o, struct otapult_finding *why);
    /* Its part of the status; under lock. */
    void (*status)(const struct otapult *o, struct otapult_status *out);
    /* The running firmware stays: its security version is the least from now on and, with `learn`, those of its
     * built-in keys that have signed it are carried over into the store, for which the slot is read. Only for
     * the claim's holder. */
    void (*settle)(struct otapult *o, bool learn);
    void (*poll)(struct otapult *o);
    /* Just before a restart of the device's own. */
    void (*leave)(struct otapult *o);
};

#endif
