/* SPDX-License-Identifier: Apache-2.0 */
#include "trust/secret.h"

bool otapult_same_secret(const uint8_t *a, const uint8_t *b, size_t len)
{
    volatile uint8_t difference = 0; /* volatile: no early end, whatever the compiler knows */

    for (size_t i = 0; i < len; i++)
        difference = (uint8_t)(difference | (a[i] ^ b[i]));
    return difference == 0;
}

void otapult_forget(void *secret, size_t len)
{
    volatile uint8_t *p = secret;

    while (len-- > 0)
        *p++ = 0;
}
