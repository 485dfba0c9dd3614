/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_COMMAND_H
#define CLI_COMMAND_H

/* `otapult VERB …`: one table of verbs in main.c, one file a verb, one table of options for all.
 *
 * What a verb finds goes to standard output; what went wrong goes to standard error. */

enum {
    STATUS_OK = 0,
    STATUS_NO = 1,    /* the file was refused, or could not be read or told */
    STATUS_USAGE = 2, /* the command line is wrong */
};

struct options;

struct verb {
    const char *name;
    const char *arguments; /* "FILE [--json]" */
    const char *summary;   /* one line without a full stop */
    const char *help;      /* what --help says below the first line; ends with a newline */
    const char *accepts;   /* letters of the options it takes, as in options.c */
    int (*run)(const struct options *options);
};

extern const struct verb verb_info, verb_check, verb_status;
extern const struct verb verb_keygen, verb_key_digest, verb_sign, verb_verify;

#endif
