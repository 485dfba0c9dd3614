/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_OPTIONS_H
#define CLI_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "command.h"
#include "trust/signature.h"

#define OPTIONS_KEYS 3

/* The options of every verb, and the file it works on. Texts are NULL where they are not given. */
struct options {
    const char *file; /* "-": standard input; or the address of a device */
    uint32_t    slot_size;
    uint16_t    chip_id;
    bool        json;
    bool        help;
    bool        first_use; /* a device that is not known yet is noted */
    const char *running;   /* version of the robot's firmware */
    /* signatures */
    const char *key, *public_key; /* PEM files */
    uint8_t     key_digest[OPTIONS_KEYS][32];
    size_t      key_count;
    const char *sign_command;
    const char *out;
    enum otapult_signature_scheme scheme;
    bool        append, in_place;
};

#define OPTIONS_DEFAULT .slot_size = 0x640000, .chip_id = 0x0009, .scheme = OTAPULT_RSA_3072

/* Reads argv[1 …] of a verb. false: the command line is wrong, and standard error says why. */
bool options_parse(const struct verb *verb, int argc, char **argv, struct options *out);

#endif
