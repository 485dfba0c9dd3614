/* SPDX-License-Identifier: Apache-2.0 */
#include "web/multipart.h"

#include <string.h>

#include "otapult/http.h"
#include "web/header.h"

/* Parsers of forms are attacked by disagreement: one program reads a body in one way, the next one in
 * another. So whatever the RFCs leave open is refused with a reason (two names, two boundaries, text behind a
 * boundary, a CR alone), and nothing is repaired. The price is small: browsers and curl send none of it.
 *
 * The file's bytes are searched for CR only and handed on in runs as long as the input; a firmware of 2 MB
 * has some thousand CRs. Everything else goes byte by byte through step(), because it is short. */

_Static_assert(sizeof(struct otapult_multipart) <= sizeof(union otapult_form_memory),
               "an exchange has room for the parser");

static int fail(struct otapult_multipart *m, int err, const char *text)
{
    m->err = err;
    m->why.at = m->pos;
    m->why.text = text;
    return err;
}

bool otapult_is_firmware_name(const char *name)
{
    static const char *const endings[] = {".bin", ".gz", ".patch"};
    const size_t len = strlen(name);

    for (size_t i = 0; i < sizeof endings / sizeof *endings; i++) {
        const size_t n = strlen(endings[i]);
        if (len > n && otapult_same_word(name + len - n, n, endings[i]))
            return true;
    }
    return false;
}

/* ---- the boundary ---- */

/* What is wrong with the boundary, in words that complete the template of errors.def; NULL: nothing. RFC
 * 2046, section 5.1.1. */
static const char *boundary_fault(const char *boundary, size_t len)
{
    static const char allowed[] = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                  "'()+_,-./:=? ";

    if (len == 0)
        return "empty";
    if (strspn(boundary, allowed) != len)
        return "not made of the characters that RFC 2046 allows";
    return boundary[len - 1] == ' ' ? "ending in a space" : NULL;
}

static const char *set_boundary(struct otapult_multipart *m, const struct otapult_param *p)
{
    char *boundary = m->delimiter + 4;

    if (m->delimiter_len != 0)
        return "given twice";
    if (!otapult_param_copy(p, boundary, OTAPULT_BOUNDARY_MAX + 1))
        return "longer than 70 characters";
    memcpy(m->delimiter, "\r\n--", 4);
    size_t len = strlen(boundary);
    m->delimiter_len = (uint8_t)(4 + len);
    return boundary_fault(boundary, len);
}

/* Takes the boundary out of a Content-Type. Returns what is wrong with it; NULL: nothing. */
static const char *find_boundary(struct otapult_multipart *m, const char *content_type)
{
    const char *at = otapult_params(content_type), *fault = NULL;
    struct otapult_param p;
    enum otapult_param_end end;

    while (fault == NULL && (end = otapult_next_param(&at, &p)) != OTAPULT_PARAM_NONE) {
        if (end == OTAPULT_PARAM_BROKEN)
            fault = "in a header that cannot be read";
        else if (otapult_same_word(p.name, p.name_len, "boundary"))
            fault = set_boundary(m, &p);
    }
    return fault == NULL && m->delimiter_len == 0 ? "missing" : fault;
}

int otapult_multipart_init(struct otapult_multipart *m, const char *content_type)
{
    memset(m, 0, sizeof *m);
    if (!otapult_value_is(content_type, "multipart/form-data"))
        return fail(m, OTAPULT_E_CONTENT_TYPE, NULL);
    const char *fault = find_boundary(m, content_type);
    m->matched = m->assumed = 2; /* the first delimiter may stand at the very start, without its CR LF */
    return fault == NULL ? 0 : fail(m, OTAPULT_E_BOUNDARY, fault);
}

/* ---- headers of a part ---- */

struct disposition {
    const char *fault; /* NULL: none */
    bool is_firmware, is_bin;
    bool has_name, has_file, has_extended;
};

static void take_file_name(struct disposition *d, const char *value)
{
    if (d->has_file)
        d->fault = "two file names in one part";
    d->has_file = true;
    if (!d->has_extended)
        d->is_bin = otapult_is_firmware_name(value);
}

