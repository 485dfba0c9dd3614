/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "factory.h"
#include "host_port.h"
#include "oracle.h"
#include "port_contract.h"
#include "sample_image.h"
#include "skeleton_port.h"
#include "table_maker.h"

#define CHIP      0x50000u
#define SLOT_SIZE 0x10000u
#define OTA_DATA  0xE000u

static struct nor_flash nor;
static struct host_port board;
static uint8_t *image;
static size_t image_len;

/* ---- layouts ---- */

#define NVS                         \
    {                               \
        1, 2, 0x9000, 0x5000, "nvs" \
    }
#define OTADATA                           \
    {                                     \
        1, 0, OTA_DATA, 0x2000, "otadata" \
    }
#define FACTORY                             \
    {                                       \
        0, 0, 0x10000, SLOT_SIZE, "factory" \
    }
#define TEST                                \
    {                                       \
        0, 0x20, 0x40000, SLOT_SIZE, "test" \
    }
#define APP(n, a)                             \
    {                                         \
        0, 0x10 + (n), a, SLOT_SIZE, "app" #n \
    }

struct layout {
    unsigned parts;
    struct table_part part[7];
};

static const struct layout two_slots = {4, {NVS, OTADATA, APP(0, 0x10000), APP(1, 0x20000)}};
static const struct layout three_slots = {5,
                                          {NVS, OTADATA, APP(2, 0x30000), APP(0, 0x10000), APP(1, 0x20000)}};
static const struct layout factory_and_two = {5, {NVS, OTADATA, FACTORY, APP(0, 0x20000), APP(1, 0x30000)}};
static const struct layout factory_and_one = {4, {NVS, OTADATA, FACTORY, APP(0, 0x20000)}};
static const struct layout one_slot = {3, {NVS, OTADATA, APP(0, 0x10000)}};
static const struct layout factory_only = {2, {NVS, FACTORY}};
static const struct layout no_ota_data = {3, {NVS, APP(0, 0x10000), APP(1, 0x20000)}};
static const struct layout no_nvs = {3, {OTADATA, APP(0, 0x10000), APP(1, 0x20000)}};
static const struct layout with_test_app = {4, {NVS, OTADATA, APP(0, 0x10000), TEST}};
static const struct layout with_a_gap = {
    5, {NVS, OTADATA, APP(0, 0x10000), APP(1, 0x20000), {0, 0x13, 0x30000, SLOT_SIZE, "app3"}}};

static bool boot(enum otapult_reset reset)
{
    bool ok = host_port_boot(&board, &nor, reset);
    board.quiet = true;
    return ok;
}

static void begin(const struct layout *l)
{
    uint8_t table[TABLE_MAKER_SIZE];
    table_make(table, l->part, l->parts);
    assert_true(factory_flash(&nor, table, image, image_len));
    assert_true(boot(OTAPULT_RESET_POWER));
}

static int open_chip(void **state)
{
    const struct sample_spec spec = {SAMPLE_DEFAULT, .size = 6000, .seed = 3};
    (void)state;
    nor_open_memory(&nor, CHIP);
    image = sample_image(&spec, &image_len);
    return 0;
}

static int close_chip(void **state)
{
    (void)state;
    host_port_end(&board);
    nor_close(&nor);
    free(image);
    return 0;
}

#define PORT(function, ...) board.port.function(board.port.ctx, __VA_ARGS__)
#define PORT0(function)     board.port.function(board.port.ctx)

static struct otapult_slots slots(void)
{
    struct otapult_slots s;
    assert_int_equal(PORT(slots, &s), 0);
    return s;
}

static enum otapult_slot_state state_of(int index)
{
    struct otapult_slot s;
    assert_int_equal(PORT(slot, index, &s), 0);
    return s.state;
}

static void write_image(int index)
{
    struct otapult_flash f;
    uint8_t padded[8192];
    memset(padded, 0xFF, sizeof padded);
    memcpy(padded, image, image_len);
    assert_int_equal(PORT(open, index, &f), 0);
    assert_int_equal(f.erase(f.ctx, 0, 8192), 0);
    assert_int_equal(f.write(f.ctx, 0, padded, 4096), 0);
    assert_int_equal(f.write(f.ctx, 4096, padded + 4096, 4096), 0);
}

