/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_REPORT_PATCH_H
#define CLI_REPORT_PATCH_H

#include "input.h"
#include "patch_file.h"

/* A patch in words, for people and for programs. */

/* Tells of a patch that was written to `path`, also where it became a gzip file; `whole`: the size of the unpacked file. */
int report_patch_made(const char *path, const struct patch_file *patch, size_t whole);

/* Tells what a patch says of itself, for `otapult info`. */
int report_patch(const struct input *in);

/* Tells of a patch that a robot would take, as far as that is known without the robot, for `otapult check`. */
int report_patch_fits(const struct input *in, const struct patch_info *info);

#endif
