/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "board.h"
#include "client.h"
#include "esp_board.h"
#include "fake_idf.h"
#include "images.h"
#include "life.h"
#include "otapult/offer.h"

/* The rover on a board with a web folder as its source and a CA of its own. Built a second time without a
 * key. */

/* As ESP-IDF puts a file into a firmware. */
extern const char source_ca[] __asm__("_binary_rover_source_ca_start");
const char source_ca[] = "-----BEGIN CERTIFICATE-----";

static struct life l;

static int set_up(void **state)
{
    (void)state;
    fake_http_server_begin("{}", 2);
    life_init(&l, WORLD_TWO_OTA, v1, v1_len);
    assert_true(life_boot(&l, ESP_RST_POWERON));
    releases_configure(&l.config.device);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    life_end(&l);
    return 0;
}

#ifdef CONFIG_ROVER_FOLDER_KEYS

static void the_folder_is_asked_and_one_ca_vouches_for_it(void **state)
{
    struct otapult_offer_view v;

    (void)state;
    assert_non_null(l.config.device.pull);
    assert_int_equal(l.config.device.pull->policy, OTAPULT_PULL_AUTO);
    assert_false(l.config.device.pull->plain_http);
    assert_int_equal(l.config.device.key_count, 1);
    assert_int_equal(l.config.device.keys[0][0], 0x01);
    assert_true(life_start(&l, ESP_RST_POWERON));
    releases_start();
    fake_idf.now_us += 300u * 1000 * 1000; /* by then at the latest */
    for (unsigned n = 0; n < 8 && fake_http_server.requests == 0; n++)
        fake_tasks_run();
    assert_string_equal(fake_http_server.url, "https://updates.example.org/otapult.json");
    assert_ptr_equal(fake_http_server.config.cert_pem, source_ca);
    assert_null(fake_http_server.config.crt_bundle_attach);
    assert_true(otapult_offer_view(otapult_esp_device(), false, &v));
    assert_string_equal(v.source, "folder");
    assert_int_equal(v.error, OTAPULT_E_SOURCE_ANSWER);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test_setup_teardown(the_folder_is_asked_and_one_ca_vouches_for_it, set_up, tear_down),
};

#else

static void without_a_key_that_signs_nobody_is_asked(void **state)
{
    (void)state;
    assert_null(l.config.device.pull);
    assert_int_equal(l.config.device.key_count, 0);
    assert_true(life_start(&l, ESP_RST_POWERON));
    releases_start();
    fake_tasks_run();
    assert_int_equal(fake_http_server.requests, 0);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test_setup_teardown(without_a_key_that_signs_nobody_is_asked, set_up, tear_down),
};

#endif

int main(void)
{
    return cmocka_run_group_tests_name("rover_folder", tests, images_make, images_free);
}
