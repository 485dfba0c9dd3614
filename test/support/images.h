/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TEST_IMAGES_H
#define TEST_IMAGES_H

#include <stddef.h>
#include <stdint.h>

/* Firmware for tests that need nothing of it but that it differs: versions 1.0.0, 2.0.0 and 3.0.0, each with a build
 * id of its own, about 9000 bytes long. There from images_make() to images_free(), which are cmocka's group set-up
 * and tear-down. */
extern uint8_t *v1, *v2, *v3;
extern size_t   v1_len, v2_len, v3_len;

int images_make(void **state);
int images_free(void **state);

/* As images_make(), about `size` bytes long. 0, or -1: no memory. */
int images_make_of(uint32_t size);

/* A test's set-up and tear-down: *state is a world that runs v1 from the first of two OTA slots (struct world). */
int images_world(void **state);
int images_world_end(void **state);

/* One more, of about `size` bytes; the caller frees it. Equal arguments give equal images. */
uint8_t *images_one(const char *version, uint32_t seed, uint32_t size, size_t *len);

#endif
