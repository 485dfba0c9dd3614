/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/text.h"
#include "otapult/offer.h"
#include "update/boot.h"
#include "update/claim.h"
#include "update/confirm.h"
#include "update/guard.h"
#include "update/outcome.h"
#include "update/report.h"
#include "update/upload.h"

/* Start and poll: the only file that calls all others. The order of the calls in both is part of the
 * contract, and the reasons stand at the two functions. */

bool otapult_always_ready(void *app, char *why, size_t cap)
{
    (void)app;
    (void)why;
    (void)cap;
    return true;
}

void otapult_nothing_moves(void *app, bool on)
{
    (void)app;
    (void)on;
}

static const char *fault_of_pull(const struct otapult_config *c)
{
    return c->pull->code != NULL ? c->pull->code->fault(c) : "pull without its code: &otapult_pulling";
}

/* The name goes into pages, terminals and DNS-SD as it is, so it must not hold anything that one of them
 * would take for a command. */
static const char *fault_of_name(const char *name)
{
    size_t len = name != NULL ? strlen(name) : 0;

    if (len > OTAPULT_NAME_MAX)
        return "a name longer than OTAPULT_NAME_MAX bytes";
    for (size_t at = 0, n; at < len; at += n) {
        n = otapult_text_printable((const uint8_t *)name + at, len - at);
        if (n == 0)
            return "a name with a control character, or not in UTF-8";
    }
    return NULL;
}

/* What is wrong with the configuration; NULL: nothing. */
static const char *fault_of(const struct otapult_config *c)
{
    if (c->port == NULL)
        return "no port";
    if (c->ready == NULL)
        return "no ready()";
    if (c->hold == NULL)
        return "no hold(): name otapult_nothing_moves where nothing does";
    if (c->check_count > 0 && c->checks == NULL)
        return "check_count without checks";
    if (c->check_count > OTAPULT_CHECKS_MAX)
        return "more than OTAPULT_CHECKS_MAX health checks";
    if (c->key_count > 0 && c->keys == NULL)
        return "key_count without keys";
    if (c->key_count > OTAPULT_KEYS_MAX)
        return "more than OTAPULT_KEYS_MAX keys";
    const char *fault = fault_of_name(c->name);
    if (fault == NULL)
        fault = otapult_chain_fault(c->decoders, c->decoder_memory, c->decoder_memory_size);
    return fault == NULL && c->pull != NULL ? fault_of_pull(c) : fault;
}

static void log_fault(const struct otapult_port *port, const char *fault)
{
    char line[96];
    struct otapult_text t;

    if (port == NULL)
        return;
    otapult_text_init(&t, line, sizeof line);
    otapult_text_str(&t, "the configuration is wrong: ");
    otapult_text_str(&t, fault);
    port->log(port->ctx, OTAPULT_LOG_ERROR, line);
}

static void fill_in(struct otapult *o, const struct otapult_config *config)
{
    memset(o, 0, sizeof *o);
    o->config = *config;
    o->port = config->port;
    o->keys = config->secure != NULL ? config->secure->keys : NULL;
    o->resume = config->resumable != NULL ? config->resumable->resume : NULL;
    o->limits = (struct otapult_inspect_limits){
        .chip_id = config->chip_id,
        .chip_rev = config->chip_rev,
        .block_rev = config->block_rev,
        .too_old = config->too_old,
    };
    o->total = OTAPULT_SIZE_UNKNOWN;
    o->slots.running = o->slots.boot = o->slots.next = OTAPULT_SLOT_NONE;
}

/* The journal is first, because whatever follows may note something in it. Keys come before the boot is
 * resolved, because a second try of an image verifies it; the guard before it, too, because the fate of a
 * trial depends on the reason of the reset as the guard sees it. */
int otapult_start(union otapult_memory *memory, const struct otapult_config *config, struct otapult **out)
{
    struct otapult *o = (struct otapult *)(void *)memory;
    const char *fault = fault_of(config);

    *out = NULL;
    if (fault != NULL) {
        log_fault(config->port, fault);
        return OTAPULT_E_CONFIG;
    }
    if (psa_crypto_init() != PSA_SUCCESS)
        return OTAPULT_E_INTERNAL;

    fill_in(o, config);
    otapult_journal_start(&o->journal, o->port);
    otapult_load_outcome(o);
    if (o->keys != NULL)
        o->keys->start(o); /* nobody else knows of the device yet: it needs no claim */
    else
        otapult_log(o, OTAPULT_LOG_WARNING, "open: anyone on this network can upload firmware");
    otapult_guard_start(o);
    otapult_resolve_boot(o);
    if (config->pull != NULL)
        config->pull->code->start(o);
    *out = o;
    return 0;
}

/* In the open profile no update needs a signature, but a source may want one for what it offers
 * (config.keys). */
unsigned otapult_copy_trust(struct otapult *o, struct otapult_trust *out)
{
    if (o->keys == NULL) {
        otapult_trust_init(out, o->config.keys, o->config.key_count);
        return otapult_trust_count(out);
    }
    otapult_lock(o);
    *out = o->trust;
    bool locked = o->locked != NULL;
    otapult_unlock(o);
    return locked ? 0 : otapult_trust_count(out);
}

/* Compared by difference: the clock wraps after 49 days. */
static bool restart_is_due(struct otapult *o)
{
    otapult_lock(o);
    bool due = o->restarting && (int32_t)(otapult_now(o) - o->restart_at_ms) >= 0;
    otapult_unlock(o);
    return due;
}

/* The application has brought its outputs to rest, or was given rest_ms for it. This is the
 * only place from which the device restarts itself, so nothing moves through any restart. */
static bool is_at_rest(struct otapult *o)
{
    struct otapult_finding why;

    otapult_hold(o, true);
    return otapult_ask_ready(o, &why) == 0 || otapult_now(o) - o->restart_at_ms >= o->config.rest_ms;
}

/* Writes its line once, although port->restart() may return and be called again. */
static void report_restart(struct otapult *o)
{
    if (o->restart_why != NULL)
        otapult_report_restart(o->port, o->restart_why);
    o->restart_why = NULL;
}

static void restart(struct otapult *o)
{
    report_restart(o);
    if (o->keys != NULL)
        o->keys->leave(o);
    otapult_guard_announce(o);
    o->port->restart(o->port->ctx);
}

/* The slots first: without them health checks and uploads work on nothing. The restart last: what the calls
 * before it have decided is written by then. port->restart may return, so it is called again at the next
 * poll. */
void otapult_poll(struct otapult *o)
{
    otapult_poll_slots(o);
    otapult_poll_upload(o);
    otapult_poll_health(o);
    otapult_guard_poll(o);
    if (o->keys != NULL)
        o->keys->poll(o);
    if (restart_is_due(o) && is_at_rest(o))
        restart(o);
}

bool otapult_safe_mode(const struct otapult *o)
{
    return o->safe_mode;
}

void otapult_announce_restart(struct otapult *o)
{
    otapult_report_restart(o->port, "the application restarts the device");
    otapult_guard_announce(o);
}
