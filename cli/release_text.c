/* SPDX-License-Identifier: Apache-2.0 */
#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/text.h"
#include "regular_file.h"
#include "release_text.h"

/* The texts of a release: the manifest that robots read, the one of ESP Web Tools, and an SBOM in SPDX 2.3.
 * cJSON makes them, so no name or note can break out of its quotes. */

static void add_hex(cJSON *to, const char *key, const uint8_t *p, size_t n)
{
    char text[65];
    struct otapult_text t;

    otapult_text_init(&t, text, sizeof text);
    otapult_text_digest(&t, p, n);
    cJSON_AddStringToObject(to, key, text);
}

static char *print_and_free(cJSON *json)
{
    char *text = cJSON_Print(json);

    cJSON_Delete(json);
    return text;
}

/* ---- otapult.json ---- */

static void add_notes(cJSON *to, const struct options *o)
{
    cJSON *notes;

    if (o->notes == NULL && o->notes_ru == NULL)
        return;
    notes = cJSON_AddObjectToObject(to, "notes");
    if (o->notes != NULL)
        cJSON_AddStringToObject(notes, "en", o->notes);
    if (o->notes_ru != NULL)
        cJSON_AddStringToObject(notes, "ru", o->notes_ru);
}

static void add_terms(cJSON *to, const struct release *r)
{
    const struct options *o = r->options;

    cJSON_AddNumberToObject(to, "otapult", 1);
    cJSON_AddStringToObject(to, "channel", o->channel != NULL ? o->channel : "stable");
    cJSON_AddNumberToObject(to, "sequence", r->sequence);
    cJSON_AddNumberToObject(to, "date", r->date);
    if (o->valid_days > 0)
        cJSON_AddNumberToObject(to, "expires", r->date + o->valid_days * 86400.0);
    cJSON_AddStringToObject(to, "project", r->project);
    cJSON_AddStringToObject(to, "version", r->version);
    if (o->minimum != NULL)
        cJSON_AddStringToObject(to, "minimum", o->minimum);
    add_notes(to, o);
    if (o->urgent)
        cJSON_AddTrueToObject(to, "urgent");
    if (o->downgrade)
        cJSON_AddTrueToObject(to, "downgrade");
    if (o->percentage > 0)
        cJSON_AddNumberToObject(to, "percentage", o->percentage);
}

static void add_file(cJSON *files, const struct release_file *f)
{
    cJSON *row = cJSON_CreateObject();

    cJSON_AddItemToArray(files, row);
    cJSON_AddStringToObject(row, "name", f->name);
    cJSON_AddStringToObject(row, "form", f->form);
    cJSON_AddStringToObject(row, "chip", f->chip);
    cJSON_AddStringToObject(row, "build", f->build);
    if (f->base[0] != '\0')
        cJSON_AddStringToObject(row, "base", f->base);
    cJSON_AddNumberToObject(row, "size", f->size);
    add_hex(row, "sha256", f->sha256, sizeof f->sha256);
    cJSON_AddNumberToObject(row, "image_size", f->image_size);
    add_hex(row, "image_sha256", f->image_sha256, sizeof f->image_sha256);
}

/* Files that no robot fetches are listed all the same, so that the signature covers them. */
static void add_other(cJSON *others, const struct release_file *f)
{
    cJSON *row = cJSON_CreateObject();

    cJSON_AddItemToArray(others, row);
    cJSON_AddStringToObject(row, "name", f->name);
    cJSON_AddNumberToObject(row, "size", f->size);
    add_hex(row, "sha256", f->sha256, sizeof f->sha256);
}

char *release_manifest(const struct release *r)
{
    cJSON *json = cJSON_CreateObject();

    add_terms(json, r);
    cJSON *files = cJSON_AddArrayToObject(json, "files");
    cJSON *others = cJSON_AddArrayToObject(json, "others");
    for (size_t i = 0; i < r->count; i++) {
        if (r->file[i].form != NULL)
            add_file(files, &r->file[i]);
        else
            add_other(others, &r->file[i]);
    }
    return print_and_free(json);
}

uint32_t release_last_sequence(const char *folder)
{
    char path[4096], text[65536];
    uint32_t sequence = 0;

    snprintf(path, sizeof path, "%s/otapult.json", folder);
    FILE *f = regular_file_open(path);
    if (f == NULL)
        return 0;
    size_t len = fread(text, 1, sizeof text, f);
    fclose(f);
    cJSON *json = cJSON_ParseWithLength(text, len);
    const cJSON *number = cJSON_GetObjectItemCaseSensitive(json, "sequence");
    if (cJSON_IsNumber(number) && number->valuedouble > 0 && number->valuedouble < UINT32_MAX)
        sequence = (uint32_t)number->valuedouble;
    cJSON_Delete(json);
    return sequence;
}

/* ---- ESP Web Tools ---- */