/* ---- the shared port test ---- */

static void (*mutate)(struct otapult_port *port);
static struct otapult_port under_test;

static void hand_over(struct port_contract *c)
{
    under_test = board.port;
    if (mutate)
        mutate(&under_test);
    c->port = &under_test;
}

static bool reboot(struct port_contract *c)
{
    if (!boot(OTAPULT_RESET_SOFTWARE))
        return false;
    hand_over(c);
    return true;
}

static void fail_test(struct port_contract *c, const char *promise, int line)
{
    (void)c;
    fail_msg("port_contract.c:%d: %s", line, promise);
}

static void run_contract(const struct layout *l)
{
    struct port_contract c = {.image = image, .image_len = image_len, .reboot = reboot, .broken = fail_test};
    mutate = NULL;
    begin(l);
    hand_over(&c);
    port_contract_test(&c);
    port_contract_test(&c); /* once more, over what the first run left behind */
}

static void test_contract_two_slots(void **state)
{
    (void)state;
    run_contract(&two_slots);
}

static void test_contract_three_slots(void **state)
{
    (void)state;
    run_contract(&three_slots);
}

static void test_contract_factory_and_two(void **state)
{
    (void)state;
    run_contract(&factory_and_two);
}

static void test_contract_without_restarts(void **state)
{
    (void)state;
    struct port_contract c = {.image = image, .image_len = image_len, .broken = fail_test};
    mutate = NULL;
    begin(&factory_and_one);
    hand_over(&c);
    port_contract_test(&c);
    assert_int_equal(slots().boot, 0);
}

static void test_contract_on_the_16_mb_board(void **state)
{
    (void)state;
    struct port_contract c = {.image = image, .image_len = image_len, .reboot = reboot, .broken = fail_test};
    nor_close(&nor);
    nor_open_memory(&nor, 16 * 1024 * 1024);
    mutate = NULL;
    assert_true(factory_flash(&nor, NULL, image, image_len));
    assert_true(boot(OTAPULT_RESET_POWER));
    hand_over(&c);
    port_contract_test(&c);
}

/* ---- ports that lie: the shared port test must find out each of them ---- */

static struct otapult_flash honest;

static int lie_slots_next_is_running(void *ctx, struct otapult_slots *out)
{
    int err = board.port.slots(ctx, out);
    out->next = out->running;
    return err;
}
static int lie_slots_boot(void *ctx, struct otapult_slots *out)
{
    int err = board.port.slots(ctx, out);
    out->boot = out->running;
    return err;
}
static int lie_slot_size(void *ctx, int index, struct otapult_slot *out)
{
    int err = board.port.slot(ctx, index, out);
    out->size += 4096;
    return err;
}
static int lie_slot_state(void *ctx, int index, struct otapult_slot *out)
{
    int err = board.port.slot(ctx, index, out);
    out->state = OTAPULT_STATE_VALID;
    return err;
}
static int lie_open_writable(void *ctx, int index, struct otapult_flash *out)
{
    struct host_port *h = ctx;
    for (int i = 0; i < OTAPULT_SLOTS_MAX; i++)
        h->slot[i].read_only = false;
    return board.port.open(ctx, index, out);
}
static int short_read(void *ctx, uint32_t off, void *dst, uint32_t len)
{
    return honest.read(ctx, off, dst, len - (len > 1));
}
static int forgetful_write(void *ctx, uint32_t off, const void *src, uint32_t len)
{
    (void)src;
    (void)ctx;
    (void)off;
    (void)len;
    return 0;
}
static int lazy_erase(void *ctx, uint32_t off, uint32_t len)
{
    return honest.erase(ctx, off, len > 4096 ? 4096 : len);
}
static int greedy_erase(void *ctx, uint32_t off, uint32_t len)
{
    return off >= 4096 && len == 4096 ? honest.erase(ctx, off - 4096, 2 * len) : honest.erase(ctx, off, len);
}
static int lie_open(void *ctx, int index, struct otapult_flash *out)
{
    int err = board.port.open(ctx, index, out);
    honest = *out;
    return err;
}
static int lie_open_short_read(void *ctx, int index, struct otapult_flash *out)
{
    int err = lie_open(ctx, index, out);
    out->read = short_read;
    return err;
}
static int lie_open_forgetful(void *ctx, int index, struct otapult_flash *out)
{
    int err = lie_open(ctx, index, out);
    if (index != board.boot.slot)
        out->write = forgetful_write;
    return err;
}
static int lie_open_lazy(void *ctx, int index, struct otapult_flash *out)
{
    int err = lie_open(ctx, index, out);
    out->erase = lazy_erase;
    return err;
}
static int lie_open_greedy(void *ctx, int index, struct otapult_flash *out)
{
    int err = lie_open(ctx, index, out);
    out->erase = greedy_erase;
    return err;
}
static int done_int(void *ctx, int index)
{
    (void)ctx;
    (void)index;
    return 0;
}
static int done(void *ctx)
{
    (void)ctx;
    return 0;
}
static int forgetful_kv_set(void *ctx, const char *key, const void *src, size_t len)
{
    (void)ctx;
    (void)key;
    (void)src;
    (void)len;
    return 0;
}
static int kv_get_beyond(void *ctx, const char *key, void *dst, size_t cap, size_t *len)
{
    int err = board.port.kv_get(ctx, key, dst, cap, len);
    memset((uint8_t *)dst + *len, 0, 1);
    return err;
}
static int weak_random(void *ctx, void *dst, size_t len)
{
    (void)ctx;
    for (size_t i = 0; i < len; i++)
        ((uint8_t *)dst)[i] = (uint8_t)i;
    return 0;
}
static uint32_t backwards(void *ctx)
{
    static uint32_t now = 1000;
    (void)ctx;
    return now--;
}

