/* SPDX-License-Identifier: Apache-2.0 */
#include "base/bytes.h"

uint16_t otapult_le16(const uint8_t *p)
{
    return (uint16_t)(p[0] | p[1] << 8);
}

uint32_t otapult_le32(const uint8_t *p)
{
    return otapult_le16(p) | (uint32_t)otapult_le16(p + 2) << 16;
}

void otapult_put_le32(uint8_t *p, uint32_t v)
{
    for (int i = 0; i < 4; i++, v >>= 8)
        p[i] = (uint8_t)v;
}

bool otapult_has_only(const uint8_t *p, size_t n, uint8_t value)
{
    for (size_t i = 0; i < n; i++)
        if (p[i] != value)
            return false;
    return true;
}
