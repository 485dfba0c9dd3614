/* SPDX-License-Identifier: Apache-2.0 */
#include "web/multipart.h"

#include <string.h>

#include "web/header.h"

_Static_assert(sizeof(struct otapult_multipart) <= 640, "the RAM of an upload counts on 640 bytes");

static int fail(struct otapult_multipart *m, int err, const char *text)
{
    m->err = err;
    m->why = (struct otapult_finding){.at = m->pos, .text = text};
    return err;
}

static int malformed(struct otapult_multipart *m, const char *text)
{
    return fail(m, OTAPULT_E_MULTIPART, text);
}

bool otapult_is_bin_name(const char *name)
{
    size_t len = strlen(name);

    return len > 4 && otapult_same_word(name + len - 4, 4, ".bin");
}

/* ---- the boundary ---- */

/* What is wrong with it, as the error table's template goes on; NULL: nothing. RFC 2046, section 5.1.1. */
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

static int set_boundary(struct otapult_multipart *m, const struct otapult_param *p)
{
    char *boundary = m->delimiter + 4;

    if (m->delimiter_len != 0)
        return fail(m, OTAPULT_E_BOUNDARY, "given twice");
    if (!otapult_param_copy(p, boundary, OTAPULT_BOUNDARY_MAX + 1))
        return fail(m, OTAPULT_E_BOUNDARY, "longer than 70 characters");

    size_t len = strlen(boundary);
    const char *fault = boundary_fault(boundary, len);
    if (fault != NULL)
        return fail(m, OTAPULT_E_BOUNDARY, fault);
    memcpy(m->delimiter, "\r\n--", 4);
    m->delimiter_len = (uint8_t)(4 + len);
    return 0;
}

int otapult_multipart_init(struct otapult_multipart *m, const char *content_type)
{
    const char *at = otapult_params(content_type);
    struct otapult_param p;
    enum otapult_param_end end;

    memset(m, 0, sizeof *m);
    if (!otapult_value_is(content_type, "multipart/form-data"))
        return fail(m, OTAPULT_E_CONTENT_TYPE, NULL);
    while ((end = otapult_next_param(&at, &p)) == OTAPULT_PARAM) {
        if (otapult_same_word(p.name, p.name_len, "boundary") && set_boundary(m, &p) != 0)
            return m->err;
    }
    if (end == OTAPULT_PARAM_BROKEN)
        return fail(m, OTAPULT_E_BOUNDARY, "in a header that cannot be read");
    if (m->delimiter_len == 0)
        return fail(m, OTAPULT_E_BOUNDARY, "missing");

    m->matched = m->assumed = 2; /* the first delimiter may stand at the very start, without CR LF */
    return 0;
}

/* ---- headers of a part ---- */

struct disposition {
    const char *fault; /* NULL: none */
    bool is_firmware, is_bin;
    bool has_name, has_file, has_extended;
};

static void take_file_name(struct disposition *d, const struct otapult_param *p)
{
    char value[OTAPULT_PART_LINE + 1];

    if (d->has_file)
        d->fault = "two file names in one part";
    d->has_file = true;
    d->is_bin = otapult_param_copy(p, value, sizeof value) && otapult_is_bin_name(value);
}

/* filename*=UTF-8''…: counts only where there is no plain filename (RFC 7578 does without it). */
static void take_extended_name(struct disposition *d, const struct otapult_param *p)
{
    char value[OTAPULT_PART_LINE + 1];

    d->has_extended = true;
    if (d->has_file || !otapult_param_copy(p, value, sizeof value))
        return;
    const char *name = strrchr(value, '\'');
    d->is_bin = otapult_is_bin_name(name == NULL ? value : name + 1);
}

static void take_field_name(struct disposition *d, const struct otapult_param *p)
{
    char value[OTAPULT_PART_LINE + 1];

    if (d->has_name)
        d->fault = "two names in one part";
    d->has_name = true;
    d->is_firmware = otapult_param_copy(p, value, sizeof value) && strcmp(value, "firmware") == 0;
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
        else if (otapult_same_word(p.name, p.name_len, "name"))
            take_field_name(d, &p);
        else if (otapult_same_word(p.name, p.name_len, "filename"))
            take_file_name(d, &p);
        else if (otapult_same_word(p.name, p.name_len, "filename*"))
            take_extended_name(d, &p);
    }
    if (d->fault == NULL && !d->has_name)
        d->fault = "a part without a name";
}

