/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "nor_flash.h"

#define CHIP (4 * NOR_BLOCK)

static struct nor_flash nor;

static int open_chip(void **state)
{
    (void)state;
    nor_open_memory(&nor, CHIP);
    return 0;
}

static int close_chip(void **state)
{
    (void)state;
    nor_close(&nor);
    return 0;
}

static bool all_are(uint32_t from, uint32_t to, uint8_t value)
{
    for (uint32_t i = from; i < to; i++)
        if (nor.data[i] != value)
            return false;
    return true;
}

static void fill(uint32_t address, uint32_t len, uint8_t value)
{
    memset(nor.data + address, value, len);
}

/* ---- what it does ---- */

static void test_a_fresh_chip_is_erased(void **state)
{
    (void)state;
    uint8_t byte = 0;
    assert_true(all_are(0, CHIP, 0xFF));
    assert_int_equal(nor_read(&nor, CHIP - 1, &byte, 1), 0);
    assert_int_equal(byte, 0xFF);
}

static void test_programs_once_a_byte(void **state)
{
    (void)state;
    uint8_t back[4];
    assert_int_equal(nor_program(&nor, 10, "\x12\x34", 2), 0);
    assert_int_equal(nor_program(&nor, 10, "\x12\x34\x56", 3), 0); /* the same again, and a new one */
    assert_int_equal(nor_read(&nor, 10, back, 4), 0);
    assert_memory_equal(back, "\x12\x34\x56\xFF", 4);
}

static void test_erases_by_blocks_where_it_can(void **state)
{
    (void)state;
    fill(0, CHIP, 0);
    assert_int_equal(nor_erase(&nor, NOR_BLOCK - NOR_SECTOR, 2 * NOR_BLOCK), 0);
    assert_int_equal(nor.count.block_erases, 1);
    assert_int_equal(nor.count.sector_erases, 16);
    assert_int_equal(nor.count.erase_us, 200000 + 16 * 42500);
    assert_int_equal(nor.ops, 17);
    assert_true(all_are(0, NOR_BLOCK - NOR_SECTOR, 0));
    assert_true(all_are(NOR_BLOCK - NOR_SECTOR, 3 * NOR_BLOCK - NOR_SECTOR, 0xFF));
    assert_true(all_are(3 * NOR_BLOCK - NOR_SECTOR, CHIP, 0));
    assert_int_equal(nor.wear[14], 0);
    for (int sector = 15; sector < 47; sector++)
        assert_int_equal(nor.wear[sector], 1);
    assert_int_equal(nor.wear[47], 0);
}

static void test_counts_pages_and_bytes(void **state)
{
    (void)state;
    uint8_t bytes[2 * NOR_SECTOR + 1];
    memset(bytes, 0, sizeof bytes);
    assert_int_equal(nor_program(&nor, 255, bytes, 2), 0); /* two pages */
    assert_int_equal(nor.count.program_us, 2 * 750);
    assert_int_equal(nor_program(&nor, NOR_BLOCK, bytes, sizeof bytes), 0);
    assert_int_equal(nor.count.programs, 1 + 3);
    assert_int_equal(nor.count.bytes_programmed, 2 + sizeof bytes);
    assert_int_equal(nor.count.program_us, (2 + 16 + 16 + 1) * 750);
    assert_int_equal(nor_read(&nor, 0, bytes, 4096), 0);
    assert_int_equal(nor.count.reads, 1);
    assert_int_equal(nor.count.bytes_read, 4096);
    assert_int_equal(nor.count.read_us, 4 * nor.timing.read_per_kib);
}

static void test_nothing_costs_nothing(void **state)
{
    (void)state;
    assert_int_equal(nor_read(&nor, CHIP, &nor, 0), 0);
    assert_int_equal(nor_program(&nor, CHIP, "", 0), 0);
    assert_int_equal(nor_erase(&nor, CHIP, 0), 0);
    assert_int_equal(nor.ops, 0);
    assert_int_equal(nor.count.reads, 0);
}

static void sum_time(void *ctx, uint64_t us)
{
    *(uint64_t *)ctx += us;
}

