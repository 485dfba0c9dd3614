/* SPDX-License-Identifier: Apache-2.0 */
#include "offer/scan.h"

#include <string.h>

#include "base/bytes.h"
#include "base/text.h"

/* Reads byte by byte: `state` says what the next one may be, `level` where in the document it stands. Nothing
 * recurses, so a document nested as deeply as its sender likes uses no stack. What is kept of a value has
 * room for one; each `found` takes what it wants before the next begins. */

enum state {
    VALUE,        /* a value must follow */
    VALUE_OR_END, /* behind '[' */
    KEY,          /* behind a comma in an object */
    KEY_OR_END,   /* behind '{' */
    COLON,
    NEXT, /* behind a value in an object or array */
    STRING,
    ESCAPE,
    UNICODE,
    NUMBER,
    WORD,
    END, /* nothing but blanks */
};

/* Takes the place of a key that is too long, so that nothing matches it: otapult_scan_is() is never asked for
 * this. */
#define NO_KEY '\x01'

void otapult_scan_init(struct otapult_scan *s, int (*found)(void *to, const struct otapult_scan *s), void *to)
{
    memset(s, 0, sizeof *s);
    s->found = found;
    s->to = to;
}

static int wrong(struct otapult_scan *s, const char *fault)
{
    s->fault = fault;
    return OTAPULT_E_SOURCE_ANSWER;
}

