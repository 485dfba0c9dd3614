/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TEST_DECODERS_H
#define TEST_DECODERS_H

#include "decode/decoder.h"

/* Decoders that only tests know, for what a real one cannot be made to do. Each can be wrapped round any
 * bytes; the makers return malloc'ed memory.
 *
 *   runs  "RUNS", the size to announce (OTAPULT_SIZE_UNKNOWN: none), then pairs: how often, which byte. A
 *         count of 0 is an error. What it makes is an image: nothing is looked for in it.
 *   mask  "MASK", one byte, then every byte XOR that one. What it makes may be packed again.
 *   base  "BASE", then an offset: 16 bytes each of the running slot from there. */

extern const struct otapult_decoder decoder_runs, decoder_mask, decoder_base;

uint8_t *pack_runs(const uint8_t *p, size_t n, uint32_t announced, size_t *len);
uint8_t *pack_mask(const uint8_t *p, size_t n, uint8_t mask, size_t *len);

#endif
