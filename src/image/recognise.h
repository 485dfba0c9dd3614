/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OTAPULT_IMAGE_RECOGNISE_H
#define OTAPULT_IMAGE_RECOGNISE_H

#include "otapult/image.h"

/* What is this file? A stage that looks at the first bytes of a stream and says: an app image, or what
 * it is instead. It proves nothing: a file that passes here is judged by the inspector, and one that is refused
 * here could not have passed there. Its answer is for the person who chose the wrong file.
 *
 * The marks were checked on real or freshly built files, but for NVS, raw FAT, S-records, esp_delta_ota and
 * archives other than gzip, which were taken from the definitions of those formats.
 *
 * An app image is told by its first OTAPULT_HEAD_SIZE bytes, nearly everything else by its first
 * OTAPULT_RECOGNISE_HEAD. Four kinds need more of the file:
 *   - what begins like a bootloader may be a merged image: a partition table follows at 0x8000 or at a later
 *     4 KB boundary up to 0x20000, an app at 0x10000;
 *   - what begins with 0xFF may be a merged image for another chip, a wear-levelled FAT, OTA data, or nothing;
 *   - 512 zeros may be the room that a build left for MCUboot's header;
 *   - 512 bytes of anything may be another tool's header in front of an application. */

#define OTAPULT_RECOGNISE_HEAD   512u     /* bytes kept */
#define OTAPULT_RECOGNISE_WINDOW 36u      /* bytes looked at behind a 4 KB boundary */
#define OTAPULT_RECOGNISE_LAST   0x20024u /* no file needs more bytes than these */

enum otapult_kind {
    OTAPULT_KIND_UNDECIDED,
    OTAPULT_KIND_APP,     /* image header and app description, for whatever chip: the inspector's to judge */
    OTAPULT_KIND_REFUSED, /* `err` says what it is */
};

struct otapult_recognise {
    uint32_t seen;    /* bytes looked at; stops counting when decided */
    uint32_t size;    /* of the file, an upper bound, or OTAPULT_SIZE_UNKNOWN */
    bool     mixed;   /* not all bytes equal the first one */
    uint32_t last;    /* behind the last byte that is not 0xFF */
    uint16_t chip_id; /* of this device */
    enum otapult_kind kind;
    int      err;
    struct otapult_finding why;
    uint8_t  window[OTAPULT_RECOGNISE_WINDOW]; /* what follows the last 4 KB boundary */
    uint8_t  head[OTAPULT_RECOGNISE_HEAD]; /* the first bytes, `seen` of them while seen is smaller */
};

/* `chip_id`: of this device. `size`: of the file, an upper bound, or OTAPULT_SIZE_UNKNOWN; knowing it only
 * makes some refusals earlier, never different. */
void otapult_recognise_init(struct otapult_recognise *r, uint16_t chip_id, uint32_t size);

/* Feed the next bytes of the file. Returns 0 while undecided or an app image, else the error that names
 * what it is. Once decided it looks at nothing more: an app image is decided at OTAPULT_HEAD_SIZE. */
OTAPULT_MUST_CHECK int otapult_recognise_feed(struct otapult_recognise *r, const uint8_t *p, size_t n);

/* The file has ended. Decides whatever was still open: 0 only for an app image. */
OTAPULT_MUST_CHECK int otapult_recognise_finish(struct otapult_recognise *r);

#endif
