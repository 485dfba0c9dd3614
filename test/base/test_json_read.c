/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "otapult/json.h"

#define COUNT(a) (sizeof(a) / sizeof(a)[0])

static char value[32];

/* From memory that ends where the text does, so that AddressSanitizer sees a read beyond it. */
static bool read_bytes(const char *text, size_t len)
{
    char *copy = malloc(len > 0 ? len : 1);

    assert_non_null(copy);
    memcpy(copy, text, len);
    memset(value, '?', sizeof value);
    bool good = otapult_json_member(copy, len, "key", value, sizeof value);
    free(copy);
    if (!good)
        assert_string_equal(value, "");
    return good;
}

static void takes_a_flat_object_of_strings(void **state)
{
    static const struct {
        const char *text, *value;
    } cases[] = {
        {"{\"key\":\"value\"}", "value"},
        {" {\t\"key\" :\r\n\"value\" } ", "value"},
        {"{\"a\":\"1\",\"key\":\"value\",\"b\":\"\"}", "value"},
        {"{\"key\":\"\"}", ""},
        {"{\"key2\":\"x\",\"ke\":\"y\",\"key\":\"z\"}", "z"},
        {"{\"k\\u0065y\":\"value\"}", "value"},
        {"{\"key\":\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"}", "\"\\/\b\f\n\r\t"},
        {"{\"key\":\"\\u0041\\u00e9\\u20AC\\ud83e\\udd16\"}", "A\xc3\xa9\xe2\x82\xac\xf0\x9f\xa4\x96"},
        {"{\"key\":\"Пароль\"}", "Пароль"},
        {"{\"key\":\"{}[],:\"}", "{}[],:"},
        {"{\"a\":\"longer than any buffer in here could ever hold, and skipped\",\"key\":\"v\"}", "v"},
        {"{\"key\":\"1234567890123456789012345678901\"}", "1234567890123456789012345678901"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        if (!read_bytes(cases[i].text, strlen(cases[i].text)))
            fail_msg("%s", cases[i].text);
        assert_string_equal(value, cases[i].value);
    }
}

static void refuses_everything_else(void **state)
{
    static const char *const cases[] = {
        "",
        " ",
        "{",
        "}",
        "{}",
        "[]",
        "null",
        "\"key\"",
        "key=value",
        "{\"key\"}",
        "{\"key\":}",
        "{\"key\":\"value\"",
        "{\"key\":\"value",
        "{\"key\":\"value\"}}",
        "{\"key\":\"value\"} x",
        "{\"key\":\"value\",}",
        "{,\"key\":\"value\"}",
        "{\"key\":\"a\",\"key\":\"b\"}",
        "{\"key\":\"a\",\"k\\u0065y\":\"b\"}",
        "{\"key\":1}",
        "{\"key\":null}",
        "{\"key\":true}",
        "{\"key\":[\"value\"]}",
        "{\"key\":{\"key\":\"value\"}}",
        "{\"a\":1,\"key\":\"value\"}",
        "{\"a\":\"b\"}",
        "{key:\"value\"}",
        "{'key':'value'}",
        "{\"key\":\"a\nb\"}",
        "{\"key\":\"a\tb\"}",
        "{\"key\":\"\\x41\"}",
        "{\"key\":\"\\u004\"}",
        "{\"key\":\"\\u00g1\"}",
        "{\"key\":\"\\u\"}",
        "{\"key\":\"\\",
        "{\"key\":\"\\u00",
        "{\"key\":\"\\u0000\"}",
        "{\"key\":\"a\\u0000b\"}",
        "{\"key\":\"\\ud800\"}",
        "{\"key\":\"\\udc00\"}",
        "{\"key\":\"\\ud800\\u0041\"}",
        "{\"key\":\"\\ud800x\"}",
        "{\"key\":\"\xff\"}",
        "{\"key\":\"\xc3\"}",
        "{\"key\":\"\xed\xa0\x80\"}",
        "{\"key\":\"\xc0\x80\"}",
        "\xef\xbb\xbf{\"key\":\"value\"}",
        "{\"key\":\"12345678901234567890123456789012\"}",
        "{\"key\" \"value\"}",
        "{\"key\":\"value\" \"a\":\"b\"}",
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        if (read_bytes(cases[i], strlen(cases[i])))
            fail_msg("%s gave %s", cases[i], value);
    }
    assert_false(read_bytes("{\"key\":\"a\0b\"}", 13));
    assert_false(read_bytes("{\"key\":\"a\"}\0", 12));
    assert_false(read_bytes("{\"key\":\"\\\0\"}", 12));
    assert_false(read_bytes("{\"key\":\"\\u\0\0\0\0\"}", 16));
}

static void no_cut_off_object_is_one(void **state)
{
    static const char text[] = "{\"a\":\"\\u00e9\\ud83e\\udd16\\n\",\"key\":\"\xc3\xa9\\\"\"}";

    (void)state;
    for (size_t len = 0; len < sizeof text - 1; len++)
        assert_false(read_bytes(text, len));
    assert_true(read_bytes(text, sizeof text - 1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(takes_a_flat_object_of_strings),
        cmocka_unit_test(refuses_everything_else),
        cmocka_unit_test(no_cut_off_object_is_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
