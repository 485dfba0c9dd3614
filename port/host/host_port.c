/* SPDX-License-Identifier: Apache-2.0 */
#include "host_port.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include "flash/ota_data.h"

/* The port of the virtual board. It keeps the promises of otapult/port.h and also demands the core's: a write
 * across a sector, or one that is not a multiple of 16, is an error here although the emulated chip could do
 * it. So a core that breaks its promise fails its tests on a computer, and not on a board with flash
 * encryption.
 *
 * OTA data is read and written through src/flash/ota_data.c, as a bootloader sees it; on a board
 * ESP-IDF does that, but for one case in port/esp-idf/slots.c. */

#define CTX_FACTORY  OTAPULT_SLOTS_MAX
#define CTX_OTA_DATA (OTAPULT_SLOTS_MAX + 1)
#define WRITE_UNIT   16u
#define VAULT_LABEL  "otapult"
#define CTX_COUNT    (OTAPULT_SLOTS_MAX + 2)

/* ---- flash of one slot, or of OTA data ---- */

static bool inside(const struct slot_ctx *c, uint32_t off, uint32_t len)
{
    return off <= c->size && len <= c->size - off;
}

static int flash_read(void *ctx, uint32_t off, void *dst, uint32_t len)
{
    struct slot_ctx *c = ctx;
    if (!inside(c, off, len) || nor_read(c->port->nor, c->base + off, dst, len) != 0)
        return OTAPULT_E_FLASH_READ;
    return 0;
}

static int flash_write(void *ctx, uint32_t off, const void *src, uint32_t len)
{
    struct slot_ctx *c = ctx;
    if (c->read_only)
        return OTAPULT_E_SLOT_OPEN;
    if (!inside(c, off, len) || off % WRITE_UNIT != 0 || len % WRITE_UNIT != 0 ||
        len > NOR_SECTOR - off % NOR_SECTOR || nor_program(c->port->nor, c->base + off, src, len) != 0)
        return OTAPULT_E_FLASH_WRITE;
    return 0;
}

static int flash_erase(void *ctx, uint32_t off, uint32_t len)
{
    struct slot_ctx *c = ctx;
    if (c->read_only)
        return OTAPULT_E_SLOT_OPEN;
    if (!inside(c, off, len) || off % NOR_SECTOR != 0 || len % NOR_SECTOR != 0 || len > NOR_BLOCK ||
        nor_erase(c->port->nor, c->base + off, len) != 0)
        return OTAPULT_E_FLASH_ERASE;
    return 0;
}

static void bind_flash(struct slot_ctx *c, struct otapult_flash *out)
{
    *out = (struct otapult_flash){
        .ctx = c,
        .read = flash_read,
        .write = flash_write,
        .erase = flash_erase,
        .size = c->size,
        .sector = NOR_SECTOR,
        .block = NOR_BLOCK,
    };
}

/* ---- slots ---- */

static bool find(const struct host_port *h, uint8_t type, uint8_t subtype, struct otapult_partition *out)
{
    return otapult_table_find(h->table, h->entries, type, subtype, out);
}

static int slot_count(const struct host_port *h)
{
    return otapult_table_ota_slots(h->table, h->entries);
}

static int running(const struct host_port *h)
{
    return h->boot.slot == OTAPULT_SLOT_TEST ? OTAPULT_SLOT_NONE : h->boot.slot;
}

static bool has_factory(const struct host_port *h)
{
    return h->slot[CTX_FACTORY].size != 0;
}

static bool has_ota_data(const struct host_port *h)
{
    return h->slot[CTX_OTA_DATA].size >= OTAPULT_OTA_DATA_SIZE;
}

/* NULL: there is no such slot. */
static struct slot_ctx *slot_ctx(struct host_port *h, int index)
{
    if (index == OTAPULT_SLOT_FACTORY && has_factory(h))
        return &h->slot[CTX_FACTORY];
    return index >= 0 && index < slot_count(h) ? &h->slot[index] : NULL;
}

/* As esp_ota_get_next_update_partition(), but for a single slot, which that would give although it runs. */
static int next_slot(const struct host_port *h)
{
    int count = slot_count(h), now = running(h);
    if (count == 0)
        return OTAPULT_SLOT_NONE;
    int next = now < 0 ? 0 : (now + 1) % count;
    return next == now ? OTAPULT_SLOT_NONE : next;
}

