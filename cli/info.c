/* SPDX-License-Identifier: Apache-2.0 */
#include "report.h"
#include "report_patch.h"

/* `otapult info`: reads a file, has it judged and surveyed, and leaves the printing to report_text.c and
 * report_json.c. */

/* STATUS_OK where the file was recognised. Of a partition table more is asked: does it take updates? */
static int status_of(const struct report *r)
{
    if (r->err == OTAPULT_E_FILE_PARTITION_TABLE)
        return r->survey->table != NULL && table_lacks(r->survey) == NULL ? STATUS_OK : STATUS_NO;
    return r->err == OTAPULT_E_FILE_UNKNOWN ? STATUS_NO : STATUS_OK;
}

static int info(const struct options *options)
{
    static struct otapult_judge judge;
    static struct survey found;
    struct input in;
    if (!input_read(options->file, &in))
        return STATUS_NO;
    int err = input_unpack(&in, &judge.why);
    if (err == 0 && patch_recognise(in.data, in.size)) {
        int told = report_patch(&in);
        input_free(&in);
        return told;
    }
    if (err == 0)
        err = input_judge(&in, options, &judge);
    survey(&found, err, in.data, in.size);
    struct report report = {&in, options, &found, err, &judge.why};
    int printed = options->json ? report_json(&report) : report_text(&report);
    int status = printed != STATUS_OK ? printed : status_of(&report);
    input_free(&in);
    return status;
}

static int run(const struct options *options)
{
    return options_each(options, info);
}

const struct verb verb_info = {
    .name = "info",
    .gist = "what is in a file",
    .operands = "FILE…",
    .summary = "shows what a file is and what is in it",
    .about =
        "Shows what each FILE ('-': standard input) is and what is in it, also when it is broken: chip, "
        "version, build, segments, checksum and hash of app images; bootloader, partition table, OTA data "
        "and app of a merged image; and whether a robot takes it. Of a patch: the build it is for, the one it "
        "makes, and its size beside that one's.",
    .exits =
        "0 it could tell, and a partition table takes updates; 1 it could not, a table takes none, or a FILE cannot "
        "be read; 2 wrong usage.",
    .examples = "otapult info build/*.bin",
    .least = 1,
    .most = OPERANDS_ANY,
    .completes = {COMPLETES_FILE, COMPLETES_FILE},
    .group = GROUP_FILES,
    .options = (const struct verb_option[]){{OPTION_CHIP, NULL},
                                            {OPTION_CHIP_REVISION, NULL},
                                            {OPTION_EFUSE_REVISION, NULL},
                                            {OPTION_SLOT_SIZE, NULL},
                                            {OPTION_JSON, NULL},
                                            {OPTION_NONE, NULL}},
    .run = run,
};
