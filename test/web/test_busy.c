/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "http_client.h"
#include "images.h"
#include "world.h"

/* What others see of a device that is held for something: the status, and what a second client hears. Both
 * are asked from inside the port's calls, in the middle of what is under way. */

static struct world world;
static struct http_client client, asking; /* the second one while the first asks for something */

static enum otapult_http_next ask_as(struct http_client *c, const char *method, const char *path,
                                     const struct http_header *headers)
{
    const struct otapult_request line = {.method = method, .path = path};
    struct otapult_site site;

    otapult_site(&site, world.ota);
    return http_client_begin(c, &site, 1, &line, headers);
}

static enum otapult_http_next ask(const char *method, const char *path, const struct http_header *headers)
{
    return ask_as(&client, method, path, headers);
}

/* ---- what is seen, from inside ---- */

static bool watching;
static unsigned seen;
static char status[8192], refusal[2048], russian[2048], detail[256];
static struct otapult_status shown;

static void try_upload(const char *language, char *answer, size_t cap)
{
    ask("POST", "/api/ota/upload",
        HEADERS({"Host", "10.0.0.1"}, {"Content-Type", "application/octet-stream"},
                {"Content-Length", "9000"}, {"Accept-Language", language}));
    assert_true(client.len < cap);
    memcpy(answer, client.text, client.len + 1);
}

static void look(void)
{
    struct otapult_finding why;
    uint32_t ticket;

    if (!watching)
        return;
    watching = false;
    seen++;
    otapult_status(world.ota, &shown);
    int err = otapult_begin(world.ota, OTAPULT_SIZE_UNKNOWN, &ticket, &why);
    otapult_detail(err, &why, NULL, detail, sizeof detail);
    ask("GET", "/api/ota/status", HEADERS({"Host", "10.0.0.1"}));
    assert_true(client.len < sizeof status);
    memcpy(status, client.text, client.len + 1);
    try_upload("en", refusal, sizeof refusal);
    try_upload("ru", russian, sizeof russian);
}

static void assert_has(const char *text, const char *part)
{
    if (strstr(text, part) == NULL)
        fail_msg("'%s' is not in '%s'", part, text);
}

static void assert_no_sentinel(const char *text)
{
    if (strstr(text, "4294967295") != NULL)
        fail_msg("a sentinel: '%s'", text);
}

static int (*real_activate)(void *ctx, int index);
static int (*real_confirm)(void *ctx);
static int (*real_slots)(void *ctx, struct otapult_slots *out);
static int (*real_kv_set)(void *ctx, const char *key, const void *src, size_t len);
static int slots_error;

static int watch_activate(void *ctx, int index)
{
    look();
    return real_activate(ctx, index);
}

static int watch_confirm(void *ctx)
{
    look();
    return real_confirm(ctx);
}

static int watch_slots(void *ctx, struct otapult_slots *out)
{
    look();
    return slots_error != 0 ? slots_error : real_slots(ctx, out);
}

static int watch_revocation(void *ctx, const char *key, const void *src, size_t len)
{
    if (strcmp(key, "ota.revoked1") == 0)
        look();
    return real_kv_set(ctx, key, src, len);
}

static void wrap(void *ctx, struct otapult_port *port)
{
    (void)ctx;
    real_activate = port->activate;
    real_confirm = port->confirm;
    real_slots = port->slots;
    real_kv_set = port->kv_set;
    port->activate = watch_activate;
    port->confirm = watch_confirm;
    port->slots = watch_slots;
    port->kv_set = watch_revocation;
}

static const uint8_t keys[1][OTAPULT_KEY_DIGEST] = {{1}};

static void be_secure(void *ctx, struct otapult_config *config)
{
    (void)ctx;
    config->secure = &otapult_secure;
    config->keys = keys;
    config->key_count = 1;
}

static int a_device(void **state)
{
    (void)state;
    watching = false;
    seen = 0;
    slots_error = 0;
    world_init(&world, WORLD_TWO_OTA, v1, v1_len);
    world.wrap = wrap;
    assert_true(world_boot(&world));
    return 0;
}

static int end_device(void **state)
{
    (void)state;
    world_end(&world);
    return 0;
}

/* ---- the cases ---- */

static void a_rollback_looks_like_one(void **state)
{
    struct otapult_finding why;

    (void)state;
    assert_int_equal(world_upload(&world, v2, v2_len, 4096), 0);
    assert_true(world_settle(&world));
    assert_string_equal(world_version(&world), "2.0.0");

    watching = true;
    assert_int_equal(otapult_rollback(world.ota, &why), 0);
    assert_int_equal(seen, 1);
    assert_has(status, "\"state\":\"idle\"");
    assert_has(status, "\"busy\":{\"for\":\"rollback\",\"by\":null}");
    assert_has(status, "\"version\":\"1.0.0\""); /* what it is going back to */
    assert_has(refusal, "\"code\":\"busy\"");
    assert_has(refusal, "\"detail\":\"the device is going back to its other firmware\"");
    assert_has(russian, "\"detail\":\"устройство возвращается к другой прошивке\"");
    assert_no_sentinel(refusal);
    assert_no_sentinel(status);
    watching = true;
    look();
    assert_has(status, "\"state\":\"rebooting\"");
    assert_has(status, "\"busy\":{\"for\":\"rollback\",\"by\":null}"); /* until the restart it ends in */
    assert_true(world_settle(&world));
    assert_string_equal(world_version(&world), "1.0.0");
}

