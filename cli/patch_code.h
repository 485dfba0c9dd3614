/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_PATCH_CODE_H
#define CLI_PATCH_CODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The writing half of docs/patch-format.md, "Coding": bits, numbers and bytes under probabilities that learn. */

struct code_output {
    uint8_t *data; /* grows; free() it */
    size_t   size, room;
    uint32_t low, range;
    bool     failed; /* no memory: what is written is good for nothing */
};

void code_begin(struct code_output *out);
void code_end(struct code_output *out);

struct code_chance { /* that a bit is 1 */
    uint32_t p;      /* of 1 << bits */
    uint16_t n, limit;
    uint8_t  bits;   /* 22: fine, 12: coarse */
};

void code_fine(struct code_chance *c, size_t n, uint32_t of_65536, uint16_t limit);
void code_coarse(struct code_chance *c, size_t n);
void code_bit(struct code_output *out, struct code_chance *c, bool bit);

struct code_number {
    struct code_chance length[64], second[33];
};

void code_number_init(struct code_number *c);
void code_number(struct code_output *out, struct code_number *c, uint32_t v);
void code_signed(struct code_output *out, struct code_number *c, uint32_t v);

struct code_bytes {
    int64_t            weight[4][4];
    struct code_chance plain[4][256], hashed[4096];
};

void code_bytes_init(struct code_bytes *b);
void code_byte(struct code_output *out, struct code_bytes *b, unsigned set, const uint32_t context[3],
               uint8_t byte);

uint32_t code_hash(uint32_t a, uint32_t b);

#endif
