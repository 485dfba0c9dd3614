/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "esp_board.h"
#include "images.h"
#include "life.h"

/* Coming back, on a board: a firmware that crashes, one that hangs before it starts Otapult, and what one has
 * to show that brings no health checks of its own. */

#define LIMIT 5 /* crash_limit by default */

static struct life l;
static struct fake_connection connection;

static int tear_down(void **state)
{
    (void)state;
    life_end(&l);
    return 0;
}

static void start(void)
{
    life_init(&l, WORLD_TWO_OTA, v1, v1_len);
    assert_true(life_start(&l, ESP_RST_POWERON));
}

static void upload(void)
{
    const struct fake_request r = life_post("/api/ota/upload", "application/octet-stream", v2, v2_len);

    life_send(&l, &connection, &r);
    assert_int_equal(connection.status, 200);
}

static void start_with_both(void)
{
    start();
    upload();
    assert_true(life_settle(&l));
    assert_string_equal(life_version(), "2.0.0");
}

static const char *last_event(void)
{
    static struct otapult_log_entry e;

    return otapult_log_entry(otapult_esp_device(), 0, &e) ? otapult_event_name(e.event) : "";
}

static struct otapult_status status(void)
{
    struct otapult_status s;

    otapult_status(otapult_esp_device(), &s);
    return s;
}

/* The chip lives for `seconds` on, and is reset when something resets it. */
static void live(unsigned seconds)
{
    for (unsigned n = 0; n < 10 * seconds; n++) {
        fake_tasks_run();
        fake_httpd_work();
        fake_idf_pass(100000);
        if (fake_idf.restarted)
            assert_true(life_start(&l, ESP_RST_SW));
    }
}

/* ---- crashes ---- */

static void crash(unsigned times, esp_reset_reason_t how)
{
    while (times-- > 0) {
        assert_false(otapult_safe_mode(otapult_esp_device()));
        assert_true(life_start(&l, how));
    }
}

static void a_crash_loop_ends_in_the_other_slot(void **state)
{
    (void)state;
    start_with_both();
    crash(LIMIT - 1, ESP_RST_PANIC);
    assert_true(life_settle(&l));
    assert_string_equal(life_version(), "2.0.0");
    crash(1, ESP_RST_TASK_WDT);
    assert_true(life_settle(&l));
    assert_string_equal(life_version(), "1.0.0");
    assert_false(status().safe_mode);
}

static void without_another_firmware_it_ends_in_safe_mode(void **state)
{
    (void)state;
    start();
    crash(LIMIT, ESP_RST_WDT);
    assert_true(status().safe_mode);
    assert_string_equal(last_event(), "crash_loop");
    upload(); /* for which it is there */
    assert_true(life_settle(&l));
    assert_string_equal(life_version(), "2.0.0");
    assert_false(status().safe_mode);
}

static void a_loss_of_power_is_no_crash_and_ends_the_row(void **state)
{
    (void)state;
    start();
    crash(LIMIT - 1, ESP_RST_PANIC);
    assert_true(life_start(&l, ESP_RST_POWERON));
    assert_true(life_start(&l, ESP_RST_BROWNOUT));
    crash(LIMIT - 1, ESP_RST_PANIC);
    assert_false(status().safe_mode);
}

/* A panic handler without its hint restarts the chip just so. */
static void a_software_restart_that_nobody_announced_is_a_crash(void **state)
{
    (void)state;
    start();
    crash(LIMIT, ESP_RST_SW);
    assert_true(status().safe_mode);
}

static void a_firmware_on_trial_that_restarts_itself_has_crashed(void **state)
{
    (void)state;
    start();
    upload();
    l.health = OTAPULT_HEALTH_WAIT;
    assert_true(life_settle(&l));
    assert_string_equal(life_version(), "2.0.0");
    assert_true(life_start(&l, ESP_RST_SW));
    assert_string_equal(life_version(), "1.0.0");
    assert_string_equal(last_event(), "crashed");
}

static void an_announced_restart_is_none(void **state)
{
    (void)state;
    start();
    for (int n = 0; n < 2 * LIMIT; n++) {
        otapult_announce_restart(otapult_esp_device());
        crash(1, ESP_RST_SW);
    }
    assert_false(status().safe_mode);
}

