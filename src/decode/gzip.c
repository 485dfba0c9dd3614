/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/bytes.h"
#include "decode/decoder.h"
#include "decode/inflate.h"

/* gzip (RFC 1952) and zlib (RFC 1950): deflate in one of two wrappings. A file has one stream and nothing
 * behind it: several in a row, which gzip allows, are what somebody made by mistake.
 *
 * The wrappings are read here and not by the library, because the chip's ROM knows only one of the two, and
 * because the sum at the end has to be checked in either case. */

#define WINDOW_BITS   15u
#define GZIP_HEADER   10u
#define ZLIB_HEADER   2u
#define GZIP_END      8u    /* CRC-32 and length */
#define ZLIB_END      4u    /* Adler-32 */
#define HEADER_LIMIT  4096u /* a name or comment that is longer is no accident */
#define ADLER_MODULUS 65521u
#define ADLER_RUN     4096u /* bytes whose sums fit 32 bits */
#define PIECE         256u  /* of the window, when it is read again; on the stack */

enum form { FORM_GZIP = 1, FORM_ZLIB }; /* of a point */

enum flag { HAS_CRC = 2, HAS_EXTRA = 4, HAS_NAME = 8, HAS_COMMENT = 16, UNKNOWN_FLAGS = 0xE0 };

enum at { /* what the next byte is */
          AT_HEADER,
          AT_EXTRA_SIZE,
          AT_EXTRA,
          AT_NAME,
          AT_COMMENT,
          AT_HEADER_CRC,
          AT_BODY,
          AT_SUMS, /* what must fit the bytes that came out */
          AT_END,
};

struct gzip {
    enum at at;
    bool zlib;
    uint8_t flags;
    uint32_t pos;        /* bytes taken */
    uint32_t left;       /* of the current piece, where its size is known */
    uint32_t header_crc; /* over the header so far */
    uint32_t sum;        /* CRC-32 or Adler-32 over what came out */
    uint32_t size;       /* of what came out */
    uint32_t due;        /* a point is sought from this size on; 0: none is */
    uint8_t last;        /* byte of the body that was taken */
    struct otapult_decoder_point point;
    uint8_t piece[GZIP_HEADER];
    uint64_t inflate[OTAPULT_INFLATE_RAM(WINDOW_BITS) / 8];
};

_Static_assert(sizeof(struct gzip) <= OTAPULT_GZIP_RAM, "OTAPULT_GZIP_RAM holds the decoder");

/* Where the input is during one call: what is left of it, and the way out. */
struct input {
    const uint8_t *p;
    size_t n;
    const struct otapult_decoder_env *env;
};

static int refuse(const struct gzip *z, const struct input *in, const char *text)
{
    *in->env->why = (struct otapult_finding){.at = z->pos, .text = text};
    return OTAPULT_E_GZIP_DAMAGED;
}

static void expect(struct gzip *z, enum at at, uint32_t bytes)
{
    z->at = at;
    z->left = bytes;
}

/* ---- taking a piece of known size ---- */

static uint32_t take(struct gzip *z, struct input *in)
{
    uint32_t n = in->n < z->left ? (uint32_t)in->n : z->left;
    if (z->at < AT_HEADER_CRC)
        z->header_crc = otapult_inflate_crc32(z->header_crc, in->p, n);
    in->p += n;
    in->n -= n;
    z->pos += n;
    z->left -= n;
    return n;
}

/* Into z->piece, whose size is `size`. True when all of it is there. */
static bool take_piece(struct gzip *z, struct input *in, uint32_t size)
{
    uint32_t have = size - z->left;
    const uint8_t *from = in->p;
    memcpy(z->piece + have, from, take(z, in));
    return z->left == 0;
}

/* ---- the header ---- */

static int begin_body(struct gzip *z)
{
    expect(z, AT_BODY, 0);
    z->sum = z->zlib ? 1 : 0;
    return otapult_inflate_init(z->inflate, sizeof z->inflate, WINDOW_BITS);
}

/* The first part that the flags name and that has not come yet. Each takes its flag away. */
static int next_part(struct gzip *z)
{
    if (z->flags & HAS_EXTRA)
        expect(z, AT_EXTRA_SIZE, 2);
    else if (z->flags & HAS_NAME)
        expect(z, AT_NAME, 0);
    else if (z->flags & HAS_COMMENT)
        expect(z, AT_COMMENT, 0);
    else if (z->flags & HAS_CRC)
        expect(z, AT_HEADER_CRC, 2);
    else
        return begin_body(z);
    return 0;
}

static bool is_zlib_header(const uint8_t *p)
{
    return (p[0] & 0x0F) == 8 && p[0] >> 4 <= WINDOW_BITS - 8 && (p[0] << 8 | p[1]) % 31 == 0;
}

