/* SPDX-License-Identifier: Apache-2.0 */
#include "skeleton_port.h"

#include <stddef.h>

/* What each function promises stands in otapult/port.h. Each returns an error here, and never 0: a port that
 * is half done must fail its test and must not seem to work. */

/* ---- flash of one slot ---- */

static int flash_read(void *ctx, uint32_t off, void *dst, uint32_t len)
{
    (void)ctx, (void)off, (void)dst, (void)len;
    return OTAPULT_E_NOT_IMPLEMENTED;
}

static int flash_write(void *ctx, uint32_t off, const void *src, uint32_t len)
{
    (void)ctx, (void)off, (void)src, (void)len;
    return OTAPULT_E_NOT_IMPLEMENTED;
}

static int flash_erase(void *ctx, uint32_t off, uint32_t len)
{
    (void)ctx, (void)off, (void)len;
    return OTAPULT_E_NOT_IMPLEMENTED;
}

/* ---- slots ---- */

static int slots(void *ctx, struct otapult_slots *out)
{
    (void)ctx, (void)out;
    return OTAPULT_E_NOT_IMPLEMENTED;
}

static int slot(void *ctx, int index, struct otapult_slot *out)
{
    (void)ctx, (void)index, (void)out;
    return OTAPULT_E_NOT_IMPLEMENTED;
}

/* The running slot is opened for reading only: its write and erase return OTAPULT_E_SLOT_OPEN. */
static int open(void *ctx, int index, struct otapult_flash *out)
{
    (void)index;
    *out = (struct otapult_flash){.ctx = ctx, .read = flash_read, .write = flash_write, .erase = flash_erase};
    return OTAPULT_E_NOT_IMPLEMENTED;
}

static int activate(void *ctx, int index)
{
    (void)ctx, (void)index;
    return OTAPULT_E_NOT_IMPLEMENTED;
}

static int confirm(void *ctx)
{
    (void)ctx;
    return OTAPULT_E_NOT_IMPLEMENTED;
}

static int reject(void *ctx)
{
    (void)ctx;
    return OTAPULT_E_NOT_IMPLEMENTED;
}

/* ---- key-value store ---- */

static int kv_get(void *ctx, const char *key, void *dst, size_t cap, size_t *len)
{
    (void)ctx, (void)key, (void)dst, (void)cap, (void)len;
    return OTAPULT_E_NOT_IMPLEMENTED;
}

static int kv_set(void *ctx, const char *key, const void *src, size_t len)
{
    (void)ctx, (void)key, (void)src, (void)len;
    return OTAPULT_E_NOT_IMPLEMENTED;
}

/* ---- the rest of the world ---- */

static int random_bytes(void *ctx, void *dst, size_t len)
{
    (void)ctx, (void)dst, (void)len;
    return OTAPULT_E_NOT_IMPLEMENTED;
}

const struct otapult_port skeleton_port = {
    .slots = slots,
    .slot = slot,
    .open = open,
    .activate = activate,
    .confirm = confirm,
    .reject = reject,
    .kv_get = kv_get,
    .kv_set = kv_set,
    .random = random_bytes,
    /* These return no error, so there is nothing they could say. log() gets a level: enum otapult_log_level.
     */
    .now_ms = NULL,
    .reset_reason = NULL,
    .restart = NULL,
    .log = NULL,
    .lock = NULL,
    .unlock = NULL,
};
