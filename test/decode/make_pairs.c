/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>

#include "code_maker.h"
#include "patch_encoder.h"

/* For patch.test.mjs:
 *   make_pairs FOLDER N         N pairs of images and their patches, as 0.old, 0.new, 0.patch and so on
 *   make_pairs OLD NEW PATCH    one patch of two files, whether a robot takes them or not */

static bool save_as(const char *path, const uint8_t *data, size_t size)
{
    FILE *f = fopen(path, "wb");
    bool ok = f != NULL && fwrite(data, 1, size, f) == size;
    return f != NULL && fclose(f) == 0 && ok;
}

static bool save(const char *folder, unsigned i, const char *what, const uint8_t *data, size_t size)
{
    char path[4096];

    snprintf(path, sizeof path, "%s/%u.%s", folder, i, what);
    return save_as(path, data, size);
}

static bool make_pair(const char *folder, unsigned i)
{
    static uint8_t old[CODE_MAX], new[CODE_MAX];
    static struct code code;
    struct patch_file patch;

    code_begin_firmware(&code, (enum code_family)(i % 3), 8 + i * 4 % 150, i + 1);
    size_t old_size = code_link(&code, old);
    for (unsigned edits = i % 13; edits > 0; edits--)
        code_edit(&code);
    size_t new_size = code_link(&code, new);
    if (!patch_encode(old, old_size, new, new_size, &patch))
        return false;
    bool ok = save(folder, i, "old", old, old_size) && save(folder, i, "new", new, new_size) &&
              save(folder, i, "patch", patch.data, patch.size);
    free(patch.data);
    return ok;
}

static uint8_t *load(const char *path, size_t *size)
{
    static const size_t room = 4u << 20;
    FILE *f = fopen(path, "rb");
    uint8_t *data = f != NULL ? malloc(room) : NULL;

    *size = data != NULL ? fread(data, 1, room, f) : 0;
    if (f != NULL)
        fclose(f);
    return data;
}

static bool patch_files(const char *old_path, const char *new_path, const char *path)
{
    size_t old_size, new_size;
    uint8_t *old = load(old_path, &old_size), *new = load(new_path, &new_size);
    struct patch_file patch = {.data = NULL};
    bool ok = old != NULL && new != NULL &&patch_encode(old, old_size, new, new_size, &patch) &&
              save_as(path, patch.data, patch.size);

    free(old);
    free(new);
    free(patch.data);
    return ok;
}

int main(int argc, char **argv)
{
    if (argc == 4)
        return patch_files(argv[1], argv[2], argv[3]) ? 0 : 1;
    for (unsigned i = 0; argc == 3 && i < (unsigned)strtoul(argv[2], NULL, 10); i++)
        if (!make_pair(argv[1], i))
            return 1;
    return argc == 3 ? 0 : 2;
}
