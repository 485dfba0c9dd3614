/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "feed.h"
#include "offer/scan.h"

#define COUNT(a) (sizeof(a) / sizeof(a)[0])
#define SPLITS   20u

/* What a scan tells, as a line a value: its place, its type, its value. */
static char told[8192];
static struct otapult_scan scan;
static struct otapult_finding why;

static void tell(const char *text)
{
    strncat(told, text, sizeof told - strlen(told) - 1);
}

static int found(void *to, const struct otapult_scan *s)
{
    static const char types[] = "snw<>";
    char place[64];

    (void)to;
    for (unsigned i = 0; i < s->depth; i++) {
        snprintf(place, sizeof place, "/%s", s->level[i].object ? s->level[i].key : "");
        if (!s->level[i].object)
            snprintf(place, sizeof place, "/%u", s->level[i].index);
        tell(place);
    }
    snprintf(place, sizeof place, " %c%s ", types[s->type], s->cut ? "+" : "");
    tell(place);
    tell(s->value);
    tell("\n");
    return strcmp(s->value, "stop") == 0 ? OTAPULT_E_OFFER_WITHDRAWN : 0;
}

static int feed(void *stage, const uint8_t *p, size_t n)
{
    return otapult_scan_feed(stage, p, n, &why);
}

static int read_text(const void *text, size_t len, unsigned how)
{
    told[0] = '\0';
    why = (struct otapult_finding){0};
    otapult_scan_init(&scan, found, NULL);
    int err = feed_split(feed, &scan, text, len, how);
    return err != 0 ? err : otapult_scan_finish(&scan, &why);
}

