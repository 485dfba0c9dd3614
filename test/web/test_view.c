/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "http_client.h"
#include "images.h"
#include "world.h"

/* What a status costs, and whether it is one moment's: every call of the port is counted, and some of them
 * are used to ask for a status in the middle of what is under way. */

static struct world world;
static struct http_client client;

/* ---- a port that counts ---- */

static struct otapult_port real;
static struct counts {
    unsigned slots, slot, open, read, kv_get;
} count;
static int (*real_read)(void *ctx, uint32_t off, void *dst, uint32_t len);
static void (*look)(void);
static int slot_error;

static void look_now(void)
{
    void (*now)(void) = look;

    look = NULL; /* not from inside itself */
    if (now != NULL)
        now();
    look = now;
}

static int count_slots(void *ctx, struct otapult_slots *out)
{
    count.slots++;
    look_now();
    return real.slots(ctx, out);
}

static int count_slot(void *ctx, int index, struct otapult_slot *out)
{
    count.slot++;
    look_now();
    return slot_error != 0 ? slot_error : real.slot(ctx, index, out);
}

static int count_read(void *ctx, uint32_t off, void *dst, uint32_t len)
{
    count.read++;
    return real_read(ctx, off, dst, len);
}

static int count_open(void *ctx, int index, struct otapult_flash *out)
{
    int err = real.open(ctx, index, out);

    count.open++;
    look_now();
    if (err == 0) {
        real_read = out->read;
        out->read = count_read;
    }
    return err;
}

static int count_kv_get(void *ctx, const char *key, void *dst, size_t cap, size_t *len)
{
    count.kv_get++;
    return real.kv_get(ctx, key, dst, cap, len);
}

static void wrap(void *ctx, struct otapult_port *port)
{
    (void)ctx;
    real = *port;
    port->slots = count_slots;
    port->slot = count_slot;
    port->open = count_open;
    port->kv_get = count_kv_get;
}

static unsigned calls(void)
{
    return count.slots + count.slot + count.open + count.read + count.kv_get;
}

/* ---- the world ---- */

static int begin_world(void **state)
{
    (void)state;
    look = NULL;
    slot_error = 0;
    world_init(&world, WORLD_TWO_OTA, v1, v1_len);
    world.wrap = wrap;
    return world_boot(&world) && world_settle(&world) ? 0 : -1;
}

static int end_world(void **state)
{
    (void)state;
    world_end(&world);
    return 0;
}

static void ask(const char *path)
{
    const struct otapult_request line = {.method = "GET", .path = path};
    struct otapult_site site;

    otapult_site(&site, world.ota);
    http_client_begin(&client, &site, 1, &line, HEADERS({"Host", "10.0.0.1"}));
}

static char status[8192];

static void take_status(void)
{
    ask("/api/ota/status");
    assert_int_equal(client.status, 200);
    assert_true(client.len < sizeof status);
    memcpy(status, client.text, client.len + 1);
}

static void assert_has(const char *part)
{
    if (strstr(status, part) == NULL)
        fail_msg("'%s' is not in '%s'", part, status);
}

/* ---- what it costs ---- */

static void a_status_asks_nothing_of_the_port(void **state)
{
    static char event[OTAPULT_HTTP_EVENT];

    (void)state;
    memset(&count, 0, sizeof count);
    take_status();
    assert_has("\"version\":\"1.0.0\"");
    ask("/api/ota/events");
    assert_true(otapult_http_event(&client.x, event, sizeof event) > 0);
    assert_int_equal(calls(), 0);
}

