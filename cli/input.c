/* SPDX-License-Identifier: Apache-2.0 */
#include "input.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/bytes.h"
#include "base/text.h"
#include "decode/chain.h"
#include "fault.h"
#include "regular_file.h"
#include "say.h"

/* Files are read whole, into memory: what the verbs do with them (survey, sign, patch) needs any byte at any
 * time, and the largest flash is small for a computer. The judge is the device's own code all the same, and
 * gets the file in pieces as a device would. */

#define PIECE          65536u
#define HEADER_SIZE    24u
#define HEADER_CHIP_AT 12u
#define HEADER_REV_AT  15u

static void set_name(struct input *in, const char *path)
{
    const char *slash = strrchr(path, '/');
    const char *name = slash != NULL ? slash + 1 : path;
    in->named = strcmp(path, "-") != 0;
    if (!in->named)
        name = "standard input";
    otapult_text_clean(in->name, sizeof in->name, (const uint8_t *)name, strlen(name));
}

/* Room for `n` more bytes, doubling, so that a file of n bytes is copied O(n). */
static bool grow(struct input *in, size_t *cap, size_t n)
{
    if (*cap - in->size >= n)
        return true;
    size_t more = *cap * 2 + n;
    uint8_t *data = realloc(in->data, more);
    if (data == NULL)
        return false;
    in->data = data;
    *cap = more;
    return true;
}

static const char *read_all(FILE *f, struct input *in)
{
    size_t cap = 0;
    while (in->size <= INPUT_MAX) {
        if (!grow(in, &cap, PIECE))
            return "not enough memory";
        size_t n = fread(in->data + in->size, 1, PIECE, f);
        in->size += n;
        if (n < PIECE)
            return ferror(f) ? strerror(errno) : NULL;
    }
    return "larger than any flash, 128 MB";
}

bool input_read(const char *path, struct input *in)
{
    *in = (struct input){0};
    set_name(in, path);
    FILE *f = in->named ? regular_file_open(path) : stdin;
    const char *why = f != NULL ? read_all(f, in) : regular_file_words(errno);
    if (f != NULL && in->named)
        fclose(f);
    if (why == NULL)
        return true;
    trouble_say(TROUBLE_FILE_UNREADABLE, "file", in->name, why);
    input_free(in);
    return false;
}

void input_free(struct input *in)
{
    free(in->data);
    in->data = NULL;
    in->size = 0;
}

bool input_is_same_file(const char *a, const char *b)
{
    struct stat x, y;

    return stat(a, &x) == 0 && stat(b, &y) == 0 && x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

/* ---- packed files ---- */

struct unpacked {
    struct input out;
    size_t cap;
};

static int expect_size(const struct otapult_decoder_env *env, uint32_t size)
{
    (void)env;
    (void)size;
    return 0;
}

static int keep(const struct otapult_decoder_env *env, const uint8_t *p, size_t n)
{
    struct unpacked *u = env->ctx;
    if (n > INPUT_MAX - u->out.size || !grow(&u->out, &u->cap, n)) {
        *env->why = (struct otapult_finding){.got = INPUT_MAX + 1, .want = INPUT_MAX};
        return OTAPULT_E_IMAGE_TOO_LARGE;
    }
    memcpy(u->out.data + u->out.size, p, n);
    u->out.size += n;
    return 0;
}

static int nothing_runs(const struct otapult_decoder_env *env, struct otapult_flash *flash)
{
    (void)env;
    (void)flash;
    return OTAPULT_E_SLOT_OPEN;
}

static int unpack_all(const struct input *in, struct otapult_chain *chain,
                      const struct otapult_decoder_env *env)
{
    static const struct otapult_decoder *const decoders[] = {&otapult_gzip, NULL};
    static uint64_t memory[OTAPULT_GZIP_RAM / 8];
    otapult_chain_init(chain, decoders, memory, sizeof memory, OTAPULT_SIZE_UNKNOWN);
    int err = otapult_chain_feed(chain, env, in->data, in->size);
    return err == 0 ? otapult_chain_finish(chain, env) : err;
}

int input_unpack(struct input *in, struct otapult_finding *why)
{
    struct unpacked u = {.cap = 0};
    const struct otapult_decoder_env env = {
        .ctx = &u, .expect = expect_size, .put = keep, .running = nothing_runs, .why = why};
    struct otapult_chain chain;
    *why = (struct otapult_finding){0};
    int err = unpack_all(in, &chain, &env);
    const char *packed = otapult_chain_name(&chain, 0);
    if (err != 0 || packed == NULL) {
        input_free(&u.out);
        return err;
    }
    free(in->data);
    in->sent_size = in->size;
    in->packed = packed;
    in->data = u.out.data;
    in->size = u.out.size;
    return 0;
}

/* ---- the judge ---- */

uint16_t input_wanted_revision(const struct input *in)
{
    return in->size < HEADER_SIZE ? 0 : otapult_le16(in->data + HEADER_REV_AT);
}

int input_judge_limits(const struct input *in, const struct otapult_inspect_limits *limits,
                       struct otapult_judge *j)
{
    otapult_judge_init(j, limits, (uint32_t)in->size);
    for (size_t at = 0; at < in->size; at += PIECE) {
        size_t left = in->size - at;
        int err = otapult_judge_feed(j, in->data + at, left < PIECE ? left : PIECE);
        /* The judge has seen the segment that does not fit; the file is longer. */
        if (err == OTAPULT_E_IMAGE_TOO_LARGE)
            j->why.got = (uint32_t)in->size;
        if (err != 0)
            return err;
    }
    return otapult_judge_finish(j);
}

int input_judge(const struct input *in, const struct options *options, struct otapult_judge *j)
{
    struct otapult_inspect_limits limits = {
        .slot_size = options->slot_size, .chip_id = options->chip_id, .chip_rev = input_wanted_revision(in)};
    struct otapult_trust trust;

    if (options->chip_revision >= 0)
        limits.chip_rev = (uint16_t)options->chip_revision;
    if (options->efuse_revision >= 0)
        limits.block_rev = (uint16_t)options->efuse_revision;
    otapult_trust_init(&trust, options->key_digest, options->key_count);
    if (options->key_count > 0)
        limits.trust = &trust;
    return input_judge_limits(in, &limits, j);
}

int input_judge_any(const struct input *in, const struct options *options, struct otapult_judge *j)
{
    struct options any = *options;
    any.slot_size = INPUT_MAX;
    any.chip_revision = any.efuse_revision = -1;
    if (in->size >= HEADER_SIZE)
        any.chip_id = otapult_le16(in->data + HEADER_CHIP_AT);
    return input_judge(in, &any, j);
}
