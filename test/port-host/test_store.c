/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "otapult/error.h"
#include "store.h"

#define CHIP (8 * NOR_SECTOR)
#define BASE NOR_SECTOR
#define SIZE (2 * NOR_SECTOR)

static struct nor_flash nor;
static struct store store;

static int open_store(void **state)
{
    (void)state;
    nor_open_memory(&nor, CHIP);
    store = (struct store){&nor, BASE, SIZE};
    return 0;
}

static int close_store(void **state)
{
    (void)state;
    nor_close(&nor);
    return 0;
}

static void assert_value(const char *key, const char *value)
{
    char back[STORE_VALUE_MAX];
    size_t len = 99;
    assert_int_equal(store_get(&store, key, back, sizeof back, &len), 0);
    assert_int_equal(len, strlen(value));
    assert_memory_equal(back, value, len);
}

static void set(const char *key, const char *value)
{
    assert_int_equal(store_set(&store, key, value, strlen(value)), 0);
}

static void test_keeps_values(void **state)
{
    (void)state;
    assert_value("name", "");
    set("name", "rover");
    set("other", "1");
    assert_value("name", "rover");
    set("name", "a longer name");
    assert_value("name", "a longer name");
    assert_value("other", "1");
    assert_value("nam", "");
    assert_value("name2", "");
    assert_int_equal(store_set(&store, "name", NULL, 0), 0);
    assert_value("name", "");
    assert_value("other", "1");
}

static void test_takes_the_limits_and_no_more(void **state)
{
    (void)state;
    uint8_t value[STORE_VALUE_MAX + 1], back[STORE_VALUE_MAX];
    size_t len;
    memset(value, 0xFF, sizeof value); /* like erased flash */
    assert_int_equal(store_set(&store, "fifteen-letters", value, STORE_VALUE_MAX), 0);
    assert_int_equal(store_get(&store, "fifteen-letters", back, sizeof back, &len), 0);
    assert_int_equal(len, STORE_VALUE_MAX);
    assert_memory_equal(back, value, STORE_VALUE_MAX);
    assert_int_equal(store_set(&store, "k", value, STORE_VALUE_MAX + 1), OTAPULT_E_STORE);
    assert_int_equal(store_set(&store, "sixteen--letters", value, 1), OTAPULT_E_STORE);
    assert_int_equal(store_set(&store, "", value, 1), OTAPULT_E_STORE);
    assert_int_equal(store_get(&store, "sixteen--letters", back, 1, &len), OTAPULT_E_STORE);
}

static void test_a_small_buffer_gets_the_beginning(void **state)
{
    (void)state;
    char back[4] = "....";
    size_t len;
    set("k", "abcdef");
    assert_int_equal(store_get(&store, "k", back, 3, &len), 0);
    assert_int_equal(len, 6);
    assert_memory_equal(back, "abc.", 4);
}

static void test_the_same_value_costs_no_write(void **state)
{
    (void)state;
    set("k", "v");
    uint64_t ops = nor.ops;
    set("k", "v");
    assert_int_equal(store_set(&store, "absent", NULL, 0), 0);
    assert_int_equal(nor.ops, ops);
}

static void test_foreign_content_is_an_empty_store(void **state)
{
    (void)state;
    uint32_t random = 1;
    for (int round = 0; round < 300; round++) {
        for (uint32_t i = 0; i < SIZE; i++) {
            random = random * 1664525u + 1013904223u;
            nor.data[BASE + i] = round == 0 ? 0 : (uint8_t)(random >> 24);
        }
        assert_value("k", "");
        set("k", "v");
        assert_value("k", "v");
    }
}

/* A log with anything behind its last record: reads keep to the records, writes do not run into it. */
static void test_damage_behind_the_log(void **state)
{
    (void)state;
    static uint8_t clean[CHIP];
    set("first", "1");
    set("second", "2");
    memcpy(clean, nor.data, sizeof clean);
    for (uint32_t at = 16 + 16 + 16; at < 300; at++)
        for (unsigned value = 0; value < 255; value += 5) {
            memcpy(nor.data, clean, sizeof clean);
            for (uint32_t half = 0; half < 2; half++)
                nor.data[BASE + half * NOR_SECTOR + at] = (uint8_t)value;
            assert_value("first", "1");
            assert_value("second", "2");
            set("third", "3");
            assert_value("first", "1");
            assert_value("second", "2");
            assert_value("third", "3");
        }
}