static int take_disposition(struct otapult_multipart *m, const char *value)
{
    struct disposition d;

    if (m->had_disposition)
        return malformed(m, "two Content-Disposition in one part");
    read_disposition(&d, value);
    if (d.fault != NULL)
        return malformed(m, d.fault);
    m->had_disposition = true;
    m->is_firmware = d.is_firmware;
    if (!d.is_firmware)
        return 0;
    if (m->had_firmware)
        return malformed(m, "two firmware fields");
    if (!(d.has_file || d.has_extended) || !d.is_bin)
        return fail(m, OTAPULT_E_FILE_NAME, NULL);
    m->had_firmware = true;
    return 0;
}

/* RFC 7578 has browsers send none; a file that is encoded would be taken for a damaged one. */
static int take_encoding(struct otapult_multipart *m, const char *value)
{
    bool plain = otapult_value_is(value, "binary") || otapult_value_is(value, "8bit") ||
                 otapult_value_is(value, "7bit");

    return plain ? 0 : malformed(m, "a Content-Transfer-Encoding other than binary");
}

static int take_line(struct otapult_multipart *m)
{
    size_t name_len = strcspn(m->line, ": \t");
    const char *value = m->line + name_len;

    if (name_len == 0 || *value != ':')
        return malformed(m, "a part's header line without a name");
    value += 1 + strspn(value + 1, " \t");
    if (otapult_same_word(m->line, name_len, "Content-Disposition"))
        return take_disposition(m, value);
    if (otapult_same_word(m->line, name_len, "Content-Transfer-Encoding"))
        return take_encoding(m, value);
    return 0;
}

static int end_headers(struct otapult_multipart *m)
{
    if (!m->had_disposition)
        return malformed(m, "a part without Content-Disposition");
    m->at = OTAPULT_MP_DATA;
    m->in_part = true;
    m->matched = m->assumed = 2; /* RFC 2046: a part may end with its headers, without an empty body */
    return 0;
}

static bool is_control(uint8_t c)
{
    return (c < 0x20 && c != '\t') || c == 0x7F;
}

static int end_line(struct otapult_multipart *m)
{
    m->line[m->line_len - 1] = '\0'; /* the CR */
    int err = m->line_len == 1 ? end_headers(m) : take_line(m);
    m->line_len = 0;
    return err;
}

static int header_byte(struct otapult_multipart *m, uint8_t c)
{
    bool after_cr = m->line_len > 0 && m->line[m->line_len - 1] == '\r';

    if (++m->headers_len > OTAPULT_PART_HEADERS)
        return malformed(m, "a part's headers are too long");
    if (after_cr)
        return c == '\n' ? end_line(m) : malformed(m, "CR without LF in a part's headers");
    if (c != '\r' && is_control(c))
        return malformed(m, "a control character in a part's headers");
    if (c != '\r' && m->line_len >= OTAPULT_PART_LINE)
        return malformed(m, "a part's header line is too long");
    m->line[m->line_len++] = (char)c;
    return 0;
}

static void begin_headers(struct otapult_multipart *m)
{
    m->at = OTAPULT_MP_HEADERS;
    m->line_len = m->headers_len = 0;
    m->had_disposition = m->is_firmware = false;
}

/* ---- behind a delimiter ---- */

struct sink {
    otapult_multipart_sink give;
    void *ctx;
};

static int hand_on(struct otapult_multipart *m, const struct sink *sink, const void *p, size_t n)
{
    if (!m->in_part || !m->is_firmware || n == 0)
        return 0;
    m->err = sink->give(sink->ctx, p, n);
    return m->err;
}

/* What was held back is data: hands on the delimiter's first bytes, without those before the data. */
static int hand_on_held(struct otapult_multipart *m, const struct sink *sink)
{
    size_t from = m->assumed, len = m->matched - from;

    m->matched = m->assumed = 0;
    return hand_on(m, sink, m->delimiter + from, len);
}

static int back_to_data(struct otapult_multipart *m, const struct sink *sink)
{
    m->at = m->in_part ? OTAPULT_MP_DATA : OTAPULT_MP_PREAMBLE;
    return hand_on_held(m, sink);
}

