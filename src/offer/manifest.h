/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OTAPULT_OFFER_MANIFEST_H
#define OTAPULT_OFFER_MANIFEST_H

#include "offer/scan.h"
#include "otapult/offer.h"

/* otapult.json, the manifest of a web folder, as a stage over its bytes: docs/pull.md has the schema. It is read
 * for one device: of its files the one to take first, and the plain one, end up in an offer. Members that are not
 * known are passed over; a known one of another kind than the schema says is an error, and so is a missing one that the
 * schema wants. Nothing of it counts before its signature was verified. */

#define OTAPULT_MANIFEST_FORMAT 1u
#define OTAPULT_MANIFEST_MAX    65536u /* bytes */
#define OTAPULT_MANIFEST_NAME   96u    /* of a file, with its NUL */

/* One of its files, while it is read. */
struct otapult_manifest_file {
    char     name[OTAPULT_MANIFEST_NAME];
    char     form[8], chip[16];
    char     base[OTAPULT_BUILD_ID_CHARS + 1], build[OTAPULT_BUILD_ID_CHARS + 1];
    uint32_t size, image_size;
    uint8_t  sha256[32], image_sha256[32];
    uint16_t has; /* members of the above, one bit each */
};

struct otapult_manifest {
    /* The device that it is read for; set by the caller after init. */
    const struct otapult *device;
    const char *url;      /* of the manifest: names are resolved beside it */
    const char *running;  /* build id of what runs: what a patch may start from */

    /* What it says. `offer` is the caller's. */
    struct otapult_offer *offer;
    char     channel[24], minimum[32];
    uint32_t format, sequence, date, expires; /* expires 0: never */
    uint32_t percentage;

    /* Its own. */
    struct otapult_scan scan;
    struct otapult_manifest_file file;
    bool     has_plain, has_packed, too_long;
    struct otapult_manifest_image {
        bool     has_size, has_sha256;
        uint32_t size;
        uint8_t  sha256[32];
    } packed; /* what the packed file says that comes of it */
    uint16_t has;
    const char *fault;
};

void otapult_manifest_init(struct otapult_manifest *m, struct otapult_offer *offer);
OTAPULT_MUST_CHECK int otapult_manifest_feed(struct otapult_manifest *m, const uint8_t *p, size_t n,
                                             struct otapult_finding *why);

/* 0: the manifest is complete, and *offer has its files: none where nothing in it is for this device.
 * SOURCE_ANSWER with the byte where it is wrong, and what. */
OTAPULT_MUST_CHECK int otapult_manifest_finish(struct otapult_manifest *m, struct otapult_finding *why);

/* May a file be called so? Letters, digits, dot, dash, underscore, plus; no dot in front. */
bool otapult_manifest_name_is_good(const char *name);

#endif
