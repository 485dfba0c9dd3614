/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "web/multipart.h"

/* The multipart parser against a second one, below, that has the whole body in memory and is written from
 * multipart.h and the RFCs: the same verdict and the same bytes of the file, whatever the split; the first
 * error stays; an error of the sink comes out as it is.
 *
 * Input: which boundary (0x80 and more: the first line of the rest is a Content-Type), split, after how many
 * 16 bytes the sink fails (0: never); then the body. */
#define SETTINGS 3u

static const char *const boundaries[] = {
    "X",
    "----WebKitFormBoundary7MA4YWxkTrZu0gW",
    "-",
    "--",
    "0123456789012345678901234567890123456789012345678901234567890123456789",
    "a b'()+_,./:=?c",
};
#define BOUNDARIES (sizeof boundaries / sizeof *boundaries)

/* ---- the second parser ---- */

struct text {
    const uint8_t *p;
    size_t len;
};

struct reference {
    struct text delimiter; /* CR LF "--" boundary */
    struct text body;      /* CR LF in front of it, which is not in the input */
    struct text file;      /* of the firmware field, up to where the body or the part ends */
    bool found, closed;    /* the field, the closing delimiter */
    bool misnamed;         /* the file of the field */
    int err;
};

static bool starts(struct text t, size_t at, const void *what, size_t len)
{
    return at <= t.len && len <= t.len - at && memcmp(t.p + at, what, len) == 0;
}

static int lower(int c)
{
    return c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c;
}

static bool is_word(struct text t, const char *word)
{
    if (t.len != strlen(word))
        return false;
    for (size_t i = 0; i < t.len; i++)
        if (lower(t.p[i]) != lower((uint8_t)word[i]))
            return false;
    return true;
}

static bool is_blank(uint8_t c)
{
    return c == ' ' || c == '\t';
}

static struct text until(struct text t, size_t from, const char *stops)
{
    size_t to = from;

    while (to < t.len && strchr(stops, t.p[to]) == NULL)
        to++;
    return (struct text){t.p + from, to - from};
}

/* A parameter's value, quoted or not, unquoted into dst; returns where it ends, 0: broken. */
static size_t take_value(struct text t, size_t at, uint8_t *dst, struct text *value)
{
    *value = (struct text){dst, 0};
    if (at < t.len && t.p[at] == '"') {
        for (at++; at < t.len && t.p[at] != '"'; at++) {
            if (t.p[at] == '\\' && at + 1 < t.len)
                at++;
            dst[value->len++] = t.p[at];
        }
        return at < t.len ? at + 1 : 0;
    }
    struct text token = until(t, at, "; \t\"");
    memcpy(dst, token.p, token.len);
    value->len = token.len;
    return token.len > 0 ? at + token.len : 0;
}

static bool is_bin(struct text name)
{
    return (name.len > 4 && is_word((struct text){name.p + name.len - 4, 4}, ".bin")) ||
           (name.len > 3 && is_word((struct text){name.p + name.len - 3, 3}, ".gz")) ||
           (name.len > 6 && is_word((struct text){name.p + name.len - 6, 6}, ".patch"));
}

struct disposition {
    unsigned names, file_names;
    bool firmware, extended, plain_bin, extended_bin, broken;
};

static void take_parameter(struct disposition *d, struct text name, struct text value)
{
    if (is_word(name, "name")) {
        d->names++;
        d->firmware = value.len == 8 && memcmp(value.p, "firmware", 8) == 0;
    } else if (is_word(name, "filename")) {
        d->file_names++;
        d->plain_bin = is_bin(value);
    } else if (is_word(name, "filename*")) {
        size_t from = value.len;
        while (from > 0 && value.p[from - 1] != '\'')
            from--;
        d->extended = true;
        d->extended_bin = is_bin((struct text){value.p + from, value.len - from});
    }
    d->broken = d->broken || d->names > 1 || d->file_names > 1;
}

static struct disposition read_disposition(struct text t)
{
    struct disposition d = {0};
    uint8_t buffer[512];
    struct text value;
    size_t at = until(t, 0, ";").len;

    d.broken = !is_word(until(t, 0, "; \t"), "form-data");
    while (!d.broken) {
        while (at < t.len && is_blank(t.p[at]))
            at++;
        if (at < t.len && t.p[at] != ';')
            d.broken = true;
        while (at < t.len && (is_blank(t.p[at]) || t.p[at] == ';'))
            at++;
        if (d.broken || at >= t.len)
            break;
        struct text name = until(t, at, "=; \t\"");
        at += name.len;
        d.broken = name.len == 0 || at >= t.len || t.p[at] != '=';
        at = d.broken ? 0 : take_value(t, at + 1, buffer, &value);
        if (at == 0)
            d.broken = true;
        else
            take_parameter(&d, name, value);
    }
    d.broken = d.broken || d.names == 0;
    return d;
}