/* filename*=UTF-8''…: counts more than a plain filename, which may be a bad copy of it (RFC 6266,
 * section 4.3). */
static void take_extended_name(struct disposition *d, const char *value)
{
    const char *name = strrchr(value, '\'');

    if (d->has_extended)
        d->fault = "two file names in one part";
    d->has_extended = true;
    d->is_bin = otapult_is_firmware_name(name == NULL ? value : name + 1);
}

static void take_field_name(struct disposition *d, const char *value)
{
    if (d->has_name)
        d->fault = "two names in one part";
    d->has_name = true;
    d->is_firmware = strcmp(value, "firmware") == 0;
}

/* The end of a file name, which is what tells the kind of a file. A name may be longer than a stack should
 * be. */
#define NAME_END 16u

static void copy_end(const struct otapult_param *p, char dst[NAME_END])
{
    struct otapult_param end = *p;
    const size_t cut = p->value_len < NAME_END ? 0 : p->value_len - (NAME_END - 1);

    end.value += cut;
    end.value_len -= cut;
    (void)otapult_param_copy(&end, dst, NAME_END); /* it fits */
}

static void take_param(struct disposition *d, const struct otapult_param *p)
{
    char value[NAME_END];

    if (otapult_same_word(p->name, p->name_len, "name")) {
        (void)otapult_param_copy(p, value, sizeof value); /* "" where it is too long for our field's name */
        take_field_name(d, value);
    } else if (otapult_same_word(p->name, p->name_len, "filename")) {
        copy_end(p, value);
        take_file_name(d, value);
    } else if (otapult_same_word(p->name, p->name_len, "filename*")) {
        copy_end(p, value);
        take_extended_name(d, value);
    }
}

static void read_disposition(struct disposition *d, const char *value)
{
    const char *at = otapult_params(value);
    struct otapult_param p;
    enum otapult_param_end end;

    *d = (struct disposition){.fault = otapult_value_is(value, "form-data") ? NULL
                                                                            : "a part is not form-data"};
    while (d->fault == NULL && (end = otapult_next_param(&at, &p)) != OTAPULT_PARAM_NONE) {
        if (end == OTAPULT_PARAM_BROKEN)
            d->fault = "a broken Content-Disposition";
        else
            take_param(d, &p);
    }
    if (d->fault == NULL && !d->has_name)
        d->fault = "a part without a name";
}

static const char *take_disposition(struct otapult_multipart *m, const char *value)
{
    struct disposition d;

    if (m->had_disposition)
        return "two Content-Disposition in one part";
    read_disposition(&d, value);
    if (d.fault != NULL)
        return d.fault;
    m->had_disposition = true;
    m->is_firmware = d.is_firmware &&
                     (d.has_file || d.has_extended); /* curl -F firmware=text sends no file */
    if (!m->is_firmware)
        return NULL;
    if (m->had_firmware)
        return "two firmware fields";
    m->had_firmware = true;
    m->misnamed = !d.is_bin;
    return NULL;
}

/* RFC 7578, section 4.7, has browsers send none. An encoded file would be taken for a damaged one. */
static const char *encoding_fault(const char *value)
{
    bool plain = otapult_value_is(value, "binary") || otapult_value_is(value, "8bit") ||
                 otapult_value_is(value, "7bit");

    return plain ? NULL : "a Content-Transfer-Encoding other than binary";
}

static const char *take_line(struct otapult_multipart *m)
{
    size_t name_len = strcspn(m->line, ": \t");
    const char *value = m->line + name_len;

    if (name_len == 0 || *value != ':')
        return "a part's header line without a name";
    value += 1 + strspn(value + 1, " \t");
    if (otapult_same_word(m->line, name_len, "Content-Disposition"))
        return take_disposition(m, value);
    if (otapult_same_word(m->line, name_len, "Content-Transfer-Encoding"))
        return encoding_fault(value);
    return NULL;
}

/* Without a disposition nobody can tell which field it is (RFC 7578, section 4.2), and it might be ours. */
static const char *end_headers(struct otapult_multipart *m)
{
    if (!m->had_disposition)
        return "a part without Content-Disposition";
    m->at = OTAPULT_MP_DATA;
    m->in_part = true;
    m->matched = m->assumed = 2; /* RFC 2046: a part may end with its headers, without an empty body */
    return NULL;
}

