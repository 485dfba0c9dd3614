/* SPDX-License-Identifier: Apache-2.0 */
#include "table_maker.h"

#include <string.h>

static void put32(uint8_t *p, uint32_t v)
{
    for (int i = 0; i < 4; i++)
        p[i] = (uint8_t)(v >> 8 * i);
}

void table_make(uint8_t table[TABLE_MAKER_SIZE], const struct table_part *parts, unsigned count)
{
    memset(table, 0xFF, TABLE_MAKER_SIZE);
    for (unsigned n = 0; n < count; n++) {
        uint8_t *p = table + 32 * n;
        memset(p, 0, 32);
        p[0] = 0xAA;
        p[1] = 0x50;
        p[2] = parts[n].type;
        p[3] = parts[n].subtype;
        put32(p + 4, parts[n].offset);
        put32(p + 8, parts[n].size);
        memcpy(p + 12, parts[n].label, strnlen(parts[n].label, 16));
    }
}
