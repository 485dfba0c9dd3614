/* SPDX-License-Identifier: Apache-2.0 */
#include <esp_log.h>
#include <esp_ota_ops.h>
#include <esp_task_wdt.h>
#include <sdkconfig.h>
#include <string.h>

#include "base/text.h"
#include "esp_board.h"
#include "flash/ota_data.h"

/* Flash and OTA data through ESP-IDF: esp_partition for the bytes, esp_ota_ops for the choice of a slot. The
 * choice is left to ESP-IDF, because its application side and its bootloader have to agree, version by
 * version; what differs between versions is met here. Where this file writes OTA data itself, it says why.
 *
 * Reads and writes come from two tasks at once (upload, poll); ESP-IDF locks the flash for each call. */

#define BLOCK      65536u
#define WRITE_UNIT 16u
#define BUSY_MS    50u /* flash and hashing at a stretch, before other tasks get a tick */

/* ---- errors ---- */

/* Turns an error of ESP-IDF into one of ours; ESP-IDF's own name of it goes to the log. */
static int error_of(const char *what, esp_err_t err, int otherwise)
{
    static const struct {
        esp_err_t esp;
        int ours;
    } meanings[] = {
        {ESP_ERR_OTA_SELECT_INFO_INVALID, OTAPULT_E_NO_OTA_DATA},
        {ESP_ERR_OTA_ROLLBACK_FAILED, OTAPULT_E_NO_ROLLBACK},
#ifdef ESP_ERR_NOT_ALLOWED /* read-only partitions; not before 5.1.5 */
        {ESP_ERR_NOT_ALLOWED, OTAPULT_E_SLOT_OPEN},
#endif
        {ESP_ERR_OTA_PARTITION_CONFLICT, OTAPULT_E_SLOT_OPEN},
    };

    if (err == ESP_OK)
        return 0;
    ESP_LOGE(ESP_BOARD_TAG, "%s: %s (0x%x)", what, esp_err_to_name(err), (unsigned)err);
    for (size_t i = 0; i < sizeof meanings / sizeof *meanings; i++)
        if (meanings[i].esp == err)
            return meanings[i].ours;
    return otherwise;
}

/* ---- flash of one slot ---- */

/* esp_partition checks this too, but before 5.4 its sum of offset and length may wrap, and then passes. */
static bool inside(const struct esp_slot *s, uint32_t off, uint32_t len)
{
    return off <= s->partition->size && len <= s->partition->size - off;
}

/* Without CONFIG_ESP_TASK_WDT_INIT ESP-IDF logs an error for each question about the watchdog. */
#if CONFIG_ESP_TASK_WDT_INIT
static void feed_watchdog(void)
{
    if (esp_task_wdt_status(NULL) == ESP_OK)
        (void)esp_task_wdt_reset();
}
#else
static void feed_watchdog(void)
{
}
#endif

/* Lets other tasks run, the idle task too, which has a watchdog of its own. */
static void rest(struct esp_slot *s)
{
    uint32_t now = otapult_esp_now_ms();

    feed_watchdog();
    if (now - s->rested_ms < BUSY_MS)
        return;
    vTaskDelay(1);
    s->rested_ms = otapult_esp_now_ms();
}

/* A short read is a look at a header, possibly from another task than the one that writes. It must neither
 * cost a tick nor touch rested_ms, which is the writer's. */
static int flash_read(void *ctx, uint32_t off, void *dst, uint32_t len)
{
    struct esp_slot *s = ctx;

    if (!inside(s, off, len))
        return OTAPULT_E_FLASH_READ;
    int err = error_of("read", esp_partition_read(s->partition, off, dst, len), OTAPULT_E_FLASH_READ);
    if (len >= s->partition->erase_size)
        rest(s);
    return err;
}

static int flash_write(void *ctx, uint32_t off, const void *src, uint32_t len)
{
    struct esp_slot *s = ctx;

    if (s->read_only)
        return OTAPULT_E_SLOT_OPEN;
    if (!inside(s, off, len) || off % WRITE_UNIT != 0 || len % WRITE_UNIT != 0)
        return OTAPULT_E_FLASH_WRITE;
    int err = error_of("write", esp_partition_write(s->partition, off, src, len), OTAPULT_E_FLASH_WRITE);
    rest(s);
    return err;
}

static int flash_erase(void *ctx, uint32_t off, uint32_t len)
{
    struct esp_slot *s = ctx;

    if (s->read_only)
        return OTAPULT_E_SLOT_OPEN;
    /* The core erases a block at most; more would stop both cores' code in flash for longer than the
     * watchdogs allow. */
    if (!inside(s, off, len) || len > BLOCK)
        return OTAPULT_E_FLASH_ERASE;
    int err = error_of("erase", esp_partition_erase_range(s->partition, off, len), OTAPULT_E_FLASH_ERASE);
    rest(s);
    return err;
}

