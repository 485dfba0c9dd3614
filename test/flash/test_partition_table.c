/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <dlfcn.h>
#include <psa/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "flash/partition_table.h"

#define FLASH_16MB 0x1000000u
#define FLASH_4MB  0x400000u

struct row {
    uint8_t type, subtype;
    uint32_t offset, size;
    const char *label;
};

/* ESP32-S3 facts, 4.4: Arduino's default_16MB and default (4 MB). */
static const struct row arduino_16mb[] = {
    {1, 0x02, 0x9000, 0x5000, "nvs"},        {1, 0x00, 0xE000, 0x2000, "otadata"},
    {0, 0x10, 0x10000, 0x640000, "app0"},    {0, 0x11, 0x650000, 0x640000, "app1"},
    {1, 0x82, 0xC90000, 0x360000, "spiffs"}, {1, 0x03, 0xFF0000, 0x10000, "coredump"},
};
static const struct row arduino_4mb[] = {
    {1, 0x02, 0x9000, 0x5000, "nvs"},        {1, 0x00, 0xE000, 0x2000, "otadata"},
    {0, 0x10, 0x10000, 0x140000, "app0"},    {0, 0x11, 0x150000, 0x140000, "app1"},
    {1, 0x82, 0x290000, 0x160000, "spiffs"}, {1, 0x03, 0x3F0000, 0x10000, "coredump"},
};
static const uint8_t md5_16mb[16] = {0xb3, 0x2d, 0xcd, 0xb8, 0x3b, 0x16, 0x74, 0xaf,
                                     0x27, 0x76, 0x8c, 0x92, 0xb1, 0xf8, 0x8a, 0x62};
static const uint8_t md5_4mb[16] = {0x97, 0x2d, 0xae, 0x2f, 0xf8, 0x72, 0xa0, 0x14,
                                    0x2d, 0x60, 0xba, 0xd1, 0x24, 0xc0, 0x66, 0x6b};

#define ROWS(a) (a), (unsigned)(sizeof(a) / sizeof(a)[0])

/* ---- building tables, without the core ---- */

static void put32(uint8_t *p, uint32_t v)
{
    for (int i = 0; i < 4; i++)
        p[i] = (uint8_t)(v >> 8 * i);
}

static void put_row(uint8_t *p, const struct row *r)
{
    memset(p, 0, 32);
    p[0] = 0xAA;
    p[1] = 0x50;
    p[2] = r->type;
    p[3] = r->subtype;
    put32(p + 4, r->offset);
    put32(p + 8, r->size);
    memcpy(p + 12, r->label, strlen(r->label) < 16 ? strlen(r->label) : 16);
}

static void put_md5(uint8_t *table, unsigned n)
{
    uint8_t *p = table + 32 * n;
    size_t len;
    memset(p, 0xFF, 32);
    p[0] = p[1] = 0xEB;
    assert_int_equal(psa_crypto_init(), PSA_SUCCESS);
    assert_int_equal(psa_hash_compute(PSA_ALG_MD5, table, 32 * n, p + 16, 16, &len), PSA_SUCCESS);
    assert_int_equal(len, 16);
}

static void build(uint8_t table[OTAPULT_TABLE_SIZE], const struct row *rows, unsigned n, bool md5)
{
    memset(table, 0xFF, OTAPULT_TABLE_SIZE);
    for (unsigned i = 0; i < n; i++)
        put_row(table + 32 * i, &rows[i]);
    if (md5)
        put_md5(table, n);
}

static void assert_fault(const uint8_t *table, size_t len, uint32_t flash_size, enum otapult_table_fault want)
{
    unsigned count = 99;
    assert_int_equal(otapult_table_verify(table, len, flash_size, &count), want);
    assert_int_equal(count, 0);
}

static void assert_rows(const uint8_t *table, size_t len, uint32_t flash_size, const struct row *rows,
                        unsigned n)
{
    unsigned count = 99;
    assert_int_equal(otapult_table_verify(table, len, flash_size, &count), OTAPULT_TABLE_OK);
    assert_int_equal(count, n);
    for (unsigned i = 0; i < n; i++) {
        struct otapult_partition p;
        otapult_table_entry(table, i, &p);
        assert_int_equal(p.type, rows[i].type);
        assert_int_equal(p.subtype, rows[i].subtype);
        assert_int_equal(p.offset, rows[i].offset);
        assert_int_equal(p.size, rows[i].size);
        assert_string_equal(p.label, rows[i].label);
        assert_int_equal(p.flags, 0);
    }
}

