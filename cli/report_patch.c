/* SPDX-License-Identifier: Apache-2.0 */
#include "report_patch.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "fault.h"
#include "say.h"
#include "words.h"

/* Sizes are told against the whole file, because that is what a patch saves. */

#define JSON_SIZE 2048

/* "0.44" of a hundred, rounded up: a patch is never said to be smaller than it is. */
static void percent(size_t part, size_t whole, char dst[24])
{
    uint64_t hundredths = whole > 0 ? ((uint64_t)part * 10000 + whole - 1) / whole : 0;
    snprintf(dst, 24, "%u.%02u", (unsigned)(hundredths / 100), (unsigned)(hundredths % 100));
}

static void hex(const uint8_t *p, size_t n, char *dst, size_t cap)
{
    struct otapult_text t;

    otapult_text_init(&t, dst, cap);
    otapult_text_digest(&t, p, n);
}

static void json_side(struct otapult_json *j, const char *key, const struct patch_side *side)
{
    char build[9];

    hex(side->build, 4, build, sizeof build);
    otapult_json_open(j, key, '{');
    otapult_json_str(j, "version", side->version);
    otapult_json_str(j, "build", build);
    otapult_json_num(j, "size", side->size);
    otapult_json_hex(j, "sha256", side->sha256, sizeof side->sha256);
    otapult_json_close(j, '}');
}

static int print_json(const char *name, size_t size, size_t whole, const struct patch_info *info)
{
    static char text[JSON_SIZE];
    char of_whole[24];
    struct otapult_json j;

    percent(size, whole, of_whole);
    otapult_json_init(&j, text, sizeof text);
    otapult_json_open(&j, NULL, '{');
    otapult_json_bool(&j, "success", true);
    otapult_json_str(&j, "file", say_clean(name));
    otapult_json_str(&j, "type", info != NULL ? "patch" : "gzip");
    otapult_json_num(&j, "size", (uint32_t)size);
    otapult_json_number(&j, "percent", of_whole);
    if (info != NULL) {
        otapult_json_str(&j, "chip", otapult_chip_name(info->chip));
        json_side(&j, "base", &info->base);
        json_side(&j, "result", &info->result);
    }
    otapult_json_close(&j, '}');
    return json_print(&j);
}

static void name_side(const struct patch_side *side, char *dst, size_t cap)
{
    char build[9];

    hex(side->build, 4, build, sizeof build);
    snprintf(dst, cap, "%s (%s)", side->version[0] != '\0' ? side->version : "?", build);
}

int report_patch_made(const char *path, const struct patch_file *patch, size_t whole)
{
    struct otapult_finding why;
    struct patch_info info;
    bool is_patch = patch_recognise(patch->data, patch->size) &&
                    patch_read(patch->data, patch->size, &info, &why) == 0;
    char size[SIZE_TEXT], of_whole[24], from[64], to[64];

    if (say_as_json())
        return print_json(path, patch->size, whole, is_patch ? &info : NULL);
    size_text((uint32_t)patch->size, size);
    percent(patch->size, whole, of_whole);
    printf("%s: %s, %s %% of the whole", say_clean(path), size, of_whole);
    if (is_patch) {
        name_side(&info.base, from, sizeof from);
        name_side(&info.result, to, sizeof to);
        printf("; from %s to %s", from, to);
    }
    putchar('\n');
    return STATUS_OK;
}

int report_patch_fits(const struct input *in, const struct patch_info *info)
{
    char size[SIZE_TEXT], of_whole[24], from[64], to[64];

    if (say_as_json())
        return print_json(in->name, in->size, info->result.size, info);
    name_side(&info->base, from, sizeof from);
    name_side(&info->result, to, sizeof to);
    size_text((uint32_t)in->size, size);
    percent(in->size, info->result.size, of_whole);
    printf("ok %s: a patch for robots that run %s, makes %s, for %s, %s, %s %% of the whole\n", in->name,
           from, to, otapult_chip_name(info->chip), size, of_whole);
    return STATUS_OK;
}

static void print_side(const char *label, const struct patch_side *side)
{
    char size[SIZE_TEXT], sha[65], name[64];

    name_side(side, name, sizeof name);
    size_text(side->size, size);
    hex(side->sha256, sizeof side->sha256, sha, sizeof sha);
    printf("  %-12s %s, %s\n  %-12s SHA-256 %s\n", label, name, size, "", sha);
}

int report_patch(const struct input *in)
{
    struct otapult_finding why;
    struct patch_info info;
    char size[SIZE_TEXT], of_whole[24];
    struct fault f;
    int err = patch_read(in->data, in->size, &info, &why);

    if (err != 0) {
        fault_of_error(&f, err, &why);
        return fault_say(&f, "file", in->name);
    }
    if (say_as_json())
        return print_json(in->name, in->size, info.result.size, &info);
    size_text((uint32_t)in->size, size);
    percent(in->size, info.result.size, of_whole);
    printf("%s: a patch for %s\n", in->name, otapult_chip_name(info.chip));
    print_side("from", &info.base);
    print_side("to", &info.result);
    printf("  %-12s %s, %s %% of what it makes\n", "size", size, of_whole);
    return STATUS_OK;
}
