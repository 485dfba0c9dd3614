/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OTAPULT_HOST_NOR_FLASH_H
#define OTAPULT_HOST_NOR_FLASH_H

#include <pthread.h>
#include <setjmp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "otapult/error.h"

/* An emulated NOR flash chip, in memory or in a file that is mapped. Stricter than any chip:
 *   - erasing sets whole 4 KB sectors or 64 KB blocks to 0xFF, at their own alignment;
 *   - a byte is programmed once between erases: programming one that is not 0xFF is a violation,
 *     unless it stays what it is;
 *   - access outside the chip is a violation.
 * A violation prints address, old and new byte and aborts the program.
 * It counts every operation, can lose power at any of them, can fail or lie on purpose, and keeps a
 * clock of what the operations would have cost on a real chip.
 *
 * An operation is a read, the programming of up to 4096 bytes, or the erase of one sector or block; a
 * longer call is several. Calls may come from several threads: operations take turns, as on a bus. */

#define NOR_SECTOR 4096u
#define NOR_BLOCK  65536u
#define NOR_PAGE   256u

struct nor_timing { /* microseconds; nor_timing_default is the data sheet's typical */
    uint32_t sector_erase, block_erase, page_program, read_per_kib;
};
extern const struct nor_timing nor_timing_default; /* 42,500; 200,000; 750; see the .c */

enum nor_op { NOR_READ, NOR_PROGRAM, NOR_ERASE };

/* How power goes at the chosen operation. */
enum nor_cut {
    NOR_CUT_NONE,
    NOR_CUT_BEFORE, /* nothing of it happens */
    NOR_CUT_TORN,   /* its first `torn` bytes happen, the byte after them has some of its bits cleared;
                     * of an erase: the first `torn` bytes read 0xFF, the next sector's worth may hold
                     * anything. `seed` picks what. */
    NOR_CUT_AFTER,  /* it is complete, nothing after it */
};

struct nor_counters {
    uint64_t reads, programs, sector_erases, block_erases; /* operations that happened */
    uint64_t bytes_read, bytes_programmed;
    uint64_t read_us, program_us, erase_us; /* modelled time */
};

struct nor_flash {
    uint8_t *data;
    size_t   size;
    int      fd;       /* -1: in memory */
    uint32_t *wear;    /* erases of each sector, size / NOR_SECTOR of them */
    struct nor_timing   timing;
    struct nor_counters count;
    void (*elapse)(void *ctx, uint64_t us); /* called after each operation; NULL: time only counts */
    void *elapse_ctx;
    pthread_mutex_t bus; /* held during an operation; never during a callback, nor when power goes */

    /* power: operation number `cut_at` (programs and erases, counted from 1 since nor_arm or nor_open) */
    uint64_t     ops;
    uint64_t     cut_at;
    enum nor_cut cut;
    uint32_t     torn;
    uint32_t     seed;
    jmp_buf     *on_cut; /* where the device's life ends: no code of it runs after a cut */

    /* faults: fail(op, address, length) returns true to make that operation do nothing but return an
     * error; may be NULL. lie(address, buffer, length) may change what a read returns; may be NULL. */
    bool (*fail)(void *ctx, enum nor_op op, uint32_t address, uint32_t len);
    void (*lie)(void *ctx, uint32_t address, uint8_t *buf, uint32_t len);
    void *fault_ctx;
};

/* A fresh chip, all 0xFF, in memory. Aborts when memory is short. */
void nor_open_memory(struct nor_flash *nor, size_t size);

/* The chip kept in an open file of `size` bytes, a multiple of NOR_SECTOR. 0, or errno. From 0 on `fd` is the
 * chip's, which closes it. */
OTAPULT_MUST_CHECK int nor_open_fd(struct nor_flash *nor, int fd, size_t size);

void nor_close(struct nor_flash *nor);

/* 0, or -1 when `fail` said so: then earlier operations of the call have happened, later ones not. An
 * erase goes by blocks where the address is a block's and a whole block remains, else by sectors, as
 * ESP-IDF's driver does. */
OTAPULT_MUST_CHECK int nor_read(struct nor_flash *nor, uint32_t address, void *dst, uint32_t len);
OTAPULT_MUST_CHECK int nor_program(struct nor_flash *nor, uint32_t address, const void *src, uint32_t len);
OTAPULT_MUST_CHECK int nor_erase(struct nor_flash *nor, uint32_t address, uint32_t len); /* multiples of NOR_SECTOR */

/* Cuts power at program or erase number `at` from now on: longjmps to *on_cut with 1 when it happens, and
 * is disarmed then, so that the next life can begin. */
void nor_arm(struct nor_flash *nor, uint64_t at, enum nor_cut cut, uint32_t torn, uint32_t seed,
             jmp_buf *on_cut);
void nor_disarm(struct nor_flash *nor);

#endif