static bool is_blank(uint8_t c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* ---- what is found ---- */

static void begin_text(struct otapult_scan *s, enum otapult_scan_type type, enum state state)
{
    s->type = type;
    s->state = (uint8_t)state;
    s->len = 0;
    s->cut = false;
    s->value[0] = '\0';
}

/* Keeps the n bytes of one character, all or none of them: a text is not cut within a character. */
static void keep(struct otapult_scan *s, const uint8_t *p, size_t n)
{
    s->cut = s->cut || s->len + n >= sizeof s->value;
    if (s->cut)
        return;
    memcpy(s->value + s->len, p, n);
    s->len = (uint16_t)(s->len + n);
    s->value[s->len] = '\0';
}

/* The value is complete: behind it comes a comma or the bracket that closes, or nothing where no bracket is
 * open. */
static int tell(struct otapult_scan *s)
{
    s->state = s->depth > 0 ? NEXT : END;
    return s->found(s->to, s);
}

static int open_bracket(struct otapult_scan *s, uint8_t c)
{
    if (s->depth == OTAPULT_SCAN_DEPTH)
        return wrong(s, "it is nested too deeply");
    begin_text(s, OTAPULT_SCAN_OPEN, VALUE);
    keep(s, &c, 1);
    int err = s->found(s->to, s);
    s->level[s->depth].object = c == '{';
    s->level[s->depth].index = 0;
    s->level[s->depth].key[0] = '\0';
    s->depth++;
    s->state = c == '{' ? KEY_OR_END : VALUE_OR_END;
    return err;
}

static int close_bracket(struct otapult_scan *s, uint8_t c)
{
    if ((c == '}') != s->level[s->depth - 1].object)
        return wrong(s, "a bracket closes another one");
    s->depth--;
    begin_text(s, OTAPULT_SCAN_CLOSE, NEXT);
    keep(s, &c, 1);
    return tell(s);
}

/* ---- strings ---- */

static void keep_key(struct otapult_scan *s, const uint8_t *p, size_t n)
{
    char *key = s->level[s->depth - 1].key;

    if (key[0] == NO_KEY)
        return;
    if (s->key_len + n >= OTAPULT_SCAN_KEY) {
        key[0] = NO_KEY;
        key[1] = '\0';
        return;
    }
    memcpy(key + s->key_len, p, n);
    s->key_len = (uint8_t)(s->key_len + n);
    key[s->key_len] = '\0';
}

static void keep_character(struct otapult_scan *s, const uint8_t *p, size_t n)
{
    if (s->in_key)
        keep_key(s, p, n);
    else
        keep(s, p, n);
}

static void keep_code(struct otapult_scan *s, uint32_t c)
{
    uint8_t b[4];
    size_t n = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
    static const uint8_t lead[] = {0, 0, 0xC0, 0xE0, 0xF0};

    for (size_t i = n; i-- > 1; c >>= 6)
        b[i] = (uint8_t)(0x80 | (c & 0x3F));
    b[0] = (uint8_t)(lead[n] | c);
    keep_character(s, b, n);
}

static int end_string(struct otapult_scan *s)
{
    if (!s->in_key)
        return tell(s);
    s->state = COLON;
    return 0;
}

/* Bytes of a character beyond ASCII by its first; 0: none begins so. */
static size_t character_size(uint8_t first)
{
    if (first < 0x80)
        return 1;
    return first < 0xC2 ? 0 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : first < 0xF5 ? 4 : 0;
}

static int in_string(struct otapult_scan *s, uint8_t c)
{
    uint32_t code;

    if (s->raw_len == 0 && s->high != 0 && c != '\\')
        return wrong(s, "half of a character");
    if (s->raw_len == 0 && c == '"')
        return end_string(s);
    if (s->raw_len == 0 && c == '\\') {
        s->state = ESCAPE;
        return 0;
    }
    s->raw[s->raw_len++] = c;
    size_t size = character_size(s->raw[0]);
    if (s->raw_len < size)
        return 0;
    if (size == 0 || otapult_text_character(s->raw, size, &code) != size || code < ' ')
        return wrong(s, "a character that is none");
    keep_character(s, s->raw, size);
    s->raw_len = 0;
    return 0;
}

static int in_escape(struct otapult_scan *s, uint8_t c)
{
    static const char names[] = "\"\\/bfnrt", values[] = "\"\\/\b\f\n\r\t";
    const char *name = c == '\0' ? NULL : strchr(names, c);

    if (c == 'u') {
        s->state = UNICODE;
        s->digits = 0;
        s->unit = 0;
        return 0;
    }
    if (name == NULL || s->high != 0)
        return wrong(s, s->high != 0 ? "half of a character" : "an escape that is none");
    s->state = STRING;
    keep_code(s, (uint8_t)values[name - names]);
    return 0;
}

/* Two halves make one character beyond U+FFFF. */
static int end_unicode(struct otapult_scan *s)
{
    uint32_t c = s->unit;
    bool low = c >= 0xDC00 && c < 0xE000;

    s->state = STRING;
    if (low != (s->high != 0))
        return wrong(s, "half of a character");
    if (c >= 0xD800 && c < 0xDC00) {
        s->high = s->unit;
        return 0;
    }
    if (c == 0)
        return wrong(s, "a character that is none");
    if (low)
        c = 0x10000 + (s->high - 0xD800u) * 0x400 + (c - 0xDC00);
    s->high = 0;
    keep_code(s, c);
    return 0;
}

static int in_unicode(struct otapult_scan *s, uint8_t c)
{
    const uint32_t digit = otapult_hex_digit((char)c);

    if (digit >= 16)
        return wrong(s, "an escape that is none");
    s->unit = (uint16_t)((uint32_t)s->unit << 4 | digit);
    return ++s->digits == 4 ? end_unicode(s) : 0;
}

/* ---- numbers and words ---- */

static const char *skip_digits(const char *s)
{
    while (*s >= '0' && *s <= '9')
        s++;
    return s;
}

/* As JSON has them: no plus, no leading zero, digits around the point. */
static bool is_number(const char *s)
{
    s += *s == '-';
    const char *end = skip_digits(s);
    if (end == s || (*s == '0' && end != s + 1))
        return false;
    s = end;
    if (*s == '.') {
        end = skip_digits(s + 1);
        if (end == s + 1)
            return false;
        s = end;
    }
    if (*s == 'e' || *s == 'E') {
        s++;
        s += *s == '-' || *s == '+';
        end = skip_digits(s);
        if (end == s)
            return false;
        s = end;
    }
    return *s == '\0';
}

static int end_bare(struct otapult_scan *s)
{
    bool good = s->type == OTAPULT_SCAN_NUMBER
                    ? is_number(s->value)
                    : strcmp(s->value, "true") == 0 || strcmp(s->value, "false") == 0 ||
                          strcmp(s->value, "null") == 0;

    return good && !s->cut ? tell(s) : wrong(s, "a value that is none");
}

static bool is_bare(uint8_t c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' ||
           c == '+' || c == '.';
}

/* ---- the document ---- */

static int begin_value(struct otapult_scan *s, uint8_t c)
{
    if (c == '{' || c == '[')
        return open_bracket(s, c);
    s->in_key = false;
    if (c == '"') {
        begin_text(s, OTAPULT_SCAN_STRING, STRING);
        return 0;
    }
    bool number = c == '-' || (c >= '0' && c <= '9');
    if (!number && !(c >= 'a' && c <= 'z'))
        return wrong(s, "no value where one must be");
    begin_text(s, number ? OTAPULT_SCAN_NUMBER : OTAPULT_SCAN_WORD, number ? NUMBER : WORD);
    keep(s, &c, 1);
    return 0;
}

static int begin_key(struct otapult_scan *s, uint8_t c)
{
    if (c != '"')
        return wrong(s, "no key where one must be");
    s->in_key = true;
    s->key_len = 0;
    s->level[s->depth - 1].key[0] = '\0';
    s->state = STRING;
    return 0;
}

static int next_or_end(struct otapult_scan *s, uint8_t c)
{
    bool object = s->level[s->depth - 1].object;

    if (c == '}' || c == ']')
        return close_bracket(s, c);
    if (c != ',')
        return wrong(s, "no comma where one must be");
    if (!object && s->level[s->depth - 1].index < UINT16_MAX)
        s->level[s->depth - 1].index++;
    s->state = object ? KEY : VALUE;
    return 0;
}

/* Between values. */
static int in_structure(struct otapult_scan *s, uint8_t c)
{
    switch (s->state) {
    case VALUE: return begin_value(s, c);
    case VALUE_OR_END: return c == ']' ? close_bracket(s, c) : begin_value(s, c);
    case KEY: return begin_key(s, c);
    case KEY_OR_END: return c == '}' ? close_bracket(s, c) : begin_key(s, c);
    case NEXT: return next_or_end(s, c);
    case COLON: s->state = VALUE; return c == ':' ? 0 : wrong(s, "no colon where one must be");
    default: return wrong(s, "something stands behind it");
    }
}

static int take(struct otapult_scan *s, uint8_t c)
{
    if (s->state == STRING)
        return in_string(s, c);
    if (s->state == ESCAPE)
        return in_escape(s, c);
    if (s->state == UNICODE)
        return in_unicode(s, c);
    if (s->state == NUMBER || s->state == WORD) {
        if (is_bare(c)) {
            keep(s, &c, 1);
            return 0;
        }
        int err = end_bare(s); /* this byte is the next thing's */
        if (err != 0)
            return err;
    }
    return is_blank(c) ? 0 : in_structure(s, c);
}

static int stop(struct otapult_scan *s, int err, struct otapult_finding *why)
{
    s->err = err;
    if (err != 0 && s->fault != NULL)
        *why = (struct otapult_finding){.got = s->pos, .text = s->fault};
    return err;
}

int otapult_scan_feed(struct otapult_scan *s, const uint8_t *p, size_t n, struct otapult_finding *why)
{
    for (size_t i = 0; i < n && s->err == 0; i++, s->pos++) {
        int err = take(s, p[i]);
        if (err != 0)
            return stop(s, err, why);
    }
    return stop(s, s->err, why);
}

int otapult_scan_finish(struct otapult_scan *s, struct otapult_finding *why)
{
    if (s->err == 0 && (s->state == NUMBER || s->state == WORD))
        s->err = end_bare(s);
    if (s->err == 0 && s->state != END)
        s->err = wrong(s, "it ends too early");
    return stop(s, s->err, why);
}

/* ---- questions about what was found ---- */

bool otapult_scan_is(const struct otapult_scan *s, const char *path)
{
    for (unsigned i = 0; i < s->depth; i++) {
        size_t len = strcspn(path, ".");
        bool any = len == 1 && path[0] == '*';
        bool same = s->level[i].object && strlen(s->level[i].key) == len &&
                    memcmp(s->level[i].key, path, len) == 0;
        if (len == 0 || !(any || same))
            return false;
        path += len + (path[len] == '.' && i + 1 < s->depth);
    }
    return *path == '\0';
}

bool otapult_scan_number(const struct otapult_scan *s, uint32_t *out)
{
    uint64_t n = 0;

    if (s->type != OTAPULT_SCAN_NUMBER || s->len > 10)
        return false;
    for (unsigned i = 0; i < s->len; i++) {
        if (s->value[i] < '0' || s->value[i] > '9')
            return false;
        n = n * 10 + (unsigned)(s->value[i] - '0');
    }
    *out = (uint32_t)n;
    return n <= UINT32_MAX;
}

bool otapult_scan_text(const struct otapult_scan *s, char *dst, size_t cap)
{
    if (s->type != OTAPULT_SCAN_STRING)
        return false;
    otapult_text_clean(dst, cap, (const uint8_t *)s->value, s->len);
    return !s->cut && s->len < cap;
}

bool otapult_scan_hex(const struct otapult_scan *s, uint8_t *dst, size_t n)
{
    return s->type == OTAPULT_SCAN_STRING && s->len == 2 * n && otapult_read_hex(s->value, dst, n);
}

bool otapult_scan_bool(const struct otapult_scan *s, bool *out)
{
    *out = s->value[0] == 't';
    return s->type == OTAPULT_SCAN_WORD && s->value[0] != 'n';
}