static bool is_control(uint8_t c)
{
    return (c < 0x20 && c != '\t') || c == 0x7F;
}

static const char *end_line(struct otapult_multipart *m)
{
    m->line[m->line_len - 1] = '\0'; /* the CR */
    const char *fault = m->line_len == 1 ? end_headers(m) : take_line(m);
    m->line_len = 0;
    return fault;
}

static const char *header_byte(struct otapult_multipart *m, uint8_t c)
{
    bool after_cr = m->line_len > 0 && m->line[m->line_len - 1] == '\r';

    if (++m->headers_len > OTAPULT_PART_HEADERS)
        return "a part's headers are too long";
    if (after_cr)
        return c == '\n' ? end_line(m) : "CR without LF in a part's headers";
    if (c != '\r' && is_control(c))
        return "a control character in a part's headers";
    if (c != '\r' && m->line_len >= OTAPULT_PART_LINE)
        return "a part's header line is too long";
    m->line[m->line_len++] = (char)c;
    return NULL;
}

static void begin_headers(struct otapult_multipart *m)
{
    m->line_len = m->headers_len = 0;
    m->had_disposition = m->is_firmware = false;
}

/* ---- behind a delimiter ---- */

struct sink {
    otapult_multipart_sink give;
    void *ctx;
};

static void hand_on(struct otapult_multipart *m, const struct sink *sink, const void *p, size_t n)
{
    if (m->in_part && m->is_firmware && n > 0)
        m->err = sink->give(sink->ctx, p, n);
}

/* What was held back is data: hands on the delimiter's first bytes, but not the CR LF that was never in the
 * input. */
static void hand_on_held(struct otapult_multipart *m, const struct sink *sink)
{
    size_t from = m->assumed, len = m->matched - from;

    m->matched = m->assumed = 0;
    hand_on(m, sink, m->delimiter + from, len);
}

/* Where each byte behind a delimiter leads: "--" ends the body; blanks and CR LF begin a part (RFC 2046,
 * section 5.1.1, transport-padding). Any other byte: see delimiter_byte(). */
static const struct way {
    uint8_t from;
    char byte;
    uint8_t to;
} ways[] = {
    {OTAPULT_MP_DECIDE, '-', OTAPULT_MP_DASH},      {OTAPULT_MP_DECIDE, ' ', OTAPULT_MP_PADDING},
    {OTAPULT_MP_DECIDE, '\t', OTAPULT_MP_PADDING},  {OTAPULT_MP_DECIDE, '\r', OTAPULT_MP_CR},
    {OTAPULT_MP_DASH, '-', OTAPULT_MP_EPILOGUE},    {OTAPULT_MP_PADDING, ' ', OTAPULT_MP_PADDING},
    {OTAPULT_MP_PADDING, '\t', OTAPULT_MP_PADDING}, {OTAPULT_MP_PADDING, '\r', OTAPULT_MP_PADDED_CR},
    {OTAPULT_MP_CR, '\n', OTAPULT_MP_HEADERS},      {OTAPULT_MP_PADDED_CR, '\n', OTAPULT_MP_HEADERS},
};

static const struct way *way_of(const struct otapult_multipart *m, uint8_t c)
{
    for (const struct way *w = ways; w < ways + sizeof ways / sizeof *ways; w++)
        if (w->from == m->at && (uint8_t)w->byte == c)
            return w;
    return NULL;
}

/* What looked like a delimiter was data. */
static void back_to_data(struct otapult_multipart *m, const struct sink *sink)
{
    enum otapult_multipart_at from = m->at;

    m->at = OTAPULT_MP_DATA;
    hand_on_held(m, sink);
    if (from == OTAPULT_MP_DASH && m->err == 0)
        hand_on(m, sink, "-", 1);
    if (from == OTAPULT_MP_CR)
        m->matched = 1; /* that CR may begin a delimiter itself */
}

/* The byte behind a delimiter. *taken is 0 where it is data: then the next step takes it. Behind padding a
 * delimiter cannot become data any more, for the padding's bytes were not kept; such a body is refused. */
