/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "boot_image.h"
#include "fake_idf.h"

#define RECORD_SIZE OTAPULT_OTA_RECORD_SIZE
#define STATE_AT    24u

/* ---- partitions ---- */

static esp_partition_t as_partition(const struct otapult_partition *p)
{
    esp_partition_t out = {
        .type = (esp_partition_type_t)p->type,
        .subtype = (esp_partition_subtype_t)p->subtype,
        .address = p->offset,
        .size = p->size,
        .erase_size = NOR_SECTOR,
        .encrypted = (p->flags & 1) != 0,
    };
    memcpy(out.label, p->label, sizeof out.label);
    return out;
}

static void read_table(void)
{
    uint8_t table[OTAPULT_TABLE_SIZE];
    struct otapult_partition p;

    if (nor_read(fake_idf.nor, OTAPULT_TABLE_OFFSET, table, sizeof table) != 0 ||
        otapult_table_verify(table, sizeof table, (uint32_t)fake_idf.nor->size, &fake_idf.partitions) !=
            OTAPULT_TABLE_OK)
        fake_idf_punish("no partition table");
    for (unsigned n = 0; n < fake_idf.partitions; n++) {
        otapult_table_entry(table, n, &p);
        fake_idf.partition[n] = as_partition(&p);
    }
}

const esp_partition_t *esp_partition_find_first(esp_partition_type_t type, esp_partition_subtype_t subtype,
                                                const char *label)
{
    if (fake_idf.partitions == 0)
        read_table();
    for (unsigned n = 0; n < fake_idf.partitions; n++) {
        const esp_partition_t *p = &fake_idf.partition[n];
        if ((type == ESP_PARTITION_TYPE_ANY || p->type == type) &&
            (subtype == ESP_PARTITION_SUBTYPE_ANY || p->subtype == subtype) &&
            (label == NULL || strcmp(p->label, label) == 0))
            return p;
    }
    return NULL;
}

struct esp_partition_iterator_opaque_ {
    unsigned n;
};

/* The port asks for all of them. */
esp_partition_iterator_t esp_partition_find(esp_partition_type_t type, esp_partition_subtype_t subtype,
                                            const char *label)
{
    esp_partition_iterator_t at = calloc(1, sizeof *at);

    if (type != ESP_PARTITION_TYPE_ANY || subtype != ESP_PARTITION_SUBTYPE_ANY || label != NULL)
        fake_idf_punish("a search that the fake does not know");
    if (fake_idf.partitions == 0)
        read_table();
    return at;
}

const esp_partition_t *esp_partition_get(esp_partition_iterator_t at)
{
    return &fake_idf.partition[at->n];
}

esp_partition_iterator_t esp_partition_next(esp_partition_iterator_t at)
{
    if (++at->n < fake_idf.partitions)
        return at;
    free(at);
    return NULL;
}

void esp_partition_iterator_release(esp_partition_iterator_t at)
{
    free(at);
}

static bool ends_behind(const esp_partition_t *p, uint32_t off, uint32_t len)
{
    if (ESP_IDF_VERSION < ESP_IDF_VERSION_VAL(5, 4, 0))
        return off + len > p->size;
    return len > p->size - off;
}

static esp_err_t check_range(const esp_partition_t *p, size_t off, size_t len)
{
    if (fake_idf.mutexes_held > 0)
        fake_idf_punish("a flash operation under the lock");
    if (off > p->size)
        return ESP_ERR_INVALID_ARG;
    return ends_behind(p, (uint32_t)off, (uint32_t)len) ? ESP_ERR_INVALID_SIZE : ESP_OK;
}

static bool is_encrypted(const esp_partition_t *p)
{
    return p->encrypted || (fake_idf.encrypted && (p->type == ESP_PARTITION_TYPE_APP ||
                                                   p->subtype == ESP_PARTITION_SUBTYPE_DATA_OTA));
}

/* Before a write or an erase. */
static void check_target(const esp_partition_t *p)
{
    if (p == esp_ota_get_running_partition())
        fake_idf_punish("writing into the running app");
}

esp_err_t esp_partition_read(const esp_partition_t *partition, size_t src_offset, void *dst, size_t size)
{
    esp_err_t err = check_range(partition, src_offset, size);

    if (err != ESP_OK)
        return err;
    int failed = nor_read(fake_idf.nor, partition->address + (uint32_t)src_offset, dst, (uint32_t)size);
    return failed ? ESP_ERR_FLASH_BASE + 1 : ESP_OK;
}

esp_err_t esp_partition_write(const esp_partition_t *partition, size_t dst_offset, const void *src,
                              size_t size)
{
    esp_err_t err = check_range(partition, dst_offset, size);

    if (err != ESP_OK)
        return err;
    check_target(partition);
    if (is_encrypted(partition) && dst_offset % 16 != 0)
        return ESP_ERR_INVALID_ARG;
    if (is_encrypted(partition) && size % 16 != 0)
        return ESP_ERR_INVALID_SIZE;
    int failed = nor_program(fake_idf.nor, partition->address + (uint32_t)dst_offset, src, (uint32_t)size);
    return failed ? ESP_ERR_TIMEOUT : ESP_OK;
}