/* ---- damage ---- */

static bool is_lost(const char *key)
{
    char back[STORE_VALUE_MAX];
    size_t len = 99;
    int err = store_get(&store, key, back, sizeof back, &len);
    assert_true(err == 0 || err == OTAPULT_E_STORE);
    return err != 0;
}

static void flip(uint32_t bit)
{
    nor.data[BASE + bit / 8] ^= (uint8_t)(1u << bit % 8);
}

static void check_lost_now(const char *lost, const char *sure, const char *value)
{
    assert_true(is_lost(lost));
    assert_true(is_lost("never set"));
    if (sure != NULL)
        assert_value(sure, value);
}

/* Lost is not absent, and stays lost until somebody sets it, however often the log moves meanwhile. */
static void check_lost(const char *lost, const char *sure, const char *value)
{
    check_lost_now(lost, sure, value);
    uint32_t moves = nor.wear[1] + nor.wear[2];
    for (unsigned i = 0; nor.wear[1] + nor.wear[2] < moves + 3; i++)
        set("counter", i % 2 ? "on" : "off");
    assert_true(is_lost(lost));
    if (sure != NULL)
        assert_value(sure, value);
    assert_int_equal(store_set(&store, lost, NULL, 0), 0);
    assert_value(lost, "");
    for (unsigned i = 0; nor.wear[1] + nor.wear[2] < moves + 5; i++)
        set("counter", i % 2 ? "on" : "off");
    assert_value(lost, "");
    assert_true(is_lost("never set"));
    set(lost, "again");
    assert_value(lost, "again");
}

/* Every place is looked at; moving the log, which takes long, only for some. */
static void check_lost_at(uint32_t bit, const char *lost, const char *sure, const char *value)
{
    if (bit % 11 == 0)
        check_lost(lost, sure, value);
    else
        check_lost_now(lost, sure, value);
}

/* Three records of 16 bytes behind the header; the last one or two bytes of each are padding. */
static void test_a_flipped_bit_is_damage_but_in_the_last_record(void **state)
{
    (void)state;
    static uint8_t clean[CHIP];
    set("first", "1");
    set("second", "2");
    set("third", "3");
    memcpy(clean, nor.data, sizeof clean);
    for (uint32_t bit = 16 * 8; bit < 4 * 16 * 8; bit++) {
        if (clean[BASE + bit / 8] == 0xFF && bit / 8 % 16 >= 14)
            continue;
        memcpy(nor.data, clean, sizeof clean);
        flip(bit);
        switch (bit / 8 / 16) {
        case 1:
            assert_value("third", "3");
            check_lost_at(bit, "first", "second", "2");
            break;
        case 2:
            assert_true(is_lost("first"));
            check_lost_at(bit, "second", "third", "3");
            break;
        default: /* as if torn */
            assert_value("first", "1");
            assert_value("second", "2");
            assert_value("third", "");
            set("third", "new");
            assert_value("third", "new");
            assert_value("first", "1");
        }
    }
}

static void test_a_flipped_bit_in_the_header_loses_all_and_hides_nothing(void **state)
{
    (void)state;
    static uint8_t clean[CHIP];
    for (int moved = 0; moved < 3; moved++) {
        uint32_t moves = nor.wear[1] + nor.wear[2];
        for (unsigned i = 0; moved > 0 && nor.wear[1] + nor.wear[2] == moves; i++)
            set("counter", i % 2 ? "on" : "off");
        set("first", "1");
        memcpy(clean, nor.data, sizeof clean);
        uint32_t header = memcmp(nor.data + BASE, "OTKV", 4) == 0 ? 0 : NOR_SECTOR;
        for (uint32_t bit = 0; bit < 12 * 8; bit++) {
            memcpy(nor.data, clean, sizeof clean);
            flip(header * 8 + bit);
            check_lost_at(bit, "first", NULL, NULL);
        }
        memcpy(nor.data, clean, sizeof clean);
    }
}