static int take_header(struct gzip *z, struct input *in)
{
    if (!take_piece(z, in, z->zlib ? ZLIB_HEADER : GZIP_HEADER))
        return 0;
    if (z->zlib && !is_zlib_header(z->piece))
        return refuse(z, in, "a zlib header that is none");
    if (z->zlib && (z->piece[1] & 0x20) != 0)
        return refuse(z, in, "it needs a dictionary");
    if (z->zlib)
        return begin_body(z);
    z->flags = z->piece[3];
    if (z->piece[1] != 0x8B || z->piece[2] != 8 || (z->flags & UNKNOWN_FLAGS) != 0)
        return refuse(z, in, "a gzip header that is none");
    return next_part(z);
}

static int take_extra_size(struct gzip *z, struct input *in)
{
    if (!take_piece(z, in, 2))
        return 0;
    z->flags &= (uint8_t)~HAS_EXTRA;
    expect(z, AT_EXTRA, otapult_le16(z->piece));
    return z->left == 0 ? next_part(z) : 0;
}

static int take_extra(struct gzip *z, struct input *in)
{
    (void)take(z, in);
    return z->left == 0 ? next_part(z) : 0;
}

/* A name or a comment, up to its zero byte. */
static int take_string(struct gzip *z, struct input *in, enum flag flag)
{
    const uint8_t *zero = memchr(in->p, 0, in->n);
    z->left = zero != NULL ? (uint32_t)(zero - in->p) + 1 : (uint32_t)in->n;
    (void)take(z, in);
    if (zero == NULL)
        return 0;
    z->flags &= (uint8_t)~flag;
    return next_part(z);
}

static int take_header_crc(struct gzip *z, struct input *in)
{
    if (!take_piece(z, in, 2))
        return 0;
    if (otapult_le16(z->piece) != (uint16_t)z->header_crc)
        return refuse(z, in, "the CRC of its header is wrong");
    z->flags = 0;
    return next_part(z);
}

/* ---- the body ---- */

static uint32_t adler32(uint32_t sum, const uint8_t *p, size_t n)
{
    uint32_t a = sum & 0xFFFF, b = sum >> 16;
    while (n > 0) {
        for (size_t run = n < ADLER_RUN ? n : ADLER_RUN; run > 0; run--, n--) {
            a += *p++;
            b += a;
        }
        a %= ADLER_MODULUS;
        b %= ADLER_MODULUS;
    }
    return b << 16 | a;
}

static int hand_on(struct gzip *z, const struct input *in, const uint8_t *out, size_t n)
{
    z->sum = z->zlib ? adler32(z->sum, out, n) : otapult_inflate_crc32(z->sum, out, n);
    z->size += (uint32_t)n;
    return n > 0 ? in->env->put(in->env, out, n) : 0;
}

static bool seeks_point(const struct gzip *z)
{
    return z->size >= z->due && z->point.made < z->due;
}

static void keep_point(struct gzip *z)
{
    z->point = (struct otapult_decoder_point){
        .taken = z->pos,
        .made = z->size,
        .sum = z->sum,
        .form = z->zlib ? FORM_ZLIB : FORM_GZIP,
        .bits = (uint8_t)otapult_inflate_bits(z->inflate),
        .last = z->last,
    };
}

/* What the next bytes of the body make, or a part of them. *made: how many came out. */
static int inflate_some(struct gzip *z, struct input *in, enum otapult_inflate_result *result, size_t *made)
{
    const uint8_t *out, *from = in->p;

    *result = otapult_inflate(z->inflate, seeks_point(z), &in->p, &in->n, &out, made);
    z->pos += (uint32_t)(in->p - from);
    if (in->p > from)
        z->last = in->p[-1];
    int err = hand_on(z, in, out, *made);
    if (*result == OTAPULT_INFLATE_BLOCK)
        keep_point(z);
    return err;
}

/* Until the input is used up and nothing more comes out of it, or the stream ends. */
static int take_body(struct gzip *z, struct input *in)
{
    enum otapult_inflate_result result = OTAPULT_INFLATE_MORE;
    size_t made = 1;
    int err = 0;

    while (err == 0 && result <= OTAPULT_INFLATE_BLOCK && (in->n > 0 || made > 0))
        err = inflate_some(z, in, &result, &made);
    if (err != 0)
        return err;
    if (result == OTAPULT_INFLATE_DAMAGED)
        return refuse(z, in, "no deflate data");
    if (result == OTAPULT_INFLATE_END)
        expect(z, AT_SUMS, z->zlib ? ZLIB_END : GZIP_END);
    return 0;
}

/* ---- the end ---- */

