/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_ANATOMY_H
#define CLI_ANATOMY_H

#include <stdbool.h>

#include "otapult/image.h"
#include "trust/signature.h"

/* What an image is made of, also when it is broken: for people who look into it. It follows what can be
 * followed and decides nothing: whether a device takes the file is the judge's word alone. */

enum proof {
    PROOF_UNREACHED, /* the file breaks off, or cannot be followed, before it */
    PROOF_ABSENT,    /* the image has none */
    PROOF_WRONG,
    PROOF_RIGHT,
};

/* A block of a signature sector. */
struct anatomy_signature {
    enum otapult_signature_scheme scheme;
    uint8_t    key[OTAPULT_KEY_DIGEST];
    enum proof digest; /* is it of this image? Whether the signature itself is right only `verify` asks */
};

/* One image: an application or a bootloader. Offsets count from the image's first byte, but for `at`. */
struct anatomy {
    uint32_t    at;         /* in the file */
    bool        bootloader; /* by its place; else an application */
    bool        described;  /* info.desc is there */
    uint8_t     claimed;    /* segments the header announces; info.segment_count were found whole */
    const char *broken;     /* why not all of them were found; NULL: they were */
    uint32_t    broken_at;
    uint32_t    checksum_at;
    uint8_t     stored;     /* the checksum there; info.checksum is what the data gives */
    enum proof  checksum, hash;
    unsigned    signatures; /* blocks found behind it, and what they are */
    struct anatomy_signature signature[OTAPULT_SIGNATURE_BLOCKS];
    struct otapult_image_info info; /* as far as it could be read; size 0: the end was not reached */
};

/* data[size] begins as an image does: room for a header, and its magic. */
bool is_image(const uint8_t *data, size_t size);

/* The image at file[at …], of which is_image() holds. */
void anatomy_of(const uint8_t *file, uint32_t at, size_t size, struct anatomy *a);

/* Where the chip puts a segment: "DROM", "IROM", "DRAM", "IRAM", "RTC", "padding"; "" where it is not
 * known. */
const char *segment_kind(uint16_t chip_id, uint32_t load_addr);

/* SHA-256 of data[len]. false: the crypto library does not work. */
bool sha256_of(const void *data, size_t len, uint8_t digest[32]);

#endif
