/* SPDX-License-Identifier: Apache-2.0 */
#include "image/judge.h"

void otapult_judge_init(struct otapult_judge *j, const struct otapult_inspect_limits *limits, uint32_t size)
{
    j->err = OTAPULT_OK;
    j->why = (struct otapult_finding){0};
    otapult_recognise_init(&j->recognise, limits->chip_id, size);
    otapult_inspect_init(&j->inspect, limits);
}

static int refuse(struct otapult_judge *j, int err, const struct otapult_finding *why)
{
    j->err = err;
    j->why = *why;
    return err;
}

static int inspect(struct otapult_judge *j, const uint8_t *p, size_t n)
{
    int err = otapult_inspect_feed(&j->inspect, p, n);
    return err == 0 ? 0 : refuse(j, err, &j->inspect.why);
}

/* Until the recogniser has decided. *taken: how many of the bytes it looked at; behind those the inspector
 * goes on. */
static int recognise(struct otapult_judge *j, const uint8_t *p, size_t n, size_t *taken)
{
    struct otapult_recognise *r = &j->recognise;
    const uint32_t seen = r->seen;
    int err = otapult_recognise_feed(r, p, n);
    *taken = r->seen - seen;
    if (err != 0)
        return refuse(j, err, &r->why);
    return r->kind == OTAPULT_KIND_APP ? inspect(j, r->head, OTAPULT_HEAD_SIZE) : 0;
}

int otapult_judge_feed(struct otapult_judge *j, const uint8_t *p, size_t n)
{
    size_t taken = 0;
    if (j->err == 0 && j->recognise.kind == OTAPULT_KIND_UNDECIDED)
        j->err = recognise(j, p, n, &taken);
    if (j->err == 0 && j->recognise.kind == OTAPULT_KIND_APP)
        j->err = inspect(j, p + taken, n - taken);
    return j->err;
}

int otapult_judge_finish(struct otapult_judge *j)
{
    if (j->err != 0)
        return j->err;
    int err = otapult_recognise_finish(&j->recognise);
    if (err != 0)
        return refuse(j, err, &j->recognise.why);
    err = otapult_inspect_finish(&j->inspect);
    return err == 0 ? 0 : refuse(j, err, &j->inspect.why);
}

bool otapult_judge_accepted(const struct otapult_judge *j)
{
    return j->err == 0 && j->recognise.kind == OTAPULT_KIND_APP;
}