/* As esp_ota_get_boot_partition(): a choice of the factory app where there is none means the first slot. */
static int boot_slot(const struct host_port *h, int *out)
{
    *out = has_factory(h) ? OTAPULT_SLOT_FACTORY : OTAPULT_SLOT_NONE;
    if (!has_ota_data(h))
        return 0;
    int chosen = boot_model_peek(h->nor);
    if (chosen == OTAPULT_SLOT_NONE) /* it was readable when we booted */
        return OTAPULT_E_FLASH_READ;
    if (chosen != OTAPULT_SLOT_FACTORY)
        *out = chosen;
    else if (!has_factory(h) && slot_count(h) > 0)
        *out = 0;
    return 0;
}

/* Absent OTA data reads as empty: no record points anywhere. */
static int read_ota_data(struct host_port *h, struct otapult_ota_data *d)
{
    struct otapult_flash flash;
    memset(d, 0xFF, sizeof *d);
    d->record[0].crc_ok = d->record[1].crc_ok = false;
    if (!has_ota_data(h))
        return 0;
    bind_flash(&h->slot[CTX_OTA_DATA], &flash);
    pthread_mutex_lock(&h->records);
    int err = otapult_ota_read(&flash, d);
    pthread_mutex_unlock(&h->records);
    return err;
}

static int port_slots(void *ctx, struct otapult_slots *out)
{
    struct host_port *h = ctx;
    int boot, err = boot_slot(h, &boot);
    if (err != 0)
        return err;
    *out = (struct otapult_slots){
        .count = slot_count(h),
        .running = running(h),
        .boot = boot,
        .next = next_slot(h),
        .factory = has_factory(h),
        .ota_data = has_ota_data(h),
        .table_error = h->table_error,
        .table_why = h->table_why,
    };
    return 0;
}

static enum otapult_slot_state state_of(const struct host_port *h, const struct otapult_ota_data *d,
                                        int index)
{
    if (index == OTAPULT_SLOT_FACTORY || !has_ota_data(h))
        return OTAPULT_STATE_UNDEFINED;
    return otapult_ota_state_of(d, slot_count(h), index);
}

static int port_slot(void *ctx, int index, struct otapult_slot *out)
{
    struct host_port *h = ctx;
    struct otapult_partition p;
    struct otapult_ota_data d;
    uint8_t subtype = index == OTAPULT_SLOT_FACTORY ? OTAPULT_PART_APP_FACTORY
                                                    : (uint8_t)(OTAPULT_PART_APP_OTA_0 + index);
    const struct slot_ctx *c = slot_ctx(h, index);
    if (!c || !find(h, OTAPULT_PART_APP, subtype, &p))
        return OTAPULT_E_SLOT_OPEN;
    int err = read_ota_data(h, &d);
    if (err != 0)
        return err;
    *out = (struct otapult_slot){.address = c->base, .size = c->size, .state = state_of(h, &d, index)};
    memcpy(out->label, p.label, sizeof out->label);
    return 0;
}

static int port_open(void *ctx, int index, struct otapult_flash *out)
{
    struct slot_ctx *c = slot_ctx(ctx, index);
    if (!c)
        return OTAPULT_E_SLOT_OPEN;
    bind_flash(c, out);
    return 0;
}

/* ---- OTA data ---- */

static int port_activate(void *ctx, int index)
{
    struct host_port *h = ctx;
    struct otapult_flash flash;
    if (!has_ota_data(h))
        return OTAPULT_E_NO_OTA_DATA;
    if (slot_ctx(h, index) == NULL)
        return OTAPULT_E_ACTIVATE;
    bind_flash(&h->slot[CTX_OTA_DATA], &flash);
    pthread_mutex_lock(&h->records);
    int err = index == OTAPULT_SLOT_FACTORY
                  ? otapult_ota_erase(&flash)
                  : otapult_ota_activate(&flash, slot_count(h), index, OTAPULT_OTA_NEW);
    pthread_mutex_unlock(&h->records);
    return err;
}

/* NEW although it runs: the bootloader has fallen back to it, and it was activated since. */
static bool waits(enum otapult_slot_state state)
{
    return state == OTAPULT_STATE_PENDING_VERIFY || state == OTAPULT_STATE_NEW;
}

/* Confirms or rejects by rewriting the active record, so that record must be the one of the running slot:
 * otherwise another firmware would be confirmed. */