/* A copy of data[len] whose last byte is the last one that can be read. */
struct guarded {
    uint8_t *pages, *data;
    size_t size;
};

static struct guarded guard(const uint8_t *data, size_t len)
{
    const size_t page = (size_t)sysconf(_SC_PAGESIZE);
    struct guarded g;
    g.size = (len / page + 2) * page;
    g.pages = mmap(NULL, g.size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_true(g.pages != MAP_FAILED);
    assert_int_equal(mprotect(g.pages + g.size - page, page, PROT_NONE), 0);
    g.data = g.pages + g.size - page - len;
    memcpy(g.data, data, len);
    return g;
}

static void unguard(struct guarded *g)
{
    munmap(g->pages, g->size);
}

/* ---- tests ---- */

static void test_published_md5(void **state)
{
    (void)state;
    uint8_t table[OTAPULT_TABLE_SIZE];
    build(table, ROWS(arduino_16mb), true);
    assert_memory_equal(table + 32 * 6 + 16, md5_16mb, 16);
    assert_rows(table, sizeof table, FLASH_16MB, ROWS(arduino_16mb));
    build(table, ROWS(arduino_4mb), true);
    assert_memory_equal(table + 32 * 6 + 16, md5_4mb, 16);
    assert_rows(table, sizeof table, FLASH_4MB, ROWS(arduino_4mb));
}

static void test_find_and_slots(void **state)
{
    (void)state;
    uint8_t table[OTAPULT_TABLE_SIZE];
    struct otapult_partition p;
    build(table, ROWS(arduino_16mb), true);
    assert_int_equal(otapult_table_ota_slots(table, 6), 2);
    assert_true(otapult_table_find(table, 6, OTAPULT_PART_DATA, OTAPULT_PART_DATA_OTA, &p));
    assert_int_equal(p.offset, 0xE000);
    assert_true(otapult_table_find(table, 6, OTAPULT_PART_APP, OTAPULT_PART_APP_OTA_0 + 1, &p));
    assert_string_equal(p.label, "app1");
    assert_false(otapult_table_find(table, 6, OTAPULT_PART_APP, OTAPULT_PART_APP_FACTORY, &p));
    assert_false(otapult_table_find(table, 3, OTAPULT_PART_APP, OTAPULT_PART_APP_OTA_0 + 1, &p));
}

static void test_one_after_the_other(void **state)
{
    (void)state;
    uint8_t table[OTAPULT_TABLE_SIZE];
    struct otapult_partition p, q;
    build(table, ROWS(arduino_16mb), true);
    struct otapult_table verified = {table, 6};
    for (unsigned n = 0; n < 6; n++) {
        assert_true(otapult_table_next(&verified, n, &p));
        otapult_table_entry(table, n, &q);
        assert_string_equal(p.label, q.label);
        assert_int_equal(p.offset, q.offset);
    }
    assert_false(otapult_table_next(&verified, 6, &p));
}

static void test_any_order_and_gaps(void **state)
{
    (void)state;
    static const struct row mixed[] = {
        {0, 0x12, 0x300000, 0x100000, "third"},  {0, 0x14, 0x500000, 0x100000, "behind a gap"},
        {0, 0x10, 0x100000, 0x100000, "first"},  {0, 0x00, 0x010000, 0x0F0000, "factory"},
        {0, 0x11, 0x200000, 0x100000, "second"}, {0, 0x10, 0x600000, 0x100000, "first again"},
    };
    uint8_t table[OTAPULT_TABLE_SIZE];
    struct otapult_partition p;
    build(table, ROWS(mixed), true);
    assert_rows(table, sizeof table, FLASH_16MB, ROWS(mixed));
    assert_int_equal(otapult_table_ota_slots(table, 6), 3);
    assert_int_equal(otapult_table_ota_slots(table, 5), 3);
    assert_int_equal(otapult_table_ota_slots(table, 4), 1); /* no ota_1 among the first four */
    assert_int_equal(otapult_table_ota_slots(table, 2), 0);
    assert_true(otapult_table_find(table, 6, OTAPULT_PART_APP, OTAPULT_PART_APP_OTA_0, &p));
    assert_string_equal(p.label, "first");
}

static void test_sixteen_slots(void **state)
{
    (void)state;
    struct row rows[17];
    uint8_t table[OTAPULT_TABLE_SIZE];
    for (unsigned i = 0; i < 17; i++) /* the 17th is the test app, not ota_16 */
        rows[i] = (struct row){0, (uint8_t)(0x20 - i), 0x10000 * (i + 1), 0x10000, "app"};
    build(table, ROWS(rows), true);
    assert_int_equal(otapult_table_ota_slots(table, 17), OTAPULT_SLOTS_MAX);
}

static void test_labels(void **state)
{
    (void)state;
    static const struct row row[] = {{1, 2, 0x9000, 0x5000, "sixteen_letters_"}};
    uint8_t table[OTAPULT_TABLE_SIZE];
    struct otapult_partition p;
    build(table, ROWS(row), true);
    table[28] = 0x03; /* flags stand right behind the unterminated label */
    put_md5(table, 1);
    otapult_table_entry(table, 0, &p);
    assert_string_equal(p.label, "sixteen_letters_");
    assert_int_equal(p.flags, 3);

    table[12] = '\n';
    table[13] = 0x80;
    table[14] = '\0';
    otapult_table_entry(table, 0, &p);
    assert_string_equal(p.label, "??");
}

static void test_md5_is_not_demanded(void **state)
{
    (void)state;
    uint8_t table[OTAPULT_TABLE_SIZE];
    build(table, ROWS(arduino_16mb), false);
    assert_rows(table, sizeof table, FLASH_16MB, ROWS(arduino_16mb));
    table[32 * 6] = 0; /* nor is the end mark optional */
    assert_fault(table, sizeof table, FLASH_16MB, OTAPULT_TABLE_NO_END);
}

/* ---- a crypto library that says no: these are called in the place of the real ones ---- */

static bool init_fails, hash_fails;

psa_status_t psa_crypto_init(void)
{
    psa_status_t (*real)(void);
    *(void **)&real = dlsym(RTLD_NEXT, __func__);
    return init_fails ? PSA_ERROR_INSUFFICIENT_ENTROPY : real();
}

psa_status_t psa_hash_compute(psa_algorithm_t alg, const uint8_t *input, size_t input_length, uint8_t *hash,
                              size_t hash_size, size_t *hash_length)
{
    psa_status_t (*real)(psa_algorithm_t, const uint8_t *, size_t, uint8_t *, size_t, size_t *);
    *(void **)&real = dlsym(RTLD_NEXT, __func__);
    return hash_fails ? PSA_ERROR_NOT_SUPPORTED
                      : real(alg, input, input_length, hash, hash_size, hash_length);
}

static void test_an_md5_that_cannot_be_made_does_not_fit(void **state)
{
    (void)state;
    uint8_t table[OTAPULT_TABLE_SIZE];
    unsigned count;
    build(table, ROWS(arduino_16mb), true);
    init_fails = true;
    assert_int_equal(otapult_table_verify(table, sizeof table, FLASH_16MB, &count), OTAPULT_TABLE_BAD_MD5);
    init_fails = false;
    hash_fails = true;
    assert_int_equal(otapult_table_verify(table, sizeof table, FLASH_16MB, &count), OTAPULT_TABLE_BAD_MD5);
    hash_fails = false;
    assert_int_equal(otapult_table_verify(table, sizeof table, FLASH_16MB, &count), OTAPULT_TABLE_OK);
}

static void test_faults(void **state)
{
    (void)state;
    uint8_t table[OTAPULT_TABLE_SIZE];
    memset(table, 0xFF, sizeof table);
    assert_fault(table, sizeof table, 0, OTAPULT_TABLE_EMPTY);
    put_md5(table, 0); /* an MD5 of nothing, then the end */
    assert_fault(table, sizeof table, 0, OTAPULT_TABLE_EMPTY);
    memset(table, 0, sizeof table);
    assert_fault(table, sizeof table, 0, OTAPULT_TABLE_EMPTY);

    build(table, ROWS(arduino_16mb), true);
    put_md5(table, 7);
    assert_fault(table, sizeof table, 0, OTAPULT_TABLE_TWO_MD5);

    build(table, ROWS(arduino_16mb), true);
    put_row(table + 32 * 7, &arduino_16mb[0]);
    assert_fault(table, sizeof table, 0, OTAPULT_TABLE_NO_END);

    build(table, ROWS(arduino_16mb), true);
    table[32 * 7 + 3] = 0; /* the magic of an end mark alone does not make one */
    assert_fault(table, sizeof table, 0, OTAPULT_TABLE_NO_END);
    build(table, ROWS(arduino_16mb), true);
    memset(table + 32 * 7 + 4, 0, 28); /* but its rest does not count */
    assert_rows(table, sizeof table, FLASH_16MB, ROWS(arduino_16mb));
}

static void test_outside(void **state)
{
    (void)state;
    uint8_t table[OTAPULT_TABLE_SIZE];
    build(table, ROWS(arduino_16mb), true);
    assert_fault(table, sizeof table, FLASH_16MB - 1, OTAPULT_TABLE_OUTSIDE);
    assert_fault(table, sizeof table, FLASH_4MB, OTAPULT_TABLE_OUTSIDE);
    assert_rows(table, sizeof table, 0, ROWS(arduino_16mb));

    struct row row[] = {{1, 2, 0xFFFFF000u, 0x1000, "wraps to 0"}}; /* offset + size is 0 in 32 bits */
    build(table, ROWS(row), true);
    assert_fault(table, sizeof table, FLASH_16MB, OTAPULT_TABLE_OUTSIDE);
    assert_fault(table, sizeof table, 0, OTAPULT_TABLE_OUTSIDE);
    row[0].size = 0xFFF;
    build(table, ROWS(row), true);
    assert_rows(table, sizeof table, 0, ROWS(row));
    row[0].offset = FLASH_16MB + 1;
    row[0].size = 0;
    build(table, ROWS(row), true);
    assert_fault(table, sizeof table, FLASH_16MB, OTAPULT_TABLE_OUTSIDE);
    row[0].offset = FLASH_16MB; /* nothing, at the very end */
    build(table, ROWS(row), true);
    assert_rows(table, sizeof table, FLASH_16MB, ROWS(row));
}

/* 95 partitions with their MD5 leave no room for an end mark; 94 do. */
static void test_full_table(void **state)
{
    (void)state;
    struct row rows[96];
    uint8_t table[OTAPULT_TABLE_SIZE + 32];
    memset(table, 0xFF, sizeof table);
    for (unsigned i = 0; i < 96; i++)
        rows[i] = (struct row){1, 0x80, 0x10000 + 0x1000 * i, 0x1000, "part"};
    build(table, rows, 94, true);
    assert_rows(table, OTAPULT_TABLE_SIZE, FLASH_16MB, rows, 94);
    build(table, rows, 95, false);
    assert_rows(table, OTAPULT_TABLE_SIZE, FLASH_16MB, rows, 95);
    build(table, rows, 95, true);
    assert_fault(table, OTAPULT_TABLE_SIZE, FLASH_16MB, OTAPULT_TABLE_NO_END);
    assert_fault(table, sizeof table, FLASH_16MB, OTAPULT_TABLE_NO_END); /* what follows is no table */
    build(table, rows, 96, false);
    assert_fault(table, sizeof table, FLASH_16MB, OTAPULT_TABLE_NO_END);
}

/* Every byte takes four wrong values: refused, or the very same meaning. */
static void try_flips(uint8_t *table, unsigned n, const struct row *rows, unsigned *refused)
{
    static const uint8_t mask[] = {0x01, 0x80, 0x55, 0xFF};
    *refused = 0;
    for (size_t at = 0; at < OTAPULT_TABLE_SIZE; at++) {
        for (unsigned m = 0; m < sizeof mask; m++) {
            unsigned count = 0;
            table[at] ^= mask[m];
            if (otapult_table_verify(table, OTAPULT_TABLE_SIZE, FLASH_16MB, &count) != OTAPULT_TABLE_OK)
                *refused += 1;
            else
                assert_rows(table, OTAPULT_TABLE_SIZE, FLASH_16MB, rows, n);
            table[at] ^= mask[m];
        }
    }
}

static void test_every_byte_flipped(void **state)
{
    (void)state;
    uint8_t table[OTAPULT_TABLE_SIZE];
    unsigned refused;
    build(table, ROWS(arduino_16mb), true);
    try_flips(table, 6, arduino_16mb, &refused);
    /* covered: six entries, magic and digest of the MD5 entry, four bytes of the end mark */
    assert_int_equal(refused, 4 * (6 * 32 + 2 + 16 + 4));
}

static void test_truncated(void **state)
{
    (void)state;
    uint8_t table[OTAPULT_TABLE_SIZE];
    build(table, ROWS(arduino_16mb), true);
    for (size_t len = 0; len <= sizeof table; len++) {
        struct guarded g = guard(table, len);
        if (len < 64)
            assert_fault(g.data, len, FLASH_16MB, OTAPULT_TABLE_SHORT);
        else if (len < 8 * 32)
            assert_fault(g.data, len, FLASH_16MB, OTAPULT_TABLE_NO_END);
        else
            assert_rows(g.data, len, FLASH_16MB, ROWS(arduino_16mb));
        unguard(&g);
    }
}

/* Nothing but the first OTAPULT_TABLE_SIZE bytes is read, whatever `len` says. */
static void test_longer_than_a_table(void **state)
{
    (void)state;
    struct row rows[96];
    uint8_t table[OTAPULT_TABLE_SIZE];
    for (unsigned i = 0; i < 96; i++)
        rows[i] = (struct row){1, 0x80, 0x10000 + 0x1000 * i, 0x1000, "part"};
    build(table, rows, 96, false);
    struct guarded g = guard(table, sizeof table);
    assert_fault(g.data, SIZE_MAX, FLASH_16MB, OTAPULT_TABLE_NO_END);
    unguard(&g);
}

/* A real product's table: a factory app only. Where it is not there its twin is tested. */
static void test_real_table(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {1, 0x02, 0x9000, 0x5000, "nvs"},          {0, 0x00, 0x10000, 0xA60000, "factory"},
        {1, 0x02, 0xA70000, 0x11D000, "config"},   {1, 0x82, 0xB8D000, 0x350000, "spiffs"},
        {1, 0x03, 0xEDD000, 0x123000, "coredump"},
    };
    uint8_t table[OTAPULT_TABLE_SIZE];
    struct otapult_partition p;
    build(table, ROWS(rows), true);
    FILE *file = fopen(FIRMWARE_DIR "/s3-partitions.bin", "rb");
    if (file != NULL) {
        uint8_t real[OTAPULT_TABLE_SIZE];
        assert_int_equal(fread(real, 1, sizeof real, file), sizeof real);
        fclose(file);
        assert_memory_equal(real, table, sizeof table);
    }
    assert_rows(table, sizeof table, FLASH_16MB, ROWS(rows));
    assert_int_equal(otapult_table_ota_slots(table, 5), 0);
    assert_false(otapult_table_find(table, 5, OTAPULT_PART_DATA, OTAPULT_PART_DATA_OTA, &p));
    assert_true(otapult_table_find(table, 5, OTAPULT_PART_APP, OTAPULT_PART_APP_FACTORY, &p));
}