static void nor_does_one_during_an_upload(void **state)
{
    struct otapult_finding why;
    uint32_t ticket;

    (void)state;
    assert_int_equal(otapult_begin(world.ota, (uint32_t)v2_len, &ticket, &why), 0);
    for (size_t at = 0; at < v2_len; at += 500) {
        size_t n = v2_len - at < 500 ? v2_len - at : 500;
        assert_int_equal(otapult_feed(world.ota, ticket, v2 + at, n, &why), 0);
        memset(&count, 0, sizeof count);
        take_status();
        assert_has("\"state\":\"receiving\"");
        assert_has("\"running\":false,\"image\":null");
        assert_int_equal(calls(), 0);
    }
    otapult_cancel(world.ota, ticket, OTAPULT_E_CONNECTION_LOST, &why);
}

/* ---- whether it is true ---- */

static void it_shows_what_changed(void **state)
{
    (void)state;
    take_status();
    assert_has("\"label\":\"app1\",\"size\":65536,\"state\":\"empty\",\"running\":false,\"image\":null");
    assert_has("\"last\":null");
    assert_int_equal(world_upload(&world, v2, v2_len, 512), 0);
    take_status();
    assert_has("\"boot_slot\":\"app1\"");
    assert_has("\"running\":false,\"image\":{\"project\":\"");
    assert_has("\"version\":\"2.0.0\"");
    assert_has("\"event\":\"activated\"");
    assert_true(world_settle(&world));
    take_status();
    assert_has("\"running\":\"app1\"");
    assert_has("\"event\":\"confirmed\"");
}

/* The first image in the other slot goes with the first erase, whatever becomes of the second. */
static void an_upload_that_ends_badly_leaves_no_image(void **state)
{
    (void)state;
    assert_int_equal(world_upload(&world, v2, v2_len, 512), 0);
    assert_true(world_settle(&world));
    take_status();
    assert_has("\"running\":false,\"image\":{");
    assert_int_equal(world_upload(&world, v1, v1_len - 16, 512), OTAPULT_E_IMAGE_TRUNCATED);
    take_status();
    assert_has("\"running\":false,\"image\":null");
    assert_has("\"event\":\"refused\"");
}

static unsigned looked;

/* While the slots are read again: what is shown is as it was before, or as it is afterwards, and the choice
 * of the boot slot goes with what is in the slots. */
static void look_at_both(void)
{
    take_status();
    bool chosen = strstr(status, "\"boot_slot\":\"app1\"") != NULL;
    bool there = strstr(status, "\"version\":\"2.0.0\",\"build\":\"") != NULL &&
                 strstr(status, "\"running\":false,\"image\":{") != NULL;

    assert_int_equal(chosen, there);
    looked++;
}

static void a_status_is_of_one_moment(void **state)
{
    (void)state;
    looked = 0;
    look = look_at_both;
    assert_int_equal(world_upload(&world, v2, v2_len, 512), 0);
    look_at_both();
    assert_true(looked > 3);
    assert_has("\"boot_slot\":\"app1\"");
    look = NULL;
}

/* What could not be read is read again by poll(), and not by whoever asks. */
static void a_port_that_fails_is_asked_again(void **state)
{
    (void)state;
    world_pull_plug(&world);
    slot_error = OTAPULT_E_FLASH_READ;
    assert_true(world_boot(&world));
    otapult_poll(world.ota);
    memset(&count, 0, sizeof count);
    take_status();
    assert_int_equal(calls(), 0);
    assert_has("\"label\":null,\"size\":0");
    slot_error = 0;
    otapult_poll(world.ota);
    take_status();
    assert_has("\"label\":\"app0\",\"size\":65536");
    memset(&count, 0, sizeof count);
    otapult_poll(world.ota);
    assert_int_equal(count.slot, 0);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, begin_world, end_world)
    const struct CMUnitTest tests[] = {
        TEST(a_status_asks_nothing_of_the_port),
        TEST(nor_does_one_during_an_upload),
        TEST(it_shows_what_changed),
        TEST(an_upload_that_ends_badly_leaves_no_image),
        TEST(a_status_is_of_one_moment),
        TEST(a_port_that_fails_is_asked_again),
    };
    return cmocka_run_group_tests(tests, images_make, images_free);
}
