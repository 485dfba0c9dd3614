/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TEST_HEX_H
#define TEST_HEX_H

#include <stddef.h>
#include <stdint.h>

/* p[n] as 2n lower-case digits, terminated. Returns dst. */
char *hex_of(const uint8_t *p, size_t n, char *dst);

#endif
