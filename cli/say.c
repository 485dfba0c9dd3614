/* SPDX-License-Identifier: Apache-2.0 */
#include "say.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"
#include "command.h"
#include "near.h"

/* The two streams, and how texts become fit for them. With --json each robot or file leaves an object on
 * standard output, and so does a call that fails before it gets to one: say_json_outcome() sees to that. */

#define CLEAN_MAX   400
#define CLEAN_AGAIN 8

/* One process says one thing to one user: this is its only state. */
static struct {
    bool json, quiet, verbose, russian;
    bool answered;       /* an object is on standard output */
    char complaint[400]; /* the last one */
} how;

/* As gettext does: the first of these that is set and not empty. */
static bool locale_is_russian(void)
{
    static const char *const names[] = {"LC_ALL", "LC_MESSAGES", "LANG"};

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        const char *value = getenv(names[i]);
        if (value != NULL && value[0] != '\0')
            return strncmp(value, "ru", 2) == 0 && (value[2] == '\0' || strchr("_.@", value[2]) != NULL);
    }
    return false;
}

void say_begin(bool json, bool quiet, bool verbose)
{
    how.json = json;
    how.quiet = quiet;
    how.verbose = verbose;
    how.russian = locale_is_russian();
}

bool say_as_json(void)
{
    return how.json;
}

bool say_is_quiet(void)
{
    return how.quiet;
}

bool say_is_verbose(void)
{
    return how.verbose;
}

bool say_in_russian(void)
{
    return how.russian;
}

bool say_in_colour(int fd)
{
    const char *no = getenv("NO_COLOR"), *term = getenv("TERM");

    return isatty(fd) == 1 && (no == NULL || no[0] == '\0') && term != NULL && strcmp(term, "dumb") != 0;
}

void complain(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vsnprintf(how.complaint, sizeof how.complaint, format, args);
    va_end(args);
    fputs("otapult: ", stderr);
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fputc('\n', stderr);
}

void say_answered(void)
{
    how.answered = true;
}

int json_print(const struct otapult_json *j)
{
    if (j->full) {
        complain("the answer does not fit its buffer");
        return STATUS_NO;
    }
    say_answered();
    puts(j->dst);
    return STATUS_OK;
}

void say_json_outcome(int status)
{
    char text[1024];
    struct otapult_json j;

    if (!how.json || how.answered || status == STATUS_OK)
        return;
    otapult_json_init(&j, text, sizeof text);
    otapult_json_open(&j, NULL, '{');
    otapult_json_bool(&j, "success", false);
    otapult_json_str(&j, "code", status == STATUS_USAGE ? "usage" : "failed");
    otapult_json_str(&j, "detail", say_clean(how.complaint));
    otapult_json_close(&j, '}');
    json_print(&j);
}

void remark(const char *format, ...)
{
    va_list args;

    if (how.quiet)
        return;
    fputs("otapult: ", stderr);
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fputc('\n', stderr);
}

void say_nearest(const char *dashes, const char *typed,
                 const char *(*word_at)(const void *list, unsigned index), const void *list)
{
    const char *word = nearest_word(typed, word_at, list);

    if (word != NULL)
        fprintf(stderr, "  did you mean %s%s?\n", dashes, word);
}

const char *say_clean(const char *text)
{
    static char clean[CLEAN_AGAIN][CLEAN_MAX];
    static unsigned turn;
    char *dst = clean[turn++ % CLEAN_AGAIN];

    otapult_text_clean(dst, CLEAN_MAX, (const uint8_t *)text, strlen(text));
    return dst;
}

/* ---- troubles ---- */

static const struct trouble_row rows[TROUBLES] = {
#define TROUBLE(id, code, status, caption, hint_en, hint_ru) \
    [TROUBLE_##id] = {code, status, caption, hint_en, hint_ru},
#include "trouble.def"
};

const struct trouble_row *trouble_row(enum trouble_id id)
{
    return &rows[id];
}

const char *trouble_hint(enum trouble_id id)
{
    return how.russian ? rows[id].hint_ru : rows[id].hint_en;
}
