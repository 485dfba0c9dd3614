/* SPDX-License-Identifier: Apache-2.0 */
#include "options.h"

#include <ctype.h>
#include <errno.h>
#include <getopt.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config.h"
#include "key.h"
#include "otapult/image.h"
#include "regular_file.h"
#include "say.h"
#include "trust/trust.h"

/* getopt_long reads the command line, by tables that are made of the verb's own options (options.def): an
 * option of another verb is refused, and said to be one. Each option checks its value when it is set, so a
 * verb never sees one that makes no sense. What two options mean together the verb itself checks, in its
 * wrong_usage(). */

#define CHIP_IDS 0x100u

/* A switch that takes no value. */
#define SWITCH(name, member)                               \
    static bool name(struct options *o, const char *value) \
    {                                                      \
        (void)value;                                       \
        return o->member = true;                           \
    }
SWITCH(set_accept_unproved, accept_unproved)
SWITCH(set_append, append)
SWITCH(set_discover, discover)
SWITCH(set_downgrade, downgrade)
SWITCH(set_first_use, first_use)
SWITCH(set_force, force)
SWITCH(set_help, help)
SWITCH(set_in_place, in_place)
SWITCH(set_install, install)
SWITCH(set_json, json)
SWITCH(set_later, later)
SWITCH(set_quiet, quiet)
SWITCH(set_skip, skip)
SWITCH(set_stage, stage)
SWITCH(set_urgent, urgent)
SWITCH(set_verbose, verbose)

static const char *skip_dashes(const char *s)
{
    return s + strspn(s, "-_");
}

/* People write esp32s3, ESP32-S3 or esp32_s3. */
static bool same_chip(const char *a, const char *b)
{
    a = skip_dashes(a);
    b = skip_dashes(b);
    while (*a != '\0' && tolower((unsigned char)*a) == tolower((unsigned char)*b)) {
        a = skip_dashes(a + 1);
        b = skip_dashes(b + 1);
    }
    return *a == '\0' && *b == '\0';
}

static bool is_known_chip(uint32_t id)
{
    return strcmp(otapult_chip_name(id), otapult_chip_name(0xFFFF)) != 0;
}

const char *chip_at(unsigned index)
{
    for (uint32_t id = 0; id < CHIP_IDS; id++) {
        if (is_known_chip(id) && index-- == 0)
            return otapult_chip_name(id);
    }
    return NULL;
}

static const char *chip_word(const void *list, unsigned index)
{
    (void)list;
    return chip_at(index);
}

bool chip_by_name(const char *name, uint16_t *id)
{
    for (uint32_t i = 0; i < CHIP_IDS; i++) {
        if (is_known_chip(i) && same_chip(name, otapult_chip_name(i))) {
            *id = (uint16_t)i;
            return true;
        }
    }
    return false;
}

static bool set_chip(struct options *o, const char *value)
{
    if (chip_by_name(value, &o->chip_id))
        return true;
    fprintf(stderr, "otapult: unknown chip; known are");
    for (unsigned i = 0; chip_at(i) != NULL; i++)
        fprintf(stderr, " %s", chip_at(i));
    fputc('\n', stderr);
    say_nearest("", value, chip_word, NULL);
    return false;
}

static uint32_t unit_of(const char *suffix)
{
    if (*suffix == '\0')
        return 1;
    if (suffix[1] != '\0')
        return 0;
    return *suffix == 'K' ? 1024u : *suffix == 'M' ? 1024u * 1024u : 0;
}

static bool set_slot_size(struct options *o, const char *value)
{
    char *end = NULL;
    errno = 0;
    unsigned long long n = isdigit((unsigned char)*value) ? strtoull(value, &end, 0) : 0;
    uint32_t unit = n > 0 ? unit_of(end) : 0;
    if (errno != 0 || unit == 0 || n > 0x80000000u / unit) {
        complain("a slot size is a number of bytes such as 0x640000, 6553600, 6400K or 4M");
        return false;
    }
    o->slot_size = (uint32_t)n * unit;
    return true;
}

