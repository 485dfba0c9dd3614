/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OTAPULT_TRUST_SECRET_H
#define OTAPULT_TRUST_SECRET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Compares without telling where the difference is. */
bool otapult_same_secret(const uint8_t *a, const uint8_t *b, size_t len);

/* Overwrites, also where the compiler sees that nobody reads it again. */
void otapult_forget(void *secret, size_t len);

#endif
