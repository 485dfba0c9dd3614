/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "fault.h"
#include "input.h"
#include "output.h"
#include "regular_file.h"
#include "say.h"
#include "survey.h"
#include "words.h"

/* The application out of a merged image, or out of what was read from a chip: the file an update wants. */

#define SECTOR OTAPULT_SIGNATURE_SECTOR

static const struct anatomy *image_at(const struct survey *s, uint32_t at)
{
    for (unsigned i = 0; i < s->image_count; i++) {
        if (s->image[i].at == at && !s->image[i].bootloader)
            return &s->image[i];
    }
    return NULL;
}

static const struct anatomy *first_app(const struct survey *s)
{
    for (unsigned i = 0; i < s->image_count; i++) {
        if (!s->image[i].bootloader)
            return &s->image[i];
    }
    return NULL;
}

/* The app in the partition `slot`, which is its label or ESP-IDF's word for its kind ("ota_0"). */
static const struct anatomy *in_slot(const struct survey *s, const char *slot)
{
    struct otapult_partition p;
    char kind[PARTITION_NAME];

    for (unsigned n = 0; n < s->partitions; n++) {
        otapult_table_entry(s->table, n, &p);
        partition_subtype(&p, kind);
        if (p.type == OTAPULT_PART_APP && (strcmp(p.label, slot) == 0 || strcmp(kind, slot) == 0))
            return image_at(s, p.offset);
    }
    return NULL;
}

/* Without --slot the app that boots is meant, or the first one where nothing says which boots. */
static const struct anatomy *choose(const struct survey *s, const char *slot)
{
    char boots[PARTITION_NAME];
    int n = survey_boot_slot(s);

    if (slot != NULL)
        return in_slot(s, slot);
    snprintf(boots, sizeof boots, "ota_%d", n);
    const struct anatomy *a = n >= 0 ? in_slot(s, boots) : NULL;
    return a != NULL ? a : first_app(s);
}

/* The length of the file to be written: the image, and its signature sector where it has one. */
static size_t length_of(const struct anatomy *a)
{
    if (a->signatures == 0)
        return a->info.size;
    return ((a->info.size + SECTOR - 1) & ~(size_t)(SECTOR - 1)) + SECTOR;
}

static int tell(const struct input *in, const char *out, const struct anatomy *a,
                const struct otapult_image_info *info)
{
    char text[1024], build[OTAPULT_BUILD_ID_CHARS + 1], size[SIZE_TEXT];
    struct otapult_json j;

    otapult_build_id(&info->desc, build);
    size_text(info->size, size);
    if (!say_as_json()) {
        fprintf(output_is_standard(out) ? stderr : stdout, "%s: %s %s, build %s, from 0x%x of %s, %s\n",
                output_is_standard(out) ? "standard output" : say_clean(out), info->desc.project,
                info->desc.version, build, (unsigned)a->at, in->name, size);
        return STATUS_OK;
    }
    otapult_json_init(&j, text, sizeof text);
    otapult_json_open(&j, NULL, '{');
    otapult_json_bool(&j, "success", true);
    otapult_json_str(&j, "file", in->name);
    otapult_json_str(&j, "out", say_clean(out));
    otapult_json_num(&j, "at", a->at);
    otapult_json_num(&j, "size", info->size);
    otapult_json_str(&j, "project", info->desc.project);
    otapult_json_str(&j, "version", info->desc.version);
    otapult_json_str(&j, "build", build);
    otapult_json_close(&j, '}');
    return json_print(&j);
}

/* Judges the app as a robot would before it is written: nobody gets a broken file. */
static int take_out(const struct options *o, const struct input *in, const struct anatomy *a)
{
    static struct otapult_judge judge;
    const struct input app = {
        .name = "the application in it", .data = in->data + a->at, .size = length_of(a)};
    struct otapult_finding why;

    if (app.size == 0 || app.size > in->size - a->at) {
        why = (struct otapult_finding){.at = (uint32_t)(in->size - a->at), .got = 1};
        return error_say(OTAPULT_E_IMAGE_TRUNCATED, &why, in->name);
    }
    int err = input_judge_any(&app, o, &judge);
    if (err != 0)
        return error_say(err, &judge.why, in->name);
    err = output_save(o->out, app.data, app.size);
    if (err != 0)
        return trouble_say(TROUBLE_FILE_UNWRITABLE, "file", o->out, regular_file_words(err));
    return tell(in, o->out, a, &judge.inspect.info);
}

static const char *wrong_usage(const struct options *o)
{
    if (o->out == NULL)
        return "wants --out FILE";
    return input_is_same_file(o->file, o->out) ? "would write over its input" : output_wrong(o->out, o->json);
}

static int run(const struct options *options)
{
    static struct otapult_judge judge;
    static struct survey found;
    struct input in;

    const char *wrong = wrong_usage(options);

    if (wrong != NULL) {
        complain("extract: %s", wrong);
        return STATUS_USAGE;
    }
    if (!input_read(options->file, &in))
        return STATUS_NO;
    int err = input_unpack(&in, &judge.why);
    if (err == 0)
        err = input_judge_any(&in, options, &judge);
    survey(&found, err, in.data, in.size);
    const struct anatomy *a = choose(&found, options->slot);
    int status;
    if (a != NULL)
        status = take_out(options, &in, a);
    else if (options->slot != NULL && found.image_count > 0)
        status = trouble_say(TROUBLE_NO_APP, "file", in.name, "in this slot");
    else
        status = trouble_say(TROUBLE_NO_APP, "file", in.name, "");
    input_free(&in);
    return status;
}

const struct verb verb_extract = {
    .name = "extract",
    .gist = "the app out of a dump",
    .operands = "FILE",
    .summary = "takes the application out of a merged image or a dump",
    .about =
        "FILE is a merged image (bootloader, partition table and application in one), what `esptool read_flash` "
        "read from a chip, or from one slot. The application that boots, or the one of --slot, is verified as a "
        "robot verifies it and written to the file of --out: firmware.bin, as an update wants it.",
    .exits = "0 written, 1 there is none in FILE or it is broken, 2 wrong usage.",
    .examples = "otapult extract merged-16MB.bin -o firmware.bin\n"
                "otapult extract dump.bin --slot app1 -o other.bin",
    .least = 1,
    .most = 1,
    .completes = {COMPLETES_FILE},
    .group = GROUP_FILES,
    .options = (const struct verb_option[]){{OPTION_OUT, "where the application goes; - is standard output"},
                                            {OPTION_SLOT, NULL},
                                            {OPTION_JSON, NULL},
                                            {OPTION_NONE, NULL}},
    .run = run,
};
