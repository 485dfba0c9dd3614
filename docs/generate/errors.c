/* SPDX-License-Identifier: Apache-2.0
 *
 * Prints the table of docs/errors.md from include/otapult/errors.def; with the word `ru` that of
 * docs/ru/errors.md. */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static const struct row {
    const char *code, *caption;
    int status;
    const char *detail_en, *detail_ru, *hint_en, *hint_ru;
} rows[] = {
#define OTAPULT_ERROR(symbol, part, code, caption, status, detail_en, detail_ru, hint_en, hint_ru) \
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

static void print_row(const struct row *row, bool russian)
{
    printf("| `%s` | %d |", row->code, row->status);
    print_cell(row->caption);
    print_cell(russian ? row->detail_ru : row->detail_en);
    print_cell(russian ? row->hint_ru : row->hint_en);
    putchar('\n');
}

int main(int argc, char **argv)
{
    const bool russian = argc > 1 && strcmp(argv[1], "ru") == 0;

    puts("| `code` | HTTP | `error` | `detail` | `hint` |");
    puts("|---|---|---|---|---|");
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        print_row(&rows[i], russian);
    return 0;
}
