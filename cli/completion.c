/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "inventory.h"
#include "key.h"
#include "kinds.h"
#include "known_devices.h"
#include "say.h"
#include "usage.h"

/* Completion for three shells, written from the two tables. What a ROBOT may be the scripts ask for anew each
 * time, with `otapult completion robots`. */

static const struct verb *const *verbs; /* that scripts are written for */

/* ---- words of each kind ---- */

static void put_chips(void)
{
    for (unsigned i = 0; chip_at(i) != NULL; i++)
        printf("%s%s", i > 0 ? " " : "", chip_at(i));
}

static void put_schemes(void)
{
    for (unsigned i = 0; i < OTAPULT_SCHEMES; i++)
        printf("%s%s", i > 0 ? " " : "", key_scheme_word((enum otapult_signature_scheme)i));
}

static void put_kinds(void)
{
    for (unsigned k = 0; k < KINDS; k++)
        printf("%s%s", k > 0 ? " " : "", kind_table[k].word);
}

static void put_verbs(void)
{
    for (unsigned i = 0; verbs[i] != NULL; i++)
        printf("%s%s", i > 0 ? " " : "", verbs[i]->name);
}

/* The words of a kind, with spaces between; nothing for files and robots, which are not known here. */
static void put_words(enum completes kind)
{
    switch (kind) {
    case COMPLETES_CHIP: put_chips(); break;
    case COMPLETES_SCHEME: put_schemes(); break;
    case COMPLETES_VERB: put_verbs(); break;
    case COMPLETES_SHELL: fputs("bash zsh fish robots", stdout); break;
    case COMPLETES_KIND: put_kinds(); break;
    case COMPLETES_FORMAT: fputs("text man markdown", stdout); break;
    case COMPLETES_NOTHING:
    case COMPLETES_FILE:
    case COMPLETES_FOLDER:
    case COMPLETES_ROBOT: break;
    }
}

/* ---- bash ---- */

static void bash_reply(enum completes kind)
{
    switch (kind) {
    case COMPLETES_NOTHING: fputs(":", stdout); return;
    case COMPLETES_FILE: fputs("compopt -o default; COMPREPLY=()", stdout); return;
    case COMPLETES_FOLDER: fputs("compopt -o dirnames; COMPREPLY=()", stdout); return;
    case COMPLETES_ROBOT:
        fputs("COMPREPLY=($(compgen -W \"$(otapult completion robots 2>/dev/null)\" -- \"$cur\"))", stdout);
        return;
    default: break;
    }
    fputs("COMPREPLY=($(compgen -W \"", stdout);
    put_words(kind);
    fputs("\" -- \"$cur\"))", stdout);
}

static void bash_verb(const struct verb *verb)
{
    const struct verb_option *o;

    printf("    %s)\n        case $prev in\n", verb->name);
    for (unsigned i = 0; (o = verb_option_at(verb, i)) != NULL; i++) {
        const struct option_row *row = &option_table[o->id];
        if (row->value == NULL)
            continue;
        printf("        --%s", row->name);
        if (row->letter != 0)
            printf("|-%c", row->letter);
        fputs(") ", stdout);
        bash_reply(row->completes);
        puts("; return ;;");
    }
    fputs("        esac\n        options=\"", stdout);
    for (unsigned i = 0; (o = verb_option_at(verb, i)) != NULL; i++)
        printf("%s--%s", i > 0 ? " " : "", option_table[o->id].name);
    fputs("\"\n        first() { ", stdout);
    bash_reply(verb->completes[0]);
    fputs("; }\n        other() { ", stdout);
    bash_reply(verb->completes[1]);
    puts("; }\n        ;;");
}

/* An operand is the first one where nothing before it is one: options with a value are rare enough before it
 * that every word without a dash counts. */
static void bash_script(void)
{
    fputs("# bash completion for otapult; made by `otapult completion bash`\n"
          "_otapult()\n{\n"
          "    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} options= word n=0\n"
          "    COMPREPLY=()\n"
          "    if [ \"$COMP_CWORD\" -eq 1 ]; then\n"
          "        COMPREPLY=($(compgen -W \"",
          stdout);
    put_verbs();
    fputs(" --help --version\" -- \"$cur\"))\n        return\n    fi\n    case ${COMP_WORDS[1]} in\n",
          stdout);
    for (unsigned i = 0; verbs[i] != NULL; i++)
        bash_verb(verbs[i]);
    fputs("    *) return ;;\n    esac\n"
          "    case $cur in\n"
          "    -*) COMPREPLY=($(compgen -W \"$options\" -- \"$cur\")); return ;;\n"
          "    esac\n"
          "    for word in \"${COMP_WORDS[@]:2:COMP_CWORD-2}\"; do\n"
          "        case $word in -*) ;; *) n=$((n + 1)) ;; esac\n"
          "    done\n"
          "    if [ \"$n\" -eq 0 ]; then first; else other; fi\n"
          "    unset -f first other\n"
          "}\n"
          "complete -F _otapult otapult\n",
          stdout);
}

/* ---- zsh ---- */

/* Inside an option's [explanation] of _arguments, in single quotes. */
static void zsh_words(const char *text)
{
    for (; *text != '\0'; text++) {
        if (*text == '\'')
            fputs("'\\''", stdout);
        else if (*text == '[' || *text == ']' || *text == ':')
            printf("\\%c", *text);
        else
            putchar(*text);
    }
}

static void zsh_action(enum completes kind)
{
    switch (kind) {
    case COMPLETES_NOTHING: return;
    case COMPLETES_FILE: fputs("_files", stdout); return;
    case COMPLETES_FOLDER: fputs("_files -/", stdout); return;
    case COMPLETES_ROBOT: fputs("($(otapult completion robots 2>/dev/null))", stdout); return;
    default: break;
    }
    putchar('(');
    put_words(kind);
    putchar(')');
}