static void test_tells_the_time_of_each_operation(void **state)
{
    (void)state;
    uint64_t total = 0;
    uint8_t bytes[300] = {0};
    nor.timing =
        (struct nor_timing){.sector_erase = 7, .block_erase = 50, .page_program = 3, .read_per_kib = 1024};
    nor.elapse = sum_time;
    nor.elapse_ctx = &total;
    assert_int_equal(nor_erase(&nor, 0, NOR_BLOCK + NOR_SECTOR), 0);
    assert_int_equal(total, 57);
    assert_int_equal(nor_program(&nor, 0, bytes, 300), 0);
    assert_int_equal(total, 57 + 6);
    assert_int_equal(nor_read(&nor, 0, bytes, 10), 0);
    assert_int_equal(total, 57 + 6 + 10);
}

/* ---- what it does not forgive ---- */

static void over_program(void)
{
    assert_int_equal(nor_program(&nor, 0, "\x0F", 1), 0);
    assert_int_equal(nor_program(&nor, 0, "\x0E", 1),
                     0); /* only clears a bit, but the byte was programmed before */
}
static void set_a_bit(void)
{
    assert_int_equal(nor_program(&nor, 0, "\x0F", 1), 0);
    assert_int_equal(nor_program(&nor, 0, "\xFF", 1), 0);
}
static void erase_half_a_sector(void)
{
    assert_int_equal(nor_erase(&nor, 0, NOR_SECTOR / 2), 0);
}
static void erase_across_sectors(void)
{
    assert_int_equal(nor_erase(&nor, NOR_SECTOR / 2, NOR_SECTOR), 0);
}
static void erase_outside(void)
{
    assert_int_equal(nor_erase(&nor, CHIP - NOR_SECTOR, 2 * NOR_SECTOR), 0);
}
static void program_outside(void)
{
    assert_int_equal(nor_program(&nor, CHIP - 1, "\0\0", 2), 0);
}
static void read_outside(void)
{
    uint8_t b[2];
    assert_int_equal(nor_read(&nor, CHIP - 1, b, 2), 0);
}
static void read_far_outside(void)
{
    uint8_t b[2];
    assert_int_equal(nor_read(&nor, 0xFFFFFFFF, b, 2), 0); /* address + length wraps */
}
static void cut_without_a_place_to_go(void)
{
    nor_arm(&nor, 1, NOR_CUT_AFTER, 0, 0, NULL);
    assert_int_equal(nor_erase(&nor, 0, NOR_SECTOR), 0);
}

