/* SPDX-License-Identifier: Apache-2.0 */
#include "update/session.h"

#include <string.h>

#include "base/bytes.h"
#include "image/format.h"

/* The judge sees every byte before the writer does. The first error ends the session: it stays in s->err, and
 * neither the judge nor the writer gets another byte. finish() trusts only what it reads back from flash. */

/* ---- bytes on their way in ---- */

static int fail(struct otapult_session *s, int err, const struct otapult_finding *why)
{
    s->err = err;
    s->why = *why;
    return err;
}

static int judge(struct otapult_session *s, const uint8_t *p, size_t n)
{
    int err = otapult_judge_feed(&s->judge, p, n);
    return err == 0 ? 0 : fail(s, err, &s->judge.why);
}

static int write_bytes(struct otapult_session *s, const uint8_t *p, size_t n)
{
    struct otapult_finding why;

    if (s->same.on) {
        int differs = otapult_same_feed(&s->same, &s->writer, p, n, &why);
        return differs == 0 ? 0 : fail(s, differs, &why);
    }
    int err = otapult_slot_writer_feed(&s->writer, p, n);
    return err == 0 ? 0 : fail(s, err, &s->writer.why);
}

void otapult_session_init(struct otapult_session *s, const struct otapult_flash *flash,
                          const struct otapult_inspect_limits *limits, uint32_t size)
{
    s->err = OTAPULT_OK;
    s->why = (struct otapult_finding){0};
    s->expected = NULL;
    otapult_judge_init(&s->judge, limits, size);
    otapult_slot_writer_init(&s->writer, flash, size);
    s->same.on = false;
}

void otapult_session_compare(struct otapult_session *s, const struct otapult_flash *running,
                             int (*go_on)(void *ctx, struct otapult_finding *why), void *ctx)
{
    otapult_same_begin(&s->same, running, go_on, ctx);
}

bool otapult_session_is_running(const struct otapult_session *s)
{
    return s->same.on && s->err == 0;
}

int otapult_session_expect(struct otapult_session *s, uint32_t size)
{
    const uint32_t slot = s->writer.flash.size;

    if (s->err != 0)
        return s->err;
    if (size > slot)
        return fail(s, OTAPULT_E_IMAGE_TOO_LARGE, &(struct otapult_finding){.got = size, .want = slot});
    s->judge.recognise.size = size;
    s->writer.size = size;
    return 0;
}

void otapult_session_length(struct otapult_session *s, uint32_t least, uint32_t most)
{
    s->judge.inspect.limits.least_length = least;
    s->judge.inspect.limits.most_length = most;
}

/* How many of the next n bytes belong to the head, by which the judge accepts a file or not. */
static size_t part_of_head(const struct otapult_session *s, size_t n)
{
    const uint32_t seen = s->judge.recognise.seen;
    const uint32_t room = seen < OTAPULT_HEAD_SIZE ? OTAPULT_HEAD_SIZE - seen : 0;
    return n < room ? n : room;
}

/* The first write erases the other slot's image, the way back: it waits until the whole head is accepted. */
static int feed_head(struct otapult_session *s, const uint8_t *p, size_t n)
{
    int err = judge(s, p, n);
    if (err == 0 && otapult_judge_accepted(&s->judge))
        err = write_bytes(s, s->judge.recognise.head, OTAPULT_HEAD_SIZE);
    return err;
}

/* A file that was not accepted with its head never will be: the judge reads on only to say what it is. */
static int feed_body(struct otapult_session *s, const uint8_t *p, size_t n)
{
    int err = judge(s, p, n);
    if (err == 0 && otapult_judge_accepted(&s->judge))
        err = write_bytes(s, p, n);
    return err;
}

int otapult_session_feed(struct otapult_session *s, const uint8_t *p, size_t n)
{
    const size_t head = part_of_head(s, n);
    int err = s->err;
    if (err == 0 && head > 0)
        err = feed_head(s, p, head);
    if (err == 0 && n > head)
        err = feed_body(s, p + head, n - head);
    return err;
}

/* ---- bytes that an earlier session wrote ---- */

/* The writer's sector is empty then and serves as the read buffer. A port whose read does nothing and returns
 * 0 is noticed by finish(), which reads all of it once more. */
int otapult_session_resume(struct otapult_session *s, const uint8_t held[OTAPULT_SLOT_HELD], uint32_t at)
{
    struct otapult_slot_writer *w = &s->writer;

    s->same.on = false; /* what runs has been compared then */
    otapult_slot_writer_resume(w, held, at);
    for (uint32_t off = 0; s->err == 0 && off < at; off += w->flash.sector) {
        int err = otapult_slot_writer_read(w, off, w->sector, w->flash.sector);
        if (err != 0)
            return fail(s, err, &w->why);
        (void)judge(s, w->sector, w->flash.sector);
    }
    return s->err;
}

