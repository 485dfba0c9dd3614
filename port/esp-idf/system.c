/* SPDX-License-Identifier: Apache-2.0 */
#include <esp_attr.h>
#include <esp_log.h>
#include <esp_random.h>
#include <esp_system.h>
#include <nvs_flash.h>
#include <soc/soc_caps.h>

#include "esp_board.h"

/* The other half of the port: NVS, random numbers, the clock, the reason of a reset, log and lock. Nothing
 * here allocates after the start: NVS handles are opened once and stay open. */

/* ---- key-value store, and the vault ---- */

/* Where the vault does not open, every access to it fails and the secure profile locks. The store does not
 * take its place: the application may have erased that, and the vault is there to outlive it. */
static void open_vault(struct esp_board *b)
{
    esp_err_t err = nvs_flash_init_partition(ESP_BOARD_VAULT);

    if (err == ESP_OK)
        err = nvs_open_from_partition(ESP_BOARD_VAULT, ESP_BOARD_TAG, NVS_READWRITE, &b->vault.nvs);
    b->vault.open = err == ESP_OK;
    if (err != ESP_OK)
        ESP_LOGE(ESP_BOARD_TAG, "NVS in the partition " ESP_BOARD_VAULT ": %s", esp_err_to_name(err));
}

void otapult_esp_open_store(struct esp_board *b)
{
    esp_err_t err = nvs_flash_init();

    if (err == ESP_OK)
        err = nvs_open(ESP_BOARD_TAG, NVS_READWRITE, &b->store.nvs);
    b->store.open = err == ESP_OK;
    if (err != ESP_OK)
        ESP_LOGE(ESP_BOARD_TAG, "NVS: %s; updates work, their history is not kept", esp_err_to_name(err));
    if (b->port.vault_get != NULL)
        open_vault(b);
}

static int store_error(const char *key, esp_err_t err)
{
    ESP_LOGE(ESP_BOARD_TAG, "NVS, %s: %s", key, esp_err_to_name(err));
    return OTAPULT_E_STORE;
}

/* A value longer than `cap` was not written by this firmware: an error, and nothing of it is used. */
static int get_value(const struct esp_store *s, const char *key, void *dst, size_t cap, size_t *len)
{
    *len = 0;
    if (!s->open)
        return OTAPULT_E_STORE;
    size_t n = cap;
    esp_err_t err = nvs_get_blob(s->nvs, key, dst, &n);
    if (err == ESP_ERR_NVS_NOT_FOUND)
        return 0;
    if (err != ESP_OK)
        return store_error(key, err);
    *len = n;
    return 0;
}

static esp_err_t write_key(nvs_handle_t nvs, const char *key, const void *src, size_t len)
{
    if (len > 0)
        return nvs_set_blob(nvs, key, src, len);
    esp_err_t err = nvs_erase_key(nvs, key);
    return err == ESP_ERR_NVS_NOT_FOUND ? ESP_OK : err;
}

static int set_value(const struct esp_store *s, const char *key, const void *src, size_t len)
{
    if (!s->open)
        return OTAPULT_E_STORE;
    esp_err_t err = write_key(s->nvs, key, src, len);
    if (err == ESP_OK)
        err = nvs_commit(s->nvs);
    return err == ESP_OK ? 0 : store_error(key, err);
}

static int port_kv_get(void *ctx, const char *key, void *dst, size_t cap, size_t *len)
{
    const struct esp_board *b = ctx;

    return get_value(&b->store, key, dst, cap, len);
}

static int port_kv_set(void *ctx, const char *key, const void *src, size_t len)
{
    const struct esp_board *b = ctx;

    return set_value(&b->store, key, src, len);
}

static int port_vault_get(void *ctx, const char *key, void *dst, size_t cap, size_t *len)
{
    const struct esp_board *b = ctx;

    return get_value(&b->vault, key, dst, cap, len);
}

static int port_vault_set(void *ctx, const char *key, const void *src, size_t len)
{
    const struct esp_board *b = ctx;

    return set_value(&b->vault, key, src, len);
}

static bool has_vault(void)
{
    return esp_partition_find_first(ESP_PARTITION_TYPE_DATA, ESP_PARTITION_SUBTYPE_DATA_NVS,
                                    ESP_BOARD_VAULT) != NULL;
}

/* ---- what a reset leaves alone ---- */