#define LIE(field, function)                           \
    static void use_##function(struct otapult_port *p) \
    {                                                  \
        p->field = function;                           \
    }
LIE(slots, lie_slots_next_is_running)
LIE(slots, lie_slots_boot)
LIE(slot, lie_slot_size)
LIE(slot, lie_slot_state)
LIE(open, lie_open_writable)
LIE(open, lie_open_short_read)
LIE(open, lie_open_forgetful)
LIE(open, lie_open_lazy)
LIE(open, lie_open_greedy)
LIE(activate, done_int)
LIE(confirm, done)
LIE(kv_set, forgetful_kv_set)
LIE(kv_get, kv_get_beyond)
LIE(random, weak_random)
LIE(now_ms, backwards)
static void use_reject(struct otapult_port *p)
{
    p->reject = done;
}

static void found_out(struct port_contract *c, const char *promise, int line)
{
    (void)promise;
    (void)line;
    longjmp(*(jmp_buf *)c->ctx, 1);
}

static bool is_found_out(void (*lie)(struct otapult_port *))
{
    jmp_buf out;
    struct port_contract c = {
        .image = image, .image_len = image_len, .reboot = reboot, .broken = found_out, .ctx = &out};
    mutate = lie;
    begin(&two_slots);
    hand_over(&c);
    if (setjmp(out) != 0)
        return true;
    port_contract_test(&c);
    return false;
}

static void test_lying_ports_are_found_out(void **state)
{
    (void)state;
    static void (*const lies[])(struct otapult_port *) = {
        use_lie_slots_next_is_running,
        use_lie_slots_boot,
        use_lie_slot_size,
        use_lie_slot_state,
        use_lie_open_writable,
        use_lie_open_short_read,
        use_lie_open_forgetful,
        use_lie_open_lazy,
        use_lie_open_greedy,
        use_done_int,
        use_done,
        use_reject,
        use_forgetful_kv_set,
        use_kv_get_beyond,
        use_weak_random,
        use_backwards,
    };
    assert_false(is_found_out(NULL));
    for (size_t i = 0; i < sizeof lies / sizeof *lies; i++)
        if (!is_found_out(lies[i]))
            fail_msg("lie %zu was believed", i);
    print_message("port: %zu lying ports found out\n", sizeof lies / sizeof *lies);
}

/* ---- slots of each layout ---- */

struct expected {
    const struct layout *layout;
    struct otapult_slots slots;
};

