/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TEST_TABLE_MAKER_H
#define TEST_TABLE_MAKER_H

#include <stdint.h>

/* Makes partition tables for tests, without an MD5 entry (the bootloader does not demand one). */
#define TABLE_MAKER_SIZE 0xC00u

struct table_part {
    uint8_t     type, subtype;
    uint32_t    offset, size;
    const char *label; /* at most 16 characters */
};

void table_make(uint8_t table[TABLE_MAKER_SIZE], const struct table_part *parts, unsigned count);

#endif