char *release_web_tools(const struct release *r)
{
    cJSON *json = cJSON_CreateObject();

    cJSON_AddStringToObject(json, "name", r->project);
    cJSON_AddStringToObject(json, "version", r->version);
    cJSON_AddTrueToObject(json, "new_install_prompt_erase");
    cJSON *builds = cJSON_AddArrayToObject(json, "builds"), *build = cJSON_CreateObject();
    cJSON_AddItemToArray(builds, build);
    cJSON_AddStringToObject(build, "chipFamily", r->usb_chip);
    cJSON *parts = cJSON_AddArrayToObject(build, "parts"), *part = cJSON_CreateObject();
    cJSON_AddItemToArray(parts, part);
    cJSON_AddStringToObject(part, "path", r->usb);
    cJSON_AddNumberToObject(part, "offset", 0);
    return print_and_free(json);
}

/* ---- SPDX ---- */

static void add_sha256(cJSON *to, const uint8_t sha256[32])
{
    cJSON *sums = cJSON_AddArrayToObject(to, "checksums"), *sum = cJSON_CreateObject();

    cJSON_AddItemToArray(sums, sum);
    cJSON_AddStringToObject(sum, "algorithm", "SHA256");
    add_hex(sum, "checksumValue", sha256, 32);
}

static cJSON *add_package(cJSON *packages, const char *id, const char *name, const char *version)
{
    cJSON *package = cJSON_CreateObject();

    cJSON_AddItemToArray(packages, package);
    cJSON_AddStringToObject(package, "SPDXID", id);
    cJSON_AddStringToObject(package, "name", name);
    cJSON_AddStringToObject(package, "versionInfo", version);
    cJSON_AddStringToObject(package, "downloadLocation", "NOASSERTION");
    cJSON_AddFalseToObject(package, "filesAnalyzed");
    return package;
}

static void relate(cJSON *relationships, const char *from, const char *type, const char *to)
{
    cJSON *row = cJSON_CreateObject();

    cJSON_AddItemToArray(relationships, row);
    cJSON_AddStringToObject(row, "spdxElementId", from);
    cJSON_AddStringToObject(row, "relationshipType", type);
    cJSON_AddStringToObject(row, "relatedSpdxElement", to);
}

static void add_creation(cJSON *json, const struct release *r)
{
    char text[160];
    time_t date = r->date;
    struct tm utc;
    cJSON *info = cJSON_AddObjectToObject(json, "creationInfo");

    gmtime_r(&date, &utc);
    strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &utc);
    cJSON_AddStringToObject(info, "created", text);
    cJSON *creators = cJSON_AddArrayToObject(info, "creators");
    cJSON_AddItemToArray(creators, cJSON_CreateString("Tool: otapult-" OTAPULT_VERSION));
    snprintf(text, sizeof text, "urn:otapult:%s:%s:%u", r->project, r->version, r->sequence);
    cJSON_AddStringToObject(json, "documentNamespace", text);
}

static void add_files(cJSON *json, cJSON *relationships, const struct release *r)
{
    cJSON *files = cJSON_AddArrayToObject(json, "files");
    char id[40];

    for (size_t i = 0; i < r->count; i++) {
        cJSON *file = cJSON_CreateObject();
        cJSON_AddItemToArray(files, file);
        snprintf(id, sizeof id, "SPDXRef-File-%zu", i + 1);
        cJSON_AddStringToObject(file, "SPDXID", id);
        cJSON_AddStringToObject(file, "fileName", r->file[i].name);
        add_sha256(file, r->file[i].sha256);
        relate(relationships, "SPDXRef-Firmware", "CONTAINS", id);
    }
}

/* What an image says of itself, and no more: the version of ESP-IDF is all that it names of what is in it. */
char *release_sbom(const struct release *r)
{
    cJSON *json = cJSON_CreateObject();

    cJSON_AddStringToObject(json, "spdxVersion", "SPDX-2.3");
    cJSON_AddStringToObject(json, "dataLicense", "CC0-1.0");
    cJSON_AddStringToObject(json, "SPDXID", "SPDXRef-DOCUMENT");
    cJSON_AddStringToObject(json, "name", r->project);
    add_creation(json, r);
    cJSON *packages = cJSON_AddArrayToObject(json, "packages");
    cJSON *relationships = cJSON_CreateArray();
    add_package(packages, "SPDXRef-Firmware", r->project, r->version);
    relate(relationships, "SPDXRef-DOCUMENT", "DESCRIBES", "SPDXRef-Firmware");
    add_package(packages, "SPDXRef-ESP-IDF", "ESP-IDF", r->idf);
    relate(relationships, "SPDXRef-Firmware", "DEPENDS_ON", "SPDXRef-ESP-IDF");
    add_files(json, relationships, r);
    cJSON_AddItemToObject(json, "relationships", relationships);
    return print_and_free(json);
}