static void test_slots_of_each_layout(void **state)
{
    (void)state;
    const int none = OTAPULT_SLOT_NONE, factory = OTAPULT_SLOT_FACTORY;
    const struct expected expected[] = {
        {&two_slots, {2, 0, 0, 1, false, true, 0, {0}}},
        {&three_slots, {3, 0, 0, 1, false, true, 0, {0}}},
        {&factory_and_two, {2, factory, factory, 0, true, true, 0, {0}}},
        {&factory_and_one, {1, factory, factory, 0, true, true, 0, {0}}},
        {&one_slot, {1, 0, 0, none, false, true, 0, {0}}},
        {&factory_only, {0, factory, factory, none, true, false, 0, {0}}},
        {&no_ota_data, {2, 0, none, 1, false, false, 0, {0}}},
        {&with_a_gap, {2, 0, 0, 1, false, true, 0, {0}}},
    };
    for (size_t i = 0; i < sizeof expected / sizeof *expected; i++) {
        const struct otapult_slots *e = &expected[i].slots;
        begin(expected[i].layout);
        struct otapult_slots s = slots();
        assert_int_equal(s.count, e->count);
        assert_int_equal(s.running, e->running);
        assert_int_equal(s.boot, e->boot);
        assert_int_equal(s.next, e->next);
        assert_int_equal(s.factory, e->factory);
        assert_int_equal(s.ota_data, e->ota_data);
    }
}

/* ---- tables that only gen_esp32part.py would refuse ---- */

#define HALF (SLOT_SIZE / 2)
static const struct layout sliding = {4, {NVS, OTADATA, APP(0, 0x10000), APP(1, 0x10000 + HALF)}};
static const struct layout same_place = {4, {NVS, OTADATA, APP(0, 0x10000), APP(1, 0x10000)}};
static const struct layout off_page = {4, {NVS, OTADATA, APP(0, 0x10000), APP(1, 0x21000)}};
static const struct layout over_ota_data = {
    4, {NVS, {1, 0, 0x1E000, 0x2000, "otadata"}, APP(0, 0x10000), APP(1, 0x20000)}};

static void test_a_misplaced_table_takes_no_update(void **state)
{
    (void)state;
    static const struct {
        const struct layout *layout;
        int err;
        const char *text;
        uint32_t at;
    } cases[] = {
        {&sliding, OTAPULT_E_SLOTS_OVERLAP, "app0, app1", 0x18000},
        {&same_place, OTAPULT_E_SLOTS_OVERLAP, "app0, app1", 0x10000},
        {&off_page, OTAPULT_E_SLOT_ALIGNMENT, "app1", 0x21000},
        {&over_ota_data, OTAPULT_E_SLOTS_OVERLAP, "otadata, app0", 0x10000},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        begin(cases[i].layout);
        struct otapult_slots s = slots();
        assert_int_equal(s.table_error, cases[i].err);
        assert_string_equal(s.table_why.text, cases[i].text);
        assert_int_equal(s.table_why.at, cases[i].at);
    }
    begin(&two_slots);
    assert_int_equal(slots().table_error, 0);
}

/* Whatever number a slot has: where the firmware runs nothing is written. */
static void test_the_place_that_runs_is_read_only(void **state)
{
    (void)state;
    static const struct layout *const layouts[] = {&sliding, &same_place};
    static const uint8_t block[16];
    for (size_t i = 0; i < 2; i++) {
        struct otapult_flash f;
        begin(layouts[i]);
        assert_int_equal(PORT(open, 1, &f), 0);
        assert_int_equal(f.erase(f.ctx, 0, f.sector), OTAPULT_E_SLOT_OPEN);
        assert_int_equal(f.write(f.ctx, 0, block, sizeof block), OTAPULT_E_SLOT_OPEN);
    }
}

static void test_next_wraps(void **state)
{
    (void)state;
    begin(&three_slots);
    for (int n = 1; n <= 4; n++) {
        assert_int_equal(slots().next, n % 3);
        write_image(n % 3);
        assert_int_equal(PORT(activate, n % 3), 0);
        assert_true(boot(OTAPULT_RESET_SOFTWARE));
        assert_int_equal(slots().running, n % 3);
        assert_int_equal(PORT0(confirm), 0);
    }
}

