/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OTAPULT_BASE_BYTES_H
#define OTAPULT_BASE_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Little-endian integers at any address. */

uint16_t otapult_le16(const uint8_t *p);
uint32_t otapult_le32(const uint8_t *p);
void     otapult_put_le32(uint8_t *p, uint32_t v);

/* CRC-32 of gzip, zip and Ethernet: 0 to begin with, then what the last call returned. */
uint32_t otapult_crc32(uint32_t crc, const uint8_t *p, size_t n);

/* Value of a hexadecimal digit, in either case; 16: it is none. */
uint32_t otapult_hex_digit(char c);

/* Reads dst[n] from 2 * n hexadecimal digits. false: one of them is none, a NUL too, behind which nothing is read; then
 * dst holds anything. */
bool otapult_read_hex(const char *text, uint8_t *dst, size_t n);

/* Is every one of n bytes `value`? */
bool otapult_has_only(const uint8_t *p, size_t n, uint8_t value);

#endif
