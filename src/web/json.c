/* SPDX-License-Identifier: Apache-2.0 */
#include "web/json.h"

#include <string.h>

#define MAX_DEPTH 8

void otapult_json_init(struct otapult_json *j, char *dst, size_t cap)
{
    memset(j, 0, sizeof *j);
    otapult_text_init(&j->out, dst, cap);
}

void otapult_json_stream(struct otapult_json *j, char *buf, size_t cap,
                         void (*sink)(void *ctx, const void *data, size_t len), void *ctx)
{
    otapult_json_init(j, buf, cap);
    j->sink = sink;
    j->ctx = ctx;
}

void otapult_json_flush(struct otapult_json *j)
{
    if (j->sink == NULL || j->out.len == 0)
        return;
    j->sink(j->ctx, j->out.dst, j->out.len);
    j->out.len = 0;
    j->out.dst[0] = '\0';
}

/* Every piece is shorter than OTAPULT_JSON_STREAM_MIN, so after a flush it fits. */
static void put(struct otapult_json *j, const char *s, size_t n)
{
    if (j->sink != NULL && n >= j->out.cap - j->out.len)
        otapult_json_flush(j);
    otapult_text_bytes(&j->out, s, n);
}

static void put_char(struct otapult_json *j, char c)
{
    put(j, &c, 1);
}

/* ---- strings ---- */

/* How many bytes at s are one character of UTF-8, 0 when they are none. RFC 3629, table 3-7 of Unicode:
 * no overlong forms, no surrogates, nothing above U+10FFFF. Stops at the NUL by itself. */
static size_t utf8_length(const unsigned char *s)
{
    unsigned char low = 0x80, high = 0xBF;
    size_t more;

    if (s[0] < 0x80)
        return 1;
    if (s[0] < 0xC2 || s[0] > 0xF4)
        return 0;
    more = s[0] < 0xE0 ? 1 : s[0] < 0xF0 ? 2 : 3;
    if (s[0] == 0xE0)
        low = 0xA0;
    else if (s[0] == 0xED)
        high = 0x9F;
    else if (s[0] == 0xF0)
        low = 0x90;
    else if (s[0] == 0xF4)
        high = 0x8F;
    for (size_t i = 1; i <= more; i++, low = 0x80, high = 0xBF) {
        if (s[i] < low || s[i] > high)
            return 0;
    }
    return more + 1;
}

static void put_escape(struct otapult_json *j, unsigned code)
{
    static const char digits[] = "0123456789abcdef";
    char text[6] = {'\\',
                    'u',
                    digits[code >> 12 & 15],
                    digits[code >> 8 & 15],
                    digits[code >> 4 & 15],
                    digits[code & 15]};
    put(j, text, sizeof text);
}

static void put_ascii(struct otapult_json *j, char c)
{
    if (c == '"' || c == '\\')
        put(j, (char[2]){'\\', c}, 2);
    else if ((unsigned char)c < 0x20 || c == '<' || c == '>' || c == '&' || c == 0x7F)
        put_escape(j, (unsigned char)c);
    else
        put_char(j, c);
}

/* A newline in JavaScript before ES2019, though not in JSON. */
static bool is_line_separator(const char *s)
{
    return memcmp(s, "\xE2\x80\xA8", 3) == 0 || memcmp(s, "\xE2\x80\xA9", 3) == 0;
}

static void put_string(struct otapult_json *j, const char *s)
{
    put_char(j, '"');
    while (*s != '\0') {
        size_t n = utf8_length((const unsigned char *)s);

        if (n == 0)
            put_char(j, '?');
        else if (n == 1)
            put_ascii(j, *s);
        else if (n == 3 && is_line_separator(s))
            put_escape(j, 0x2000u | ((unsigned char)s[2] & 0x3Fu));
        else
            put(j, s, n);
        s += n == 0 ? 1 : n;
    }
    put_char(j, '"');
}

/* ---- structure ---- */

static void begin_value(struct otapult_json *j, const char *key)
{
    if (j->depth > 0) {
        uint8_t bit = (uint8_t)(1u << (j->depth - 1));
        if ((j->comma & bit) != 0)
            put_char(j, ',');
        j->comma |= bit;
    }
    if (key != NULL) {
        put_string(j, key);
        put_char(j, ':');
    }
}

void otapult_json_open(struct otapult_json *j, const char *key, char bracket)
{
    if (j->depth >= MAX_DEPTH) {
        j->out.full = true;
        return;
    }
    begin_value(j, key);
    put_char(j, bracket);
    j->comma &= (uint8_t) ~(1u << j->depth);
    j->depth++;
}

void otapult_json_close(struct otapult_json *j, char bracket)
{
    if (j->depth > 0)
        j->depth--;
    put_char(j, bracket);
}

/* ---- values ---- */

void otapult_json_str(struct otapult_json *j, const char *key, const char *value)
{
    if (value == NULL) {
        otapult_json_null(j, key);
        return;
    }
    begin_value(j, key);
    put_string(j, value);
}

static void put_number(struct otapult_json *j, uint32_t value)
{
    char digits[11];
    struct otapult_text t;

    otapult_text_init(&t, digits, sizeof digits);
    otapult_text_dec(&t, value);
    put(j, digits, t.len);
}

void otapult_json_num(struct otapult_json *j, const char *key, uint32_t value)
{
    begin_value(j, key);
    put_number(j, value);
}

void otapult_json_int(struct otapult_json *j, const char *key, int32_t value)
{
    begin_value(j, key);
    if (value < 0)
        put_char(j, '-');
    put_number(j, value < 0 ? 0u - (uint32_t)value : (uint32_t)value);
}

static void put_word(struct otapult_json *j, const char *key, const char *word)
{
    begin_value(j, key);
    put(j, word, strlen(word));
}

void otapult_json_number(struct otapult_json *j, const char *key, const char *text)
{
    put_word(j, key, text);
}

void otapult_json_bool(struct otapult_json *j, const char *key, bool value)
{
    put_word(j, key, value ? "true" : "false");
}

void otapult_json_null(struct otapult_json *j, const char *key)
{
    put_word(j, key, "null");
}

void otapult_json_hex(struct otapult_json *j, const char *key, const uint8_t *p, size_t n)
{
    static const char digits[] = "0123456789abcdef";

    begin_value(j, key);
    put_char(j, '"');
    for (size_t i = 0; i < n; i++)
        put(j, (char[2]){digits[p[i] >> 4], digits[p[i] & 15]}, 2);
    put_char(j, '"');
}
