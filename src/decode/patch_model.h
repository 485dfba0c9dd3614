/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OTAPULT_DECODE_PATCH_MODEL_H
#define OTAPULT_DECODE_PATCH_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The back end of the patch decoder: a binary range decoder whose probabilities learn. It knows bits, numbers
 * and bytes; what they mean is its caller's. docs/patch-format.md, "Coding", is its specification.
 *
 * The input is a window that the owner fills. What is read behind its end counts as zeros and raises `over`:
 * the owner lets it come to that only at the end of the file. */
struct otapult_patch_input {
    const uint8_t *p;
    size_t   n, at;
    uint32_t over;
    uint32_t range, code;
};

/* Begins with the first four bytes of the window. */
void otapult_patch_input_init(struct otapult_patch_input *in);

/* A probability that learns: 22 bits of probability that the bit is 1, 10 bits that count. */
typedef uint32_t otapult_patch_fine;
/* A coarser one, for where there are many: 12 bits and 4 bits. */
typedef uint16_t otapult_patch_coarse;

void otapult_patch_fine_init(otapult_patch_fine *c, size_t n, uint32_t of_65536);
void otapult_patch_coarse_init(otapult_patch_coarse *c, size_t n);

bool otapult_patch_bit(struct otapult_patch_input *in, otapult_patch_fine *c, uint32_t limit);
bool otapult_patch_coarse_bit(struct otapult_patch_input *in, otapult_patch_coarse *c);

/* Numbers of up to 32 bits, small ones short. */
struct otapult_patch_number {
    otapult_patch_coarse length[64]; /* a tree over the number of bits */
    otapult_patch_coarse second[33]; /* the bit below the highest, for each length */
};

void     otapult_patch_number_init(struct otapult_patch_number *c);
/* A length above 32, which no encoder writes, gives 0. */
uint32_t otapult_patch_number(struct otapult_patch_input *in, struct otapult_patch_number *c);
/* The same with a sign, as two's complement. */
uint32_t otapult_patch_signed(struct otapult_patch_input *in, struct otapult_patch_number *c);

/* Bytes, each bit predicted from four contexts whose opinions are weighed. */
#define OTAPULT_PATCH_SETS   4u    /* of weights, and of bytes without context */
#define OTAPULT_PATCH_HASHED 4096u /* probabilities of the three other contexts */

struct otapult_patch_bytes {
    int32_t              weight[OTAPULT_PATCH_SETS][4];
    otapult_patch_coarse plain[OTAPULT_PATCH_SETS][256];
    otapult_patch_coarse hashed[OTAPULT_PATCH_HASHED];
};

void    otapult_patch_bytes_init(struct otapult_patch_bytes *b);
uint8_t otapult_patch_byte(struct otapult_patch_input *in, struct otapult_patch_bytes *b, unsigned set,
                           const uint32_t context[3]);

/* Spreads two numbers over 32 bits. */
uint32_t otapult_patch_hash(uint32_t a, uint32_t b);

#endif
