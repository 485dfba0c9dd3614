/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "images.h"
#include "oracle.h"
#include "world.h"

/* A flash chip that fails or lies while a whole device updates itself: every operation fails, once and
 * from then on; every read returns one wrong bit; cells are stuck at 0 or at 1. What does not reach flash
 * as it was sent is refused and never activated, the old image still boots, and the next update works.
 * Only the application meets the faults: what a bootloader makes of a chip that lies to it is not ours. */

#define OTA_DATA  0xD000u
#define TARGET    0x20000u /* of the update: slot 1 */
#define SLOT_SIZE 0x10000u
#define HEADER    16u

static uint8_t *old, *new, *next;
static size_t old_len, new_len, next_len;
static struct world w;
static uint8_t base[WORLD_FLASH];

static struct chip {
    unsigned ops; /* since it was armed */
    unsigned strike_at;
    bool for_good;
    enum nor_op struck_op; /* the first operation that was struck, and where */
    uint32_t struck_at;
    unsigned struck;
    unsigned bit;  /* of what a read returns */
    uint32_t cell; /* address of the stuck one */
    uint8_t mask;  /* its bit */
    bool stuck_at_1;
} chip;

static bool is_in(uint32_t address, uint32_t from, uint32_t size)
{
    return address >= from && address - from < size;
}

/* ---- faults ---- */

static bool strikes(enum nor_op op, uint32_t address)
{
    chip.ops++;
    bool hit = chip.ops == chip.strike_at || (chip.for_good && chip.ops > chip.strike_at);
    if (hit && chip.struck++ == 0) {
        chip.struck_op = op;
        chip.struck_at = address;
    }
    return hit;
}

static bool fail_op(void *ctx, enum nor_op op, uint32_t address, uint32_t len)
{
    (void)ctx;
    (void)len;
    return strikes(op, address);
}

static void flip_bit(void *ctx, uint32_t address, uint8_t *buf, uint32_t len)
{
    (void)ctx;
    if (strikes(NOR_READ, address))
        buf[chip.bit / 8 % len] ^= (uint8_t)(1u << chip.bit % 8);
}

static void stick_cell(void *ctx, uint32_t address, uint8_t *buf, uint32_t len)
{
    (void)ctx;
    if (!is_in(chip.cell, address, len))
        return;
    uint8_t *byte = buf + (chip.cell - address);
    *byte = (uint8_t)(chip.stuck_at_1 ? *byte | chip.mask : *byte & ~chip.mask);
}

static void heal(void)
{
    w.nor.fail = NULL;
    w.nor.lie = NULL;
}

/* ---- one update ---- */

static void stop_here(const char *what, const char *found)
{
    print_error("%s: %s (operation %u%s, %s at 0x%x, bit %u; cell 0x%x mask %02x stuck at %d)\n", what, found,
                chip.strike_at, chip.for_good ? " and all later ones" : "",
                chip.struck_op == NOR_READ      ? "a read"
                : chip.struck_op == NOR_PROGRAM ? "a program"
                                                : "an erase",
                (unsigned)chip.struck_at, chip.bit, (unsigned)chip.cell, chip.mask, chip.stuck_at_1);
    fail();
}

static bool boots(const char *version)
{
    struct oracle_result r = oracle_boot(w.nor.data, WORLD_FLASH);

    if (!r.boots || !r.image_ok)
        stop_here("bricked", r.why);
    return strcmp(r.image.version, version) == 0;
}

static int upload(const uint8_t *image, size_t len)
{
    int err = world_upload(&w, image, len, 1000);

    if (w.holds != (err == 0))
        stop_here("hold() is not balanced", otapult_error_row(err)->code);
    return err;
}

static void start(void)
{
    world_restore(&w, base);
    heal();
    assert_true(world_boot(&w));
}

