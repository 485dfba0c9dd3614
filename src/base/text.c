/* SPDX-License-Identifier: Apache-2.0 */
#include "base/text.h"

#include <string.h>

/* All text of the core is written through these few functions, because snprintf() needs a C library's stdio
 * and its length is easily forgotten. A text that was cut stays cut: no later piece is put behind the gap. */

void otapult_text_init(struct otapult_text *t, char *dst, size_t cap)
{
    *t = (struct otapult_text){.dst = dst, .cap = cap};
    dst[0] = '\0';
}

static bool is_continuation(char byte)
{
    return ((unsigned char)byte & 0xC0) == 0x80;
}

void otapult_text_bytes(struct otapult_text *t, const char *s, size_t len)
{
    size_t room = t->cap - 1 - t->len;
    if (t->full)
        return; /* what comes after a cut would pretend to follow what was cut */
    size_t n = len < room ? len : room;
    memcpy(t->dst + t->len, s, n);
    t->len += n;
    t->full = n < len;
    if (t->full && is_continuation(s[n])) { /* half a character: takes back its beginning */
        while (t->len > 0) {
            t->len--;
            if (!is_continuation(t->dst[t->len]))
                break;
        }
    }
    t->dst[t->len] = '\0';
}

void otapult_text_str(struct otapult_text *t, const char *s)
{
    otapult_text_bytes(t, s, strlen(s));
}

void otapult_text_set(char *dst, size_t cap, const char *s)
{
    struct otapult_text t;
    otapult_text_init(&t, dst, cap);
    if (s != NULL)
        otapult_text_str(&t, s);
}

static void put_number(struct otapult_text *t, uint32_t v, uint32_t base)
{
    char text[10]; /* 4294967295 */
    size_t at = sizeof text;
    do {
        text[--at] = "0123456789abcdef"[v % base];
        v /= base;
    } while (v != 0);
    otapult_text_bytes(t, text + at, sizeof text - at);
}

void otapult_text_dec(struct otapult_text *t, uint32_t v)
{
    put_number(t, v, 10);
}

void otapult_text_hex(struct otapult_text *t, uint32_t v)
{
    otapult_text_str(t, "0x");
    put_number(t, v, 16);
}

void otapult_text_digest(struct otapult_text *t, const uint8_t *p, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        put_number(t, p[i] >> 4, 16);
        put_number(t, p[i] & 15, 16);
    }
}

/* Bytes of the UTF-8 character that begins with `lead`; 0: no character begins so. The first half of the byte
 * tells: 0xxx, 10xx (the middle of one), 110x, 1110, 1111. */
static size_t utf8_length(uint8_t lead)
{
    static const uint8_t of_half[] = {1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 2, 2, 3, 4};
    return lead < 0xF8 ? of_half[lead >> 4] : 0;
}

size_t otapult_text_character(const uint8_t *s, size_t len, uint32_t *code)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000}; /* below: longer than need be */
    size_t n = len > 0 ? utf8_length(s[0]) : 0;
    if (n == 0 || n > len)
        return 0;
    uint32_t c = n == 1 ? s[0] : s[0] & (0x7Fu >> n);
    for (size_t i = 1; i < n; i++) {
        if (!is_continuation((char)s[i]))
            return 0;
        c = c << 6 | (s[i] & 0x3Fu);
    }
    *code = c;
    return c < least[n] || c > 0x10FFFF || (c >= 0xD800 && c < 0xE000) ? 0 : n;
}

/* They turn round what stands beside them (Unicode, "bidirectional formatting characters"): a version or a
 * file name of an attacker's would make the words around it, which are ours, read differently. */
static bool is_direction(uint32_t code)
{
    return code == 0x61C || code == 0x200E || code == 0x200F || (code >= 0x202A && code <= 0x202E) ||
           (code >= 0x2066 && code <= 0x2069);
}

size_t otapult_text_printable(const uint8_t *s, size_t len)
{
    uint32_t code = 0;
    size_t n = otapult_text_character(s, len, &code);
    return code < 0x20 || (code >= 0x7F && code < 0xA0) || is_direction(code) ? 0 : n;
}

void otapult_text_clean(char *dst, size_t cap, const uint8_t *src, size_t len)
{
    struct otapult_text t;
    otapult_text_init(&t, dst, cap);
    while (len > 0 && *src != '\0') {
        size_t n = otapult_text_printable(src, len);
        if (n > 0)
            otapult_text_bytes(&t, (const char *)src, n);
        else
            otapult_text_str(&t, "?");
        n += n == 0;
        src += n;
        len -= n;
    }
}

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

bool otapult_text_alike(const char *a, size_t a_len, const char *b, size_t b_len)
{
    size_t i = 0;

    while (a_len == b_len && i < a_len && lower(a[i]) == lower(b[i]))
        i++;
    return a_len == b_len && i == a_len;
}
