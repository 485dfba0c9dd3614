/* SPDX-License-Identifier: Apache-2.0 */
#include "ram_port.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static struct ram_port *unlocked(void *ctx)
{
    struct ram_port *p = ctx;

    assert_int_equal(p->locked, 0);
    return p;
}

static unsigned place_of(const struct ram_port *p, const char *key)
{
    unsigned n = 0;

    while (n < RAM_PORT_KEYS && strcmp(p->kv[n].key, key) != 0)
        n++;
    return n;
}

static int kv_get(void *ctx, const char *key, void *dst, size_t cap, size_t *len)
{
    struct ram_port *p = unlocked(ctx);
    unsigned n = place_of(p, key);

    *len = n == RAM_PORT_KEYS ? 0 : p->kv[n].len;
    if (p->get_error == 0 && *len > 0)
        memcpy(dst, p->kv[n].value, *len < cap ? *len : cap);
    return p->get_error;
}

static int kv_set(void *ctx, const char *key, const void *src, size_t len)
{
    struct ram_port *p = unlocked(ctx);

    assert_in_range(strlen(key), 1, 15);
    assert_true(len <= sizeof p->kv[0].value);
    if (p->before_set != NULL)
        p->before_set(p->before_ctx, key);
    unsigned n = place_of(p, key);
    if (p->set_error != 0)
        return p->set_error;
    if (n == RAM_PORT_KEYS && len == 0)
        return 0;
    if (n == RAM_PORT_KEYS)
        n = place_of(p, "");
    assert_true(n < RAM_PORT_KEYS);
    p->writes += p->kv[n].len != len || (len > 0 && memcmp(p->kv[n].value, src, len) != 0);
    memset(&p->kv[n], 0, sizeof p->kv[n]);
    if (len == 0)
        return 0;
    snprintf(p->kv[n].key, sizeof p->kv[n].key, "%s", key);
    memcpy(p->kv[n].value, src, len);
    p->kv[n].len = len;
    return 0;
}

static uint32_t now_ms(void *ctx)
{
    return unlocked(ctx)->clock;
}

static int random_bytes(void *ctx, void *dst, size_t len)
{
    struct ram_port *p = unlocked(ctx);
    uint8_t *to = dst;

    while (len-- > 0) {
        p->random = p->random * 1664525u + 1013904223u;
        *to++ = (uint8_t)(p->random >> 24);
    }
    return p->random_error;
}

static void log_line(void *ctx, enum otapult_log_level level, const char *line)
{
    struct ram_port *p = unlocked(ctx);

    p->log_level = level;
    snprintf(p->log, sizeof p->log, "%s", line);
}

static enum otapult_reset reset_reason(void *ctx)
{
    return unlocked(ctx)->reset;
}

static void lock(void *ctx)
{
    struct ram_port *p = ctx;

    assert_int_equal(p->locked++, 0);
}

static void unlock(void *ctx)
{
    struct ram_port *p = ctx;

    assert_int_equal(p->locked--, 1);
}

void ram_port_begin(struct ram_port *p)
{
    *p = (struct ram_port){.random = 1, .reset = OTAPULT_RESET_SOFTWARE};
    p->port = (struct otapult_port){
        .ctx = p,
        .kv_get = kv_get,
        .kv_set = kv_set,
        .now_ms = now_ms,
        .random = random_bytes,
        .reset_reason = reset_reason,
        .log = log_line,
        .lock = lock,
        .unlock = unlock,
    };
}

const uint8_t *ram_port_value(const struct ram_port *p, const char *key, size_t *len)
{
    unsigned n = place_of(p, key);

    *len = n == RAM_PORT_KEYS ? 0 : p->kv[n].len;
    return *len == 0 ? NULL : p->kv[n].value;
}

bool ram_port_holds(const struct ram_port *p, const void *bytes, size_t len)
{
    return memmem(p->kv, sizeof p->kv, bytes, len) != NULL;
}
