/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TEST_ORACLE_H
#define TEST_ORACLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A second opinion on what a flash chip holds and what an ESP32-S3 with ESP-IDF's bootloader (rollback
 * enabled) makes of it. Shares no code with src/, port/ or rover/, nor a crypto library: its own readers
 * of partition table, OTA data and image, its own CRC-32 and SHA-256, and ESP-IDF's rules written out as
 * a sequence of ifs. Believes no length it reads. Does not look at the MD5 of the partition table. */

#define ORACLE_FACTORY (-1)
#define ORACLE_NONE    (-2)
#define ORACLE_TEST    (-3)

struct oracle_image {
    uint32_t size; /* of the file, the SHA-256 included */
    char     version[33], project[33];
    char     build[9];
    uint8_t  sha256[32]; /* over the whole file */
    const char *fault;   /* NULL, or what is wrong with it */
};

/* Is p[0, max) an app image for an ESP32-S3, whole and right, with whatever behind it? Demands an app
 * description, a DROM and an IROM segment, zero padding and an appended SHA-256. Fills *out either way. */
bool oracle_image_ok(const uint8_t *p, size_t max, struct oracle_image *out);

struct oracle_result {
    bool     boots;
    int      chosen;   /* by OTA data: n of ota_n, or ORACLE_FACTORY; ORACLE_NONE: nothing was chosen */
    int      slot;     /* that loads: n, ORACLE_FACTORY or ORACLE_TEST; ORACLE_NONE: nothing does */
    bool     image_ok; /* what loads is whole and right, as oracle_image_ok() says */
    struct oracle_image image;
    uint32_t slot_at, slot_size;
    uint32_t ota_data_at;      /* 0: the table has none, or it is not fit for use */
    uint8_t  ota_data[0x2000]; /* as the bootloader leaves it */
    const char *why;
};

/* What the next boot does. Writes nothing: what the bootloader would write stands in the result. */
struct oracle_result oracle_boot(const uint8_t *flash, size_t size);

/* SHA-256 and the OTA data CRC, for the test of the oracle itself. */
void     oracle_sha256(const uint8_t *p, size_t n, uint8_t digest[32]);
uint32_t oracle_ota_crc(uint32_t seq);

#endif
