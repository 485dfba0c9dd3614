/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "esp_board.h"
#include "flash/ota_data.h"
#include "flash/partition_table.h"
#include "life.h"
#include "port_contract.h"
#include "table_maker.h"

/* The ESP-IDF port, on a fake of ESP-IDF, without a server. The build makes this program once more for the
 * oldest version. */

#define OTA_DATA 0xD000u /* of world.c's layouts */

static struct life l;
static uint8_t *image;
static size_t image_len;

static const struct otapult_port *port(void)
{
    return otapult_esp_port();
}

static void boot(enum world_layout layout)
{
    life_init(&l, layout, image, image_len);
    assert_true(life_boot(&l, ESP_RST_POWERON));
    (void)otapult_esp_port();
    otapult_esp_open_store(&otapult_esp_board);
}

static int tear_down(void **state)
{
    (void)state;
    life_end(&l);
    return 0;
}

static enum otapult_slot_state state_of(int index)
{
    struct otapult_slot slot;

    assert_int_equal(port()->slot(port()->ctx, index, &slot), 0);
    return slot.state;
}

static struct otapult_slots slots(void)
{
    struct otapult_slots s;

    assert_int_equal(port()->slots(port()->ctx, &s), 0);
    return s;
}

static void write_image(int index)
{
    struct otapult_flash f;
    uint8_t sector[4096];

    assert_int_equal(port()->open(port()->ctx, index, &f), 0);
    for (uint32_t off = 0; off < image_len; off += f.sector) {
        size_t n = image_len - off < f.sector ? image_len - off : f.sector;
        memset(sector, 0xFF, sizeof sector);
        memcpy(sector, image + off, n);
        assert_int_equal(f.erase(f.ctx, off, f.sector), 0);
        assert_int_equal(f.write(f.ctx, off, sector, (uint32_t)(n + 15) & ~15u), 0);
    }
}

static void boot_into_next(void)
{
    int next = slots().next;

    write_image(next);
    assert_int_equal(port()->activate(port()->ctx, next), 0);
    assert_true(life_boot(&l, ESP_RST_SW));
    (void)otapult_esp_port();
    assert_int_equal(slots().running, next);
}

static void switch_radio(bool on)
{
    fake_idf.radio_on = on;
    otapult_esp_radio(on);
}

/* ---- tables that only gen_esp32part.py would refuse ---- */

static void boot_with(const struct table_part *parts, unsigned count)
{
    uint8_t table[TABLE_MAKER_SIZE];

    life_init(&l, WORLD_TWO_OTA, image, image_len);
    table_make(table, parts, count);
    memcpy(l.flash.nor.data + OTAPULT_TABLE_OFFSET, table, sizeof table);
    assert_true(life_boot(&l, ESP_RST_POWERON));
    (void)otapult_esp_port();
}

#define PARTS_BEFORE                                                    \
    {1, 2, 0x9000, 0x4000, "nvs"}, {1, 0, OTA_DATA, 0x2000, "otadata"}, \
    {                                                                   \
        0, 0x10, 0x10000, 0x10000, "app0"                               \
    }

static void a_misplaced_table_takes_no_update(void **state)
{
    static const struct table_part same_place[] = {PARTS_BEFORE, {0, 0x11, 0x10000, 0x10000, "app1"}};
    static const struct table_part off_page[] = {PARTS_BEFORE, {0, 0x11, 0x21000, 0x10000, "app1"}};
    static const struct table_part over_table[] = {PARTS_BEFORE, {0, 0x11, 0, 0x9000, "app1"}};
    (void)state;

    boot_with(same_place, 4);
    assert_int_equal(slots().table_error, OTAPULT_E_SLOTS_OVERLAP);
    assert_string_equal(slots().table_why.text, "app0, app1");
    life_end(&l);
    boot_with(off_page, 4);
    assert_int_equal(slots().table_error, OTAPULT_E_SLOT_ALIGNMENT);
    life_end(&l);
    boot_with(over_table, 4);
    assert_int_equal(slots().table_error, OTAPULT_E_SLOTS_OVERLAP);
    assert_string_equal(slots().table_why.text, "bootloader, app1");
}

