/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ROVER_HOST_OPTIONS_H
#define ROVER_HOST_OPTIONS_H

#include <stdbool.h>

#include "secure.h"
#include "source.h"

/* The command line of the virtual rover. What `rover --help` says of each option holds here. */

struct options {
    const char *flash, *bind;
    const char *name;            /* config.name; NAME.local opens it, too */
    const char *table, *factory; /* of a new flash file; NULL: the built-in ones */
    const char *wear;            /* NULL: not written */
    unsigned port;               /* 0: a free one */
    unsigned stall_s, confirm_s;
    int soak_ms; /* -1: as usual; so the next two */
    int min_rate, upload_s;
    bool same_project;
    int restart_ms;              /* -1: the core's default, and what the simulation is made for */
    int http_port;               /* -1: none; 0: a free one */
    bool reset, fast;
    struct secure_options secure;
    struct source_options source;
};

/* Reads argv[1 …]. Ends the program after --help, with status 0, and where the command line cannot be, with
 * status 2 and one line on standard error: what was given, and what would be right. */
void options_parse(struct options *o, int argc, char **argv);

#endif
