/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "flash/ota_data.h"
#include "oracle.h"
#include "ram_flash.h"

#define COUNT(a) (sizeof(a) / sizeof(a)[0])

/* ---- the oracle: ESP32-S3 facts, 5.1 to 5.4, said again without the core ---- */

static uint32_t get32(const uint8_t *p)
{
    uint32_t v = 0;
    for (int i = 3; i >= 0; i--)
        v = v * 256 + p[i];
    return v;
}

static void put32(uint8_t *p, uint32_t v)
{
    for (int i = 0; i < 4; i++)
        p[i] = (uint8_t)(v >> 8 * i);
}

enum { REFUSED, UNREADABLE, GOOD }; /* refused: empty, or by its state; CRC not looked at */

static int oracle_class(const uint8_t *raw, bool rollback)
{
    uint32_t seq = get32(raw), state = get32(raw + 24);
    if (seq == 0xFFFFFFFF || state == 3 || state == 4 || (rollback && state == 1))
        return REFUSED;
    return get32(raw + 28) == oracle_ota_crc(seq) ? GOOD : UNREADABLE;
}

/* Which record decides: 0 or 1; -1: none, so the factory app or slot 0 boots. */
static int oracle_record(const uint8_t *data, bool rollback)
{
    const uint8_t *second = data + 0x1000;
    bool a = oracle_class(data, rollback) == GOOD, b = oracle_class(second, rollback) == GOOD;
    if (a && b)
        return get32(data) >= get32(second) ? 0 : 1;
    if (a)
        return 0;
    return b ? 1 : -1;
}

/* The slot that the deciding record names; -1: none decides. */
static int64_t oracle_slot(const uint8_t *data, bool rollback, int count)
{
    int n = oracle_record(data, rollback);
    return n < 0 ? -1 : (int64_t)((get32(data + 0x1000 * n) - 1u) % (unsigned)count);
}

/* ---- a flash with two records ---- */

static struct ram_flash f;

static void put_record(uint8_t *data, int n, uint32_t seq, uint32_t state, bool crc_ok)
{
    uint8_t *p = data + 0x1000 * n;
    memset(p, 0xFF, 0x1000);
    put32(p, seq);
    put32(p + 24, state);
    put32(p + 28, crc_ok ? oracle_ota_crc(seq) : oracle_ota_crc(seq) ^ 0x10);
}

static int set_up(void **state)
{
    (void)state;
    ram_flash_begin(&f, OTAPULT_OTA_DATA_SIZE, 0x1000, 0x1000, 0xFF);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    ram_flash_end(&f);
    return 0;
}

static const uint32_t all_states[] = {0, 1, 2, 3, 4, 0xFFFFFFFF, 0x12345678};
static const uint32_t all_seqs[] = {0xFFFFFFFF, 0,          1,          2,          3,         4,
                                    0x7FFFFFFF, 0xFFFFFFFA, 0xFFFFFFFC, 0xFFFFFFFD, 0xFFFFFFFE};

/* Calls `each` for every pair of records over the classes above. */
static void for_all_records(void (*each)(void))
{
    const unsigned kinds = COUNT(all_seqs) * COUNT(all_states) * 2;
    for (unsigned a = 0; a < kinds; a++) {
        for (unsigned b = 0; b < kinds; b++) {
            unsigned kind[2] = {a, b};
            for (int n = 0; n < 2; n++) {
                unsigned k = kind[n];
                put_record(f.data, n, all_seqs[k / 2 % COUNT(all_seqs)], all_states[k / 2 / COUNT(all_seqs)],
                           k % 2 == 0);
            }
            each();
        }
    }
}

static struct otapult_ota_data read_back(void)
{
    struct otapult_ota_data d;
    assert_int_equal(otapult_ota_read(&f.flash, &d), 0);
    return d;
}

/* ---- tests: the format ---- */

static void test_crc(void **state)
{
    (void)state;
    static const uint32_t published[][2] = {
        {1, 0x4743989A},          {2, 0x55F63774},          {3, 0xED4A5011},   {4, 0x709D68A8},
        {0, 0xFFFFFFFF},          {5, 0xC8210FCD},          {6, 0xDA94A023},   {7, 0x6228C746},
        {8, 0x3A4BD710},          {255, 0x21FAF90E},        {256, 0xFE3D95C8}, {0x10000, 0xE6E4CEBE},
        {0x12345678, 0x71D6A731}, {0xFFFFFFFE, 0x99F8B879}, {~0u, 0x2144DF1C},
    };
    for (size_t i = 0; i < COUNT(published); i++) {
        assert_int_equal(otapult_ota_crc(published[i][0]), published[i][1]);
        assert_int_equal(oracle_ota_crc(published[i][0]), published[i][1]);
    }
}

