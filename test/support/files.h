/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TEST_FILES_H
#define TEST_FILES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Real firmware files, which are no part of the project: tests hand over FIRMWARE_DIR, and test the same
 * things on generated images where the folder is not there. */

bool files_present(const char *dir);

/* A whole file, malloc'ed. Ends the program when it cannot be read. */
uint8_t *files_read(const char *dir, const char *name, size_t *len);

#endif