/* Whatever a bit of the partition becomes, no older value comes back but where the last record is the newer
 * one. */
static void test_no_flip_brings_back_an_older_value(void **state)
{
    (void)state;
    static uint8_t clean[CHIP];
    char back[8];
    size_t len;
    for (unsigned i = 0; nor.wear[1] + nor.wear[2] < 2; i++) {
        set("key", "old");
        set("counter", i % 2 ? "on" : "off");
    }
    set("key", "old");
    set("key", "new");
    set("other", "x");
    memcpy(clean, nor.data, sizeof clean);
    for (uint32_t bit = 0; bit < SIZE * 8; bit++) {
        memcpy(nor.data, clean, sizeof clean);
        flip(bit);
        if (store_get(&store, "key", back, sizeof back, &len) == 0)
            assert_true(len == 3 && memcmp(back, "new", 3) == 0);
    }
}

static bool set_until_cut(uint64_t at, enum nor_cut cut, uint32_t torn)
{
    jmp_buf gone;
    nor_arm(&nor, at, cut, torn, torn + 1, &gone);
    if (setjmp(gone) != 0)
        return true;
    set("third", "3");
    nor_disarm(&nor);
    return false;
}

/* A cut while what was damaged moves away: what is lost is lost afterwards, too. */
static void test_power_cuts_while_damage_moves(void **state)
{
    (void)state;
    static uint8_t before[CHIP];
    unsigned cuts = 0;
    set("first", "1");
    set("second", "2");
    flip(5); /* in the header */
    memcpy(before, nor.data, sizeof before);
    for (enum nor_cut cut = NOR_CUT_BEFORE; cut <= NOR_CUT_AFTER; cut++)
        for (uint32_t torn = 0; torn <= (cut == NOR_CUT_TORN ? 64 : 0); torn++)
            for (uint64_t at = 1; memcpy(nor.data, before, CHIP), set_until_cut(at, cut, torn); at++) {
                check_lost_at(cuts++, "first", NULL, NULL);
            }
    assert_true(cuts > 100);
    print_message("store: %u power cuts while damage moves\n", cuts);
}

static void test_full_changes_nothing(void **state)
{
    (void)state;
    uint8_t value[STORE_VALUE_MAX];
    char key[4] = "k00", back[STORE_VALUE_MAX];
    unsigned fitted = 0;
    size_t len;
    memset(value, 'x', sizeof value);
    for (; fitted < 99; fitted++) {
        key[1] = (char)('0' + fitted / 10);
        key[2] = (char)('0' + fitted % 10);
        if (store_set(&store, key, value, sizeof value) != 0)
            break;
    }
    assert_int_equal(fitted, (NOR_SECTOR - 16) / 268);
    assert_int_equal(store_set(&store, key, value, sizeof value), OTAPULT_E_STORE);
    assert_value(key, "");
    assert_int_equal(store_get(&store, "k00", back, sizeof back, &len), 0);
    assert_int_equal(len, sizeof value);
    assert_int_equal(store_set(&store, "k00", NULL, 0), 0); /* one out, one in */
    assert_int_equal(store_set(&store, key, value, sizeof value), 0);
    assert_value("k00", "");
}

static void test_removed_keys_leave_no_trace(void **state)
{
    (void)state;
    char key[5] = "k000";
    for (int i = 0; i < 1000; i++) {
        key[1] = (char)('0' + i / 100);
        key[2] = (char)('0' + i / 10 % 10);
        key[3] = (char)('0' + i % 10);
        set(key, "a value");
        assert_int_equal(store_set(&store, key, NULL, 0), 0);
        assert_value(key, "");
    }
    assert_true(nor.wear[1] + nor.wear[2] < 20); /* a move makes room again */
}

