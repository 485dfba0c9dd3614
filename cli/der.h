/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_DER_H
#define CLI_DER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* As much of DER as keys and signatures need: an element at a time, definite lengths. */

#define DER_INTEGER      0x02u
#define DER_BIT_STRING   0x03u
#define DER_OCTET_STRING 0x04u
#define DER_SEQUENCE     0x30u

struct der {
    const uint8_t *at, *end;
};

/* The element at d->at, which must have that tag: *content is what is in it, and d->at moves behind it. */
bool der_take(struct der *d, uint8_t tag, struct der *content);

/* A positive INTEGER as `size` bytes, highest first, with zeros in front. false: it is no such number. */
bool der_take_number(struct der *d, uint8_t *dst, size_t size);

#endif