static int mark_running(struct host_port *h, uint32_t state)
{
    struct otapult_ota_data d;
    struct otapult_flash flash;
    int boot, err = boot_slot(h, &boot);
    if (err == 0)
        err = read_ota_data(h, &d);
    if (err != 0)
        return err;
    if (running(h) < 0 || boot != running(h) || !waits(state_of(h, &d, running(h))))
        return OTAPULT_E_NOT_PENDING;
    bind_flash(&h->slot[CTX_OTA_DATA], &flash);
    pthread_mutex_lock(&h->records);
    err = otapult_ota_mark(&flash, state);
    pthread_mutex_unlock(&h->records);
    return err;
}

static int port_confirm(void *ctx)
{
    return mark_running(ctx, OTAPULT_OTA_VALID);
}

static int port_reject(void *ctx)
{
    return mark_running(ctx, OTAPULT_OTA_INVALID);
}

/* ---- key-value store ---- */

static int port_kv_get(void *ctx, const char *key, void *dst, size_t cap, size_t *len)
{
    struct host_port *h = ctx;
    pthread_mutex_lock(&h->records);
    int err = store_get(&h->store, key, dst, cap, len);
    pthread_mutex_unlock(&h->records);
    return err;
}

static int port_kv_set(void *ctx, const char *key, const void *src, size_t len)
{
    struct host_port *h = ctx;
    pthread_mutex_lock(&h->records);
    int err = store_set(&h->store, key, src, len);
    pthread_mutex_unlock(&h->records);
    return err;
}

static int port_vault_get(void *ctx, const char *key, void *dst, size_t cap, size_t *len)
{
    struct host_port *h = ctx;
    pthread_mutex_lock(&h->records);
    int err = store_get(&h->vault, key, dst, cap, len);
    pthread_mutex_unlock(&h->records);
    return err;
}

static int port_vault_set(void *ctx, const char *key, const void *src, size_t len)
{
    struct host_port *h = ctx;
    pthread_mutex_lock(&h->records);
    int err = store_set(&h->vault, key, src, len);
    pthread_mutex_unlock(&h->records);
    return err;
}

/* ---- the rest of the world ---- */

static uint64_t monotonic_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000u + (uint64_t)t.tv_nsec / 1000u;
}

static uint32_t port_now_ms(void *ctx)
{
    const struct host_port *h = ctx;
    return (uint32_t)((monotonic_us() - h->born_us) / 1000u);
}

static int port_random(void *ctx, void *dst, size_t len)
{
    uint8_t *p = dst;
    (void)ctx;
    while (len > 0) {
        ssize_t n = getrandom(p, len, 0);
        if (n < 0 && errno != EINTR)
            return OTAPULT_E_INTERNAL;
        if (n > 0) {
            p += n;
            len -= (size_t)n;
        }
    }
    return 0;
}

static enum otapult_reset port_reset_reason(void *ctx)
{
    const struct host_port *h = ctx;
    return h->reset;
}

static void port_lock(void *ctx)
{
    struct host_port *h = ctx;
    pthread_mutex_lock(&h->mutex);
}

static void port_unlock(void *ctx)
{
    struct host_port *h = ctx;
    pthread_mutex_unlock(&h->mutex);
}

/* Only notes that a restart is wanted: the program's main loop ends this life and boots the next one when no
 * call of the core is under way. */
static void port_restart(void *ctx)
{
    struct host_port *h = ctx;
    port_lock(h);
    h->restart = true;
    port_unlock(h);
}

/* The format of ESP-IDF's log. */
static void port_log(void *ctx, enum otapult_log_level level, const char *line)
{
    static const char letters[] = {
        [OTAPULT_LOG_ERROR] = 'E', [OTAPULT_LOG_WARNING] = 'W', [OTAPULT_LOG_INFO] = 'I'};
    const struct host_port *h = ctx;
    if (!h->quiet)
        fprintf(stderr, "%c (%lu) otapult: %s\n", letters[level], (unsigned long)port_now_ms(ctx), line);
}

/* ---- a life of the device ---- */

static void bind_partition(struct host_port *h, int n, uint8_t type, uint8_t subtype)
{
    struct otapult_partition p;
    if (!find(h, type, subtype, &p))
        return;
    h->slot[n].base = p.offset;
    h->slot[n].size = p.offset % NOR_SECTOR == 0 ? p.size / NOR_SECTOR * NOR_SECTOR : 0;
}

/* Everything that shares an address with the running firmware is only read, OTA data too: compared by
 * addresses, so that a table which lays two entries over each other protects both. */
