/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "input.h"
#include "named.h"
#include "patch_file.h"
#include "payload.h"
#include "report_patch.h"
#include "say.h"
#include "web/multipart.h"
#include "words.h"

/* `otapult check`. Without --device the options say what the robot is; with it the robot is asked, and then
 * the same questions are put as before a push (payload.c), so that the two never differ. */

#define JSON_SIZE 4096

/* In the order in which a device asks: its length stands before the first byte, and what the bytes are comes
 * before what they are called. */
static int refusal(struct input *in, const struct options *options, struct otapult_judge *j)
{
    if (in->size > options->slot_size) {
        j->why = (struct otapult_finding){.got = (uint32_t)in->size, .want = options->slot_size};
        return OTAPULT_E_IMAGE_TOO_LARGE;
    }
    int err = input_unpack(in, &j->why);
    if (err == 0)
        err = input_judge(in, options, j);
    return err == 0 && in->named && !otapult_is_firmware_name(in->name) ? OTAPULT_E_FILE_NAME : err;
}

/* Is the image older than what --running says that the robot runs? */
static enum otapult_age age(const struct options *options, const struct otapult_image_info *info)
{
    struct otapult_version image, running = {.version = ""};
    if (options->running == NULL)
        return OTAPULT_AGE_UNKNOWN;
    otapult_version_of(&info->desc, &image);
    otapult_text_set(running.version, sizeof running.version, options->running);
    return otapult_compare_versions(&image, &running);
}

static void warn_older(const struct options *options, const struct otapult_image_info *info)
{
    if (age(options, info) == OTAPULT_OLDER)
        complain("warning: %s is older than what the robot runs", info->desc.version);
}

static void print_ok(const struct input *in, const struct otapult_image_info *info)
{
    char build[OTAPULT_BUILD_ID_CHARS + 1], size[SIZE_TEXT];
    otapult_build_id(&info->desc, build);
    size_text(info->size, size);
    if (otapult_is_unnamed(info->desc.project))
        printf("ok %s: %s, build %s, for ", in->name, OTAPULT_UNNAMED, build);
    else
        printf("ok %s: %s %s, build %s, for ", in->name, info->desc.project, info->desc.version, build);
    printf("%s, %s", otapult_chip_name(info->chip_id), size);
    if (in->packed != NULL) {
        size_text((uint32_t)in->sent_size, size);
        printf(", sent as %s, %s", in->packed, size);
    }
    putchar('\n');
}

static void json_ok(struct otapult_json *j, const struct input *in, const struct options *options,
                    const struct otapult_image_info *info)
{
    static const char *const ages[] = {[OTAPULT_OLDER] = "older",
                                       [OTAPULT_SAME_AGE] = "same",
                                       [OTAPULT_NEWER] = "newer",
                                       [OTAPULT_AGE_UNKNOWN] = "unknown"};
    char build[OTAPULT_BUILD_ID_CHARS + 1];
    otapult_build_id(&info->desc, build);
    otapult_json_bool(j, "success", true);
    otapult_json_str(j, "file", in->name);
    otapult_json_str(j, "chip", otapult_chip_name(info->chip_id));
    otapult_json_str(j, "project", info->desc.project);
    otapult_json_str(j, "version", info->desc.version);
    otapult_json_str(j, "build", build);
    otapult_json_num(j, "size", info->size);
    otapult_json_str(j, "packed", in->packed);
    otapult_json_num(j, "file_size", (uint32_t)(in->packed != NULL ? in->sent_size : in->size));
    otapult_json_hex(j, "sha256", info->sha256, sizeof info->sha256);
    otapult_json_num(j, "signatures", info->signatures);
    if (options->running != NULL)
        otapult_json_str(j, "age", ages[age(options, info)]);
}

static int print_json(const struct input *in, const struct options *options, int err,
                      const struct otapult_judge *judge)
{
    static char text[JSON_SIZE];
    struct otapult_json j;
    otapult_json_init(&j, text, sizeof text);
    otapult_json_open(&j, NULL, '{');
    if (err == 0) {
        json_ok(&j, in, options, &judge->inspect.info);
    } else {
        otapult_json_bool(&j, "success", false);
        otapult_json_str(&j, "file", in->name);
        json_error(&j, err, &judge->why);
    }
    otapult_json_close(&j, '}');
    return json_print(&j);
}

/* ---- a patch: what it makes only the robot can judge ---- */

static bool is_patch(const struct input *in, int err)
{
    return err == OTAPULT_E_FILE_UNKNOWN && patch_recognise(in->data, in->size);
}

