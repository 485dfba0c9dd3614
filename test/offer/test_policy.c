/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <psa/crypto.h>
#include <stdio.h>
#include <string.h>

#include "offer/policy.h"

#define COUNT(a) (sizeof(a) / sizeof(a)[0])

/* ---- is it taken? ---- */

static void every_reason_decides_before_the_next(void **state)
{
    static const struct {
        struct otapult_circumstances c;
        enum otapult_verdict_of_offer verdict;
        int err;
    } cases[] = {
        {{.same = true, .older = true, .chosen = true}, OTAPULT_DROP, 0},
        {{.other_project = true, .chosen = true}, OTAPULT_NEVER, OTAPULT_E_OTHER_PROJECT},
        {{.older = true, .chosen = true}, OTAPULT_NEVER, OTAPULT_E_OFFER_OLDER},
        {{.unconfirmed = true, .chosen = true}, OTAPULT_WAIT, 0},
        {{.chosen = true,
          .skipped = true,
          .failed = true,
          .refused = true,
          .left = true,
          .not_now = true,
          .asks = true,
          .later = true,
          .clockless = true,
          .closed = true},
         OTAPULT_TAKE_IT,
         0},
        {{.skipped = true}, OTAPULT_WAIT, 0},
        {{.failed = true}, OTAPULT_WAIT, 0},
        {{.refused = true}, OTAPULT_WAIT, 0},
        {{.left = true}, OTAPULT_WAIT, 0},
        {{.not_now = true}, OTAPULT_WAIT, 0},
        {{.asks = true}, OTAPULT_WAIT, 0},
        {{.later = true}, OTAPULT_WAIT, 0},
        {{.clockless = true}, OTAPULT_WAIT, 0},
        {{.closed = true}, OTAPULT_WAIT, 0},
        {{.same = false}, OTAPULT_TAKE_IT, 0},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        const struct otapult_judgement j = otapult_judge_offer(&cases[i].c);
        if (j.verdict != cases[i].verdict || j.err != cases[i].err ||
            (j.wait == NULL) != (j.verdict == OTAPULT_TAKE_IT))
            fail_msg("case %zu: %d, %d, %s", i, (int)j.verdict, j.err, j.wait);
    }
}

static void older_is_what_follows_an_order_alone(void **state)
{
    (void)state;
    assert_true(otapult_offer_is_older("1.9.0", "1.10.0"));
    assert_false(otapult_offer_is_older("1.10.0", "1.9.0"));
    assert_false(otapult_offer_is_older("1.9.0", "1.9.0"));
    assert_false(otapult_offer_is_older("spring", "1.9.0"));
    assert_false(otapult_offer_is_older("", "1.9.0"));
    assert_false(otapult_offer_is_older("a version that is longer than any of them may be, by far", "1.9.0"));
}

/* ---- the maintenance window ---- */

#define AT(h, m) ((h)*60 + (m))
#define MON      (1u << 1)
#define SAT      (1u << 6)

static void a_window_opens_and_closes(void **state)
{
    static const struct {
        struct otapult_window w;
        uint16_t minute;
        uint8_t weekday;
        uint32_t shift;
        bool open;
    } cases[] = {
        {{AT(2, 0), AT(4, 0), 0}, AT(1, 59), 3, 0, false},
        {{AT(2, 0), AT(4, 0), 0}, AT(2, 0), 3, 0, true},
        {{AT(2, 0), AT(4, 0), 0}, AT(3, 59), 3, 0, true},
        {{AT(2, 0), AT(4, 0), 0}, AT(4, 0), 3, 0, false},
        {{AT(2, 0), AT(4, 0), 0}, AT(2, 29), 3, 30, false},
        {{AT(2, 0), AT(4, 0), 0}, AT(2, 30), 3, 30, true},
        {{AT(2, 0), AT(4, 0), MON}, AT(3, 0), 1, 0, true},
        {{AT(2, 0), AT(4, 0), MON}, AT(3, 0), 2, 0, false},
        /* over midnight: the day is the one on which it begins */
        {{AT(23, 0), AT(1, 0), SAT}, AT(23, 30), 6, 0, true},
        {{AT(23, 0), AT(1, 0), SAT}, AT(0, 59), 0, 0, true},
        {{AT(23, 0), AT(1, 0), SAT}, AT(0, 30), 6, 0, false},
        {{AT(23, 0), AT(1, 0), SAT}, AT(1, 0), 0, 0, false},
        {{AT(23, 0), AT(1, 0), SAT}, AT(0, 9), 0, 70, false},
        {{AT(23, 0), AT(1, 0), SAT}, AT(0, 10), 0, 70, true},
        {{0, 0, 0}, AT(12, 0), 3, 0, true},
        {{AT(5, 0), AT(5, 0), MON}, AT(12, 0), 3, 0, true},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        const struct otapult_wall_time t = {.minute = cases[i].minute, .weekday = cases[i].weekday};
        if (otapult_window_open(&cases[i].w, &t, cases[i].shift) != cases[i].open)
            fail_msg("case %zu", i);
    }
}

