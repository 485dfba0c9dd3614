/* SPDX-License-Identifier: Apache-2.0 */
#include "document.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TEXT_MAX 262144u

static char *read_text(FILE *f)
{
    char *text = calloc(1, TEXT_MAX);

    assert_non_null(f);
    assert_non_null(text);
    assert_in_range(fread(text, 1, TEXT_MAX, f), 1, TEXT_MAX - 1);
    return text;
}

char *document_printed_by(const char *program)
{
    FILE *f = popen(program, "r");
    char *text = read_text(f);

    assert_int_equal(pclose(f), 0);
    return text;
}

void document_has(const char *path, const char *source, const char *table)
{
    char begin[128];
    FILE *f = fopen(path, "r");
    char *document = read_text(f);

    fclose(f);
    snprintf(begin, sizeof begin, "<!-- begin: %s -->\n\n", source);
    char *from = strstr(document, begin), *to = from == NULL ? NULL : strstr(from, "\n<!-- end -->\n");
    const bool found = to != NULL;
    if (found)
        *to = '\0';
    const bool same = found && strcmp(from + strlen(begin), table) == 0;
    free(document);
    if (!found)
        fail_msg("%s has no table between '<!-- begin: %s -->' and '<!-- end -->'", path, source);
    if (!same)
        fail_msg("%s is stale; this writes it anew: make docs", path);
}
