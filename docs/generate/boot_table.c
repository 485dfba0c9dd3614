/* SPDX-License-Identifier: Apache-2.0
 *
 * Prints the table of docs/boot.md from sim/boot_table.def. */
#include <stdio.h>
#include <string.h>

#define COLUMNS 10

static const char *const heads[COLUMNS] = {
    "row",    "OTA data", "slots", "factory app", "both refused", "both initial", "active record's state",
    "chosen", "written",  "why"};

static const char *const rows[][COLUMNS] = {
#define BOOT_ROW(id, ota_data, slots, factory, refused, initial, active, choice, writes, why) \
    {#id, #ota_data, #slots, #factory, #refused, #initial, #active, #choice, #writes, why},
#include "boot_table.def"
#undef BOOT_ROW
};

/* What a word of the table is called in the document; the others are written as they are. */
static const char *const words[][2] = {
    {"ANY", ""},
    {"NO", "no"},
    {"YES", "yes"},
    {"NONE", "none"},
    {"BAD", "bad"},
    {"GOOD", "good"},
    {"OTHER", "any other"},
    {"FACTORY", "factory app"},
    {"INDEX_0", "slot 0"},
    {"ACTIVE", "the record's slot"},
    {"RESET", "nothing"},
    {"NOTHING", ""},
    {"PENDING", "`PENDING_VERIFY` into that record"},
    {"RECORD_0", "the slot that loaded, `VALID`, into record 0"},
};

static const char *word(const char *token)
{
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strcmp(words[i][0], token) == 0)
            return words[i][1];
    return token;
}

static void print_row(const char *const *cells)
{
    printf("| `%s` ", cells[0]);
    for (int i = 1; i < COLUMNS; i++)
        printf("| %s ", i < COLUMNS - 1 ? word(cells[i]) : cells[i]);
    puts("|");
}

int main(void)
{
    for (int i = 0; i < COLUMNS; i++)
        printf("| %s ", heads[i]);
    puts("|");
    for (int i = 0; i < COLUMNS; i++)
        printf("|---");
    puts("|");
    for (size_t n = 0; n < sizeof rows / sizeof *rows; n++)
        print_row(rows[n]);
    return 0;
}