static void test_wear_is_shared(void **state)
{
    (void)state;
    char value[3] = "00";
    set("stays", "here");
    for (unsigned i = 0; i < 4000; i++) {
        value[0] = (char)('0' + i % 10);
        value[1] = (char)('0' + i / 10 % 10);
        set("counter", value);
    }
    assert_value("stays", "here");
    assert_value("counter", value);
    uint32_t a = nor.wear[1], b = nor.wear[2];
    assert_true(a > 5 && (a == b || a == b + 1 || b == a + 1));
    assert_int_equal(nor.wear[0], 0);
    assert_int_equal(nor.wear[3], 0);
}

static void test_a_partition_of_odd_sectors(void **state)
{
    (void)state;
    store.size = 5 * NOR_SECTOR;
    for (unsigned i = 0; i < 2000; i++)
        set("k", i % 2 ? "odd" : "even");
    assert_value("k", "odd");
    assert_true(nor.wear[4] > 0);
    assert_int_equal(nor.wear[5], 0);
    store.size = NOR_SECTOR;
    assert_int_equal(store_set(&store, "k", "v", 1), OTAPULT_E_STORE);
}

/* ---- power cuts ---- */

#define KEYS 3
static const char *const keys[KEYS] = {"a", "bb", "removed"};
static const char *const old_values[KEYS] = {"old a", "old bb", "old removed"};
static const char *const new_values[KEYS] = {"new and longer a", "nb", ""};

static bool is_value(const char *key, const char *value)
{
    char back[STORE_VALUE_MAX];
    size_t len;
    assert_int_equal(store_get(&store, key, back, sizeof back, &len), 0);
    return len == strlen(value) && memcmp(back, value, len) == 0;
}

/* Sets the new values one by one; *done counts those that returned. true: power was cut. */
static bool write_until_cut(uint64_t at, enum nor_cut cut, uint32_t torn, volatile int *done)
{
    jmp_buf gone;
    *done = 0;
    nor_arm(&nor, at, cut, torn, torn + 1, &gone);
    if (setjmp(gone) != 0)
        return true;
    for (int i = 0; i < KEYS; i++) {
        set(keys[i], new_values[i]);
        *done = i + 1;
    }
    nor_disarm(&nor);
    return false;
}

static void check_after_cut(int done)
{
    assert_value("bystander", "still here");
    for (int i = 0; i < KEYS; i++) {
        bool is_new = is_value(keys[i], new_values[i]);
        assert_true(is_new || (i >= done && is_value(keys[i], old_values[i])));
        assert_true(i <= done || !is_new); /* not even begun */
    }
    for (int i = 0; i < KEYS; i++)
        set(keys[i], new_values[i]);
    for (int i = 0; i < KEYS; i++)
        assert_value(keys[i], new_values[i]);
    assert_value("bystander", "still here");
}

/* Cuts at operation 1, 2, 3 … until the writes get through. Returns the number of cuts. */
static unsigned cut_everywhere(const uint8_t *before, enum nor_cut cut, uint32_t torn)
{
    unsigned cuts = 0;
    volatile int done;
    for (uint64_t at = 1;; at++) {
        memcpy(nor.data, before, CHIP);
        bool was_cut = write_until_cut(at, cut, torn, &done);
        check_after_cut(done);
        if (!was_cut)
            return cuts;
        cuts++;
    }
}

static unsigned cut_in_every_way(const uint8_t *before)
{
    unsigned cuts = cut_everywhere(before, NOR_CUT_BEFORE, 0) + cut_everywhere(before, NOR_CUT_AFTER, 0);
    for (uint32_t torn = 0; torn <= 64; torn++)
        cuts += cut_everywhere(before, NOR_CUT_TORN, torn);
    for (uint32_t torn = 100; torn < NOR_SECTOR; torn += 997)
        cuts += cut_everywhere(before, NOR_CUT_TORN, torn);
    return cuts;
}

static void set_old_values(void)
{
    set("bystander", "still here");
    for (int i = 0; i < KEYS; i++)
        set(keys[i], old_values[i]);
}

static void test_power_cuts_in_a_log_with_room(void **state)
{
    (void)state;
    static uint8_t before[CHIP];
    set_old_values();
    memcpy(before, nor.data, sizeof before);
    unsigned cuts = cut_in_every_way(before);
    assert_true(cuts > 150);
    print_message("store: %u power cuts in a log with room\n", cuts);
}

