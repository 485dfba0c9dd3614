/* SPDX-License-Identifier: Apache-2.0 */
#include "world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <psa/crypto.h>

#include "boot_image.h"
#include "factory.h"
#include "table_maker.h"
#include "update/door.h"

static const struct table_part two_ota[] = {{1, 2, 0x9000, 0x4000, "nvs"},
                                            {1, 0, 0xD000, 0x2000, "otadata"},
                                            {0, 0x10, 0x10000, 0x10000, "app0"},
                                            {0, 0x11, 0x20000, 0x10000, "app1"},
                                            {0}};
static const struct table_part factory_ota[] = {
    {1, 2, 0x9000, 0x4000, "nvs"},          {1, 0, 0xD000, 0x2000, "otadata"},
    {0, 0x00, 0x10000, 0x10000, "factory"}, {0, 0x10, 0x20000, 0x10000, "ota_0"},
    {0, 0x11, 0x30000, 0x10000, "ota_1"},   {0}};
static const struct table_part factory_only[] = {
    {1, 2, 0x9000, 0x4000, "nvs"}, {0, 0x00, 0x10000, 0x10000, "factory"}, {0}};

static const struct table_part recovery[] = {{1, 2, 0x9000, 0x4000, "nvs"},
                                             {1, 0, 0xD000, 0x2000, "otadata"},
                                             {0, 0x00, 0x10000, 0x10000, "factory"},
                                             {0, 0x10, 0x20000, 0x10000, "ota_0"},
                                             {0}};

static const struct table_part three_ota[] = {
    {1, 2, 0x9000, 0x4000, "nvs"},       {1, 0, 0xD000, 0x2000, "otadata"},
    {0, 0x10, 0x10000, 0x10000, "app0"}, {0, 0x11, 0x20000, 0x10000, "app1"},
    {0, 0x12, 0x30000, 0x10000, "app2"}, {0}};

static void build_table(const struct table_part *parts, uint8_t table[OTAPULT_TABLE_SIZE])
{
    unsigned n = 0;
    size_t len;

    while (parts[n].size != 0)
        n++;
    table_make(table, parts, n);
    memset(table + 32 * n, 0xEB, 2);
    psa_crypto_init();
    psa_hash_compute(PSA_ALG_MD5, table, 32 * n, table + 32 * n + 16, 16, &len);
}

void world_init(struct world *w, enum world_layout layout, const uint8_t *image, size_t len)
{
    static const struct table_part *const layouts[] = {two_ota, factory_ota, factory_only, recovery,
                                                       three_ota};
    uint8_t table[OTAPULT_TABLE_SIZE];

    memset(w, 0, sizeof *w);
    w->ready = true;
    w->health = OTAPULT_HEALTH_PASS;
    nor_open_memory(&w->nor, WORLD_FLASH);
    build_table(layouts[layout], table);
    assert_true(factory_flash(&w->nor, table, image, len));
}

static void end_life(struct world *w)
{
    if (w->up)
        host_port_end(&w->board);
    w->up = false;
    w->ota = NULL;
}

void world_end(struct world *w)
{
    end_life(w);
    nor_close(&w->nor);
}

void world_save(const struct world *w, uint8_t *copy)
{
    memcpy(copy, w->nor.data, WORLD_FLASH);
}

void world_restore(struct world *w, const uint8_t *copy)
{
    end_life(w);
    nor_disarm(&w->nor);
    memcpy(w->nor.data, copy, WORLD_FLASH);
    w->reset = OTAPULT_RESET_POWER;
    w->ready = true;
    w->health = OTAPULT_HEALTH_PASS;
    w->holds = 0;
}

static bool is_ready(void *app, char *why, size_t cap)
{
    const struct world *w = app;

    assert_false(w->locked);
    if (!w->ready)
        strncpy(why, "not in the mood", cap - 1);
    return w->ready;
}

static void hold(void *app, bool on)
{
    struct world *w = app;
    struct otapult_finding why;
    uint32_t ticket;

    assert_false(w->locked);
    w->holds += on ? 1 : -1;
    if (on)
        w->begun = otapult_begin(w->ota, 100, &ticket, &why);
}

static enum otapult_health self_test(void *app, char *why, size_t cap)
{
    const struct world *w = app;

    assert_false(w->locked);
    if (w->health == OTAPULT_HEALTH_FAIL)
        strncpy(why, "told to fail", cap - 1);
    return w->health;
}

static struct world *world_of(void *ctx)
{
    return (struct world *)(void *)((char *)ctx - offsetof(struct world, board));
}

static uint32_t clock_of(void *ctx)
{
    return world_of(ctx)->clock;
}