static void test_a_running_test_app_is_no_slot(void **state)
{
    (void)state;
    begin(&with_test_app);
    memmove(nor.data + 0x40000, nor.data + 0x10000, SLOT_SIZE);
    memset(nor.data + 0x10000, 0xFF, SLOT_SIZE);
    assert_true(boot(OTAPULT_RESET_POWER));
    assert_int_equal(board.boot.slot, OTAPULT_SLOT_TEST);
    assert_int_equal(slots().running, OTAPULT_SLOT_NONE);
    assert_int_equal(slots().next, 0);
    assert_int_equal(PORT0(confirm), OTAPULT_E_NOT_PENDING);
    assert_false(board.slot[0].read_only);
}

static void test_what_a_slot_says(void **state)
{
    (void)state;
    struct otapult_slot s;
    begin(&factory_and_two);
    assert_int_equal(PORT(slot, 1, &s), 0);
    assert_string_equal(s.label, "app1");
    assert_int_equal(s.address, 0x30000);
    assert_int_equal(s.size, SLOT_SIZE);
    assert_int_equal(s.state, OTAPULT_STATE_NONE);
    assert_int_equal(PORT(slot, OTAPULT_SLOT_FACTORY, &s), 0);
    assert_string_equal(s.label, "factory");
    assert_int_equal(s.state, OTAPULT_STATE_UNDEFINED);
}

static void test_without_ota_data(void **state)
{
    (void)state;
    begin(&no_ota_data);
    assert_int_equal(state_of(1), OTAPULT_STATE_UNDEFINED);
    assert_int_equal(PORT(activate, 1), OTAPULT_E_NO_OTA_DATA);
    assert_int_equal(PORT0(confirm), OTAPULT_E_NOT_PENDING);
    assert_int_equal(PORT0(reject), OTAPULT_E_NOT_PENDING);
}

static void test_without_a_store(void **state)
{
    (void)state;
    size_t len;
    begin(&no_nvs);
    assert_int_equal(PORT(kv_set, "k", "v", 1), OTAPULT_E_STORE);
    assert_int_equal(PORT(kv_get, "k", &len, 1, &len), OTAPULT_E_STORE);
}

/* ---- confirming what must not be confirmed ---- */

static void expect_not_pending(void)
{
    static uint8_t before[0x2000];
    memcpy(before, nor.data + OTA_DATA, sizeof before);
    assert_int_equal(PORT0(confirm), OTAPULT_E_NOT_PENDING);
    assert_int_equal(PORT0(reject), OTAPULT_E_NOT_PENDING);
    assert_memory_equal(before, nor.data + OTA_DATA, sizeof before);
}

static void test_only_the_running_pending_slot_is_marked(void **state)
{
    (void)state;
    begin(&two_slots);
    write_image(1);
    assert_int_equal(PORT(activate, 1), 0);
    nor.data[0x20000 + 500] ^= 1; /* it will not load: the bootloader falls back */
    assert_true(boot(OTAPULT_RESET_SOFTWARE));
    assert_int_equal(slots().running, 0);
    assert_int_equal(slots().boot, 1);
    assert_int_equal(state_of(1), OTAPULT_STATE_PENDING_VERIFY);

    expect_not_pending();
    assert_true(boot(OTAPULT_RESET_POWER));
    assert_int_equal(slots().boot, 0);
    assert_int_equal(state_of(1), OTAPULT_STATE_ABORTED);
}

static void test_confirmed_once_is_confirmed(void **state)
{
    (void)state;
    begin(&two_slots);
    expect_not_pending(); /* the factory image */
    write_image(1);
    assert_int_equal(PORT(activate, 1), 0);
    assert_true(boot(OTAPULT_RESET_SOFTWARE));
    assert_int_equal(PORT0(confirm), 0);
    expect_not_pending();
}

/* The active record is another slot's, though the running one is pending still. */
static void test_another_slots_record_is_not_marked(void **state)
{
    (void)state;
    uint8_t *first = nor.data + OTA_DATA;
    begin(&two_slots);
    write_image(1);
    assert_int_equal(PORT(activate, 1), 0);
    assert_true(boot(OTAPULT_RESET_SOFTWARE));
    assert_int_equal(first[0], 1);
    first[0] = 3; /* slot 0 again, but newer */
    for (int i = 0; i < 4; i++)
        first[28 + i] = (uint8_t)(oracle_ota_crc(3) >> 8 * i);
    assert_int_equal(slots().running, 1);
    assert_int_equal(slots().boot, 0);
    assert_int_equal(state_of(1), OTAPULT_STATE_PENDING_VERIFY);
    expect_not_pending();
}