/* "0.2", as esptool and the error texts write it. */
static bool set_revision(int *revision, const char *value)
{
    unsigned major, minor;
    char rest;

    if (!isdigit((unsigned char)*value) || sscanf(value, "%2u.%2u%c", &major, &minor, &rest) != 2) {
        complain("a revision is two numbers with a dot between, such as 0.2");
        return false;
    }
    *revision = (int)(major * 100 + minor);
    return true;
}

static bool set_chip_revision(struct options *o, const char *value)
{
    return set_revision(&o->chip_revision, value);
}

static bool set_efuse_revision(struct options *o, const char *value)
{
    return set_revision(&o->efuse_revision, value);
}

static bool set_scheme(struct options *o, const char *value)
{
    for (unsigned s = 0; s < OTAPULT_SCHEMES; s++) {
        if (strcmp(value, key_scheme_word((enum otapult_signature_scheme)s)) == 0) {
            o->scheme = (enum otapult_signature_scheme)s;
            return true;
        }
    }
    complain("schemes are rsa3072, ecdsa256 and ecdsa384");
    return false;
}

/* One digest or several with commas between; the option may be given again. */
static bool set_key_digest(struct options *o, const char *value)
{
    if (otapult_read_digests(value, o->key_digest, OPTIONS_KEYS, &o->key_count))
        return true;
    complain("a key digest is 64 hex digits, as otapult key-digest prints them; at most three, with commas "
             "between");
    return false;
}

/* Asks the core whether the text is a version: if it is one, it can be compared with itself. */
static bool take_version(const char *option, const char *value, const char **out)
{
    struct otapult_version version = {.version = ""};

    snprintf(version.version, sizeof version.version, "%s", value);
    *out = value;
    if (strlen(value) < sizeof version.version &&
        otapult_compare_versions(&version, &version) == OTAPULT_SAME_AGE)
        return true;
    complain("%s wants a version such as 1.4.2 or v2.0.0-rc1", option);
    return false;
}

static bool set_running(struct options *o, const char *value)
{
    return take_version("--running", value, &o->running);
}

static bool set_minimum(struct options *o, const char *value)
{
    return take_version("--minimum", value, &o->minimum);
}

static bool number(const char *value, unsigned long least, unsigned long most, unsigned long *out)
{
    char *end;

    *out = strtoul(value, &end, 10);
    return isdigit((unsigned char)value[0]) && *end == '\0' && *out >= least && *out <= most;
}

/* A number of one of the counting options. */
static bool set_number(const char *option, const char *value, unsigned most, unsigned *out)
{
    unsigned long n;

    if (!number(value, 1, most, &n)) {
        complain("--%s wants a number from 1 to %u", option, most);
        return false;
    }
    *out = (unsigned)n;
    return true;
}

static bool set_jobs(struct options *o, const char *value)
{
    return set_number("jobs", value, 500, &o->jobs);
}

static bool set_canary(struct options *o, const char *value)
{
    return set_number("canary", value, 500, &o->canary);
}

static bool set_max_failures(struct options *o, const char *value)
{
    return set_number("max-failures", value, 500, &o->max_failures);
}

static bool set_wait(struct options *o, const char *value)
{
    return set_number("wait", value, 3600, &o->wait_s);
}

static bool set_patches(struct options *o, const char *value)
{
    return set_number("patches", value, 50, &o->patches);
}

static bool set_percentage(struct options *o, const char *value)
{
    return set_number("percentage", value, 100, &o->percentage);
}

static bool set_valid_days(struct options *o, const char *value)
{
    return set_number("valid-days", value, 3650, &o->valid_days);
}

