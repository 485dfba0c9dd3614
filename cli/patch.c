/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "ask.h"
#include "builds.h"
#include "named.h"
#include "output.h"
#include "patch_file.h"
#include "regular_file.h"
#include "report_patch.h"
#include "say.h"

/* `otapult patch`: chooses which builds a patch is between, and writes what patch_file.c makes. */

/* ---- one patch ---- */

static int write_patch(const struct build *from, const struct build *to, const char *path,
                       const struct patch_file *patch, bool is_gzip)
{
    int err = output_save(path, patch->data, patch->size);

    if (err != 0)
        return trouble_say(TROUBLE_FILE_UNWRITABLE, "file", path, regular_file_words(err));
    if (is_gzip)
        remark(
            "%s and %s have too little in common: %s is the whole firmware as a gzip file, which is smaller "
            "than a patch and fits every build",
            from->in.name, to->in.name, path);
    return output_is_standard(path) ? STATUS_OK : report_patch_made(path, patch, to->in.size);
}

static int make(const struct build *from, const struct build *to, const char *path)
{
    struct patch_file patch;
    bool is_gzip;

    if (from->info.chip_id != to->info.chip_id) {
        complain("%s is for %s, %s for %s", from->in.name, otapult_chip_name(from->info.chip_id), to->in.name,
                 otapult_chip_name(to->info.chip_id));
        return STATUS_NO;
    }
    if (!patch_make(from->in.data, from->in.size, to->in.data, to->in.size, &patch, &is_gzip)) {
        complain("%s: no patch can be made of it: out of memory, or a fault of otapult", to->in.name);
        return STATUS_NO;
    }
    int status = write_patch(from, to, path, &patch, is_gzip);
    free(patch.data);
    return status;
}

static int between_files(const struct options *o, const struct build *to)
{
    struct build from;
    int status = build_read(o->operand[0], &from);

    if (status == STATUS_OK)
        status = make(&from, to, o->out);
    build_free(&from);
    return status;
}

/* ---- a folder of builds ---- */

static bool is_same(const struct build *a, const struct build *b)
{
    return a->in.size == b->in.size && memcmp(a->info.sha256, b->info.sha256, 32) == 0;
}

/* Makes the patch from one build. A file that is no app image is reported, and the others still get their
 * patch. */
static int patch_from(const struct options *o, const char *path, const struct build *to)
{
    struct build from;
    char *out = NULL;
    int status = build_read(path, &from);

    if (status == STATUS_OK && !is_same(&from, to)) {
        size_t n = strlen(from.in.name) - 4;
        status = asprintf(&out, "%s/%.*s.patch", o->out, (int)n, from.in.name) > 0 ? make(&from, to, out)
                                                                                   : STATUS_NO;
    }
    free(out);
    build_free(&from);
    return status;
}

static int from_folder(const struct options *o, const struct build *to)
{
    struct builds_folder folder;
    int worst = builds_folder_read(o->operand[0], &folder);

    if (worst == STATUS_OK && mkdir(o->out, 0777) != 0 && errno != EEXIST)
        worst = trouble_say(TROUBLE_FILE_UNWRITABLE, "file", o->out, strerror(errno));
    if (worst == STATUS_OK && folder.count == 0) {
        complain("%s: holds no .bin file", o->operand[0]);
        worst = STATUS_NO;
    }
    for (size_t i = 0; i < folder.count; i++) {
        int status = patch_from(o, folder.name[i], to);
        worst = status > worst ? status : worst;
    }
    builds_folder_free(&folder);
    return worst;
}

/* ---- for one robot ---- */

static struct device_image robot_runs; /* fleet_ask()'s callback has no context of its own */

static int remember(struct robot *r, const struct options *options)
{
    (void)options;
    if (r->fault.status != 0)
        return fault_say(&r->fault, "robot", r->name);
    robot_runs = r->device.image;
    return STATUS_OK;
}

