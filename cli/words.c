/* SPDX-License-Identifier: Apache-2.0 */
#include "words.h"

#include "say.h"

/* Sizes and errors of the judge, as people read them. */

#define KIB 1024u
#define MIB (1024u * 1024u)

static void group_digits(uint32_t n, char dst[16])
{
    char digits[12];
    int len = snprintf(digits, sizeof digits, "%u", (unsigned)n);
    for (int i = 0; i < len; i++) {
        if (i > 0 && (len - i) % 3 == 0)
            *dst++ = ',';
        *dst++ = digits[i];
    }
    *dst = '\0';
}

void size_text(uint32_t bytes, char dst[SIZE_TEXT])
{
    char exact[16];
    group_digits(bytes, exact);
    if (bytes < KIB)
        snprintf(dst, SIZE_TEXT, "%s bytes", exact);
    else if (bytes < MIB)
        snprintf(dst, SIZE_TEXT, "%s bytes (%.1f KiB)", exact, (double)bytes / KIB);
    else
        snprintf(dst, SIZE_TEXT, "%s bytes (%.2f MiB)", exact, (double)bytes / MIB);
}

static const char *hint(int err)
{
    return otapult_hint(err, say_in_russian() ? &otapult_russian : NULL);
}

void put_error(FILE *to, const char *name, int err, const struct otapult_finding *why)
{
    const struct otapult_error_row *row = otapult_error_row(err);
    char detail[192];
    otapult_detail(err, why, say_in_russian() ? &otapult_russian : NULL, detail, sizeof detail);
    fprintf(to, "%s: %s (%s)\n  found  %s\n  hint   %s\n", name, row->caption, row->code, detail, hint(err));
}

void json_error(struct otapult_json *j, int err, const struct otapult_finding *why)
{
    const struct otapult_error_row *row = otapult_error_row(err);
    char detail[192];
    otapult_detail(err, why, NULL, detail, sizeof detail);
    otapult_json_str(j, "error", row->caption);
    otapult_json_str(j, "code", row->code);
    otapult_json_str(j, "detail", detail);
    otapult_json_str(j, "hint", hint(err));
}
