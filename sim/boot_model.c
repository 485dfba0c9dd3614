/* SPDX-License-Identifier: Apache-2.0 */
#include "boot_model.h"

#include <string.h>

#include "base/bytes.h"
#include "boot_image.h"

/* The bootloader as a table of conditions and not as a copy of its code: the order of ESP-IDF's ifs is the
 * order of the rows, the first row that fits decides, and docs/boot.md prints the same rows. A test goes
 * through all combinations, so a row that can never be reached is found.
 *
 * Why a model at all: what a cut leaves in flash says nothing until something boots from it, and a board's
 * bootloader runs on no computer. */

/* ---- the table ---- */

enum { OTA_DATA_NONE = 1, OTA_DATA_BAD = 2, OTA_DATA_GOOD = 4, OTA_DATA_ANY = 7 };
enum { IS_NO = 1, IS_YES = 2, IS_ANY = 3 };
enum { ACTIVE_NONE = 1, ACTIVE_NEW = 2, ACTIVE_OTHER = 4, ACTIVE_ANY = 7 };
enum choice { GO_FACTORY, GO_INDEX_0, GO_ACTIVE, GO_RESET };
enum writes { WRITE_NOTHING, WRITE_PENDING, WRITE_RECORD_0 };

struct conditions {
    uint8_t ota_data, slots, factory, refused, initial, active; /* one bit each; in a row several */
};

struct row {
    struct conditions when;
    enum choice choice;
    enum writes writes;
    const char *name, *why;
};

