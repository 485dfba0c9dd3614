/* SPDX-License-Identifier: Apache-2.0 */
#include "only.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>

static char pattern[128];

__attribute__((constructor)) void test_only(void)
{
    const char *name = getenv("TEST");

    if (name == NULL || name[0] == '\0')
        return;
    snprintf(pattern, sizeof pattern, "*%s*", name);
    cmocka_set_test_filter(pattern);
}