esp_err_t esp_partition_erase_range(const esp_partition_t *partition, size_t offset, size_t size)
{
    esp_err_t err = check_range(partition, offset, size);

    if (err != ESP_OK)
        return err;
    if (size % partition->erase_size != 0)
        return ESP_ERR_INVALID_SIZE;
    if (offset % partition->erase_size != 0)
        return ESP_ERR_INVALID_ARG;
    check_target(partition);
    int failed = nor_erase(fake_idf.nor, partition->address + (uint32_t)offset, (uint32_t)size);
    return failed ? ESP_ERR_TIMEOUT : ESP_OK;
}

/* ---- OTA data ---- */

struct records {
    const esp_partition_t *partition;
    uint8_t raw[2][RECORD_SIZE];
    struct otapult_ota_record record[2];
};

static const esp_partition_t *app(int subtype)
{
    return esp_partition_find_first(ESP_PARTITION_TYPE_APP, (esp_partition_subtype_t)subtype, NULL);
}

static unsigned slot_count(void)
{
    unsigned n = 0;

    while (app(ESP_PARTITION_SUBTYPE_APP_OTA_MIN + (int)n) != NULL)
        n++;
    return n;
}

/* false: the table has no OTA data. */
static bool read_records(struct records *r)
{
    r->partition = esp_partition_find_first(ESP_PARTITION_TYPE_DATA, ESP_PARTITION_SUBTYPE_DATA_OTA, NULL);
    if (r->partition == NULL)
        return false;
    for (unsigned n = 0; n < 2; n++) {
        if (esp_partition_read(r->partition, n * NOR_SECTOR, r->raw[n], RECORD_SIZE) != ESP_OK)
            return false;
        otapult_ota_decode(r->raw[n], &r->record[n]);
    }
    return true;
}

/* The bootloader's word: no number, or a state that is refused. The CRC does not count here. */
static bool is_refused(const struct otapult_ota_record *r)
{
    return r->seq == 0xFFFFFFFFu || r->state == ESP_OTA_IMG_INVALID || r->state == ESP_OTA_IMG_ABORTED;
}

static bool is_valid(const struct otapult_ota_record *r)
{
    return !is_refused(r) && r->crc_ok;
}

static int active(const struct records *r)
{
    if (is_valid(&r->record[0]) && is_valid(&r->record[1]))
        return r->record[1].seq > r->record[0].seq;
    return is_valid(&r->record[0]) ? 0 : is_valid(&r->record[1]) ? 1 : -1;
}

static unsigned slot_of(const struct otapult_ota_record *r)
{
    return (r->seq - 1u) % slot_count();
}

/* The record's label bytes stay as they are. */
static esp_err_t rewrite(struct records *r, int n, uint32_t seq, uint32_t state)
{
    uint8_t raw[RECORD_SIZE];
    const size_t at = (size_t)n * NOR_SECTOR;

    otapult_ota_encode(seq, state, raw);
    memcpy(raw + 4, r->raw[n] + 4, STATE_AT - 4);
    esp_err_t err = esp_partition_erase_range(r->partition, at, NOR_SECTOR);
    return err == ESP_OK ? esp_partition_write(r->partition, at, raw, sizeof raw) : err;
}

static bool verifies(const esp_partition_t *p)
{
    return boot_image_fault(fake_idf.nor, p->address, p->size) == NULL;
}

static esp_err_t choose(unsigned slot)
{
    struct records r;

    if (!read_records(&r))
        return ESP_ERR_NOT_FOUND;
    if (slot >= slot_count())
        return ESP_ERR_INVALID_ARG;
    const int now = active(&r);
    if (now < 0)
        return rewrite(&r, 0, slot + 1u, ESP_OTA_IMG_NEW);
    if (slot_of(&r.record[now]) == slot && ESP_IDF_VERSION >= ESP_IDF_VERSION_VAL(6, 0, 0))
        return rewrite(&r, now, r.record[now].seq, ESP_OTA_IMG_NEW);
    uint32_t seq = (slot + 1u) % slot_count();
    while (seq < r.record[now].seq)
        seq += slot_count();
    return rewrite(&r, 1 - now, seq, ESP_OTA_IMG_NEW);
}

/* ESP-IDF's way to the factory app. */
static esp_err_t forget_choice(void)
{
    struct records r;

    return read_records(&r) ? esp_partition_erase_range(r.partition, 0, r.partition->size)
                            : ESP_ERR_NOT_FOUND;
}

