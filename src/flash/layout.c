/* SPDX-License-Identifier: Apache-2.0 */
#include "flash/layout.h"

#include "base/text.h"

/* Every entry is compared with every later one: a table has 95 at most, is looked at once a start, and
 * sorting would need memory. Names are never compared, because nothing finds a partition by its name but the
 * application.
 *
 * The first fault is enough: such a table takes no update, and a person has to look at it. */

#define APP_ALIGNMENT 0x10000u /* the flash is mapped by pages of 64 KB */
#define SECTOR        0x1000u

/* By differences: offset + size of a hostile table may wrap around 32 bits, and the ranges would seem apart.
 */
bool otapult_ranges_meet(uint32_t a, uint32_t a_size, uint32_t b, uint32_t b_size)
{
    if (a_size == 0 || b_size == 0)
        return false;
    return a < b ? b - a < a_size : a - b < b_size;
}

static int fault(int err, const struct otapult_partition *p, const struct otapult_partition *other,
                 struct otapult_finding *why, char text[OTAPULT_LAYOUT_TEXT])
{
    struct otapult_text t;

    otapult_text_init(&t, text, OTAPULT_LAYOUT_TEXT);
    otapult_text_str(&t, p->label);
    if (other != NULL) {
        otapult_text_str(&t, ", ");
        otapult_text_str(&t, other->label);
    }
    *why = (struct otapult_finding){
        .at = other != NULL ? other->offset : p->offset, .want = APP_ALIGNMENT, .text = text};
    return err;
}

static bool meet(const struct otapult_partition *a, const struct otapult_partition *b)
{
    return otapult_ranges_meet(a->offset, a->size, b->offset, b->size);
}

/* The core or the bootloader finds such a partition by its type, not by its name: two would be ambiguous. */
static bool is_one_of_a_kind(const struct otapult_partition *p)
{
    return p->type == OTAPULT_PART_APP ||
           (p->type == OTAPULT_PART_DATA && p->subtype == OTAPULT_PART_DATA_OTA);
}

/* Two entries for one slot are worse than an overlap and asked for first: the bootloader takes the last one,
 * the application the first, so each would be right about another image. */
static int check_pair(const struct otapult_partition *p, const struct otapult_partition *other,
                      struct otapult_finding *why, char text[OTAPULT_LAYOUT_TEXT])
{
    if (is_one_of_a_kind(p) && p->type == other->type && p->subtype == other->subtype)
        return fault(OTAPULT_E_SLOT_TWICE, p, other, why, text);
    return meet(p, other) ? fault(OTAPULT_E_SLOTS_OVERLAP, p, other, why, text) : 0;
}

/* What is in no table, but in every flash: the bootloader, somewhere below the table, and the table's own
 * sector. The bootloader begins at 0, 0x1000 or 0x2000, by chip, so all below the table counts as its own. */
static int check_start(const struct otapult_layout *l, const struct otapult_partition *p,
                       struct otapult_finding *why, char text[OTAPULT_LAYOUT_TEXT])
{
    const struct otapult_partition bootloader = {.size = l->table_at, .label = "bootloader"};
    const struct otapult_partition table = {
        .offset = l->table_at, .size = SECTOR, .label = "partition table"};

    if (p->type == OTAPULT_PART_BOOTLOADER || p->type == OTAPULT_PART_TABLE)
        return 0;
    if (meet(p, &bootloader))
        return fault(OTAPULT_E_SLOTS_OVERLAP, &bootloader, p, why, text);
    return meet(p, &table) ? fault(OTAPULT_E_SLOTS_OVERLAP, &table, p, why, text) : 0;
}

/* Bootloader and application count such a slot like any other, so it cannot be left out. */
static int check_size(const struct otapult_partition *p, struct otapult_finding *why,
                      char text[OTAPULT_LAYOUT_TEXT])
{
    if (p->type != OTAPULT_PART_APP || p->size >= SECTOR)
        return 0;
    int err = fault(OTAPULT_E_SLOT_TOO_SMALL, p, NULL, why, text);
    why->got = p->size;
    why->want = SECTOR;
    return err;
}

static int check_entry(const struct otapult_layout *l, unsigned n, const struct otapult_partition *p,
                       struct otapult_finding *why, char text[OTAPULT_LAYOUT_TEXT])
{
    struct otapult_partition other;

    if (p->type == OTAPULT_PART_APP && p->offset % APP_ALIGNMENT != 0)
        return fault(OTAPULT_E_SLOT_ALIGNMENT, p, NULL, why, text);
    int err = check_size(p, why, text);
    if (err == 0)
        err = check_start(l, p, why, text);
    for (unsigned m = n + 1; err == 0 && l->entry(l->ctx, m, &other); m++)
        err = check_pair(p, &other, why, text);
    return err;
}

int otapult_layout_fault(const struct otapult_layout *l, struct otapult_finding *why,
                         char text[OTAPULT_LAYOUT_TEXT])
{
    struct otapult_partition p;
    int err = 0;

    *why = (struct otapult_finding){0};
    for (unsigned n = 0; err == 0 && l->entry(l->ctx, n, &p); n++)
        err = check_entry(l, n, &p, why, text);
    return err;
}
