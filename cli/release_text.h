/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_RELEASE_TEXT_H
#define CLI_RELEASE_TEXT_H

#include "builds.h"

/* A release: files in a folder, and what is written about them. docs/pull.md has the formats. */

#define RELEASE_FILES_MAX 64

struct release_file {
    char     name[96];
    const char *form; /* "plain", "gzip", "patch"; NULL: none that a robot fetches by itself */
    const char *chip;
    char     build[OTAPULT_BUILD_ID_CHARS + 1], base[OTAPULT_BUILD_ID_CHARS + 1]; /* base "": none */
    uint32_t size, image_size;
    uint8_t  sha256[32], image_sha256[32];
};

struct release {
    const struct options *options;
    const char *folder;
    char     project[32], version[32], idf[32];
    char     usb[96]; /* name of the merged image for the first flash; "": none */
    const char *usb_chip;
    uint32_t date, sequence;
    size_t   count;
    struct release_file file[RELEASE_FILES_MAX];
};

/* Each NULL where there is no memory; freed by the caller. */

char *release_manifest(const struct release *r);
char *release_web_tools(const struct release *r); /* for ESP Web Tools */
char *release_sbom(const struct release *r);      /* SPDX 2.3 */

/* The sequence of the manifest that is in the folder already; 0: there is none. */
uint32_t release_last_sequence(const char *folder);

#endif