esp_err_t esp_ota_set_boot_partition(const esp_partition_t *partition)
{
    if (fake_idf.boot_error != ESP_OK)
        return fake_idf.boot_error;
    if (partition == NULL)
        return ESP_ERR_INVALID_ARG;
    if (!verifies(partition))
        return ESP_ERR_OTA_VALIDATE_FAILED;
    if (partition->type != ESP_PARTITION_TYPE_APP)
        return ESP_ERR_INVALID_ARG;
    if (partition->subtype == ESP_PARTITION_SUBTYPE_APP_FACTORY)
        return forget_choice();
    return choose((unsigned)partition->subtype - ESP_PARTITION_SUBTYPE_APP_OTA_MIN);
}

static const esp_partition_t *default_app(void)
{
    const esp_partition_t *p = app(ESP_PARTITION_SUBTYPE_APP_FACTORY);

    for (int n = 0; p == NULL && n < OTAPULT_SLOTS_MAX; n++)
        p = app(ESP_PARTITION_SUBTYPE_APP_OTA_MIN + n);
    return p != NULL ? p : app(ESP_PARTITION_SUBTYPE_APP_TEST);
}

const esp_partition_t *esp_ota_get_boot_partition(void)
{
    struct records r;

    if (!read_records(&r))
        return NULL;
    if ((is_refused(&r.record[0]) && is_refused(&r.record[1])) || slot_count() == 0 || active(&r) < 0)
        return default_app();
    return app(ESP_PARTITION_SUBTYPE_APP_OTA_MIN + (int)slot_of(&r.record[active(&r)]));
}

const esp_partition_t *esp_ota_get_running_partition(void)
{
    switch (fake_idf.running) {
    case OTAPULT_SLOT_FACTORY: return app(ESP_PARTITION_SUBTYPE_APP_FACTORY);
    case OTAPULT_SLOT_TEST: return app(ESP_PARTITION_SUBTYPE_APP_TEST);
    default: return app(ESP_PARTITION_SUBTYPE_APP_OTA_MIN + fake_idf.running);
    }
}

const esp_partition_t *esp_ota_get_next_update_partition(const esp_partition_t *start_from)
{
    const esp_partition_t *first = NULL, *from = start_from;
    bool take = false;

    if (from == NULL)
        from = esp_ota_get_running_partition();
    for (int n = 0; n < OTAPULT_SLOTS_MAX; n++) {
        const esp_partition_t *p = app(ESP_PARTITION_SUBTYPE_APP_OTA_MIN + n);
        if (p != NULL && take)
            return p;
        if (p != NULL && first == NULL)
            first = p;
        take = take || (p != NULL && p == from);
    }
    return first;
}

esp_err_t esp_ota_get_state_partition(const esp_partition_t *partition, esp_ota_img_states_t *ota_state)
{
    struct records r;

    if (partition == NULL || ota_state == NULL)
        return ESP_ERR_INVALID_ARG;
    if (partition->type != ESP_PARTITION_TYPE_APP || partition->subtype < ESP_PARTITION_SUBTYPE_APP_OTA_MIN ||
        partition->subtype >= ESP_PARTITION_SUBTYPE_APP_OTA_MAX)
        return ESP_ERR_NOT_SUPPORTED;
    if (!read_records(&r) || slot_count() == 0)
        return ESP_ERR_NOT_FOUND;
    for (int n = 0; n < 2; n++) {
        if (!r.record[n].crc_ok ||
            slot_of(&r.record[n]) != (unsigned)partition->subtype - ESP_PARTITION_SUBTYPE_APP_OTA_MIN)
            continue;
        *ota_state = (esp_ota_img_states_t)r.record[n].state;
        return ESP_OK;
    }
    return ESP_ERR_NOT_FOUND;
}

static esp_err_t mark(uint32_t state)
{
    struct records r;

    if (!read_records(&r))
        return ESP_ERR_NOT_FOUND;
    const int now = active(&r);
    if (now < 0 || slot_count() == 0)
        return ESP_FAIL;
    if (state == ESP_OTA_IMG_INVALID && !esp_ota_check_rollback_is_possible())
        return ESP_ERR_OTA_ROLLBACK_FAILED;
    if (r.record[now].state == state)
        return ESP_OK;
    return rewrite(&r, now, r.record[now].seq, state);
}

esp_err_t esp_ota_mark_app_valid_cancel_rollback(void)
{
    return mark(ESP_OTA_IMG_VALID);
}

#if ESP_IDF_VERSION >= ESP_IDF_VERSION_VAL(5, 5, 0)
esp_err_t esp_ota_mark_app_invalid_rollback(void)
{
    return mark(ESP_OTA_IMG_INVALID);
}
#endif

bool esp_ota_check_rollback_is_possible(void)
{
    struct records r;

    if (!read_records(&r) || slot_count() == 0 || active(&r) < 0)
        return false;
    const struct otapult_ota_record *other = &r.record[1 - active(&r)];
    const esp_partition_t *p = is_valid(other) ? app(ESP_PARTITION_SUBTYPE_APP_OTA_MIN + (int)slot_of(other))
                                               : app(ESP_PARTITION_SUBTYPE_APP_FACTORY);
    return p != NULL && verifies(p);
}
