/* SPDX-License-Identifier: Apache-2.0 */
#include "update/intake.h"

#include "update/ticket.h"

/* The callbacks below are all that a decoder sees of the device. They run inside the client's call, so they
 * may use the session without the lock. */

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

    if (o->chain.stage[0].decoder != NULL) /* of what is sent as it is `size` may be an upper bound */
        otapult_session_length(&o->session, size, size);
    return keep_finding(env, otapult_session_expect(&o->session, size));
}

/* The file is the image, so what is known of its length is known of the image's. */
static void tell_length(struct otapult *o)
{
    if (o->chain.stage[0].decoder == NULL && o->session.judge.recognise.seen == 0)
        otapult_session_length(&o->session, o->least_length, o->most_length);
}

/* An upload that goes on after a restart begins at a decoder's point, the session at the end of that sector:
 * what the decoder makes in between is in flash already, was judged when it was read back, and is dropped.
 * Were it not the same, the checksum at the file's end would not fit. */
static void skip_again(struct otapult *o, const uint8_t **p, size_t *n)
{
    const size_t skip = *n < o->again ? *n : o->again;

    o->again -= (uint32_t)skip;
    *p += skip;
    *n -= skip;
}

/* Hands on one sector at a time, because a packed file may make many out of one call, and between two sectors
 * somebody may end the update. */
static int put_image(const struct otapult_decoder_env *env, const uint8_t *p, size_t n)
{
    struct otapult *o = env->ctx;
    int err = 0;

    tell_length(o);
    skip_again(o, &p, &n);
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

/* Reads what an earlier session wrote. */
static int recall_image(const struct otapult_decoder_env *env, uint32_t at, uint8_t *dst, uint32_t n)
{
    struct otapult *o = env->ctx;

    return keep_finding(env, otapult_session_recall(&o->session, at, dst, n));
}

static struct otapult_decoder_env way_in(struct otapult *o, struct otapult_finding *why)
{
    return (struct otapult_decoder_env){.ctx = o,
                                        .expect = expect_image,
                                        .put = put_image,
                                        .running = open_running,
                                        .recall = recall_image,
                                        .why = why};
}

/* ---- the way in ---- */

void otapult_intake_init(struct otapult *o, const struct otapult_flash *slot, uint32_t size)
{
    const struct otapult_config *c = &o->config;

    o->came = o->again = 0;
    o->least_length = o->most_length = 0;
    o->misnamed = false;
    otapult_chain_init(&o->chain, c->decoders, c->decoder_memory, c->decoder_memory_size, size);
    otapult_session_init(&o->session, slot, &o->limits, OTAPULT_SIZE_UNKNOWN);
}

/* Only where what runs is also the next boot's. Otherwise somebody may send the running firmware in order to
 * make it the next boot's again, and then it has to be written. */
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

/* The session goes on at the sector behind the note's point, because no sector may be written twice. The
 * decoder goes on at the point itself, and makes `again` bytes that the slot has already. */
int otapult_intake_resume(struct otapult *o, const struct otapult_upload_note *note,
                          struct otapult_finding *why)
{
    const struct otapult_decoder_env env = way_in(o, why);
    const uint32_t at = note->point.made + -note->point.made % OTAPULT_SLOT_SECTOR;

    int err = otapult_chain_has_seen(&o->chain, &env, note->head);
    if (err != 0)
        return err;
    err = keep_finding(&env, otapult_session_resume(&o->session, note->held, at));
    if (err == 0)
        err = otapult_chain_go_on(&o->chain, &env, &note->point);
    o->again = at - note->point.made;
    return err;
}

int otapult_intake_finish(struct otapult *o, struct otapult_finding *why)
{
    const struct otapult_decoder_env env = way_in(o, why);

    return otapult_chain_finish(&o->chain, &env);
}
