/* SPDX-License-Identifier: Apache-2.0 */
#include "offer/manifest.h"

#include <string.h>

#include "base/text.h"
#include "offer/url.h"
#include "update/door.h"

/* otapult.json: its members as a table, and what must hold between them. Members that are not in the table
 * are read over, so a newer folder may have more of them; one of the table that is missing or has another
 * type is refused, because a guess would be installed on every robot of the folder.
 *
 * Members may stand in any order, so what must hold between two of them is looked at when both are known: of
 * a file at its closing bracket, of the plain file and the packed one at the end. */

/* ---- members ---- */

enum kind { TEXT, NUMBER, YES_NO, HEX, NOTES };

/* What the schema says of a member. `at`: where it goes, in the struct it belongs to. */
struct member {
    const char *path;
    enum kind kind;
    size_t at, size;
    uint16_t bit; /* of what must be there; 0: it may be missing */
};

#define HERE(member)    offsetof(struct otapult_manifest, member), sizeof(((struct otapult_manifest *)0)->member)
#define OFFERED(member) offsetof(struct otapult_offer, member), sizeof(((struct otapult_offer *)0)->member)
#define OF_FILE(member) \
    offsetof(struct otapult_manifest_file, member), sizeof(((struct otapult_manifest_file *)0)->member)

static const struct member own[] = {
    {"otapult", NUMBER, HERE(format), 1},        {"channel", TEXT, HERE(channel), 2},
    {"sequence", NUMBER, HERE(sequence), 4},     {"date", NUMBER, HERE(date), 8},
    {"expires", NUMBER, HERE(expires), 0},       {"minimum", TEXT, HERE(minimum), 0},
    {"percentage", NUMBER, HERE(percentage), 0},
};

static const struct member offered[] = {
    {"version", TEXT, OFFERED(version), 16},   {"project", TEXT, OFFERED(project), 32},
    {"notes.en", NOTES, OFFERED(notes[0]), 0}, {"notes.ru", NOTES, OFFERED(notes[1]), 0},
    {"urgent", YES_NO, OFFERED(urgency), 0},   {"downgrade", YES_NO, OFFERED(downgrade), 0},
};
#define ALL_OF_MANIFEST 0x3Fu

#define IMAGE_SIZE   64u
#define IMAGE_SHA256 128u
static const struct member of_file[] = {
    {"files.*.name", TEXT, OF_FILE(name), 1},
    {"files.*.form", TEXT, OF_FILE(form), 2},
    {"files.*.chip", TEXT, OF_FILE(chip), 4},
    {"files.*.build", TEXT, OF_FILE(build), 8},
    {"files.*.size", NUMBER, OF_FILE(size), 16},
    {"files.*.sha256", HEX, OF_FILE(sha256), 32},
    {"files.*.image_size", NUMBER, OF_FILE(image_size), IMAGE_SIZE},
    {"files.*.image_sha256", HEX, OF_FILE(image_sha256), IMAGE_SHA256},
    {"files.*.base", TEXT, OF_FILE(base), 256},
};
#define ALL_OF_FILE 0x3Fu

/* Notes that are too long are cut, which a reader sees by the dots. */
static bool take_notes(const struct otapult_scan *s, char *dst, size_t cap)
{
    static const char dots[] = "…";

    if (s->type != OTAPULT_SCAN_STRING)
        return false;
    if (otapult_scan_text(s, dst, cap))
        return true;
    otapult_text_clean(dst, cap - (sizeof dots - 1), (const uint8_t *)s->value, s->len);
    memcpy(dst + strlen(dst), dots, sizeof dots);
    return true;
}

static bool take_value(const struct otapult_scan *s, const struct member *m, uint8_t *dst)
{
    uint32_t number;
    bool yes;

    switch (m->kind) {
    case TEXT: return otapult_scan_text(s, (char *)dst, m->size);
    case NOTES: return take_notes(s, (char *)dst, m->size);
    case HEX: return otapult_scan_hex(s, dst, m->size);
    case NUMBER:
        if (!otapult_scan_number(s, &number))
            return false;
        memcpy(dst, &number, sizeof number);
        return number != OTAPULT_SIZE_UNKNOWN;
    case YES_NO:
        if (!otapult_scan_bool(s, &yes))
            return false;
        *dst = yes;
        return true;
    }
    return false;
}

