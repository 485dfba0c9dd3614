/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OTAPULT_JSON_H
#define OTAPULT_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* JSON (RFC 8259) for answers of any length, and for short requests. No heap.
 *
 * The writer puts commas and quotes. It escapes strings so that they are safe inside HTML too ('<', '>', '&'
 * and U+2028/9 as \u escapes), and what is not UTF-8 becomes '?'. Nesting at most 8: deeper is left out, and
 * `full` is set. A NULL key: inside an array, or the outermost value.
 *
 * Two ways to write. Into a buffer: when the text does not fit, `full` is set, and the caller must look and
 * throw the text away. As a stream: the buffer is handed on whenever it is full, so the text may be of any
 * length; the caller ends it with otapult_json_flush(). otapult_answer_begin() of otapult/http.h gives a
 * stream that is an HTTP answer. */
struct otapult_json {
    char   *dst;
    size_t  cap;   /* at least 1 */
    size_t  len;   /* of the text in dst, which is always terminated */
    bool    full;  /* something did not fit */
    bool    comma; /* an element was written where the next one goes */
    uint8_t depth;
    void (*sink)(void *ctx, const void *data, size_t len); /* NULL: into the buffer only */
    void *ctx;
};

#define OTAPULT_JSON_STREAM_MIN 32u /* least buffer of a stream */

void otapult_json_init(struct otapult_json *j, char *dst, size_t cap);
void otapult_json_stream(struct otapult_json *j, char *buf, size_t cap,
                         void (*sink)(void *ctx, const void *data, size_t len), void *ctx);
void otapult_json_flush(struct otapult_json *j);

void otapult_json_open(struct otapult_json *j, const char *key, char bracket); /* '{' or '[' */
void otapult_json_close(struct otapult_json *j, char bracket);                 /* '}' or ']' */
void otapult_json_str(struct otapult_json *j, const char *key, const char *value); /* NULL: null */
void otapult_json_sentences(struct otapult_json *j, const char *key, const char *first,
                            const char *second); /* in one string, a blank between them; second may be NULL */
void otapult_json_num(struct otapult_json *j, const char *key, uint32_t value);
void otapult_json_int(struct otapult_json *j, const char *key, int32_t value);
void otapult_json_number(struct otapult_json *j, const char *key, const char *text); /* "-0.25": as it is */
void otapult_json_bool(struct otapult_json *j, const char *key, bool value);
void otapult_json_null(struct otapult_json *j, const char *key);
void otapult_json_hex(struct otapult_json *j, const char *key, const uint8_t *p, size_t n);

/* The text as it is, no JSON: what stands around it, as in an event stream. */
void otapult_json_raw(struct otapult_json *j, const char *text);

/* Reads a short request: one JSON object whose members are all strings. Everything else, also where it is
 * valid JSON, is refused; a caller that needs more takes a JSON library. Copies the string of `key` into dst[cap],
 * terminated. false, with dst "": the text is no such object, the key is not there or there twice, or its
 * value holds a NUL or does not fit. */
bool otapult_json_member(const char *text, size_t len, const char *key, char *dst, size_t cap);

#endif