int otapult_session_recall(struct otapult_session *s, uint32_t from, uint8_t *dst, uint32_t n)
{
    int err = s->err;

    if (err == 0)
        err = otapult_slot_writer_read(&s->writer, from, dst, n);
    return err == 0 ? 0 : fail(s, err, &s->writer.why);
}

/* ---- what flash holds, against what came ---- */

/* Feeds flash, as it will be after the commit, through a fresh inspection. The writer's sector is empty by
 * now and serves as the read buffer. What the inspection says is asked for by compare(). */
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

/* A whole and right image is not enough: it has to be the one that came. */
static int compare(struct otapult_session *s, const uint8_t sha256[OTAPULT_IMAGE_DIGEST])
{
    struct otapult_inspect *in = &s->judge.inspect;

    if (otapult_inspect_finish(in) == 0 && memcmp(in->info.sha256, sha256, sizeof in->info.sha256) == 0)
        return 0;
    return fail(s, OTAPULT_E_FLASH_READBACK, &(struct otapult_finding){.at = in->pos});
}

static int prove(struct otapult_session *s)
{
    uint8_t sha256[OTAPULT_IMAGE_DIGEST];

    memcpy(sha256, s->judge.inspect.info.sha256, sizeof sha256);
    int err = read_back(s, s->judge.inspect.info.size);
    return err == 0 ? compare(s, sha256) : err;
}

/* ---- the end ---- */

/* An image that is not the announced one stays in the slot without its first bytes, so it never boots. */
static int finish_judge(struct otapult_session *s)
{
    const uint8_t *came = s->judge.inspect.info.sha256;
    int err = otapult_judge_finish(&s->judge);

    if (err != 0)
        return fail(s, err, &s->judge.why);
    if (s->expected != NULL && memcmp(s->expected, came, OTAPULT_IMAGE_DIGEST) != 0)
        return fail(s, OTAPULT_E_OFFER_OTHER_FILE, &(struct otapult_finding){.text = "its SHA-256"});
    return 0;
}

static int flush(struct otapult_session *s)
{
    int err = otapult_slot_writer_flush(&s->writer);
    return err == 0 ? 0 : fail(s, err, &s->writer.why);
}

int otapult_session_finish(struct otapult_session *s)
{
    int err = s->err;
    if (err == 0)
        err = finish_judge(s);
    if (err != 0 || s->same.on) /* nothing was written */
        return err;
    err = flush(s);
    if (err == 0)
        err = prove(s);
    return err;
}

int otapult_session_commit(struct otapult_session *s)
{
    if (s->err != 0 || s->writer.committed)
        return s->err;
    int err = otapult_slot_writer_commit(&s->writer);
    return err == 0 ? 0 : fail(s, err, &s->writer.why);
}

/* ---- a slot that was written before ---- */

/* Are the first 16 bytes in flash already? The power may have gone right behind the write, before anything
 * was noted. They must not be written again, because flash takes a byte once. */
static int find_commit(struct otapult_session *s)
{
    const struct otapult_flash *f = &s->writer.flash;
    uint8_t there[OTAPULT_SLOT_HELD] = {0};

    int err = f->read(f->ctx, 0, there, sizeof there);
    s->writer.committed = err == 0 && memcmp(there, s->writer.held, sizeof there) == 0;
    if (err == 0 && !s->writer.committed && !otapult_has_only(there, sizeof there, 0xFF))
        err = OTAPULT_E_FLASH_READBACK;
    return err == 0 ? 0 : fail(s, err, &(struct otapult_finding){0});
}

int otapult_session_again(struct otapult_session *s, const struct otapult_flash *flash,
                          const struct otapult_inspect_limits *limits, const uint8_t held[OTAPULT_SLOT_HELD],
                          uint32_t size, const uint8_t sha256[OTAPULT_IMAGE_DIGEST])
{
    struct otapult_inspect *in = &s->judge.inspect;

    otapult_session_init(s, flash, limits, size);
    otapult_slot_writer_resume(&s->writer, held, size);
    int err = find_commit(s);
    if (err == 0)
        err = read_back(s, size);
    if (err != 0)
        return err;
    s->judge.err = otapult_inspect_finish(in);
    if (s->judge.err != 0)
        return fail(s, s->judge.err, &in->why);
    if (memcmp(in->info.sha256, sha256, sizeof in->info.sha256) == 0)
        return 0;
    return fail(s, OTAPULT_E_FLASH_READBACK, &(struct otapult_finding){.at = in->pos});
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
