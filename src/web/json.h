/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OTAPULT_WEB_JSON_H
#define OTAPULT_WEB_JSON_H

#include "base/text.h"

/* JSON (RFC 8259). Commas and quotes are the writer's; strings are escaped so that they are safe inside
 * HTML too ('<', '>', '&' and U+2028/9 as \u escapes), and what is not UTF-8 becomes '?'. Nesting at most
 * 8. A NULL key: inside an array.
 *
 * Two ways to write. Into a buffer: when the text does not fit, out.full is set, and the caller must look
 * and throw the text away. As a stream: the buffer is handed on whenever it is full, so the text may be
 * of any length and nothing can fail; the caller ends it with otapult_json_flush(). */
struct otapult_json {
    struct otapult_text out;
    uint8_t             depth;
    bool                comma; /* an element was written where the next one goes */
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
void otapult_json_num(struct otapult_json *j, const char *key, uint32_t value);
void otapult_json_int(struct otapult_json *j, const char *key, int32_t value);
void otapult_json_number(struct otapult_json *j, const char *key, const char *text); /* "-0.25": as it is */
void otapult_json_bool(struct otapult_json *j, const char *key, bool value);
void otapult_json_null(struct otapult_json *j, const char *key);
void otapult_json_hex(struct otapult_json *j, const char *key, const uint8_t *p, size_t n);

#endif
