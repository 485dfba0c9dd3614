/* SPDX-License-Identifier: Apache-2.0 */
#include "update/intake.h"

#include "update/ticket.h"

/* ---- what decoders may use ---- */

static int keep_finding(const struct otapult_decoder_env *env, int err)
{
    const struct otapult *o = env->ctx;

    if (err != 0)
        *env->why = o->session.why;
    return err;
}

static int expect_image(const struct otapult_decoder_env *env, uint32_t size)
{
    struct otapult *o = env->ctx;

    return keep_finding(env, otapult_session_expect(&o->session, size));
}

/* The file is the image, so what is known of its length is known of the image's. */
static void tell_length(struct otapult *o)
{
    if (o->chain.stage[0].decoder == NULL && o->session.judge.recognise.seen == 0)
        otapult_session_length(&o->session, o->least_length, o->most_length);
}

/* By sectors: between two of them an update can be ended. */
static int put_image(const struct otapult_decoder_env *env, const uint8_t *p, size_t n)
{
    struct otapult *o = env->ctx;
    int err = 0;

    tell_length(o);
    for (size_t part; err == 0 && n > 0; p += part, n -= part) {
        part = OTAPULT_SLOT_SECTOR - o->session.writer.received % OTAPULT_SLOT_SECTOR;
        part = n < part ? n : part;
        err = otapult_go_on(o, env->why);
        if (err == 0)
            err = keep_finding(env, otapult_session_feed(&o->session, p, part));
    }
    return err;
}

static int open_running(const struct otapult_decoder_env *env, struct otapult_flash *flash)
{
    struct otapult *o = env->ctx;

    otapult_lock(o);
    int running = o->slots.running;
    otapult_unlock(o);
    return o->port->open(o->port->ctx, running, flash);
}

static struct otapult_decoder_env way_in(struct otapult *o, struct otapult_finding *why)
{
    return (struct otapult_decoder_env){
        .ctx = o, .expect = expect_image, .put = put_image, .running = open_running, .why = why};
}

/* ---- the way in ---- */

void otapult_intake_init(struct otapult *o, const struct otapult_flash *slot, uint32_t size)
{
    const struct otapult_config *c = &o->config;

    o->came = 0;
    o->least_length = o->most_length = 0;
    o->misnamed = false;
    otapult_chain_init(&o->chain, c->decoders, c->decoder_memory, c->decoder_memory_size, size);
    otapult_session_init(&o->session, slot, &o->limits, OTAPULT_SIZE_UNKNOWN);
}

/* Where the next boot would not run what runs now, sending it once more is a way to have it so. */
int otapult_intake_compare(struct otapult *o, int (*begin_writing)(void *ctx, struct otapult_finding *why))
{
    struct otapult_flash flash;

    otapult_lock(o);
    int running = o->slots.boot == o->slots.running ? o->slots.running : OTAPULT_SLOT_NONE;
    otapult_unlock(o);
    if (running == OTAPULT_SLOT_NONE)
        return 0;
    int err = o->port->open(o->port->ctx, running, &flash);
    if (err == 0)
        otapult_session_compare(&o->session, &flash, begin_writing, o);
    return err;
}

int otapult_intake_feed(struct otapult *o, const uint8_t *data, size_t len, struct otapult_finding *why)
{
    const struct otapult_decoder_env env = way_in(o, why);

    o->came += (uint32_t)len;
    int err = otapult_chain_feed(&o->chain, &env, data, len);
    if (err == 0 && o->resume != NULL)
        o->resume->took(o);
    return err;
}

int otapult_intake_resume(struct otapult *o, const uint8_t held[OTAPULT_SLOT_HELD], uint32_t at,
                          uint32_t size, struct otapult_finding *why)
{
    otapult_chain_is_plain(&o->chain);
    otapult_session_length(&o->session, size, size);
    int err = otapult_session_expect(&o->session, size);
    if (err == 0)
        err = otapult_session_resume(&o->session, held, at);
    if (err != 0)
        *why = o->session.why;
    o->came = at;
    return err;
}

int otapult_intake_finish(struct otapult *o, struct otapult_finding *why)
{
    const struct otapult_decoder_env env = way_in(o, why);

    return otapult_chain_finish(&o->chain, &env);
}
