/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OTAPULT_UPDATE_TRIAL_H
#define OTAPULT_UPDATE_TRIAL_H

#include "otapult/otapult.h"

/* The trial of a new image: from its activation to its confirmation, across restarts and slots. Kept in
 * the key-value store, written by the firmware that updates, read by whichever firmware boots next. */

enum otapult_verdict {
    OTAPULT_TRIAL_WRITTEN,  /* about to be activated */
    OTAPULT_TRIAL_ARMED,    /* activated */
    OTAPULT_TRIAL_PASSED,   /* its health checks passed; about to be confirmed */
    OTAPULT_TRIAL_REJECTED, /* it rejects itself; `text` says why */
};

struct otapult_trial {
    uint8_t  verdict; /* enum otapult_verdict */
    int8_t   slot;    /* of the image */
    uint8_t  tries;   /* activations so far */
    char     build[OTAPULT_BUILD_ID_CHARS + 1];
    uint32_t size;
    char     version[32], project[32];
    char     text[80];
};

/* What has become of a trial, as seen by the firmware that runs after a boot. */
enum otapult_fate {
    OTAPULT_FATE_STALE,      /* the store speaks of something that is no longer so: forget it */
    OTAPULT_FATE_RUNS,       /* the image runs and waits for its confirmation */
    OTAPULT_FATE_CONFIRMED,  /* it was confirmed, only the note of it was lost */
    OTAPULT_FATE_NOT_ARMED,  /* power was lost before the activation */
    OTAPULT_FATE_NOT_LOADED, /* the bootloader chose it and could not load it */
    OTAPULT_FATE_REJECTED,
    OTAPULT_FATE_CRASHED,
    OTAPULT_FATE_POWER_LOST, /* may be tried again */
    OTAPULT_FATE_GAVE_UP,    /* power was lost once too often */
};

struct otapult_evidence {
    bool                    runs_it;    /* the image of the trial is the one that runs */
    bool                    boot_is_it; /* OTA data chooses its slot for the next boot */
    enum otapult_slot_state state;      /* of its slot */
    enum otapult_verdict    verdict;
    enum otapult_reset      reset;      /* why this boot happened */
    bool                    tries_left;
};

/* A table, first matching row wins. */
enum otapult_fate otapult_trial_fate(const struct otapult_evidence *e);

/* The store. load: false when there is no trial. save: 0 or the port's error. What clear cannot remove is logged:
 * the next boot finds it stale. */
bool otapult_trial_load(const struct otapult_port *port, struct otapult_trial *t);
OTAPULT_MUST_CHECK int otapult_trial_save(const struct otapult_port *port, const struct otapult_trial *t);
void otapult_trial_clear(const struct otapult_port *port);

#endif