static void zsh_option(const struct verb_option *o)
{
    const struct option_row *row = &option_table[o->id];

    printf(" \\\n            '--%s%s[", row->name, row->value != NULL ? "=" : "");
    zsh_words(option_words(o));
    putchar(']');
    if (row->value != NULL) {
        putchar(':');
        zsh_words(row->value);
        putchar(':');
        zsh_action(row->completes);
    }
    putchar('\'');
}

static void zsh_verb(const struct verb *verb)
{
    const struct verb_option *o;

    printf("        %s) _arguments", verb->name);
    for (unsigned i = 0; (o = verb_option_at(verb, i)) != NULL; i++)
        zsh_option(o);
    if (verb->most > 0) {
        fputs(" \\\n            '1:operand:", stdout);
        zsh_action(verb->completes[0]);
        putchar('\'');
    }
    if (verb->most > 1) {
        fputs(" \\\n            '*:operand:", stdout);
        zsh_action(verb->completes[1]);
        putchar('\'');
    }
    puts(" ;;");
}

static void zsh_script(void)
{
    fputs("#compdef otapult\n# zsh completion for otapult; made by `otapult completion zsh`\n"
          "_otapult() {\n    local -a verbs\n    verbs=(\n",
          stdout);
    for (unsigned i = 0; verbs[i] != NULL; i++) {
        printf("        '%s:", verbs[i]->name);
        zsh_words(verbs[i]->summary);
        puts("'");
    }
    fputs("    )\n    if (( CURRENT == 2 )); then\n        _describe verb verbs\n        return\n    fi\n"
          "    local verb=$words[2]\n    words=(\"${(@)words[2,-1]}\")\n    (( CURRENT-- ))\n"
          "    case $verb in\n",
          stdout);
    for (unsigned i = 0; verbs[i] != NULL; i++)
        zsh_verb(verbs[i]);
    fputs(
        "    esac\n}\nif [ \"$funcstack[1]\" = _otapult ]; then _otapult \"$@\"; else compdef _otapult otapult; fi\n",
        stdout);
}

/* ---- fish ---- */

static void fish_words(const char *text)
{
    putchar('\'');
    for (; *text != '\0'; text++) {
        if (*text == '\'' || *text == '\\')
            putchar('\\');
        putchar(*text);
    }
    putchar('\'');
}

/* What is completed by files needs no list; everything else must say that it is no file. */
static void fish_action(enum completes kind, bool exclusive)
{
    switch (kind) {
    case COMPLETES_FILE: fputs(exclusive ? " -r -F" : " -F", stdout); return;
    case COMPLETES_FOLDER: fputs(" -x -a '(__fish_complete_directories)'", stdout); return;
    case COMPLETES_ROBOT: fputs(" -x -a '(otapult completion robots 2>/dev/null)'", stdout); return;
    case COMPLETES_NOTHING: fputs(exclusive ? " -x" : " -f", stdout); return;
    default: break;
    }
    fputs(" -x -a '", stdout);
    put_words(kind);
    putchar('\'');
}

static void fish_verb(const struct verb *verb)
{
    const struct verb_option *o;

    for (unsigned i = 0; (o = verb_option_at(verb, i)) != NULL; i++) {
        const struct option_row *row = &option_table[o->id];
        printf("complete -c otapult -n '__fish_seen_subcommand_from %s' -l %s", verb->name, row->name);
        if (row->letter != 0)
            printf(" -s %c", row->letter);
        if (row->value != NULL)
            fish_action(row->completes, true);
        fputs(" -d ", stdout);
        fish_words(option_words(o));
        putchar('\n');
    }
    for (unsigned i = 0; i < 2 && verb->most > i; i++) {
        if (i == 1 && verb->completes[1] == verb->completes[0])
            break;
        printf("complete -c otapult -n '__fish_seen_subcommand_from %s'", verb->name);
        fish_action(verb->completes[i], false);
        putchar('\n');
    }
}

static void fish_script(void)
{
    puts("# fish completion for otapult; made by `otapult completion fish`\ncomplete -c otapult -f");
    for (unsigned i = 0; verbs[i] != NULL; i++) {
        printf("complete -c otapult -n __fish_use_subcommand -a %s -d ", verbs[i]->name);
        fish_words(verbs[i]->summary);
        putchar('\n');
    }
    for (unsigned i = 0; verbs[i] != NULL; i++)
        fish_verb(verbs[i]);
}

/* ---- robots that are known here ---- */

static void list_robots(void)
{
    inventory_list();
    known_list();
}

/* ---- the verb ---- */

static int run(const struct options *options)
{
    static const struct {
        const char *name;
        void (*print)(void);
    } shells[] = {{"bash", bash_script}, {"zsh", zsh_script}, {"fish", fish_script}, {"robots", list_robots}};

    verbs = options->verbs;
    for (size_t i = 0; i < sizeof shells / sizeof shells[0]; i++) {
        if (strcmp(options->file, shells[i].name) == 0) {
            shells[i].print();
            return STATUS_OK;
        }
    }
    complain("completion: shells are bash, zsh and fish");
    return STATUS_USAGE;
}

const struct verb verb_completion = {
    .name = "completion",
    .gist = "for bash, zsh or fish",
    .operands = "SHELL",
    .summary = "prints the completion script of a shell",
    .about =
        "Prints the completion for bash, zsh or fish. `robots` prints the robots that are known here, as the "
        "scripts ask for them.",
    .examples = "source <(otapult completion bash)",
    .least = 1,
    .most = 1,
    .completes = {COMPLETES_SHELL},
    .group = GROUP_OTHER,
    .options = NULL,
    .run = run,
};
