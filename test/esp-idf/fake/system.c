/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "boot_image.h"
#include "bootloader_random.h"
#include "esp_board.h"
#include "esp_chip_info.h"
#include "esp_log.h"
#include "esp_mac.h"
#include "esp_random.h"
#include "esp_task_wdt.h"
#include "esp_timer.h"
#include "fake_idf.h"
#include "hal/efuse_hal.h"
#include "lwip/sockets.h"
#include "nvs_flash.h"

struct fake_idf fake_idf;

void fake_idf_punish(const char *what)
{
    fprintf(stderr, "fake ESP-IDF: %s\n", what);
    abort();
}

void fake_idf_pass(uint64_t us)
{
    fake_idf.now_us += us;
}

static void flash_takes_time(void *ctx, uint64_t us)
{
    (void)ctx;
    fake_idf_pass(us);
}

/* What memory holds when power comes: nothing in particular. */
static void lose_memory(struct otapult_retained *r)
{
    static uint32_t chance = 12345;

    for (size_t i = 0; i < sizeof r->word / sizeof *r->word; i++) {
        chance = chance * 1664525u + 1013904223u;
        r->word[i] = chance;
    }
}

void fake_idf_power_on(struct nor_flash *nor, int running, esp_reset_reason_t reset)
{
    memset(&otapult_esp_board, 0, sizeof otapult_esp_board);
    fake_idf = (struct fake_idf){.nor = nor, .running = running, .reset = reset, .random = 1};
    nor->elapse = flash_takes_time;
    if (reset == ESP_RST_POWERON || reset == ESP_RST_BROWNOUT)
        lose_memory(&otapult_esp_retained);
}

/* ---- errors, log, time, chance ---- */

const char *esp_err_to_name(esp_err_t code)
{
    static const struct {
        esp_err_t code;
        const char *name;
    } names[] = {
        {ESP_OK, "ESP_OK"},
        {ESP_FAIL, "ESP_FAIL"},
        {ESP_ERR_TIMEOUT, "ESP_ERR_TIMEOUT"},
        {ESP_ERR_OTA_VALIDATE_FAILED, "ESP_ERR_OTA_VALIDATE_FAILED"},
        {ESP_ERR_HTTPD_HANDLERS_FULL, "ESP_ERR_HTTPD_HANDLERS_FULL"},
    };

    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (names[i].code == code)
            return names[i].name;
    return "UNKNOWN ERROR";
}

void fake_log(char level, const char *tag, const char *format, ...)
{
    char line[256];
    va_list args;
    size_t used = strlen(fake_idf.log);

    va_start(args, format);
    vsnprintf(line, sizeof line, format, args);
    va_end(args);
    snprintf(fake_idf.log + used, sizeof fake_idf.log - used, "%c %s: %s\n", level, tag, line);
    if (fake_idf.loud)
        fprintf(stderr, "%c %s: %s\n", level, tag, line);
}

int64_t esp_timer_get_time(void)
{
    return (int64_t)(fake_idf.clock != NULL ? fake_idf.clock(fake_idf.clock_ctx) : fake_idf.now_us);
}

const char *fake_key_digests(void)
{
    return fake_idf.key_digests != NULL ? fake_idf.key_digests : "";
}

void bootloader_random_enable(void)
{
    if (fake_idf.radio_on || fake_idf.adc_noise)
        fake_idf_punish("the ADC's noise is switched on while the radio is, or twice");
    fake_idf.adc_noise = true;
    fake_idf.adc_noises++;
}

void bootloader_random_disable(void)
{
    if (!fake_idf.adc_noise)
        fake_idf_punish("the ADC's noise is switched off that is not on");
    fake_idf.adc_noise = false;
}

void esp_fill_random(void *buf, size_t len)
{
    uint8_t *p = buf;

    if (!fake_idf.radio_on && !fake_idf.adc_noise)
        fake_idf_punish("weak random numbers");
    while (len-- > 0) {
        fake_idf.random = fake_idf.random * 1664525u + 1013904223u;
        *p++ = (uint8_t)(fake_idf.random >> 24);
    }
}

esp_err_t esp_efuse_mac_get_default(uint8_t *mac)
{
    memcpy(mac, "\x84\xfc\xe6\xa1\xb2\xc3", 6);
    return ESP_OK;
}

void esp_chip_info(esp_chip_info_t *out_info)
{
    *out_info = (esp_chip_info_t){.model = CHIP_ESP32S3, .revision = 2, .cores = 2};
}

uint32_t efuse_hal_blk_version(void)
{
    return BOOT_CHIP_BLOCK_REVISION;
}

bool efuse_hal_get_disable_blk_version_major(void)
{
    return fake_idf.any_block_revision;
}

esp_reset_reason_t esp_reset_reason(void)
{
    return fake_idf.reset;
}

void esp_restart(void)
{
    fake_idf.restarted = true;
    if (fake_idf.now != NULL)
        longjmp(fake_idf.now->sleep, 1);
    if (fake_idf.on_restart != NULL)
        longjmp(*fake_idf.on_restart, 1);
    fake_idf_punish("a restart nobody waits for");
}

