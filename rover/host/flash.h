/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ROVER_HOST_FLASH_H
#define ROVER_HOST_FLASH_H

#include "nor_flash.h"
#include "options.h"

/* The board's flash chip: the file it is kept in, and what a factory puts into a new one. */

/* Opens the file; makes it, with a partition table and a firmware, where it is not there or --reset asks for
 * a new one. Ends the program, with words, where it cannot be. */
void flash_open(struct nor_flash *nor, const struct options *options);

/* Into `path`, a line a sector: its address, and how often it was erased since flash_open(). */
bool flash_write_wear(const struct nor_flash *nor, const char *path);

#endif
