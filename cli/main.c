/* SPDX-License-Identifier: Apache-2.0 */
#include <psa/crypto.h>
#include <stdio.h>
#include <string.h>

#include "command.h"
#include "options.h"

static const struct verb *const verbs[] = {
    &verb_info, &verb_check, &verb_keygen, &verb_key_digest, &verb_sign, &verb_verify, &verb_status,
};
#define VERBS (sizeof verbs / sizeof verbs[0])

static const struct verb *find_verb(const char *name)
{
    for (size_t i = 0; i < VERBS; i++) {
        if (strcmp(verbs[i]->name, name) == 0)
            return verbs[i];
    }
    fprintf(stderr, "otapult: no such verb; see 'otapult --help'\n");
    return NULL;
}

static int print_usage(FILE *to)
{
    fprintf(to, "usage: otapult VERB …\n\nLooks into firmware files for ESP32 robots and judges them.\n\n");
    for (size_t i = 0; i < VERBS; i++)
        fprintf(to, "  %-10s %s\n", verbs[i]->name, verbs[i]->summary);
    fprintf(to, "  %-10s %s\n", "help", "show what a verb takes: otapult help VERB");
    fprintf(to, "\nOptions: --help, --version\n");
    return to == stdout ? STATUS_OK : STATUS_USAGE;
}

static int print_verb_help(const struct verb *verb)
{
    printf("usage: otapult %s %s\n\n%s\n", verb->name, verb->arguments, verb->help);
    return STATUS_OK;
}

static int print_help(int argc, char **argv)
{
    if (argc < 3)
        return print_usage(stdout);
    const struct verb *verb = find_verb(argv[2]);
    return verb != NULL ? print_verb_help(verb) : STATUS_USAGE;
}

static int print_version(void)
{
    printf("otapult %s\n", OTAPULT_VERSION);
    return STATUS_OK;
}

static int run_verb(int argc, char **argv)
{
    const struct verb *verb = find_verb(argv[1]);
    struct options options = {OPTIONS_DEFAULT};
    if (verb == NULL)
        return STATUS_USAGE;
    if (!options_parse(verb, argc - 1, argv + 1, &options)) {
        fprintf(stderr, "usage: otapult %s %s\n", verb->name, verb->arguments);
        return STATUS_USAGE;
    }
    return options.help ? print_verb_help(verb) : verb->run(&options);
}

int main(int argc, char **argv)
{
    if (argc < 2)
        return print_usage(stderr);
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)
        return print_usage(stdout);
    if (strcmp(argv[1], "help") == 0)
        return print_help(argc, argv);
    if (strcmp(argv[1], "--version") == 0)
        return print_version();
    if (psa_crypto_init() != PSA_SUCCESS) {
        fprintf(stderr, "otapult: the crypto library does not start\n");
        return STATUS_NO;
    }
    int status = run_verb(argc, argv);
    if (fflush(stdout) != 0 || ferror(stdout)) {
        fprintf(stderr, "otapult: cannot write to standard output\n");
        return STATUS_NO;
    }
    return status;
}