/* ---- FreeRTOS ---- */

TaskHandle_t xTaskCreateStatic(TaskFunction_t code, const char *name, uint32_t depth, void *arg,
                               UBaseType_t priority, StackType_t *stack, StaticTask_t *task)
{
    (void)priority;
    if (stack == NULL || task == NULL)
        return NULL;
    if (fake_idf.tasks == FAKE_TASKS)
        fake_idf_punish("too many tasks");
    memset(stack, 0xA5, depth); /* the memory must be there */
    struct fake_task *t = &fake_idf.task[fake_idf.tasks++];
    *t = (struct fake_task){.name = name, .code = code, .arg = arg, .stack = depth};
    return t;
}

void fake_task_run(struct fake_task *task)
{
    struct fake_task *before = fake_idf.now;

    if (task->running)
        fake_idf_punish("a task runs itself");
    task->running = true;
    fake_idf.now = task;
    if (setjmp(task->sleep) == 0)
        task->code(task->arg);
    task->running = false;
    fake_idf.now = before;
}

void fake_tasks_run(void)
{
    for (unsigned n = 0; n < fake_idf.tasks && !fake_idf.restarted; n++)
        fake_task_run(&fake_idf.task[n]);
}

uint32_t ulTaskNotifyTake(BaseType_t clear, TickType_t ticks)
{
    struct fake_task *task = fake_idf.now;
    (void)ticks;

    if (task == NULL)
        fake_idf_punish("the test waits for a notification");
    uint32_t n = task->notified;
    if (n == 0)
        longjmp(task->sleep, 1);
    task->notified = clear == pdTRUE ? 0 : n - 1;
    return n;
}

BaseType_t xTaskNotifyGive(TaskHandle_t task)
{
    task->notified++;
    return pdTRUE;
}

void vTaskDelay(TickType_t ticks)
{
    if (fake_idf.mutexes_held > 0)
        fake_idf_punish("a delay under the lock");
    fake_idf.ticks_slept += ticks;
    fake_idf_pass((uint64_t)ticks * 1000000u / CONFIG_FREERTOS_HZ);
    if (fake_idf.now == NULL) /* the main task waits: the servers' run */
        fake_httpd_work();
}

SemaphoreHandle_t xSemaphoreCreateMutexStatic(StaticSemaphore_t *memory)
{
    memory->fake = 0;
    return (SemaphoreHandle_t)(void *)memory;
}

BaseType_t xSemaphoreTake(SemaphoreHandle_t mutex, TickType_t ticks)
{
    StaticSemaphore_t *m = (StaticSemaphore_t *)(void *)mutex;

    if (m == NULL || (m->fake != 0 && ticks == portMAX_DELAY))
        fake_idf_punish("a deadlock");
    if (m->fake != 0)
        return pdFALSE;
    m->fake = 1;
    fake_idf.mutexes_held++;
    return pdTRUE;
}

BaseType_t xSemaphoreGive(SemaphoreHandle_t mutex)
{
    StaticSemaphore_t *m = (StaticSemaphore_t *)(void *)mutex;

    if (m == NULL || m->fake == 0)
        fake_idf_punish("giving what was not taken");
    m->fake = 0;
    fake_idf.mutexes_held--;
    return pdTRUE;
}

esp_err_t esp_task_wdt_status(TaskHandle_t task_handle)
{
    (void)task_handle;
    return fake_idf.watched ? ESP_OK : ESP_ERR_NOT_FOUND;
}

esp_err_t esp_task_wdt_reset(void)
{
    if (!fake_idf.watched)
        fake_idf_punish("feeding a watchdog that is not there: ESP-IDF logs an error each time");
    fake_idf.watchdog_fed++;
    return ESP_OK;
}

/* ---- NVS ---- */

#define HANDLE       7u
#define VAULT_HANDLE 8u
#define VAULT        "otapult"

static struct store *store_of(nvs_handle_t handle)
{
    return handle == VAULT_HANDLE ? &fake_idf.vault : &fake_idf.store;
}

static esp_err_t check_nvs(nvs_handle_t handle, const char *key)
{
    if (fake_idf.mutexes_held > 0)
        fake_idf_punish("NVS under the lock");
    if (!(handle == HANDLE && fake_idf.nvs_open) && !(handle == VAULT_HANDLE && fake_idf.vault_open))
        return ESP_ERR_NVS_INVALID_HANDLE;
    if (key != NULL && (strlen(key) == 0 || strlen(key) > STORE_KEY_MAX))
        return ESP_ERR_NVS_KEY_TOO_LONG;
    return handle == VAULT_HANDLE ? fake_idf.vault_error : fake_idf.nvs_error;
}

