/* SPDX-License-Identifier: Apache-2.0 */
#include "update/trial.h"

#define TRIAL_KEY "ota.trial1" /* 1: the format, which is the struct below */
_Static_assert(sizeof(struct otapult_trial) == 160, "stored format of the trial");

/* Sets of states, verdicts and resets, so that a row can name several. */
#define IN(x)      (1u << (x))
#define ANY        0xFFu
#define NO         IN(0)
#define YES        IN(1)
#define ST(x)      IN(OTAPULT_STATE_##x)
#define VERDICT(x) IN(OTAPULT_TRIAL_##x)
#define RESET(x)   IN(OTAPULT_RESET_##x)
#define BOOTED     (ST(NEW) | ST(PENDING_VERIFY) | ST(ABORTED))

/* From certain to uncertain: what runs and what OTA data says come first; the note's own verdict and the
 * reason of the reset decide only where those leave it open. */
static const struct fate_row {
    uint8_t runs_it, boot_is_it, state, verdict, reset, tries_left;
    uint8_t fate;
} fate_table[] = {
    {YES, ANY, ST(PENDING_VERIFY) | ST(NEW), ANY, ANY, ANY, OTAPULT_FATE_RUNS},
    {YES, ANY, ST(VALID) | ST(UNDEFINED), ANY, ANY, ANY, OTAPULT_FATE_CONFIRMED},
    {YES, ANY, ANY, ANY, ANY, ANY, OTAPULT_FATE_STALE},
    {NO, YES, ANY, ANY, ANY, ANY, OTAPULT_FATE_NOT_LOADED},
    /* The record speaks of the image that was there before: power went before the activation. */
    {NO, ANY, ST(INVALID), VERDICT(WRITTEN), RESET(POWER), ANY, OTAPULT_FATE_NOT_ARMED},
    {NO, ANY, ST(INVALID), ANY, ANY, ANY, OTAPULT_FATE_REJECTED},
    {NO, ANY, ST(NONE) | BOOTED, VERDICT(REJECTED), ANY, ANY, OTAPULT_FATE_REJECTED},
    {NO, ANY, ST(NONE), VERDICT(WRITTEN), ANY, ANY, OTAPULT_FATE_NOT_ARMED},
    {NO, ANY, ST(VALID) | ST(UNDEFINED), ANY, ANY, ANY, OTAPULT_FATE_STALE},
    /* A record that is gone although the image was activated: power went while the bootloader, or the
     * confirmation, rewrote it in place. */
    {NO, ANY, ST(NONE) | BOOTED, ANY, RESET(POWER), YES, OTAPULT_FATE_POWER_LOST},
    {NO, ANY, ST(NONE) | BOOTED, ANY, RESET(POWER), NO, OTAPULT_FATE_GAVE_UP},
    {NO, ANY, ST(NONE) | BOOTED, ANY, ANY, ANY, OTAPULT_FATE_CRASHED},
};

static bool matches(const struct fate_row *r, const struct otapult_evidence *e)
{
    return (r->runs_it & IN(e->runs_it)) && (r->boot_is_it & IN(e->boot_is_it)) &&
           (r->state & IN(e->state)) && (r->verdict & IN(e->verdict)) && (r->reset & IN(e->reset)) &&
           (r->tries_left & IN(e->tries_left));
}

enum otapult_fate otapult_trial_fate(const struct otapult_evidence *e)
{
    for (size_t i = 0; i < sizeof fate_table / sizeof *fate_table; i++)
        if (matches(&fate_table[i], e))
            return (enum otapult_fate)fate_table[i].fate;
    return OTAPULT_FATE_STALE;
}

bool otapult_trial_load(const struct otapult_port *port, struct otapult_trial *t)
{
    size_t len = 0;

    if (port->kv_get(port->ctx, TRIAL_KEY, t, sizeof *t, &len) != 0 || len != sizeof *t)
        return false;
    t->build[sizeof t->build - 1] = '\0';
    t->version[sizeof t->version - 1] = '\0';
    t->project[sizeof t->project - 1] = '\0';
    t->text[sizeof t->text - 1] = '\0';
    return t->verdict <= OTAPULT_TRIAL_REJECTED && t->slot >= OTAPULT_SLOT_FACTORY &&
           t->slot < OTAPULT_SLOTS_MAX;
}

int otapult_trial_save(const struct otapult_port *port, const struct otapult_trial *t)
{
    return port->kv_set(port->ctx, TRIAL_KEY, t, sizeof *t);
}

void otapult_trial_clear(const struct otapult_port *port)
{
    if (port->kv_set(port->ctx, TRIAL_KEY, NULL, 0) != 0)
        port->log(port->ctx, OTAPULT_LOG_ERROR, "the note of the last update could not be removed");
}