/* The next update, here or after a power cut, by turns. */
static void recover(bool same_life)
{
    heal();
    w.health = OTAPULT_HEALTH_PASS;
    if (!same_life) {
        world_pull_plug(&w);
        assert_true(world_boot(&w));
    }
    if (!world_settle(&w) || upload(next, next_len) != 0 || !world_settle(&w) || !boots("3.0.0"))
        stop_here("the next update failed", world_version(&w));
}

/* A header in flash belongs to a whole image: the one that was there before; or the new one, when its header
 * could be written and then neither be read back nor erased. */
static void check_header(void)
{
    struct oracle_image there;
    bool no_way_back = chip.for_good && chip.struck_op == NOR_READ && chip.struck_at == TARGET;

    if (memcmp(w.nor.data + TARGET, new, HEADER) != 0)
        return;
    if (!oracle_image_ok(w.nor.data + TARGET, SLOT_SIZE, &there))
        stop_here("the header of a refused image is in flash", there.fault);
    if (strcmp(there.version, "3.0.0") != 0 && !no_way_back)
        stop_here("a refused image is in flash, and whole", there.version);
}

/* Flash does not hold what was sent: refused, header gone, nothing activated. */
static void check_refused(int err, int expected)
{
    if (err != expected)
        stop_here("not refused as it should be", otapult_error_row(err)->code);
    if (!boots("1.0.0"))
        stop_here("activated all the same", otapult_error_row(err)->code);
    check_header();
}

/* ---- operations that fail ---- */

static int error_of(enum nor_op op)
{
    return op == NOR_READ      ? OTAPULT_E_FLASH_READ
           : op == NOR_PROGRAM ? OTAPULT_E_FLASH_WRITE
                               : OTAPULT_E_FLASH_ERASE;
}

static bool in_target(void)
{
    return is_in(chip.struck_at, TARGET, SLOT_SIZE);
}

static bool in_ota_data(void)
{
    return is_in(chip.struck_at, OTA_DATA, 0x2000);
}

/* What was struck after the activation cannot undo it; a record that was written and can neither be read
 * back nor erased any more is the one way in which an update that failed may boot: its image is verified. */
static void check_failed_op(int err)
{
    bool no_way_back = chip.for_good && chip.struck_op == NOR_READ && in_ota_data();

    if (err == 0 && (in_target() || !boots("2.0.0")))
        stop_here("a success with flash that fails", "");
    if (err != 0 && err != error_of(chip.struck_op) && !chip.for_good)
        stop_here("not the error that was put in", otapult_error_row(err)->code);
    if (err != 0 && in_target())
        check_refused(err, error_of(chip.struck_op));
    if (err != 0 && !boots("1.0.0") && !no_way_back)
        stop_here("activated all the same", otapult_error_row(err)->code);
    if (err != 0 && !in_target() && !in_ota_data() && !chip.for_good)
        stop_here("refused for what is not the update's", otapult_error_row(err)->code);
}

static bool fail_at(unsigned op, bool for_good)
{
    start();
    chip = (struct chip){.strike_at = op, .for_good = for_good};
    w.nor.fail = fail_op;
    int err = upload(new, new_len);
    heal();
    if (chip.struck == 0) {
        assert_int_equal(err, 0);
        return false;
    }
    check_failed_op(err);
    recover(err != 0 && op % 2 == 0);
    return true;
}

static void an_operation_that_fails_once_or_for_good_ends_the_update_with_its_error(void **state)
{
    unsigned op = 1;

    (void)state;
    while (fail_at(op, false) && fail_at(op, true))
        op++;
    assert_true(op > 50);
}

/* ---- confirmation and rejection ---- */

/* Activates `new` and gives the application's first life to `health`, with a chip that fails. */
static bool decide_with_failure(unsigned op, bool for_good, enum otapult_health health)
{
    start();
    assert_int_equal(upload(new, new_len), 0);
    w.health = OTAPULT_HEALTH_WAIT;
    assert_true(world_settle(&w));
    assert_string_equal(world_version(&w), "2.0.0");

    w.health = health;
    chip = (struct chip){.strike_at = op, .for_good = for_good};
    w.nor.fail = fail_op;
    for (int polls = 0; polls < 4 && !w.board.restart; polls++)
        otapult_poll(w.ota);
    heal();
    return chip.struck > 0;
}

