/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OTAPULT_HOST_NEW_FILE_H
#define OTAPULT_HOST_NEW_FILE_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "otapult/error.h"

/* A file that is there whole or not at all: it is made without a name, in the folder where it is to stand, and
 * gets its name when it is complete. A program that is killed before leaves nothing behind. (On a file system
 * that knows no files without a name it is made as NAME.XXXXXX, which is what then stays.)
 *
 * Symbolic links are followed, so that they stay. Where something is in place already it must be a regular
 * file: a device, a pipe or a folder is never written to and never replaced.
 *
 * Functions return 0 or an errno; ENOTSUP: what is in place is no regular file. */

struct new_file {
    int  fd;               /* reading and writing; the caller may use it until keep or drop */
    char path[PATH_MAX];   /* where it is to stand, links resolved */
    char beside[PATH_MAX]; /* its name meanwhile; "" while it has none */
};

/* The bits of mode that the user's umask leaves of 0666. */
mode_t new_file_usual_mode(void);

/* Begins the file. It gets the mode of the file that is in its place, else `mode`. On an error there is
 * nothing to drop. */
OTAPULT_MUST_CHECK int new_file_begin(struct new_file *f, const char *path, mode_t mode);

/* It is complete: on the disk, then in place. What was there is replaced, or with `replace` false kept: then
 * EEXIST. Closes f->fd. On an error nothing has changed in place, and the file is gone. */
OTAPULT_MUST_CHECK int new_file_keep(struct new_file *f, bool replace);

/* It is not wanted any more. */
void new_file_drop(struct new_file *f);

/* All of data[size], also where write() takes only a part at a time. */
OTAPULT_MUST_CHECK int new_file_write(int fd, const void *data, size_t size);

/* The three in a row: data[size] becomes the content of `path`. */
OTAPULT_MUST_CHECK int new_file_save(const char *path, mode_t mode, const void *data, size_t size);

/* Could the file be made now? For a caller that would work for minutes before it finds out. */
OTAPULT_MUST_CHECK int new_file_try(const char *path);

#endif
