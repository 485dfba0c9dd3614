/* SPDX-License-Identifier: Apache-2.0 */
#include "job.h"

#include <gnutls/crypto.h>
#include <stdio.h>

#include "interrupt.h"

/* What the steps of a job have in common: changing the state, ending, waiting, and counting attempts. A job
 * waits for one thing at a time, an answer or its timer, and everything runs in the wire's one loop, so none
 * of it needs a lock. */

#define ATTEMPTS 4u    /* in a row that bring nothing: of reaching it, of sending */
#define RETRY_MS 1000u /* after the first; twice as long after each */

void job_come_to(struct job *j, enum job_state state)
{
    bool news = j->state != state;

    j->state = state;
    if (news)
        j->rollout->ways->began(j);
}

void job_end(struct job *j, enum outcome outcome)
{
    j->state = JOB_DONE;
    j->outcome = outcome;
    j->rollout->ways->ended(j);
}

void job_fail(struct job *j, enum outcome outcome, const struct fault *f)
{
    j->fault = *f;
    snprintf(j->words, sizeof j->words, "%s%s%s", f->caption, f->detail[0] != '\0' ? ": " : "", f->detail);
    job_end(j, outcome);
}

int job_status(const struct job *j)
{
    bool done = j->outcome == OUTCOME_UNPROVED && j->rollout->options->accept_unproved;

    return done ? STATUS_OK : outcome_table[j->outcome].status;
}

void job_after(struct job *j, unsigned ms, void (*fire)(void *ctx))
{
    j->timer = (struct wire_timer){.ctx = j, .fire = fire};
    wire_after(j->rollout->wire, &j->timer, ms);
}

bool job_draw_id(struct job *j)
{
    uint32_t id;

    if (gnutls_rnd(GNUTLS_RND_NONCE, &id, sizeof id) != 0)
        return false;
    snprintf(j->id, sizeof j->id, "%08x", (unsigned)id | 1u); /* 0 is none */
    return true;
}

/* Only more than the robot ever had is progress. A robot that loses each time what it had would otherwise be
 * sent the same for ever. */
bool job_has(struct job *j, uint64_t safe)
{
    bool progress = safe > j->most;

    j->safe = safe;
    if (!progress)
        return false;
    j->most = safe;
    j->attempts = 0;
    return true;
}

bool job_try_again(struct job *j)
{
    return ++j->attempts < ATTEMPTS;
}

static void ask(void *ctx)
{
    struct job *j = ctx;

    j->rollout->ways->ask(j);
}

void job_ask_after(struct job *j, unsigned ms)
{
    job_after(j, ms, ask);
}

bool job_retry(struct job *j)
{
    if (!job_try_again(j) || interrupted())
        return false;
    job_ask_after(j, RETRY_MS << (j->attempts - 1));
    return true;
}
