/* SPDX-License-Identifier: Apache-2.0 */
#include "builds.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fault.h"

/* Builds are found by what is in them, never by their names: the build id in the image decides. So a folder
 * may hold anything, and a file that was renamed is still found. */

void build_free(struct build *b)
{
    input_free(&b->in);
    *b = (struct build){.id = ""};
}

/* Reads a build, and only one that a robot would take: with any other a patch is refused at its end. */
int build_read(const char *path, struct build *b)
{
    static struct otapult_judge judge;
    const struct options any = {OPTIONS_DEFAULT};
    struct fault f;

    *b = (struct build){.id = ""};
    if (!input_read(path, &b->in))
        return STATUS_NO;
    int err = input_unpack(&b->in, &judge.why);
    if (err == 0)
        err = input_judge_any(&b->in, &any, &judge);
    if (err != 0) {
        fault_of_error(&f, err, &judge.why);
        int status = fault_say(&f, "file", b->in.name);
        build_free(b);
        return status;
    }
    b->info = judge.inspect.info;
    otapult_build_id(&b->info.desc, b->id);
    return STATUS_OK;
}

/* ---- a folder of builds ---- */

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static bool is_bin(const char *name)
{
    size_t n = strlen(name);
    return n > 4 && strcmp(name + n - 4, ".bin") == 0;
}

void builds_folder_free(struct builds_folder *f)
{
    while (f->count > 0)
        free(f->name[--f->count]);
}

int builds_folder_read(const char *path, struct builds_folder *f)
{
    DIR *dir = opendir(path);
    const struct dirent *entry;

    f->count = 0;
    if (dir == NULL)
        return trouble_say(TROUBLE_FILE_UNREADABLE, "file", path, strerror(errno));
    while ((entry = readdir(dir)) != NULL && f->count < BUILDS_MAX) {
        char *name = NULL;
        if (is_bin(entry->d_name) && asprintf(&name, "%s/%s", path, entry->d_name) > 0)
            f->name[f->count++] = name;
    }
    closedir(dir);
    qsort(f->name, f->count, sizeof f->name[0], by_name);
    return STATUS_OK;
}

/* Finds the build in the folder by its id. Files that are no app images are passed over in silence. */
bool builds_find(const struct builds_folder *folder, const char *id, struct build *from)
{
    static struct otapult_judge judge;
    const struct options any = {OPTIONS_DEFAULT};

    for (size_t i = 0; i < folder->count; i++) {
        *from = (struct build){.id = ""};
        if (!input_read(folder->name[i], &from->in))
            continue;
        if (input_unpack(&from->in, &judge.why) == 0 && input_judge_any(&from->in, &any, &judge) == 0) {
            from->info = judge.inspect.info;
            otapult_build_id(&from->info.desc, from->id);
            if (strcmp(from->id, id) == 0)
                return true;
        }
        build_free(from);
    }
    return false;
}