/* There is one task; so a lock that is held already, or a second unlock, is the core's fault. */
static void lock_of(void *ctx)
{
    assert_false(world_of(ctx)->locked);
    world_of(ctx)->locked = true;
}

static void unlock_of(void *ctx)
{
    struct world *w = world_of(ctx);

    assert_true(w->locked);
    w->locked = false;
    if (w->unlocked != NULL)
        w->unlocked(w);
}

static bool boot_once(struct world *w)
{
    static const struct otapult_health_check checks[] = {{"self-test", self_test}};
    struct otapult_config config = {
        .port = &w->board.port,
        .block_rev = BOOT_CHIP_BLOCK_REVISION,
        OTAPULT_CONFIG_DEFAULT,
        .russian = &otapult_russian,
        .ready = is_ready,
        .hold = hold,
        .app = w,
        .checks = checks,
        .check_count = 1,
    };

    config.restart_ms = 0;
    config.soak_ms = 0;
    if (w->configure != NULL)
        w->configure(w->configure_ctx, &config);
    end_life(w);
    memset(&w->board, 0, sizeof w->board);
    w->board.quiet = true;
    if (!host_port_boot(&w->board, &w->nor, w->reset))
        return false;
    assert_ptr_equal(w->board.port.ctx, &w->board);
    w->board.port.now_ms = clock_of;
    w->board.port.lock = lock_of;
    w->board.port.unlock = unlock_of;
    w->locked = false;
    if (w->reset == OTAPULT_RESET_POWER)
        memset(&w->retained, 0x5A, sizeof w->retained);
    w->board.port.retained = &w->retained;
    w->board.quiet = true;
    if (w->wrap != NULL)
        w->wrap(w->wrap_ctx, &w->board.port);
    w->up = true;
    w->holds = 0;
    /* a reset that nobody causes is a loss of power */
    w->reset = OTAPULT_RESET_POWER;
    return otapult_start(&w->memory, &config, &w->ota) == 0;
}

bool world_boot(struct world *w)
{
    for (int boots = 0; boots < 8; boots++) {
        struct otapult_status s;
        if (!boot_once(w))
            return false;
        if (boots == 0)
            w->first_slot = w->board.boot.slot;
        otapult_status(w->ota, &s);
        if (s.phase != OTAPULT_REBOOTING)
            return true;
        otapult_poll(w->ota); /* brings the application to rest, and restarts */
        w->reset = OTAPULT_RESET_SOFTWARE;
    }
    fail_msg("the device restarts for ever");
    return false;
}

static int upload(struct world *w, bool later, const uint8_t *image, size_t len, size_t piece)
{
    const struct otapult_update_options options = {.later = later};
    struct otapult_finding why;
    const struct otapult_image_info *info;
    uint32_t ticket;

    int err = otapult_begin_with(w->ota, &options, (uint32_t)len, &ticket, NULL, &why);
    for (size_t off = 0; err == 0 && off < len; off += piece)
        err = otapult_feed(w->ota, ticket, image + off, len - off < piece ? len - off : piece, &why);
    return err == 0 ? otapult_finish(w->ota, ticket, &info, &why) : err;
}

int world_upload(struct world *w, const uint8_t *image, size_t len, size_t piece)
{
    return upload(w, false, image, len, piece);
}

void world_begin_trial(struct world *w, const uint8_t *image, size_t len)
{
    w->health = OTAPULT_HEALTH_WAIT;
    assert_true(world_boot(w));
    assert_int_equal(world_upload(w, image, len, 4096), 0);
    assert_true(world_settle(w));
}

const struct otapult_view *world_view(struct world *w)
{
    static struct otapult_view v;

    otapult_view(w->ota, &v);
    return &v;
}

int world_stage(struct world *w, const uint8_t *image, size_t len, size_t piece)
{
    return upload(w, true, image, len, piece);
}

bool world_settle(struct world *w)
{
    for (int polls = 0; polls < 16; polls++) {
        otapult_poll(w->ota);
        if (!w->board.restart)
            continue;
        w->reset = OTAPULT_RESET_SOFTWARE;
        if (!world_boot(w))
            return false;
    }
    return true;
}

void world_pull_plug(struct world *w)
{
    end_life(w);
    w->reset = OTAPULT_RESET_POWER;
}

const char *world_version(struct world *w)
{
    static struct otapult_image_info info;
    struct otapult_slot slot;
    struct otapult_status s;

    if (!w->up)
        return "";
    otapult_status(w->ota, &s);
    if (otapult_slot(w->ota, s.slots.running, &slot, &info) != 0)
        return "";
    return info.desc.version;
}
