/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_SIGNING_H
#define CLI_SIGNING_H

#include "input.h"
#include "key.h"

/* What goes behind an image to sign it. */

/* A copy of the image with 0xFF up to a whole sector, and the signature sector: the one it has, or an empty
 * one. */
struct signing {
    uint8_t *data;
    size_t   size;    /* of all */
    uint8_t *sector;  /* in it; everything before is what is signed */
    unsigned blocks;  /* in the sector so far */
};

/* false: there is no memory. `info`: the judge's word on the file. */
bool signing_begin(struct signing *s, const struct input *in, const struct otapult_image_info *info);
void signing_free(struct signing *s);

/* Adds a block by `key`, whose signature comes from `command` where that is not NULL: a shell command that
 * gets the digest on standard input and prints the signature, as bytes. false: why not stands on standard
 * error. */
bool signing_add(struct signing *s, const struct key *key, const char *command);

#endif