/* What a header line of a part means: 0 or an error. */
static int take_line(struct reference *r, struct text line, bool *disposed, bool *firmware)
{
    struct text name = until(line, 0, ": \t");
    size_t at = name.len + 1;

    if (name.len == 0 || name.len >= line.len || line.p[name.len] != ':')
        return OTAPULT_E_MULTIPART;
    while (at < line.len && is_blank(line.p[at]))
        at++;
    struct text value = {line.p + at, line.len - at};
    if (is_word(name, "Content-Transfer-Encoding")) {
        struct text how = until(value, 0, "; \t");
        return is_word(how, "binary") || is_word(how, "8bit") || is_word(how, "7bit") ? 0
                                                                                      : OTAPULT_E_MULTIPART;
    }
    if (!is_word(name, "Content-Disposition"))
        return 0;
    struct disposition d = read_disposition(value);
    *firmware = d.firmware && (d.file_names > 0 || d.extended);
    if (*disposed || d.broken || (*firmware && r->found))
        return OTAPULT_E_MULTIPART;
    *disposed = true;
    if (!*firmware)
        return 0;
    r->misnamed = d.extended ? !d.extended_bin : !d.plain_bin;
    r->found = true;
    return 0;
}

/* Reads the headers that begin at `at`; returns where the data begins, 0: r->err, or the body ends. */
static size_t take_headers(struct reference *r, size_t at, bool *firmware)
{
    const size_t start = at;
    bool disposed = false;

    *firmware = false;
    for (size_t line = at; at < r->body.len; at++) {
        uint8_t c = r->body.p[at];
        if (at - start + 1 > OTAPULT_PART_HEADERS)
            break;
        if (at > line && r->body.p[at - 1] == '\r') {
            if (c != '\n')
                break;
            if (at - line == 1) {
                r->err = disposed ? 0 : OTAPULT_E_MULTIPART;
                return disposed ? at + 1 : 0;
            }
            r->err = take_line(r, (struct text){r->body.p + line, at - 1 - line}, &disposed, firmware);
            if (r->err != 0)
                return 0;
            line = at + 1;
        } else if (c != '\r' && ((c < ' ' && c != '\t') || c == 0x7F || at - line >= OTAPULT_PART_LINE)) {
            break;
        }
    }
    r->err = OTAPULT_E_MULTIPART;
    return 0;
}

/* Finds the next delimiter from `at` on; *next is where the part's headers begin, 0 at the closing one and
 * where there is none. Returns where it begins, or where the body ends. */
static size_t find_delimiter(struct reference *r, size_t at, size_t *next)
{
    const struct text b = r->body, d = r->delimiter;

    *next = 0;
    for (; at < b.len; at++) {
        size_t behind = at + d.len, to = behind;
        if (!starts(b, at, d.p, d.len))
            continue;
        if (starts(b, behind, "--", 2)) {
            r->closed = true;
            return at;
        }
        while (to < b.len && is_blank(b.p[to]))
            to++;
        if (starts(b, to, "\r\n", 2)) {
            *next = to + 2;
            return at;
        }
        if (to > behind) { /* padding, and then something else, or nothing */
            r->err = OTAPULT_E_MULTIPART;
            return at;
        }
    }
    return b.len;
}

static void parse(struct reference *r)
{
    size_t next, from = 0;
    bool firmware = false;

    (void)find_delimiter(r, 0, &next);
    while (next != 0 && r->err == 0) {
        from = take_headers(r, next, &firmware);
        if (from == 0)
            return;
        size_t to = find_delimiter(r, from - 2, &next);
        if (firmware)
            r->file = (struct text){r->body.p + from, to > from ? to - from : 0};
    }
    if (r->err == 0 && !r->closed)
        r->err = OTAPULT_E_MULTIPART;
    if (r->err == 0 && !r->found)
        r->err = OTAPULT_E_NO_FIELD;
}

/* ---- the parser ---- */

struct run {
    struct otapult_multipart m;
    uint8_t *file;
    size_t len, fails_after; /* SIZE_MAX: never */
};

static int sink(void *ctx, const uint8_t *p, size_t n)
{
    struct run *run = ctx;

    FUZZ_EXPECT(n > 0);
    if (n > run->fails_after - run->len)
        return OTAPULT_E_FLASH_WRITE;
    memcpy(run->file + run->len, p, n);
    run->len += n;
    return 0;
}

static int feed(void *stage, const uint8_t *p, size_t n)
{
    struct run *run = stage;

    return otapult_multipart_feed(&run->m, p, n, sink, run);
}

