/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "config.h"

/* The command's own files: what is stored for one robot leaves what is stored for another alone. */

#define TEMPLATE "/tmp/otapult-config-XXXXXX"

static char folder[sizeof TEMPLATE];
static char tokens[sizeof folder + 20];

static int make_folder(void **state)
{
    (void)state;
    memcpy(folder, TEMPLATE, sizeof folder);
    if (mkdtemp(folder) == NULL)
        return -1;
    snprintf(tokens, sizeof tokens, "%s/otapult/tokens", folder);
    return setenv("XDG_CONFIG_HOME", folder, 1);
}

static int drop_folder(void **state)
{
    char inner[sizeof folder + 10];

    (void)state;
    snprintf(inner, sizeof inner, "%s/otapult", folder);
    unlink(tokens);
    rmdir(inner);
    return rmdir(folder);
}

static void each_robot_has_its_own_token(void **state)
{
    char token[TOKEN_MAX];

    (void)state;
    assert_true(token_store("a:443", "one"));
    assert_true(token_store("b:443", "two"));
    assert_true(token_store("a:443", "three"));
    assert_int_equal(token_find("a:443", token), TOKEN_FOUND);
    assert_string_equal(token, "three");
    assert_int_equal(token_find("b:443", token), TOKEN_FOUND);
    assert_string_equal(token, "two");
    assert_int_equal(token_find("c:443", token), TOKEN_NONE);
}

/* A file that is not used is not written anew without what is in it. */
static void a_file_of_tokens_that_is_not_read_is_not_replaced(void **state)
{
    char token[TOKEN_MAX];

    (void)state;
    assert_true(token_store("a:443", "one"));
    assert_int_equal(chmod(tokens, 0644), 0);
    assert_int_equal(token_find("a:443", token), TOKEN_READABLE_BY_OTHERS);
    assert_false(token_store("b:443", "two"));
    assert_int_equal(errno, EACCES);
    assert_int_equal(chmod(tokens, 0600), 0);
    assert_int_equal(token_find("a:443", token), TOKEN_FOUND);
    assert_string_equal(token, "one");
    assert_int_equal(token_find("b:443", token), TOKEN_NONE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(each_robot_has_its_own_token, make_folder, drop_folder),
        cmocka_unit_test_setup_teardown(a_file_of_tokens_that_is_not_read_is_not_replaced, make_folder,
                                        drop_folder),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