static const struct row rows[BOOT_CHOICES] = {
#define BOOT_ROW(id, ota_data, slots, factory, refused, initial, active, choice, writes, why)      \
    {{OTA_DATA_##ota_data, IS_##slots, IS_##factory, IS_##refused, IS_##initial, ACTIVE_##active}, \
     GO_##choice,                                                                                  \
     WRITE_##writes,                                                                               \
     #id,                                                                                          \
     why},
#include "boot_table.def"
#undef BOOT_ROW
};

static bool fits(const struct conditions *row, const struct conditions *now)
{
    return (row->ota_data & now->ota_data) && (row->slots & now->slots) && (row->factory & now->factory) &&
           (row->refused & now->refused) && (row->initial & now->initial) && (row->active & now->active);
}

static enum boot_choice_id first_fitting(const struct conditions *now)
{
    int id = 0;
    while (id < BOOT_CHOICES && !fits(&rows[id].when, now))
        id++;
    return (enum boot_choice_id)id;
}

const char *boot_row_name(enum boot_choice_id id)
{
    return id < BOOT_CHOICES ? rows[id].name : "NONE";
}

const char *boot_row_why(enum boot_choice_id id)
{
    return id < BOOT_CHOICES ? rows[id].why : "nothing was chosen";
}

/* ---- what the table looks at ---- */

struct place {
    uint32_t offset, size; /* size 0: there is none */
};

struct boot {
    struct nor_flash *nor;
    struct place ota_data, factory, test, slot[OTAPULT_SLOTS_MAX];
    int count; /* of ota_n entries, whatever their n: the bootloader counts entries */
    uint8_t raw[2][OTAPULT_OTA_RECORD_SIZE];
    struct otapult_ota_data ota;
    struct conditions now;
};

static struct place *place_of(struct boot *b, const struct otapult_partition *p)
{
    if (p->type == OTAPULT_PART_DATA && p->subtype == OTAPULT_PART_DATA_OTA)
        return &b->ota_data;
    if (p->type != OTAPULT_PART_APP)
        return NULL;
    if (p->subtype == OTAPULT_PART_APP_FACTORY)
        return &b->factory;
    if (p->subtype == OTAPULT_PART_APP_TEST)
        return &b->test;
    if ((p->subtype & 0xF0) != OTAPULT_PART_APP_OTA_0)
        return NULL;
    b->count++;
    return &b->slot[p->subtype & 0x0F];
}

/* NULL, or what is wrong with the partition table. */
static const char *read_table(struct boot *b)
{
    uint8_t table[OTAPULT_TABLE_SIZE];
    unsigned entries;
    if (b->nor->size < OTAPULT_TABLE_OFFSET + OTAPULT_TABLE_SIZE ||
        nor_read(b->nor, OTAPULT_TABLE_OFFSET, table, sizeof table) != 0)
        return "the partition table cannot be read";
    enum otapult_table_fault fault =
        otapult_table_verify(table, sizeof table, (uint32_t)b->nor->size, &entries);
    if (fault != OTAPULT_TABLE_OK)
        return otapult_table_fault_text(fault);

    for (unsigned n = 0; n < entries; n++) {
        struct otapult_partition p;
        otapult_table_entry(table, n, &p);
        struct place *place = place_of(b, &p);
        if (place)
            *place = (struct place){p.offset, p.size};
    }
    return NULL;
}

static uint32_t record_address(const struct boot *b, int n)
{
    return b->ota_data.offset + (uint32_t)n * OTAPULT_OTA_DATA_SECTOR;
}

static uint8_t read_ota_data(struct boot *b)
{
    if (b->ota_data.offset == 0)
        return OTA_DATA_NONE;
    if (b->ota_data.size < OTAPULT_OTA_DATA_SIZE || b->ota_data.offset % NOR_SECTOR != 0)
        return OTA_DATA_BAD;
    for (int n = 0; n < 2; n++) {
        if (nor_read(b->nor, record_address(b, n), b->raw[n], OTAPULT_OTA_RECORD_SIZE) != 0)
            return OTA_DATA_BAD;
        otapult_ota_decode(b->raw[n], &b->ota.record[n]);
    }
    return OTA_DATA_GOOD;
}

static bool is_empty(const struct otapult_ota_record *r)
{
    return r->seq == 0xFFFFFFFFu;
}

static bool is_refused(const struct otapult_ota_record *r)
{
    return is_empty(r) || r->state == OTAPULT_OTA_INVALID || r->state == OTAPULT_OTA_ABORTED;
}

static bool is_initial(const struct otapult_ota_record *r)
{
    return is_empty(r) || !r->crc_ok;
}

static uint8_t yes(bool condition)
{
    return condition ? IS_YES : IS_NO;
}

static void look(struct boot *b)
{
    const struct otapult_ota_record *r = b->ota.record;
    int active = otapult_ota_active(&b->ota);
    b->now.slots = yes(b->count > 0);
    b->now.factory = yes(b->factory.offset != 0);
    b->now.refused = yes(is_refused(&r[0]) && is_refused(&r[1]));
    b->now.initial = yes(is_initial(&r[0]) && is_initial(&r[1]));
    b->now.active = ACTIVE_NONE;
    if (active >= 0)
        b->now.active = r[active].state == OTAPULT_OTA_NEW ? ACTIVE_NEW : ACTIVE_OTHER;
}

static int slot_of_choice(const struct boot *b, enum choice choice)
{
    switch (choice) {
    case GO_FACTORY: return OTAPULT_SLOT_FACTORY;
    case GO_INDEX_0: return 0;
    case GO_ACTIVE: return otapult_ota_slot_of(b->ota.record[otapult_ota_active(&b->ota)].seq, b->count);
    case GO_RESET: break;
    }
    return OTAPULT_SLOT_NONE;
}

/* ---- what the bootloader writes: always a sector's erase, then 32 bytes ---- */

/* Like the bootloader, goes on when flash refuses. */
static void write_record(struct boot *b, int n, const uint8_t raw[OTAPULT_OTA_RECORD_SIZE])
{
    uint32_t address = record_address(b, n);
    if (nor_erase(b->nor, address, OTAPULT_OTA_DATA_SECTOR) != 0 ||
        nor_program(b->nor, address, raw, OTAPULT_OTA_RECORD_SIZE) != 0)
        return;
}

/* Every other byte of the record stays, its label and even a wrong CRC. */
static void change_state(struct boot *b, int n, uint32_t state)
{
    otapult_put_le32(b->raw[n] + 24, state);
    b->ota.record[n].state = state;
    write_record(b, n, b->raw[n]);
}

static void abort_pending(struct boot *b)
{
    for (int n = 0; n < 2; n++)
        if (b->ota.record[n].state == OTAPULT_OTA_PENDING)
            change_state(b, n, OTAPULT_OTA_ABORTED);
}

static void write_down(struct boot *b, int slot)
{
    uint8_t raw[OTAPULT_OTA_RECORD_SIZE];
    otapult_ota_encode((uint32_t)slot + 1, OTAPULT_OTA_VALID, raw);
    write_record(b, 0, raw);
}

/* ---- loading ---- */

static bool loads(const struct boot *b, int slot)
{
    const struct place *p = slot == OTAPULT_SLOT_FACTORY ? &b->factory : &b->test;
    if (slot >= 0) {
        if (slot >= b->count || slot >= OTAPULT_SLOTS_MAX)
            return false;
        p = &b->slot[slot];
    }
    return p->size != 0 && !boot_image_fault(b->nor, p->offset, p->size);
}

/* From the chosen one down to the factory app, then up, then the test app. */
static int load(const struct boot *b, int chosen)
{
    for (int slot = chosen; slot >= OTAPULT_SLOT_FACTORY; slot--)
        if (loads(b, slot))
            return slot;
    for (int slot = chosen + 1; slot < b->count && slot < OTAPULT_SLOTS_MAX; slot++)
        if (loads(b, slot))
            return slot;
    return loads(b, OTAPULT_SLOT_TEST) ? OTAPULT_SLOT_TEST : OTAPULT_SLOT_NONE;
}

void boot_model_run(struct nor_flash *nor, struct boot_result *out)
{
    struct boot b = {.nor = nor};
    *out = (struct boot_result){
        .chosen = OTAPULT_SLOT_NONE, .slot = OTAPULT_SLOT_NONE, .row = BOOT_CHOICES, .why = read_table(&b)};
    if (out->why)
        return;

    b.now.ota_data = read_ota_data(&b);
    if (b.now.ota_data == OTA_DATA_GOOD)
        abort_pending(&b);
    look(&b);
    out->row = first_fitting(&b.now);
    out->why = boot_row_why(out->row);
    if (out->row == BOOT_CHOICES || rows[out->row].choice == GO_RESET)
        return;

    out->chosen = slot_of_choice(&b, rows[out->row].choice);
    if (rows[out->row].writes == WRITE_PENDING)
        change_state(&b, otapult_ota_active(&b.ota), OTAPULT_OTA_PENDING);
    out->slot = load(&b, out->chosen);
    out->ok = out->slot != OTAPULT_SLOT_NONE;
    out->fell_back = out->ok && out->slot != out->chosen;
    if (!out->ok)
        out->why = "no app partition holds an image that loads";
    else if (rows[out->row].writes == WRITE_RECORD_0 && out->slot >= 0)
        write_down(&b, out->slot);
}

int boot_model_peek(struct nor_flash *nor)
{
    struct boot b = {.nor = nor};
    if (read_table(&b))
        return OTAPULT_SLOT_NONE;
    b.now.ota_data = read_ota_data(&b);
    look(&b);
    enum boot_choice_id row = first_fitting(&b.now);
    return row < BOOT_CHOICES ? slot_of_choice(&b, rows[row].choice) : OTAPULT_SLOT_NONE;
}
