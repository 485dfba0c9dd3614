/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OTAPULT_BASE_TEXT_H
#define OTAPULT_BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Text written into a buffer of fixed size. Always terminated; what does not fit is cut and `full` says
 * so. A character of UTF-8 is never cut in half. */
struct otapult_text {
    char  *dst;
    size_t cap; /* at least 1 */
    size_t len; /* without the NUL */
    bool   full;
};

void otapult_text_init(struct otapult_text *t, char *dst, size_t cap);
void otapult_text_str(struct otapult_text *t, const char *s);
void otapult_text_bytes(struct otapult_text *t, const char *s, size_t len);
/* All of dst[cap] at once: `s`, cut where it is too long; NULL is "". */
void otapult_text_set(char *dst, size_t cap, const char *s);

void otapult_text_dec(struct otapult_text *t, uint32_t v);
void otapult_text_hex(struct otapult_text *t, uint32_t v);                   /* 0x1f */
void otapult_text_digest(struct otapult_text *t, const uint8_t *p, size_t n); /* two digits a byte */

/* Length of the character that begins s[len], 1 to 4 bytes, and its number in *code; 0: not UTF-8 (RFC 3629:
 * nothing longer than need be, no surrogates, nothing above U+10FFFF). Reads nothing behind a NUL. */
size_t otapult_text_character(const uint8_t *s, size_t len, uint32_t *code);

/* The same; 0 for a control character too. */
size_t otapult_text_printable(const uint8_t *s, size_t len);

/* Is a[a_len] the same as b[b_len], but for the case of ASCII letters? */
bool otapult_text_alike(const char *a, size_t a_len, const char *b, size_t b_len);

/* Copies untrusted bytes src[len], up to the first NUL, as printable UTF-8: control characters and what
 * is not UTF-8 become '?'. dst[cap] is always terminated. */
void otapult_text_clean(char *dst, size_t cap, const uint8_t *src, size_t len);

#endif
