/* SPDX-License-Identifier: Apache-2.0 */
#include "faulty_port.h"

#include <string.h>

#define RUBBISH 0x5A

/* Counts the call; true: it is to fail. */
static bool strikes(struct faulty_port *f, enum faulty_call call)
{
    const struct faulty_plan *plan = &f->plan;
    unsigned n = ++f->calls[call];

    bool hit = plan->at != 0 && plan->call == call && (n == plan->at || (plan->for_good && n > plan->at));
    f->struck += hit;
    if (hit)
        f->struck_slot = OTAPULT_SLOT_NONE;
    return hit;
}

static bool strikes_flash(struct faulty_flash *c, enum faulty_call call)
{
    struct faulty_port *f = c->port;
    bool hit = strikes(f, call);

    if (hit)
        f->struck_slot = c == &f->flash[OTAPULT_SLOTS_MAX] ? OTAPULT_SLOT_FACTORY : (int)(c - f->flash);
    return hit;
}

/* What a failing call leaves where it should have put something. */
static int fail_getter(const struct faulty_port *f, void *out, size_t len)
{
    if (f->plan.how == FAULTY_AFTER)
        memset(out, RUBBISH, len);
    return f->plan.err;
}

/* ---- flash ---- */

static int flip(const struct faulty_plan *plan, int err, void *dst, size_t len)
{
    uint8_t *p = dst;

    if (err == 0 && len > 0)
        p[plan->bit / 8 % len] ^= (uint8_t)(1u << plan->bit % 8);
    return err;
}

static int faulty_read(void *ctx, uint32_t off, void *dst, uint32_t len)
{
    struct faulty_flash *c = ctx;
    const struct otapult_flash *inner = &c->inner;

    if (!strikes_flash(c, FAULTY_READ))
        return inner->read(inner->ctx, off, dst, len);
    switch (c->port->plan.how) {
    case FAULTY_SHORT: return inner->read(inner->ctx, off, dst, len / 2);
    case FAULTY_NOTHING: return 0;
    case FAULTY_FLIP: return flip(&c->port->plan, inner->read(inner->ctx, off, dst, len), dst, len);
    case FAULTY_INSTEAD:
    case FAULTY_AFTER: break;
    }
    return fail_getter(c->port, dst, len);
}

static int faulty_write(void *ctx, uint32_t off, const void *src, uint32_t len)
{
    struct faulty_flash *c = ctx;
    bool struck = strikes_flash(c, FAULTY_WRITE);

    if (struck && c->port->plan.how == FAULTY_INSTEAD)
        return c->port->plan.err;
    int err = c->inner.write(c->inner.ctx, off, src, len);
    return struck ? c->port->plan.err : err;
}

static int faulty_erase(void *ctx, uint32_t off, uint32_t len)
{
    struct faulty_flash *c = ctx;
    bool struck = strikes_flash(c, FAULTY_ERASE);

    if (struck && c->port->plan.how == FAULTY_INSTEAD)
        return c->port->plan.err;
    int err = c->inner.erase(c->inner.ctx, off, len);
    return struck ? c->port->plan.err : err;
}

static int faulty_open(void *ctx, int index, struct otapult_flash *out)
{
    struct faulty_port *f = ctx;

    if (strikes(f, FAULTY_OPEN))
        return fail_getter(f, out, sizeof *out);
    int err = f->inner.open(f->inner.ctx, index, out);
    if (err != 0)
        return err;
    struct faulty_flash *c = &f->flash[index < 0 ? OTAPULT_SLOTS_MAX : index];
    c->port = f;
    c->inner = *out;
    out->ctx = c;
    out->read = faulty_read;
    out->write = faulty_write;
    out->erase = faulty_erase;
    return 0;
}

/* ---- slots ---- */

static int faulty_slots(void *ctx, struct otapult_slots *out)
{
    struct faulty_port *f = ctx;

    return strikes(f, FAULTY_SLOTS) ? fail_getter(f, out, sizeof *out) : f->inner.slots(f->inner.ctx, out);
}

static int faulty_slot(void *ctx, int index, struct otapult_slot *out)
{
    struct faulty_port *f = ctx;

    return strikes(f, FAULTY_SLOT) ? fail_getter(f, out, sizeof *out)
                                   : f->inner.slot(f->inner.ctx, index, out);
}

