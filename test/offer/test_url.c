/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "offer/url.h"

#define COUNT(a) (sizeof(a) / sizeof(a)[0])

static void only_addresses_of_the_web_are_fetched(void **state)
{
    static const char *const good[] = {"https://example.org/a.json", "https://EXAMPLE.org:8443/",
                                       "https://[::1]:8443/x", "https://127.0.0.1",
                                       "HTTPS://example.org/%20?a=b"};
    static const char *const bad[] = {"",
                                      "file:///etc/passwd",
                                      "ftp://example.org/",
                                      "//example.org/",
                                      "/otapult.json",
                                      "https:/example.org",
                                      "https://",
                                      "https:///path",
                                      "https://:443/",
                                      "https://user@example.org/",
                                      "https://user:word@example.org/",
                                      "https://example.org:port/",
                                      "https://example.org:/",
                                      "https://example.org:123456/",
                                      "https://example.org/a b",
                                      "https://example.org/a\r\nHost: x",
                                      "https://example.org/\x7f",
                                      "https://example.org/\xc3\xa9",
                                      "https://example.org/#part",
                                      "https://example.org\\@evil/",
                                      "javascript:alert(1)",
                                      "http://example.org/"};
    char longest[OTAPULT_OFFER_URL + 1];

    (void)state;
    for (size_t i = 0; i < COUNT(good); i++)
        assert_null(otapult_url_fault(good[i], false));
    for (size_t i = 0; i < COUNT(bad); i++)
        if (otapult_url_fault(bad[i], false) == NULL)
            fail_msg("%s", bad[i]);
    assert_null(otapult_url_fault("http://example.org/", true));
    memset(longest, 'a', sizeof longest);
    memcpy(longest, "https://a/", 10);
    longest[OTAPULT_OFFER_URL - 1] = '\0';
    assert_null(otapult_url_fault(longest, false));
    longest[OTAPULT_OFFER_URL - 1] = 'a';
    longest[OTAPULT_OFFER_URL] = '\0';
    assert_non_null(otapult_url_fault(longest, false));
}

static void names_stand_beside_the_manifest(void **state)
{
    static const struct {
        const char *base, *ref, *want;
    } cases[] = {
        {"https://a.org/x/otapult.json", "f.bin", "https://a.org/x/f.bin"},
        {"https://a.org/otapult.json", "f.bin", "https://a.org/f.bin"},
        {"https://a.org", "f.bin", "https://a.org/f.bin"},
        {"https://a.org/x/y?q=/z/", "f.bin", "https://a.org/x/f.bin"},
        {"https://a.org/x/", "f.bin", "https://a.org/x/f.bin"},
        {"https://a.org:8/x/y", "/f.bin", "https://a.org:8/f.bin"},
        {"https://a.org/x/y", "//b.org/f", "https://b.org/f"},
        {"https://a.org/x/y", "http://b.org/f", "http://b.org/f"},
        {"https://a.org/x/y", "file:///etc/passwd", "file:///etc/passwd"}, /* refused as an address */
    };
    char dst[OTAPULT_OFFER_URL], longer[300];

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        assert_true(otapult_url_resolve(cases[i].base, cases[i].ref, dst));
        assert_string_equal(dst, cases[i].want);
    }
    memset(longer, 'n', sizeof longer);
    longer[sizeof longer - 1] = '\0';
    assert_false(otapult_url_resolve("https://a.org/", longer, dst));
}

static void an_origin_is_scheme_host_and_port(void **state)
{
    static const char *const hosts[] = {"cdn.example.org", "[::1]", NULL};

    (void)state;
    assert_true(otapult_url_same_origin("https://a.org/x", "HTTPS://A.org/y"));
    assert_false(otapult_url_same_origin("https://a.org/x", "http://a.org/x"));
    assert_false(otapult_url_same_origin("https://a.org/", "https://a.org:444/"));
    assert_false(otapult_url_same_origin("https://a.org/", "https://a.org.evil/"));
    assert_false(otapult_url_same_origin("https://a.org/", "https://evil/?https://a.org/"));
    assert_true(otapult_url_host_in("https://CDN.example.org:8443/x", hosts));
    assert_true(otapult_url_host_in("https://[::1]:8443/x", hosts));
    assert_false(otapult_url_host_in("https://cdn.example.org.evil/x", hosts));
    assert_false(otapult_url_host_in("https://evil/cdn.example.org", hosts));
    assert_false(otapult_url_host_in("https://a.org/", NULL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_addresses_of_the_web_are_fetched),
        cmocka_unit_test(names_stand_beside_the_manifest),
        cmocka_unit_test(an_origin_is_scheme_host_and_port),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
