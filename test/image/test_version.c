/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <stdio.h>

#include "otapult/image.h"

static void put(char *dst, size_t cap, const char *text)
{
    assert_in_range(snprintf(dst, cap, "%s", text), 0, cap - 1);
}

static struct otapult_version make(const char *version, const char *date, const char *time)
{
    struct otapult_version v;

    put(v.version, sizeof v.version, version);
    put(v.date, sizeof v.date, date);
    put(v.time, sizeof v.time, time);
    return v;
}

static enum otapult_age compare(const char *a, const char *b)
{
    struct otapult_version x = make(a, "", ""), y = make(b, "", "");
    return otapult_compare_versions(&x, &y);
}

/* Each comes after the one before it: the example of semver.org, section 11, and around it. */
static void versions_in_order(void **state)
{
    static const char *const order[] = {
        "0.9",
        "1.0.0-alpha",
        "1.0.0-alpha.1",
        "1.0.0-alpha.beta",
        "1.0.0-beta",
        "1.0.0-beta.2",
        "1.0.0-beta.11",
        "1.0.0-rc.1",
        "1.0.0-rc.1-2-g0123abc",
        "1.0.0",
        "v1.0.0-1-g1a2b3c4",
        "1.0.0-12-g1a2b3c4d-dirty",
        "1.0.1",
        "1.2",
        "1.2.3",
        "1.10.0",
        "2.0.0",
        "V10.0.0",
        "999999999.0.0",
    };
    const size_t n = sizeof order / sizeof *order;

    (void)state;
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < n; j++)
            assert_int_equal(compare(order[i], order[j]), i < j   ? OTAPULT_OLDER
                                                          : i > j ? OTAPULT_NEWER
                                                                  : OTAPULT_SAME_AGE);
}

static void versions_of_one_age(void **state)
{
    (void)state;
    assert_int_equal(compare("1.2.3", "v1.2.3"), OTAPULT_SAME_AGE);
    assert_int_equal(compare("1.2", "1.2.0"), OTAPULT_SAME_AGE);
    assert_int_equal(compare("1.2.3+build.7", "1.2.3+build.8"), OTAPULT_SAME_AGE);
    assert_int_equal(compare("1.2.3-dirty", "1.2.3"), OTAPULT_SAME_AGE);
}

static void what_is_no_version_is_not_compared(void **state)
{
    static const char *const strange[] = {
        "",     "7",    "1234567", "0a1b2c3-dirty", "arduino-lib-builder", "1.2.3x", "1.2.3.4", "v",
        ".1.2", "1..2", "-1.2.3",  "1.x",           "1000000000.0",        "latest"};
    (void)state;
    for (size_t i = 0; i < sizeof strange / sizeof *strange; i++) {
        assert_int_equal(compare(strange[i], "1.0.0"), OTAPULT_AGE_UNKNOWN);
        assert_int_equal(compare("1.0.0", strange[i]), OTAPULT_AGE_UNKNOWN);
    }
}

static void without_versions_the_build_date_counts(void **state)
{
    static const struct {
        const char *date, *time;
    } order[] = {{"Dec 31 2024", "23:59:59"}, {"Jan  1 2025", "00:00:00"}, {"Jan  1 2025", "00:00:01"},
                 {"Jan  9 2025", "10:00:00"}, {"Jan 10 2025", "09:00:00"}, {"Feb  1 2025", "00:00:00"},
                 {"Nov 30 2025", "12:34:56"}, {"Jan  2 2026", "00:00:00"}};
    const size_t n = sizeof order / sizeof *order;

    (void)state;
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < n; j++) {
            struct otapult_version a = make("g1a2b3c4", order[i].date, order[i].time);
            struct otapult_version b = make("g5d6e7f8", order[j].date, order[j].time);
            assert_int_equal(otapult_compare_versions(&a, &b), i < j   ? OTAPULT_OLDER
                                                               : i > j ? OTAPULT_NEWER
                                                                       : OTAPULT_SAME_AGE);
        }
}

static void a_version_goes_before_a_date(void **state)
{
    struct otapult_version a = make("2.0.0", "Jan  1 2020", "00:00:00");
    struct otapult_version b = make("1.0.0", "Jan  1 2026", "00:00:00");

    (void)state;
    assert_int_equal(otapult_compare_versions(&a, &b), OTAPULT_NEWER);
    b = make("nightly", "Jan  1 2026", "00:00:00"); /* only one has a version */
    assert_int_equal(otapult_compare_versions(&a, &b), OTAPULT_OLDER);
}

