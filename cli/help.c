/* SPDX-License-Identifier: Apache-2.0 */
#include "manual.h"
#include "say.h"
#include "usage.h"

/* `otapult help`, and the words about a verb that does not exist. */

static const char *verb_word(const void *list, unsigned index)
{
    const struct verb *verb = ((const struct verb *const *)list)[index];

    return verb != NULL ? verb->name : NULL;
}

static int unknown(const struct verb *const *verbs, const char *name)
{
    if (name[0] == '-') {
        complain("%s: options stand behind the verb; see otapult --help", say_clean(name));
        return STATUS_USAGE;
    }
    complain("%s: no such verb; see otapult --help", say_clean(name));
    say_nearest("", name, verb_word, verbs);
    return STATUS_USAGE;
}

static void print_verb(const struct verb *verb, enum help_format format)
{
    switch (format) {
    case FORMAT_MAN: manual_man_verb(verb); break;
    case FORMAT_MARKDOWN: manual_markdown_verb(verb); break;
    case FORMAT_TEXT: usage_text(verb); break;
    }
}

static void print_all(const struct verb *const *verbs, enum help_format format)
{
    switch (format) {
    case FORMAT_MAN: manual_man(verbs); break;
    case FORMAT_MARKDOWN: manual_markdown(verbs); break;
    case FORMAT_TEXT: usage_overview(stdout, verbs); break;
    }
}

static int run_help(const struct options *options)
{
    const struct verb *verb = options->file != NULL ? verb_find(options->verbs, options->file) : NULL;

    if (options->file != NULL && verb == NULL)
        return unknown(options->verbs, options->file);
    if (verb != NULL)
        print_verb(verb, options->format);
    else
        print_all(options->verbs, options->format);
    return STATUS_OK;
}

const struct verb verb_help = {
    .name = "help",
    .gist = "what a verb takes",
    .operands = "[VERB]",
    .summary = "shows what a verb takes",
    .about = "Shows what VERB does and takes, or the list of all verbs.",
    .examples = "otapult help check\notapult help --format man check | man -l -",
    .least = 0,
    .most = 1,
    .completes = {COMPLETES_VERB},
    .group = GROUP_OTHER,
    .options = (const struct verb_option[]){{OPTION_FORMAT, NULL}, {OPTION_NONE, NULL}},
    .run = run_help,
};
