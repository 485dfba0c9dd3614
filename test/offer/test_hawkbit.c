/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "offer/source.h"

/* What of a configuration is wrong; hawkbit.test.mjs plays the rest over a real wire. */

#define COUNT(a) (sizeof(a) / sizeof(a)[0])
#define LONG     "123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890"

static const char *fault(const struct otapult_hawkbit *c, const char *id, bool plain, bool secure)
{
    const struct otapult_pull pull = {.source_config = c, .id = id, .plain_http = plain};

    return otapult_hawkbit.fault(&pull, secure, 0);
}

static void a_configuration_that_is_good(void **state)
{
    static const struct otapult_hawkbit good[] = {
        {.url = "https://h", .token = "x"},
        {.url = "https://h:8443/", .token = "x", .tenant = "A-b.1_c"},
        {.url = "https://h/behind/a/proxy", .token = "!~", .gateway = true},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(good); i++)
        assert_null(fault(&good[i], "7c:df:a1:00:00:01", false, false));
}

static void a_configuration_that_is_not(void **state)
{
    static const struct {
        struct otapult_hawkbit config;
        const char *id, *words;
    } cases[] = {
        {{.token = "x"}, "r", "without its address"},
        {{.url = "", .token = "x"}, "r", "without its address"},
        {{.url = "http://h", .token = "x"}, "r", "none"},
        {{.url = "ftp://h", .token = "x"}, "r", "none"},
        {{.url = "https://h/?a=b", .token = "x"}, "r", "none"},
        {{.url = "https://u@h", .token = "x"}, "r", "none"},
        {{.url = "https://h"}, "r", "token"},
        {{.url = "https://h", .token = ""}, "r", "token"},
        {{.url = "https://h", .token = "a b"}, "r", "token"},
        {{.url = "https://h", .token = "a\r\nX: y"}, "r", "token"},
        {{.url = "https://h", .token = LONG LONG}, "r", "token"},
        {{.url = "https://h", .token = "x", .tenant = ""}, "r", "tenant or an id"},
        {{.url = "https://h", .token = "x", .tenant = "a/b"}, "r", "tenant or an id"},
        {{.url = "https://h", .token = "x"}, "a b", "tenant or an id"},
        {{.url = "https://h", .token = "x"}, "..", "tenant or an id"},
        {{.url = "https://h", .token = "x"}, "..%2f", "tenant or an id"},
        {{.url = "https://h/" LONG LONG, .token = "x"}, "r", "too long"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        const char *found = fault(&cases[i].config, cases[i].id, false, false);
        assert_non_null(found);
        assert_non_null(strstr(found, cases[i].words));
    }
    assert_non_null(fault(NULL, "r", false, false));
}

/* Without TLS anybody on the way can send any firmware: what is not signed must not come so. */
static void plain_http_wants_signatures_unless_nobody_is_on_the_way(void **state)
{
    static const char *const here[] = {"http://127.0.0.1:8080", "http://localhost", "http://[::1]:1"};
    struct otapult_hawkbit c = {.url = "http://h", .token = "x"};

    (void)state;
    assert_non_null(fault(&c, "r", true, false));
    assert_null(fault(&c, "r", true, true));
    for (size_t i = 0; i < COUNT(here); i++) {
        c.url = here[i];
        assert_null(fault(&c, "r", true, false));
        assert_non_null(fault(&c, "r", false, false));
    }
    c.url = "http://127.0.0.1.example.org";
    assert_non_null(fault(&c, "r", true, false));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_configuration_that_is_good),
        cmocka_unit_test(a_configuration_that_is_not),
        cmocka_unit_test(plain_http_wants_signatures_unless_nobody_is_on_the_way),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
