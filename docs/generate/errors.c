/* SPDX-License-Identifier: Apache-2.0
 *
 * Prints the table of docs/errors.md from include/otapult/errors.def. */
#include <stdio.h>

static const struct row {
    const char *code, *caption;
    int status;
    const char *detail_en, *detail_ru, *hint_en, *hint_ru;
} rows[] = {
#define OTAPULT_ERROR(symbol, code, caption, status, detail_en, detail_ru, hint_en, hint_ru) \
    {code, caption, status, detail_en, detail_ru, hint_en, hint_ru},
#include "otapult/errors.def"
#undef OTAPULT_ERROR
};

/* A cell of a Markdown table. */
static void print_cell(const char *text)
{
    printf(" ");
    for (; *text != '\0'; text++) {
        if (*text == '|' || *text == '<' || *text == '*' || *text == '\\')
            putchar('\\');
        putchar(*text);
    }
    printf(" |");
}

static void print_row(const struct row *row)
{
    printf("| `%s` | %d |", row->code, row->status);
    print_cell(row->caption);
    print_cell(row->detail_en);
    print_cell(row->detail_ru);
    print_cell(row->hint_en);
    print_cell(row->hint_ru);
    putchar('\n');
}

int main(void)
{
    puts("| `code` | HTTP | `error` | `detail` | `detail`, Russian | `hint` | `hint`, Russian |");
    puts("|---|---|---|---|---|---|---|");
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        print_row(&rows[i]);
    return 0;
}
