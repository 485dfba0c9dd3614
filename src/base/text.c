/* SPDX-License-Identifier: Apache-2.0 */
#include "base/text.h"

#include <string.h>

void otapult_text_init(struct otapult_text *t, char *dst, size_t cap)
{
    *t = (struct otapult_text){.dst = dst, .cap = cap};
    dst[0] = '\0';
}

/* Bytes of the UTF-8 character that begins with `lead`; 0: no character begins so. */
static size_t utf8_length(uint8_t lead)
{
    if (lead < 0x80)
        return 1;
    if (lead >= 0xC2 && lead < 0xE0)
        return 2;
    if (lead >= 0xE0 && lead < 0xF0)
        return 3;
    return lead >= 0xF0 && lead < 0xF5 ? 4 : 0;
}

static bool is_continuation(uint8_t byte)
{
    return (byte & 0xC0) == 0x80;
}

/* Takes back the beginning of a character whose end did not fit. */
static void trim_half_character(struct otapult_text *t)
{
    size_t at = t->len;
    while (at > 0 && t->len - at < 3 && is_continuation((uint8_t)t->dst[at - 1]))
        at--;
    if (at > 0 && utf8_length((uint8_t)t->dst[at - 1]) > t->len - at + 1)
        t->len = at - 1;
}

void otapult_text_bytes(struct otapult_text *t, const char *s, size_t len)
{
    size_t room = t->cap - 1 - t->len;
    if (t->full)
        return; /* what comes after a cut would pretend to follow what was cut */
    size_t n = len < room ? len : room;
    memcpy(t->dst + t->len, s, n);
    t->len += n;
    if (n < len) {
        t->full = true;
        trim_half_character(t);
    }
    t->dst[t->len] = '\0';
}

void otapult_text_str(struct otapult_text *t, const char *s)
{
    otapult_text_bytes(t, s, strlen(s));
}

static void put_number(struct otapult_text *t, uint32_t v, uint32_t base)
{
    char digits[10];
    size_t at = sizeof digits;
    do {
        digits[--at] = "0123456789abcdef"[v % base];
        v /= base;
    } while (v != 0);
    otapult_text_bytes(t, digits + at, sizeof digits - at);
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
        char pair[2] = {"0123456789abcdef"[p[i] >> 4], "0123456789abcdef"[p[i] & 15]};
        otapult_text_bytes(t, pair, sizeof pair);
    }
}

size_t otapult_text_printable(const uint8_t *s, size_t len)
{
    size_t n = len > 0 ? utf8_length(s[0]) : 0;
    if (n == 0 || n > len || s[0] < 0x20 || s[0] == 0x7F)
        return 0;
    for (size_t i = 1; i < n; i++)
        if (!is_continuation(s[i]))
            return 0;
    if (s[0] == 0xC2 && s[1] < 0xA0) /* U+0080 to U+009F: control */
        return 0;
    if ((s[0] == 0xE0 && s[1] < 0xA0) || (s[0] == 0xF0 && s[1] < 0x90)) /* longer than need be */
        return 0;
    if ((s[0] == 0xED && s[1] >= 0xA0) || (s[0] == 0xF4 && s[1] >= 0x90)) /* surrogate, above U+10FFFF */
        return 0;
    return n;
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