/* The byte behind a delimiter. *taken: it is used up; else it is data. */
static int decide_byte(struct otapult_multipart *m, uint8_t c, const struct sink *sink, bool *taken)
{
    *taken = c == '-' || c == '\r' || c == ' ' || c == '\t';
    m->padded = false;
    switch (c) {
    case '-': m->at = OTAPULT_MP_DASH; return 0;
    case '\r': m->at = OTAPULT_MP_CR; return 0;
    case ' ':
    case '\t': m->at = OTAPULT_MP_PADDING; return 0;
    default: return back_to_data(m, sink);
    }
}

static int dash_byte(struct otapult_multipart *m, uint8_t c, const struct sink *sink, bool *taken)
{
    *taken = c == '-';
    if (*taken) {
        m->at = OTAPULT_MP_EPILOGUE;
        return 0;
    }
    int err = back_to_data(m, sink);
    return err != 0 ? err : hand_on(m, sink, "-", 1);
}

static int padding_byte(struct otapult_multipart *m, uint8_t c)
{
    m->padded = true;
    if (c == '\r')
        m->at = OTAPULT_MP_CR;
    else if (c != ' ' && c != '\t')
        return malformed(m, "text behind a boundary");
    return 0;
}

static int cr_byte(struct otapult_multipart *m, uint8_t c, const struct sink *sink, bool *taken)
{
    *taken = c == '\n';
    if (*taken) {
        begin_headers(m);
        return 0;
    }
    if (m->padded)
        return malformed(m, "CR without LF behind a boundary");
    int err = back_to_data(m, sink);
    m->matched = 1; /* that CR may begin a delimiter itself */
    return err;
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

static void add_match(struct otapult_multipart *m, size_t k)
{
    m->matched = (uint8_t)(m->matched + k);
    if (m->matched == m->delimiter_len)
        m->at = OTAPULT_MP_DECIDE;
}

/* Offset in p[n] where a delimiter begins, whole or cut off by the end of p; n: there is none. */
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

static int take_data(struct otapult_multipart *m, const uint8_t *p, size_t n, const struct sink *sink,
                     size_t *taken)
{
    if (m->matched > 0) {
        *taken = match(m, p, n);
        add_match(m, *taken);
        if (*taken < n && m->at != OTAPULT_MP_DECIDE)
            return hand_on_held(m, sink);
        return 0;
    }
    size_t run = find_delimiter(m, p, n);
    size_t k = match(m, p + run, n - run);
    *taken = run + k;
    add_match(m, k);
    return hand_on(m, sink, p, run);
}

/* ---- the stage ---- */

static int step(struct otapult_multipart *m, const uint8_t *p, size_t n, const struct sink *sink,
                size_t *taken)
{
    bool used = true;
    int err = OTAPULT_E_INTERNAL;

    switch (m->at) {
    case OTAPULT_MP_PREAMBLE:
    case OTAPULT_MP_DATA: return take_data(m, p, n, sink, taken);
    case OTAPULT_MP_EPILOGUE: *taken = n; return 0;
    case OTAPULT_MP_DECIDE: err = decide_byte(m, *p, sink, &used); break;
    case OTAPULT_MP_DASH: err = dash_byte(m, *p, sink, &used); break;
    case OTAPULT_MP_PADDING: err = padding_byte(m, *p); break;
    case OTAPULT_MP_CR: err = cr_byte(m, *p, sink, &used); break;
    case OTAPULT_MP_HEADERS: err = header_byte(m, *p); break;
    }
    *taken = used ? 1 : 0; /* a byte that is not used changes the state, so the next step takes it */
    return err;
}

int otapult_multipart_feed(struct otapult_multipart *m, const uint8_t *p, size_t n,
                           otapult_multipart_sink sink, void *ctx)
{
    const struct sink to = {sink, ctx};

    while (m->err == 0 && n > 0) {
        size_t taken = 0;

        m->err = step(m, p, n, &to, &taken);
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
        return malformed(m, "it ends without its closing boundary");
    if (!m->had_firmware)
        return fail(m, OTAPULT_E_NO_FIELD, NULL);
    return 0;
}
