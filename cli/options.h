/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_OPTIONS_H
#define CLI_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "command.h"
#include "trust/signature.h"

#define OPTIONS_KEYS 3

enum help_format { FORMAT_TEXT, FORMAT_MAN, FORMAT_MARKDOWN };

/* The options of every verb, and what it works on. Texts are NULL where they are not given. */
struct options {
    const struct verb *verb;
    const struct verb *const *verbs; /* all there are, in the order of the overview; the last is NULL */
    char *const *operand; /* as in argv */
    size_t       operands;
    const char  *file;    /* the operand in hand, where a verb takes one after another; "-": standard input */
    bool         help, json, quiet, verbose, force;
    enum help_format format;
    /* of a robot */
    uint32_t    slot_size;
    uint16_t    chip_id;
    int         chip_revision, efuse_revision; /* major * 100 + minor; -1: not said */
    const char *running;   /* version of its firmware */
    bool        first_use; /* one that is not known yet is noted */
    const char *inventory, *token;
    const char *for_robot;
    bool        discover;
    long        timeout_s;
    /* of a roll-out */
    unsigned    jobs, canary, max_failures, wait_s;
    bool        stage, accept_unproved;
    const char *resume, *junit, *as, *builds;
    const char *device, *slot;
    /* signatures */
    const char *key, *public_key; /* PEM files */
    uint8_t     key_digest[OPTIONS_KEYS][32];
    size_t      key_count;
    const char *sign_command;
    const char *out;
    enum otapult_signature_scheme scheme;
    bool        append, in_place;
    /* of a release */
    const char *channel, *merged, *minimum, *notes, *notes_ru;
    unsigned    patches, percentage, valid_days; /* 0: not said */
    bool        urgent, downgrade;
    /* of an offer */
    bool        install, later, skip;
};

#define CONNECT_S 5 /* --timeout; three times as long for a short answer */
#define OPTIONS_DEFAULT .jobs = 10, .wait_s = 90, .timeout_s = CONNECT_S, .slot_size = 0x640000, .chip_id = 0x0009, .chip_revision = -1, .efuse_revision = -1, .scheme = OTAPULT_RSA_3072

struct option_row {
    const char *name;
    char        letter; /* 0: there is no short form */
    const char *value;  /* what its value is called; NULL: it takes none */
    const char *words;
    enum completes completes;
    bool (*set)(struct options *o, const char *value); /* NULL: the value itself is kept */
    size_t      text;                                  /* where */
};

extern const struct option_row option_table[OPTION_NONE];

/* Reads argv[1 …] of a verb. false: the command line is wrong, and standard error says why. */
bool options_parse(const struct verb *verb, int argc, char **argv, struct options *out);

/* Does the command line ask for JSON? Asked where it is wrong, and was perhaps not read as far as --json. */
bool options_say_json(int argc, char **argv);

/* Runs `each` for every operand in turn, as options->file: the largest status. */
int options_each(const struct options *options, int (*each)(const struct options *options));

/* Names of the chips there are, one after another; NULL: no more. */
const char *chip_at(unsigned index);
bool chip_by_name(const char *name, uint16_t *id);

#endif
