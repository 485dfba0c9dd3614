/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "update/pace.h"

/* How slow a client may be, to the millisecond and the byte. The device with a client: test_device. */

static const struct otapult_config config = {
    .min_rate = 256, .min_rate_ms = 30000, .stall_ms = 60000, .upload_ms = 100000, .resume_ms = 120000};
#define PERIOD 7680u /* bytes that are enough for min_rate_ms */

static struct otapult_pace pace;
static struct otapult_finding why;

static int begin(void **state)
{
    (void)state;
    otapult_pace_begin(&pace, UINT32_MAX - 10); /* the clock wraps right away */
    return 0;
}

/* `ms` since the beginning. */
static int check_of(const struct otapult_config *c, uint32_t ms, uint32_t received)
{
    return otapult_pace_check(&pace, c, UINT32_MAX - 10 + ms, received, &why);
}

static int check(uint32_t ms, uint32_t received)
{
    return check_of(&config, ms, received);
}

static void a_period_has_its_bytes(void **state)
{
    (void)state;
    assert_int_equal(check(29999, 0), 0);
    assert_int_equal(check(30000, PERIOD), 0);
    assert_int_equal(check(59999, PERIOD), 0); /* the next begins where it ended */
    otapult_pace_enter(&pace, UINT32_MAX - 10 + 59999);
    otapult_pace_leave(&pace, UINT32_MAX - 10 + 59999);
    assert_int_equal(check(60000, 2 * PERIOD - 1), OTAPULT_E_UPLOAD_TOO_SLOW);
    assert_int_equal(why.got, PERIOD - 1);
    assert_int_equal(why.want, 30);
}

static void no_rate_is_too_low_for_none(void **state)
{
    struct otapult_config any = config;

    (void)state;
    any.min_rate = 0;
    assert_int_equal(check_of(&any, 59999, 0), 0);
    any.min_rate = 1;
    begin(NULL);
    assert_int_equal(check_of(&any, 59999, 58), OTAPULT_E_UPLOAD_TOO_SLOW);
}

/* As one that only begins, again and again, and one that sends a little each time. */
static void who_begins_anew_has_no_more_time(void **state)
{
    struct otapult_pace before = pace;

    (void)state;
    otapult_pace_begin(&pace, UINT32_MAX - 10 + 50000);
    otapult_pace_again(&pace, &before, 0);
    assert_int_equal(check(59999, PERIOD * 2), 0);
    assert_int_equal(check(60000, PERIOD * 2), OTAPULT_E_STALLED);
    otapult_pace_begin(&pace, UINT32_MAX - 10 + 29999);
    otapult_pace_again(&pace, &before, 0);
    assert_int_equal(check(30000, PERIOD - 1), OTAPULT_E_UPLOAD_TOO_SLOW);
    otapult_pace_begin(&pace, UINT32_MAX - 10 + 59999);
    otapult_pace_again(&pace, &before, 1);
    assert_int_equal(check(89998, 0), 0); /* a whole period from now on */
    assert_int_equal(check(99999, PERIOD * 2), 0);
    assert_int_equal(check(100000, PERIOD * 2), OTAPULT_E_UPLOAD_TOO_SLOW); /* all of the time */
}

static void silence_is_a_stall(void **state)
{
    (void)state;
    assert_int_equal(check(59999, 1000000), 0);
    assert_int_equal(check(60000, 1000000), OTAPULT_E_STALLED);
    assert_int_equal(why.got, 60);
}

/* Only what the device waits counts, and not what it does with the bytes. */
static void all_of_it_has_a_limit(void **state)
{
    struct otapult_config any = config;

    (void)state;
    any.upload_ms = 0;
    otapult_pace_enter(&pace, UINT32_MAX - 10 + 50000);
    otapult_pace_leave(&pace, UINT32_MAX - 10 + 3000000); /* inside */
    assert_int_equal(check(3000000 + 49999, 1000000), 0);
    assert_int_equal(check_of(&any, 3000000 + 50000, 1000000), 0);
    assert_int_equal(check(3000000 + 50000, 1000000), OTAPULT_E_UPLOAD_TOO_SLOW);
    assert_int_equal(why.got, 1000000);
    assert_int_equal(why.want, 100);
}

/* What broke off is waited for, however few bytes came. */
static void a_resumable_one_is_waited_for(void **state)
{
    struct otapult_config any = config;

    (void)state;
    any.upload_ms = 0;
    assert_int_equal(otapult_pace_check_resumable(&pace, &any, UINT32_MAX - 10 + 119999, 0, &why), 0);
    assert_int_equal(otapult_pace_check_resumable(&pace, &any, UINT32_MAX - 10 + 120000, 0, &why),
                     OTAPULT_E_STALLED);
    assert_int_equal(why.got, 120);
}

static int check_resumable(uint32_t ms, uint32_t received)
{
    return otapult_pace_check_resumable(&pace, &config, UINT32_MAX - 10 + ms, received, &why);
}

static void touch(uint32_t ms)
{
    otapult_pace_enter(&pace, UINT32_MAX - 10 + ms);
    otapult_pace_leave(&pace, UINT32_MAX - 10 + ms);
}

/* A client may be away as long as that in each period, and drips for no longer than one. */
static void a_resumable_one_has_its_bytes_and_that_much_longer(void **state)
{
    struct otapult_config any = config;

    (void)state;
    any.upload_ms = 0;
    for (uint32_t drips = 0; drips <= 1; drips++) {
        begin(NULL);
        assert_int_equal(check_resumable(99999, 1), 0);
        touch(119999);
        assert_int_equal(otapult_pace_check_resumable(&pace, &any, UINT32_MAX - 10 + 149999, 1, &why), 0);
        assert_int_equal(
            otapult_pace_check_resumable(&pace, &any, UINT32_MAX - 10 + 150000, PERIOD - drips, &why),
            drips ? OTAPULT_E_UPLOAD_TOO_SLOW : 0);
    }
    assert_int_equal(why.got, PERIOD - 1);
    assert_int_equal(why.want, 150);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_period_has_its_bytes, begin),
        cmocka_unit_test_setup(no_rate_is_too_low_for_none, begin),
        cmocka_unit_test_setup(who_begins_anew_has_no_more_time, begin),
        cmocka_unit_test_setup(silence_is_a_stall, begin),
        cmocka_unit_test_setup(all_of_it_has_a_limit, begin),
        cmocka_unit_test_setup(a_resumable_one_is_waited_for, begin),
        cmocka_unit_test_setup(a_resumable_one_has_its_bytes_and_that_much_longer, begin),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
