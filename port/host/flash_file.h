/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OTAPULT_HOST_FLASH_FILE_H
#define OTAPULT_HOST_FLASH_FILE_H

#include "new_file.h"
#include "nor_flash.h"

/* The file that a virtual board's flash chip is kept in. It is a regular file, open in one program at a time, and
 * there only when it is whole: a new one is made beside its place (new_file.h). */

struct flash_file {
    bool fresh; /* the chip is new and erased; its file is in place after flash_file_keep() only */
    bool replaces;
    int  old;   /* what a new one takes the place of, open and locked; -1: nothing */
    struct new_file made;
};

enum flash_file_how {
    FLASH_FILE_RESET = 1,   /* a new chip in the place of the old one */
    FLASH_FILE_PRIVATE = 2, /* for nobody but its owner: mode 0600, also where it had another */
};

/* Opens the chip of `size` bytes kept in `path`; a new one where nothing is there, where the file is empty, or
 * with RESET. 0, or an errno, and then nothing has changed:
 *   ENOTSUP      no regular file
 *   EWOULDBLOCK  another program has it open
 *   EINVAL       it has another size; with RESET also: no partition table stands where a chip has it. Such a
 *                file is never thrown away. */
OTAPULT_MUST_CHECK int flash_file_open(struct flash_file *f, struct nor_flash *nor, const char *path, size_t size, unsigned how);

/* A fresh chip holds what it is to hold: its file goes in place. EEXIST: another program has made one there
 * meanwhile. On an error nothing has changed in place; `nor` is to be closed in either case. */
OTAPULT_MUST_CHECK int flash_file_keep(struct flash_file *f);

/* A fresh chip is not wanted. */
void flash_file_drop(struct flash_file *f);

#endif
