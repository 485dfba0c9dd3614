/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <psa/crypto.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "say.h"
#include "usage.h"
#include "verbs.h"

/* Finds the verb, reads its options, runs it, and sees to it that a failed write to standard output is an
 * error and that a call with --json that fails has left an object. Everything else is in the verbs. */

static int run_verb(const struct verb *verb, int argc, char **argv)
{
    struct options options = {OPTIONS_DEFAULT, .verbs = verbs};

    if (!options_parse(verb, argc, argv, &options)) {
        usage_line(stderr, verb);
        say_begin(options.json, options.quiet, options.verbose);
        say_json_outcome(STATUS_USAGE);
        return STATUS_USAGE;
    }
    if (options.help) {
        usage_text(verb);
        return STATUS_OK;
    }
    say_begin(options.json, options.quiet, options.verbose);
    int status = verb->run(&options);
    say_json_outcome(status);
    return status;
}

/* `otapult --help` is `otapult help`, and what is no verb is told by it. */
static int dispatch(int argc, char **argv)
{
    const struct verb *verb = verb_find(verbs, argv[1]);
    struct options options = {.file = argv[1], .verbs = verbs};

    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) {
        usage_overview(stdout, verbs);
        return STATUS_OK;
    }
    if (strcmp(argv[1], "--version") == 0) {
        printf("otapult %s\n", OTAPULT_VERSION);
        return STATUS_OK;
    }
    if (verb != NULL)
        return run_verb(verb, argc - 1, argv + 1);
    say_begin(options_say_json(argc, argv), false, false);
    int status = verb_help.run(&options);
    say_json_outcome(status);
    return status;
}

/* Where the caller has closed a standard descriptor, the next file or connection that is opened would get its
 * number, and whatever the command prints would go into that. */
static void hold_standard_descriptors(void)
{
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
        if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY) < 0)
            _exit(STATUS_NO);
    }
}

int main(int argc, char **argv)
{
    hold_standard_descriptors();
    if (argc < 2) {
        usage_overview(stderr, verbs);
        return STATUS_USAGE;
    }
    if (psa_crypto_init() != PSA_SUCCESS) {
        complain("the crypto library does not start");
        return STATUS_NO;
    }
    int status = dispatch(argc, argv);
    if (fflush(stdout) != 0 || ferror(stdout)) {
        complain("cannot write to standard output");
        return status > STATUS_NO ? status : STATUS_NO;
    }
    return status;
}
