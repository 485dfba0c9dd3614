/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#define ROW_OF_core(...) __VA_ARGS__
#include "base/russian_part.h"
#include "base/text.h"

/* Reached through the object alone, so that the linker leaves these texts out of firmware that does not name
 * it. */

static const struct otapult_language_part texts = {rows, words};
static const struct otapult_language_part *const core = &texts;

/* Weak, so that naming Russian does not link the parts themselves; see errors.c. */
#if defined(__GNUC__)
#define PART(part) \
    extern const struct otapult_language_part *const otapult_##part##_in_russian __attribute__((weak));
OTAPULT_ERROR_PARTS(PART)
#undef PART
#endif

#define PART(part) &otapult_##part##_in_russian,
static const struct otapult_language_part *const *const parts[OTAPULT_PARTS] = {&core,
                                                                                OTAPULT_ERROR_PARTS(PART)};
#undef PART

static const char *const claims[OTAPULT_CLAIM_COUNT] = {
    [OTAPULT_FREE] = "",
#define OTAPULT_CLAIM(symbol, word, en, ru) [OTAPULT_FOR_##symbol] = (ru),
#include "otapult/errors.def"
#undef OTAPULT_CLAIM
};

/* ---- a detail that was kept in English ---- */

#define VALUES 4 /* of one detail; the tests hold every row against it */

/* What stands in a detail for a placeholder of its template. */
struct value {
    const char *name, *text;
    size_t name_len, len;
};

/* The length of the template's next piece: a placeholder, or the text up to the next one. */
static size_t piece(const char *template)
{
    return template[0] == '{' ? strcspn(template, "}") + 1 : strcspn(template, "{");
}

/* The end of a value is where the template's next piece stands in the text: the last such place, for the
 * value may hold the same bytes. The text's end where no piece follows; NULL: the piece is not there. */
static const char *end_of_value(const char *text, const char *template)
{
    const size_t len = piece(template);
    const char *end = len > 0 ? NULL : text + strlen(text);

    for (const char *at = text; len > 0 && *at != '\0'; at++)
        if (strncmp(at, template, len) == 0)
            end = at;
    return end;
}

/* The number of values in `english`; -1: the template has not made it. */
static int read_values(const char *template, const char *english, struct value values[VALUES])
{
    int n = 0;

    for (size_t len; (len = piece(template)) > 0; template += len) {
        if (template[0] != '{') {
            if (strncmp(template, english, len) != 0)
                return -1;
            english += len;
            continue;
        }
        const char *end = end_of_value(english, template + len);
        if (end == NULL || n == VALUES)
            return -1;
        values[n++] = (struct value){template, english, len, (size_t)(end - english)};
        english = end;
    }
    return *english == '\0' ? n : -1;
}

static void put_piece(struct otapult_text *t, const char *template, size_t len, const struct value *values,
                      int count)
{
    for (int i = 0; template[0] == '{' && i < count; i++)
        if (values[i].name_len == len && strncmp(values[i].name, template, len) == 0) {
            otapult_put_in_language(t, values[i].text, values[i].len, &otapult_russian);
            return;
        }
    otapult_text_bytes(t, template, len);
}

static void retell(int err, const char *english, char *dst, size_t cap)
{
    const struct otapult_error_row *row = otapult_error_row(err);
    struct value values[VALUES];
    struct otapult_text t;
    const int count = read_values(row->detail, english, values);

    otapult_text_init(&t, dst, cap);
    if (count < 0 || strstr(row->detail, "{claim}") != NULL) { /* a sentence with values of its own */
        otapult_text_str(&t, english);
        return;
    }
    const char *template = otapult_texts(err, &otapult_russian).detail;
    for (size_t len; (len = piece(template)) > 0; template += len)
        put_piece(&t, template, len, values, count);
}

const struct otapult_language otapult_russian = {parts, claims, retell};
