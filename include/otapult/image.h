/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OTAPULT_IMAGE_H
#define OTAPULT_IMAGE_H

#include <stdbool.h>

#include "otapult/error.h"

/* What an ESP32 app image says of itself.
 * Source: ESP-IDF v6.0.2, components/bootloader_support/include/esp_app_format.h (header, segments)
 * and components/esp_app_format/include/esp_app_desc.h (app description). */

#define OTAPULT_CHIP_ESP32S3     0x0009u
#define OTAPULT_MAX_SEGMENTS     16u
#define OTAPULT_HEAD_SIZE        288u /* image header, first segment header, app description */
#define OTAPULT_BUILD_ID_CHARS   8u

struct otapult_segment {
    uint32_t offset;    /* of its data in the file */
    uint32_t load_addr; /* where the data belongs; below 0x10000000: not loaded */
    uint32_t size;      /* of its data; a multiple of 4, below 16 MB */
};

/* The app description, made safe: every string is terminated and holds printable UTF-8 only (other
 * bytes become '?'); each is at most 31 characters (time and date 15). They are still whatever the
 * builder, or an attacker, wrote: escape them for where they go. */
struct otapult_app_desc {
    char     version[32];
    char     project[32];
    char     time[16];
    char     date[16];
    char     idf[32];
    uint32_t secure_version;
    uint8_t  elf_sha256[32]; /* of the ELF file it was made from; all zeros where the build tool knows none */
    uint8_t  build[4]; /* names the build: the first bytes of elf_sha256, or, where that is all zeros, of the
                        * SHA-256 at the image's end; zeros until that was read */
};

struct otapult_image_info {
    uint16_t                chip_id;
    uint16_t                min_rev, max_rev; /* major * 100 + minor; max 0 or 65535: no limit */
    uint32_t                entry;
    uint8_t                 segment_count;
    struct otapult_segment  segment[OTAPULT_MAX_SEGMENTS];
    struct otapult_app_desc desc;
    uint8_t                 checksum;   /* as the data gives it */
    uint32_t                image_size; /* bytes of the image, the appended SHA-256 included */
    uint8_t                 digest[32]; /* the appended SHA-256: over [0, image_size - 32) */
    uint32_t                size;       /* bytes of the file: with a signature sector where there is one */
    uint8_t                 signatures; /* blocks in that sector; 0: not signed */
    uint8_t                 sha256[32]; /* over all bytes: what sha256sum prints of the file */
};

/* What tells two builds apart in time. */
struct otapult_version {
    char version[32];
    char date[16], time[16];
};
void otapult_version_of(const struct otapult_app_desc *desc, struct otapult_version *out);

enum otapult_age { OTAPULT_OLDER, OTAPULT_SAME_AGE, OTAPULT_NEWER, OTAPULT_AGE_UNKNOWN };

/* Is `a` older than `b`? By Semantic Versioning 2.0.0 where both versions follow it ("v" in front, two
 * numbers instead of three and what `git describe` appends are understood: v1.2.0-3-g1a2b3c4 comes after
 * v1.2.0); otherwise by build date and time; unknown where those cannot be read either. */
enum otapult_age otapult_compare_versions(const struct otapult_version *a, const struct otapult_version *b);

/* OTAPULT_OLDER, and nothing else: where the age is not known, false. */
bool otapult_is_older(const struct otapult_version *a, const struct otapult_version *b);

/* Writes the build id, 8 hex digits and a NUL, of a description into dst: its `build`. Never fails. */
void otapult_build_id(const struct otapult_app_desc *desc, char dst[OTAPULT_BUILD_ID_CHARS + 1]);

/* Does an image of this project carry no name and version of its own, but those of the Arduino core's
 * libraries? Nobody can tell two such builds apart; what is said then instead of its project and version. */
bool otapult_is_unnamed(const char *project);
#define OTAPULT_UNNAMED "Arduino build, no version of its own; add OTAPULT_FIRMWARE"

/* "ESP32-S3" of 0x0009, and so on; "chip 0x1234" is not invented: unknown ids give "an unknown chip". */
const char *otapult_chip_name(uint32_t chip_id);

/* Reads header and app description from the first OTAPULT_HEAD_SIZE bytes of an image, nothing else of
 * `info` is set. 0, or OTAPULT_E_FILE_UNKNOWN / _IMAGE_NO_DESCRIPTION. Proves nothing about the rest. */
OTAPULT_MUST_CHECK int otapult_read_head(const uint8_t head[OTAPULT_HEAD_SIZE], struct otapult_image_info *info);

#endif