static void broken_dates_are_not_compared(void **state)
{
    static const struct {
        const char *date, *time;
    } strange[] = {{"", ""},
                   {"Foo  1 2025", "00:00:00"},
                   {"Jan  1 2025", ""},
                   {"2025-01-01", "00:00:00"},
                   {"Jan  x 2025", "00:00:00"},
                   {"Jan  1 20x5", "00:00:00"},
                   {"Jan  1 2025", "aa:00:00"},
                   {"Jan", "00:00:00"}};
    struct otapult_version good = make("", "Jan  1 2025", "00:00:00");

    (void)state;
    for (size_t i = 0; i < sizeof strange / sizeof *strange; i++) {
        struct otapult_version v = make("", strange[i].date, strange[i].time);
        assert_int_equal(otapult_compare_versions(&v, &good), OTAPULT_AGE_UNKNOWN);
        assert_int_equal(otapult_compare_versions(&good, &v), OTAPULT_AGE_UNKNOWN);
    }
}

/* Random text of the alphabet of versions: comparing either way round never contradicts itself. */
static void either_way_round_is_the_same(void **state)
{
    static const char letters[] = "0129.-+vgabdirty";
    uint32_t random = 1;

    (void)state;
    for (int round = 0; round < 200000; round++) {
        char text[2][32] = {"", ""};
        for (int which = 0; which < 2; which++) {
            random = random * 1664525u + 1013904223u;
            unsigned len = random >> 27;
            for (unsigned i = 0; i < len; i++) {
                random = random * 1664525u + 1013904223u;
                text[which][i] = letters[random >> 28];
            }
        }
        enum otapult_age there = compare(text[0], text[1]), back = compare(text[1], text[0]);
        assert_int_equal(back, there == OTAPULT_OLDER   ? OTAPULT_NEWER
                               : there == OTAPULT_NEWER ? OTAPULT_OLDER
                                                        : there);
    }
}

/* ---- the cases of versions.txt ---- */

static struct otapult_version firmware_of(char *text)
{
    char *date = strchr(text, '|'), *time = date != NULL ? strchr(date + 1, '|') : NULL;

    if (time == NULL)
        return make(text, "", "");
    *date = *time = '\0';
    return make(text, date + 1, time + 1);
}

static enum otapult_age age_of(const char *word)
{
    return strcmp(word, "older") == 0   ? OTAPULT_OLDER
           : strcmp(word, "newer") == 0 ? OTAPULT_NEWER
           : strcmp(word, "same") == 0  ? OTAPULT_SAME_AGE
                                        : OTAPULT_AGE_UNKNOWN;
}

static enum otapult_age other_way_round(enum otapult_age age)
{
    return age == OTAPULT_OLDER ? OTAPULT_NEWER : age == OTAPULT_NEWER ? OTAPULT_OLDER : age;
}

static void check_case(char *line)
{
    char *left = strchr(line, '\t'), *right = left != NULL ? strchr(left + 1, '\t') : NULL;

    assert_non_null(right);
    *left = *right = '\0';
    enum otapult_age want = age_of(line);
    struct otapult_version a = firmware_of(left + 1), b = firmware_of(right + 1);
    enum otapult_age there = otapult_compare_versions(&a, &b), back = otapult_compare_versions(&b, &a);
    if (there != want || back != other_way_round(want))
        fail_msg("%s | %s: %d and back %d, not %s", a.version, b.version, (int)there, (int)back, line);
}

static void the_page_and_the_core_decide_alike(void **state)
{
    FILE *f = fopen(OTAPULT_SOURCE_DIR "/test/image/versions.txt", "r");
    char line[256];
    unsigned cases = 0;

    (void)state;
    assert_non_null(f);
    while (fgets(line, sizeof line, f) != NULL) {
        line[strcspn(line, "\n")] = '\0';
        if (line[0] == '#')
            continue;
        check_case(line);
        cases++;
    }
    fclose(f);
    assert_true(cases > 40);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(versions_in_order),
        cmocka_unit_test(versions_of_one_age),
        cmocka_unit_test(what_is_no_version_is_not_compared),
        cmocka_unit_test(without_versions_the_build_date_counts),
        cmocka_unit_test(a_version_goes_before_a_date),
        cmocka_unit_test(broken_dates_are_not_compared),
        cmocka_unit_test(either_way_round_is_the_same),
        cmocka_unit_test(the_page_and_the_core_decide_alike),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
