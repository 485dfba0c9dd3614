/* SPDX-License-Identifier: Apache-2.0 */
#include "survey.h"

#include <stdio.h>
#include <string.h>

#include "flash/layout.h"
#include "otapult/otapult.h"

/* The judge's error says what kind of file it is, and so where to look: the recogniser has done the hard
 * part. A merged image is followed through its partition table: only that says where its images lie. */

#define PAGE        0x1000u
#define TABLES_FROM 0x8000u
#define TABLES_TO   0x10000u

static void add_image(struct survey *s, const uint8_t *data, size_t size, uint32_t at)
{
    if (s->image_count == SURVEY_IMAGES || at >= size || !is_image(data + at, size - at))
        return;
    anatomy_of(data, at, size, &s->image[s->image_count++]);
}

static void look_image(struct survey *s, const uint8_t *data, size_t size)
{
    add_image(s, data, size, 0);
}

static void look_bootloader(struct survey *s, const uint8_t *data, size_t size)
{
    add_image(s, data, size, 0);
    s->image[0].bootloader = true;
}

static size_t table_room(size_t size, uint32_t at)
{
    size_t left = at < size ? size - at : 0;
    return left < OTAPULT_TABLE_SIZE ? left : OTAPULT_TABLE_SIZE;
}

static void read_table(struct survey *s, const uint8_t *data, size_t size, uint32_t at)
{
    s->table = data + at;
    s->table_at = at;
    s->fault = otapult_table_verify(s->table, table_room(size, at), 0, &s->partitions);
    if (s->fault != OTAPULT_TABLE_OK)
        s->partitions = 0;
}

static void look_table(struct survey *s, const uint8_t *data, size_t size)
{
    read_table(s, data, size, 0);
}

static void read_ota_data(struct survey *s, const uint8_t *data, size_t size, uint32_t at)
{
    if (at >= size || size - at < OTAPULT_OTA_DATA_SECTOR + OTAPULT_OTA_RECORD_SIZE)
        return;
    s->has_ota_data = true;
    s->ota_data_at = at;
    otapult_ota_decode(data + at, &s->ota_data.record[0]);
    otapult_ota_decode(data + at + OTAPULT_OTA_DATA_SECTOR, &s->ota_data.record[1]);
}

static void look_ota_data(struct survey *s, const uint8_t *data, size_t size)
{
    read_ota_data(s, data, size, 0);
}

/* Where the chip's boot ROM looks for a bootloader: 0 on most, 0x1000 on ESP32 and S2, 0x2000 on P4, C5. */
static void find_bootloader(struct survey *s, const uint8_t *data, size_t size)
{
    for (uint32_t at = 0; at <= 2 * PAGE && s->image_count == 0; at += PAGE)
        add_image(s, data, size, at);
    s->image[0].bootloader = true;
}

static void find_table(struct survey *s, const uint8_t *data, size_t size)
{
    for (uint32_t at = TABLES_FROM; at < size && at <= TABLES_TO; at += PAGE) {
        read_table(s, data, size, at);
        if (s->fault == OTAPULT_TABLE_OK)
            return;
    }
    s->table = NULL;
}

static void look_merged(struct survey *s, const uint8_t *data, size_t size)
{
    find_bootloader(s, data, size);
    find_table(s, data, size);
    if (s->table == NULL) {
        add_image(s, data, size, TABLES_TO);
        return;
    }
    for (unsigned n = 0; n < s->partitions; n++) {
        struct otapult_partition p;
        otapult_table_entry(s->table, n, &p);
        if (p.type == OTAPULT_PART_APP)
            add_image(s, data, size, p.offset);
        else if (p.type == OTAPULT_PART_DATA && p.subtype == OTAPULT_PART_DATA_OTA)
            read_ota_data(s, data, size, p.offset);
    }
}

static const struct kind {
    int err;
    const char *word;
    void (*look)(struct survey *s, const uint8_t *data, size_t size);
} kinds[] = {
    {OTAPULT_OK, "app", look_image},
    {OTAPULT_E_IMAGE_TOO_LARGE, "app", look_image},
    {OTAPULT_E_IMAGE_TRUNCATED, "app", look_image},
    {OTAPULT_E_IMAGE_WRONG_CHIP, "app", look_image},
    {OTAPULT_E_IMAGE_CHIP_REVISION, "app", look_image},
    {OTAPULT_E_IMAGE_SEGMENT, "app", look_image},
    {OTAPULT_E_IMAGE_NO_DESCRIPTION, "app", look_image},
    {OTAPULT_E_IMAGE_CHECKSUM, "app", look_image},
    {OTAPULT_E_IMAGE_HASH, "app", look_image},
    {OTAPULT_E_IMAGE_NO_HASH, "app", look_image},
    {OTAPULT_E_IMAGE_TRAILING, "app", look_image},
    {OTAPULT_E_SIGNATURE_WRONG, "app", look_image},
    {OTAPULT_E_IMAGE_BOOTLOADER, "bootloader", look_bootloader},
    {OTAPULT_E_IMAGE_MERGED, "merged", look_merged},
    {OTAPULT_E_IMAGE_MERGED_CHIP, "merged", look_merged},
    {OTAPULT_E_FILE_PARTITION_TABLE, "partition_table", look_table},
    {OTAPULT_E_FILE_OTA_DATA, "ota_data", look_ota_data},
};

