/* SPDX-License-Identifier: Apache-2.0 */
#include "regular_file.h"
#include "release_text.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "anatomy.h"
#include "base/text.h"
#include "fault.h"
#include "new_file.h"
#include "patch_file.h"
#include "say.h"
#include "signing.h"

/* `otapult release`. The order of writing is what makes it safe on a live web server: all files first (those
 * that robots fetch have the version in their names), then the signature, and the manifest last, so that no
 * robot reads of a file that is not there yet. */

#define PATCHES 3 /* unless said */

/* ---- files of the folder ---- */

static bool save_file(const struct release *r, const char *name, const void *data, size_t size)
{
    char *path = NULL;
    int err = asprintf(&path, "%s/%s", r->folder, name) > 0
                  ? new_file_save(path, new_file_usual_mode(), data, size)
                  : ENOMEM;

    if (err != 0)
        complain("%s/%s: %s", r->folder, name, regular_file_words(err));
    free(path);
    return err == 0;
}

/* Replaces characters that no name in a manifest may have. */
static void tidy(char *name)
{
    for (; *name != '\0'; name++)
        if (strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._+-", *name) == NULL)
            *name = '-';
}

/* Saves a file and puts it on the release's list. `b`: the build that the file makes; NULL: none. */
static bool add(struct release *r, const char *name, const char *form, const struct build *b,
                const char *base, const void *data, size_t size)
{
    struct release_file *f = &r->file[r->count];

    if (r->count == RELEASE_FILES_MAX) {
        complain("more than %d files for one release", RELEASE_FILES_MAX);
        return false;
    }
    *f = (struct release_file){.form = form, .size = (uint32_t)size};
    snprintf(f->name, sizeof f->name, "%s", name);
    if (b != NULL) {
        f->chip = otapult_chip_name(b->info.chip_id);
        f->image_size = b->info.size;
        memcpy(f->build, b->id, sizeof f->build);
        memcpy(f->image_sha256, b->info.sha256, sizeof f->image_sha256);
    }
    snprintf(f->base, sizeof f->base, "%s", base);
    if (!sha256_of(data, size, f->sha256) || !save_file(r, name, data, size))
        return false;
    r->count++;
    return true;
}

static bool add_text(struct release *r, const char *name, char *text)
{
    bool good = text != NULL && add(r, name, NULL, NULL, "", text, strlen(text));

    free(text);
    return good;
}

/* ---- patches ---- */

/* Builds that patches are made from, the newest first. */
struct base {
    const char *path;
    struct otapult_version version;
};

static int by_age(const void *a, const void *b)
{
    const struct base *x = a, *y = b;
    enum otapult_age age = otapult_compare_versions(&x->version, &y->version);

    return age == OTAPULT_OLDER ? 1 : age == OTAPULT_NEWER ? -1 : strcmp(x->path, y->path);
}

static bool is_base(const struct build *from, const struct build *to)
{
    return from->info.chip_id == to->info.chip_id &&
           strcmp(from->info.desc.project, to->info.desc.project) == 0 && strcmp(from->id, to->id) != 0;
}

static size_t list_bases(const struct builds_folder *folder, const struct build *to, struct base *bases)
{
    size_t count = 0;
    struct build b;

    for (size_t i = 0; i < folder->count; i++) {
        if (build_read(folder->name[i], &b) != STATUS_OK)
            continue; /* it was said */
        if (is_base(&b, to)) {
            bases[count].path = folder->name[i];
            otapult_version_of(&b.info.desc, &bases[count++].version);
        }
        build_free(&b);
    }
    qsort(bases, count, sizeof *bases, by_age);
    return count;
}

/* Leaves the patch out where it is not smaller than the gzip file of the whole, or where patch_make() gave a
 * gzip file. */
static bool add_patch(struct release *r, const char *stem, const char *path, const struct build *to,
                      size_t least)
{
    struct build from;
    struct patch_file patch;
    char name[160];
    bool is_gzip;

    if (build_read(path, &from) != STATUS_OK)
        return true;
    bool good = patch_make(from.in.data, from.in.size, to->in.data, to->in.size, &patch, &is_gzip);
    if (!good)
        complain("%s: no patch can be made of it", path);
    snprintf(name, sizeof name, "%s.from-%s.patch", stem, from.id);
    if (good && !is_gzip && patch.size < least)
        good = add(r, name, "patch", to, from.id, patch.data, patch.size);
    if (patch.data != NULL)
        free(patch.data);
    build_free(&from);
    return good;
}

static bool add_patches(struct release *r, const char *stem, const struct build *to, size_t least)
{
    static struct base bases[BUILDS_MAX];
    struct builds_folder folder;
    size_t most = r->options->patches > 0 ? r->options->patches : PATCHES;
    bool good = true;

    if (r->options->builds == NULL)
        return true;
    if (builds_folder_read(r->options->builds, &folder) != STATUS_OK)
        return false;
    size_t count = list_bases(&folder, to, bases);
    for (size_t i = 0; good && i < count && i < most; i++)
        good = add_patch(r, stem, bases[i].path, to, least);
    builds_folder_free(&folder);
    return good;
}

/* ---- images ---- */

static bool same_release(struct release *r, const struct build *b)
{
    const struct otapult_app_desc *d = &b->info.desc;

    if (r->count == 0) {
        memcpy(r->project, d->project, sizeof r->project);
        memcpy(r->version, d->version, sizeof r->version);
        memcpy(r->idf, d->idf, sizeof r->idf);
    }
    for (size_t i = 0; i < r->count; i++)
        if (strcmp(r->file[i].chip, otapult_chip_name(b->info.chip_id)) == 0) {
            complain("%s: there is a firmware for the %s already", b->in.name, r->file[i].chip);
            return false;
        }
    if (strcmp(r->project, d->project) == 0 && strcmp(r->version, d->version) == 0)
        return true;
    complain("%s is %s %s, and the release is %s %s", b->in.name, say_clean(d->project),
             say_clean(d->version), say_clean(r->project), say_clean(r->version));
    return false;
}

static bool add_packed(struct release *r, const char *stem, const char *name, const struct build *b)
{
    struct patch_file packed;
    char gz[120];

    if (!patch_gzip(b->in.data, b->in.size, &packed)) {
        complain("%s: cannot be packed", b->in.name);
        return false;
    }
    snprintf(gz, sizeof gz, "%s.gz", name);
    bool good = add(r, gz, "gzip", b, "", packed.data, packed.size) && add_patches(r, stem, b, packed.size);
    free(packed.data);
    return good;
}

static bool add_image(struct release *r, const char *path)
{
    char stem[88], name[96];
    struct build b;

    if (build_read(path, &b) != STATUS_OK)
        return false;
    bool good = same_release(r, &b);
    snprintf(stem, sizeof stem, "%s-%s-%s", b.info.desc.project, b.info.desc.version,
             otapult_chip_name(b.info.chip_id));
    tidy(stem);
    snprintf(name, sizeof name, "%s.bin", stem);
    good = good && add(r, name, "plain", &b, "", b.in.data, b.in.size) && add_packed(r, stem, name, &b);
    build_free(&b);
    return good;
}

/* Adds the file for a new chip, which gets it by USB: bootloader, partition table and app in one. */
static bool add_merged(struct release *r)
{
    static struct otapult_judge judge;
    const struct options any = {OPTIONS_DEFAULT};
    struct input in;

    if (r->options->merged == NULL)
        return true;
    if (!input_read(r->options->merged, &in))
        return false;
    bool good = input_judge_any(&in, &any, &judge) == OTAPULT_E_IMAGE_MERGED;
    if (!good)
        complain("%s is no merged image of bootloader, partition table and app", in.name);
    snprintf(r->usb, sizeof r->usb, "%.31s-%.31s-usb.bin", r->project, r->version);
    tidy(r->usb);
    r->usb_chip = r->file[0].chip;
    good = good && add(r, r->usb, NULL, NULL, "", in.data, in.size) &&
           add_text(r, "esp-web-tools.json", release_web_tools(r));
    input_free(&in);
    return good;
}

/* ---- the signature ---- */

/* Signs the manifest's bytes with such a sector as stands behind a signed image. */
static bool sign_text(const struct release *r, const char *text)
{
    const struct options *o = r->options;
    size_t len = strlen(text);
    struct signing s = {.size = len + OTAPULT_SIGNATURE_SECTOR};
    struct key key;

    if (!key_read(o->key != NULL ? o->key : o->public_key, o->key != NULL, &key))
        return false;
    s.data = malloc(s.size);
    bool good = s.data != NULL;
    if (good) {
        memcpy(s.data, text, len);
        memset(s.data + len, 0xFF, OTAPULT_SIGNATURE_SECTOR);
        s.sector = s.data + len;
        good = signing_add(&s, &key, o->sign_command) &&
               save_file(r, "otapult.json.sig", s.sector, OTAPULT_SIGNATURE_SECTOR);
    }
    signing_free(&s);
    key_free(&key);
    return good;
}

/* The manifest goes last: until then robots see the old release whole. Between the two of them a robot sees
 * one that does not fit its signature, and asks again. */
static bool publish(const struct release *r)
{
    char *text = release_manifest(r);
    bool good = text != NULL && strlen(text) <= 65536;

    if (text != NULL && !good)
        complain("the manifest has more than 65,536 bytes: fewer patches, please");
    good = good && sign_text(r, text) && save_file(r, "otapult.json", text, strlen(text));
    free(text);
    return good;
}

/* ---- the verb ---- */

static uint32_t now(void)
{
    const char *fixed = getenv("SOURCE_DATE_EPOCH");

    return fixed != NULL ? (uint32_t)strtoul(fixed, NULL, 10) : (uint32_t)time(NULL);
}

/* Robots take no lower number than they have seen. The time in seconds goes up by itself, whatever computer
 * publishes. Where the folder is ahead of it, as after a wrong clock, the folder's next number is taken. */
static uint32_t next_sequence(const char *folder, uint32_t date)
{
    uint32_t last = release_last_sequence(folder);

    return last >= date ? last + 1 : date;
}

/* Robots refuse a manifest with anything else. */
static bool is_utf8(const char *text)
{
    size_t n, left = strlen(text);
    uint32_t code;

    for (; left > 0; text += n, left -= n) {
        n = otapult_text_character((const uint8_t *)text, left, &code);
        if (n == 0)
            return false;
    }
    return true;
}

static const char *wrong_usage(const struct options *o)
{
    if ((o->key != NULL) == (o->sign_command != NULL))
        return "wants either --key or --sign-command";
    if ((o->sign_command != NULL) != (o->public_key != NULL))
        return "--sign-command and --pub-key go together";
    if (o->channel != NULL && (o->channel[0] == '\0' || strlen(o->channel) >= 24 || !is_utf8(o->channel)))
        return "--channel wants a name of 1 to 23 bytes";
    if ((o->notes != NULL && !is_utf8(o->notes)) || (o->notes_ru != NULL && !is_utf8(o->notes_ru)))
        return "notes want UTF-8";
    if (o->notes != NULL && strlen(o->notes) >= 240)
        return "--notes has room for 239 bytes on a robot";
    if (o->notes_ru != NULL && strlen(o->notes_ru) >= 240)
        return "--notes-ru has room for 239 bytes on a robot";
    return NULL;
}

static int tell(const struct release *r)
{
    char text[1024];
    struct otapult_json j;

    if (!say_as_json()) {
        printf("%s: %s %s, number %u, %zu files; otapult.json is signed\n", r->folder, say_clean(r->project),
               say_clean(r->version), r->sequence, r->count);
        return STATUS_OK;
    }
    otapult_json_init(&j, text, sizeof text);
    otapult_json_open(&j, NULL, '{');
    otapult_json_bool(&j, "success", true);
    otapult_json_str(&j, "out", say_clean(r->folder));
    otapult_json_str(&j, "project", r->project);
    otapult_json_str(&j, "version", r->version);
    otapult_json_num(&j, "sequence", r->sequence);
    otapult_json_num(&j, "files", (uint32_t)r->count);
    otapult_json_close(&j, '}');
    return json_print(&j);
}

static int run(const struct options *o)
{
    static struct release r;
    const char *wrong = wrong_usage(o);

    if (wrong != NULL) {
        complain("release: %s", wrong);
        return STATUS_USAGE;
    }
    r = (struct release){.options = o, .folder = o->operand[o->operands - 1], .date = now()};
    r.sequence = next_sequence(r.folder, r.date);
    if (mkdir(r.folder, 0777) != 0 && errno != EEXIST)
        return trouble_say(TROUBLE_FILE_UNWRITABLE, "file", r.folder, strerror(errno));
    for (size_t i = 0; i + 1 < o->operands; i++)
        if (!add_image(&r, o->operand[i]))
            return STATUS_NO;
    if (!add_merged(&r) || !add_text(&r, "sbom.spdx.json", release_sbom(&r)) || !publish(&r))
        return STATUS_NO;
    return tell(&r);
}

const struct verb verb_release = {
    .name = "release",
    .gist = "publish for robots",
    .operands = "FILE… OUT",
    .summary = "writes a web folder that robots fetch their firmware from",
    .about =
        "Writes to the folder OUT what a robot with a source asks for, and what any static web server can serve: "
        "each FILE, an app image for one chip, plain and as a gzip file; patches from the newest of --builds; "
        "otapult.json, which says what there is, and otapult.json.sig, the one signature over it. Sign FILE itself "
        "first where robots require signed firmware. docs/pull.md has the formats.\n"
        "\n"
        "Beside that a list of contents, sbom.spdx.json (SPDX 2.3), and with --merged what a browser needs for the "
        "first flash by USB (ESP Web Tools).\n"
        "\n"
        "Each release has a higher number than the one before; a robot takes no lower one.",
    .exits = "0 written, 1 not, 2 wrong usage.",
    .examples =
        "otapult release rover-3.0.0.bin site --key release.pem --builds releases --notes 'Drives straighter.'\n"
        "otapult release s3.bin c3.bin site --key release.pem --channel beta --percentage 10",
    .least = 2,
    .most = OPERANDS_ANY,
    .completes = {COMPLETES_FILE, COMPLETES_FILE},
    .group = GROUP_FILES,
    .options = (const struct verb_option[]){{OPTION_KEY, NULL},
                                            {OPTION_SIGN_COMMAND, NULL},
                                            {OPTION_PUB_KEY, NULL},
                                            {OPTION_BUILDS,
                                             "earlier builds: patches are made from the newest of them"},
                                            {OPTION_PATCHES, NULL},
                                            {OPTION_MERGED, NULL},
                                            {OPTION_CHANNEL, NULL},
                                            {OPTION_NOTES, NULL},
                                            {OPTION_NOTES_RU, NULL},
                                            {OPTION_MINIMUM, NULL},
                                            {OPTION_PERCENTAGE, NULL},
                                            {OPTION_VALID_DAYS, NULL},
                                            {OPTION_URGENT, NULL},
                                            {OPTION_DOWNGRADE, NULL},
                                            {OPTION_JSON, NULL},
                                            {OPTION_NONE, NULL}},
    .run = run,
};
