/* SPDX-License-Identifier: Apache-2.0 */
#include "input.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/text.h"
#include "say.h"

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

/* Room for one more piece, doubling, so that a file of n bytes is copied O(n). */
static bool grow(struct input *in, size_t *cap)
{
    if (*cap - in->size >= PIECE)
        return true;
    size_t more = *cap * 2 + PIECE;
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
        if (!grow(in, &cap))
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
    FILE *f = in->named ? fopen(path, "rb") : stdin;
    const char *why = f != NULL ? read_all(f, in) : strerror(errno);
    if (f != NULL && f != stdin)
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

static uint16_t wanted_revision(const struct input *in)
{
    return in->size < HEADER_SIZE ? 0 : otapult_le16(in->data + HEADER_REV_AT);
}

int input_judge(const struct input *in, const struct options *options, struct otapult_judge *j)
{
    struct otapult_inspect_limits limits = {
        .slot_size = options->slot_size, .chip_id = options->chip_id, .chip_rev = wanted_revision(in)};
    struct otapult_trust trust;
    otapult_trust_init(&trust, options->key_digest, options->key_count);
    if (options->key_count > 0)
        limits.trust = &trust;
    otapult_judge_init(j, &limits, (uint32_t)in->size);
    for (size_t at = 0; at < in->size; at += PIECE) {
        size_t left = in->size - at;
        int err = otapult_judge_feed(j, in->data + at, left < PIECE ? left : PIECE);
        if (err != 0)
            return err;
    }
    return otapult_judge_finish(j);
}

int input_judge_any(const struct input *in, const struct options *options, struct otapult_judge *j)
{
    struct options any = *options;
    any.slot_size = INPUT_MAX;
    if (in->size >= HEADER_SIZE)
        any.chip_id = otapult_le16(in->data + HEADER_CHIP_AT);
    return input_judge(in, &any, j);
}
