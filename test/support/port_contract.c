/* SPDX-License-Identifier: Apache-2.0 */
#include "port_contract.h"

#include <string.h>

#define SECTOR   4096u
#define VALUE    256u
#define SENTINEL 0xA5

static uint8_t buffer[SECTOR + 64], second[SECTOR + 64];

#define PROMISE(condition)                      \
    do {                                        \
        if (!(condition))                       \
            c->broken(c, #condition, __LINE__); \
    } while (0)

#define CALL(function, ...) \
    implemented(c, #function " is not implemented", __LINE__, c->port->function(c->port->ctx, __VA_ARGS__))
#define CALL0(function) \
    implemented(c, #function " is not implemented", __LINE__, c->port->function(c->port->ctx))

static int implemented(struct port_contract *c, const char *promise, int line, int err)
{
    if (err == OTAPULT_E_NOT_IMPLEMENTED)
        c->broken(c, promise, line);
    return err;
}

static bool is_error(int err)
{
    return err > OTAPULT_OK && err < OTAPULT_ERROR_COUNT;
}

static bool all_are(const uint8_t *p, size_t n, uint8_t value)
{
    while (n > 0 && p[n - 1] == value)
        n--;
    return n == 0;
}

static bool is_power_of_two(uint32_t v)
{
    return v != 0 && (v & (v - 1)) == 0;
}

/* What may be NULL in a port that is not ready yet, has no other way to say so. */
static void check_is_whole(struct port_contract *c)
{
#define IS_THERE(function)                                           \
    do {                                                             \
        if (c->port->function == NULL)                               \
            c->broken(c, #function " is not implemented", __LINE__); \
    } while (0)
    IS_THERE(slots);
    IS_THERE(slot);
    IS_THERE(open);
    IS_THERE(activate);
    IS_THERE(confirm);
    IS_THERE(reject);
    IS_THERE(kv_get);
    IS_THERE(kv_set);
    IS_THERE(now_ms);
    IS_THERE(random);
    IS_THERE(reset_reason);
    IS_THERE(restart);
    IS_THERE(log);
    IS_THERE(lock);
    IS_THERE(unlock);
}

/* ---- slots ---- */

static struct otapult_slots slots_of(struct port_contract *c)
{
    struct otapult_slots s = {.count = -1};
    PROMISE(CALL(slots, &s) == 0);
    PROMISE(s.count >= 0 && s.count <= OTAPULT_SLOTS_MAX);
    return s;
}

static enum otapult_slot_state state_of(struct port_contract *c, int index)
{
    struct otapult_slot slot;
    PROMISE(CALL(slot, index, &slot) == 0);
    return slot.state;
}

static void check_slots(struct port_contract *c)
{
    struct otapult_slots s = slots_of(c), again = slots_of(c);
    PROMISE(s.ota_data);
    PROMISE(s.count >= 1);
    PROMISE(s.running >= OTAPULT_SLOT_FACTORY && s.running < s.count);
    PROMISE(s.running != OTAPULT_SLOT_FACTORY || s.factory);
    PROMISE(s.boot == s.running);
    PROMISE(s.next >= 0 && s.next < s.count && s.next != s.running);
    PROMISE(again.count == s.count && again.running == s.running && again.boot == s.boot &&
            again.next == s.next && again.factory == s.factory && again.ota_data == s.ota_data);
}

static void check_slot(struct port_contract *c, int index)
{
    struct otapult_slot slot;
    struct otapult_flash flash;
    memset(&slot, 0xFF, sizeof slot);
    PROMISE(CALL(slot, index, &slot) == 0);
    PROMISE(memchr(slot.label, 0, sizeof slot.label) != NULL && slot.label[0] != '\0');
    PROMISE(slot.address != 0 && slot.size != 0);
    PROMISE(slot.state >= OTAPULT_STATE_NONE && slot.state <= OTAPULT_STATE_UNDEFINED);
    PROMISE(CALL(open, index, &flash) == 0);
    PROMISE(flash.size == slot.size);
    PROMISE(is_power_of_two(flash.sector) && flash.sector <= SECTOR && flash.sector >= 16);
    PROMISE(is_power_of_two(flash.block) && flash.block >= flash.sector);
    PROMISE(flash.size % flash.sector == 0);
    PROMISE(flash.read && flash.write && flash.erase);
}

static void check_each_slot(struct port_contract *c)
{
    struct otapult_slots s = slots_of(c);
    struct otapult_slot a, b;
    struct otapult_flash flash;
    for (int i = s.factory ? OTAPULT_SLOT_FACTORY : 0; i < s.count; i++) {
        check_slot(c, i);
        for (int j = i + 1; j < s.count; j++) {
            PROMISE(CALL(slot, i, &a) == 0 && CALL(slot, j, &b) == 0);
            PROMISE(a.address >= b.address + b.size || b.address >= a.address + a.size);
        }
    }
    PROMISE(is_error(CALL(slot, s.count, &a)) && is_error(CALL(open, s.count, &flash)));
    PROMISE(is_error(CALL(slot, OTAPULT_SLOT_NONE, &a)) && is_error(CALL(open, OTAPULT_SLOT_NONE, &flash)));
    if (!s.factory)
        PROMISE(is_error(CALL(slot, OTAPULT_SLOT_FACTORY, &a)));
}

/* ---- flash ---- */

static struct otapult_flash open_slot(struct port_contract *c, int index)
{
    struct otapult_flash f = {0};
    PROMISE(CALL(open, index, &f) == 0);
    return f;
}

static void check_running_slot_is_read_only(struct port_contract *c)
{
    struct otapult_flash f = open_slot(c, slots_of(c).running);
    PROMISE(f.read(f.ctx, 0, buffer, SECTOR) == 0);
    memset(second, 0, 16);
    PROMISE(f.write(f.ctx, f.size - 16, second, 16) == OTAPULT_E_SLOT_OPEN);
    PROMISE(f.write(f.ctx, 0, second, 16) == OTAPULT_E_SLOT_OPEN);
    PROMISE(f.erase(f.ctx, 0, f.sector) == OTAPULT_E_SLOT_OPEN);
    PROMISE(f.read(f.ctx, 0, second, SECTOR) == 0);
    PROMISE(memcmp(buffer, second, SECTOR) == 0);
}

static void fill_pattern(uint8_t *p, size_t n, uint8_t from)
{
    for (size_t i = 0; i < n; i++)
        p[i] = (uint8_t)(from + i * 7);
}

static void erase_first_block(struct port_contract *c, const struct otapult_flash *f)
{
    uint32_t len = f->block < f->size ? f->block : f->size;
    PROMISE(f->erase(f->ctx, 0, len) == 0);
    for (uint32_t off = 0; off < len; off += f->sector) {
        PROMISE(f->read(f->ctx, off, buffer, f->sector) == 0);
        PROMISE(all_are(buffer, f->sector, 0xFF));
    }
}

/* 16 bytes, a whole sector, and what lies around them. */
static void check_writing(struct port_contract *c, const struct otapult_flash *f)
{
    fill_pattern(second, f->sector, 3);
    PROMISE(f->write(f->ctx, 32, second, 16) == 0);
    PROMISE(f->write(f->ctx, f->sector, second, f->sector) == 0);
    PROMISE(f->write(f->ctx, 2 * f->sector + 16, second, 16) == 0);
    PROMISE(f->read(f->ctx, 0, buffer, f->sector) == 0);
    PROMISE(all_are(buffer, 32, 0xFF) && all_are(buffer + 48, f->sector - 48, 0xFF));
    PROMISE(memcmp(buffer + 32, second, 16) == 0);
    PROMISE(f->read(f->ctx, f->sector, buffer, f->sector) == 0);
    PROMISE(memcmp(buffer, second, f->sector) == 0);
}

static void check_reading(struct port_contract *c, const struct otapult_flash *f)
{
    memset(buffer, SENTINEL, sizeof buffer);
    PROMISE(f->read(f->ctx, f->sector + 5, buffer + 8, 3) == 0); /* any offset and length */
    PROMISE(memcmp(buffer + 8, second + 5, 3) == 0);
    PROMISE(all_are(buffer, 8, SENTINEL) && all_are(buffer + 11, 16, SENTINEL));
    PROMISE(f->read(f->ctx, f->sector - 4, buffer, 8) == 0); /* across sectors */
    PROMISE(all_are(buffer, 4, 0xFF) && memcmp(buffer + 4, second, 4) == 0);
}

static void check_erasing_one_sector(struct port_contract *c, const struct otapult_flash *f)
{
    PROMISE(f->erase(f->ctx, f->sector, f->sector) == 0);
    PROMISE(f->read(f->ctx, f->sector, buffer, f->sector) == 0);
    PROMISE(all_are(buffer, f->sector, 0xFF));
    PROMISE(f->read(f->ctx, 32, buffer, 16) == 0);
    PROMISE(memcmp(buffer, second, 16) == 0);
    PROMISE(f->read(f->ctx, 2 * f->sector + 16, buffer, 16) == 0);
    PROMISE(memcmp(buffer, second, 16) == 0);
}

static void check_the_end(struct port_contract *c, const struct otapult_flash *f)
{
    PROMISE(f->erase(f->ctx, f->size - f->sector, f->sector) == 0);
    PROMISE(f->write(f->ctx, f->size - 16, second, 16) == 0);
    PROMISE(f->read(f->ctx, f->size - 16, buffer, 16) == 0);
    PROMISE(memcmp(buffer, second, 16) == 0);
    PROMISE(is_error(f->read(f->ctx, f->size - 15, buffer, 16)));
    PROMISE(is_error(f->read(f->ctx, 0xFFFFFFF0, buffer, 32)));
    PROMISE(is_error(f->write(f->ctx, f->size, second, 16)));
    PROMISE(is_error(f->write(f->ctx, 0xFFFFFFF0, second, 32)));
    PROMISE(is_error(f->erase(f->ctx, f->size, f->sector)));
    PROMISE(is_error(f->erase(f->ctx, f->size - f->sector, 2 * f->sector)));
}

static void check_flash(struct port_contract *c)
{
    struct otapult_flash f = open_slot(c, slots_of(c).next);
    erase_first_block(c, &f);
    check_writing(c, &f);
    check_reading(c, &f);
    check_erasing_one_sector(c, &f);
    check_the_end(c, &f);
}

/* ---- key-value store ---- */

static bool kv_is(struct port_contract *c, const char *key, const void *value, size_t len)
{
    size_t got = 12345;
    memset(buffer, SENTINEL, VALUE + 1);
    PROMISE(CALL(kv_get, key, buffer, VALUE, &got) == 0);
    PROMISE(all_are(buffer + (got < VALUE ? got : VALUE), 1, SENTINEL));
    return got == len && memcmp(buffer, value, len) == 0;
}

static void check_kv(struct port_contract *c)
{
    PROMISE(CALL(kv_set, "pt.a", NULL, 0) == 0); /* of an earlier run */
    PROMISE(kv_is(c, "pt.a", "", 0));
    PROMISE(CALL(kv_set, "pt.a", "one", 3) == 0);
    PROMISE(kv_is(c, "pt.a", "one", 3));
    PROMISE(CALL(kv_set, "pt.a", "longer than one", 15) == 0);
    PROMISE(kv_is(c, "pt.a", "longer than one", 15));
    PROMISE(CALL(kv_set, "pt.a", "\0", 1) == 0);
    PROMISE(kv_is(c, "pt.a", "\0", 1));
    PROMISE(CALL(kv_set, "pt.a", NULL, 0) == 0);
    PROMISE(kv_is(c, "pt.a", "", 0));

    fill_pattern(second, VALUE, 250);
    PROMISE(CALL(kv_set, "pt.15characters", second, VALUE) == 0);
    PROMISE(kv_is(c, "pt.15characters", second, VALUE));
    PROMISE(CALL(kv_set, "pt.b", "stays", 5) == 0);
}

/* Many writes of one key: the store must not fill up with what no longer holds. */
static void check_kv_is_reusable(struct port_contract *c)
{
    for (int i = 0; i < 200; i++) {
        memset(second, i, 100);
        PROMISE(CALL(kv_set, "pt.c", second, 100) == 0);
    }
    PROMISE(kv_is(c, "pt.c", second, 100));
    PROMISE(kv_is(c, "pt.b", "stays", 5));
    PROMISE(CALL(kv_set, "pt.c", NULL, 0) == 0);
    PROMISE(CALL(kv_set, "pt.15characters", NULL, 0) == 0);
}

/* ---- the rest of the world ---- */

static void check_world(struct port_contract *c)
{
    uint32_t before = c->port->now_ms(c->port->ctx);
    for (int i = 0; i < 100; i++) {
        uint32_t now = c->port->now_ms(c->port->ctx);
        PROMISE(now - before < 0x80000000u); /* never backwards, across the wrap */
        before = now;
    }
    memset(buffer, SENTINEL, 96);
    memset(second, SENTINEL, 96);
    PROMISE(CALL(random, buffer + 32, 32) == 0 && CALL(random, second + 32, 32) == 0);
    PROMISE(memcmp(buffer + 32, second + 32, 32) != 0);
    PROMISE(!all_are(buffer + 32, 32, buffer[32]));
    PROMISE(all_are(buffer, 32, SENTINEL) && all_are(buffer + 64, 32, SENTINEL));
    enum otapult_reset why = c->port->reset_reason(c->port->ctx);
    PROMISE(why >= OTAPULT_RESET_POWER && why <= OTAPULT_RESET_OTHER);
    PROMISE(why == c->port->reset_reason(c->port->ctx));
    for (int i = 0; i < 3; i++) {
        c->port->lock(c->port->ctx);
        c->port->unlock(c->port->ctx);
    }
    for (int level = OTAPULT_LOG_ERROR; level <= OTAPULT_LOG_INFO; level++)
        c->port->log(c->port->ctx, (enum otapult_log_level)level, "the shared port test says hello");
}

/* ---- OTA data ---- */

static void write_image(struct port_contract *c, int slot)
{
    struct otapult_flash f = open_slot(c, slot);
    PROMISE(c->image_len <= f.size);
    for (uint32_t off = 0; off < c->image_len; off += f.sector) {
        size_t n = c->image_len - off < f.sector ? c->image_len - off : f.sector;
        memset(buffer, 0xFF, f.sector);
        memcpy(buffer, c->image + off, n);
        PROMISE(f.erase(f.ctx, off, f.sector) == 0);
        PROMISE(f.write(f.ctx, off, buffer, (uint32_t)(n + 15) & ~15u) == 0);
    }
}

static void check_activate_refuses(struct port_contract *c)
{
    struct otapult_slots s = slots_of(c);
    PROMISE(is_error(CALL(activate, s.count)));
    PROMISE(is_error(CALL(activate, OTAPULT_SLOT_NONE)));
    PROMISE(slots_of(c).boot == s.boot);
}

/* The next slot becomes the boot slot; what runs and what it is stays. Returns that slot. */
static int activate_next(struct port_contract *c)
{
    struct otapult_slots s = slots_of(c);
    enum otapult_slot_state running = state_of(c, s.running);
    write_image(c, s.next);
    PROMISE(CALL(activate, s.next) == 0);
    struct otapult_slots now = slots_of(c);
    PROMISE(now.boot == s.next && now.running == s.running && now.next == s.next);
    PROMISE(state_of(c, s.next) == OTAPULT_STATE_NEW);
    PROMISE(state_of(c, s.running) == running);
    return s.next;
}

static void reboot_into(struct port_contract *c, int slot, enum otapult_slot_state state)
{
    PROMISE(c->reboot(c));
    struct otapult_slots s = slots_of(c);
    PROMISE(s.running == slot && s.boot == slot && s.next != slot);
    PROMISE(state_of(c, slot) == state);
    PROMISE(kv_is(c, "pt.b", "stays", 5));
}

static void check_confirm(struct port_contract *c)
{
    int slot = activate_next(c);
    if (!c->reboot)
        return;
    reboot_into(c, slot, OTAPULT_STATE_PENDING_VERIFY);
    PROMISE(CALL0(confirm) == 0);
    PROMISE(state_of(c, slot) == OTAPULT_STATE_VALID);
    PROMISE(slots_of(c).boot == slot);
    reboot_into(c, slot, OTAPULT_STATE_VALID);
}

static void check_reject(struct port_contract *c)
{
    int before = slots_of(c).running;
    if (!c->reboot || slots_of(c).next == OTAPULT_SLOT_NONE)
        return;
    int slot = activate_next(c);
    reboot_into(c, slot, OTAPULT_STATE_PENDING_VERIFY);
    PROMISE(CALL0(reject) == 0);
    PROMISE(state_of(c, slot) == OTAPULT_STATE_INVALID);
    PROMISE(slots_of(c).running == slot && slots_of(c).boot == before);
    reboot_into(c, before, OTAPULT_STATE_VALID);
    PROMISE(state_of(c, slot) == OTAPULT_STATE_INVALID);
}

/* Booted and never confirmed: the bootloader goes back by itself. */
static void check_silence(struct port_contract *c)
{
    int before = slots_of(c).running;
    if (!c->reboot || slots_of(c).next == OTAPULT_SLOT_NONE)
        return;
    int slot = activate_next(c);
    reboot_into(c, slot, OTAPULT_STATE_PENDING_VERIFY);
    reboot_into(c, before, OTAPULT_STATE_VALID);
    PROMISE(state_of(c, slot) == OTAPULT_STATE_ABORTED);
}

void port_contract_test(struct port_contract *c)
{
    check_is_whole(c);
    check_slots(c);
    check_each_slot(c);
    check_running_slot_is_read_only(c);
    check_flash(c);
    check_kv(c);
    check_kv_is_reusable(c);
    check_world(c);
    check_activate_refuses(c);
    check_confirm(c);
    check_reject(c);
    check_silence(c);
    PROMISE(CALL(kv_set, "pt.b", NULL, 0) == 0);
}