static int ask(const struct options *o)
{
    char *robot[] = {(char *)(uintptr_t)o->for_robot};
    struct fleet fleet;
    int status = fleet_open(&fleet, o, robot, 1);

    if (status != 0)
        return status;
    status = fleet.count == 1 ? fleet_ask(&fleet, remember, o) : STATUS_USAGE;
    if (fleet.count != 1)
        complain("--for wants one robot");
    fleet_free(&fleet);
    return status;
}

static int for_robot(const struct options *o, const struct build *to)
{
    struct builds_folder folder;
    struct build from;
    int status = ask(o);

    if (status != STATUS_OK)
        return status;
    status = builds_folder_read(o->operand[0], &folder);
    if (status == STATUS_OK && !builds_find(&folder, robot_runs.build, &from)) {
        complain("%s runs %s (%s), which is not in %s", o->for_robot, robot_runs.version, robot_runs.build,
                 o->operand[0]);
        status = STATUS_NO;
    } else if (status == STATUS_OK) {
        status = make(&from, to, o->out);
        build_free(&from);
    }
    builds_folder_free(&folder);
    return status;
}

/* ---- the verb ---- */

static bool is_folder(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

static const char *wrong_usage(const struct options *o)
{
    if (o->out == NULL)
        return "wants --out";
    if (output_is_standard(o->out) && is_folder(o->operand[0]) && o->for_robot == NULL)
        return "several patches want a folder, not standard output";
    if (o->for_robot != NULL && !is_folder(o->operand[0]))
        return "--for chooses from a folder of builds";
    if (input_is_same_file(o->operand[1], o->out) ||
        (!is_folder(o->out) && input_is_same_file(o->operand[0], o->out)))
        return "would write over its input";
    return output_wrong(o->out, o->json);
}

static int run(const struct options *o)
{
    struct build to;
    const char *wrong = wrong_usage(o);

    if (wrong != NULL) {
        complain("patch: %s", wrong);
        return STATUS_USAGE;
    }
    int status = build_read(o->operand[1], &to);
    if (status == STATUS_OK && o->for_robot != NULL)
        status = for_robot(o, &to);
    else if (status == STATUS_OK && is_folder(o->operand[0]))
        status = from_folder(o, &to);
    else if (status == STATUS_OK)
        status = between_files(o, &to);
    build_free(&to);
    return status;
}

const struct verb verb_patch = {
    .name = "patch",
    .gist = "make a small update",
    .operands = "OLD NEW",
    .summary = "makes a patch: what turns one build into the next, a hundredth of its size",
    .about =
        "Writes to --out what turns the app image OLD into the app image NEW. A robot that runs exactly OLD takes "
        "the patch like firmware, from the page, from curl and from otapult push; every other robot refuses it "
        "before anything is erased. Sign NEW first: a patch is made of the files as they are sent.\n"
        "\n"
        "OLD may be a folder of earlier builds. Then --out is a folder too, and gets one patch for each .bin file "
        "in OLD, named after it; with --for it is one file, the patch for the build that the robot runs.\n"
        "\n"
        "Every patch is applied by the robot's own decoder and compared before it is written. Where OLD and NEW "
        "have too little in common, what is written is NEW as a gzip file, and otapult says so.",
    .examples = "otapult patch 1.4.1.bin 1.4.2.bin --out 1.4.2.patch\n"
                "otapult patch releases 1.4.2.bin --for rover.local --out 1.4.2.patch\n"
                "otapult info 1.4.2.patch",
    .least = 2,
    .most = 2,
    .completes = {COMPLETES_FILE, COMPLETES_FILE},
    .group = GROUP_FILES,
    .options =
        (const struct verb_option[]){
            {OPTION_OUT, "where the patch goes, or a folder for several; - is standard output"},
            {OPTION_FOR, NULL},
            {OPTION_INVENTORY, NULL},
            {OPTION_TOKEN, NULL},
            {OPTION_FIRST_USE, NULL},
            {OPTION_TIMEOUT, NULL},
            {OPTION_JSON, NULL},
            {OPTION_NONE, NULL}},
    .run = run,
};