static int parse_pieces(struct run *run, const struct otapult_multipart *start, struct text body,
                        uint8_t split)
{
    run->m = *start;
    run->len = 0;
    (void)fuzz_feed_pieces(feed, run, body.p, body.len, split);
    int err = otapult_multipart_finish(&run->m);
    FUZZ_EXPECT(otapult_multipart_finish(&run->m) == err);
    FUZZ_EXPECT(err >= 0 && err < OTAPULT_ERROR_COUNT && err != OTAPULT_E_INTERNAL);
    return err;
}

static void check_sink_fails(struct run *run, const struct otapult_multipart *start, struct text body,
                             uint8_t split, size_t after)
{
    run->fails_after = after;
    int err = parse_pieces(run, start, body, split);
    FUZZ_EXPECT(run->len <= after);
    FUZZ_EXPECT(err != OTAPULT_E_FLASH_WRITE || run->m.err == err);
    FUZZ_EXPECT(otapult_multipart_feed(&run->m, body.p, 1, sink, run) == run->m.err);
    run->fails_after = SIZE_MAX;
}

/* Where the body ends in the middle of the file, what may yet be a delimiter has not been handed on. */
static void check_file(const struct run *run, const struct reference *r)
{
    FUZZ_EXPECT(run->len <= r->file.len);
    FUZZ_EXPECT(r->file.len == 0 || memcmp(run->file, r->file.p, run->len) == 0);
    if (r->err == 0 || r->closed)
        FUZZ_EXPECT(run->len == r->file.len);
    else
        FUZZ_EXPECT(r->file.len - run->len <= r->delimiter.len + 2);
}

static void compare(const struct otapult_multipart *start, struct text whole, uint8_t split,
                    size_t fails_after)
{
    static struct run once, pieces;
    struct text body = {whole.p + 2, whole.len - 2};
    struct reference r = {.delimiter = {(const uint8_t *)start->delimiter, start->delimiter_len},
                          .body = whole};

    once.fails_after = pieces.fails_after = SIZE_MAX;
    once.file = malloc(whole.len);
    pieces.file = malloc(whole.len);
    if (once.file == NULL || pieces.file == NULL)
        abort();
    parse(&r);
    FUZZ_EXPECT(parse_pieces(&once, start, body, 0) == r.err);
    FUZZ_EXPECT(parse_pieces(&pieces, start, body, split) == r.err);
    FUZZ_EXPECT(once.m.why.at == pieces.m.why.at && once.m.why.text == pieces.m.why.text);
    FUZZ_EXPECT(!r.found || once.m.misnamed == r.misnamed);
    FUZZ_EXPECT(once.len == pieces.len && memcmp(once.file, pieces.file, once.len) == 0);
    check_file(&once, &r);
    if (fails_after > 0 && body.len > 0)
        check_sink_fails(&once, start, body, split, fails_after);
    free(once.file);
    free(pieces.file);
}

/* 0, or the error of a Content-Type. */
static int begin(struct otapult_multipart *m, uint8_t which, const char *line)
{
    char type[256] = "multipart/form-data; boundary=\"";

    if (which >= 0x80)
        return otapult_multipart_init(m, line);
    strcat(type, boundaries[which % BOUNDARIES]);
    strcat(type, "\"");
    int err = otapult_multipart_init(m, type);
    FUZZ_EXPECT(err == 0);
    return err;
}

/* The first line, without its end, of at most 255 bytes. Returns its length, the end included. */
static size_t take_first_line(struct text body, char line[256])
{
    size_t n = 0;

    for (; n < body.len && n < 255 && body.p[n] != '\n' && body.p[n] != '\0'; n++)
        line[n] = (char)body.p[n];
    line[n] = '\0';
    return n < body.len ? n + 1 : n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct otapult_multipart m;
    char line[256] = "";

    if (size < SETTINGS)
        return 0;
    struct text body = {data + SETTINGS, size - SETTINGS};
    if (data[0] >= 0x80) {
        size_t n = take_first_line(body, line);
        body = (struct text){body.p + n, body.len - n};
    }
    int err = begin(&m, data[0], line);
    FUZZ_EXPECT(err == 0 || err == OTAPULT_E_CONTENT_TYPE || err == OTAPULT_E_BOUNDARY);
    if (err != 0)
        return 0;
    FUZZ_EXPECT(m.delimiter_len >= 5 && m.delimiter_len <= 4 + OTAPULT_BOUNDARY_MAX);

    uint8_t *whole = malloc(body.len + 2);
    if (whole == NULL)
        abort();
    memcpy(whole, "\r\n", 2);
    memcpy(whole + 2, body.p, body.len);
    compare(&m, (struct text){whole, body.len + 2}, data[1], 16u * data[2]);
    free(whole);
    return 0;
}
