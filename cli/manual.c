/* SPDX-License-Identifier: Apache-2.0 */
#include "manual.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "usage.h"

/* The tables as pages for man, in the macros of man(7), and as sections of docs/cli.md. */

/* ---- man ---- */

/* Characters that troff takes for itself are spelt out; text is UTF-8, as man-db reads it. */
static void man_text(const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (i == 0 && (text[i] == '.' || text[i] == '\''))
            fputs("\\&", stdout);
        if (text[i] == '\\')
            fputs("\\e", stdout);
        else if (text[i] == '-')
            fputs("\\-", stdout);
        else
            putchar(text[i]);
    }
}

static void man_about(const char *about)
{
    while (*about != '\0') {
        size_t line = strcspn(about, "\n");
        bool fixed = about[0] == ' ';
        if (line == 0)
            puts(".PP");
        if (fixed)
            puts(".br");
        man_text(about, line);
        putchar('\n');
        about += line;
        about += *about == '\n';
    }
}

static void man_examples(const char *examples)
{
    puts(".SH EXAMPLES\n.EX");
    man_text(examples, strlen(examples));
    puts("\n.EE");
}

static void man_exits(void)
{
    puts(".SH EXIT STATUS");
    for (size_t i = 0; i < status_rows; i++) {
        printf(".TP\n.B %d\n", status_table[i].status);
        man_text(status_table[i].words, strlen(status_table[i].words));
        putchar('\n');
    }
    puts("With several robots the largest of their numbers counts.");
}

static void man_option(const struct verb_option *o)
{
    char option[OPTION_SPELT];

    option_spelt(&option_table[o->id], option);
    printf(".TP\n.B ");
    man_text(option, strlen(option));
    putchar('\n');
    man_text(option_words(o), strlen(option_words(o)));
    putchar('\n');
}

static void man_title(const char *suffix)
{
    printf(".TH OTAPULT%s 1 \"\" \"otapult %s\" \"Otapult\"\n.SH NAME\n", suffix, OTAPULT_VERSION);
}

void manual_man_verb(const struct verb *verb)
{
    const struct verb_option *o;
    char title[32];

    snprintf(title, sizeof title, "-%s", verb->name);
    for (char *c = title; *c != '\0'; c++)
        *c = (char)toupper((unsigned char)*c);
    man_title(title);
    printf("otapult\\-%s \\- %s\n.SH SYNOPSIS\n.B otapult %s\n", verb->name, verb->summary, verb->name);
    printf("[OPTION…] ");
    man_text(verb->operands, strlen(verb->operands));
    printf("\n.SH DESCRIPTION\n");
    man_about(verb->about);
    puts(".SH OPTIONS");
    for (unsigned i = 0; (o = verb_option_at(verb, i)) != NULL; i++)
        man_option(o);
    if (verb->examples != NULL)
        man_examples(verb->examples);
    if (verb->exits != NULL) {
        puts(".SH EXIT STATUS");
        man_text(verb->exits, strlen(verb->exits));
        putchar('\n');
    }
    puts(".SH SEE ALSO\n.BR otapult (1)");
}

static void man_group(const struct verb *const *verbs, enum verb_group group)
{
    printf(".SH VERBS FOR ");
    for (const char *c = group_names[group]; *c != '\0'; c++)
        putchar(toupper((unsigned char)*c));
    putchar('\n');
    for (unsigned i = 0; verbs[i] != NULL; i++) {
        if (verbs[i]->group != group)
            continue;
        printf(".TP\n.BR otapult\\-%s (1)\n", verbs[i]->name);
        man_text(verbs[i]->summary, strlen(verbs[i]->summary));
        putchar('\n');
    }
}

void manual_man(const struct verb *const *verbs)
{
    man_title("");
    puts("otapult \\- look into, sign and send firmware for ESP32 robots\n.SH SYNOPSIS\n.B otapult\n"
         "VERB [OPTION…] [OPERAND…]");
    for (unsigned g = 0; g < GROUPS; g++)
        man_group(verbs, (enum verb_group)g);
    man_exits();
}

/* ---- Markdown ---- */

static void markdown_about(const char *about)
{
    bool fixed = false;

    while (*about != '\0') {
        size_t line = strcspn(about, "\n");
        size_t indent = strspn(about, " ");
        if ((indent > 0) != fixed)
            puts(fixed ? "```" : about[indent] == '[' ? "```ini" : "```sh");
        fixed = indent > 0;
        printf("%.*s\n", (int)(line - indent), about + indent);
        about += line;
        about += *about == '\n';
    }
    if (fixed)
        puts("```");
}

static void markdown_cell(const char *text)
{
    for (; *text != '\0'; text++) {
        if (*text == '|')
            putchar('\\');
        putchar(*text);
    }
}

static void markdown_options(const struct verb *verb)
{
    char option[OPTION_SPELT];

    if (verb->options == NULL)
        return;
    puts("\n| option | meaning |\n|---|---|");
    for (const struct verb_option *o = verb->options; o->id != OPTION_NONE; o++) {
        option_spelt(&option_table[o->id], option);
        printf("| `");
        markdown_cell(option);
        printf("` | ");
        markdown_cell(option_words(o));
        puts(" |");
    }
}

void manual_markdown_verb(const struct verb *verb)
{
    printf("### otapult %s%s%s\n\n", verb->name, verb->operands[0] != '\0' ? " " : "", verb->operands);
    markdown_about(verb->about);
    markdown_options(verb);
    if (verb->examples != NULL)
        printf("\n```sh\n%s\n```\n", verb->examples);
    if (verb->exits != NULL)
        printf("\nExit status: %s\n", verb->exits);
}

void manual_markdown(const struct verb *const *verbs)
{
    static const struct verb all = {.name = "", .options = NULL};
    const struct verb_option *o;
    char option[OPTION_SPELT];

    for (unsigned g = 0; g < GROUPS; g++) {
        printf("## Verbs for %s\n", group_names[g]);
        for (unsigned i = 0; verbs[i] != NULL; i++) {
            if (verbs[i]->group == g) {
                putchar('\n');
                manual_markdown_verb(verbs[i]);
            }
        }
        putchar('\n');
    }
    puts("## Options of all verbs\n\n| option | meaning |\n|---|---|");
    for (unsigned i = 0; (o = verb_option_at(&all, i)) != NULL; i++) {
        option_spelt(&option_table[o->id], option);
        printf("| `%s` | %s |\n", option, option_words(o));
    }
    puts("\n## Exit status\n\n| status | meaning |\n|---|---|");
    for (size_t i = 0; i < status_rows; i++)
        printf("| %d | %s |\n", status_table[i].status, status_table[i].words);
    puts("\nWith several robots the largest of their numbers counts. These numbers never change.");
}