static void a_confirmation_that_fails_is_made_up_for(void **state)
{
    (void)state;
    for (unsigned op = 1, more = 1; more; op++)
        for (int good = 0; good < 2 && more; good++) {
            more = decide_with_failure(op, good, OTAPULT_HEALTH_PASS);
            world_pull_plug(&w);
            boots(""); /* something whole does */
            assert_true(world_boot(&w));
            assert_true(world_settle(&w));
            if (!boots("2.0.0"))
                stop_here("an image whose checks passed is lost", world_version(&w));
            recover(op % 2 == 0);
        }
}

static void a_rejection_that_fails_is_made_up_for(void **state)
{
    (void)state;
    for (unsigned op = 1, more = 1; more; op++)
        for (int good = 0; good < 2 && more; good++) {
            more = decide_with_failure(op, good, OTAPULT_HEALTH_FAIL);
            assert_true(world_settle(&w));
            world_pull_plug(&w);
            if (!boots("1.0.0"))
                stop_here("a rejected image boots again", world_version(&w));
            assert_true(world_boot(&w));
            recover(op % 2 == 0);
        }
}

/* ---- reads that lie once ---- */

/* What the store or OTA data return wrong may be noticed or not; but then the update must be sound: the
 * new image boots, and when it is rejected the old one returns. */
static void check_sound(int err)
{
    if (err != 0) {
        if (!boots("1.0.0"))
            stop_here("activated all the same", otapult_error_row(err)->code);
        return;
    }
    if (!boots("2.0.0"))
        stop_here("a success that does not boot", "");
    w.health = OTAPULT_HEALTH_FAIL;
    if (!world_settle(&w) || !boots("1.0.0"))
        stop_here("no way back from an update that met a wrong bit", "");
}

static bool lie_at(unsigned read, unsigned bit)
{
    start();
    chip = (struct chip){.strike_at = read, .bit = bit};
    w.nor.lie = flip_bit;
    int err = upload(new, new_len);
    heal();
    if (chip.struck == 0)
        return false;
    if (in_target())
        check_refused(err, OTAPULT_E_FLASH_READBACK);
    else
        check_sound(err);
    recover(err != 0 && read % 2 == 0);
    return true;
}

static void one_wrong_bit_in_one_read_is_noticed(void **state)
{
    static const unsigned bits[] = {0, 6, 11, 24 * 8, 29 * 8 + 3, 127, 1501 * 8 + 7, 4095 * 8 + 1};
    unsigned reads = 0;

    (void)state;
    for (size_t i = 0; i < sizeof bits / sizeof *bits; i++)
        for (reads = 1; lie_at(reads, bits[i]); reads++)
            ;
    assert_true(reads > 30);
}

/* ---- cells ---- */

static bool tells(const uint8_t *byte)
{
    return ((*byte & chip.mask) != 0) != chip.stuck_at_1;
}

/* A cell in the target: refused exactly when the image has the other value there. */
static void stick_in_image(uint32_t off, unsigned bit, bool at_1)
{
    start();
    chip = (struct chip){.cell = TARGET + off, .mask = (uint8_t)(1u << bit), .stuck_at_1 = at_1};
    w.nor.lie = stick_cell;
    int err = upload(new, new_len);
    heal();
    if (off < new_len && tells(new + off)) {
        check_refused(err, OTAPULT_E_FLASH_READBACK);
        recover((off + bit) % 2 == 0);
    } else if (err != 0 || !boots("2.0.0")) {
        stop_here("refused for a cell that has the right value", otapult_error_row(err)->code);
    }
}