static void the_place_that_runs_is_read_only(void **state)
{
    static const struct table_part same_place[] = {PARTS_BEFORE, {0, 0x11, 0x10000, 0x10000, "app1"}};
    static const uint8_t block[16];
    struct otapult_flash f;
    (void)state;

    boot_with(same_place, 4);
    assert_int_equal(port()->open(port()->ctx, 1, &f), 0);
    assert_int_equal(f.erase(f.ctx, 0, f.sector), OTAPULT_E_SLOT_OPEN);
    assert_int_equal(f.write(f.ctx, 0, block, sizeof block), OTAPULT_E_SLOT_OPEN);
}

/* An application may register a partition of another chip: its addresses are not ours. */
static void another_chip_is_no_overlap(void **state)
{
    (void)state;
    boot(WORLD_TWO_OTA);
    assert_int_equal(slots().table_error, 0);
    fake_idf.partition[fake_idf.partitions] = fake_idf.partition[0];
    fake_idf.partition[fake_idf.partitions++].flash_chip = (esp_flash_t *)&l;
    otapult_esp_bind_slots(&otapult_esp_board);
    assert_int_equal(slots().table_error, 0);
    fake_idf.partition[fake_idf.partitions - 1].flash_chip = NULL;
    otapult_esp_bind_slots(&otapult_esp_board);
    assert_int_equal(slots().table_error, OTAPULT_E_SLOTS_OVERLAP);
}

/* ---- the vault ---- */

static const struct table_part with_vault[] = {
    PARTS_BEFORE, {0, 0x11, 0x20000, 0x10000, "app1"}, {1, 2, 0x30000, 0x4000, "otapult"}};

static void assert_stored(int (*get)(void *, const char *, void *, size_t, size_t *), const char *value)
{
    char found[16] = "";
    size_t len;

    assert_int_equal(get(port()->ctx, "key", found, sizeof found, &len), 0);
    assert_int_equal(len, strlen(value));
    assert_string_equal(found, value);
}

/* Every ESP-IDF example erases NVS when it does not start. */
static void the_vault_outlives_an_erased_nvs(void **state)
{
    (void)state;
    boot_with(with_vault, 5);
    assert_int_equal(slots().table_error, 0);
    otapult_esp_open_store(&otapult_esp_board);
    assert_int_equal(port()->vault_set(port()->ctx, "key", "safe", 4), 0);
    assert_int_equal(port()->kv_set(port()->ctx, "key", "note", 4), 0);
    assert_stored(port()->vault_get, "safe");
    assert_stored(port()->kv_get, "note");
    memset(l.flash.nor.data + 0x9000, 0xFF, 0x4000);
    assert_true(life_boot(&l, ESP_RST_POWERON));
    (void)otapult_esp_port();
    otapult_esp_open_store(&otapult_esp_board);
    assert_stored(port()->kv_get, "");
    assert_stored(port()->vault_get, "safe");
}

/* It does not fall back to the store: what is not there may have been revoked there. */
static void a_vault_that_does_not_open_says_so_each_time(void **state)
{
    char value[8];
    size_t len;

    (void)state;
    boot_with(with_vault, 5);
    fake_idf.vault_error = ESP_ERR_NVS_NO_FREE_PAGES;
    otapult_esp_open_store(&otapult_esp_board);
    assert_int_equal(port()->vault_get(port()->ctx, "key", value, sizeof value, &len), OTAPULT_E_STORE);
    assert_int_equal(port()->vault_set(port()->ctx, "key", "x", 1), OTAPULT_E_STORE);
    assert_int_equal(port()->kv_set(port()->ctx, "key", "x", 1), 0);
    fake_idf.vault_error = ESP_OK;
}

static void without_the_partition_there_is_no_vault(void **state)
{
    (void)state;
    boot(WORLD_TWO_OTA);
    assert_null(port()->vault_get);
    assert_null(port()->vault_set);
}

/* ---- the shared port test ---- */