esp_err_t nvs_flash_init_partition(const char *label)
{
    const esp_partition_t *p =
        esp_partition_find_first(ESP_PARTITION_TYPE_DATA, ESP_PARTITION_SUBTYPE_DATA_NVS, label);

    if (p == NULL)
        return ESP_ERR_NOT_FOUND;
    if (strcmp(label, VAULT) != 0)
        fake_idf_punish("a partition that the fake does not know");
    if (fake_idf.vault_error != ESP_OK)
        return fake_idf.vault_error;
    fake_idf.vault = (struct store){.nor = fake_idf.nor, .base = p->address, .size = p->size};
    fake_idf.vault_up = true;
    return ESP_OK;
}

esp_err_t nvs_open_from_partition(const char *label, const char *namespace_name, nvs_open_mode_t open_mode,
                                  nvs_handle_t *out_handle)
{
    (void)open_mode;
    if (strcmp(label, VAULT) != 0 || !fake_idf.vault_up)
        return ESP_ERR_NVS_PART_NOT_FOUND;
    if (strlen(namespace_name) > STORE_KEY_MAX)
        return ESP_ERR_NVS_KEY_TOO_LONG;
    fake_idf.vault_open = true;
    *out_handle = VAULT_HANDLE;
    return ESP_OK;
}

esp_err_t nvs_flash_init(void)
{
    const esp_partition_t *p =
        esp_partition_find_first(ESP_PARTITION_TYPE_DATA, ESP_PARTITION_SUBTYPE_DATA_NVS, "nvs");

    if (p == NULL)
        return ESP_ERR_NOT_FOUND;
    if (fake_idf.nvs_error != ESP_OK)
        return fake_idf.nvs_error;
    fake_idf.store = (struct store){.nor = fake_idf.nor, .base = p->address, .size = p->size};
    fake_idf.nvs_up = true;
    return ESP_OK;
}

esp_err_t nvs_open(const char *namespace_name, nvs_open_mode_t open_mode, nvs_handle_t *out_handle)
{
    (void)open_mode;
    if (!fake_idf.nvs_up)
        return ESP_ERR_NVS_NOT_INITIALIZED;
    if (strlen(namespace_name) > STORE_KEY_MAX)
        return ESP_ERR_NVS_KEY_TOO_LONG;
    fake_idf.nvs_open = true;
    *out_handle = HANDLE;
    return ESP_OK;
}

esp_err_t nvs_get_blob(nvs_handle_t handle, const char *key, void *out_value, size_t *length)
{
    uint8_t value[STORE_VALUE_MAX];
    size_t len = 0;
    esp_err_t err = check_nvs(handle, key);

    if (err == ESP_OK && store_get(store_of(handle), key, value, sizeof value, &len) != 0)
        err = ESP_ERR_FLASH_BASE + 1;
    if (err == ESP_OK && len == 0)
        err = ESP_ERR_NVS_NOT_FOUND;
    if (err != ESP_OK)
        return err;
    bool fits = out_value == NULL || *length >= len;
    if (out_value != NULL && fits)
        memcpy(out_value, value, len);
    *length = len;
    return fits ? ESP_OK : ESP_ERR_NVS_INVALID_LENGTH;
}

esp_err_t nvs_set_blob(nvs_handle_t handle, const char *key, const void *value, size_t length)
{
    esp_err_t err = check_nvs(handle, key);

    if (err == ESP_OK && (length == 0 || length > STORE_VALUE_MAX))
        fake_idf_punish("a value of a size that the port never stores");
    if (err == ESP_OK && store_set(store_of(handle), key, value, length) != 0)
        err = ESP_ERR_NVS_NOT_ENOUGH_SPACE;
    return err;
}

esp_err_t nvs_erase_key(nvs_handle_t handle, const char *key)
{
    uint8_t value[1];
    size_t len = 0;
    esp_err_t err = check_nvs(handle, key);

    if (err == ESP_OK && store_get(store_of(handle), key, value, sizeof value, &len) == 0 && len == 0)
        err = ESP_ERR_NVS_NOT_FOUND;
    if (err == ESP_OK && store_set(store_of(handle), key, NULL, 0) != 0)
        err = ESP_ERR_NVS_NOT_ENOUGH_SPACE;
    return err;
}

esp_err_t nvs_commit(nvs_handle_t handle)
{
    return check_nvs(handle, NULL);
}

void nvs_close(nvs_handle_t handle)
{
    if (handle == HANDLE)
        fake_idf.nvs_open = false;
}

/* ---- sockets ---- */

/* Odd sockets speak IPv4 to a server that listens on it alone; even ones IPv6. */
int fake_getpeername(int fd, struct sockaddr *peer, socklen_t *len)
{
    struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_addr = {0}};
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6};

    if (fd < 0 || *len < sizeof v6)
        return -1;
    memcpy(&v4.sin_addr, (const uint8_t[]){10, 0, 0, 7}, 4);
    v6.sin6_addr.s6_addr[0] = 0xFE;
    v6.sin6_addr.s6_addr[15] = 9;
    memcpy(peer, fd % 2 != 0 ? (const void *)&v4 : (const void *)&v6, fd % 2 != 0 ? sizeof v4 : sizeof v6);
    return 0;
}
