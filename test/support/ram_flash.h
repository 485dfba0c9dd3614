/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TEST_RAM_FLASH_H
#define TEST_RAM_FLASH_H

#include <stdbool.h>

#include "otapult/port.h"

/* A struct otapult_flash over a buffer of malloc that holds the core to its promises (otapult/port.h):
 *   - a write lies inside one sector, starts and ends at a multiple of 16, and meets only 0xFF;
 *   - an erase is one sector or one block, at a multiple of its own length;
 *   - nothing lies outside.
 * What breaks a promise is not done, returns OTAPULT_E_INTERNAL, and fails the test in ram_flash_end().
 * Every call is logged; calls can be made to fail, or to spoil a byte. */

enum ram_op { RAM_READ, RAM_WRITE, RAM_ERASE };

struct ram_call {
    enum ram_op op;
    uint32_t    off, len;
    const void *data; /* the caller's buffer; NULL for an erase */
};

#define RAM_FLASH_LOG 2048u

struct ram_flash {
    struct otapult_flash flash; /* hand this to the core; its ctx is this struct */
    uint8_t        *data;
    struct ram_call log[RAM_FLASH_LOG]; /* the first calls; `calls` may be more */
    uint32_t        calls;
    const char     *violation; /* the first one; NULL: none */

    /* Call number `fail_at` (from 1; 0: none) returns `fail_with`, every later one too if `for_good`. Of
     * a write or erase that fails the first `done` bytes happen. */
    uint32_t fail_at;
    bool     for_good;
    int      fail_with;
    uint32_t done;

    /* Call number `spoil_at` (0: none) flips the bits `spoil_mask` of byte `spoil_byte` of its range: a
     * read lies to its caller, a write stores it. */
    uint32_t spoil_at, spoil_byte;
    uint8_t  spoil_mask;
};

/* All bytes are `fill`. sector and block as in struct otapult_flash. */
void ram_flash_begin(struct ram_flash *f, uint32_t size, uint32_t sector, uint32_t block, uint8_t fill);

/* Forgets log, violation, failures and spoiling; the bytes stay. */
void ram_flash_reset(struct ram_flash *f);

void ram_flash_fail(struct ram_flash *f, uint32_t at, bool for_good, int err, uint32_t done);
void ram_flash_spoil(struct ram_flash *f, uint32_t at, uint32_t byte, uint8_t mask);

/* Of `op` so far. */
unsigned ram_flash_count(const struct ram_flash *f, enum ram_op op);

/* Writes and erases as text: "E0+65536 W16+4080 W4096+4096". */
void ram_flash_text(const struct ram_flash *f, char *dst, size_t cap);

/* Frees the buffer; fails the test when there was a violation. */
void ram_flash_end(struct ram_flash *f);

#endif