static bool reboot(struct port_contract *c)
{
    bool encrypted = fake_idf.encrypted;

    if (!life_boot(&l, ESP_RST_SW))
        return false;
    fake_idf.encrypted = encrypted;
    c->port = port();
    otapult_esp_open_store(&otapult_esp_board);
    switch_radio(true);
    return true;
}

static void broken(struct port_contract *c, const char *promise, int line)
{
    (void)c;
    print_error("port_contract.c:%d: %s\n", line, promise);
    fail();
}

static void keep_contract(enum world_layout layout, bool encrypted)
{
    struct port_contract c = {.image = image, .image_len = image_len, .reboot = reboot, .broken = broken};

    boot(layout);
    fake_idf.encrypted = encrypted;
    switch_radio(true);
    if (layout == WORLD_FACTORY_OTA) { /* it goes back to a slot that OTA data knows */
        boot_into_next();
        assert_int_equal(port()->confirm(port()->ctx), 0);
        otapult_esp_open_store(&otapult_esp_board);
        switch_radio(true);
    }
    c.port = port();
    port_contract_test(&c);
}

static void two_slots_keep_the_contract(void **state)
{
    (void)state;
    keep_contract(WORLD_TWO_OTA, false);
}

static void encrypted_slots_keep_the_contract(void **state)
{
    (void)state;
    keep_contract(WORLD_TWO_OTA, true);
}

static void slots_beside_a_factory_app_keep_the_contract(void **state)
{
    (void)state;
    keep_contract(WORLD_FACTORY_OTA, false);
}

/* ---- slots ---- */

static void a_table_without_slots_is_told_before_the_first_upload(void **state)
{
    (void)state;
    boot(WORLD_FACTORY_ONLY);
    assert_int_equal(otapult_esp_check(), OTAPULT_E_NO_OTA_PARTITION);
    struct otapult_slots s = slots();
    assert_int_equal(s.count, 0);
    assert_int_equal(s.running, OTAPULT_SLOT_FACTORY);
    assert_int_equal(s.boot, OTAPULT_SLOT_FACTORY);
    assert_int_equal(s.next, OTAPULT_SLOT_NONE);
    assert_false(s.ota_data);
    assert_int_equal(port()->activate(port()->ctx, 0), OTAPULT_E_NO_OTA_DATA);
    assert_int_equal(state_of(OTAPULT_SLOT_FACTORY), OTAPULT_STATE_UNDEFINED);
}

static const char *name_of(const char *given)
{
    struct otapult_esp_config config = OTAPULT_ESP_CONFIG_DEFAULT;

    boot(WORLD_TWO_OTA);
    config.device.ready = otapult_always_ready;
    config.device.hold = otapult_nothing_moves;
    config.device.name = given;
    assert_int_equal(otapult_esp_start(&config), ESP_OK);
    return otapult_name(otapult_esp_device());
}

static void a_board_without_a_name_has_the_end_of_its_address(void **state)
{
    (void)state;
    assert_string_equal(name_of(NULL), "a1b2c3");
    life_end(&l);
    assert_string_equal(name_of(""), "a1b2c3");
    life_end(&l);
    assert_string_equal(name_of("left leg"), "left leg");
}

static void a_good_table_passes_the_check(void **state)
{
    (void)state;
    boot(WORLD_TWO_OTA);
    assert_int_equal(otapult_esp_check(), 0);
}

static void ota_data_that_is_too_small_is_none(void **state)
{
    (void)state;
    boot(WORLD_TWO_OTA);
    for (unsigned n = 0; n < fake_idf.partitions; n++)
        if (fake_idf.partition[n].address == OTA_DATA)
            fake_idf.partition[n].size = 0x1000;
    memset(&otapult_esp_board, 0, sizeof otapult_esp_board);
    assert_int_equal(otapult_esp_check(), OTAPULT_E_NO_OTA_DATA);
}

