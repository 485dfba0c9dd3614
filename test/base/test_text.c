/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "base/text.h"

static void writes_one_after_the_other(void **state)
{
    (void)state;
    char dst[64];
    struct otapult_text t;
    otapult_text_init(&t, dst, sizeof dst);
    assert_string_equal(dst, "");
    otapult_text_str(&t, "at ");
    otapult_text_hex(&t, 0x1F);
    otapult_text_str(&t, ", ");
    otapult_text_dec(&t, 4294967295u);
    otapult_text_bytes(&t, "!...", 1);
    otapult_text_digest(&t, (const uint8_t[]){0x00, 0x9A, 0xFF}, 3);
    assert_string_equal(dst, "at 0x1f, 4294967295!009aff");
    assert_int_equal(t.len, strlen(dst));
    assert_false(t.full);
}

static void numbers(void **state)
{
    (void)state;
    char dst[16];
    struct otapult_text t;
    otapult_text_init(&t, dst, sizeof dst);
    otapult_text_dec(&t, 0);
    otapult_text_hex(&t, 0);
    otapult_text_hex(&t, 0xFFFFFFFF);
    assert_string_equal(dst, "00x00xffffffff");
}

static void fills_to_the_last_byte(void **state)
{
    (void)state;
    char dst[6] = "*****";
    struct otapult_text t;
    otapult_text_init(&t, dst, 5);
    otapult_text_str(&t, "abcd");
    assert_false(t.full);
    otapult_text_str(&t, "");
    assert_false(t.full);
    otapult_text_str(&t, "e");
    assert_true(t.full);
    assert_string_equal(dst, "abcd");
    assert_int_equal(dst[5], '\0'); /* untouched */
}

static void nothing_follows_a_cut(void **state)
{
    (void)state;
    char dst[8];
    struct otapult_text t;
    otapult_text_init(&t, dst, sizeof dst);
    otapult_text_str(&t, "12345\xD0\xB6\xD0\xB6"); /* the second letter is cut off */
    assert_true(t.full);
    otapult_text_str(&t, "x");
    assert_string_equal(dst, "12345\xD0\xB6");
}

static void no_character_is_cut_in_half(void **state)
{
    (void)state;
    static const char both[] = "ab\xE2\x82\xAC\xF0\x9D\x84\x9E"; /* characters of 1, 1, 3 and 4 bytes */
    for (size_t cap = 1; cap <= sizeof both; cap++) {
        char whole[16], bytewise[16];
        struct otapult_text t, b;
        otapult_text_init(&t, whole, cap);
        otapult_text_str(&t, both);
        otapult_text_init(&b, bytewise, cap);
        for (size_t i = 0; i < strlen(both); i++)
            otapult_text_bytes(&b, both + i, 1);
        size_t want = cap - 1 < 2 ? cap - 1 : cap - 1 < 5 ? 2 : cap - 1 < 9 ? 5 : 9;
        assert_int_equal(t.len, want);
        assert_int_equal(strlen(whole), want);
        assert_memory_equal(whole, both, want);
        assert_string_equal(bytewise, whole);
        assert_int_equal(t.full, want < 9);
    }
}

static void a_capacity_of_one_holds_the_end(void **state)
{
    (void)state;
    char dst[2] = "**";
    struct otapult_text t;
    otapult_text_init(&t, dst, 1);
    otapult_text_str(&t, "a");
    assert_true(t.full);
    assert_int_equal(dst[0], '\0');
    assert_int_equal(dst[1], '*');
}

