/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "board.h"
#include "esp_board.h"
#include "life.h"
#include "nvs_flash.h"
#include "otapult/offer.h"

/* The rover on a board, as far as rover/board/main.c says it: what comes up, in which order, and what does
 * not in safe mode. Motors and network are this test's. */

static struct life l;
static struct fake_connection connection;
static uint8_t *image;
static size_t image_len;
static bool motors_up, moved, network_up;

bool motors_start(void)
{
    assert_non_null(otapult_esp_device()); /* a crash in here must be counted */
    return motors_up = true;
}

void motors_set(int left, int right)
{
    moved = moved || left != 0 || right != 0;
}

bool motors_are_there(void)
{
    return motors_up;
}

bool motors_answer(void)
{
    return motors_up;
}

void network_start(void)
{
    assert_non_null(otapult_esp_device());
    network_up = fake_idf.network = true;
}

void network_poll(void)
{
}

enum network_state network_state(void)
{
    return NETWORK_JOINED;
}

bool network_has_station(void)
{
    return true;
}

void network_announce(uint16_t port)
{
    assert_non_null(fake_httpd_on(port));
}

bool owner_show_password(void *app, const char *password)
{
    (void)app;
    (void)password;
    return true;
}

void owner_look_for_button(void)
{
}

static void boot(esp_reset_reason_t reset)
{
    motors_up = moved = network_up = false;
    assert_true(life_boot(&l, reset));
    rover_board_start();
    l.server = fake_httpd_on(8080);
    assert_non_null(l.server);
}

static int ask_to_drive(void)
{
    static const char body[] = "{\"left\":50,\"right\":50}";
    const struct fake_request r = life_post("/api/drive", "application/json", body, sizeof body - 1);

    life_send(&l, &connection, &r);
    return connection.status;
}

static int set_up(void **state)
{
    (void)state;
    life_init(&l, WORLD_TWO_OTA, image, image_len);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    life_end(&l);
    return 0;
}

static void it_comes_up_and_drives(void **state)
{
    (void)state;
    boot(ESP_RST_POWERON);
    assert_true(motors_up && network_up);
    assert_int_equal(ask_to_drive(), 200);
    assert_true(moved);
}

/* As a factory writes it, before anything of the robot runs. */
static void put_token(const char *token)
{
    nvs_handle_t nvs;

    assert_true(life_boot(&l, ESP_RST_POWERON));
    assert_int_equal(nvs_flash_init(), ESP_OK);
    assert_int_equal(nvs_open("rover", NVS_READWRITE, &nvs), ESP_OK);
    assert_int_equal(nvs_set_blob(nvs, "hawkbit", token, strlen(token)), ESP_OK);
    assert_int_equal(nvs_commit(nvs), ESP_OK);
    nvs_close(nvs);
}

static bool has_source(const char *name)
{
    struct otapult_offer_view v;

    return otapult_offer_view(otapult_esp_device(), false, &v) && strcmp(v.source, name) == 0;
}

static void with_a_token_of_its_own_it_asks_the_update_server(void **state)
{
    (void)state;
    put_token("0123456789abcdef");
    boot(ESP_RST_POWERON);
    assert_true(has_source("hawkbit"));
}

static void without_one_it_asks_nobody_and_works(void **state)
{
    (void)state;
    boot(ESP_RST_POWERON);
    assert_false(has_source("hawkbit"));
    put_token("two words\r\n");
    boot(ESP_RST_POWERON);
    assert_false(has_source("hawkbit"));
    assert_true(motors_up && network_up);
}

static void in_safe_mode_there_is_the_page_and_nothing_that_moves(void **state)
{
    const struct fake_request r = life_get("/api/ota/status");

    (void)state;
    boot(ESP_RST_POWERON);
    for (int crashes = 0; crashes < 5; crashes++) {
        assert_true(motors_up);
        boot(ESP_RST_PANIC);
    }
    assert_true(network_up);
    assert_false(motors_up);
    life_send(&l, &connection, &r);
    assert_int_equal(connection.status, 200);
    assert_non_null(strstr(connection.body, "\"safe_mode\":true"));
    assert_int_not_equal(ask_to_drive(), 200);
    assert_false(moved);
}

int main(void)
{
    const struct sample_spec spec = {SAMPLE_DEFAULT, .version = "1.0.0", .size = 9000, .seed = 1};
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(it_comes_up_and_drives, set_up, tear_down),
        cmocka_unit_test_setup_teardown(with_a_token_of_its_own_it_asks_the_update_server, set_up, tear_down),
        cmocka_unit_test_setup_teardown(without_one_it_asks_nobody_and_works, set_up, tear_down),
        cmocka_unit_test_setup_teardown(in_safe_mode_there_is_the_page_and_nothing_that_moves, set_up,
                                        tear_down),
    };

    image = sample_image(&spec, &image_len);
    int failed = cmocka_run_group_tests_name("rover_board", tests, NULL, NULL);
    free(image);
    return failed;
}