/* Never after it was done: on an error the old choice still holds, says the port. */
static int faulty_activate(void *ctx, int index)
{
    struct faulty_port *f = ctx;

    return strikes(f, FAULTY_ACTIVATE) ? f->plan.err : f->inner.activate(f->inner.ctx, index);
}

static int decide(struct faulty_port *f, enum faulty_call call, int (*inner)(void *ctx))
{
    bool struck = strikes(f, call);

    if (struck && f->plan.how == FAULTY_INSTEAD)
        return f->plan.err;
    int err = inner(f->inner.ctx);
    return struck ? f->plan.err : err;
}

static int faulty_confirm(void *ctx)
{
    struct faulty_port *f = ctx;

    return decide(f, FAULTY_CONFIRM, f->inner.confirm);
}

static int faulty_reject(void *ctx)
{
    struct faulty_port *f = ctx;

    return decide(f, FAULTY_REJECT, f->inner.reject);
}

/* ---- the rest ---- */

static int faulty_kv_get(void *ctx, const char *key, void *dst, size_t cap, size_t *len)
{
    struct faulty_port *f = ctx;

    if (!strikes(f, FAULTY_KV_GET))
        return f->inner.kv_get(f->inner.ctx, key, dst, cap, len);
    if (f->plan.how == FAULTY_FLIP) {
        int err = f->inner.kv_get(f->inner.ctx, key, dst, cap, len);
        return flip(&f->plan, err, dst, *len < cap ? *len : cap);
    }
    if (f->plan.how == FAULTY_AFTER)
        *len = cap; /* what is believed in spite of the error looks whole */
    return fail_getter(f, dst, cap);
}

static int faulty_kv_set(void *ctx, const char *key, const void *src, size_t len)
{
    struct faulty_port *f = ctx;
    bool struck = strikes(f, FAULTY_KV_SET);

    if (struck && f->plan.how == FAULTY_INSTEAD)
        return f->plan.err;
    int err = f->inner.kv_set(f->inner.ctx, key, src, len);
    return struck ? f->plan.err : err;
}

static int faulty_random(void *ctx, void *dst, size_t len)
{
    struct faulty_port *f = ctx;

    return strikes(f, FAULTY_RANDOM) ? fail_getter(f, dst, len) : f->inner.random(f->inner.ctx, dst, len);
}

static uint32_t now_ms(void *ctx)
{
    struct faulty_port *f = ctx;

    return f->inner.now_ms(f->inner.ctx);
}

static enum otapult_reset reset_reason(void *ctx)
{
    struct faulty_port *f = ctx;

    return f->inner.reset_reason(f->inner.ctx);
}

static void restart(void *ctx)
{
    struct faulty_port *f = ctx;

    f->restarts++;
    f->inner.restart(f->inner.ctx);
}

static void log_line(void *ctx, enum otapult_log_level level, const char *line)
{
    struct faulty_port *f = ctx;

    f->inner.log(f->inner.ctx, level, line);
}

static void lock(void *ctx)
{
    struct faulty_port *f = ctx;

    f->inner.lock(f->inner.ctx);
}

static void unlock(void *ctx)
{
    struct faulty_port *f = ctx;

    f->inner.unlock(f->inner.ctx);
}

void faulty_port_wrap(void *ctx, struct otapult_port *port)
{
    struct faulty_port *f = ctx;

    f->inner = *port;
    *port = (struct otapult_port){
        .ctx = f,
        .slots = faulty_slots,
        .slot = faulty_slot,
        .open = faulty_open,
        .activate = faulty_activate,
        .confirm = faulty_confirm,
        .reject = faulty_reject,
        .kv_get = faulty_kv_get,
        .kv_set = faulty_kv_set,
        .now_ms = now_ms,
        .random = faulty_random,
        .reset_reason = reset_reason,
        .restart = restart,
        .log = log_line,
        .lock = lock,
        .unlock = unlock,
    };
}

void faulty_port_arm(struct faulty_port *f, const struct faulty_plan *plan)
{
    f->plan = plan != NULL ? *plan : (struct faulty_plan){.at = 0};
    if (plan == NULL)
        return;
    memset(f->calls, 0, sizeof f->calls);
    f->struck = f->restarts = 0;
}

const char *faulty_call_name(enum faulty_call call)
{
    static const char *const names[FAULTY_CALLS] = {"slots",   "slot",   "open",   "activate",
                                                    "confirm", "reject", "kv_get", "kv_set",
                                                    "random",  "read",   "write",  "erase"};
    return (unsigned)call < FAULTY_CALLS ? names[call] : "?";
}