static void test_bytes(void **state)
{
    (void)state;
    uint8_t want[32], raw[32];
    struct otapult_ota_record r;
    memset(want, 0xFF, sizeof want);
    memcpy(want, (const uint8_t[]){1, 0, 0, 0}, 4);
    memcpy(want + 28, (const uint8_t[]){0x9A, 0x98, 0x43, 0x47}, 4);
    otapult_ota_encode(1, OTAPULT_OTA_UNDEFINED, raw);
    assert_memory_equal(raw, want, 32);

    otapult_ota_encode(0x12345678, OTAPULT_OTA_PENDING, raw);
    otapult_ota_decode(raw, &r);
    assert_int_equal(r.seq, 0x12345678);
    assert_int_equal(r.state, OTAPULT_OTA_PENDING);
    assert_true(r.crc_ok);
    for (unsigned bit = 0; bit < 256; bit++) { /* the CRC covers the number, and nothing else */
        raw[bit / 8] ^= (uint8_t)(1u << bit % 8);
        otapult_ota_decode(raw, &r);
        assert_int_equal(r.crc_ok, bit / 8 >= 4 && bit / 8 < 28);
        raw[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
}

/* A real "boot from ota_0" file; where it is not there its twin is tested. */
static void test_real_file(void **state)
{
    (void)state;
    put_record(f.data, 0, 1, 0xFFFFFFFF, true);
    FILE *file = fopen(FIRMWARE_DIR "/s3-otadata-ota0.bin", "rb");
    if (file != NULL) {
        static uint8_t real[OTAPULT_OTA_DATA_SIZE];
        assert_int_equal(fread(real, 1, sizeof real, file), sizeof real);
        fclose(file);
        assert_memory_equal(real, f.data, sizeof real);
    }
    struct otapult_ota_data d = read_back();
    assert_int_equal(otapult_ota_active(&d), 0);
    assert_int_equal(otapult_ota_slot_of(d.record[0].seq, 2), 0);
    assert_int_equal(otapult_ota_state_of(&d, 2, 0), OTAPULT_STATE_UNDEFINED);
    assert_int_equal(otapult_ota_state_of(&d, 2, 1), OTAPULT_STATE_NONE);
}

/* Arduino's boot_app0.bin: number 0 in the second sector has the CRC of erased flash. */
static void test_number_zero_trap(void **state)
{
    (void)state;
    put_record(f.data, 0, 1, 0xFFFFFFFF, true);
    memset(f.data + 0x1000, 0, 4);
    struct otapult_ota_data d = read_back();
    assert_true(d.record[1].crc_ok);
    assert_int_equal(otapult_ota_active(&d), 0);

    memset(f.data, 0xFF, 32);
    d = read_back();
    assert_int_equal(otapult_ota_active(&d), 1);
    assert_int_equal(otapult_ota_slot_of(0, 2), 1);
    assert_int_equal(otapult_ota_slot_of(0, 3), 0);
    assert_int_equal(otapult_ota_slot_of(0, 1), 0);
}

static void test_equal_numbers(void **state)
{
    (void)state;
    put_record(f.data, 0, 6, OTAPULT_OTA_VALID, true);
    put_record(f.data, 1, 6, OTAPULT_OTA_NEW, true);
    struct otapult_ota_data d = read_back();
    assert_int_equal(otapult_ota_active(&d), 0);
    assert_int_equal(otapult_ota_state_of(&d, 2, 1), OTAPULT_STATE_VALID);
}

static void test_states(void **state)
{
    (void)state;
    static const struct {
        uint32_t stored;
        enum otapult_slot_state word;
    } row[] = {
        {0, OTAPULT_STATE_NEW},       {1, OTAPULT_STATE_PENDING_VERIFY},
        {2, OTAPULT_STATE_VALID},     {3, OTAPULT_STATE_INVALID},
        {4, OTAPULT_STATE_ABORTED},   {0xFFFFFFFF, OTAPULT_STATE_UNDEFINED},
        {5, OTAPULT_STATE_UNDEFINED},
    };
    for (size_t i = 0; i < COUNT(row); i++) {
        put_record(f.data, 0, 3, row[i].stored, true); /* slot 0 of 2 */
        put_record(f.data, 1, 5, 2, false);            /* slot 0 too, but damaged */
        struct otapult_ota_data d = read_back();
        assert_int_equal(otapult_ota_state_of(&d, 2, 0), row[i].word);
        assert_int_equal(otapult_ota_state_of(&d, 1, 0), row[i].word); /* the only one beside factory */
        assert_int_equal(otapult_ota_state_of(&d, 2, 1), OTAPULT_STATE_NONE);
        put_record(f.data, 1, 5, 4, true); /* the newer one speaks, even when it is refused */
        d = read_back();
        assert_int_equal(otapult_ota_state_of(&d, 2, 0), OTAPULT_STATE_ABORTED);
    }
    struct otapult_ota_data d = read_back();
    assert_int_equal(otapult_ota_state_of(&d, 2, OTAPULT_SLOT_FACTORY), OTAPULT_STATE_UNDEFINED);
    assert_int_equal(otapult_ota_state_of(&d, 2, OTAPULT_SLOT_NONE), OTAPULT_STATE_NONE);
    assert_int_equal(otapult_ota_state_of(&d, 0, 0), OTAPULT_STATE_NONE);
    put_record(f.data, 0, 0xFFFFFFFF, 2, true); /* an empty number with a fitting CRC points nowhere */
    put_record(f.data, 1, 0xFFFFFFFF, 2, true);
    d = read_back();
    for (int slot = 0; slot < 4; slot++)
        assert_int_equal(otapult_ota_state_of(&d, 4, slot), OTAPULT_STATE_NONE);
}

static void compare_active(void)
{
    struct otapult_ota_data d = read_back();
    assert_int_equal(otapult_ota_active(&d), oracle_record(f.data, false));
    f.calls = 0;
}

static void test_active_is_the_oracles(void **state)
{
    (void)state;
    for_all_records(compare_active);
}

/* ---- tests: activate ---- */

/* The number that activate must write; 0: there is none. */
static uint32_t oracle_number(const uint8_t *data, int count, int slot)
{
    int active = oracle_record(data, false);
    if (active < 0)
        return (uint32_t)slot + 1;
    uint64_t seq = (uint64_t)get32(data + 0x1000 * active) + 1;
    while ((int)((seq - 1) % (unsigned)count) != slot)
        seq++;
    return seq < 0xFFFFFFFF ? (uint32_t)seq : 0;
}

/* Power goes after the erase, or after the first bytes of the write: the old choice, or the new one. */
static void check_cuts(const uint8_t *before, const uint8_t *after, int written, int count, int slot)
{
    static const size_t length[] = {0, 1, 3, 4, 24, 27, 28, 29, 31};
    static uint8_t torn[OTAPULT_OTA_DATA_SIZE];
    const size_t at = 0x1000 * (size_t)written;
    memcpy(torn, before, 32);
    memcpy(torn + 0x1000, before + 0x1000, 32);
    for (size_t i = 0; i < COUNT(length); i++) {
        memset(torn + at, 0xFF, 32);
        memcpy(torn + at, after + at, length[i]);
        int64_t boots = oracle_slot(torn, true, count);
        assert_true(boots == oracle_slot(before, true, count) || boots == slot);
    }
}

static uint8_t before[OTAPULT_OTA_DATA_SIZE];
static unsigned activated, used_up;

static void activate_one(int count, int slot)
{
    const uint32_t number = oracle_number(before, count, slot);
    memcpy(f.data, before, 32); /* the rest of both sectors is 0xFF all the time */
    memcpy(f.data + 0x1000, before + 0x1000, 32);
    ram_flash_reset(&f);
    int err = otapult_ota_activate(&f.flash, count, slot, OTAPULT_OTA_NEW);
    if (number == 0) {
        assert_int_equal(err, OTAPULT_E_ACTIVATE);
        assert_memory_equal(f.data, before, sizeof before);
        used_up++;
        return;
    }
    assert_int_equal(err, 0);
    assert_int_equal(oracle_slot(f.data, false, count), slot);
    assert_int_equal(oracle_slot(f.data, true, count), slot);

    int n = oracle_record(f.data, true);
    assert_int_equal(get32(f.data + 0x1000 * n), number);
    assert_int_not_equal(n, oracle_record(before, true)); /* what would have booted is not touched */
    assert_memory_equal(f.data + 0x1000 * (1 - n), before + 0x1000 * (1 - n), 32);
    assert_int_equal(ram_flash_count(&f, RAM_WRITE), 1);
    assert_int_equal(ram_flash_count(&f, RAM_ERASE), 1);
    assert_null(f.violation);
    check_cuts(before, f.data, n, count, slot);
    activated++;
}

static void activate_all(void)
{
    memcpy(before, f.data, sizeof before);
    for (int count = 1; count <= 4; count++) {
        for (int slot = 0; slot < count; slot++)
            activate_one(count, slot);
    }
    memcpy(f.data, before, sizeof before);
}

static void test_activate_over_all_records(void **state)
{
    (void)state;
    activated = used_up = 0;
    for_all_records(activate_all);
    assert_true(activated > 150000);
    assert_true(used_up > 1000);
}

static void test_activate_writes_exactly(void **state)
{
    (void)state;
    static const struct {
        uint32_t seq[2], state[2];
        int count, slot;
        const char *text;
        uint32_t number;
    } row[] = {
        /* blank */
        {{~0u, ~0u}, {~0u, ~0u}, 2, 0, "E0+4096 W0+32", 1},
        {{~0u, ~0u}, {~0u, ~0u}, 2, 1, "E0+4096 W0+32", 2},
        /* the usual to and fro */
        {{1, ~0u}, {2, ~0u}, 2, 1, "E4096+4096 W4096+32", 2},
        {{1, 2}, {2, 2}, 2, 0, "E0+4096 W0+32", 3},
        /* the active slot again */
        {{1, 2}, {2, 2}, 2, 1, "E0+4096 W0+32", 4},
        {{7, ~0u}, {2, ~0u}, 1, 0, "E4096+4096 W4096+32", 8},
        /* the newer one was rejected: the older one is active and stays */
        {{5, 6}, {2, 3}, 2, 1, "E4096+4096 W4096+32", 6},
        /* pending, with a confirmed one to fall back to: that one stays */
        {{5, 6}, {2, 1}, 2, 1, "E4096+4096 W4096+32", 8},
        {{5, 6}, {2, 1}, 2, 0, "E4096+4096 W4096+32", 7},
        /* pending, and nothing else */
        {{6, 5}, {1, 4}, 2, 1, "E4096+4096 W4096+32", 8},
        /* both refused */
        {{9, 8}, {3, 4}, 3, 2, "E0+4096 W0+32", 3},
        /* more slots than two */
        {{9, 8}, {2, 2}, 3, 1, "E4096+4096 W4096+32", 11},
    };
    for (size_t i = 0; i < COUNT(row); i++) {
        char text[64];
        for (int n = 0; n < 2; n++)
            put_record(f.data, n, row[i].seq[n], row[i].state[n], row[i].seq[n] != ~0u);
        ram_flash_reset(&f);
        assert_int_equal(otapult_ota_activate(&f.flash, row[i].count, row[i].slot, OTAPULT_OTA_VALID), 0);
        ram_flash_text(&f, text, sizeof text);
        assert_string_equal(text, row[i].text);
        struct otapult_ota_data d = read_back();
        int active = otapult_ota_active(&d);
        assert_int_equal(d.record[active].seq, row[i].number);
        assert_int_equal(d.record[active].state, OTAPULT_OTA_VALID);
    }
}

static void test_activate_refuses(void **state)
{
    (void)state;
    static const struct {
        int count, slot;
        uint32_t state;
    } row[] = {
        {2, -1, 0}, {2, 2, 0}, {0, 0, 0}, {-1, 0, 0}, {2, OTAPULT_SLOT_NONE, 0},
        {2, 1, 1},  {2, 1, 3}, {2, 1, 4}, {2, 1, 5},
    };
    for (size_t i = 0; i < COUNT(row); i++)
        assert_int_equal(otapult_ota_activate(&f.flash, row[i].count, row[i].slot, row[i].state),
                         OTAPULT_E_ACTIVATE);
    assert_int_equal(f.calls, 0);
    assert_int_equal(otapult_ota_activate(&f.flash, 2, 1, OTAPULT_OTA_UNDEFINED), 0);
}

/* The last number is reached, then there is none. */
static void test_numbers_end(void **state)
{
    (void)state;
    put_record(f.data, 0, 0xFFFFFFFC, OTAPULT_OTA_VALID, true); /* slot 1 of 2 */
    assert_int_equal(otapult_ota_activate(&f.flash, 2, 0, 0), 0);
    assert_int_equal(get32(f.data + 0x1000), 0xFFFFFFFD);
    assert_int_equal(otapult_ota_activate(&f.flash, 2, 1, 0), 0);
    assert_int_equal(get32(f.data), 0xFFFFFFFE);
    ram_flash_reset(&f);
    for (int count = 1; count <= 4; count++)
        for (int slot = 0; slot < count; slot++)
            assert_int_equal(otapult_ota_activate(&f.flash, count, slot, 0), OTAPULT_E_ACTIVATE);
    assert_int_equal(ram_flash_count(&f, RAM_ERASE) + ram_flash_count(&f, RAM_WRITE), 0);
}

/* ---- tests: mark ---- */

static unsigned marked;

static void mark_all(void)
{
    static const uint32_t marks[] = {OTAPULT_OTA_VALID, OTAPULT_OTA_INVALID, OTAPULT_OTA_PENDING};
    const int active = oracle_record(f.data, false);
    memcpy(before, f.data, sizeof before);
    for (size_t i = 0; i < COUNT(marks); i++) {
        ram_flash_reset(&f);
        int err = otapult_ota_mark(&f.flash, marks[i]);
        if (active < 0) {
            assert_int_equal(err, marks[i] == OTAPULT_OTA_INVALID ? OTAPULT_E_REJECT : OTAPULT_E_CONFIRM);
            assert_memory_equal(f.data, before, sizeof before);
            continue;
        }
        const uint8_t *p = f.data + 0x1000 * active;
        bool same = get32(before + 0x1000 * active + 24) == marks[i];
        assert_int_equal(err, 0);
        assert_int_equal(ram_flash_count(&f, RAM_WRITE), same ? 0 : 1);
        assert_int_equal(ram_flash_count(&f, RAM_ERASE), same ? 0 : 1);
        assert_int_equal(get32(p), get32(before + 0x1000 * active));
        assert_int_equal(get32(p + 24), marks[i]);
        assert_int_equal(get32(p + 28), oracle_ota_crc(get32(p)));
        assert_memory_equal(f.data + 0x1000 * (1 - active), before + 0x1000 * (1 - active), 0x1000);
        assert_null(f.violation);
        memcpy(f.data, before, sizeof before);
        marked++;
    }
}

static void test_mark_over_all_records(void **state)
{
    (void)state;
    marked = 0;
    for_all_records(mark_all);
    assert_true(marked > 20000);
}

/* ---- tests: a flash that fails or lies ---- */

static void confirmed_and_older(void)
{
    put_record(f.data, 0, 5, OTAPULT_OTA_VALID, true);
    put_record(f.data, 1, 4, OTAPULT_OTA_VALID, true);
    memcpy(before, f.data, sizeof before);
    ram_flash_reset(&f);
}

/* Calls fail one by one, once or from then on, doing nothing, a part, or all of what they should. */
static void fail_activate(bool for_good, uint32_t done)
{
    for (uint32_t n = 1;; n++) {
        confirmed_and_older();
        ram_flash_fail(&f, n, for_good, OTAPULT_E_STORE + (int)n, done);
        int err = otapult_ota_activate(&f.flash, 2, 1, OTAPULT_OTA_NEW);
        if (f.calls < n) {
            assert_int_equal(err, 0);
            assert_int_equal(n, 8); /* read both twice, erase, write, read back */
            return;
        }
        assert_int_equal(err, OTAPULT_E_STORE + (int)n);
        assert_memory_equal(f.data, before, 0x1000);
        if (!for_good || n < 6)
            assert_int_equal(oracle_slot(f.data, true, 2), 0); /* the old choice */
        if (!for_good && n >= 5)
            assert_int_equal(get32(f.data + 0x1000), 0xFFFFFFFF);
    }
}

static void test_activate_failing_flash(void **state)
{
    (void)state;
    static const uint32_t done[] = {0, 1, 16, 31, 32, 0x1000};
    for (size_t i = 0; i < COUNT(done); i++) {
        fail_activate(false, done[i]);
        fail_activate(true, done[i]);
    }
}

static void test_mark_failing_flash(void **state)
{
    (void)state;
    for (int for_good = 0; for_good < 2; for_good++) {
        for (uint32_t n = 1; n <= 7; n++) {
            confirmed_and_older();
            ram_flash_fail(&f, n, for_good, OTAPULT_E_FLASH_WRITE, 0);
            assert_int_equal(otapult_ota_mark(&f.flash, OTAPULT_OTA_INVALID), OTAPULT_E_FLASH_WRITE);
            assert_int_equal(f.calls, n);
            assert_memory_equal(f.data + 0x1000, before + 0x1000, 0x1000);
        }
    }
}

/* The record that decides goes last, whichever of the two it is: until then the old choice holds. */
static void test_erase(void **state)
{
    (void)state;
    for (int decides = 0; decides < 2; decides++) {
        for (uint32_t n = 5; n <= 7; n++) { /* calls 1 to 4 read both records twice, 5 and 6 erase */
            put_record(f.data, decides, 5, OTAPULT_OTA_VALID, true);
            put_record(f.data, 1 - decides, 4, OTAPULT_OTA_VALID, true);
            memcpy(before, f.data, sizeof before);
            ram_flash_reset(&f);
            ram_flash_fail(&f, n, false, OTAPULT_E_FLASH_ERASE, 0);
            assert_int_equal(otapult_ota_erase(&f.flash), n <= 6 ? OTAPULT_E_FLASH_ERASE : 0);
            const uint8_t *record = f.data + (size_t)decides * 0x1000;
            if (n <= 6)
                assert_memory_equal(record, before + (size_t)decides * 0x1000, 32);
            else
                assert_int_equal(get32(record), 0xFFFFFFFF);
            assert_int_equal(get32(f.data + (size_t)(1 - decides) * 0x1000), n == 5 ? 4 : 0xFFFFFFFF);
        }
    }
}

static void test_read_failing_flash(void **state)
{
    (void)state;
    struct otapult_ota_data d;
    for (uint32_t n = 1; n <= 2; n++) {
        ram_flash_reset(&f);
        ram_flash_fail(&f, n, false, OTAPULT_E_FLASH_READ, 0);
        assert_int_equal(otapult_ota_read(&f.flash, &d), OTAPULT_E_FLASH_READ);
        assert_int_equal(f.calls, n);
    }
}

/* Each of the 32 bytes is stored, or read back, with one bit wrong. */
static void test_readback(void **state)
{
    (void)state;
    for (uint32_t call = 6; call <= 7; call++) {
        for (uint32_t byte = 0; byte < 32; byte++) {
            confirmed_and_older();
            ram_flash_spoil(&f, call, byte, 0x04);
            assert_int_equal(otapult_ota_activate(&f.flash, 2, 1, OTAPULT_OTA_NEW), OTAPULT_E_FLASH_READBACK);
            assert_int_equal(oracle_slot(f.data, true, 2), 0);
            assert_memory_equal(f.data, before, 0x1000);

            confirmed_and_older();
            ram_flash_spoil(&f, call, byte, 0x04);
            assert_int_equal(otapult_ota_mark(&f.flash, OTAPULT_OTA_INVALID), OTAPULT_E_FLASH_READBACK);
            assert_memory_equal(f.data + 0x1000, before + 0x1000, 0x1000);
        }
    }
}

/* A bit that is wrong in one of the reads before it: the wrong record would be overwritten. */
static void test_one_wrong_bit(void **state)
{
    (void)state;
    for (uint32_t call = 1; call <= 4; call++) {
        for (uint32_t byte = 0; byte < 32; byte++) {
            if (byte >= 4 && byte < 24)
                continue; /* the label, which nothing depends on */
            confirmed_and_older();
            ram_flash_spoil(&f, call, byte, 0x04);
            assert_int_equal(otapult_ota_activate(&f.flash, 2, 1, OTAPULT_OTA_NEW), OTAPULT_E_FLASH_READBACK);
            assert_memory_equal(f.data, before, sizeof before);
            ram_flash_spoil(&f, f.calls + call, byte, 0x04);
            assert_int_equal(otapult_ota_mark(&f.flash, OTAPULT_OTA_INVALID), OTAPULT_E_FLASH_READBACK);
            assert_memory_equal(f.data, before, sizeof before);
        }
    }
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(test_crc),
        TEST(test_bytes),
        TEST(test_real_file),
        TEST(test_number_zero_trap),
        TEST(test_equal_numbers),
        TEST(test_states),
        TEST(test_active_is_the_oracles),
        TEST(test_activate_over_all_records),
        TEST(test_activate_writes_exactly),
        TEST(test_activate_refuses),
        TEST(test_numbers_end),
        TEST(test_mark_over_all_records),
        TEST(test_activate_failing_flash),
        TEST(test_mark_failing_flash),
        TEST(test_erase),
        TEST(test_read_failing_flash),
        TEST(test_readback),
        TEST(test_one_wrong_bit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
