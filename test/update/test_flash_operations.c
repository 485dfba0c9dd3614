/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "faulty_port.h"
#include "images.h"
#include "world.h"

/* What an update costs in flash operations, counted on a whole device: each sector of the target is erased
 * once and programmed once, the first one twice (its first 16 bytes come last); OTA data is written twice by
 * the application, at the activation and at the confirmation, and once by the bootloader between them; the
 * store has a stated bound. What does not update writes nothing. */

#define STORE      0x9000u
#define STORE_SIZE 0x4000u
#define OTA_DATA   0xD000u
#define SLOT_0     0x10000u
#define SLOT_1     0x20000u
#define SLOT_SIZE  0x10000u
#define SECTORS    (SLOT_SIZE / NOR_SECTOR)
#define PER_BLOCK  (NOR_BLOCK / NOR_SECTOR)

/* kv_set of one update: the trial as it is written, armed, passed and removed, two journal entries, what
 * became of it for a client that asks again, and the boot count. */
#define STORE_SETS_PER_UPDATE 8u

static struct world w;
static struct faulty_port port; /* only counts here, and tells where the bootloader ends */

static struct counts {
    unsigned erases[WORLD_FLASH / NOR_SECTOR], programs[WORLD_FLASH / NOR_SECTOR];
    unsigned records_app, records_boot; /* OTA data: sectors erased, each for one record */
    unsigned store_programs, store_erases;
} count;
static bool in_bootloader;

static bool is_in(uint32_t address, uint32_t from, uint32_t size)
{
    return address >= from && address - from < size;
}

static void count_erase(uint32_t address, uint32_t len)
{
    for (uint32_t at = address; at - address < len; at += NOR_SECTOR)
        count.erases[at / NOR_SECTOR]++;
    if (is_in(address, OTA_DATA, 0x2000))
        *(in_bootloader ? &count.records_boot : &count.records_app) += len / NOR_SECTOR;
    if (is_in(address, STORE, STORE_SIZE))
        count.store_erases += len / NOR_SECTOR;
}

/* A `fail` of the chip that never fails. */
static bool watch(void *ctx, enum nor_op op, uint32_t address, uint32_t len)
{
    (void)ctx;
    if (op == NOR_ERASE)
        count_erase(address, len);
    if (op == NOR_PROGRAM) {
        count.programs[address / NOR_SECTOR]++;
        count.store_programs += is_in(address, STORE, STORE_SIZE);
    }
    return false;
}

static void life_begins(void *ctx, struct otapult_port *p)
{
    faulty_port_wrap(ctx, p);
    in_bootloader = false;
}

static unsigned writes_of(const unsigned *counter, uint32_t from, uint32_t size)
{
    unsigned sum = 0;

    for (uint32_t at = from; at - from < size; at += NOR_SECTOR)
        sum += counter[at / NOR_SECTOR];
    return sum;
}

static unsigned all_writes(void)
{
    return writes_of(count.erases, 0, WORLD_FLASH) + writes_of(count.programs, 0, WORLD_FLASH);
}

static void start_counting(void)
{
    const struct faulty_plan none = {.at = 0};

    memset(&count, 0, sizeof count);
    faulty_port_arm(&port, &none);
}

/* ---- an update ---- */

/* The restart, the new firmware's first life and its confirmation. */
static void restart_and_confirm(void)
{
    for (int polls = 0; polls < 4 && !w.board.restart; polls++)
        otapult_poll(w.ota);
    assert_true(w.board.restart);
    in_bootloader = true;
    w.reset = OTAPULT_RESET_SOFTWARE;
    assert_true(world_boot(&w));
    assert_true(world_settle(&w));
}

static void update(uint32_t size, size_t piece)
{
    static uint32_t seed; /* no two are the same */
    size_t len;
    uint8_t *image = images_one("2.0.0", ++seed, size, &len);

    start_counting();
    assert_int_equal(world_upload(&w, image, len, piece), 0);
    restart_and_confirm();
    assert_string_equal(world_version(&w), "2.0.0");
    free(image);
}

/* Behind the image the rest of the last block is erased too, where erasing it in one go is faster: when the
 * image needs a quarter of it. */
static void check_target(uint32_t slot, uint32_t size)
{
    const uint32_t used = (size + NOR_SECTOR - 1) / NOR_SECTOR;

    for (uint32_t n = 0; n < SECTORS; n++) {
        uint32_t block = n / PER_BLOCK * NOR_BLOCK, sector = slot / NOR_SECTOR + n;
        bool in_block = size > block && size - block >= NOR_BLOCK / 4;
        assert_int_equal(count.programs[sector], n == 0 ? 2 : n < used ? 1 : 0);
        assert_int_equal(count.erases[sector], n < used || in_block ? 1 : 0);
    }
}