static void memory_is_anything_when_power_comes(void **state)
{
    (void)state;
    for (unsigned fill = 0; fill < 256; fill++) {
        start();
        memset(&otapult_esp_retained, (int)fill, sizeof otapult_esp_retained);
        assert_true(life_start(&l, ESP_RST_PANIC)); /* a crash, but the first that anybody knows of */
        assert_false(status().safe_mode);
        crash(LIMIT - 1, ESP_RST_PANIC);
        assert_false(status().safe_mode);
        life_end(&l);
        l.server = NULL;
    }
    start();
}

/* ---- hangs before Otapult starts ---- */

static bool hangs;

void app_main(void);

void app_main(void)
{
    if (!hangs)
        assert_int_equal(otapult_esp_start(&l.config), ESP_OK);
}

static void boot_into_2(void)
{
    start();
    l.config.device.confirm_ms = 600000; /* so that the deadline is not what ends it */
    upload();
    l.health = OTAPULT_HEALTH_WAIT;
    assert_true(life_boot(&l, ESP_RST_SW));
    fake_idf_main();
}

static void a_firmware_that_hangs_before_its_start_comes_back(void **state)
{
    (void)state;
    hangs = true;
    boot_into_2();
    assert_null(otapult_esp_device());
    fake_idf_pass(59000000u);
    assert_false(fake_watchdog_bites());
    fake_idf_pass(2000000u);
    assert_true(fake_watchdog_bites());
    assert_true(life_start(&l, ESP_RST_WDT));
    assert_string_equal(life_version(), "1.0.0");
    assert_string_equal(last_event(), "crashed");
}

static void the_poll_feeds_the_watchdog_and_the_confirmation_ends_it(void **state)
{
    (void)state;
    hangs = false;
    boot_into_2();
    for (int n = 0; n < 5; n++) {
        fake_idf_pass(50000000u);
        assert_true(fake_idf.watchdog.on);
        assert_false(fake_watchdog_bites());
        fake_tasks_run();
    }
    l.health = OTAPULT_HEALTH_PASS;
    fake_tasks_run();
    assert_false(status().pending);
    assert_false(fake_idf.watchdog.on);
    fake_idf_pass(600000000u);
    fake_tasks_run();
    assert_false(fake_watchdog_bites());
}

static void a_poll_that_hangs_in_a_check_comes_back(void **state)
{
    (void)state;
    hangs = false;
    boot_into_2();
    fake_tasks_run();
    fake_idf_pass(61000000u);
    assert_true(fake_watchdog_bites());
}

static void confirmed_firmware_has_no_watchdog(void **state)
{
    (void)state;
    hangs = true;
    life_init(&l, WORLD_TWO_OTA, v1, v1_len);
    assert_true(life_boot(&l, ESP_RST_POWERON));
    fake_idf_main();
    assert_false(fake_idf.watchdog.on);
    hangs = false;
    fake_idf_main();
    fake_tasks_run();
    assert_false(fake_idf.watchdog.on);
}

static void arming_twice_is_arming_once(void **state)
{
    (void)state;
    hangs = true;
    boot_into_2();
    fake_idf_pass(50000000u);
    otapult_esp_watch_trial(); /* feeds nothing: a start that goes in circles is one that hangs */
    fake_idf_pass(11000000u);
    assert_true(fake_watchdog_bites());
}

/* ---- the built-in checks ---- */

static bool has_network, has_own_network;

static void on_air(void)
{
    fake_idf.network = has_network;
    fake_idf.own_network = has_own_network;
}

/* 2.0.0 runs on trial, with the configuration that docs/board.md shows. */
static void try_2_without_checks(bool own_server)
{
    const struct otapult_esp_config config = OTAPULT_ESP_CONFIG_DEFAULT;

    has_network = has_own_network = false;
    life_init(&l, WORLD_TWO_OTA, v1, v1_len);
    l.config = config;
    l.config.device.ready = otapult_always_ready;
    l.config.device.hold = otapult_nothing_moves;
    l.begin = on_air;
    l.own = own_server;
    assert_true(life_start(&l, ESP_RST_POWERON));
    upload();
    live(3);
    assert_string_equal(life_version(), "2.0.0");
}

static void expect_confirmed(void)
{
    assert_string_equal(life_version(), "2.0.0");
    assert_string_equal(last_event(), "confirmed");
}

static void expect_rejected_for(const char *check)
{
    struct otapult_log_entry e;

    assert_string_equal(life_version(), "1.0.0");
    assert_true(otapult_log_entry(otapult_esp_device(), 0, &e));
    assert_int_equal(e.event, OTAPULT_EV_REJECTED);
    assert_non_null(strstr(e.text, check));
}