static const char *delimiter_byte(struct otapult_multipart *m, uint8_t c, const struct sink *sink,
                                  size_t *taken)
{
    const struct way *way = way_of(m, c);

    if (way != NULL) {
        m->at = (enum otapult_multipart_at)way->to;
        if (m->at == OTAPULT_MP_HEADERS)
            begin_headers(m);
        return NULL;
    }
    if (m->at == OTAPULT_MP_PADDING)
        return "text behind a boundary";
    if (m->at == OTAPULT_MP_PADDED_CR)
        return "CR without LF behind a boundary";
    *taken = 0;
    back_to_data(m, sink);
    return NULL;
}

/* ---- data ---- */

/* How many of p[n] go on with the delimiter behind its first `matched` bytes. */
static size_t match(const struct otapult_multipart *m, const uint8_t *p, size_t n)
{
    size_t left = (size_t)(m->delimiter_len - m->matched), k = 0;

    while (k < n && k < left && p[k] == (uint8_t)m->delimiter[m->matched + k])
        k++;
    return k;
}

/* Returns where in p[n] a delimiter begins, whole or cut off by the end of p; n: there is none. */
static size_t find_delimiter(const struct otapult_multipart *m, const uint8_t *p, size_t n)
{
    const uint8_t *at = p, *end = p + n;

    while ((at = memchr(at, '\r', (size_t)(end - at))) != NULL) {
        size_t left = (size_t)(end - at);

        if (memcmp(at, m->delimiter, left < m->delimiter_len ? left : m->delimiter_len) == 0)
            return (size_t)(at - p);
        at++;
    }
    return n;
}

static void take_data(struct otapult_multipart *m, const uint8_t *p, size_t n, const struct sink *sink,
                      size_t *taken)
{
    /* A delimiter begun in an earlier piece goes on first; only without one a new one is looked for. */
    size_t run = m->matched > 0 ? 0 : find_delimiter(m, p, n);
    size_t k = match(m, p + run, n - run);

    *taken = run + k;
    m->matched = (uint8_t)(m->matched + k);
    if (m->matched == m->delimiter_len)
        m->at = OTAPULT_MP_DECIDE;
    else if (*taken < n) {
        hand_on_held(m, sink);
        return;
    }
    hand_on(m, sink, p, run);
}

/* ---- the stage ---- */

/* What is wrong; NULL: nothing, or m->err says it. */
static const char *step(struct otapult_multipart *m, const uint8_t *p, size_t n, const struct sink *sink,
                        size_t *taken)
{
    *taken = 1;
    switch (m->at) {
    case OTAPULT_MP_DATA: take_data(m, p, n, sink, taken); return NULL;
    case OTAPULT_MP_HEADERS: return header_byte(m, *p);
    case OTAPULT_MP_EPILOGUE: *taken = n; return NULL;
    case OTAPULT_MP_DECIDE:
    case OTAPULT_MP_DASH:
    case OTAPULT_MP_PADDING:
    case OTAPULT_MP_CR:
    case OTAPULT_MP_PADDED_CR: return delimiter_byte(m, *p, sink, taken);
    }
    (void)fail(m, OTAPULT_E_INTERNAL, NULL);
    return NULL;
}

int otapult_multipart_feed(struct otapult_multipart *m, const uint8_t *p, size_t n,
                           otapult_multipart_sink sink, void *ctx)
{
    const struct sink to = {sink, ctx};

    while (m->err == 0 && n > 0) {
        size_t taken;
        const char *fault = step(m, p, n, &to, &taken);

        if (fault != NULL)
            (void)fail(m, OTAPULT_E_MULTIPART, fault);
        p += taken;
        n -= taken;
        m->pos += (uint32_t)taken;
    }
    return m->err;
}

int otapult_multipart_finish(struct otapult_multipart *m)
{
    if (m->err != 0)
        return m->err;
    if (m->at != OTAPULT_MP_EPILOGUE)
        return fail(m, OTAPULT_E_MULTIPART, "it ends without its closing boundary");
    if (!m->had_firmware)
        return fail(m, OTAPULT_E_NO_FIELD, NULL);
    return 0;
}
