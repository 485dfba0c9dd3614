/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OTAPULT_TRUST_SECRET_H
#define OTAPULT_TRUST_SECRET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Takes the same time wherever the difference is, so that the time of an answer tells nothing of a secret. */
bool otapult_same_secret(const uint8_t *a, const uint8_t *b, size_t len);

/* Overwrites with zeros, also where the compiler sees that nothing reads it again. */
void otapult_forget(void *secret, size_t len);

#endif