static const struct kind *kind_of(int err)
{
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        if (kinds[i].err == err)
            return &kinds[i];
    }
    return NULL;
}

const char *survey_kind(int err)
{
    const struct kind *kind = kind_of(err);
    return kind != NULL ? kind->word : "other";
}

void survey(struct survey *s, int err, const uint8_t *data, size_t size)
{
    const struct kind *kind = kind_of(err);
    *s = (struct survey){0};
    if (kind != NULL)
        kind->look(s, data, size);
}

int survey_boot_slot(const struct survey *s)
{
    int slots = s->partitions > 0 ? otapult_table_ota_slots(s->table, s->partitions) : 0;
    int active = s->has_ota_data ? otapult_ota_active(&s->ota_data) : -1;
    if (slots == 0 || active < 0)
        return -1;
    return otapult_ota_slot_of(s->ota_data.record[active].seq, slots);
}

/* A table in a file of its own does not say where it lies in flash: ESP-IDF's usual place is assumed. */
static const char *misplaced(const struct survey *s)
{
    static char detail[192];
    char text[OTAPULT_LAYOUT_TEXT];
    struct otapult_finding why;
    struct otapult_table table = {s->table, s->partitions};
    const struct otapult_layout layout = {.entry = otapult_table_next,
                                          .ctx = &table,
                                          .table_at = s->table_at != 0 ? s->table_at : OTAPULT_TABLE_OFFSET};
    int err = otapult_layout_fault(&layout, &why, text);
    if (err == 0)
        return NULL;
    otapult_detail(err, &why, NULL, detail, sizeof detail);
    return detail;
}

/* Two slots take turns. One is enough beside a factory app, which runs while the slot is written. */
static const char *few_slots(const struct survey *s)
{
    struct otapult_partition factory;
    int slots = otapult_table_ota_slots(s->table, s->partitions);

    if (slots == 0)
        return "it has no OTA slots, two are needed";
    if (slots > 1 ||
        otapult_table_find(s->table, s->partitions, OTAPULT_PART_APP, OTAPULT_PART_APP_FACTORY, &factory))
        return NULL;
    return "it has one OTA slot, two are needed";
}

const char *table_lacks(const struct survey *s)
{
    struct otapult_partition p;
    if (s->fault != OTAPULT_TABLE_OK)
        return otapult_table_fault_text(s->fault);
    const char *layout = misplaced(s);
    if (layout != NULL)
        return layout;
    const char *slots = few_slots(s);
    if (slots != NULL)
        return slots;
    if (!otapult_table_find(s->table, s->partitions, OTAPULT_PART_DATA, OTAPULT_PART_DATA_OTA, &p))
        return "it has no otadata partition";
    return p.size == OTAPULT_OTA_DATA_SIZE ? NULL : "its otadata partition is not 0x2000 bytes long";
}

void partition_type(const struct otapult_partition *p, char dst[PARTITION_NAME])
{
    static const char *const names[] = {"app", "data", "bootloader", "table"};
    if (p->type < sizeof names / sizeof names[0])
        snprintf(dst, PARTITION_NAME, "%s", names[p->type]);
    else
        snprintf(dst, PARTITION_NAME, "0x%02x", p->type);
}

/* ESP-IDF v6.0.2, components/partition_table/gen_esp32part.py. */
static const struct {
    uint8_t type, subtype;
    const char *name;
} subtypes[] = {
    {0, 0x00, "factory"},   {0, 0x20, "test"},     {1, 0x00, "ota"},      {1, 0x01, "phy"},
    {1, 0x02, "nvs"},       {1, 0x03, "coredump"}, {1, 0x04, "nvs_keys"}, {1, 0x05, "efuse"},
    {1, 0x06, "undefined"}, {1, 0x80, "esphttpd"}, {1, 0x81, "fat"},      {1, 0x82, "spiffs"},
    {1, 0x83, "littlefs"},
};

void partition_subtype(const struct otapult_partition *p, char dst[PARTITION_NAME])
{
    unsigned slot = p->subtype - (unsigned)OTAPULT_PART_APP_OTA_0;
    if (p->type == OTAPULT_PART_APP && slot < OTAPULT_SLOTS_MAX) {
        snprintf(dst, PARTITION_NAME, "ota_%u", slot);
        return;
    }
    snprintf(dst, PARTITION_NAME, "0x%02x", p->subtype);
    for (size_t i = 0; i < sizeof subtypes / sizeof subtypes[0]; i++) {
        if (subtypes[i].type == p->type && subtypes[i].subtype == p->subtype)
            snprintf(dst, PARTITION_NAME, "%s", subtypes[i].name);
    }
}