/* The member of the table that the value belongs to; NULL: none. */
static const struct member *find(const struct otapult_scan *s, const struct member *table, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (otapult_scan_is(s, table[i].path))
            return &table[i];
    return NULL;
}

static int wrong(struct otapult_manifest *m, const char *fault)
{
    m->fault = fault;
    return OTAPULT_E_SOURCE_ANSWER;
}

static int take(struct otapult_manifest *m, const struct member *member, void *base, uint16_t *has)
{
    if ((*has & member->bit) != 0)
        return wrong(m, "a member that is there twice");
    if (!take_value(&m->scan, member, (uint8_t *)base + member->at))
        return wrong(m, "a member that is not what docs/pull.md says");
    *has |= member->bit;
    return 0;
}

/* ---- files ---- */

bool otapult_manifest_name_is_good(const char *name)
{
    size_t len = strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._+-");

    return len > 0 && name[len] == '\0' && name[0] != '.';
}

static bool is_accepted(const struct otapult_manifest *m, const char *form)
{
    const char *name;

    for (size_t n = 0; (name = otapult_device_accepts(m->device, n)) != NULL; n++)
        if (strcmp(name, form) == 0)
            return true;
    return false;
}

static bool is_for_device(const struct otapult_manifest *m)
{
    const struct otapult_manifest_file *f = &m->file;

    return strcmp(f->chip, otapult_chip_name(otapult_device_chip(m->device))) == 0 &&
           is_accepted(m, f->form) &&
           (strcmp(f->form, "patch") != 0 || (f->base[0] != '\0' && strcmp(f->base, m->running) == 0));
}

static void put_file(struct otapult_manifest *m, unsigned place)
{
    struct otapult_offer_file *dst = &m->offer->file[place];

    m->too_long = m->too_long || !otapult_url_resolve(m->url, m->file.name, dst->url);
    dst->size = m->file.size;
    memcpy(dst->sha256, m->file.sha256, sizeof dst->sha256);
}

static struct otapult_manifest_image image_of(const struct otapult_manifest_file *f)
{
    struct otapult_manifest_image image = {.has_size = (f->has & IMAGE_SIZE) != 0,
                                           .has_sha256 = (f->has & IMAGE_SHA256) != 0,
                                           .size = f->image_size};

    memcpy(image.sha256, f->image_sha256, sizeof image.sha256);
    return image;
}

/* Does a packed file promise the image of the plain one? Otherwise the device would fetch it, unpack it and
 * refuse it, because it takes no image but the offered one. */
static bool is_offered(const struct otapult_manifest_image *image, const struct otapult_offer *offer)
{
    return (!image->has_size || image->size == offer->size) &&
           (!image->has_sha256 || memcmp(image->sha256, offer->sha256, sizeof image->sha256) == 0);
}

/* The plain file tells what the image is. It stands in the second place until all files are read. */
static void put_plain(struct otapult_manifest *m)
{
    struct otapult_offer *offer = m->offer;

    put_file(m, 1);
    m->has_plain = true;
    offer->size = m->file.size;
    offer->has_sha256 = true;
    memcpy(offer->sha256, m->file.sha256, sizeof offer->sha256);
    memcpy(offer->build, m->file.build, sizeof offer->build);
}

static const char other_image[] = "a file whose image is not the plain one";

static int end_plain(struct otapult_manifest *m)
{
    const struct otapult_manifest_image image = image_of(&m->file);

    if (m->has_plain)
        return wrong(m, "two plain files for one chip");
    put_plain(m);
    return is_offered(&image, m->offer) ? 0 : wrong(m, other_image);
}

static int end_packed(struct otapult_manifest *m)
{
    if (m->has_packed && m->file.size >= m->offer->file[0].size)
        return 0;
    put_file(m, 0);
    m->packed = image_of(&m->file);
    m->has_packed = true;
    return 0;
}

