/* SPDX-License-Identifier: Apache-2.0 */
#include "decoders.h"

#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"

struct state {
    uint32_t pos;
    uint8_t head[8]; /* mark and what follows it */
    uint8_t count;
    bool half; /* a count came, its byte did not */
};

static int refuse(const struct otapult_decoder_env *env, const struct state *s, int err, const char *text)
{
    *env->why = (struct otapult_finding){.at = s->pos, .got = 1, .text = text};
    return err;
}

static int init(void *state, const struct otapult_decoder_env *env)
{
    (void)env;
    memset(state, 0, sizeof(struct state));
    return 0;
}

/* ---- runs ---- */

static bool is_runs(const uint8_t *head, size_t n)
{
    return n >= 4 && memcmp(head, "RUNS", 4) == 0;
}

static int put_run(const struct otapult_decoder_env *env, uint8_t value, unsigned count)
{
    uint8_t run[255];
    memset(run, value, sizeof run);
    return env->put(env, run, count);
}

static int runs_byte(struct state *s, const struct otapult_decoder_env *env, uint8_t c)
{
    if (s->pos < 8) {
        s->head[s->pos++] = c;
        uint32_t size = otapult_le32(s->head + 4);
        return s->pos == 8 && size != OTAPULT_SIZE_UNKNOWN ? env->expect(env, size) : 0;
    }
    s->pos++;
    s->half = !s->half;
    if (s->half) {
        s->count = c;
        return c > 0 ? 0 : refuse(env, s, OTAPULT_E_GZIP_DAMAGED, "a run of nothing");
    }
    return put_run(env, c, s->count);
}

static int runs_feed(void *state, const struct otapult_decoder_env *env, const uint8_t *p, size_t n)
{
    int err = 0;
    for (size_t i = 0; i < n && err == 0; i++)
        err = runs_byte(state, env, p[i]);
    return err;
}

static int runs_finish(void *state, const struct otapult_decoder_env *env)
{
    const struct state *s = state;
    return s->half || s->pos < 8 ? refuse(env, s, OTAPULT_E_IMAGE_TRUNCATED, NULL) : 0;
}

const struct otapult_decoder decoder_runs = {
    .name = "runs",
    .memory = sizeof(struct state),
    .makes_image = true,
    .recognises = is_runs,
    .init = init,
    .feed = runs_feed,
    .finish = runs_finish,
};

uint8_t *pack_runs(const uint8_t *p, size_t n, uint32_t announced, size_t *len)
{
    uint8_t *packed = malloc(8 + 2 * n);
    memcpy(packed, "RUNS", 4);
    otapult_put_le32(packed + 4, announced);
    *len = 8;
    for (size_t i = 0, run; i < n; i += run) {
        for (run = 1; i + run < n && run < 255 && p[i + run] == p[i];)
            run++;
        packed[(*len)++] = (uint8_t)run;
        packed[(*len)++] = p[i];
    }
    return packed;
}

/* ---- mask ---- */

static bool is_mask(const uint8_t *head, size_t n)
{
    return n >= 4 && memcmp(head, "MASK", 4) == 0;
}

static int mask_feed(void *state, const struct otapult_decoder_env *env, const uint8_t *p, size_t n)
{
    struct state *s = state;
    int err = 0;
    for (size_t i = 0; i < n && err == 0; i++) {
        uint8_t clear = (uint8_t)(p[i] ^ s->head[4]);
        if (s->pos < 5)
            s->head[s->pos++] = p[i];
        else
            err = env->put(env, &clear, 1);
    }
    return err;
}

static int mask_finish(void *state, const struct otapult_decoder_env *env)
{
    const struct state *s = state;
    return s->pos < 5 ? refuse(env, s, OTAPULT_E_IMAGE_TRUNCATED, NULL) : 0;
}

const struct otapult_decoder decoder_mask = {
    .name = "mask",
    .memory = sizeof(struct state),
    .makes_image = false,
    .recognises = is_mask,
    .init = init,
    .feed = mask_feed,
    .finish = mask_finish,
};

uint8_t *pack_mask(const uint8_t *p, size_t n, uint8_t mask, size_t *len)
{
    uint8_t *packed = malloc(5 + n);
    memcpy(packed, "MASK", 4);
    packed[4] = mask;
    for (size_t i = 0; i < n; i++)
        packed[5 + i] = p[i] ^ mask;
    *len = 5 + n;
    return packed;
}

/* ---- base ---- */

static bool is_base(const uint8_t *head, size_t n)
{
    return n >= 4 && memcmp(head, "BASE", 4) == 0;
}

static int base_feed(void *state, const struct otapult_decoder_env *env, const uint8_t *p, size_t n)
{
    struct state *s = state;
    struct otapult_flash running;
    uint8_t bytes[16];
    int err = env->running(env, &running);
    for (size_t i = 0; i < n && err == 0; i++) {
        if (s->pos++ < 4)
            continue;
        err = running.read(running.ctx, p[i], bytes, sizeof bytes);
        if (err == 0)
            err = env->put(env, bytes, sizeof bytes);
    }
    return err;
}

static int base_finish(void *state, const struct otapult_decoder_env *env)
{
    (void)state;
    (void)env;
    return 0;
}

const struct otapult_decoder decoder_base = {
    .name = "base",
    .memory = sizeof(struct state),
    .makes_image = true,
    .recognises = is_base,
    .init = init,
    .feed = base_feed,
    .finish = base_finish,
};
