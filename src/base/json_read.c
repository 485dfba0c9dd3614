/* SPDX-License-Identifier: Apache-2.0 */
#include "otapult/json.h"

#include <stdint.h>
#include <string.h>

#include "base/text.h"

/* The text comes from a client and need not end in a NUL: every look at *at comes behind a comparison with
 * end. There is no recursion, because a value that is no string is refused, so nothing can be nested.
 *
 * The whole text is read, also when the member was found: what is no JSON behind it is refused like what is
 * none before it, and a member that is there twice is seen. Two readers of one text that take the first and
 * the last of two members are how checks are got round. */

struct reader {
    const char *at, *end;
};

/* Where a string goes; what does not fit, or is not looked for, is counted and left out. */
struct taker {
    char *dst;
    size_t cap, len;
    bool bad; /* holds a NUL: what follows it would be invisible to every function that takes C strings */
};

static void skip_blanks(struct reader *r)
{
    while (r->at < r->end && strchr(" \t\r\n", *r->at) != NULL && *r->at != '\0')
        r->at++;
}

static bool take(struct reader *r, char c)
{
    skip_blanks(r);
    if (r->at == r->end || *r->at != c)
        return false;
    r->at++;
    return true;
}

static void put(struct taker *t, uint32_t byte)
{
    if (t->len + 1 < t->cap)
        t->dst[t->len] = (char)byte;
    t->len++;
    t->bad = t->bad || byte == 0;
}

static void put_character(struct taker *t, uint32_t c)
{
    if (c < 0x80) {
        put(t, c);
        return;
    }
    if (c < 0x800) {
        put(t, 0xC0 | c >> 6);
    } else if (c < 0x10000) {
        put(t, 0xE0 | c >> 12);
        put(t, 0x80 | (c >> 6 & 0x3F));
    } else {
        put(t, 0xF0 | c >> 18);
        put(t, 0x80 | (c >> 12 & 0x3F));
        put(t, 0x80 | (c >> 6 & 0x3F));
    }
    put(t, 0x80 | (c & 0x3F));
}

static bool take_hex4(struct reader *r, uint32_t *out)
{
    static const char digits[] = "0123456789abcdef0123456789ABCDEF";

    *out = 0;
    if (r->end - r->at < 4)
        return false;
    for (int i = 0; i < 4; i++, r->at++) {
        const char *digit = *r->at == '\0' ? NULL : strchr(digits, *r->at);
        if (digit == NULL)
            return false;
        *out = *out << 4 | (uint32_t)((digit - digits) % 16);
    }
    return true;
}

/* Behind `\u`. Two halves make one character beyond U+FFFF; a half alone is none. */
static bool take_unicode(struct reader *r, struct taker *t)
{
    uint32_t c, low;

    if (!take_hex4(r, &c) || (c >= 0xDC00 && c < 0xE000))
        return false;
    if (c >= 0xD800 && c < 0xDC00) {
        if (r->end - r->at < 6 || r->at[0] != '\\' || r->at[1] != 'u')
            return false;
        r->at += 2;
        if (!take_hex4(r, &low) || low < 0xDC00 || low >= 0xE000)
            return false;
        c = 0x10000 + (c - 0xD800) * 0x400 + (low - 0xDC00);
    }
    put_character(t, c);
    return true;
}

static bool take_escape(struct reader *r, struct taker *t)
{
    static const char names[] = "\"\\/bfnrt", values[] = "\"\\/\b\f\n\r\t";

    if (r->at == r->end || *r->at == '\0')
        return false;
    char c = *r->at++;
    if (c == 'u')
        return take_unicode(r, t);
    const char *name = strchr(names, c);
    if (name != NULL)
        put(t, (uint8_t)values[name - names]);
    return name != NULL;
}

/* One character of UTF-8, printable. RFC 8259, section 7, forbids control characters in a string anyway;
 * those that turn the direction of text round would make a name on the page look like another one. */
static bool take_plain(struct reader *r, struct taker *t)
{
    size_t n = otapult_text_printable((const uint8_t *)r->at, (size_t)(r->end - r->at));

    for (size_t i = 0; i < n; i++)
        put(t, (uint8_t)*r->at++);
    return n > 0;
}

static bool take_string(struct reader *r, struct taker *t)
{
    if (!take(r, '"'))
        return false;
    while (r->at < r->end && *r->at != '"') {
        bool escape = *r->at == '\\';
        r->at += escape;
        if (escape ? !take_escape(r, t) : !take_plain(r, t))
            return false;
    }
    if (r->at == r->end)
        return false;
    r->at++;
    return true;
}

/* A name that is longer than name[] is none that a caller asks for; it is read over and not an error. */
static bool take_member(struct reader *r, const char *key, struct taker *value, bool *found)
{
    char name[16];
    struct taker n = {.dst = name, .cap = sizeof name}, skipped = {0};

    if (!take_string(r, &n) || !take(r, ':'))
        return false;
    bool wanted = !n.bad && n.len == strlen(key) && n.len < sizeof name && memcmp(name, key, n.len) == 0;
    if (wanted && *found)
        return false;
    *found = *found || wanted;
    return take_string(r, wanted ? value : &skipped);
}

static bool take_object(struct reader *r, const char *key, struct taker *value)
{
    bool found = false, more = true;

    if (!take(r, '{'))
        return false;
    while (more) {
        if (!take_member(r, key, value, &found))
            return false;
        more = take(r, ',');
    }
    bool closed = take(r, '}');
    skip_blanks(r);
    return closed && found && r->at == r->end;
}

bool otapult_json_member(const char *text, size_t len, const char *key, char *dst, size_t cap)
{
    struct reader r = {text, text + len};
    struct taker value = {.dst = dst, .cap = cap};

    bool good = take_object(&r, key, &value) && !value.bad && value.len < cap;
    dst[good ? value.len : 0] = '\0';
    return good;
}
