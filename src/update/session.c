/* SPDX-License-Identifier: Apache-2.0 */
#include "update/session.h"

#include <string.h>

#include "image/format.h"

static int fail(struct otapult_session *s, int err, const struct otapult_finding *why)
{
    s->err = err;
    s->why = *why;
    return err;
}

void otapult_session_init(struct otapult_session *s, const struct otapult_flash *flash,
                          const struct otapult_inspect_limits *limits, uint32_t size)
{
    memset(s, 0, sizeof *s);
    otapult_judge_init(&s->judge, limits, size);
    otapult_slot_writer_init(&s->writer, flash, size);
}

static int write_bytes(struct otapult_session *s, const uint8_t *p, size_t n)
{
    int err = otapult_slot_writer_feed(&s->writer, p, n);
    return err == 0 ? 0 : fail(s, err, &s->writer.why);
}

/* What came before the judge made up his mind lies in the judge's head. */
static int take(struct otapult_session *s, const uint8_t *p, size_t n)
{
    bool was_accepted = otapult_judge_accepted(&s->judge);
    int err = otapult_judge_feed(&s->judge, p, n);
    if (err != 0)
        return fail(s, err, &s->judge.why);
    if (was_accepted)
        return write_bytes(s, p, n);
    return otapult_judge_accepted(&s->judge)
               ? write_bytes(s, otapult_judge_head(&s->judge), OTAPULT_HEAD_SIZE)
               : 0;
}

int otapult_session_feed(struct otapult_session *s, const uint8_t *p, size_t n)
{
    while (s->err == 0 && n > 0) {
        size_t portion = otapult_judge_portion(&s->judge, n);
        s->err = take(s, p, portion);
        p += portion;
        n -= portion;
    }
    return s->err;
}

/* Feeds flash, as it will be after the commit, through a fresh inspection. The sector buffer is free
 * by now and serves as read buffer. */
static int read_back(struct otapult_session *s, uint32_t size)
{
    struct otapult_inspect *in = &s->judge.inspect;

    otapult_inspect_init(in, &in->limits);
    for (uint32_t off = 0; off < size;) {
        uint32_t n = size - off < OTAPULT_SLOT_SECTOR ? size - off : OTAPULT_SLOT_SECTOR;
        memset(s->writer.sector, 0, n); /* what a short read leaves must not look like what was written */
        int err = otapult_slot_writer_read(&s->writer, off, s->writer.sector, n);
        if (err != 0)
            return fail(s, err, &s->writer.why);
        if (otapult_inspect_feed(in, s->writer.sector, n) != 0)
            break;
        off += n;
    }
    return 0;
}

static int compare(struct otapult_session *s, const uint8_t sha256[OTAPULT_IMAGE_DIGEST])
{
    struct otapult_inspect *in = &s->judge.inspect;

    if (otapult_inspect_finish(in) == 0 && memcmp(in->info.sha256, sha256, sizeof in->info.sha256) == 0)
        return 0;
    return fail(s, OTAPULT_E_FLASH_READBACK, &(struct otapult_finding){.at = in->pos});
}

/* What flash holds, against what came. */
static int prove(struct otapult_session *s)
{
    uint8_t sha256[OTAPULT_IMAGE_DIGEST];

    memcpy(sha256, s->judge.inspect.info.sha256, sizeof sha256);
    int err = read_back(s, s->judge.inspect.info.size);
    return err == 0 ? compare(s, sha256) : err;
}

int otapult_session_finish(struct otapult_session *s)
{
    if (s->err != 0)
        return s->err;

    int err = otapult_judge_finish(&s->judge);
    if (err != 0)
        return fail(s, err, &s->judge.why);
    err = otapult_slot_writer_flush(&s->writer);
    if (err != 0)
        return fail(s, err, &s->writer.why);
    err = prove(s);
    if (err != 0)
        return err;
    err = otapult_slot_writer_commit(&s->writer);
    return err == 0 ? 0 : fail(s, err, &s->writer.why);
}

int otapult_verify_slot(const struct otapult_flash *flash, const struct otapult_inspect_limits *limits,
                        struct otapult_inspect *inspect, uint8_t *scratch, uint32_t scratch_len)
{
    otapult_inspect_init(inspect, limits);
    while (inspect->at != OTAPULT_AT_END) {
        uint32_t n = inspect->left < scratch_len ? inspect->left : scratch_len;
        if (n == 0 || inspect->pos > flash->size || n > flash->size - inspect->pos)
            break;
        int err = flash->read(flash->ctx, inspect->pos, scratch, n);
        if (err != 0)
            return err;
        if (otapult_inspect_feed(inspect, scratch, n) != 0)
            break;
    }
    return otapult_inspect_finish(inspect);
}