static void an_update_erases_and_programs_each_sector_once(void **state)
{
    static const uint32_t sizes[] = {1024, 4096, 4112, 5000, 8192, 12288 + 16, 16384, 30000, 65520, 65536};
    static const size_t pieces[] = {65536, 4096, 1436, 1000, 17};

    (void)state;
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        for (size_t k = 0; k < sizeof pieces / sizeof *pieces; k++) {
            uint32_t target = w.board.boot.slot == 0 ? SLOT_1 : SLOT_0;
            update(sizes[i], pieces[k]);
            check_target(target, (sizes[i] + 15) / 16 * 16);
            /* the running slot, and everything else but OTA data and the store, is not touched */
            unsigned elsewhere = all_writes() - writes_of(count.erases, target, SLOT_SIZE) -
                                 writes_of(count.programs, target, SLOT_SIZE) -
                                 writes_of(count.erases, STORE, STORE_SIZE + 0x2000) -
                                 writes_of(count.programs, STORE, STORE_SIZE + 0x2000);
            assert_int_equal(elsewhere, 0);
        }
}

static void an_update_writes_two_records_and_the_bootloader_one(void **state)
{
    (void)state;
    for (int n = 0; n < 4; n++) {
        update(5000, 4096);
        assert_int_equal(count.records_app, 2);
        assert_int_equal(count.records_boot, 1);
        assert_int_equal(writes_of(count.programs, OTA_DATA, 0x2000), 3);
    }
}

/* The bound, and how the store's own sectors wear. */
static void an_update_sets_the_store_eight_times(void **state)
{
    unsigned erases = 0, programs = 0;
    const unsigned updates = 60;

    (void)state;
    for (unsigned n = 0; n < updates; n++) {
        update(5000, 4096);
        assert_int_equal(port.calls[FAULTY_KV_SET], STORE_SETS_PER_UPDATE);
        erases += count.store_erases;
        programs += count.store_programs;
    }
    print_message("store: %u programs and %.2f sector erases an update\n", programs / updates,
                  (double)erases / updates);
    /* Eight records, and now and then a move to the other half, two sectors, of what still holds. */
    assert_true(programs <= updates * 12);
    assert_true(erases * 2 <= updates);
}

/* ---- what is no update ---- */

static void a_refused_file_costs_one_journal_entry(void **state)
{
    static const uint8_t text[3000] = "<html>";

    (void)state;
    start_counting();
    assert_int_equal(world_upload(&w, text, sizeof text, 512), OTAPULT_E_FILE_UNKNOWN);
    assert_int_equal(port.calls[FAULTY_KV_SET], 1);
    assert_int_equal(writes_of(count.erases, OTA_DATA, WORLD_FLASH - OTA_DATA), 0);
    assert_int_equal(writes_of(count.programs, OTA_DATA, WORLD_FLASH - OTA_DATA), 0);
}

static void looking_writes_nothing(void **state)
{
    struct otapult_status s;
    struct otapult_slot slot;
    struct otapult_image_info info;
    struct otapult_log_entry e;
    struct otapult_finding why;
    uint32_t ticket;

    (void)state;
    start_counting();
    for (int n = 0; n < 100; n++) {
        otapult_poll(w.ota);
        otapult_status(w.ota, &s);
        assert_int_equal(otapult_slot(w.ota, 0, &slot, &info), 0);
        (void)otapult_log_entry(w.ota, (unsigned)n % OTAPULT_LOG_ENTRIES, &e);
        assert_int_equal(otapult_confirm(w.ota), OTAPULT_E_NOT_PENDING);
    }
    assert_int_equal(otapult_begin(w.ota, 5000, &ticket, &why), 0);
    assert_int_equal(all_writes(), 0);
}

static void a_plain_boot_counts_itself_and_nothing_else(void **state)
{
    (void)state;
    update(5000, 4096);
    world_pull_plug(&w);
    start_counting();
    in_bootloader = true;
    assert_true(world_boot(&w));
    assert_true(world_settle(&w));
    assert_int_equal(port.calls[FAULTY_KV_SET], 1);
    assert_int_equal(writes_of(count.erases, OTA_DATA, WORLD_FLASH - OTA_DATA), 0);
    assert_int_equal(writes_of(count.programs, OTA_DATA, WORLD_FLASH - OTA_DATA), 0);
}

/* ---- the device ---- */

static int set_up(void **state)
{
    size_t len;
    uint8_t *image = images_one("1.0.0", 5000, 5000, &len);

    (void)state;
    world_init(&w, WORLD_TWO_OTA, image, len);
    free(image);
    w.wrap = life_begins;
    w.wrap_ctx = &port;
    w.nor.fail = watch;
    assert_true(world_boot(&w));
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    world_end(&w);
    return 0;
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(an_update_erases_and_programs_each_sector_once),
        CASE(an_update_writes_two_records_and_the_bootloader_one),
        CASE(an_update_sets_the_store_eight_times),
        CASE(a_refused_file_costs_one_journal_entry),
        CASE(looking_writes_nothing),
        CASE(a_plain_boot_counts_itself_and_nothing_else),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
