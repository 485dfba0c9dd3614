/* SPDX-License-Identifier: Apache-2.0 */
#include "ram_flash.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static int violate(struct ram_flash *f, const char *what)
{
    if (f->violation == NULL)
        f->violation = what;
    return OTAPULT_E_INTERNAL;
}

static bool is_inside(const struct ram_flash *f, uint32_t off, uint32_t len)
{
    return off <= f->flash.size && len <= f->flash.size - off;
}

/* Logs the call; its number. */
static uint32_t enter(struct ram_flash *f, enum ram_op op, uint32_t off, uint32_t len, const void *data)
{
    if (f->calls < RAM_FLASH_LOG)
        f->log[f->calls] = (struct ram_call){op, off, len, data};
    return ++f->calls;
}

static bool fails(const struct ram_flash *f, uint32_t call)
{
    return f->fail_at != 0 && (call == f->fail_at || (f->for_good && call > f->fail_at));
}

static void spoil(const struct ram_flash *f, uint32_t call, uint8_t *p, uint32_t len)
{
    if (f->spoil_at == call && f->spoil_byte < len)
        p[f->spoil_byte] ^= f->spoil_mask;
}

static uint32_t smaller(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

static int ram_read(void *ctx, uint32_t off, void *dst, uint32_t len)
{
    struct ram_flash *f = ctx;
    uint32_t call = enter(f, RAM_READ, off, len, dst);
    if (!is_inside(f, off, len))
        return violate(f, "read outside the flash");
    if (fails(f, call))
        return f->fail_with;
    memcpy(dst, f->data + off, len);
    spoil(f, call, dst, len);
    return 0;
}

static const char *write_fault(const struct ram_flash *f, uint32_t off, uint32_t len)
{
    if (!is_inside(f, off, len))
        return "write outside the flash";
    if (len == 0 || off % 16 != 0 || len % 16 != 0)
        return "write is not of whole units of 16 bytes";
    if (off / f->flash.sector != (off + len - 1) / f->flash.sector)
        return "write reaches over a sector's end";
    for (uint32_t i = 0; i < len; i++) {
        if (f->data[off + i] != 0xFF)
            return "write over bytes that are not erased";
    }
    return NULL;
}

static int ram_write(void *ctx, uint32_t off, const void *src, uint32_t len)
{
    struct ram_flash *f = ctx;
    uint32_t call = enter(f, RAM_WRITE, off, len, src);
    const char *fault = write_fault(f, off, len);
    if (fault != NULL)
        return violate(f, fault);
    bool failing = fails(f, call);
    memcpy(f->data + off, src, failing ? smaller(f->done, len) : len);
    spoil(f, call, f->data + off, len);
    return failing ? f->fail_with : 0;
}

static int ram_erase(void *ctx, uint32_t off, uint32_t len)
{
    struct ram_flash *f = ctx;
    uint32_t call = enter(f, RAM_ERASE, off, len, NULL);
    if (!is_inside(f, off, len))
        return violate(f, "erase outside the flash");
    if ((len != f->flash.sector && len != f->flash.block) || off % len != 0)
        return violate(f, "erase is not of one sector or block at its own alignment");
    bool failing = fails(f, call);
    memset(f->data + off, 0xFF, failing ? smaller(f->done, len) : len);
    return failing ? f->fail_with : 0;
}

void ram_flash_begin(struct ram_flash *f, uint32_t size, uint32_t sector, uint32_t block, uint8_t fill)
{
    memset(f, 0, sizeof *f);
    f->flash = (struct otapult_flash){f, ram_read, ram_write, ram_erase, size, sector, block};
    f->data = malloc(size);
    assert_non_null(f->data);
    memset(f->data, fill, size);
}

void ram_flash_reset(struct ram_flash *f)
{
    f->calls = 0;
    f->violation = NULL;
    f->fail_at = 0;
    f->spoil_at = 0;
}

void ram_flash_fail(struct ram_flash *f, uint32_t at, bool for_good, int err, uint32_t done)
{
    f->fail_at = at;
    f->for_good = for_good;
    f->fail_with = err;
    f->done = done;
}

void ram_flash_spoil(struct ram_flash *f, uint32_t at, uint32_t byte, uint8_t mask)
{
    f->spoil_at = at;
    f->spoil_byte = byte;
    f->spoil_mask = mask;
}

unsigned ram_flash_count(const struct ram_flash *f, enum ram_op op)
{
    unsigned n = 0;
    assert_true(f->calls <= RAM_FLASH_LOG);
    for (uint32_t i = 0; i < f->calls; i++)
        n += f->log[i].op == op;
    return n;
}

void ram_flash_text(const struct ram_flash *f, char *dst, size_t cap)
{
    size_t len = 0;
    dst[0] = '\0';
    assert_true(f->calls <= RAM_FLASH_LOG);
    for (uint32_t i = 0; i < f->calls; i++) {
        const struct ram_call *c = &f->log[i];
        if (c->op == RAM_READ)
            continue;
        int n = snprintf(dst + len, cap - len, "%s%c%" PRIu32 "+%" PRIu32, len > 0 ? " " : "",
                         c->op == RAM_WRITE ? 'W' : 'E', c->off, c->len);
        assert_true(n > 0 && (size_t)n < cap - len);
        len += (size_t)n;
    }
}

void ram_flash_end(struct ram_flash *f)
{
    free(f->data);
    f->data = NULL;
    if (f->violation != NULL)
        fail_msg("flash: %s", f->violation);
}