/* ---- flash that fails ---- */

static enum nor_op failing_op;

static bool fail_op(void *ctx, enum nor_op op, uint32_t address, uint32_t len)
{
    (void)ctx;
    (void)address;
    (void)len;
    return op == failing_op;
}

static void with_failing(enum nor_op op)
{
    failing_op = op;
    nor.fail = fail_op;
}

static void test_flash_errors_come_out(void **state)
{
    (void)state;
    struct otapult_flash f;
    struct otapult_slots s;
    struct otapult_slot slot;
    uint8_t b[16] = {0};
    begin(&two_slots);
    write_image(1);
    assert_int_equal(PORT(open, 1, &f), 0);

    with_failing(NOR_READ);
    assert_int_equal(f.read(f.ctx, 0, b, 16), OTAPULT_E_FLASH_READ);
    assert_int_equal(PORT(slots, &s), OTAPULT_E_FLASH_READ);
    assert_int_equal(PORT(slot, 1, &slot), OTAPULT_E_FLASH_READ);
    assert_int_equal(PORT(activate, 1), OTAPULT_E_FLASH_READ);
    assert_int_equal(PORT0(confirm), OTAPULT_E_FLASH_READ);
    with_failing(NOR_ERASE);
    assert_int_equal(f.erase(f.ctx, 0, 4096), OTAPULT_E_FLASH_ERASE);
    assert_int_equal(PORT(activate, 1), OTAPULT_E_FLASH_ERASE);
    with_failing(NOR_PROGRAM);
    assert_int_equal(f.write(f.ctx, 8192, b, 16), OTAPULT_E_FLASH_WRITE);
    assert_int_equal(PORT(activate, 1), OTAPULT_E_FLASH_WRITE);
    nor.fail = NULL;
    assert_int_equal(slots().boot, 0); /* the old choice still holds */
    assert_int_equal(PORT(activate, 1), 0);
    assert_int_equal(slots().boot, 1);
}

/* The core's promises, held against it: no such call reaches the chip. */
static void test_calls_the_core_promised_not_to_make(void **state)
{
    (void)state;
    struct otapult_flash f;
    uint8_t b[8192] = {0};
    begin(&two_slots);
    assert_int_equal(PORT(open, 1, &f), 0);
    uint64_t ops = nor.ops;
    assert_int_equal(f.write(f.ctx, 8, b, 16), OTAPULT_E_FLASH_WRITE);
    assert_int_equal(f.write(f.ctx, 0, b, 8), OTAPULT_E_FLASH_WRITE);
    assert_int_equal(f.write(f.ctx, 4080, b, 32), OTAPULT_E_FLASH_WRITE);
    assert_int_equal(f.erase(f.ctx, 2048, 4096), OTAPULT_E_FLASH_ERASE);
    assert_int_equal(f.erase(f.ctx, 0, 2048), OTAPULT_E_FLASH_ERASE);
    assert_int_equal(nor.ops, ops);
}

/* ---- power cuts in each call that writes OTA data ---- */

enum call { CALL_ACTIVATE, CALL_CONFIRM, CALL_REJECT, CALLS };

static void call_port(enum call call)
{
    if (call == CALL_ACTIVATE)
        assert_int_equal(PORT(activate, 1), 0);
    else if (call == CALL_CONFIRM)
        assert_int_equal(PORT0(confirm), 0);
    else
        assert_int_equal(PORT0(reject), 0);
}

static bool cut_call(enum call call, uint64_t at, enum nor_cut cut, uint32_t torn)
{
    jmp_buf gone;
    nor_arm(&nor, at, cut, torn, torn + 1, &gone);
    if (setjmp(gone) != 0)
        return true;
    call_port(call);
    nor_disarm(&nor);
    return false;
}

/* Which slot boots after the call got through, and which before it. */
static void check_boot_after_cut(enum call call, bool was_cut)
{
    static const int new_slot[CALLS] = {1, 1, 0};
    struct oracle_result r = oracle_boot(nor.data, CHIP);
    assert_true(r.boots && r.image_ok);
    assert_true(r.slot == 0 || r.slot == 1);
    if (!was_cut)
        assert_int_equal(r.slot, new_slot[call]);
    assert_true(boot(OTAPULT_RESET_POWER));
    assert_int_equal(slots().running, r.slot);
    assert_int_equal(PORT(kv_set, "k", "v", 1), 0); /* no lock was left behind */
}

