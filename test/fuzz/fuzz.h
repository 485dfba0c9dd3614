/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TEST_FUZZ_H
#define TEST_FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What the fuzz targets share. A target is one file, fuzz_<name>.c, that defines LLVMFuzzerTestOneInput()
 * and, where random bytes would not get deep, LLVMFuzzerCustomMutator(). `make fuzz` links it with
 * libFuzzer; `make test` links it with replay_main.c, which needs no libFuzzer.
 *
 * The first bytes of an input choose settings, the rest is what is parsed. The same input always does the
 * same thing. An expectation that does not hold ends the program. */

int    LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned int seed);
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size); /* libFuzzer's, or replay_main.c's */

#define FUZZ_EXPECT(condition) ((condition) ? (void)0 : fuzz_fail(#condition, __FILE__, __LINE__))
_Noreturn void fuzz_fail(const char *what, const char *file, int line);

typedef int fuzz_feed(void *stage, const uint8_t *p, size_t n);

/* Feeds data[len] in pieces that `seed` picks, each in memory of its own, so that one byte read too far is
 * seen. Seed 0: all at once; from 0x80: a few bytes each. 0, or the first error. */
int fuzz_feed_pieces(fuzz_feed *feed, void *stage, const uint8_t *data, size_t len, uint8_t seed);

/* Makes p[len] a whole image again after its bytes were changed: segment lengths that fit, load addresses
 * that suit their pages, padding, checksum, SHA-256. `keep` says what stays wrong, one bit each. */
enum { FUZZ_KEEP_LENGTHS = 1, FUZZ_KEEP_PAGES = 2, FUZZ_KEEP_PADDING = 4, FUZZ_KEEP_CHECKSUM = 8, FUZZ_KEEP_SHA = 16 };
void fuzz_mend_image(uint8_t *p, size_t len, unsigned keep);

/* A step of a small generator, for mutators: any seed will do. */
uint32_t fuzz_random(uint32_t *state);

#endif