static void protect_running(struct host_port *h)
{
    struct otapult_partition p;
    uint8_t subtype = h->boot.slot == OTAPULT_SLOT_TEST ? OTAPULT_PART_APP_TEST
                      : h->boot.slot == OTAPULT_SLOT_FACTORY
                          ? OTAPULT_PART_APP_FACTORY
                          : (uint8_t)(OTAPULT_PART_APP_OTA_0 + h->boot.slot);
    if (!find(h, OTAPULT_PART_APP, subtype, &p))
        return;
    for (int n = 0; n < CTX_COUNT; n++)
        if (otapult_ranges_meet(h->slot[n].base, h->slot[n].size, p.offset, p.size))
            h->slot[n].read_only = true;
}

/* The first nvs that is not the vault, wherever in the table that stands. */
static void bind_store(struct host_port *h)
{
    struct otapult_partition p;
    h->store = (struct store){.nor = h->nor};
    for (unsigned n = 0; n < h->entries; n++) {
        otapult_table_entry(h->table, n, &p);
        if (p.type != OTAPULT_PART_DATA || p.subtype != OTAPULT_PART_DATA_NVS ||
            strcmp(p.label, VAULT_LABEL) == 0)
            continue;
        if (p.offset % NOR_SECTOR == 0)
            h->store = (struct store){.nor = h->nor, .base = p.offset, .size = p.size};
        return;
    }
}

static void bind_partitions(struct host_port *h)
{
    for (int n = 0; n < CTX_COUNT; n++)
        h->slot[n].port = h;
    for (int n = 0; n < OTAPULT_SLOTS_MAX; n++)
        bind_partition(h, n, OTAPULT_PART_APP, (uint8_t)(OTAPULT_PART_APP_OTA_0 + n));
    bind_partition(h, CTX_FACTORY, OTAPULT_PART_APP, OTAPULT_PART_APP_FACTORY);
    bind_partition(h, CTX_OTA_DATA, OTAPULT_PART_DATA, OTAPULT_PART_DATA_OTA);
    protect_running(h);
    bind_store(h);
}

static void check_layout(struct host_port *h)
{
    struct otapult_table table = {h->table, h->entries};
    const struct otapult_layout layout = {
        .entry = otapult_table_next, .ctx = &table, .table_at = OTAPULT_TABLE_OFFSET};

    h->table_error = otapult_layout_fault(&layout, &h->table_why, h->table_text);
}

/* The partition "otapult", of type data, whatever its subtype. */
static void bind_vault(struct host_port *h)
{
    struct otapult_partition p;
    for (unsigned n = 0; n < h->entries; n++) {
        otapult_table_entry(h->table, n, &p);
        if (p.type != OTAPULT_PART_DATA || strcmp(p.label, VAULT_LABEL) != 0 || p.offset % NOR_SECTOR != 0)
            continue;
        h->vault = (struct store){.nor = h->nor, .base = p.offset, .size = p.size};
        h->port.vault_get = port_vault_get;
        h->port.vault_set = port_vault_set;
        return;
    }
}

static const struct otapult_port functions = {
    .slots = port_slots,
    .slot = port_slot,
    .open = port_open,
    .activate = port_activate,
    .confirm = port_confirm,
    .reject = port_reject,
    .kv_get = port_kv_get,
    .kv_set = port_kv_set,
    .now_ms = port_now_ms,
    .random = port_random,
    .reset_reason = port_reset_reason,
    .restart = port_restart,
    .log = port_log,
    .lock = port_lock,
    .unlock = port_unlock,
};

static bool read_table(struct host_port *h)
{
    return nor_read(h->nor, OTAPULT_TABLE_OFFSET, h->table, sizeof h->table) == 0 &&
           otapult_table_verify(h->table, sizeof h->table, (uint32_t)h->nor->size, &h->entries) ==
               OTAPULT_TABLE_OK;
}

bool host_port_boot(struct host_port *h, struct nor_flash *nor, enum otapult_reset reset)
{
    *h = (struct host_port){.nor = nor, .reset = reset, .born_us = monotonic_us()};
    pthread_mutex_init(&h->mutex, NULL);
    pthread_mutex_init(&h->records, NULL);
    h->port = functions;
    h->port.ctx = h;

    boot_model_run(nor, &h->boot);
    if (!h->boot.ok || !read_table(h))
        return false;
    check_layout(h);
    bind_partitions(h);
    bind_vault(h);
    return true;
}

void host_port_end(struct host_port *h)
{
    pthread_mutex_destroy(&h->mutex);
    pthread_mutex_destroy(&h->records);
}
