/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_MAKER_H
#define CLI_MAKER_H

#include <stdbool.h>
#include <stdio.h>
#include <sys/types.h>

#include "patch_encoder.h"

/* Something that takes seconds, made in a process of its own: the loop that talks with robots goes on meanwhile, what
 * is made may use whatever memory and static variables it likes, and Ctrl-C ends it. */

struct maker {
    pid_t pid;  /* 0: nothing is under way */
    FILE *file; /* what has been made goes through it; it has no name */
};

enum maker_word { MAKER_BUSY, MAKER_DONE, MAKER_FAILED };

/* Begins. `make` is called in the other process and returns false where nothing came of it. One thing at a time.
 * false: there is no other process. */
bool maker_begin(struct maker *m, bool (*make)(void *ctx, struct patch_file *out), void *ctx);

/* Never waits. DONE: *out is the caller's, to be freed; FAILED: nothing came of it. After both another may begin. */
enum maker_word maker_ask(struct maker *m, struct patch_file *out);

/* Ends what is under way, if anything is. */
void maker_end(struct maker *m);

#endif