static void values_are_told_with_their_places(void **state)
{
    static const struct {
        const char *text, *want;
    } cases[] = {
        {"{}", " < {\n > }\n"},
        {"[]", " < [\n > ]\n"},
        {" 12 ", " n 12\n"},
        {"\"a\"", " s a\n"},
        {"{\"a\":1,\"b\":[true,null,-0.5e+3]}",
         " < {\n/a n 1\n/b < [\n/b/0 w true\n/b/1 w null\n/b/2 n -0.5e+3\n/b > ]\n > }\n"},
        {"{\"f\":[{\"n\":\"x\"},{\"n\":\"y\"}]}",
         " < {\n/f < [\n/f/0 < {\n/f/0/n s x\n/f/0 > }\n/f/1 < {\n/f/1/n s y\n/f/1 > }\n/f > ]\n > }\n"},
        {"[\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u0041\\u00e9\\u20AC\\ud83e\\udd16\"]",
         " < [\n/0 s \"\\/\b\f\n\r\tA\xc3\xa9\xe2\x82\xac\xf0\x9f\xa4\x96\n > ]\n"},
        {"\"\xd0\x9f\xe2\x82\xac\xf0\x9f\xa4\x96\"", " s \xd0\x9f\xe2\x82\xac\xf0\x9f\xa4\x96\n"},
        {"{\"k\\u0065y\":0}", " < {\n/key n 0\n > }\n"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++)
        for (unsigned how = 0; how < SPLITS; how++) {
            assert_int_equal(read_text(cases[i].text, strlen(cases[i].text), how), 0);
            assert_string_equal(told, cases[i].want);
        }
}

static void what_is_no_json_is_refused(void **state)
{
    static const struct {
        const char *text;
        size_t len; /* 0: up to the NUL */
        uint32_t at;
    } cases[] = {
        {"", 0, 0},
        {" ", 0, 1},
        {"{", 0, 1},
        {"{\"a\":1", 0, 6},
        {"[1,]", 0, 3},
        {"[1 2]", 0, 3},
        {"{\"a\" 1}", 0, 5},
        {"{a:1}", 0, 1},
        {"{\"a\":1,}", 0, 7},
        {"{\"a\":}", 0, 5},
        {"[}", 0, 1},
        {"{]", 0, 1},
        {"1 2", 0, 2},
        {"{}}", 0, 2},
        {"01", 0, 2},
        {"1.", 0, 2},
        {".5", 0, 0},
        {"+1", 0, 0},
        {"1e", 0, 2},
        {"--1", 0, 3},
        {"-", 0, 1},
        {"0x10", 0, 4},
        {"tru", 0, 3},
        {"True", 0, 0},
        {"nul", 0, 3},
        {"truee", 0, 5},
        {"NaN", 0, 0},
        {"'a'", 0, 0},
        {"\"a", 0, 2},
        {"\"\\x\"", 0, 2},
        {"\"\\u12\"", 0, 5},
        {"\"\\u12g4\"", 0, 5},
        {"\"\\ud800\"", 0, 7},
        {"\"\\ud800x\"", 0, 7},
        {"\"\\ud800\\n\"", 0, 8},
        {"\"\\udc00\"", 0, 6},
        {"\"\\ud800\\u0041\"", 0, 12},
        {"\"\\u0000\"", 0, 6},
        {"\"\t\"", 0, 1},
        {"\"\n\"", 0, 1},
        {"\"\0\"", 3, 1},
        {"\0", 1, 0},
        {"\"\xff\"", 0, 1},
        {"\"\xc0\x80\"", 0, 1},
        {"\"\xed\xa0\x80\"", 0, 3},
        {"\"\xe2\x82\"", 0, 3},
        {"\"\xf5\x80\x80\x80\"", 0, 1},
        {"[[[[[[[[[1]]]]]]]]]", 0, 8},
        {"/* */1", 0, 0},
        {"\xef\xbb\xbf{}", 0, 0},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++)
        for (unsigned how = 0; how < SPLITS; how++) {
            size_t len = cases[i].len != 0 ? cases[i].len : strlen(cases[i].text);
            int err = read_text(cases[i].text, len, how);
            if (err != OTAPULT_E_SOURCE_ANSWER || why.got != cases[i].at || why.text == NULL)
                fail_msg("case %zu, split %u: %d at %u, %s", i, how, err, why.got, why.text);
        }
}

static void nesting_goes_as_deep_as_it_says(void **state)
{
    static const char eight[] = "[[[[[[[[1]]]]]]]]";

    (void)state;
    assert_int_equal(read_text(eight, sizeof eight - 1, FEED_BYTEWISE), 0);
}

static void what_is_too_long_is_cut_or_matches_nothing(void **state)
{
    static char text[3000];
    char long_key[OTAPULT_SCAN_KEY + 8];

    (void)state;
    memset(long_key, 'k', sizeof long_key);
    long_key[OTAPULT_SCAN_KEY] = '\0';
    snprintf(text, sizeof text, "{\"%s\":1,\"%.*s\":2}", long_key, (int)OTAPULT_SCAN_KEY - 1, long_key);
    assert_int_equal(read_text(text, strlen(text), FEED_BYTEWISE), 0);
    assert_non_null(strstr(told, "/\x01"));
    assert_null(strstr(told, "/\x01k"));
    assert_non_null(strstr(told, "/kkkkkkkkkkkkkkkkkkkkkkk n 2"));

    text[0] = '"';
    for (size_t i = 1; i < 2001; i += 2)
        memcpy(text + i, "\xd0\x9f", 2);
    strcpy(text + 2001, "\"");
    assert_int_equal(read_text(text, strlen(text), FEED_AT_ONCE), 0);
    assert_memory_equal(told, " s+ ", 4);
    assert_int_equal(strlen(told), 4 + 510 + 1); /* whole characters */

    memset(text, '1', 1000);
    assert_int_equal(read_text(text, 1000, FEED_AT_ONCE), OTAPULT_E_SOURCE_ANSWER);
}

static void an_error_of_who_listens_stays(void **state)
{
    (void)state;
    assert_int_equal(read_text("[1,\"stop\",2]", 12, FEED_BYTEWISE), OTAPULT_E_OFFER_WITHDRAWN);
    assert_int_equal(otapult_scan_feed(&scan, (const uint8_t *)"]", 1, &why), OTAPULT_E_OFFER_WITHDRAWN);
    assert_int_equal(otapult_scan_finish(&scan, &why), OTAPULT_E_OFFER_WITHDRAWN);
}

/* ---- questions ---- */

static const char *place;
static unsigned hits;

static int count(void *to, const struct otapult_scan *s)
{
    (void)to;
    hits += otapult_scan_is(s, place);
    return 0;
}

static unsigned hits_of(const char *text, const char *path)
{
    place = path;
    hits = 0;
    otapult_scan_init(&scan, count, NULL);
    assert_int_equal(otapult_scan_feed(&scan, (const uint8_t *)text, strlen(text), &why), 0);
    return hits;
}

static void places_are_found(void **state)
{
    static const char text[] = "{\"a\":{\"b\":1,\"a\":2},\"c\":[{\"b\":3},{\"b\":4}],\"a.b\":5,\"\":6}";

    (void)state;
    assert_int_equal(hits_of(text, "a.b"), 1);
    assert_int_equal(hits_of(text, "c.*.b"), 2);
    assert_int_equal(hits_of(text, "*.*.b"), 2);
    assert_int_equal(hits_of(text, "b"), 0);
    assert_int_equal(hits_of(text, "a"), 2); /* it opens and closes */
    assert_int_equal(hits_of(text, "a."), 0);
    assert_int_equal(hits_of(text, "a.b.c"), 0);
    assert_int_equal(hits_of(text, ""), 2);
}

static void value_is(const char *text)
{
    assert_int_equal(read_text(text, strlen(text), FEED_AT_ONCE), 0);
}

static void values_are_taken_as_what_they_are(void **state)
{
    uint32_t n;
    bool yes;
    char dst[8];
    uint8_t hex[2];

    (void)state;
    value_is("4294967295");
    assert_true(otapult_scan_number(&scan, &n) && n == UINT32_MAX);
    for (size_t i = 0; i < 6; i++) {
        static const char *const none[] = {"4294967296", "-1", "1.0", "1e3", "\"1\"", "99999999999"};
        value_is(none[i]);
        assert_false(otapult_scan_number(&scan, &n));
    }
    value_is("true");
    assert_true(otapult_scan_bool(&scan, &yes) && yes);
    value_is("false");
    assert_true(otapult_scan_bool(&scan, &yes) && !yes);
    value_is("null");
    assert_false(otapult_scan_bool(&scan, &yes));
    value_is("\"true\"");
    assert_false(otapult_scan_bool(&scan, &yes));
    value_is("\"1234567\"");
    assert_true(otapult_scan_text(&scan, dst, sizeof dst));
    assert_string_equal(dst, "1234567");
    value_is("\"12345678\"");
    assert_false(otapult_scan_text(&scan, dst, sizeof dst));
    value_is("\"a\\u001b\\n\"");
    assert_true(otapult_scan_text(&scan, dst, sizeof dst));
    assert_string_equal(dst, "a??");
    value_is("5");
    assert_false(otapult_scan_text(&scan, dst, sizeof dst));
    value_is("\"aB09\"");
    assert_true(otapult_scan_hex(&scan, hex, 2) && hex[0] == 0xAB && hex[1] == 0x09);
    value_is("\"aB0\"");
    assert_false(otapult_scan_hex(&scan, hex, 2));
    value_is("\"aB0g\"");
    assert_false(otapult_scan_hex(&scan, hex, 2));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_are_told_with_their_places),
        cmocka_unit_test(what_is_no_json_is_refused),
        cmocka_unit_test(nesting_goes_as_deep_as_it_says),
        cmocka_unit_test(what_is_too_long_is_cut_or_matches_nothing),
        cmocka_unit_test(an_error_of_who_listens_stays),
        cmocka_unit_test(places_are_found),
        cmocka_unit_test(values_are_taken_as_what_they_are),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
