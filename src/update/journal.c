/* SPDX-License-Identifier: Apache-2.0 */
#include "update/journal.h"

#include <string.h>

/* The stored form is the struct: all fields little-endian and naturally aligned on every target. A
 * change of the struct needs a new key prefix, so that no firmware misreads another's entries. */
_Static_assert(sizeof(struct otapult_log_entry) == 228, "stored format of the journal");

static void entry_key(uint32_t seq, char key[8])
{
    uint32_t n = (seq - 1) % OTAPULT_LOG_ENTRIES;

    memcpy(key, "olog.?2", 8); /* ?: the place, 2: the format */
    key[5] = (char)('a' + n);
}

static void terminate(struct otapult_log_entry *e)
{
    e->code[sizeof e->code - 1] = '\0';
    e->version[sizeof e->version - 1] = '\0';
    e->project[sizeof e->project - 1] = '\0';
    e->build[sizeof e->build - 1] = '\0';
    e->text[sizeof e->text - 1] = '\0';
    e->by[sizeof e->by - 1] = '\0';
}

static bool load(const struct otapult_port *port, uint32_t seq, struct otapult_log_entry *out)
{
    char key[8];
    size_t len = 0;

    entry_key(seq, key);
    if (port->kv_get(port->ctx, key, out, sizeof *out, &len) != 0 || len != sizeof *out)
        return false;
    terminate(out);
    return true;
}

/* More than any robot restarts without an entry in its journal. */
#define BOOTS_WITHOUT_ENTRY 65536u

static void count_boot(struct otapult_journal *j)
{
    const struct otapult_port *port = j->port;
    uint32_t boots;
    size_t len = 0;

    /* Where the store has lost the number, or cannot read it today, counting goes on far above the newest
     * entry's boot. From 1 again, or right above that entry, it would give some boots the numbers of earlier
     * ones. */
    if (port->kv_get(port->ctx, "ota.boots", &boots, sizeof boots, &len) != 0 || len != sizeof boots)
        boots = j->newest.seq != 0 ? j->newest.boot + BOOTS_WITHOUT_ENTRY : 0;
    boots++;
    if (port->kv_set(port->ctx, "ota.boots", &boots, sizeof boots) == 0)
        j->boot = boots;
}

void otapult_journal_start(struct otapult_journal *j, const struct otapult_port *port)
{
    struct otapult_log_entry e;

    *j = (struct otapult_journal){.port = port};
    for (uint32_t n = 1; n <= OTAPULT_LOG_ENTRIES; n++) {
        /* an entry counts only where its number belongs: leftovers of another layout do not */
        if (load(port, n, &e) && (e.seq - n) % OTAPULT_LOG_ENTRIES == 0 && e.seq > j->seq) {
            j->seq = e.seq;
            j->newest = e;
        }
    }
    j->given = j->seq;
    count_boot(j);
}

/* Two tasks may add entries at once. Each gets a number of its own first, and so a place of its own in the
 * store. */
static uint32_t give_number(struct otapult_journal *j)
{
    j->port->lock(j->port->ctx);
    uint32_t seq = ++j->given;
    j->port->unlock(j->port->ctx);
    return seq;
}

/* Readers see an entry from here on: not before it can be read. */
static void publish(struct otapult_journal *j, const struct otapult_log_entry *entry)
{
    j->port->lock(j->port->ctx);
    if (entry->seq > j->seq) {
        j->seq = entry->seq;
        j->newest = *entry;
    }
    j->port->unlock(j->port->ctx);
}

static uint32_t newest(const struct otapult_journal *j)
{
    j->port->lock(j->port->ctx);
    uint32_t seq = j->seq;
    j->port->unlock(j->port->ctx);
    return seq;
}

void otapult_journal_add(struct otapult_journal *j, struct otapult_log_entry *entry)
{
    const struct otapult_port *port = j->port;
    char key[8];

    entry->seq = give_number(j);
    entry->boot = j->boot;
    entry->uptime_s = port->now_ms(port->ctx) / 1000;
    entry_key(entry->seq, key);
    if (port->kv_set(port->ctx, key, entry, sizeof *entry) == 0)
        publish(j, entry);
    else
        port->log(port->ctx, OTAPULT_LOG_ERROR, "the journal could not be written");
}

/* Each place says itself whose it is: a number that is too old, or was never given, is not found there. */
bool otapult_journal_read(const struct otapult_journal *j, unsigned n, struct otapult_log_entry *out)
{
    const uint32_t seq = newest(j) - n;

    return load(j->port, seq, out) && out->seq == seq;
}
