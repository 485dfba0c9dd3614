/* SPDX-License-Identifier: Apache-2.0 */
#include "report.h"

static int run(const struct options *options)
{
    static struct otapult_judge judge;
    static struct survey found;
    struct input in;
    if (!input_read(options->file, &in))
        return STATUS_NO;
    int err = input_judge(&in, options, &judge);
    survey(&found, err, in.data, in.size);
    struct report report = {&in, options, &found, err, &judge.why};
    int status = options->json ? report_json(&report) : report_text(&report);
    input_free(&in);
    return err == OTAPULT_E_FILE_UNKNOWN ? STATUS_NO : status;
}

const struct verb verb_info = {
    .name = "info",
    .arguments = "FILE [--chip NAME] [--slot-size BYTES] [--json]",
    .summary = "what is this file? shows what is in it",
    .help = "Shows what FILE ('-': standard input) is and what is in it, also when it is broken: chip,\n"
            "version, build, segments, checksum and hash of app images; bootloader, partition table,\n"
            "OTA data and app of a merged image; and whether a robot takes it.\n"
            "\n"
            "  --chip NAME         the robot's chip; ESP32-S3 unless said\n"
            "  --slot-size BYTES   size of its OTA slots, also as 4M or 1280K; 0x640000 unless said\n"
            "  --json              one JSON object on standard output\n"
            "\n"
            "Exit status: 0 it could tell, 1 it could not or FILE cannot be read, 2 wrong usage.\n",
    .accepts = "cjs",
    .run = run,
};
