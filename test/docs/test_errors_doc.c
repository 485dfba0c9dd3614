/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/language.h"
#include "document.h"
#include "otapult/error.h"

static char *table, *russian;

static int print_table(void **state)
{
    (void)state;
    table = document_printed_by(GENERATE_DIR "/generate_errors");
    russian = document_printed_by(GENERATE_DIR "/generate_errors ru");
    return 0;
}

static int forget_table(void **state)
{
    (void)state;
    free(table);
    free(russian);
    return 0;
}

static void the_document_has_the_generated_table(void **state)
{
    (void)state;
    document_has(OTAPULT_SOURCE_DIR "/docs/errors.md", "docs/generate/errors.c", table);
    document_has(OTAPULT_SOURCE_DIR "/docs/ru/errors.md", "docs/generate/errors.c ru", russian);
}

/* Moves behind `text`, which must stand in *at's line. */
static void expect(const char **at, const char *text)
{
    const char *found = strstr(*at, text), *end = strchr(*at, '\n');

    assert_non_null(end);
    if (found == NULL || found > end)
        fail_msg("'%s' is not in '%.*s'", text, (int)(end - *at), *at);
    *at = found + strlen(text);
}

static void has_every_row_in_order(const char *at, const struct otapult_language *language)
{
    at = strchr(strchr(at, '\n') + 1, '\n') + 1; /* behind its head */
    for (int err = 1; err < OTAPULT_ERROR_COUNT; err++) {
        const struct otapult_error_row *row = otapult_error_row(err);
        char start[64];

        snprintf(start, sizeof start, "| `%s` | %u | ", row->code, (unsigned)row->status);
        assert_memory_equal(at, start, strlen(start));
        expect(&at, row->caption);
        expect(&at, otapult_texts(err, language).detail);
        expect(&at, otapult_texts(err, language).hint);
        expect(&at, " |");
        assert_int_equal(*at++, '\n');
    }
    assert_string_equal(at, "");
}

static void the_tables_have_every_row_in_order(void **state)
{
    (void)state;
    has_every_row_in_order(table, NULL);
    has_every_row_in_order(russian, &otapult_russian);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_document_has_the_generated_table),
        cmocka_unit_test(the_tables_have_every_row_in_order),
    };
    return cmocka_run_group_tests(tests, print_table, forget_table);
}
