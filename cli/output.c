/* SPDX-License-Identifier: Apache-2.0 */
#include "output.h"

#include <string.h>
#include <unistd.h>

#include "new_file.h"

/* Where a verb's file goes. To a file it goes by new_file.h, so that an interrupted command leaves the old
 * one whole; to standard output as it is, but never to a terminal, which would obey firmware as commands. */

bool output_is_standard(const char *path)
{
    return strcmp(path, "-") == 0;
}

const char *output_wrong(const char *path, bool json)
{
    if (!output_is_standard(path))
        return NULL;
    if (json)
        return "--json and --out - both want standard output";
    return isatty(STDOUT_FILENO) == 1
               ? "will not write firmware to a terminal; send standard output elsewhere"
               : NULL;
}

int output_save(const char *path, const void *data, size_t size)
{
    return output_is_standard(path) ? new_file_write(STDOUT_FILENO, data, size)
                                    : new_file_save(path, new_file_usual_mode(), data, size);
}