static void a_stuck_cell_of_the_target_is_noticed(void **state)
{
    static const uint32_t offsets[] = {16,  23,  24,  31,   32,   48,   80,   176,
                                       287, 288, 289, 1000, 4095, 4096, 4097, 5500};

    (void)state;
    for (unsigned n = 0; n < HEADER * 16; n++)
        stick_in_image(n / 16, n / 2 % 8, n % 2);
    for (size_t i = 0; i < sizeof offsets / sizeof *offsets; i++)
        for (unsigned n = 0; n < 16; n++)
            stick_in_image(offsets[i], n / 2, n % 2);
    for (uint32_t off = 1; off <= 48; off++) /* the digest, to the last byte, and what is behind the image */
        stick_in_image((uint32_t)new_len + 8 - off, off % 8, off % 3 == 0);
}

/* A cell of an OTA data record. The activation writes record 1; the other one is active, and with a wrong
 * value in it neither the device nor a bootloader can know: then something whole boots, no more. */
static void stick_in_record(int record, uint32_t off, unsigned bit, bool at_1)
{
    start();
    chip = (struct chip){
        .cell = OTA_DATA + (uint32_t)record * 0x1000 + off, .mask = (uint8_t)(1u << bit), .stuck_at_1 = at_1};
    w.nor.lie = stick_cell;
    int err = upload(new, new_len);
    heal();
    if (err != 0 && err != OTAPULT_E_FLASH_READBACK)
        stop_here("not noticed as what it is", otapult_error_row(err)->code);
    if (!boots(err == 0 ? "2.0.0" : "1.0.0") && record == 1)
        stop_here("a stuck cell of OTA data", otapult_error_row(err)->code);
    recover(err != 0 && bit % 2 == 0);
}

static void a_stuck_cell_of_ota_data_is_noticed(void **state)
{
    (void)state;
    for (unsigned n = 0; n < 32 * 16; n += 3) {
        stick_in_record(0, n / 16, n / 2 % 8, n % 2);
        stick_in_record(1, n / 16, n / 2 % 8, n % 2);
    }
}

/* ---- flash that forgets ---- */

/* Bits are lost between the activation and the boot: the old image returns, and is at once free for the next
 * update, without another restart. */
static void an_image_that_is_lost_before_its_boot_costs_nothing_else(void **state)
{
    struct otapult_status s;

    (void)state;
    for (int here = 0; here < 2; here++) {
        start();
        chip = (struct chip){.ops = 0};
        assert_int_equal(upload(new, new_len), 0);
        memset(w.nor.data + TARGET + 4096, 0, 16);
        assert_true(world_settle(&w));
        assert_string_equal(world_version(&w), "1.0.0");
        otapult_status(w.ota, &s);
        assert_false(s.pending);
        recover(here == 1);
    }
}

/* ---- the device ---- */

static void update_to(const uint8_t *image, size_t len)
{
    assert_int_equal(world_upload(&w, image, len, 4096), 0);
    assert_true(world_settle(&w));
}

/* 1.0.0 runs in slot 0; 3.0.0 was in slot 1. */
static int set_up(void **state)
{
    (void)state;
    old = images_one("1.0.0", 1, 6000, &old_len);
    new = images_one("2.0.0", 2, 6000, &new_len);
    next = images_one("3.0.0", 3, 6000, &next_len);
    world_init(&w, WORLD_TWO_OTA, old, old_len);
    assert_true(world_boot(&w));
    update_to(next, next_len);
    update_to(old, old_len);
    world_pull_plug(&w);
    world_save(&w, base);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    world_end(&w);
    free(old);
    free(new);
    free(next);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_operation_that_fails_once_or_for_good_ends_the_update_with_its_error),
        cmocka_unit_test(a_confirmation_that_fails_is_made_up_for),
        cmocka_unit_test(a_rejection_that_fails_is_made_up_for),
        cmocka_unit_test(one_wrong_bit_in_one_read_is_noticed),
        cmocka_unit_test(a_stuck_cell_of_the_target_is_noticed),
        cmocka_unit_test(a_stuck_cell_of_ota_data_is_noticed),
        cmocka_unit_test(an_image_that_is_lost_before_its_boot_costs_nothing_else),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
