/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_OPTIONS_H
#define CLI_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "command.h"

/* The options of every verb, and the file it works on. */
struct options {
    const char *file; /* "-": standard input */
    uint32_t    slot_size;
    uint16_t    chip_id;
    bool        json;
    bool        help;
};

#define OPTIONS_DEFAULT .slot_size = 0x640000, .chip_id = 0x0009

/* Reads argv[1 …] of a verb. false: the command line is wrong, and standard error says why. */
bool options_parse(const struct verb *verb, int argc, char **argv, struct options *out);

#endif