static void a_window_is_spread_by_half_of_it_or_half_an_hour(void **state)
{
    (void)state;
    assert_int_equal(otapult_window_spread(&(struct otapult_window){AT(2, 0), AT(4, 0), 0}), 30);
    assert_int_equal(otapult_window_spread(&(struct otapult_window){AT(2, 0), AT(2, 20), 0}), 10);
    assert_int_equal(otapult_window_spread(&(struct otapult_window){AT(23, 50), AT(0, 10), 0}), 10);
    assert_int_equal(otapult_window_spread(&(struct otapult_window){0, 0, 0}), 0);
}

static void a_clock_that_nobody_has_set_is_none(void **state)
{
    (void)state;
    assert_false(otapult_time_is_good(&(struct otapult_wall_time){.unix_s = 0}));
    assert_false(otapult_time_is_good(&(struct otapult_wall_time){.unix_s = 1000000}));
    assert_true(otapult_time_is_good(&(struct otapult_wall_time){.unix_s = 1790000000}));
    assert_false(otapult_time_is_good(&(struct otapult_wall_time){.unix_s = 1790000000, .minute = 1440}));
    assert_false(otapult_time_is_good(&(struct otapult_wall_time){.unix_s = 1790000000, .weekday = 7}));
}

/* ---- the robots apart ---- */

#define ROBOTS 10000

static const char *robot(unsigned n)
{
    static char id[24];

    snprintf(id, sizeof id, "rover-%05u", n);
    return id;
}

/* The first second's share of 10,000 robots: no bucket is far from the mean. */
static void ten_thousand_robots_ask_apart(void **state)
{
    unsigned bucket[100] = {0};

    (void)state;
    for (unsigned n = 0; n < ROBOTS; n++) {
        uint32_t at = otapult_spread(robot(n), 0, 300);
        assert_true(at < 300);
        bucket[at / 3]++;
    }
    for (unsigned i = 0; i < 100; i++)
        assert_in_range(bucket[i], 50, 150);
    assert_int_equal(otapult_spread("rover", 7, 0), 0);
}

static void the_percentage_is_kept_and_other_robots_begin_each_time(void **state)
{
    unsigned turn = 0, both = 0;

    (void)state;
    for (unsigned n = 0; n < ROBOTS; n++) {
        bool first = otapult_is_its_turn(robot(n), "3.0.0", 10);
        turn += first;
        both += first && otapult_is_its_turn(robot(n), "3.1.0", 10);
        assert_true(otapult_is_its_turn(robot(n), "3.0.0", 100));
        assert_false(otapult_is_its_turn(robot(n), "3.0.0", 0));
        if (first)
            assert_true(otapult_is_its_turn(robot(n), "3.0.0", 11));
    }
    assert_in_range(turn, 900, 1100);
    assert_in_range(both, 50, 160);
    /* sha256sum of "rover-7:3.0.0" begins with 7fe8aec3: 3283019903, the little end first */
    assert_false(otapult_is_its_turn("rover-7", "3.0.0", 3));
    assert_true(otapult_is_its_turn("rover-7", "3.0.0", 4));
}

static void questions_come_apart_and_failures_further_apart(void **state)
{
    const struct otapult_pull pull = {.id = "rover-7", .ask_s = 21600, .retry_s = 60};
    const struct otapult_pull hasty = {.id = "rover-7", .ask_s = 1, .retry_s = 1};

    (void)state;
    for (uint32_t n = 0; n < 1000; n++) {
        assert_in_range(otapult_ask_again(&pull, 0, 0, n), 19440, 23760);
        assert_in_range(otapult_ask_again(&pull, 0, 300, n), 270, 330); /* as the server says */
        assert_in_range(otapult_ask_again(&pull, 1, 0, n), 30, 60);
        assert_in_range(otapult_ask_again(&pull, 2, 0, n), 60, 120);
        assert_in_range(otapult_ask_again(&pull, 5, 0, n), 480, 960);
        assert_in_range(otapult_ask_again(&pull, 1000, 0, n), 10800, 21600);
        assert_in_range(otapult_ask_again(&pull, 1, 7200, n), 7200, 7200); /* Retry-After */
        assert_in_range(otapult_ask_again(&pull, 0, 0xFFFFFFFF, n), 1, OTAPULT_ASK_MAX);
        assert_in_range(otapult_ask_again(&pull, 1, 0xFFFFFFFF, n), 1, OTAPULT_ASK_MAX);
        assert_int_equal(otapult_ask_again(&hasty, 0, 0, n), 1);
        assert_int_equal(otapult_ask_again(&hasty, 3, 0, n), 1);
    }
    assert_true(otapult_ask_again(&pull, 0, 0, 1) != otapult_ask_again(&pull, 0, 0, 2));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_reason_decides_before_the_next),
        cmocka_unit_test(older_is_what_follows_an_order_alone),
        cmocka_unit_test(a_window_opens_and_closes),
        cmocka_unit_test(a_window_is_spread_by_half_of_it_or_half_an_hour),
        cmocka_unit_test(a_clock_that_nobody_has_set_is_none),
        cmocka_unit_test(ten_thousand_robots_ask_apart),
        cmocka_unit_test(the_percentage_is_kept_and_other_robots_begin_each_time),
        cmocka_unit_test(questions_come_apart_and_failures_further_apart),
    };

    if (psa_crypto_init() != PSA_SUCCESS)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
