/* SPDX-License-Identifier: Apache-2.0 */
#include "hex.h"

#include <stdio.h>

char *hex_of(const uint8_t *p, size_t n, char *dst)
{
    for (size_t i = 0; i < n; i++)
        sprintf(dst + 2 * i, "%02x", p[i]);
    return dst;
}
