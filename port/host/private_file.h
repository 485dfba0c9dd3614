/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OTAPULT_HOST_PRIVATE_FILE_H
#define OTAPULT_HOST_PRIVATE_FILE_H

#include <stdbool.h>
#include <stdio.h>

/* Opens a file that holds a secret, for reading. NULL: it cannot be read, and errno says why; or *shared is true:
 * others than its owner may read or write it, so it is not used. */
FILE *private_file_open(const char *path, bool *shared);

#endif