static void a_request_names_who_asked(void **state)
{
    (void)state;
    assert_int_equal(world_upload(&world, v2, v2_len, 4096), 0);
    assert_true(world_settle(&world));
    watching = true;
    ask_as(&asking, "POST", "/api/ota/rollback", HEADERS({"Host", "10.0.0.1"}, {"Content-Length", "0"}));
    otapult_http_end(&asking.x);
    assert_int_equal(asking.status, 200);
    assert_int_equal(seen, 1);
    assert_has(status, "\"busy\":{\"for\":\"rollback\",\"by\":\"anyone\"}");
}

static void an_upload_of_unknown_size_shows_no_sentinel(void **state)
{
    struct otapult_finding why;
    uint32_t ticket;

    (void)state;
    assert_int_equal(otapult_begin(world.ota, OTAPULT_SIZE_UNKNOWN, &ticket, &why), 0);
    assert_int_equal(otapult_feed(world.ota, ticket, v2, 5000, &why), 0);
    watching = true;
    look();
    assert_has(status, "\"state\":\"receiving\"");
    assert_has(status, "\"busy\":{\"for\":\"upload\",\"by\":null}");
    assert_has(refusal, "another update is running, 5000 of ? bytes so far");
    assert_has(russian, "идёт другое обновление, получено 5000 из ? байт");
    assert_no_sentinel(refusal);
    assert_no_sentinel(detail);
    assert_no_sentinel(status);
}

static void a_confirmation_looks_like_one(void **state)
{
    (void)state;
    world.health = OTAPULT_HEALTH_WAIT;
    assert_int_equal(world_upload(&world, v2, v2_len, 4096), 0);
    assert_true(world_settle(&world));
    watching = true;
    assert_int_equal(otapult_confirm(world.ota), 0);
    assert_int_equal(seen, 1);
    assert_has(status, "\"state\":\"idle\"");
    assert_has(status, "\"busy\":{\"for\":\"confirm\",\"by\":null}");
    assert_has(refusal, "the running firmware is being confirmed");
    assert_has(russian, "подтверждается текущая прошивка");
    assert_int_equal(shown.pending, true);
    assert_true(world_settle(&world));
    assert_string_equal(world_version(&world), "2.0.0");
}

static void reading_the_slots_again_looks_like_that(void **state)
{
    (void)state;
    slots_error = OTAPULT_E_FLASH_READ;
    assert_true(world_boot(&world));
    slots_error = 0;
    watching = true;
    otapult_poll(world.ota);
    assert_int_equal(seen, 1);
    assert_has(status, "\"state\":\"idle\"");
    assert_has(status, "\"busy\":{\"for\":\"slots\",\"by\":null}");
    assert_has(refusal, "the slots are being read again after an error");
    assert_has(russian, "разделы перечитываются после ошибки");
    assert_no_sentinel(refusal);
    assert_int_equal(world_upload(&world, v2, v2_len, 4096), 0);
}

static void a_revocation_looks_like_one(void **state)
{
    static const uint8_t digest[OTAPULT_KEY_DIGEST] = {2};

    (void)state;
    world.configure = be_secure;
    assert_true(world_boot(&world));
    watching = true;
    assert_int_equal(otapult_revoke_key(world.ota, digest), 0);
    assert_int_equal(seen, 1);
    assert_int_equal(shown.phase, OTAPULT_IDLE);
    assert_string_equal(detail, "the signing keys are being changed");
}

static void a_free_device_says_so(void **state)
{
    (void)state;
    ask("GET", "/api/ota/status", HEADERS({"Host", "10.0.0.1"}));
    assert_has(client.text, "\"state\":\"idle\"");
    assert_has(client.text, "\"busy\":null");
}

static void a_due_restart_says_what_it_is_for(void **state)
{
    struct otapult_finding why;

    (void)state;
    assert_int_equal(otapult_restart(world.ota, &why), 0);
    watching = true;
    look();
    assert_has(status, "\"state\":\"rebooting\"");
    assert_has(status, "\"busy\":{\"for\":\"restart\",\"by\":null}");
    assert_has(refusal, "\"code\":\"rebooting\"");
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, a_device, end_device)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(a_rollback_looks_like_one),
        CASE(a_request_names_who_asked),
        CASE(an_upload_of_unknown_size_shows_no_sentinel),
        CASE(a_confirmation_looks_like_one),
        CASE(reading_the_slots_again_looks_like_that),
        CASE(a_revocation_looks_like_one),
        CASE(a_free_device_says_so),
        CASE(a_due_restart_says_what_it_is_for),
    };
    return cmocka_run_group_tests(tests, images_make, images_free);
}
