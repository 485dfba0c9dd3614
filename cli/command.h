/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_COMMAND_H
#define CLI_COMMAND_H

#include <stddef.h>

/* `otapult VERB …`: one table of verbs and one of options. Parser, help, manual pages, docs/cli.md and the
 * completion of shells are all made from them: a verb is a file with a struct verb, and a line in verbs.c;
 * an option is a row of options.def.
 *
 * What a verb finds goes to standard output; what goes wrong, and progress, to standard error. */

/* How otapult ends; the words stand in command.c. With several robots the largest of their numbers counts.
 * These numbers never change. */
enum {
    STATUS_OK = 0,
    STATUS_NO = 1,
    STATUS_USAGE = 2,
    STATUS_UNREACHABLE = 3,
    STATUS_STRANGER = 4,
    STATUS_UNPROVED = 5,
    STATUS_INTERRUPTED = 130,
};

struct status_row {
    int status;
    const char *words;
};
extern const struct status_row status_table[];
extern const size_t status_rows;

struct options;

enum option_id {
#define OPTION(id, name, letter, value, completes, set, words) OPTION_##id,
#include "options.def"
    OPTION_NONE
};

/* An option of a verb. `words`: what it means there; NULL: as options.def says. */
struct verb_option {
    enum option_id id;
    const char *words;
};

enum verb_group { GROUP_ROBOTS, GROUP_FILES, GROUP_KEYS, GROUP_OTHER, GROUPS };

/* What an operand or a value is, for the completion of a shell. */
enum completes {
    COMPLETES_NOTHING,
    COMPLETES_FILE,
    COMPLETES_FOLDER,
    COMPLETES_ROBOT,
    COMPLETES_CHIP,
    COMPLETES_SCHEME,
    COMPLETES_VERB,
    COMPLETES_SHELL,
    COMPLETES_FORMAT,
    COMPLETES_KIND,
};

#define OPERANDS_ANY 0xFFFFu

struct verb {
    const char *name;
    const char *gist;     /* of the overview: at most 26 characters */
    const char *operands; /* "FILE ROBOT…" */
    const char *summary;  /* one line without a full stop */
    const char *about;    /* paragraphs between empty lines; lines that begin with a space stay as they are */
    const char *exits;    /* what its exit statuses mean, where the table of all says less; or NULL */
    const char *examples; /* a command a line; or NULL */
    unsigned least, most; /* how many operands; OPERANDS_ANY: no end */
    enum completes completes[2];        /* the first operand, and all others */
    enum verb_group group;
    const struct verb_option *options;  /* up to OPTION_NONE; those of all verbs are not in it */
    int (*run)(const struct options *options);
};

/* The verb of that name in a list that ends with NULL; NULL: there is none. */
const struct verb *verb_find(const struct verb *const *verbs, const char *name);

/* The options of a verb one after another: its own, then those of all verbs. NULL: no more. */
const struct verb_option *verb_option_at(const struct verb *verb, unsigned index);

extern const struct verb verb_info, verb_check, verb_extract, verb_patch, verb_release;
extern const struct verb verb_keygen, verb_key_digest, verb_sign, verb_verify;
extern const struct verb verb_discover, verb_status, verb_watch, verb_log, verb_confirm, verb_rollback;
extern const struct verb verb_reboot, verb_cancel, verb_login, verb_push, verb_activate, verb_offer;
extern const struct verb verb_help, verb_completion;

#endif
