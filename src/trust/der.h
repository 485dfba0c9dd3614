/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OTAPULT_TRUST_DER_H
#define OTAPULT_TRUST_DER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "otapult/error.h"

/* As much of DER (X.690) as keys, signatures and one certificate need: definite lengths up to 65535. The reader is
 * not strict, it also takes a length in more bytes than it needs, for what it reads is no proof: the device reads only
 * what it wrote itself, and compares or verifies that; the command reads key files and signatures of its user. */

#define OTAPULT_DER_INTEGER      0x02u
#define OTAPULT_DER_BIT_STRING   0x03u
#define OTAPULT_DER_OCTET_STRING 0x04u
#define OTAPULT_DER_UTF8         0x0Cu
#define OTAPULT_DER_SEQUENCE     0x30u
#define OTAPULT_DER_SET          0x31u
#define OTAPULT_DER_CONTEXT(n)   (0x80u | (n)) /* [n], primitive */
#define OTAPULT_DER_EXPLICIT(n)  (0xA0u | (n)) /* [n], constructed */

/* ---- writing ----
 *
 * From the end to the beginning: when the header of an element is due, the length of what is in it is
 * known. What comes last is written first. */
struct otapult_der_writer {
    uint8_t *begin; /* of the room */
    uint8_t *at;    /* what is written stands from here on */
    bool     full;  /* something did not fit: what stands there is good for nothing */
};

void otapult_der_put(struct otapult_der_writer *w, const void *bytes, size_t len);

/* The header of an element: what was written since w->at was `end` becomes its content. */
void otapult_der_wrap(struct otapult_der_writer *w, uint8_t tag, const uint8_t *end);

/* A positive INTEGER, highest byte first in n[len]. */
void otapult_der_put_number(struct otapult_der_writer *w, const uint8_t *n, size_t len);

/* ---- reading ---- */

struct otapult_der {
    const uint8_t *at, *end;
};

/* The element at d->at, which must have that tag: *content is what is in it, and d->at moves behind it. */
OTAPULT_MUST_CHECK bool otapult_der_take(struct otapult_der *d, uint8_t tag, struct otapult_der *content);

/* A BIT STRING of whole bytes: *content is these bytes. */
OTAPULT_MUST_CHECK bool otapult_der_take_bits(struct otapult_der *d, struct otapult_der *content);

/* A positive INTEGER, or an OCTET STRING, as `size` bytes, highest first, with zeros in front. false: it
 * is none, or larger. */
OTAPULT_MUST_CHECK bool otapult_der_take_number(struct otapult_der *d, uint8_t tag, uint8_t *dst, size_t size);

#endif