static bool aborts(void (*violate)(void))
{
    int status;
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        signal(SIGABRT, SIG_DFL);
        if (!freopen("/dev/null", "w", stderr))
            _exit(2);
        violate();
        _exit(0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    return WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT;
}

static void do_nothing(void)
{
}

static void test_violations_abort(void **state)
{
    (void)state;
    static void (*const violations[])(void) = {
        over_program,    set_a_bit,    erase_half_a_sector, erase_across_sectors,     erase_outside,
        program_outside, read_outside, read_far_outside,    cut_without_a_place_to_go};
    assert_false(aborts(do_nothing));
    for (size_t i = 0; i < sizeof violations / sizeof *violations; i++) {
        if (!aborts(violations[i]))
            fail_msg("violation %zu was forgiven", i);
    }
}

/* ---- power ---- */

static bool cut_program(enum nor_cut cut, uint32_t torn, uint32_t seed, const uint8_t *src, uint32_t len)
{
    jmp_buf gone;
    nor_arm(&nor, 1, cut, torn, seed, &gone);
    if (setjmp(gone) != 0)
        return true;
    assert_int_equal(nor_program(&nor, 100, src, len), 0);
    return false;
}

static void test_cut_of_a_program(void **state)
{
    (void)state;
    uint8_t bytes[40];
    memset(bytes, 0x5A, sizeof bytes);
    assert_true(cut_program(NOR_CUT_BEFORE, 0, 0, bytes, sizeof bytes));
    assert_true(all_are(0, CHIP, 0xFF));
    assert_true(cut_program(NOR_CUT_AFTER, 0, 0, bytes, sizeof bytes));
    assert_true(all_are(100, 140, 0x5A));
    assert_true(all_are(140, CHIP, 0xFF));
    assert_int_equal(nor.count.programs, 1);
}

static void test_torn_program_at_every_byte(void **state)
{
    (void)state;
    uint8_t bytes[40];
    unsigned half_programmed = 0;
    memset(bytes, 0, sizeof bytes);
    for (uint32_t torn = 0; torn <= sizeof bytes; torn++) {
        fill(100, sizeof bytes, 0xFF);
        assert_true(cut_program(NOR_CUT_TORN, torn, 7, bytes, sizeof bytes));
        assert_true(all_are(100, 100 + torn, 0));
        assert_true(all_are(100 + torn + 1, CHIP, 0xFF));
        half_programmed += nor.data[100 + torn] != 0 && nor.data[100 + torn] != 0xFF;
    }
    assert_true(half_programmed > 30);
    assert_true(all_are(0, 100, 0xFF));
}

static bool cut_erase(uint64_t at, enum nor_cut cut, uint32_t torn, uint32_t seed)
{
    jmp_buf gone;
    nor_arm(&nor, at, cut, torn, seed, &gone);
    if (setjmp(gone) != 0)
        return true;
    assert_int_equal(nor_erase(&nor, NOR_BLOCK, NOR_BLOCK + 2 * NOR_SECTOR), 0);
    nor_disarm(&nor);
    return false;
}

/* How far the erase got: whole units, since cuts fall between them. */
static void assert_erased_until(uint32_t end)
{
    assert_true(all_are(0, NOR_BLOCK, 0x11));
    assert_true(all_are(NOR_BLOCK, end, 0xFF));
    assert_true(all_are(end, CHIP, 0x11));
}

static void test_cut_between_erase_units(void **state)
{
    (void)state;
    const uint32_t ends[] = {NOR_BLOCK, 2 * NOR_BLOCK, 2 * NOR_BLOCK + NOR_SECTOR,
                             2 * NOR_BLOCK + 2 * NOR_SECTOR};
    for (uint64_t at = 1; at <= 3; at++) {
        fill(0, CHIP, 0x11);
        assert_true(cut_erase(at, NOR_CUT_BEFORE, 0, 0));
        assert_erased_until(ends[at - 1]);
        fill(0, CHIP, 0x11);
        assert_true(cut_erase(at, NOR_CUT_AFTER, 0, 0));
        assert_erased_until(ends[at]);
    }
    fill(0, CHIP, 0x11);
    assert_false(cut_erase(4, NOR_CUT_BEFORE, 0, 0));
    assert_erased_until(ends[3]);
}

static void test_torn_erase(void **state)
{
    (void)state;
    const uint32_t lengths[] = {0, 1, 4095, 4096, 30000, NOR_BLOCK - 1, NOR_BLOCK, NOR_BLOCK + 5};
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        uint32_t torn = lengths[i] < NOR_BLOCK ? lengths[i] : NOR_BLOCK;
        uint32_t end = NOR_BLOCK - torn < NOR_SECTOR ? NOR_BLOCK : torn + NOR_SECTOR;
        fill(0, CHIP, 0x11);
        assert_true(cut_erase(1, NOR_CUT_TORN, lengths[i], 3));
        assert_true(all_are(0, NOR_BLOCK, 0x11));
        assert_true(all_are(NOR_BLOCK, NOR_BLOCK + torn, 0xFF));
        assert_true(all_are(NOR_BLOCK + end, CHIP, 0x11));
        if (end - torn == NOR_SECTOR) {
            assert_false(all_are(NOR_BLOCK + torn, NOR_BLOCK + end, 0xFF));
            assert_false(all_are(NOR_BLOCK + torn, NOR_BLOCK + end, 0x11));
        }
    }
}

static void test_torn_erase_depends_on_the_seed(void **state)
{
    (void)state;
    static uint8_t first[NOR_SECTOR];
    fill(0, CHIP, 0x11);
    assert_true(cut_erase(1, NOR_CUT_TORN, 0, 3));
    memcpy(first, nor.data + NOR_BLOCK, sizeof first);
    fill(0, CHIP, 0x11);
    assert_true(cut_erase(1, NOR_CUT_TORN, 0, 3));
    assert_memory_equal(first, nor.data + NOR_BLOCK, sizeof first);
    fill(0, CHIP, 0x11);
    assert_true(cut_erase(1, NOR_CUT_TORN, 0, 4));
    assert_memory_not_equal(first, nor.data + NOR_BLOCK, sizeof first);
}

static void test_power_is_back_after_a_cut(void **state)
{
    (void)state;
    assert_true(cut_erase(1, NOR_CUT_BEFORE, 0, 0));
    assert_int_equal(nor_erase(&nor, 0, NOR_SECTOR), 0);
    assert_int_equal(nor_program(&nor, 0, "\0", 1), 0);
    assert_int_equal(nor.data[0], 0);
}

