/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OTAPULT_IMAGE_INSPECT_H
#define OTAPULT_IMAGE_INSPECT_H

#include <stdbool.h>

#include "otapult/image.h"
#include "trust/sha256.h"
#include "trust/signature.h"

/* Is this app image whole, right, and for this chip? A stage over all bytes of the file, first to last:
 * header, segments, checksum, SHA-256, app description, chip, revision, room in the slot; then nothing,
 * or 0xFF up to a multiple of 4096 and one signature sector, and nothing behind that. A signature may be
 * there where none is required: then it must be well-formed.
 * It checks all that esp_image_verify() does (ESP-IDF v6.0.2, bootloader_support/src/esp_image_format.c), the
 * eFuse block revision where it is told the chip's, and what that leaves out: at least one segment, lengths
 * against the slot before the data comes, zero padding, an app description, a DROM and an IROM segment on an
 * ESP32-S3, an appended SHA-256, no trailing bytes. It does not know which part of the RAM the bootloader
 * itself lives in: a segment for there is refused at the boot. */

struct otapult_inspect_limits {
    uint32_t slot_size;
    uint16_t chip_id, chip_rev, block_rev; /* as in otapult.h */
    uint32_t least_security;               /* security versions below are refused */
    const struct otapult_trust *trust;     /* a signature is required, by one of its keys; NULL: none is */
    uint32_t least_length, most_length;    /* the file is known to be this long; most_length 0: nothing is known */
    const struct otapult_version *running; /* what an image must not be too old for; NULL: any will do */
    /* Anything else that the description tells: 0, or the error it is refused with. NULL: nothing. Asked last of all
     * that is looked at in the first OTAPULT_HEAD_SIZE bytes. */
    int (*meet)(void *ctx, const struct otapult_app_desc *desc, struct otapult_finding *why);
    void *meet_ctx;
    bool (*too_old)(const struct otapult_version *image, const struct otapult_version *running);
};

enum otapult_inspect_at { /* what the next byte is */
    OTAPULT_AT_HEADER,
    OTAPULT_AT_SEGMENT_HEADER,
    OTAPULT_AT_DESCRIPTION, /* the first 256 bytes of segment 0 */
    OTAPULT_AT_DATA,
    OTAPULT_AT_PADDING, /* zeros and the checksum byte */
    OTAPULT_AT_DIGEST,
    OTAPULT_AT_FILL,      /* 0xFF up to the signature sector */
    OTAPULT_AT_SIGNATURE, /* the sector */
    OTAPULT_AT_END, /* all that must come has come; an unsigned image may still get its signature sector */
};

struct otapult_inspect {
    struct otapult_inspect_limits limits;
    enum otapult_inspect_at       at;
    uint32_t                      pos;  /* bytes taken so far */
    uint32_t                      left; /* bytes still to come of the current piece; 0 only at OTAPULT_AT_END */
    uint32_t                      segments;   /* headers taken */
    uint8_t                       xor8;
    int                           err;
    struct otapult_finding        why;
    struct otapult_image_info     info;
    struct otapult_sha256         sha;
    struct otapult_sha384         sha384;     /* over what a P-384 key would sign; only with a trust */
    uint8_t                       piece[256]; /* header, segment header, description or digest */
    struct otapult_signature      signature;  /* from OTAPULT_AT_SIGNATURE on, all zeros before */
};

/* Copies `limits`, which may be those of `in` itself. */
void otapult_inspect_init(struct otapult_inspect *in, const struct otapult_inspect_limits *limits);

/* Feed the next bytes, any split. 0 or the first error, which stays. */
OTAPULT_MUST_CHECK int otapult_inspect_feed(struct otapult_inspect *in, const uint8_t *p, size_t n);

/* No more bytes come. 0: the image is whole and right, in->info describes it. IMAGE_TRUNCATED: bytes are
 * missing; SIGNATURE_MISSING: nothing is missing but the signature. */
OTAPULT_MUST_CHECK int otapult_inspect_finish(struct otapult_inspect *in);

#endif
