/* SPDX-License-Identifier: Apache-2.0 */
#include "web/header.h"

#include <string.h>

#include "base/text.h"

/* Values are taken apart where they stand, and nothing is copied before a caller asks for it: a request has
 * no memory but its exchange. What the grammar does not allow is BROKEN and never repaired, because another
 * program on the way may repair it differently. */

bool otapult_same_word(const char *a, size_t len, const char *b)
{
    return otapult_text_alike(a, len, b, strlen(b));
}

bool otapult_value_is(const char *value, const char *word)
{
    value += strspn(value, " \t");
    return otapult_same_word(value, strcspn(value, "; \t"), word);
}

const char *otapult_params(const char *value)
{
    return value + strcspn(value, ";");
}

static bool take_quoted(const char **at, struct otapult_param *out)
{
    const char *p = *at + 1;

    out->quoted = true;
    out->value = p;
    while (*p != '\0' && *p != '"') {
        if (*p == '\\' && p[1] != '\0')
            p++;
        p++;
    }
    if (*p != '"')
        return false;
    out->value_len = (size_t)(p - out->value);
    *at = p + 1;
    return true;
}

static bool take_token(const char **at, struct otapult_param *out)
{
    out->quoted = false;
    out->value = *at;
    out->value_len = strcspn(*at, "; \t\"");
    *at += out->value_len;
    return out->value_len > 0;
}

enum otapult_param_end otapult_next_param(const char **at, struct otapult_param *out)
{
    const char *p = *at + strspn(*at, " \t");

    if (*p == '\0')
        return OTAPULT_PARAM_NONE;
    if (*p != ';')
        return OTAPULT_PARAM_BROKEN;
    p += strspn(p, "; \t"); /* RFC 9110 allows empty parameters */
    if (*p == '\0')
        return OTAPULT_PARAM_NONE;

    out->name = p;
    out->name_len = strcspn(p, "=; \t\"");
    p += out->name_len;
    if (*p != '=' || out->name_len == 0)
        return OTAPULT_PARAM_BROKEN;
    p++;
    bool whole = *p == '"' ? take_quoted(&p, out) : take_token(&p, out);
    *at = p;
    return whole ? OTAPULT_PARAM : OTAPULT_PARAM_BROKEN;
}

bool otapult_param_copy(const struct otapult_param *p, char *dst, size_t cap)
{
    size_t n = 0;

    for (size_t i = 0; i < p->value_len; i++) {
        if (p->quoted && p->value[i] == '\\' && i + 1 < p->value_len)
            i++;
        if (n + 1 >= cap) {
            dst[0] = '\0';
            return false;
        }
        dst[n++] = p->value[i];
    }
    dst[n] = '\0';
    return true;
}
