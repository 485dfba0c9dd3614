/* SPDX-License-Identifier: Apache-2.0 */
#include "update/same.h"

#include <string.h>

#define PIECE 256u /* copied at once in make_up(), on the stack: the writer's sector is in use then */

void otapult_same_begin(struct otapult_same *s, const struct otapult_flash *running,
                        int (*go_on)(void *ctx, struct otapult_finding *why), void *ctx)
{
    *s = (struct otapult_same){.on = true, .running = *running, .go_on = go_on, .ctx = ctx};
}

/* ---- while all is equal ---- */

/* The buffer is filled with other bytes before it is read into: a port whose read does nothing must not make
 * them look equal. A read that fails counts as a difference; only when the bytes are needed for writing is it
 * an error. */
static void compare_piece(struct otapult_same *s, uint8_t *buffer, const uint8_t *p, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++)
        buffer[i] = (uint8_t)~p[i];
    s->on = s->running.read(s->running.ctx, s->len, buffer, n) == 0 && memcmp(buffer, p, n) == 0;
    if (s->on)
        s->len += n;
}

/* Compares p[n] with what runs, sector by sector, and returns how many bytes are equal. */
static size_t compare(struct otapult_same *s, uint8_t *buffer, const uint8_t *p, size_t n)
{
    size_t taken = 0;

    if (n > s->running.size - s->len)
        s->on = false;
    while (s->on && taken < n) {
        size_t left = n - taken;
        uint32_t part = left < OTAPULT_SLOT_SECTOR ? (uint32_t)left : OTAPULT_SLOT_SECTOR;

        compare_piece(s, buffer, p + taken, part);
        if (s->on)
            taken += part;
    }
    return taken;
}

/* ---- from the first difference on ---- */

static int write_bytes(struct otapult_slot_writer *w, const uint8_t *p, size_t n, struct otapult_finding *why)
{
    int err = otapult_slot_writer_feed(w, p, n);

    *why = w->why;
    return err;
}

static int copy_piece(const struct otapult_same *s, struct otapult_slot_writer *w, uint32_t at, uint32_t n,
                      struct otapult_finding *why)
{
    uint8_t piece[PIECE];

    int err = s->running.read(s->running.ctx, at, piece, n);
    if (err == 0)
        return write_bytes(w, piece, n, why);
    *why = (struct otapult_finding){.at = at};
    return err;
}

/* Writes what was not written so far, out of the running slot. */
static int make_up(const struct otapult_same *s, struct otapult_slot_writer *w, struct otapult_finding *why)
{
    int err = 0;

    for (uint32_t at = 0, n; err == 0 && at < s->len; at += n) {
        n = s->len - at < PIECE ? s->len - at : PIECE;
        if (at > 0 && at % OTAPULT_SLOT_SECTOR == 0)
            err = s->go_on(s->ctx, why);
        if (err == 0)
            err = copy_piece(s, w, at, n, why);
    }
    return err;
}

int otapult_same_feed(struct otapult_same *s, struct otapult_slot_writer *w, const uint8_t *p, size_t n,
                      struct otapult_finding *why)
{
    size_t taken = compare(s, w->sector, p, n);

    if (s->on)
        return 0;
    int err = s->go_on(s->ctx, why);
    if (err == 0)
        err = make_up(s, w, why);
    return err == 0 ? write_bytes(w, p + taken, n - taken, why) : err;
}