/* ---- faults ---- */

struct fault {
    enum nor_op op;
    uint32_t address, len;
    unsigned asked;
};

static bool fail_at(void *ctx, enum nor_op op, uint32_t address, uint32_t len)
{
    struct fault *f = ctx;
    f->asked++;
    return f->op == op && f->address == address && f->len == len;
}

static void flip_a_bit(void *ctx, uint32_t address, uint8_t *buf, uint32_t len)
{
    (void)ctx;
    if (address <= 5 && 5 - address < len)
        buf[5 - address] ^= 1;
}

static void test_failing_operations_do_nothing(void **state)
{
    (void)state;
    uint8_t byte = 0x77;
    struct fault f = {NOR_ERASE, NOR_BLOCK, NOR_BLOCK, 0};
    nor.fail = fail_at;
    nor.fault_ctx = &f;
    fill(0, CHIP, 0);
    assert_int_equal(nor_erase(&nor, NOR_BLOCK - NOR_SECTOR, NOR_BLOCK + NOR_SECTOR), -1);
    assert_int_equal(f.asked, 2);
    assert_true(all_are(NOR_BLOCK - NOR_SECTOR, NOR_BLOCK, 0xFF));
    assert_true(all_are(NOR_BLOCK, CHIP, 0));

    fill(0, CHIP, 0xFF);
    f = (struct fault){NOR_PROGRAM, 8, 1, 0};
    assert_int_equal(nor_program(&nor, 8, "\0", 1), -1);
    assert_true(all_are(0, CHIP, 0xFF));
    f = (struct fault){NOR_READ, 8, 1, 0};
    assert_int_equal(nor_read(&nor, 8, &byte, 1), -1);
    assert_int_equal(byte, 0x77);
    assert_int_equal(nor_read(&nor, 9, &byte, 1), 0);
    assert_int_equal(byte, 0xFF);
}

static void test_reads_can_lie(void **state)
{
    (void)state;
    uint8_t b[2];
    nor.lie = flip_a_bit;
    assert_int_equal(nor_read(&nor, 4, b, 2), 0);
    assert_int_equal(b[0], 0xFF);
    assert_int_equal(b[1], 0xFE);
    assert_true(all_are(0, CHIP, 0xFF));
}

static void *program_own_quarter(void *arg)
{
    uint32_t base = *(uint32_t *)arg;
    uint8_t bytes[16] = {0};
    for (uint32_t at = 0; at < NOR_SECTOR; at += sizeof bytes)
        if (nor_program(&nor, base + at, bytes, sizeof bytes) != 0)
            return arg;
    return NULL;
}

static void test_two_threads_take_turns(void **state)
{
    (void)state;
    uint32_t bases[2] = {0, NOR_BLOCK};
    pthread_t threads[2];
    for (int i = 0; i < 2; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, program_own_quarter, &bases[i]), 0);
    for (int i = 0; i < 2; i++) {
        void *failed = &bases[i];
        assert_int_equal(pthread_join(threads[i], &failed), 0);
        assert_null(failed);
    }
    assert_int_equal(nor.count.programs, 512);
    assert_int_equal(nor.ops, 512);
    assert_int_equal(nor.count.bytes_programmed, 2 * NOR_SECTOR);
}

#define ON_CHIP(test) cmocka_unit_test_setup_teardown(test, open_chip, close_chip)

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_CHIP(test_a_fresh_chip_is_erased),
        ON_CHIP(test_programs_once_a_byte),
        ON_CHIP(test_erases_by_blocks_where_it_can),
        ON_CHIP(test_counts_pages_and_bytes),
        ON_CHIP(test_nothing_costs_nothing),
        ON_CHIP(test_tells_the_time_of_each_operation),
        ON_CHIP(test_violations_abort),
        ON_CHIP(test_cut_of_a_program),
        ON_CHIP(test_torn_program_at_every_byte),
        ON_CHIP(test_cut_between_erase_units),
        ON_CHIP(test_torn_erase),
        ON_CHIP(test_torn_erase_depends_on_the_seed),
        ON_CHIP(test_power_is_back_after_a_cut),
        ON_CHIP(test_failing_operations_do_nothing),
        ON_CHIP(test_reads_can_lie),
        ON_CHIP(test_two_threads_take_turns),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
