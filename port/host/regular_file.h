/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OTAPULT_HOST_REGULAR_FILE_H
#define OTAPULT_HOST_REGULAR_FILE_H

#include <stdio.h>

/* Opens a file that a user named, for reading, and never waits: a named pipe would wait for a program that writes to it, a
 * device might not end. A pipe of the shell, <(command), is read like a file: its other end is open already.
 * NULL: errno; ENOTSUP: it is no regular file. */
FILE *regular_file_open(const char *path);

/* What such an errno means, also one of new_file.h. */
const char *regular_file_words(int err);

#endif