/* RTC memory keeps its value over software, panic and watchdog resets. A chip that has none (ESP32-C2) keeps
 * other memory over them, as far as nobody writes there meanwhile; the note's check word tells. */
#if SOC_RTC_FAST_MEM_SUPPORTED || SOC_RTC_SLOW_MEM_SUPPORTED
RTC_NOINIT_ATTR struct otapult_retained otapult_esp_retained;
#else
__NOINIT_ATTR struct otapult_retained otapult_esp_retained;
#endif

/* ---- the rest of the world ---- */

static uint32_t port_now_ms(void *ctx)
{
    (void)ctx;
    return otapult_esp_now_ms();
}

void otapult_esp_radio(bool on)
{
    atomic_store(&otapult_esp_board.radio, on);
}

/* Without a radio the chip's generator has no entropy and reports no error (ESP32-S3 TRM, "Random Number
 * Generator"; ESP-IDF, API reference "Random Number Generation"). Weak numbers would become session ids and
 * keys, so none are given. */
static int port_random(void *ctx, void *dst, size_t len)
{
    struct esp_board *b = ctx;

    if (!atomic_load(&b->radio))
        return b->quiet_random != NULL ? b->quiet_random(dst, len) : OTAPULT_E_INTERNAL;
    esp_fill_random(dst, len);
    return 0;
}

static const struct {
    esp_reset_reason_t esp;
    enum otapult_reset ours;
} resets[] = {
    {ESP_RST_POWERON, OTAPULT_RESET_POWER},    {ESP_RST_BROWNOUT, OTAPULT_RESET_POWER},
    {ESP_RST_SW, OTAPULT_RESET_SOFTWARE},      {ESP_RST_PANIC, OTAPULT_RESET_CRASH},
    {ESP_RST_INT_WDT, OTAPULT_RESET_WATCHDOG}, {ESP_RST_TASK_WDT, OTAPULT_RESET_WATCHDOG},
    {ESP_RST_WDT, OTAPULT_RESET_WATCHDOG},
#if ESP_BOARD_MORE_RESETS
    {ESP_RST_PWR_GLITCH, OTAPULT_RESET_POWER}, {ESP_RST_CPU_LOCKUP, OTAPULT_RESET_CRASH},
#endif
};

/* The call has a second use: it links ESP-IDF's reset_reason.c. Without that file the panic handler leaves no
 * hint (its own function for it is weak and empty), and a crash reads as a software restart at the next boot.
 */
static enum otapult_reset port_reset_reason(void *ctx)
{
    const esp_reset_reason_t reason = esp_reset_reason();

    (void)ctx;
    for (size_t i = 0; i < sizeof resets / sizeof *resets; i++)
        if (resets[i].esp == reason)
            return resets[i].ours;
    return OTAPULT_RESET_OTHER;
}

static void port_restart(void *ctx)
{
    (void)ctx;
    esp_restart();
}

static void port_log(void *ctx, enum otapult_log_level level, const char *line)
{
    (void)ctx;
    switch (level) {
    case OTAPULT_LOG_ERROR: ESP_LOGE(ESP_BOARD_TAG, "%s", line); break;
    case OTAPULT_LOG_WARNING: ESP_LOGW(ESP_BOARD_TAG, "%s", line); break;
    case OTAPULT_LOG_INFO: ESP_LOGI(ESP_BOARD_TAG, "%s", line); break;
    }
}

static void port_lock(void *ctx)
{
    struct esp_board *b = ctx;

    (void)xSemaphoreTake(b->mutex, portMAX_DELAY);
}

static void port_unlock(void *ctx)
{
    struct esp_board *b = ctx;

    (void)xSemaphoreGive(b->mutex);
}

void otapult_esp_bind_system(struct esp_board *b)
{
    b->mutex = xSemaphoreCreateMutexStatic(&b->mutex_memory);

    b->port.ctx = b;
    b->port.retained = &otapult_esp_retained;
    b->port.kv_get = port_kv_get;
    b->port.kv_set = port_kv_set;
    b->port.vault_get = has_vault() ? port_vault_get : NULL;
    b->port.vault_set = has_vault() ? port_vault_set : NULL;
    b->port.now_ms = port_now_ms;
    b->port.random = port_random;
    b->port.reset_reason = port_reset_reason;
    b->port.restart = port_restart;
    b->port.log = port_log;
    b->port.lock = port_lock;
    b->port.unlock = port_unlock;
}
