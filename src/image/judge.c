/* SPDX-License-Identifier: Apache-2.0 */
#include "image/judge.h"

_Static_assert(sizeof(struct otapult_judge) <= 2304, "the RAM table says 2.25 KiB");

void otapult_judge_init(struct otapult_judge *j, const struct otapult_inspect_limits *limits, uint32_t size)
{
    otapult_inspect_init(&j->inspect, limits);
    otapult_recognise_init(&j->inspect.recognise, size);
    j->inspect.recognise.chip_id = j->inspect.limits.chip_id;
    j->kind = OTAPULT_KIND_UNDECIDED;
    j->err = OTAPULT_OK;
    j->why = (struct otapult_finding){0};
}

static int settle(struct otapult_judge *j, int err, const struct otapult_finding *why)
{
    j->err = err;
    j->why = *why;
    return err;
}

static void inspect(struct otapult_judge *j, const uint8_t *p, size_t n)
{
    if (otapult_inspect_feed(&j->inspect, p, n) != 0)
        settle(j, j->inspect.err, &j->inspect.why);
}

/* Returns how many of the bytes the recogniser looked at. The inspector gets them from its head. */
static size_t recognise(struct otapult_judge *j, const uint8_t *p, size_t n)
{
    struct otapult_recognise *r = &j->inspect.recognise;
    uint32_t seen = r->seen;
    if (otapult_recognise_feed(r, p, n) != 0)
        settle(j, r->err, &r->why);
    j->kind = r->kind;
    size_t taken = r->seen - seen;
    if (j->kind == OTAPULT_KIND_APP)
        inspect(j, r->head, r->seen);
    return taken;
}

int otapult_judge_feed(struct otapult_judge *j, const uint8_t *p, size_t n)
{
    size_t taken = 0;
    if (j->err == 0 && j->kind == OTAPULT_KIND_UNDECIDED)
        taken = recognise(j, p, n);
    if (j->err == 0 && j->kind == OTAPULT_KIND_APP)
        inspect(j, p + taken, n - taken);
    return j->err;
}

int otapult_judge_finish(struct otapult_judge *j)
{
    if (j->err != 0)
        return j->err;
    struct otapult_recognise *r = &j->inspect.recognise;
    if (j->kind == OTAPULT_KIND_UNDECIDED && otapult_recognise_finish(r) != 0)
        return settle(j, r->err, &r->why);
    if (otapult_inspect_finish(&j->inspect) != 0)
        return settle(j, j->inspect.err, &j->inspect.why);
    return 0;
}

size_t otapult_judge_portion(const struct otapult_judge *j, size_t n)
{
    const struct otapult_recognise *r = &j->inspect.recognise;
    bool in_head = j->kind == OTAPULT_KIND_UNDECIDED && r->seen < OTAPULT_HEAD_SIZE;
    return in_head && n > OTAPULT_HEAD_SIZE - r->seen ? OTAPULT_HEAD_SIZE - r->seen : n;
}

const uint8_t *otapult_judge_head(const struct otapult_judge *j)
{
    return j->inspect.recognise.head;
}

bool otapult_judge_accepted(const struct otapult_judge *j)
{
    return j->err == 0 && j->inspect.err == 0 && j->inspect.pos >= OTAPULT_HEAD_SIZE;
}