static void test_fault_texts(void **state)
{
    (void)state;
    for (int a = OTAPULT_TABLE_OK; a <= OTAPULT_TABLE_OUTSIDE; a++) {
        const char *text = otapult_table_fault_text((enum otapult_table_fault)a);
        assert_true(strlen(text) > 0 && strlen(text) <= 60);
        for (int b = OTAPULT_TABLE_OK; b < a; b++)
            assert_string_not_equal(text, otapult_table_fault_text((enum otapult_table_fault)b));
    }
    assert_string_equal(otapult_table_fault_text((enum otapult_table_fault)(OTAPULT_TABLE_OUTSIDE + 1)),
                        "an unknown fault");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_published_md5),
        cmocka_unit_test(test_find_and_slots),
        cmocka_unit_test(test_one_after_the_other),
        cmocka_unit_test(test_any_order_and_gaps),
        cmocka_unit_test(test_sixteen_slots),
        cmocka_unit_test(test_labels),
        cmocka_unit_test(test_md5_is_not_demanded),
        cmocka_unit_test(test_an_md5_that_cannot_be_made_does_not_fit),
        cmocka_unit_test(test_faults),
        cmocka_unit_test(test_outside),
        cmocka_unit_test(test_full_table),
        cmocka_unit_test(test_every_byte_flipped),
        cmocka_unit_test(test_truncated),
        cmocka_unit_test(test_longer_than_a_table),
        cmocka_unit_test(test_real_table),
        cmocka_unit_test(test_fault_texts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