static uint32_t be32(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static int take_sums(struct gzip *z, struct input *in)
{
    if (!take_piece(z, in, z->zlib ? ZLIB_END : GZIP_END))
        return 0;
    z->at = AT_END;
    if ((z->zlib ? be32(z->piece) : otapult_le32(z->piece)) != z->sum)
        return refuse(z, in, "the checksum at its end is wrong");
    if (!z->zlib && otapult_le32(z->piece + 4) != z->size)
        return refuse(z, in, "the length at its end is wrong");
    return 0;
}

/* ---- the stage ---- */

static int dispatch(struct gzip *z, struct input *in)
{
    switch (z->at) { /* each state takes a byte at least, or refuses */
    case AT_HEADER: return take_header(z, in);
    case AT_EXTRA_SIZE: return take_extra_size(z, in);
    case AT_EXTRA: return take_extra(z, in);
    case AT_NAME: return take_string(z, in, HAS_NAME);
    case AT_COMMENT: return take_string(z, in, HAS_COMMENT);
    case AT_HEADER_CRC: return take_header_crc(z, in);
    case AT_BODY: return take_body(z, in);
    case AT_SUMS: return take_sums(z, in);
    case AT_END: return refuse(z, in, "more bytes follow");
    }
    return OTAPULT_E_INTERNAL;
}

static int step(struct gzip *z, struct input *in)
{
    const bool was_header = z->at < AT_BODY;
    int err = dispatch(z, in);
    if (err != 0 || !was_header || z->pos <= HEADER_LIMIT)
        return err;
    z->pos = HEADER_LIMIT; /* the same finding, however the input was cut */
    return refuse(z, in, "a header of more than 4 KB");
}

static int gzip_init(void *state, const struct otapult_decoder_env *env)
{
    struct gzip *z = state;

    (void)env;
    memset(z, 0, offsetof(struct gzip, inflate));
    expect(z, AT_HEADER, GZIP_HEADER);
    return 0;
}

static int gzip_feed(void *state, const struct otapult_decoder_env *env, const uint8_t *p, size_t n)
{
    struct gzip *z = state;
    struct input in = {.p = p, .n = n, .env = env};
    int err = 0;

    if (z->pos == 0 && p[0] != 0x1F) {
        z->zlib = true;
        expect(z, AT_HEADER, ZLIB_HEADER);
    }
    while (err == 0 && in.n > 0)
        err = step(z, &in);
    return err;
}

static int gzip_finish(void *state, const struct otapult_decoder_env *env)
{
    const struct gzip *z = state;
    uint32_t end = z->zlib ? ZLIB_END : GZIP_END;

    if (z->at == AT_END)
        return 0;
    *env->why = (struct otapult_finding){.at = z->pos, .got = z->at == AT_SUMS ? z->left : end + 1};
    return OTAPULT_E_IMAGE_TRUNCATED;
}

/* ---- going on after a restart ---- */

static bool gzip_point(void *state, uint32_t made, struct otapult_decoder_point *point)
{
    struct gzip *z = state;

    z->due = made;
    *point = z->point;
    return z->point.made >= made;
}

static int recall_window(struct gzip *z, const struct otapult_decoder_env *env)
{
    const uint32_t window = 1u << WINDOW_BITS;
    uint8_t piece[PIECE];
    int err = 0;

    for (uint32_t at = z->size > window ? z->size - window : 0, n; err == 0 && at < z->size; at += n) {
        n = z->size - at < PIECE ? z->size - at : PIECE;
        err = env->recall(env, at, piece, n);
        if (err == 0)
            err = otapult_inflate_recall(z->inflate, piece, n);
    }
    return err;
}

static int gzip_go_on(void *state, const struct otapult_decoder_env *env,
                      const struct otapult_decoder_point *point)
{
    struct gzip *z = state;

    z->zlib = point->form == FORM_ZLIB;
    int err = begin_body(z);
    z->pos = point->taken;
    z->size = point->made;
    z->sum = point->sum;
    z->last = point->last;
    if (err == 0)
        err = recall_window(z, env);
    return err == 0 ? otapult_inflate_enter(z->inflate, point->bits & 7u, point->last) : err;
}

/* A zlib header has no mark but its own sum, and "x^" passes it. What deflate makes does not consist of
 * ASCII text for long. */
static bool is_text(const uint8_t *p, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if ((p[i] < ' ' || p[i] > '~') && p[i] != '\t' && p[i] != '\r' && p[i] != '\n')
            return false;
    return true;
}

static bool is_gzip(const uint8_t *head, size_t n)
{
    if (n >= 3 && head[0] == 0x1F && head[1] == 0x8B)
        return head[2] == 8;
    return n >= 2 && head[0] == 0x78 && is_zlib_header(head) && !is_text(head, n);
}

const struct otapult_decoder otapult_gzip = {
    .name = "gzip",
    .memory = sizeof(struct gzip),
    .errors = &otapult_errors_of_gzip,
    .recognises = is_gzip,
    .init = gzip_init,
    .feed = gzip_feed,
    .finish = gzip_finish,
    .point = gzip_point,
    .go_on = gzip_go_on,
};