static void a_running_test_app_is_no_slot(void **state)
{
    (void)state;
    life_init(&l, WORLD_TWO_OTA, image, image_len);
    assert_true(life_boot(&l, ESP_RST_POWERON));
    assert_non_null(esp_partition_find_first(ESP_PARTITION_TYPE_APP, ESP_PARTITION_SUBTYPE_ANY, NULL));
    fake_idf.partition[fake_idf.partitions - 1].subtype = ESP_PARTITION_SUBTYPE_APP_TEST;
    fake_idf.running = OTAPULT_SLOT_TEST;
    struct otapult_slots s = slots();
    assert_int_equal(s.running, OTAPULT_SLOT_NONE);
    assert_int_equal(s.next, 0);
    assert_int_equal(port()->confirm(port()->ctx), OTAPULT_E_NOT_PENDING);
}

/* ---- flash ---- */

static bool fails;

static bool fail_on_demand(void *ctx, enum nor_op op, uint32_t address, uint32_t len)
{
    (void)ctx;
    (void)op;
    (void)len;
    return fails && address >= 0x10000; /* tables and records are read all the same */
}

static void each_flash_error_is_a_row_of_the_table(void **state)
{
    struct otapult_flash f;
    uint8_t bytes[16] = {0};

    (void)state;
    boot(WORLD_TWO_OTA);
    assert_int_equal(port()->open(port()->ctx, 1, &f), 0);
    l.flash.nor.fail = fail_on_demand;
    fails = true;
    assert_int_equal(f.read(f.ctx, 0, bytes, 16), OTAPULT_E_FLASH_READ);
    assert_int_equal(f.erase(f.ctx, 0, 4096), OTAPULT_E_FLASH_ERASE);
    assert_int_equal(f.write(f.ctx, 0, bytes, 16), OTAPULT_E_FLASH_WRITE);
    fails = false;
    assert_non_null(strstr(fake_idf.log, "E otapult: write: ESP_ERR_TIMEOUT (0x107)"));
}

/* Before 5.4 ESP-IDF adds offset and length without looking at the carry. */
static void a_range_that_wraps_is_refused(void **state)
{
    struct otapult_flash f;
    uint8_t bytes[16] = {0};

    (void)state;
    boot(WORLD_TWO_OTA);
    assert_int_equal(port()->open(port()->ctx, 1, &f), 0);
    assert_int_equal(f.read(f.ctx, 16, bytes, 0xFFFFFFF8u), OTAPULT_E_FLASH_READ);
    assert_int_equal(f.write(f.ctx, 16, bytes, 0xFFFFFFF0u), OTAPULT_E_FLASH_WRITE);
    assert_int_equal(f.erase(f.ctx, 0x1000, 0xFFFFF000u), OTAPULT_E_FLASH_ERASE);
}

static void an_erase_is_one_block_at_most(void **state)
{
    struct otapult_flash f;

    (void)state;
    boot(WORLD_TWO_OTA);
    assert_int_equal(port()->open(port()->ctx, 1, &f), 0);
    assert_int_equal(f.block, 0x10000);
    otapult_esp_board.slot[1].partition = &(esp_partition_t){.size = 0x20000, .erase_size = 4096};
    assert_int_equal(f.erase(f.ctx, 0, 0x11000), OTAPULT_E_FLASH_ERASE);
}

static void others_get_to_run_while_a_slot_is_written(void **state)
{
    (void)state;
    boot(WORLD_TWO_OTA);
    write_image(1);
    uint64_t busy = fake_idf.now_us - fake_idf.ticks_slept * 10000u;
    assert_true(fake_idf.ticks_slept >= 1);
    assert_true(fake_idf.ticks_slept * 50000u <= busy + 50000u); /* and no more often than that */
    assert_int_equal(fake_idf.watchdog_fed, 0);
}

static void the_watchdog_is_fed_where_there_is_one(void **state)
{
    (void)state;
    boot(WORLD_TWO_OTA);
    fake_idf.watched = true;
    write_image(1);
    assert_true(fake_idf.watchdog_fed >= 4); /* each erase and each write */
}

/* ---- OTA data ---- */

static void an_image_that_does_not_verify_is_not_activated(void **state)
{
    (void)state;
    boot(WORLD_TWO_OTA);
    write_image(1);
    l.flash.nor.data[0x20000 + 400] ^= 1;
    assert_int_equal(port()->activate(port()->ctx, 1), OTAPULT_E_ACTIVATE);
    assert_int_equal(slots().boot, 0);
    assert_non_null(strstr(fake_idf.log, "ESP_ERR_OTA_VALIDATE_FAILED"));
}

