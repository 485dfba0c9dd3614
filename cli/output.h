/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_OUTPUT_H
#define CLI_OUTPUT_H

#include <stdbool.h>
#include <stddef.h>

/* What a verb makes: a file, or "-", standard output, where nothing else goes then. */

bool output_is_standard(const char *path);

/* What is wrong with standard output as the place for it; NULL: nothing, or the path is a file's. */
const char *output_wrong(const char *path, bool json);

/* 0, or an errno of new_file.h. */
int output_save(const char *path, const void *data, size_t size);

#endif
