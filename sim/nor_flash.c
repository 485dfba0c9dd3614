/* SPDX-License-Identifier: Apache-2.0 */
#include "nor_flash.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* The chip knows nothing of Otapult. Its rules are stricter than a data sheet's, so that a mistake of the
 * core stops a test with an address instead of leaving bytes that nobody looks at: on a real chip programming
 * twice is allowed and silently wrong.
 *
 * A power cut is a longjmp out of the operation. After it no code of the device's life runs, not even one
 * that would free or unlock something: whoever catches it must throw the whole device away. */

#define ERASED 0xFFu

/* A 16 MB quad-SPI chip (W25Q128JV, GD25Q128E) at typical speed. Erases: between the two data sheets.
 * Page: 0.4 to 0.5 ms by the data sheets, more through ESP-IDF, whose SPI1 buffer turns a page into four
 * programs of 64 bytes. Read: two data lines at 80 MHz carry 20 MB/s. */
const struct nor_timing nor_timing_default = {
    .sector_erase = 42500, .block_erase = 200000, .page_program = 750, .read_per_kib = 51};

static _Noreturn void die(const char *what, uint32_t address, uint32_t len)
{
    fprintf(stderr, "nor flash: %s at 0x%08" PRIx32 ", %" PRIu32 " bytes\n", what, address, len);
    abort();
}

/* ---- opening and closing ---- */

static void begin(struct nor_flash *nor, uint8_t *data, size_t size, int fd)
{
    *nor = (struct nor_flash){.data = data, .size = size, .fd = fd, .timing = nor_timing_default};
    nor->wear = calloc(size / NOR_SECTOR, sizeof *nor->wear);
    if (!nor->wear || pthread_mutex_init(&nor->bus, NULL) != 0)
        die("out of memory", 0, (uint32_t)size);
}

void nor_open_memory(struct nor_flash *nor, size_t size)
{
    uint8_t *data = size > 0 && size % NOR_SECTOR == 0 ? malloc(size) : NULL;
    if (!data)
        die("no memory for a chip", 0, (uint32_t)size);
    memset(data, ERASED, size);
    begin(nor, data, size, -1);
}

int nor_open_fd(struct nor_flash *nor, int fd, size_t size)
{
    void *data = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (data == MAP_FAILED)
        return errno;
    begin(nor, data, size, fd);
    return 0;
}

void nor_close(struct nor_flash *nor)
{
    if (nor->fd < 0) {
        free(nor->data);
    } else {
        munmap(nor->data, nor->size);
        close(nor->fd);
    }
    free(nor->wear);
    pthread_mutex_destroy(&nor->bus);
    nor->data = NULL;
    nor->wear = NULL;
}

/* ---- rules ---- */

static void demand_inside(const struct nor_flash *nor, const char *what, uint32_t address, uint32_t len)
{
    if (address > nor->size || len > nor->size - address)
        die(what, address, len);
}

static void demand_programmable(const uint8_t *old, const uint8_t *new, uint32_t address, uint32_t len)
{
    uint8_t violations = 0;

    for (uint32_t i = 0; i < len; i++) /* without a branch: compilers turn it into vector code */
        violations |= (uint8_t)((old[i] != ERASED) & (old[i] != new[i]));
    for (uint32_t i = 0; i < len && violations != 0; i++) {
        if (old[i] == ERASED || old[i] == new[i])
            continue;
        fprintf(stderr, "nor flash: programming 0x%02x over 0x%02x at 0x%08" PRIx32 ", not erased\n", new[i],
                old[i], address + i);
        abort();
    }
}

static bool fails(const struct nor_flash *nor, enum nor_op op, uint32_t address, uint32_t len)
{
    return nor->fail && nor->fail(nor->fault_ctx, op, address, len);
}

static void elapse(const struct nor_flash *nor, uint64_t us)
{
    if (nor->elapse)
        nor->elapse(nor->elapse_ctx, us);
}

/* ---- power ---- */

/* A step of xorshift32. */
static uint32_t next_random(uint32_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 17;
    *state ^= *state << 5;
    return *state;
}

static uint32_t random_from(const struct nor_flash *nor)
{
    uint32_t state = nor->seed * 2654435761u ^ (uint32_t)nor->ops * 40503u;
    return state ? state : 1;
}

/* How power goes at the operation that begins now. */
static enum nor_cut next_cut(struct nor_flash *nor)
{
    nor->ops++;
    return nor->ops == nor->cut_at ? nor->cut : NOR_CUT_NONE;
}

/* No code of the device runs after this, not even the code that would release a lock. */
static _Noreturn void lose_power(struct nor_flash *nor)
{
    jmp_buf *on_cut = nor->on_cut;
    nor_disarm(nor);
    pthread_mutex_unlock(&nor->bus);
    if (!on_cut)
        die("power cut with nowhere to go", 0, 0);
    longjmp(*on_cut, 1);
}

void nor_arm(struct nor_flash *nor, uint64_t at, enum nor_cut cut, uint32_t torn, uint32_t seed,
             jmp_buf *on_cut)
{
    nor->ops = 0;
    nor->cut_at = at;
    nor->cut = cut;
    nor->torn = torn;
    nor->seed = seed;
    nor->on_cut = on_cut;
}

void nor_disarm(struct nor_flash *nor)
{
    nor->cut = NOR_CUT_NONE;
    nor->cut_at = 0;
    nor->on_cut = NULL;
}

/* ---- read ---- */