/* boot_app0.bin of Arduino carries a record of number 0, which names a slot like any other. */
static void a_slot_that_is_active_keeps_its_number(void **state)
{
    static const struct table_part parts[] = {
        {1, 0, OTA_DATA, 0x2000, "otadata"},
        {0, 0x10, 0x10000, 0x10000, "a"},
        {0, 0x11, 0x20000, 0x10000, "b"},
        {0, 0x12, 0x30000, 0x10000, "c"},
    };
    const bool in_place = ESP_IDF_VERSION >= ESP_IDF_VERSION_VAL(6, 0, 0);

    (void)state;
    life_init(&l, WORLD_TWO_OTA, image, image_len);
    table_make(l.flash.nor.data + OTAPULT_TABLE_OFFSET, parts, 4);
    uint8_t *const first = l.flash.nor.data + OTA_DATA, *const second = first + 0x1000;
    memset(first, 0xFF, 0x2000);
    memset(second, 0, 4);
    assert_true(life_boot(&l, ESP_RST_POWERON));
    (void)otapult_esp_port();
    assert_int_equal(slots().boot, 0); /* (0 - 1) % 3, with 32 bits */
    assert_int_equal(port()->activate(port()->ctx, 0), 0);
    assert_int_equal(first[0], in_place ? 0xFF : 1);
    assert_int_equal(second[0], 0);
    assert_int_equal(second[24], in_place ? OTAPULT_OTA_NEW : 0xFF);
    assert_int_equal(slots().boot, 0);
}

/* ESP-IDF marks the active record. Here that is the slot which did not load. */
static void a_fallen_back_firmware_does_not_confirm_the_broken_one(void **state)
{
    uint8_t before[0x2000];

    (void)state;
    boot(WORLD_TWO_OTA);
    write_image(1);
    assert_int_equal(port()->activate(port()->ctx, 1), 0);
    l.flash.nor.data[0x20000 + 400] ^= 1;
    assert_true(life_boot(&l, ESP_RST_SW));
    assert_int_equal(slots().running, 0);
    assert_int_equal(slots().boot, 1);
    memcpy(before, l.flash.nor.data + OTA_DATA, sizeof before);
    assert_int_equal(port()->confirm(port()->ctx), OTAPULT_E_NOT_PENDING);
    assert_int_equal(port()->reject(port()->ctx), OTAPULT_E_NOT_PENDING);
    assert_memory_equal(before, l.flash.nor.data + OTA_DATA, sizeof before);
}

static void what_is_confirmed_is_not_confirmed_again(void **state)
{
    (void)state;
    boot(WORLD_TWO_OTA);
    boot_into_next();
    assert_int_equal(port()->confirm(port()->ctx), 0);
    assert_int_equal(state_of(1), OTAPULT_STATE_VALID);
    assert_int_equal(port()->confirm(port()->ctx), OTAPULT_E_NOT_PENDING);
    assert_int_equal(port()->reject(port()->ctx), OTAPULT_E_NOT_PENDING);
}

/* A bootloader without rollback leaves the record NEW. */
static void a_new_firmware_under_an_old_bootloader_can_be_confirmed(void **state)
{
    (void)state;
    boot(WORLD_TWO_OTA);
    write_image(1);
    assert_int_equal(port()->activate(port()->ctx, 1), 0);
    fake_idf_power_on(&l.flash.nor, 1, ESP_RST_SW);
    assert_int_equal(state_of(1), OTAPULT_STATE_NEW);
    assert_int_equal(port()->confirm(port()->ctx), 0);
    assert_int_equal(state_of(1), OTAPULT_STATE_VALID);
}

static void nothing_to_go_back_to_is_said_before_anything_is_written(void **state)
{
    (void)state;
    boot(WORLD_TWO_OTA);
    boot_into_next();
    l.flash.nor.data[0x10000 + 400] ^= 1;
    assert_int_equal(port()->reject(port()->ctx), OTAPULT_E_NO_ROLLBACK);
    assert_int_equal(state_of(1), OTAPULT_STATE_PENDING_VERIFY);
}

