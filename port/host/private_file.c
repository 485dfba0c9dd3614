/* SPDX-License-Identifier: Apache-2.0 */
#include "private_file.h"

#include <errno.h>
#include <sys/stat.h>

#include "regular_file.h"

/* The mode is that of the file which is open, not of the name: between a look at the name and opening it the
 * file could have been exchanged. */
FILE *private_file_open(const char *path, bool *shared)
{
    struct stat s;
    FILE *f = regular_file_open(path);

    *shared = false;
    if (f == NULL)
        return NULL;
    if (fstat(fileno(f), &s) == 0 && (s.st_mode & (S_IRWXG | S_IRWXO)) == 0)
        return f;
    *shared = true;
    fclose(f);
    errno = EACCES;
    return NULL;
}