/* The log is filled up to where the first, second or third write moves it to the other half. */
static void test_power_cuts_while_the_log_moves(void **state)
{
    (void)state;
    static uint8_t before[CHIP];
    unsigned cuts = 0, moves = 0;
    set_old_values();
    for (unsigned i = 0; i < 2000 && moves < 4; i++) {
        uint32_t erases = nor.wear[1] + nor.wear[2];
        volatile int done;
        memcpy(before, nor.data, sizeof before);
        (void)write_until_cut(0, NOR_CUT_NONE, 0, &done);
        bool moved = nor.wear[1] + nor.wear[2] != erases;
        if (moved) {
            moves++;
            cuts += cut_in_every_way(before);
        }
        memcpy(nor.data, before, sizeof before);
        set("filler", i % 2 ? "....." : "..");
    }
    assert_true(moves == 4 && cuts > 1000);
    print_message("store: %u power cuts while the log moves, from %u states\n", cuts, moves);
}

/* A second cut while the first one is repaired. */
static void test_a_cut_after_a_cut(void **state)
{
    (void)state;
    static uint8_t before[CHIP], broken[CHIP];
    unsigned cuts = 0;
    volatile int done;
    set_old_values();
    memcpy(before, nor.data, sizeof before);
    for (uint32_t torn = 0; torn < 28; torn += 7) {
        memcpy(nor.data, before, sizeof before);
        assert_true(write_until_cut(1, NOR_CUT_TORN, torn, &done));
        memcpy(broken, nor.data, sizeof broken);
        cuts += cut_in_every_way(broken);
    }
    assert_true(cuts > 500);
    print_message("store: %u second cuts\n", cuts);
}

/* ---- failing flash ---- */

struct fault {
    unsigned at, asked;
    bool for_good;
};

static bool fail_nth(void *ctx, enum nor_op op, uint32_t address, uint32_t len)
{
    struct fault *f = ctx;
    (void)op;
    (void)address;
    (void)len;
    f->asked++;
    return f->asked == f->at || (f->for_good && f->asked > f->at);
}

static void test_failing_flash(void **state)
{
    (void)state;
    static uint8_t before[CHIP];
    set_old_values();
    memcpy(before, nor.data, sizeof before);
    for (unsigned run = 0, failed = 1; failed; run++) {
        struct fault f = {.at = run / 2 + 1, .for_good = run % 2 == 1};
        memcpy(nor.data, before, sizeof before);
        nor.fail = fail_nth;
        nor.fault_ctx = &f;
        int err = store_set(&store, "a", "new and longer a", 16);
        nor.fail = NULL;
        failed = f.asked >= f.at;
        assert_int_equal(err, failed ? OTAPULT_E_STORE : 0);
        assert_value("a", failed ? "old a" : "new and longer a");
        assert_value("bystander", "still here");
        set("a", "third");
        assert_value("a", "third");
    }
}

#define IN_STORE(test) cmocka_unit_test_setup_teardown(test, open_store, close_store)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_STORE(test_keeps_values),
        IN_STORE(test_takes_the_limits_and_no_more),
        IN_STORE(test_a_small_buffer_gets_the_beginning),
        IN_STORE(test_the_same_value_costs_no_write),
        IN_STORE(test_foreign_content_is_an_empty_store),
        IN_STORE(test_damage_behind_the_log),
        IN_STORE(test_a_flipped_bit_is_damage_but_in_the_last_record),
        IN_STORE(test_a_flipped_bit_in_the_header_loses_all_and_hides_nothing),
        IN_STORE(test_no_flip_brings_back_an_older_value),
        IN_STORE(test_power_cuts_while_damage_moves),
        IN_STORE(test_full_changes_nothing),
        IN_STORE(test_removed_keys_leave_no_trace),
        IN_STORE(test_wear_is_shared),
        IN_STORE(test_a_partition_of_odd_sectors),
        IN_STORE(test_power_cuts_in_a_log_with_room),
        IN_STORE(test_power_cuts_while_the_log_moves),
        IN_STORE(test_a_cut_after_a_cut),
        IN_STORE(test_failing_flash),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