static unsigned cut_everywhere(enum call call, const uint8_t *before, enum nor_cut cut, uint32_t torn)
{
    for (unsigned at = 1;; at++) {
        memcpy(nor.data, before, CHIP);
        assert_true(boot(OTAPULT_RESET_POWER));
        bool was_cut = cut_call(call, at, cut, torn);
        check_boot_after_cut(call, was_cut);
        if (!was_cut)
            return at - 1;
    }
}

static void test_power_cuts_in_each_call(void **state)
{
    (void)state;
    static uint8_t before[CHIP];
    unsigned cuts = 0;
    for (int call = 0; call < CALLS; call++) {
        begin(&two_slots);
        write_image(1);
        if (call != CALL_ACTIVATE)
            assert_int_equal(PORT(activate, 1), 0);
        memcpy(before, nor.data, sizeof before);
        cuts += cut_everywhere((enum call)call, before, NOR_CUT_BEFORE, 0);
        cuts += cut_everywhere((enum call)call, before, NOR_CUT_AFTER, 0);
        for (uint32_t torn = 0; torn <= 32; torn++)
            cuts += cut_everywhere((enum call)call, before, NOR_CUT_TORN, torn);
    }
    assert_int_equal(cuts, 3 * 2 * 35); /* each call is one erase and one program */
    print_message("port: %u power cuts, an image boots after each\n", cuts);
}

/* ---- the rest of the world ---- */

static void test_restart_and_reset_reason(void **state)
{
    (void)state;
    begin(&two_slots);
    assert_int_equal(PORT0(reset_reason), OTAPULT_RESET_POWER);
    assert_false(board.restart);
    PORT0(restart);
    assert_true(board.restart);
    assert_true(boot(OTAPULT_RESET_WATCHDOG));
    assert_false(board.restart);
    assert_int_equal(PORT0(reset_reason), OTAPULT_RESET_WATCHDOG);
}

static void test_time_begins_with_the_boot(void **state)
{
    (void)state;
    begin(&two_slots);
    board.born_us -= 5000000; /* five seconds ago */
    uint32_t now = PORT0(now_ms);
    assert_true(now >= 5000 && now < 5000 + 600000);
}

/* ---- factory state ---- */

static void test_the_default_table(void **state)
{
    (void)state;
    /* MD5 of Arduino's default_16MB.csv as its own generator writes it. */
    static const uint8_t md5[16] = {0xb3, 0x2d, 0xcd, 0xb8, 0x3b, 0x16, 0x74, 0xaf,
                                    0x27, 0x76, 0x8c, 0x92, 0xb1, 0xf8, 0x8a, 0x62};
    uint8_t table[OTAPULT_TABLE_SIZE];
    unsigned count;
    factory_table(table);
    assert_memory_equal(table + 6 * 32, "\xEB\xEB\xFF\xFF", 4);
    assert_memory_equal(table + 6 * 32 + 16, md5, sizeof md5);
    assert_int_equal(otapult_table_verify(table, sizeof table, 0x1000000, &count), OTAPULT_TABLE_OK);
    assert_int_equal(count, 6);
    assert_int_equal(otapult_table_ota_slots(table, count), 2);
}

static void test_factory_state(void **state)
{
    (void)state;
    uint8_t table[TABLE_MAKER_SIZE];
    table_make(table, factory_and_two.part, factory_and_two.parts);
    memset(nor.data, 0, CHIP);
    assert_true(factory_flash(&nor, table, image, image_len));
    assert_memory_equal(nor.data + 0x10000, image, image_len); /* the factory app's place */
    struct oracle_result r = oracle_boot(nor.data, CHIP);
    assert_int_equal(r.slot, ORACLE_FACTORY);
    assert_true(r.image_ok);
    for (uint32_t i = 0; i < 0x2000; i++)
        assert_int_equal(nor.data[OTA_DATA + i], 0xFF);

    nor.data[0x9000] = 0x12;
    assert_false(factory_flash(&nor, table, image, SLOT_SIZE + 1));
    assert_false(factory_flash(&nor, NULL, image, image_len)); /* a 16 MB table on this chip */
    assert_int_equal(nor.data[0x9000], 0x12);
}

