/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_BUILDS_H
#define CLI_BUILDS_H

#include "input.h"
#include "otapult/image.h"

/* Builds of firmware, kept as files: what a robot may run, and patches are made from. */

#define BUILDS_MAX 1000

/* An image a robot may run, or shall. */
struct build {
    struct input in;
    struct otapult_image_info info;
    char id[OTAPULT_BUILD_ID_CHARS + 1];
};

/* Reads a file that a robot would take. 0; a status where it would not or the file cannot be read, and it was said why. */
int build_read(const char *path, struct build *b);
void build_free(struct build *b);

/* The .bin files of a folder, by name. */
struct builds_folder {
    char *name[BUILDS_MAX];
    size_t count;
};

/* 0, or a status: it was said why, and there is nothing to free. */
int builds_folder_read(const char *path, struct builds_folder *f);
void builds_folder_free(struct builds_folder *f);

/* Finds a build by its id. Files that are no app images are passed over in silence. */
bool builds_find(const struct builds_folder *folder, const char *id, struct build *from);

#endif