static bool is_patch_for(const struct patch_info *info, const struct options *options, struct fault *f)
{
    struct otapult_finding why = {.got = info->result.size, .want = options->slot_size};
    char detail[160];

    if (info->chip != options->chip_id) {
        why = (struct otapult_finding){.got = info->chip, .want = options->chip_id};
        fault_of_error(f, OTAPULT_E_IMAGE_WRONG_CHIP, &why);
        return false;
    }
    if (info->result.size > options->slot_size) {
        fault_of_error(f, OTAPULT_E_IMAGE_TOO_LARGE, &why);
        return false;
    }
    if (options->running == NULL || strcmp(options->running, info->base.version) == 0)
        return true;
    snprintf(detail, sizeof detail, "the patch is for %s, the robot runs %s", info->base.version,
             options->running);
    fault_of_trouble(f, TROUBLE_PATCH_BASE, detail);
    return false;
}

static int check_patch(const struct input *in, const struct options *options)
{
    struct otapult_finding why = {0};
    struct patch_info info;
    struct fault f;

    int err = patch_read(in->data, in->size, &info, &why);
    if (err != 0)
        return error_say(err, &why, in->name);
    return is_patch_for(&info, options, &f) ? report_patch_fits(in, &info) : fault_say(&f, "file", in->name);
}

static int check(const struct options *options)
{
    static struct otapult_judge judge;
    struct input in;
    if (!input_read(options->file, &in))
        return STATUS_NO;
    int err = refusal(&in, options, &judge);
    int status = STATUS_OK;
    if (is_patch(&in, err)) {
        status = check_patch(&in, options);
        input_free(&in);
        return status;
    }
    if (options->json)
        status = print_json(&in, options, err, &judge);
    else if (err == 0)
        print_ok(&in, &judge.inspect.info);
    else
        put_error(stderr, in.name, err, &judge.why);
    if (err == 0)
        warn_older(options, &judge.inspect.info);
    input_free(&in);
    return err == 0 ? status : STATUS_NO;
}

/* ---- for a robot that is asked ---- */

static struct device asked;

static int take_device(struct robot *r, const struct options *options)
{
    (void)options;
    if (r->fault.status != 0)
        return fault_say(&r->fault, "robot", r->name);
    asked = r->device;
    return STATUS_OK;
}

static int check_for_device(const struct options *options)
{
    static struct otapult_judge judge;
    struct options its = *options;
    struct payload p;
    struct fault f;
    int status = payload_read(&p, options->file, NULL);

    if (status != 0)
        return status;
    its.running = asked.image.version;
    judge.inspect.info = p.info;
    if (payload_unfit(&p, &asked, &f))
        status = fault_say(&f, "file", p.in.name);
    else if (p.is_patch)
        status = report_patch_fits(&p.in, &p.patch);
    else if (options->json)
        status = print_json(&p.in, &its, 0, &judge);
    else
        print_ok(&p.in, &p.info);
    if (status == 0 && !p.is_patch)
        warn_older(&its, &p.info);
    payload_free(&p);
    return status;
}

static int ask_device(const struct options *options)
{
    struct fleet fleet;
    char *name = (char *)(uintptr_t)options->device;
    int status = fleet_open(&fleet, options, &name, 1);

    if (status != 0)
        return status;
    status = fleet_ask(&fleet, take_device, options);
    fleet_free(&fleet);
    return status;
}

static int run(const struct options *options)
{
    if (options->device == NULL)
        return options_each(options, check);
    int status = ask_device(options);
    return status != 0 ? status : options_each(options, check_for_device);
}

const struct verb verb_check = {
    .name = "check",
    .gist = "would a robot take it?",
    .operands = "FILE…",
    .summary = "says whether a robot takes a file, and why not",
    .about =
        "Judges each FILE ('-': standard input) by the same code as the robot does during an upload. A patch: "
        "does it belong to this chip, is there room for what it makes, and with --device, does the robot run the "
        "build that it is for. What it makes is judged by the robot alone.",
    .exits =
        "0 the robot takes every FILE, 1 it does not or a FILE cannot be read, 2 wrong usage; with --device "
        "also 3 and 4, as for every verb that asks a robot.",
    .examples =
        "otapult check firmware.bin --running 1.4.2\notapult check firmware.bin --device rover.local\n"
        "otapult check 1.4.2.patch --device rover.local",
    .least = 1,
    .most = OPERANDS_ANY,
    .completes = {COMPLETES_FILE, COMPLETES_FILE},
    .group = GROUP_FILES,
    .options = (const struct verb_option[]){{OPTION_CHIP, NULL},
                                            {OPTION_CHIP_REVISION, NULL},
                                            {OPTION_EFUSE_REVISION, NULL},
                                            {OPTION_SLOT_SIZE, NULL},
                                            {OPTION_KEY_DIGEST, NULL},
                                            {OPTION_RUNNING, NULL},
                                            {OPTION_DEVICE, NULL},
                                            {OPTION_INVENTORY, NULL},
                                            {OPTION_TOKEN, NULL},
                                            {OPTION_FIRST_USE, NULL},
                                            {OPTION_TIMEOUT, NULL},
                                            {OPTION_JSON, NULL},
                                            {OPTION_NONE, NULL}},
    .run = run,
};
