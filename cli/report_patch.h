/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_REPORT_PATCH_H
#define CLI_REPORT_PATCH_H

#include "input.h"
#include "patch_file.h"

/* A patch in words, for people and for programs. */

/* One that was written: `path`, what is in it, and how long it would be as a whole. A gzip file too. */
int report_patch_made(const char *path, const struct patch_file *patch, size_t whole);

/* One that was read: `otapult info`. */
int report_patch(const struct input *in);

/* One that a robot takes, as far as that can be told without it: `otapult check`. */
int report_patch_fits(const struct input *in, const struct patch_info *info);

#endif