static void a_rejection_does_not_restart(void **state)
{
    (void)state;
    boot(WORLD_TWO_OTA);
    boot_into_next();
    assert_int_equal(port()->reject(port()->ctx), 0);
    assert_false(fake_idf.restarted);
    assert_int_equal(state_of(1), OTAPULT_STATE_INVALID);
    assert_int_equal(slots().boot, 0);
}

/* ---- store ---- */

static void a_store_that_fails_says_so(void **state)
{
    uint8_t value[8];
    size_t len = 99;

    (void)state;
    boot(WORLD_TWO_OTA);
    fake_idf.nvs_error = ESP_ERR_NVS_NOT_ENOUGH_SPACE;
    assert_int_equal(port()->kv_set(port()->ctx, "k", "v", 1), OTAPULT_E_STORE);
    assert_int_equal(port()->kv_set(port()->ctx, "k", NULL, 0), OTAPULT_E_STORE);
    assert_int_equal(port()->kv_get(port()->ctx, "k", value, sizeof value, &len), OTAPULT_E_STORE);
    assert_int_equal(len, 0);
}

static void a_store_that_does_not_open_says_so_each_time(void **state)
{
    uint8_t value[8];
    size_t len;

    (void)state;
    life_init(&l, WORLD_TWO_OTA, image, image_len);
    assert_true(life_boot(&l, ESP_RST_POWERON));
    fake_idf.nvs_error = ESP_ERR_NVS_NO_FREE_PAGES;
    (void)otapult_esp_port();
    otapult_esp_open_store(&otapult_esp_board);
    fake_idf.nvs_error = ESP_OK;
    assert_int_equal(port()->kv_set(port()->ctx, "k", "v", 1), OTAPULT_E_STORE);
    assert_int_equal(port()->kv_get(port()->ctx, "k", value, sizeof value, &len), OTAPULT_E_STORE);
    assert_non_null(strstr(fake_idf.log, "E otapult: NVS: "));
}

static void each_level_of_the_log_is_esp_idfs(void **state)
{
    (void)state;
    boot(WORLD_TWO_OTA);
    port()->log(port()->ctx, OTAPULT_LOG_ERROR, "one");
    port()->log(port()->ctx, OTAPULT_LOG_WARNING, "two");
    port()->log(port()->ctx, OTAPULT_LOG_INFO, "100%s");
    assert_non_null(strstr(fake_idf.log, "E otapult: one\nW otapult: two\nI otapult: 100%s\n"));
}

static void a_value_that_is_too_long_is_none_of_ours(void **state)
{
    uint8_t value[4];
    size_t len;

    (void)state;
    boot(WORLD_TWO_OTA);
    assert_int_equal(port()->kv_set(port()->ctx, "k", "12345", 5), 0);
    assert_int_equal(port()->kv_get(port()->ctx, "k", value, sizeof value, &len), OTAPULT_E_STORE);
    assert_int_equal(len, 0);
}

/* ---- the rest of the world ---- */

static void no_random_numbers_without_a_radio(void **state)
{
    uint8_t bytes[8] = {0};

    (void)state;
    boot(WORLD_TWO_OTA);
    assert_int_not_equal(port()->random(port()->ctx, bytes, sizeof bytes), 0);
    switch_radio(true);
    assert_int_equal(port()->random(port()->ctx, bytes, sizeof bytes), 0);
    switch_radio(false);
    assert_int_not_equal(port()->random(port()->ctx, bytes, sizeof bytes), 0);
}

