/* SPDX-License-Identifier: Apache-2.0 */
#include "otapult/json.h"

#include <string.h>

#include "base/text.h"

/* Writes, in one direction and without looking back; all it remembers is whether a comma is due. What is
 * wrong (too deep, too long) sets `full` and goes on, so that callers need not look at each line. */

#define MAX_DEPTH 8 /* a bound for a caller's mistake; the status has 4 */

void otapult_json_init(struct otapult_json *j, char *dst, size_t cap)
{
    *j = (struct otapult_json){.dst = dst, .cap = cap};
    dst[0] = '\0';
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
    if (j->sink == NULL || j->len == 0)
        return;
    j->sink(j->ctx, j->dst, j->len);
    j->len = 0;
    j->dst[0] = '\0';
}

/* Every piece is shorter than OTAPULT_JSON_STREAM_MIN, so after a flush it fits. */
static void put(struct otapult_json *j, const char *s, size_t n)
{
    if (n >= j->cap - j->len)
        otapult_json_flush(j);
    size_t room = j->cap - 1 - j->len; /* one byte stays for the NUL */
    size_t fits = n < room ? n : room;

    j->full = j->full || fits < n;
    memcpy(j->dst + j->len, s, fits);
    j->len += fits;
    j->dst[j->len] = '\0';
}

static void put_char(struct otapult_json *j, char c)
{
    put(j, &c, 1);
}

/* ---- strings ---- */

static void put_hex(struct otapult_json *j, const uint8_t *p, size_t n)
{
    char two[3];
    struct otapult_text t;

    for (size_t i = 0; i < n; i++) {
        otapult_text_init(&t, two, sizeof two);
        otapult_text_digest(&t, p + i, 1);
        put(j, two, 2);
    }
}

/* What ends a string, or means something in HTML; U+2028 and U+2029 end a line in JavaScript before ES2019,
 * though not in JSON. */
static bool needs_escape(uint32_t code)
{
    return code < 0x20 || code == '<' || code == '>' || code == '&' || code == 0x7F || code == 0x2028 ||
           code == 0x2029;
}

static void put_character(struct otapult_json *j, const char *s, size_t n, uint32_t code)
{
    if (needs_escape(code)) {
        put(j, "\\u", 2);
        put_hex(j, (const uint8_t[]){(uint8_t)(code >> 8), (uint8_t)code}, 2);
        return;
    }
    if (code == '"' || code == '\\')
        put_char(j, '\\');
    put(j, s, n);
}

/* Character by character, and not as runs: a piece stays below OTAPULT_JSON_STREAM_MIN, and what is not UTF-8
 * would make the whole answer unreadable to a strict parser (RFC 8259, section 8.1). */
static void put_characters(struct otapult_json *j, const char *s)
{
    while (*s != '\0') {
        uint32_t code;
        size_t n = otapult_text_character((const uint8_t *)s, 4, &code); /* it stops at the NUL */

        if (n > 0)
            put_character(j, s, n, code);
        else
            put_char(j, '?');
        s += n == 0 ? 1 : n;
    }
}

static void put_string(struct otapult_json *j, const char *s)
{
    put_char(j, '"');
    put_characters(j, s);
    put_char(j, '"');
}

/* ---- structure ---- */

static void begin_value(struct otapult_json *j, const char *key)
{
    if (j->comma && j->depth > 0)
        put_char(j, ',');
    j->comma = true;
    if (key != NULL) {
        put_string(j, key);
        put_char(j, ':');
    }
}

void otapult_json_open(struct otapult_json *j, const char *key, char bracket)
{
    if (j->depth >= MAX_DEPTH) {
        j->full = true;
        return;
    }
    begin_value(j, key);
    put_char(j, bracket);
    j->comma = false;
    j->depth++;
}

void otapult_json_close(struct otapult_json *j, char bracket)
{
    if (j->depth > 0)
        j->depth--;
    j->comma = true;
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

void otapult_json_sentences(struct otapult_json *j, const char *key, const char *first, const char *second)
{
    begin_value(j, key);
    put_char(j, '"');
    put_characters(j, first);
    if (second != NULL) {
        put_char(j, ' ');
        put_characters(j, second);
    }
    put_char(j, '"');
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
    begin_value(j, key);
    put_char(j, '"');
    put_hex(j, p, n);
    put_char(j, '"');
}

void otapult_json_raw(struct otapult_json *j, const char *text)
{
    for (; *text != '\0'; text++)
        put_char(j, *text);
}
