/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "otapult/json.h"

#define COUNT(a) (sizeof(a) / sizeof(a)[0])

/* Everything the writer can do, in one text. */
static void write_all(struct otapult_json *j)
{
    static const uint8_t bytes[] = {0x00, 0x9F, 0xFF};

    otapult_json_open(j, NULL, '{');
    otapult_json_str(j, "s", "plain");
    otapult_json_str(j, "none", NULL);
    otapult_json_num(j, "n", UINT32_MAX);
    otapult_json_int(j, "least", INT32_MIN);
    otapult_json_int(j, "most", INT32_MAX);
    otapult_json_number(j, "real", "-0.125");
    otapult_json_bool(j, "yes", true);
    otapult_json_bool(j, "no", false);
    otapult_json_null(j, "null");
    otapult_json_hex(j, "hex", bytes, sizeof bytes);
    otapult_json_hex(j, "nothing", bytes, 0);
    otapult_json_open(j, "list", '[');
    otapult_json_open(j, NULL, '[');
    otapult_json_close(j, ']');
    otapult_json_open(j, NULL, '{');
    otapult_json_num(j, "a", 0);
    otapult_json_close(j, '}');
    otapult_json_num(j, NULL, 1);
    otapult_json_str(j, NULL, "two");
    otapult_json_close(j, ']');
    otapult_json_str(j, "last", "");
    otapult_json_close(j, '}');
}

static const char all[] =
    "{\"s\":\"plain\",\"none\":null,\"n\":4294967295,\"least\":-2147483648,"
    "\"most\":2147483647,\"real\":-0.125,\"yes\":true,\"no\":false,\"null\":null,\"hex\":\"009fff\","
    "\"nothing\":\"\",\"list\":[[],{\"a\":0},1,\"two\"],\"last\":\"\"}";

static void writes_everything(void **state)
{
    char text[512];
    struct otapult_json j;

    (void)state;
    otapult_json_init(&j, text, sizeof text);
    write_all(&j);
    assert_false(j.full);
    assert_string_equal(text, all);
}

/* ---- strings ---- */

static void assert_written(const char *value, const char *json)
{
    char text[256];
    struct otapult_json j;

    otapult_json_init(&j, text, sizeof text);
    otapult_json_str(&j, NULL, value);
    assert_string_equal(text, json);
}

static void escapes_for_json_and_html(void **state)
{
    (void)state;
    assert_written("a\"b\\c/d", "\"a\\\"b\\\\c/d\"");
    assert_written("</script><b>&amp;", "\"\\u003c/script\\u003e\\u003cb\\u003e\\u0026amp;\"");
    assert_written("\x01\n\r\t\x1F\x7F", "\"\\u0001\\u000a\\u000d\\u0009\\u001f\\u007f\"");
    assert_written("\xE2\x80\xA7|\xE2\x80\xA8|\xE2\x80\xA9|\xE2\x80\xAA",
                   "\"\xE2\x80\xA7|\\u2028|\\u2029|\xE2\x80\xAA\"");
    assert_written("прошивка 🔄", "\"прошивка 🔄\"");
}

static void keys_are_escaped_too(void **state)
{
    char text[64];
    struct otapult_json j;

    (void)state;
    otapult_json_init(&j, text, sizeof text);
    otapult_json_open(&j, NULL, '{');
    otapult_json_bool(&j, "a\"b", true);
    otapult_json_close(&j, '}');
    assert_string_equal(text, "{\"a\\\"b\":true}");
}

static void what_is_not_utf8_becomes_a_question_mark(void **state)
{
    static const char *const broken[] = {
        "\x80",         "\xBF",         "\xC0\xAF",         "\xC1\x81",         "\xC3",
        "\xE2\x82",     "\xE0\x80\xAF", "\xE0\x9F\xBF",     "\xED\xA0\x80",     "\xF0\x9F",
        "\xF0\x9F\x94", "\xFE",         "\xF0\x8F\xBF\xBF", "\xF4\x90\x80\x80", "\xF5\x80",
        "\xFF\xFF",
    };

    (void)state;
    for (size_t i = 0; i < COUNT(broken); i++) {
        char in[16], want[32];
        snprintf(in, sizeof in, "(%s)", broken[i]);
        snprintf(want, sizeof want, "\"(%.*s)\"", (int)strlen(broken[i]), "????");
        assert_written(in, want);
    }
    assert_written("\xF4\x8F\xBF\xBF \xEF\xBF\xBD", "\"\xF4\x8F\xBF\xBF \xEF\xBF\xBD\"");
}

/* ---- room ---- */

static void says_when_the_buffer_is_too_small(void **state)
{
    (void)state;
    for (size_t cap = 1; cap <= sizeof all; cap++) {
        char *text = malloc(cap); /* of exactly this size: the sanitizer guards its end */
        struct otapult_json j;

        assert_non_null(text);
        otapult_json_init(&j, text, cap);
        write_all(&j);
        assert_int_equal(j.full, cap < sizeof all);
        assert_true(strlen(text) < cap);
        free(text);
    }
}

struct collected {
    char text[1024];
    size_t len, calls;
};

static void collect(void *ctx, const void *data, size_t len)
{
    struct collected *c = ctx;

    assert_true(len > 0 && len < sizeof c->text - c->len);
    memcpy(c->text + c->len, data, len);
    c->len += len;
    c->text[c->len] = '\0';
    c->calls++;
}

static void a_stream_writes_the_same_through_any_buffer(void **state)
{
    (void)state;
    for (size_t cap = OTAPULT_JSON_STREAM_MIN; cap <= sizeof all; cap++) {
        static struct collected c;
        char *buf = malloc(cap);
        struct otapult_json j;

        memset(&c, 0, sizeof c);
        assert_non_null(buf);
        otapult_json_stream(&j, buf, cap, collect, &c);
        write_all(&j);
        otapult_json_flush(&j);
        assert_false(j.full);
        assert_string_equal(c.text, all);
        assert_int_equal(c.calls > 1, cap < sizeof all);
        otapult_json_flush(&j);
        assert_int_equal(c.len, sizeof all - 1);
        free(buf);
    }
}

static void too_deep_is_never_written(void **state)
{
    char text[64];
    struct otapult_json j;

    (void)state;
    otapult_json_init(&j, text, sizeof text);
    for (int i = 0; i < 8; i++)
        otapult_json_open(&j, NULL, '[');
    assert_false(j.full);
    otapult_json_open(&j, NULL, '[');
    assert_true(j.full);
    assert_string_equal(text, "[[[[[[[[");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(writes_everything),
        cmocka_unit_test(escapes_for_json_and_html),
        cmocka_unit_test(keys_are_escaped_too),
        cmocka_unit_test(what_is_not_utf8_becomes_a_question_mark),
        cmocka_unit_test(says_when_the_buffer_is_too_small),
        cmocka_unit_test(a_stream_writes_the_same_through_any_buffer),
        cmocka_unit_test(too_deep_is_never_written),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