static bool set_timeout(struct options *o, const char *value)
{
    unsigned long n;

    if (!number(value, 1, 600, &n)) {
        complain("--timeout wants a number of seconds from 1 to 600");
        return false;
    }
    o->timeout_s = (long)n;
    return true;
}

/* Reads the first line of a file and closes the file. NULL: there is no line, or it is empty. */
static const char *first_line(FILE *f)
{
    static char line[TOKEN_MAX];

    if (fgets(line, sizeof line, f) == NULL)
        line[0] = '\0';
    if (f != stdin)
        fclose(f);
    line[strcspn(line, "\r\n")] = '\0';
    return line[0] != '\0' ? line : NULL;
}

static FILE *open_token(const char *path)
{
    FILE *f = strcmp(path, "-") == 0 ? stdin : regular_file_open(path);

    if (f == NULL)
        complain("--token: %s: %s", say_clean(path), regular_file_words(errno));
    return f;
}

/* A token in the command line is wiped out of it at once: other users of this computer may list it. */
static bool set_token(struct options *o, const char *value)
{
    static char token[TOKEN_MAX];

    if (value[0] == '@' || strcmp(value, "-") == 0) {
        FILE *f = open_token(value[0] == '@' ? value + 1 : value);
        if (f == NULL)
            return false;
        o->token = first_line(f);
    } else if (value[0] != '\0' && strlen(value) < sizeof token) {
        snprintf(token, sizeof token, "%s", value);
        memset((char *)(uintptr_t)value, '*', strlen(value));
        o->token = token;
    }
    if (o->token != NULL)
        return true;
    complain("--token wants an API token, @FILE or -");
    return false;
}

static bool set_format(struct options *o, const char *value)
{
    static const char *const names[] = {
        [FORMAT_TEXT] = "text", [FORMAT_MAN] = "man", [FORMAT_MARKDOWN] = "markdown"};

    for (unsigned f = FORMAT_TEXT; f <= FORMAT_MARKDOWN; f++) {
        if (strcmp(value, names[f]) == 0) {
            o->format = (enum help_format)f;
            return true;
        }
    }
    complain("formats are text, man and markdown");
    return false;
}

/* ---- the table ---- */