int nor_read(struct nor_flash *nor, uint32_t address, void *dst, uint32_t len)
{
    demand_inside(nor, "read outside the chip", address, len);
    if (len == 0)
        return 0;
    if (fails(nor, NOR_READ, address, len))
        return -1;

    uint64_t us = ((uint64_t)len * nor->timing.read_per_kib + 1023) / 1024;
    pthread_mutex_lock(&nor->bus);
    memcpy(dst, nor->data + address, len);
    nor->count.reads++;
    nor->count.bytes_read += len;
    nor->count.read_us += us;
    pthread_mutex_unlock(&nor->bus);
    if (nor->lie)
        nor->lie(nor->fault_ctx, address, dst, len);
    elapse(nor, us);
    return 0;
}

/* ---- program ---- */

/* NOR programs from the first byte on, and a byte loses its bits in no order. */
static void tear_program(const struct nor_flash *nor, uint8_t *at, const uint8_t *src, uint32_t len)
{
    uint32_t random = random_from(nor), whole = nor->torn < len ? nor->torn : len;
    memcpy(at, src, whole);
    if (whole < len)
        at[whole] &= (uint8_t)(src[whole] | next_random(&random));
}

static uint64_t program_time(const struct nor_flash *nor, uint32_t address, uint32_t len)
{
    uint32_t first = address / NOR_PAGE, last = (address + len - 1) / NOR_PAGE;
    return (uint64_t)(last - first + 1) * nor->timing.page_program;
}

static int program_once(struct nor_flash *nor, uint32_t address, const uint8_t *src, uint32_t len)
{
    if (fails(nor, NOR_PROGRAM, address, len))
        return -1;

    uint64_t us = program_time(nor, address, len);
    pthread_mutex_lock(&nor->bus);
    demand_programmable(nor->data + address, src, address, len);
    enum nor_cut cut = next_cut(nor);
    if (cut == NOR_CUT_TORN)
        tear_program(nor, nor->data + address, src, len);
    if (cut == NOR_CUT_NONE || cut == NOR_CUT_AFTER) {
        memcpy(nor->data + address, src, len);
        nor->count.programs++;
        nor->count.bytes_programmed += len;
        nor->count.program_us += us;
    }
    if (cut != NOR_CUT_NONE)
        lose_power(nor);
    pthread_mutex_unlock(&nor->bus);
    elapse(nor, us);
    return 0;
}

int nor_program(struct nor_flash *nor, uint32_t address, const void *src, uint32_t len)
{
    const uint8_t *p = src;
    demand_inside(nor, "program outside the chip", address, len);
    while (len > 0) {
        uint32_t n = len < NOR_SECTOR ? len : NOR_SECTOR;
        if (program_once(nor, address, p, n) != 0)
            return -1;
        address += n;
        p += n;
        len -= n;
    }
    return 0;
}

/* ---- erase ---- */

/* An erase first clears every bit, then sets them all: what it leaves half-way is anything. */
static void tear_erase(const struct nor_flash *nor, uint8_t *at, uint32_t len)
{
    uint32_t random = random_from(nor), whole = nor->torn < len ? nor->torn : len;
    uint32_t end = len - whole < NOR_SECTOR ? len : whole + NOR_SECTOR;
    memset(at, ERASED, whole);
    for (uint32_t i = whole; i < end; i++) {
        uint32_t r = next_random(&random);
        uint8_t bits = (uint8_t)(r >> 8);
        const uint8_t mixture[4] = {at[i], ERASED, (uint8_t)(at[i] | bits), bits};
        at[i] = mixture[r & 3];
    }
}

static void count_erase(struct nor_flash *nor, uint32_t address, uint32_t len, uint64_t us)
{
    for (uint32_t n = 0; n < len / NOR_SECTOR; n++)
        nor->wear[address / NOR_SECTOR + n]++;
    if (len == NOR_BLOCK)
        nor->count.block_erases++;
    else
        nor->count.sector_erases++;
    nor->count.erase_us += us;
}

static int erase_once(struct nor_flash *nor, uint32_t address, uint32_t len)
{
    if (fails(nor, NOR_ERASE, address, len))
        return -1;

    uint64_t us = len == NOR_BLOCK ? nor->timing.block_erase : nor->timing.sector_erase;
    pthread_mutex_lock(&nor->bus);
    enum nor_cut cut = next_cut(nor);
    if (cut != NOR_CUT_BEFORE)
        count_erase(nor, address, len, us);
    if (cut == NOR_CUT_TORN)
        tear_erase(nor, nor->data + address, len);
    if (cut == NOR_CUT_NONE || cut == NOR_CUT_AFTER)
        memset(nor->data + address, ERASED, len);
    if (cut != NOR_CUT_NONE)
        lose_power(nor);
    pthread_mutex_unlock(&nor->bus);
    elapse(nor, us);
    return 0;
}

int nor_erase(struct nor_flash *nor, uint32_t address, uint32_t len)
{
    demand_inside(nor, "erase outside the chip", address, len);
    if (address % NOR_SECTOR != 0 || len % NOR_SECTOR != 0)
        die("erase not on sector boundaries", address, len);
    while (len > 0) {
        uint32_t n = address % NOR_BLOCK == 0 && len >= NOR_BLOCK ? NOR_BLOCK : NOR_SECTOR;
        if (erase_once(nor, address, n) != 0)
            return -1;
        address += n;
        len -= n;
    }
    return 0;
}
