/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_PAYLOAD_H
#define CLI_PAYLOAD_H

#include "anatomy.h"
#include "builds.h"
#include "device.h"
#include "fault.h"
#include "input.h"
#include "maker.h"
#include "patch_file.h"

/* What a roll-out sends: one file, judged, in the forms that robots take. */

/* A patch from one build, made once for all robots that run it. */
struct payload_patch {
    char from[OTAPULT_BUILD_ID_CHARS + 1];
    bool made;
    struct patch_file file; /* data NULL: there is none, or nothing is won by it */
};
#define PAYLOAD_PATCHES 16u /* builds a fleet runs; robots beyond get the whole file */

struct payload {
    struct input in;
    char version[DEVICE_WORD];
    bool is_patch;           /* the file itself is one: info and anatomy are not there */
    struct patch_info patch;
    char base[OTAPULT_BUILD_ID_CHARS + 1]; /* of the patch */
    struct builds_folder builds; /* of --builds */
    struct payload_patch patch_from[PAYLOAD_PATCHES];
    unsigned patches;
    struct maker maker;
    struct payload_patch *making; /* what it makes; NULL: nothing */
    struct otapult_image_info info;
    struct anatomy anatomy; /* its signatures */
    char build[OTAPULT_BUILD_ID_CHARS + 1];
    char sha256[65]; /* of the file */
    char md5[33];
    struct patch_file gzip; /* the same, compressed; data NULL: it would not be smaller */
    /* the judge's last word, for the robots that are alike */
    bool judged;
    struct otapult_inspect_limits limits;
    int err;
    struct otapult_finding why;
};

/* Reads, judges and packs the file, for whatever chip it is for. `builds`: a folder of builds to make patches from; NULL.
 * 0, or a status: it was said why. */
int payload_read(struct payload *p, const char *path, const char *builds);
void payload_free(struct payload *p);

/* Would this robot take it? true: f says why not. */
bool payload_unfit(struct payload *p, const struct device *d, struct fault *f);

/* Is a patch for this robot still being made? That takes seconds, once a build; other robots are served meanwhile, and
 * the caller asks again. */
bool payload_waits(struct payload *p, const struct device *d, bool no_patch);

/* The smallest form the robot takes: the bytes and how many. */
const uint8_t *payload_form(struct payload *p, const struct device *d, bool no_patch, size_t *len,
                            const char **word);

#endif