static void bind_flash(struct esp_slot *s, struct otapult_flash *out)
{
    const uint32_t sector = s->partition->erase_size;

    *out = (struct otapult_flash){
        .ctx = s,
        .read = flash_read,
        .write = flash_write,
        .erase = flash_erase,
        .size = s->partition->size / sector * sector,
        .sector = sector,
        .block = BLOCK,
    };
}

/* ---- slots ---- */

static int index_of(const struct esp_board *b, const esp_partition_t *p)
{
    if (p == NULL || p->type != ESP_PARTITION_TYPE_APP)
        return OTAPULT_SLOT_NONE;
    if (p->subtype == ESP_PARTITION_SUBTYPE_APP_FACTORY)
        return OTAPULT_SLOT_FACTORY;
    int n = (int)p->subtype - ESP_PARTITION_SUBTYPE_APP_OTA_MIN;
    return n >= 0 && n < b->slot_count ? n : OTAPULT_SLOT_NONE;
}

static int running(const struct esp_board *b)
{
    return index_of(b, esp_ota_get_running_partition());
}

/* ESP-IDF knows no choice where there is no OTA data; the bootloader takes the factory app then. */
static int boot(const struct esp_board *b)
{
    if (b->ota_data != NULL)
        return index_of(b, esp_ota_get_boot_partition());
    return b->factory.partition != NULL ? OTAPULT_SLOT_FACTORY : OTAPULT_SLOT_NONE;
}

/* esp_ota_get_next_update_partition() gives the running slot where it is the only one. */
static int next(const struct esp_board *b)
{
    int n = index_of(b, esp_ota_get_next_update_partition(NULL));

    return n == OTAPULT_SLOT_FACTORY || n == running(b) ? OTAPULT_SLOT_NONE : n;
}

static int port_slots(void *ctx, struct otapult_slots *out)
{
    const struct esp_board *b = ctx;

    *out = (struct otapult_slots){
        .count = b->slot_count,
        .running = running(b),
        .boot = boot(b),
        .next = b->slot_count > 0 ? next(b) : OTAPULT_SLOT_NONE,
        .factory = b->factory.partition != NULL,
        .ota_data = b->ota_data != NULL,
        .table_error = b->table_error,
        .table_why = b->table_why,
    };
    return 0;
}

/* NULL: there is no such slot. */
static struct esp_slot *slot_at(struct esp_board *b, int index)
{
    if (index == OTAPULT_SLOT_FACTORY && b->factory.partition != NULL)
        return &b->factory;
    return index >= 0 && index < b->slot_count ? &b->slot[index] : NULL;
}

static enum otapult_slot_state state_of(const struct esp_board *b, const struct esp_slot *s)
{
    esp_ota_img_states_t state;

    if (s == &b->factory || b->ota_data == NULL)
        return OTAPULT_STATE_UNDEFINED;
    if (esp_ota_get_state_partition(s->partition, &state) != ESP_OK)
        return OTAPULT_STATE_NONE;
    switch (state) {
    case ESP_OTA_IMG_NEW: return OTAPULT_STATE_NEW;
    case ESP_OTA_IMG_PENDING_VERIFY: return OTAPULT_STATE_PENDING_VERIFY;
    case ESP_OTA_IMG_VALID: return OTAPULT_STATE_VALID;
    case ESP_OTA_IMG_INVALID: return OTAPULT_STATE_INVALID;
    case ESP_OTA_IMG_ABORTED: return OTAPULT_STATE_ABORTED;
    default: return OTAPULT_STATE_UNDEFINED;
    }
}

static int port_slot(void *ctx, int index, struct otapult_slot *out)
{
    struct esp_board *b = ctx;
    const struct esp_slot *s = slot_at(b, index);

    if (s == NULL)
        return OTAPULT_E_SLOT_OPEN;
    *out = (struct otapult_slot){
        .address = s->partition->address, .size = s->partition->size, .state = state_of(b, s)};
    memcpy(out->label, s->partition->label, sizeof out->label);
    return 0;
}

static int port_open(void *ctx, int index, struct otapult_flash *out)
{
    struct esp_slot *s = slot_at(ctx, index);

    if (s == NULL)
        return OTAPULT_E_SLOT_OPEN;
    bind_flash(s, out);
    return 0;
}

/* ---- OTA data ---- */

static int port_activate(void *ctx, int index)
{
    struct esp_board *b = ctx;

    if (b->ota_data == NULL)
        return OTAPULT_E_NO_OTA_DATA;
    const struct esp_slot *s = slot_at(b, index);
    if (s == NULL)
        return OTAPULT_E_ACTIVATE;
    return error_of("activate", esp_ota_set_boot_partition(s->partition), OTAPULT_E_ACTIVATE);
}

/* esp_ota_mark_app_…() marks the active record, whichever slot it points to, and not the running app's. So
 * the active record must be the running slot's. A bootloader without rollback leaves a new firmware NEW,
 * which waits for its confirmation all the same. */