static void the_documented_configuration_confirms(void **state)
{
    (void)state;
    for (int own = 0; own < 2; own++) {
        try_2_without_checks(own != 0);
        fake_idf.network = has_network = true;
        live(9);
        assert_true(status().pending); /* one good moment is no proof */
        live(3);
        expect_confirmed();
        life_end(&l);
        l.server = NULL;
    }
    start();
}

static void without_a_network_the_old_firmware_comes_back(void **state)
{
    (void)state;
    try_2_without_checks(true);
    live(65);
    expect_rejected_for("network");
}

static void a_network_of_its_own_will_do(void **state)
{
    (void)state;
    try_2_without_checks(true);
    fake_idf.own_network = true;
    live(15);
    expect_confirmed();
}

static void a_page_that_does_not_answer_brings_the_old_firmware_back(void **state)
{
    (void)state;
    for (int own = 0; own < 2; own++) {
        try_2_without_checks(own != 0);
        fake_idf.network = has_network = true;
        fake_idf.server_hangs = true;
        live(65);
        expect_rejected_for("page");
        life_end(&l);
        l.server = NULL;
    }
    start();
}

static void a_firmware_that_serves_nothing_goes_back(void **state)
{
    (void)state;
    try_2_without_checks(false);
    fake_idf.network = has_network = true;
    assert_int_equal(otapult_unmount(), ESP_OK);
    live(65);
    expect_rejected_for("page");
}

/* Somebody looks at the page while the server's task cannot be asked. */
static void any_request_that_is_answered_counts(void **state)
{
    const struct fake_request r = life_get("/api/ota/status");

    (void)state;
    try_2_without_checks(false);
    fake_idf.network = has_network = true;
    fake_idf.server_hangs = true;
    for (int n = 0; n < 13; n++) {
        life_send(&l, &connection, &r);
        assert_int_equal(connection.status, 200);
        live(1);
    }
    expect_confirmed();
}

static void by_hand_means_by_hand(void **state)
{
    (void)state;
    try_2_without_checks(true);
    l.config.confirm_by_hand = true;
    has_network = true;
    assert_true(life_start(&l, ESP_RST_POWERON));
    live(3);
    assert_string_equal(life_version(), "2.0.0");
    live(40);
    assert_true(status().pending);
    assert_int_equal(otapult_confirm(otapult_esp_device()), 0);
    live(30);
    expect_confirmed();
}

static void by_hand_with_checks_is_refused(void **state)
{
    (void)state;
    life_init(&l, WORLD_TWO_OTA, v1, v1_len);
    assert_true(life_boot(&l, ESP_RST_POWERON));
    l.config.confirm_by_hand = true;
    assert_int_equal(otapult_esp_start(&l.config), ESP_ERR_INVALID_ARG);
    assert_null(otapult_esp_device());
}

#define TEST_CASE(name) cmocka_unit_test_teardown(name, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST_CASE(a_crash_loop_ends_in_the_other_slot),
        TEST_CASE(without_another_firmware_it_ends_in_safe_mode),
        TEST_CASE(a_loss_of_power_is_no_crash_and_ends_the_row),
        TEST_CASE(a_software_restart_that_nobody_announced_is_a_crash),
        TEST_CASE(a_firmware_on_trial_that_restarts_itself_has_crashed),
        TEST_CASE(an_announced_restart_is_none),
        TEST_CASE(memory_is_anything_when_power_comes),
        TEST_CASE(a_firmware_that_hangs_before_its_start_comes_back),
        TEST_CASE(the_poll_feeds_the_watchdog_and_the_confirmation_ends_it),
        TEST_CASE(a_poll_that_hangs_in_a_check_comes_back),
        TEST_CASE(confirmed_firmware_has_no_watchdog),
        TEST_CASE(arming_twice_is_arming_once),
        TEST_CASE(the_documented_configuration_confirms),
        TEST_CASE(without_a_network_the_old_firmware_comes_back),
        TEST_CASE(a_network_of_its_own_will_do),
        TEST_CASE(a_page_that_does_not_answer_brings_the_old_firmware_back),
        TEST_CASE(a_firmware_that_serves_nothing_goes_back),
        TEST_CASE(any_request_that_is_answered_counts),
        TEST_CASE(by_hand_means_by_hand),
        TEST_CASE(by_hand_with_checks_is_refused),
    };
    return cmocka_run_group_tests(tests, images_make, images_free);
}