static void each_reset_has_its_meaning(void **state)
{
    static const struct {
        esp_reset_reason_t esp;
        enum otapult_reset ours;
    } cases[] = {
        {ESP_RST_POWERON, OTAPULT_RESET_POWER},
        {ESP_RST_BROWNOUT, OTAPULT_RESET_POWER},
        {ESP_RST_SW, OTAPULT_RESET_SOFTWARE},
        {ESP_RST_PANIC, OTAPULT_RESET_CRASH},
        {ESP_RST_INT_WDT, OTAPULT_RESET_WATCHDOG},
        {ESP_RST_TASK_WDT, OTAPULT_RESET_WATCHDOG},
        {ESP_RST_WDT, OTAPULT_RESET_WATCHDOG},
        {ESP_RST_PWR_GLITCH, OTAPULT_RESET_POWER},
        {ESP_RST_CPU_LOCKUP, OTAPULT_RESET_CRASH},
        {ESP_RST_UNKNOWN, OTAPULT_RESET_OTHER},
        {ESP_RST_EXT, OTAPULT_RESET_OTHER},
        {ESP_RST_DEEPSLEEP, OTAPULT_RESET_OTHER},
        {(esp_reset_reason_t)99, OTAPULT_RESET_OTHER},
    };

    (void)state;
    boot(WORLD_TWO_OTA);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        fake_idf.reset = cases[i].esp;
        assert_int_equal(port()->reset_reason(port()->ctx), cases[i].ours);
    }
}

static void the_clock_wraps_with_32_bits(void **state)
{
    (void)state;
    boot(WORLD_TWO_OTA);
    fake_idf.now_us = 0x100000005ull * 1000u;
    assert_int_equal(port()->now_ms(port()->ctx), 5);
}

#define TEST_CASE(name) cmocka_unit_test_teardown(name, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST_CASE(two_slots_keep_the_contract),
        TEST_CASE(encrypted_slots_keep_the_contract),
        TEST_CASE(slots_beside_a_factory_app_keep_the_contract),
        TEST_CASE(a_table_without_slots_is_told_before_the_first_upload),
        TEST_CASE(a_board_without_a_name_has_the_end_of_its_address),
        TEST_CASE(a_good_table_passes_the_check),
        TEST_CASE(ota_data_that_is_too_small_is_none),
        TEST_CASE(a_misplaced_table_takes_no_update),
        TEST_CASE(the_place_that_runs_is_read_only),
        TEST_CASE(another_chip_is_no_overlap),
        TEST_CASE(the_vault_outlives_an_erased_nvs),
        TEST_CASE(a_vault_that_does_not_open_says_so_each_time),
        TEST_CASE(without_the_partition_there_is_no_vault),
        TEST_CASE(a_running_test_app_is_no_slot),
        TEST_CASE(each_flash_error_is_a_row_of_the_table),
        TEST_CASE(a_range_that_wraps_is_refused),
        TEST_CASE(an_erase_is_one_block_at_most),
        TEST_CASE(others_get_to_run_while_a_slot_is_written),
        TEST_CASE(the_watchdog_is_fed_where_there_is_one),
        TEST_CASE(an_image_that_does_not_verify_is_not_activated),
        TEST_CASE(a_slot_that_is_active_keeps_its_number),
        TEST_CASE(a_fallen_back_firmware_does_not_confirm_the_broken_one),
        TEST_CASE(what_is_confirmed_is_not_confirmed_again),
        TEST_CASE(a_new_firmware_under_an_old_bootloader_can_be_confirmed),
        TEST_CASE(nothing_to_go_back_to_is_said_before_anything_is_written),
        TEST_CASE(a_rejection_does_not_restart),
        TEST_CASE(a_store_that_fails_says_so),
        TEST_CASE(a_store_that_does_not_open_says_so_each_time),
        TEST_CASE(each_level_of_the_log_is_esp_idfs),
        TEST_CASE(a_value_that_is_too_long_is_none_of_ours),
        TEST_CASE(no_random_numbers_without_a_radio),
        TEST_CASE(each_reset_has_its_meaning),
        TEST_CASE(the_clock_wraps_with_32_bits),
    };
    const struct sample_spec spec = {SAMPLE_DEFAULT, .version = "1.0.0", .size = 9000, .seed = 1};

    image = sample_image(&spec, &image_len);
    int failed = cmocka_run_group_tests_name("esp_idf_port", tests, NULL, NULL);
    free(image);
    return failed;
}
