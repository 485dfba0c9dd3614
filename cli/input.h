/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_INPUT_H
#define CLI_INPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "image/judge.h"
#include "options.h"

/* A whole file in memory. */
struct input {
    char     name[256]; /* its last path component, printable; "standard input" */
    bool     named;     /* false: standard input */
    uint8_t *data;
    size_t   size;      /* at most INPUT_MAX */
    const char *packed; /* what input_unpack() has unpacked: "gzip"; NULL: nothing */
    size_t   sent_size; /* of the file as it was read, once unpacked */
};

#define INPUT_MAX (128u * 1024u * 1024u) /* the largest flash an ESP32 can address */

/* false: the file cannot be read, and standard error says why. */
bool input_read(const char *path, struct input *in);
void input_free(struct input *in);

/* Are both names of one file? */
bool input_is_same_file(const char *a, const char *b);

/* Where the file is packed: data and size become those of what is in it, as a device unpacks it. A file that
 * is not packed stays as it is. 0, or the error with *why, and then the file stays too. */
int input_unpack(struct input *in, struct otapult_finding *why);

/* Hands the file to the judge as a device would, 64 KB at a time: 0, or the error, with j->why. The
 * revision of the chip is the one the image asks for: which robot it is for is not known here. With key
 * digests among the options a signature by one of them is required. */
int input_judge(const struct input *in, const struct options *options, struct otapult_judge *j);

/* The same within limits that are known. */
int input_judge_limits(const struct input *in, const struct otapult_inspect_limits *limits, struct otapult_judge *j);

/* The chip revision that the image asks for; 0: none. */
uint16_t input_wanted_revision(const struct input *in);

/* The same for whatever chip the file is for, and slots of any size. */
int input_judge_any(const struct input *in, const struct options *options, struct otapult_judge *j);

#endif
