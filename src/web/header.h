/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OTAPULT_WEB_HEADER_H
#define OTAPULT_WEB_HEADER_H

#include <stdbool.h>
#include <stddef.h>

/* Header values of HTTP and MIME: `word; name=token; name="quoted \" string"` (RFC 9110 section 5.6,
 * RFC 2045 section 5.1). Case counts only where a declaration says so. */

/* `a` of len characters is `b`, without case (ASCII). */
bool otapult_same_word(const char *a, size_t len, const char *b);

/* The word before the first parameter is `word`: "text/plain; charset=utf-8" is "text/plain". */
bool otapult_value_is(const char *value, const char *word);

/* One parameter. Points into the header's value. */
struct otapult_param {
    const char *name, *value;
    size_t      name_len, value_len;
    bool        quoted; /* value: between its quotes, backslashes still in it */
};

enum otapult_param_end { OTAPULT_PARAM, OTAPULT_PARAM_NONE, OTAPULT_PARAM_BROKEN };

/* Where the parameters of a value begin: at its first ';', or at its end. */
const char *otapult_params(const char *value);

/* The next parameter at *at, which moves behind it. */
enum otapult_param_end otapult_next_param(const char **at, struct otapult_param *out);

/* Copies the parameter's value, backslashes resolved, into dst[cap], terminated. false: it does not fit;
 * dst is "" then. */
bool otapult_param_copy(const struct otapult_param *p, char *dst, size_t cap);

#endif