static bool is_waiting(struct esp_board *b)
{
    int now = running(b);

    if (now < 0 || boot(b) != now)
        return false;
    enum otapult_slot_state state = state_of(b, &b->slot[now]);
    return state == OTAPULT_STATE_PENDING_VERIFY || state == OTAPULT_STATE_NEW;
}

static int port_confirm(void *ctx)
{
    if (!is_waiting(ctx))
        return OTAPULT_E_NOT_PENDING;
    return error_of("confirm", esp_ota_mark_app_valid_cancel_rollback(), OTAPULT_E_CONFIRM);
}

#if ESP_BOARD_MARKS_INVALID
static int mark_invalid(struct esp_board *b)
{
    (void)b;
    return error_of("reject", esp_ota_mark_app_invalid_rollback(), OTAPULT_E_REJECT);
}
#else
/* Before 5.5 ESP-IDF rejects only together with a restart, in the middle of whatever the application does,
 * motors running. So the same record is written here: its state, which no checksum covers, in place. */
static int mark_invalid(struct esp_board *b)
{
    struct esp_slot records = {.partition = b->ota_data, .rested_ms = otapult_esp_now_ms()};
    struct otapult_flash flash;

    /* As ESP-IDF does first: with nothing to go back to, a rejected firmware would leave a chip that boots
     * nothing. */
    if (!esp_ota_check_rollback_is_possible())
        return error_of("reject", ESP_ERR_OTA_ROLLBACK_FAILED, OTAPULT_E_NO_ROLLBACK);
    bind_flash(&records, &flash);
    return otapult_ota_mark(&flash, OTAPULT_OTA_INVALID);
}
#endif

static int port_reject(void *ctx)
{
    return is_waiting(ctx) ? mark_invalid(ctx) : OTAPULT_E_NOT_PENDING;
}

/* ---- at start ---- */

static const esp_partition_t *find_app(int subtype)
{
    return esp_partition_find_first(ESP_PARTITION_TYPE_APP, (esp_partition_subtype_t)subtype, NULL);
}

/* OTA data that is too small or does not begin on a sector counts as absent: writing a record would erase
 * what is beside it. */
static const esp_partition_t *find_ota_data(void)
{
    const esp_partition_t *p =
        esp_partition_find_first(ESP_PARTITION_TYPE_DATA, ESP_PARTITION_SUBTYPE_DATA_OTA, NULL);
    bool fit = p != NULL && p->size >= OTAPULT_OTA_DATA_SIZE && p->address % p->erase_size == 0;
    return fit ? p : NULL;
}

/* Entry n of those on the firmware's own flash chip; an application may register partitions on others. */
static bool entry(void *ctx, unsigned n, struct otapult_partition *out)
{
    const esp_partition_t *own = ctx;
    esp_partition_iterator_t at = esp_partition_find(ESP_PARTITION_TYPE_ANY, ESP_PARTITION_SUBTYPE_ANY, NULL);

    for (; at != NULL; at = esp_partition_next(at)) {
        const esp_partition_t *p = esp_partition_get(at);

        if (p->flash_chip != own->flash_chip || n-- > 0)
            continue;
        *out = (struct otapult_partition){
            .type = (uint8_t)p->type, .subtype = (uint8_t)p->subtype, .offset = p->address, .size = p->size};
        otapult_text_set(out->label, sizeof out->label, p->label);
        esp_partition_iterator_release(at);
        return true;
    }
    return false;
}

static void check_layout(struct esp_board *b, const esp_partition_t *own)
{
    const struct otapult_layout layout = {
        .entry = entry, .ctx = (void *)own, .table_at = CONFIG_PARTITION_TABLE_OFFSET};

    b->table_error = otapult_layout_fault(&layout, &b->table_why, b->table_text);
}

/* Compared by addresses and not by names, so that of two slots laid over each other both are protected. */
static void protect(struct esp_slot *s, const esp_partition_t *own)
{
    const esp_partition_t *p = s->partition;

    s->read_only = p != NULL && otapult_ranges_meet(p->address, p->size, own->address, own->size);
}

void otapult_esp_bind_slots(struct esp_board *b)
{
    const esp_partition_t *own = esp_ota_get_running_partition();

    b->factory.partition = find_app(ESP_PARTITION_SUBTYPE_APP_FACTORY);
    b->ota_data = find_ota_data();
    for (b->slot_count = 0; b->slot_count < OTAPULT_SLOTS_MAX; b->slot_count++) {
        struct esp_slot *s = &b->slot[b->slot_count];

        s->partition = find_app(ESP_PARTITION_SUBTYPE_APP_OTA_MIN + b->slot_count);
        if (s->partition == NULL)
            break;
    }
    if (own != NULL) {
        check_layout(b, own);
        protect(&b->factory, own);
        for (int n = 0; n < b->slot_count; n++)
            protect(&b->slot[n], own);
    }

    b->port.slots = port_slots;
    b->port.slot = port_slot;
    b->port.open = port_open;
    b->port.activate = port_activate;
    b->port.confirm = port_confirm;
    b->port.reject = port_reject;
}
