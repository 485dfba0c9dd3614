/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TEST_CODE_MAKER_H
#define TEST_CODE_MAKER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A small linker's view of firmware: functions that call one another and load addresses of strings, variables and
 * functions, laid out one behind another. An edit changes one of them; everything behind it moves, and whatever
 * refers to it changes, as in a real build. What comes out has the header, segments and app description of an
 * app image, and no checksum: patches do not ask for it. */

#define CODE_MAX 0x60000u /* bytes that an image has at most */

enum code_family { CODE_XTENSA, CODE_RISCV, CODE_OTHER }; /* other: Xtensa code under a chip id nobody knows */

struct code_function {
    uint32_t seed;    /* of its instructions */
    uint32_t changed; /* constants in it that are others than the seed's */
};

struct code {
    enum code_family family;
    uint32_t random;
    uint32_t version; /* of the app description */
    size_t functions, strings, variables;
    struct code_function function[400];
    uint32_t string[400]; /* seeds */
    uint32_t variable[100]; /* sizes */
};

/* Firmware with `functions` functions. The same seed makes the same. */
void code_begin_firmware(struct code *c, enum code_family family, size_t functions, uint32_t seed);

/* One random edit: a function, a string or a variable comes or goes, two functions change places, a constant changes. */
void code_edit(struct code *c);

/* Lays it out into image[CODE_MAX]: its size. */
size_t code_link(const struct code *c, uint8_t *image);

#endif
