/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OTAPULT_UPDATE_JOURNAL_H
#define OTAPULT_UPDATE_JOURNAL_H

#include "otapult/otapult.h"

/* What happened, in the key-value store: one value an entry, the oldest overwritten. A store that fails
 * costs the history, never the update: errors are logged and otherwise ignored. */
struct otapult_journal {
    const struct otapult_port *port;
    uint32_t                   seq;  /* of the newest stored entry, 0: none; under the port's lock */
    uint32_t                   given; /* the last number given to an entry; under the port's lock */
    struct otapult_log_entry   newest; /* a copy of it, seq 0: none; under the port's lock */
    uint32_t                   boot; /* of this boot, counted from 1; 0: the store does not work */
};

/* Finds the newest entry and counts this boot. */
void otapult_journal_start(struct otapult_journal *j, const struct otapult_port *port);

/* Stores *entry; fills in its seq, boot and uptime. From any task. */
void otapult_journal_add(struct otapult_journal *j, struct otapult_log_entry *entry);

/* Entry n, 0 is the newest. false: it is not there (too old, or it could not be written). */
bool otapult_journal_read(const struct otapult_journal *j, unsigned n, struct otapult_log_entry *out);

#endif