#define KEEP(member) NULL, offsetof(struct options, member)
#define OPTION(id, name, letter, value, what, set, words) \
    [OPTION_##id] = {name, letter, value, words, .completes = COMPLETES_##what, set},

const struct option_row option_table[OPTION_NONE] = {
#include "options.def"
};

static const struct verb_option common[] = {
    {OPTION_QUIET, NULL}, {OPTION_VERBOSE, NULL}, {OPTION_HELP, NULL}};

const struct verb_option *verb_option_at(const struct verb *verb, unsigned index)
{
    unsigned own = 0;

    while (verb->options != NULL && verb->options[own].id != OPTION_NONE)
        own++;
    if (index < own)
        return &verb->options[index];
    return index - own < sizeof common / sizeof common[0] ? &common[index - own] : NULL;
}

/* ---- the command line ---- */

#define FIRST_LONG 256 /* above every letter, so that getopt_long tells rows from letters */

static void list_options(const struct verb *verb, struct option longs[OPTION_NONE + 1],
                         char shorts[OPTION_NONE * 2 + 2])
{
    const struct verb_option *o;
    char *letter = shorts;

    *letter++ = ':';
    for (unsigned i = 0; (o = verb_option_at(verb, i)) != NULL; i++) {
        const struct option_row *row = &option_table[o->id];
        int takes = row->value != NULL ? required_argument : no_argument;
        longs[i] = (struct option){row->name, takes, NULL, FIRST_LONG + (int)o->id};
        if (row->letter == 0)
            continue;
        *letter++ = row->letter;
        if (row->value != NULL)
            *letter++ = ':';
    }
    *letter = '\0';
}

static const struct option_row *row_of(const struct verb *verb, int letter)
{
    const struct verb_option *o;

    for (unsigned i = 0; (o = verb_option_at(verb, i)) != NULL; i++) {
        if (letter == FIRST_LONG + (int)o->id || (letter != 0 && letter == option_table[o->id].letter))
            return &option_table[o->id];
    }
    return NULL;
}

static const char *option_word(const void *verb, unsigned index)
{
    const struct verb_option *o = verb_option_at(verb, index);
    return o != NULL ? option_table[o->id].name : NULL;
}

static bool belongs_to_another(const char *name)
{
    for (unsigned i = 0; i < OPTION_NONE; i++) {
        if (strcmp(option_table[i].name, name) == 0)
            return true;
    }
    return false;
}

/* getopt_long has said no to `word`: an option that is none here, or one with a value that takes none. */
static void refuse_word(const struct verb *verb, const char *word)
{
    char name[64];

    if (row_of(verb, optopt) != NULL) {
        complain("%s: --%s takes no value", verb->name, row_of(verb, optopt)->name);
        return;
    }
    if (optopt != 0) {
        complain("%s: takes no -%c", verb->name, isprint(optopt) ? optopt : '?');
        return;
    }
    snprintf(name, sizeof name, "%.*s", (int)strcspn(word + 2, "="), word + 2);
    complain("%s: takes no --%s%s", verb->name, say_clean(name),
             belongs_to_another(name) ? ": that is another verb's" : "");
    say_nearest("--", name, option_word, verb);
}

static bool keep(const struct option_row *row, struct options *o, const char *value)
{
    if (row->set != NULL)
        return row->set(o, value);
    memcpy((char *)o + row->text, &value, sizeof value);
    return true;
}

static bool read_words(const struct verb *verb, int argc, char **argv, struct options *out)
{
    struct option longs[OPTION_NONE + 1] = {{0}};
    char shorts[OPTION_NONE * 2 + 2];
    int letter;

    list_options(verb, longs, shorts);
    opterr = 0;
    while ((letter = getopt_long(argc, argv, shorts, longs, NULL)) != -1) {
        const struct option_row *row = row_of(verb, letter == ':' ? optopt : letter);
        if (letter == '?')
            refuse_word(verb, argv[optind - 1]);
        else if (letter == ':')
            complain("%s: --%s wants %s", verb->name, row->name, row->value);
        if (letter == '?' || letter == ':' || !keep(row, out, optarg))
            return false;
    }
    return true;
}

static bool count_operands(const struct verb *verb, size_t count)
{
    if (count >= verb->least && (count <= verb->most || verb->most == OPERANDS_ANY))
        return true;
    if (verb->most == 0)
        complain("%s: wants no operands, got %zu", verb->name, count);
    else if (verb->least == 1 && verb->most == 1)
        complain("%s: wants one %s, got %zu", verb->name, verb->operands, count);
    else
        complain("%s: wants %s, got %zu of them", verb->name, verb->operands, count);
    return false;
}

bool options_say_json(int argc, char **argv)
{
    for (int i = 0; i < argc && strcmp(argv[i], "--") != 0; i++) {
        if (strcmp(argv[i], "--json") == 0)
            return true;
    }
    return false;
}

bool options_parse(const struct verb *verb, int argc, char **argv, struct options *out)
{
    out->verb = verb;
    if (!read_words(verb, argc, argv, out)) {
        out->json = options_say_json(argc, argv);
        return false;
    }
    if (out->help)
        return true;
    out->operand = argv + optind;
    out->operands = (size_t)(argc - optind);
    out->file = out->operands > 0 ? out->operand[0] : NULL;
    return count_operands(verb, out->operands);
}

int options_each(const struct options *options, int (*each)(const struct options *options))
{
    struct options one = *options;
    int worst = STATUS_OK;

    for (size_t i = 0; i < options->operands; i++) {
        one.file = options->operand[i];
        int status = each(&one);
        if (status > worst)
            worst = status;
    }
    return worst;
}
