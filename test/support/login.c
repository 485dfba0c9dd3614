/* SPDX-License-Identifier: Apache-2.0 */
#include "login.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "sealed.h"
#include "trust/password.h"

void login_store(const struct otapult_port *port, const char *text)
{
    struct otapult_password p = {.cost = 1, .salt = "0123456789abcde"};

    assert_int_equal(otapult_pbkdf2((const uint8_t *)text, strlen(text), p.salt, sizeof p.salt, 1, p.hash),
                     0);
    assert_int_equal(port->kv_set(port->ctx, "usr.pw1", &p, sizeof p), 0);
    sealed(port);
}

const char *login_basic(const char *pair)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    static char value[512];
    size_t len = strlen(pair), n = (size_t)snprintf(value, sizeof value, "Basic ");

    assert_true(len < 300);
    for (size_t i = 0; i < len; i += 3) {
        uint32_t v = (uint32_t)(uint8_t)pair[i] << 16;
        v |= i + 1 < len ? (uint32_t)(uint8_t)pair[i + 1] << 8 : 0;
        v |= i + 2 < len ? (uint8_t)pair[i + 2] : 0;
        for (unsigned k = 0; k < 4; k++)
            value[n++] = k <= len - i ? digits[v >> (18 - 6 * k) & 63] : '=';
    }
    value[n] = '\0';
    return value;
}

struct otapult_who login_owner(const struct otapult_users *u)
{
    return (struct otapult_who){.kind = OTAPULT_BY_PASSWORD, .serial = u->password_serial};
}
