/* SPDX-License-Identifier: Apache-2.0 */
#include "usage.h"

#include <string.h>

/* Help for the terminal, made from the tables of verbs and options, so a new verb needs no help written
 * anywhere else. The overview has two columns, so that it fits 24 lines of 80 columns. */

#define WIDTH         80
#define OPTION_COLUMN 24
#define COLUMN        40 /* of the overview, which has two */

const char *const group_names[GROUPS] = {
    [GROUP_ROBOTS] = "robots",
    [GROUP_FILES] = "firmware files",
    [GROUP_KEYS] = "keys and signatures",
    [GROUP_OTHER] = "this command",
};

void option_spelt(const struct option_row *row, char dst[OPTION_SPELT])
{
    char letter[8] = "";

    if (row->letter != 0)
        snprintf(letter, sizeof letter, "-%c, ", row->letter);
    snprintf(dst, OPTION_SPELT, "%s--%s%s%s", letter, row->name, row->value != NULL ? " " : "",
             row->value != NULL ? row->value : "");
}

const char *option_words(const struct verb_option *option)
{
    return option->words != NULL ? option->words : option_table[option->id].words;
}

/* Columns that text[len] takes: its characters, of which none here is wide. */
static int columns(const char *text, size_t len)
{
    int n = 0;
    for (size_t i = 0; i < len; i++)
        n += ((unsigned char)text[i] & 0xC0u) != 0x80u;
    return n;
}

/* ---- lines that fit ---- */

/* Words text[len] from column `at` on; what does not fit begins again below `indent`. */
static void print_wrapped(FILE *to, const char *text, size_t len, int at, int indent)
{
    const char *end = text + len;

    while (text < end) {
        size_t word = strcspn(text, " \n");
        if (word > (size_t)(end - text))
            word = (size_t)(end - text);
        if (at > indent && at + 1 + columns(text, word) > WIDTH) {
            fprintf(to, "\n%*s", indent, "");
            at = indent;
        } else if (at > indent) {
            fputc(' ', to);
            at++;
        }
        fwrite(text, 1, word, to);
        at += columns(text, word);
        text += word;
        text += text < end;
    }
    fputc('\n', to);
}

/* Paragraphs; lines that begin with a space stay as they are. */
static void print_about(const char *about)
{
    while (*about != '\0') {
        size_t line = strcspn(about, "\n");
        if (about[0] == ' ')
            printf("%.*s\n", (int)line, about);
        else
            print_wrapped(stdout, about, line, 0, 0);
        about += line;
        about += *about == '\n';
    }
}

/* ---- one verb ---- */

void usage_line(FILE *to, const struct verb *verb)
{
    char option[OPTION_SPELT];
    int at = fprintf(to, "usage: otapult %s", verb->name);
    const struct verb_option *o = verb->options;

    if (verb->operands[0] != '\0')
        at += fprintf(to, " %s", verb->operands);
    for (; o != NULL && o->id != OPTION_NONE; o++) {
        option_spelt(&option_table[o->id], option);
        if (at + (int)strlen(option) + 3 > WIDTH) {
            fprintf(to, "\n%*s", 7, "");
            at = 7;
        }
        at += fprintf(to, " [%s]", option);
    }
    fputc('\n', to);
}

static void print_option(const struct verb_option *o)
{
    char option[OPTION_SPELT];
    option_spelt(&option_table[o->id], option);
    int at = printf("  %-*s", OPTION_COLUMN - 3, option);
    const char *words = option_words(o);

    if (at > OPTION_COLUMN - 1) {
        printf("\n%*s", OPTION_COLUMN - 1, "");
    }
    putchar(' ');
    print_wrapped(stdout, words, strlen(words), OPTION_COLUMN, OPTION_COLUMN);
}

void usage_text(const struct verb *verb)
{
    const struct verb_option *o;

    usage_line(stdout, verb);
    printf("\n");
    print_about(verb->about);
    printf("\n");
    for (unsigned i = 0; (o = verb_option_at(verb, i)) != NULL; i++)
        print_option(o);
    if (verb->examples != NULL)
        printf("\nExamples:\n");
    for (const char *e = verb->examples; e != NULL && *e != '\0'; e += strcspn(e, "\n"), e += *e == '\n')
        printf("  %.*s\n", (int)strcspn(e, "\n"), e);
    if (verb->exits != NULL) {
        int at = printf("\nExit status:") - 1;
        print_wrapped(stdout, verb->exits, strlen(verb->exits), at, 0);
    }
}

/* ---- all verbs ---- */

static unsigned verbs_of(const struct verb *const *verbs, enum verb_group group)
{
    unsigned n = 0;
    for (unsigned i = 0; verbs[i] != NULL; i++)
        n += verbs[i]->group == group;
    return n;
}

static const struct verb *verb_of(const struct verb *const *verbs, enum verb_group group, unsigned index)
{
    for (unsigned i = 0; verbs[i] != NULL; i++) {
        if (verbs[i]->group == group && index-- == 0)
            return verbs[i];
    }
    return NULL;
}

/* Two columns, read downwards. */
static void print_group(FILE *to, const struct verb *const *verbs, enum verb_group group)
{
    unsigned n = verbs_of(verbs, group), rows = (n + 1) / 2;

    for (unsigned i = 0; i < rows; i++) {
        const struct verb *left = verb_of(verbs, group, i), *right = verb_of(verbs, group, i + rows);
        if (right != NULL)
            fprintf(to, " %-11s%-*s%-11s%s\n", left->name, COLUMN - 12, left->gist, right->name, right->gist);
        else
            fprintf(to, " %-11s%s\n", left->name, left->gist);
    }
}

void usage_overview(FILE *to, const struct verb *const *verbs)
{
    fprintf(to, "usage: otapult VERB …   (otapult help VERB: what it takes; otapult --version)\n");
    for (unsigned g = 0; g < GROUPS; g++) {
        fprintf(to, "%s:\n", group_names[g]);
        print_group(to, verbs, (enum verb_group)g);
    }
    fprintf(to, "examples:\n"
                " otapult check firmware.bin              would a robot take it?\n"
                " otapult status rover.local              what does it run?\n");
}