static int end_file(struct otapult_manifest *m)
{
    const struct otapult_manifest_file *f = &m->file;
    bool plain = strcmp(f->form, "plain") == 0;

    if ((f->has & ALL_OF_FILE) != ALL_OF_FILE)
        return wrong(m, "a file without a member that it must have");
    if (!otapult_manifest_name_is_good(f->name))
        return wrong(m, "a name that no file may have");
    if (f->size == 0)
        return wrong(m, "a file of no bytes");
    if (!is_for_device(m))
        return 0;
    return plain ? end_plain(m) : end_packed(m);
}

/* ---- the document ---- */

static bool is_bracket(const struct otapult_scan *s, char open)
{
    char close = open == '[' ? ']' : '}';

    return (s->type == OTAPULT_SCAN_OPEN && s->value[0] == open) ||
           (s->type == OTAPULT_SCAN_CLOSE && s->value[0] == close);
}

/* The array of files, and each of them. */
static int found_file(struct otapult_manifest *m, char bracket)
{
    if (!is_bracket(&m->scan, bracket))
        return wrong(m, "a member that is not what docs/pull.md says");
    if (bracket == '{' && m->scan.type == OTAPULT_SCAN_OPEN)
        memset(&m->file, 0, sizeof m->file);
    return bracket == '{' && m->scan.type == OTAPULT_SCAN_CLOSE ? end_file(m) : 0;
}

static int manifest_found(void *to, const struct otapult_scan *s)
{
    struct otapult_manifest *m = to;
    const struct member *member;

    if (otapult_scan_is(s, "files"))
        return found_file(m, '[');
    if (otapult_scan_is(s, "files.*"))
        return found_file(m, '{');
    if (s->type == OTAPULT_SCAN_CLOSE)
        return 0;
    if ((member = find(s, of_file, sizeof of_file / sizeof *of_file)) != NULL)
        return take(m, member, &m->file, &m->file.has);
    if ((member = find(s, own, sizeof own / sizeof *own)) != NULL)
        return take(m, member, m, &m->has);
    if ((member = find(s, offered, sizeof offered / sizeof *offered)) != NULL)
        return take(m, member, m->offer, &m->has);
    return 0;
}

void otapult_manifest_init(struct otapult_manifest *m, struct otapult_offer *offer)
{
    memset(m, 0, sizeof *m);
    memset(offer, 0, sizeof *offer);
    m->offer = offer;
    m->percentage = 100;
    otapult_scan_init(&m->scan, manifest_found, m);
}

static int explain(const struct otapult_manifest *m, int err, struct otapult_finding *why)
{
    if (err != 0 && m->fault != NULL)
        *why = (struct otapult_finding){.got = m->scan.pos, .text = m->fault};
    return err;
}

int otapult_manifest_feed(struct otapult_manifest *m, const uint8_t *p, size_t n, struct otapult_finding *why)
{
    return explain(m, otapult_scan_feed(&m->scan, p, n, why), why);
}

/* Puts the packed file first where it is smaller. Without a plain file nothing is offered: a patch that does
 * not fit would leave no other way. */
static void order_files(struct otapult_manifest *m)
{
    struct otapult_offer *offer = m->offer;

    if (!m->has_plain)
        return;
    offer->file_count = 2;
    if (m->has_packed && offer->file[0].size < offer->file[1].size)
        return;
    offer->file[0] = offer->file[1];
    offer->file_count = 1;
}

int otapult_manifest_finish(struct otapult_manifest *m, struct otapult_finding *why)
{
    int err = otapult_scan_finish(&m->scan, why);

    if (err == 0 && m->format != OTAPULT_MANIFEST_FORMAT && (m->has & 1u) != 0)
        err = wrong(m, "written for a newer otapult");
    else if (err == 0 && (m->has & ALL_OF_MANIFEST) != ALL_OF_MANIFEST)
        err = wrong(m, "it lacks a member that it must have");
    else if (err == 0 && m->too_long)
        err = wrong(m, "an address that is too long");
    else if (err == 0 && m->has_plain && m->has_packed && !is_offered(&m->packed, m->offer))
        err = wrong(m, other_image);
    if (err == 0)
        order_files(m);
    return explain(m, err, why);
}