static const struct {
    const char *src;
    size_t len;
    const char *want;
} cleaned[] = {
    {"v5.3.2", 6, "v5.3.2"},
    {"v5.3.2\0garbage", 14, "v5.3.2"},
    {"", 0, ""},
    {"abc", 2, "ab"},
    {"a\x01\x1F\x7F\nb", 6, "a????b"},
    {"\xD0\xB6\xE2\x82\xAC\xF0\x9D\x84\x9E", 9, "\xD0\xB6\xE2\x82\xAC\xF0\x9D\x84\x9E"},
    {"\xC2\x80\xC2\x9F\xC2\xA0", 6, "????\xC2\xA0"},     /* C1 controls; the no-break space stays */
    {"\xC0\xAF\xC1\xBF", 4, "????"},                     /* '/' in two bytes */
    {"\xE0\x9F\xBF\xF0\x8F\xBF\xBF", 7, "???????"},      /* longer than need be */
    {"\xED\xA0\x80\xED\x9F\xBF", 6, "???\xED\x9F\xBF"},  /* a surrogate; the last before them */
    {"\xF4\x90\x80\x80\xF5\x80\x80\x80", 8, "????????"}, /* above U+10FFFF */
    {"\x80\xBF\xFE\xFF", 4, "????"},
    {"a\xE2\x82", 3, "a??"}, /* cut off by the field's end */
    {"a\xE2\x82z", 4, "a??z"},
    {"<b>&\"", 5, "<b>&\""}, /* whoever writes HTML escapes it */
};

static void untrusted_bytes_become_printable(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cleaned / sizeof *cleaned; i++) {
        char dst[32];
        otapult_text_clean(dst, sizeof dst, (const uint8_t *)cleaned[i].src, cleaned[i].len);
        assert_string_equal(dst, cleaned[i].want);
    }
}

static void an_unterminated_field_is_cut(void **state)
{
    (void)state;
    uint8_t src[32];
    char dst[32];
    memset(src, 'x', sizeof src);
    otapult_text_clean(dst, sizeof dst, src, sizeof src);
    assert_int_equal(strlen(dst), 31);

    memcpy(src + 30, "\xD0\xB6", 2); /* would need the byte of the NUL */
    otapult_text_clean(dst, sizeof dst, src, sizeof src);
    assert_int_equal(strlen(dst), 30);
}

static void hexadecimal_digits_of_both_cases_and_nothing_else(void **state)
{
    static const char digits[] = "0123456789abcdefABCDEF";
    uint8_t read[3];

    (void)state;
    for (int c = 0; c < 256; c++) {
        const char *at = c != 0 ? strchr(digits, c) : NULL;
        const ptrdiff_t place = at != NULL ? at - digits : 16;
        const uint32_t want = (uint32_t)(at != NULL && place >= 16 ? place - 6 : place);
        assert_int_equal(otapult_hex_digit((char)c), want);
    }
    assert_true(otapult_read_hex("00fF9a!", read, 3));
    assert_memory_equal(read, "\x00\xff\x9a", 3);
    assert_false(otapult_read_hex("00fF9", read, 3));
    assert_false(otapult_read_hex("00fFg0", read, 3));
}

static void case_counts_for_nothing_but_letters(void **state)
{
    (void)state;
    assert_true(otapult_text_alike("HostX", 4, "hOST", 4));
    assert_true(otapult_text_alike("", 0, "", 0));
    assert_false(otapult_text_alike("host", 4, "hosts", 5));
    assert_false(otapult_text_alike("[", 1, "{", 1)); /* 32 apart, as letters are */
    assert_false(otapult_text_alike("\xC4", 1, "\xE4", 1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(writes_one_after_the_other),
        cmocka_unit_test(numbers),
        cmocka_unit_test(fills_to_the_last_byte),
        cmocka_unit_test(nothing_follows_a_cut),
        cmocka_unit_test(no_character_is_cut_in_half),
        cmocka_unit_test(a_capacity_of_one_holds_the_end),
        cmocka_unit_test(untrusted_bytes_become_printable),
        cmocka_unit_test(an_unterminated_field_is_cut),
        cmocka_unit_test(hexadecimal_digits_of_both_cases_and_nothing_else),
        cmocka_unit_test(case_counts_for_nothing_but_letters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
