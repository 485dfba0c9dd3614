/* SPDX-License-Identifier: Apache-2.0 */
#include "files.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

bool files_present(const char *dir)
{
    return access(dir, R_OK | X_OK) == 0;
}

static _Noreturn void give_up(const char *path)
{
    perror(path);
    abort();
}

uint8_t *files_read(const char *dir, const char *name, size_t *len)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", dir, name);
    FILE *f = fopen(path, "rb");
    if (!f || fseek(f, 0, SEEK_END) != 0)
        give_up(path);
    long size = ftell(f);
    uint8_t *bytes = size >= 0 ? malloc((size_t)size + 1) : NULL;
    rewind(f);
    if (!bytes || fread(bytes, 1, (size_t)size, f) != (size_t)size)
        give_up(path);
    fclose(f);
    *len = (size_t)size;
    return bytes;
}