#define ON_CHIP(test) cmocka_unit_test_setup_teardown(test, open_chip, close_chip)

/* ---- a port that is not finished ---- */

#define FUNCTION(name)                                                   \
    {                                                                    \
#name " is not implemented", offsetof(struct otapult_port, name) \
    }

static const struct {
    const char *missing;
    size_t at;
} functions[] = {
    FUNCTION(slots),        FUNCTION(slot),    FUNCTION(open),   FUNCTION(activate), FUNCTION(confirm),
    FUNCTION(reject),       FUNCTION(kv_get),  FUNCTION(kv_set), FUNCTION(now_ms),   FUNCTION(random),
    FUNCTION(reset_reason), FUNCTION(restart), FUNCTION(log),    FUNCTION(lock),     FUNCTION(unlock),
};
#define FUNCTIONS (sizeof functions / sizeof *functions)

static bool written[FUNCTIONS];
static const char *first_broken;

/* What was written already is the host's, the rest the skeleton's. */
static void partly_written(struct otapult_port *p)
{
    const struct otapult_port host = *p;

    *p = skeleton_port;
    p->ctx = host.ctx;
    for (size_t n = 0; n < FUNCTIONS; n++)
        if (written[n])
            memcpy((char *)p + functions[n].at, (const char *)&host + functions[n].at, sizeof p->slots);
}

static void keep_first_broken(struct port_contract *c, const char *promise, int line)
{
    (void)line;
    first_broken = promise;
    longjmp(*(jmp_buf *)c->ctx, 1);
}

static const char *contract_misses(void)
{
    jmp_buf out;
    struct port_contract c = {
        .image = image, .image_len = image_len, .reboot = reboot, .broken = keep_first_broken, .ctx = &out};
    mutate = partly_written;
    first_broken = NULL;
    begin(&two_slots);
    if (setjmp(out) == 0) {
        hand_over(&c);
        port_contract_test(&c);
    }
    return first_broken;
}

/* The way of somebody who begins with port/skeleton: the port test names a function, it is written, and so
 * on; each is named once, and then the port passes. */
static void test_the_skeleton_is_led_to_a_port(void **state)
{
    (void)state;
    memset(written, 0, sizeof written);
    for (size_t done = 0; done < FUNCTIONS; done++) {
        size_t n = 0;
        const char *named = contract_misses();
        assert_non_null(named);
        while (n < FUNCTIONS && strcmp(functions[n].missing, named) != 0)
            n++;
        assert_true(n < FUNCTIONS && !written[n]);
        written[n] = true;
    }
    assert_null(contract_misses());
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_CHIP(test_contract_two_slots),
        ON_CHIP(test_contract_three_slots),
        ON_CHIP(test_contract_factory_and_two),
        ON_CHIP(test_contract_without_restarts),
        ON_CHIP(test_contract_on_the_16_mb_board),
        ON_CHIP(test_lying_ports_are_found_out),
        ON_CHIP(test_the_skeleton_is_led_to_a_port),
        ON_CHIP(test_slots_of_each_layout),
        ON_CHIP(test_a_misplaced_table_takes_no_update),
        ON_CHIP(test_the_place_that_runs_is_read_only),
        ON_CHIP(test_next_wraps),
        ON_CHIP(test_a_running_test_app_is_no_slot),
        ON_CHIP(test_what_a_slot_says),
        ON_CHIP(test_without_ota_data),
        ON_CHIP(test_without_a_store),
        ON_CHIP(test_only_the_running_pending_slot_is_marked),
        ON_CHIP(test_confirmed_once_is_confirmed),
        ON_CHIP(test_another_slots_record_is_not_marked),
        ON_CHIP(test_flash_errors_come_out),
        ON_CHIP(test_calls_the_core_promised_not_to_make),
        ON_CHIP(test_power_cuts_in_each_call),
        ON_CHIP(test_restart_and_reset_reason),
        ON_CHIP(test_time_begins_with_the_boot),
        ON_CHIP(test_the_default_table),
        ON_CHIP(test_factory_state),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
