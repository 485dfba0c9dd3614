/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "rover_internal.h"

/* How long the rover drives, and when it must not. */

static uint32_t clock_ms;
static struct rover rover;
static struct otapult_config config;
static int left, right;

static void motors(void *ctx, int l, int r)
{
    (void)ctx;
    left = l;
    right = r;
}

static uint32_t now_ms(void *ctx)
{
    (void)ctx;
    return clock_ms;
}

static void lock(void *ctx)
{
    (void)ctx;
}

static int set_up(void **state)
{
    static const struct otapult_port port = {.now_ms = now_ms, .lock = lock, .unlock = lock};
    static const struct rover_hardware hardware = {.motors = motors};
    static struct otapult_health_check checks[ROVER_CHECKS];

    (void)state;
    clock_ms = 0xFFFFFF00u; /* which is soon over */
    config = (struct otapult_config){.port = &port};
    rover_configure(&rover, &config, checks, &hardware);
    left = right = 0;
    return 0;
}

static void a_command_holds_for_a_second(void **state)
{
    (void)state;
    assert_true(rover_drive(&rover, 50, -20));
    clock_ms += ROVER_DRIVE_MS - 1;
    rover_poll(&rover);
    assert_int_equal(left, 50);
    assert_int_equal(right, -20);
    clock_ms += 1;
    rover_poll(&rover);
    assert_int_equal(left, 0);
    assert_int_equal(right, 0);
}

static void repeated_it_goes_on(void **state)
{
    (void)state;
    for (int i = 0; i < 10; i++) {
        assert_true(rover_drive(&rover, 50, 50));
        clock_ms += ROVER_DRIVE_MS - 1;
        rover_poll(&rover);
        assert_int_equal(left, 50);
    }
}

static void while_it_is_held_it_stands_still(void **state)
{
    char why[64] = "";

    (void)state;
    assert_true(rover_drive(&rover, 50, 50));
    assert_false(config.ready(&rover, why, sizeof why));
    assert_string_equal(why, "I am driving");
    config.hold(&rover, true);
    assert_int_equal(left, 0);
    assert_true(config.ready(&rover, why, sizeof why));
    assert_false(rover_drive(&rover, 50, 50));
    assert_int_equal(left, 0);
    assert_true(rover_drive(&rover, 0, 0)); /* a stop is always taken */
    config.hold(&rover, false);
    assert_true(rover_drive(&rover, 50, 50));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_command_holds_for_a_second, set_up),
        cmocka_unit_test_setup(repeated_it_goes_on, set_up),
        cmocka_unit_test_setup(while_it_is_held_it_stands_still, set_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
