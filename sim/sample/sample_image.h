/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ROVER_SAMPLE_IMAGE_H
#define ROVER_SAMPLE_IMAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Sample firmware: app images for the virtual rover and for tests, built byte by byte to the format of
 * ESP-IDF (header, segments, checksum, SHA-256), sharing no code with the core that reads them. Their
 * "code" is pseudo-random bytes; what the virtual rover plays when it boots one stands in their DROM
 * segment as text: "otapult-sample temper=<word> after=<seconds>". */

enum sample_temper {
    SAMPLE_HEALTHY,
    SAMPLE_CRASH_AT_BOOT,
    SAMPLE_CRASH_LATER, /* after `after` seconds */
    SAMPLE_HANG,        /* stops answering; the watchdog bites */
    SAMPLE_NO_NETWORK,
    SAMPLE_NEVER_CONFIRMS,
    SAMPLE_TEMPERS
};

struct sample_spec {
    const char *version;  /* NULL: "1.0.0" */
    const char *project;  /* NULL: "rover" */
    const char *date, *time, *idf; /* NULL: fixed defaults, so that samples are reproducible */
    uint32_t    size;     /* of the file: rounded up to a multiple of 16, 1 KB to SAMPLE_SIZE_MAX;
                           * 0: 256 KB */
    uint32_t    seed;     /* of the code bytes, hence of the build id */
    uint16_t    chip_id;  /* 0xFFFF: ESP32-S3 (so that 0, the ESP32, can be asked for) */
    uint16_t    min_rev, max_rev;
    uint32_t    secure_version;
    enum sample_temper temper;
    uint32_t    after;    /* seconds */
    bool        bootloader;  /* a second-stage bootloader: no mapped segment, no app description, at
                              * most SAMPLE_BOOTLOADER_MAX bytes */
    bool        no_hash;     /* hash_appended = 0 */
    bool        no_description;
};
#define SAMPLE_SIZE_MAX       0x1400000u
#define SAMPLE_BOOTLOADER_MAX 0x5000u
#define SAMPLE_DEFAULT        .chip_id = 0xFFFF, .max_rev = 0xFFFF

/* Builds the image into a buffer of malloc, *len bytes; the caller frees it. Aborts when memory is
 * short. */
uint8_t *sample_image(const struct sample_spec *spec, size_t *len);

/* A merged image for the S3: bootloader at 0, `table` at 0x8000, boot_app0 at 0xE000, app at 0x10000. */
uint8_t *sample_merged(const struct sample_spec *app, const uint8_t *table, size_t table_len,
                       size_t *len);

const char *sample_temper_name(enum sample_temper t); /* "healthy", "crash-at-boot", … */
enum sample_temper sample_temper_by_name(const char *name); /* SAMPLE_TEMPERS: unknown */

/* Finds temper and seconds in an image's first bytes (the first 512 hold them); healthy when there is no
 * mark. */
enum sample_temper sample_temper_of(const uint8_t *head, size_t len, uint32_t *after);

#endif
