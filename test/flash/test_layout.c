/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "flash/layout.h"

/* Where entries of a table may lie. The oracle counts, page by page, who lies there. */

struct list {
    unsigned count;
    struct otapult_partition part[8];
};

static bool entry(void *ctx, unsigned n, struct otapult_partition *out)
{
    const struct list *l = ctx;

    if (n >= l->count)
        return false;
    *out = l->part[n];
    return true;
}

static char text[OTAPULT_LAYOUT_TEXT];
static struct otapult_finding why;

static int check_at(struct list *l, uint32_t table_at)
{
    const struct otapult_layout layout = {.entry = entry, .ctx = l, .table_at = table_at};

    memset(text, 0x55, sizeof text);
    return otapult_layout_fault(&layout, &why, text);
}

static int check(struct list *l)
{
    return check_at(l, OTAPULT_TABLE_OFFSET);
}

#define NVS                            \
    {                                  \
        1, 2, 0x9000, 0x5000, "nvs", 0 \
    }
#define OTADATA                            \
    {                                      \
        1, 0, 0xE000, 0x2000, "otadata", 0 \
    }
#define APP0                                  \
    {                                         \
        0, 0x10, 0x10000, 0x100000, "app0", 0 \
    }
#define APP1                                   \
    {                                          \
        0, 0x11, 0x110000, 0x100000, "app1", 0 \
    }
#define STANDARD NVS, OTADATA, APP0, APP1

static void a_standard_table_is_fit(void **state)
{
    (void)state;
    struct list l = {4, {STANDARD}};

    assert_int_equal(check(&l), 0);
    assert_null(why.text);
}

static void each_fault_by_its_name(void **state)
{
    (void)state;
    static const struct {
        struct otapult_partition part; /* behind the standard ones */
        int err;
        const char *text;
        uint32_t at;
    } cases[] = {
        {{1, 0x82, 0x210000, 0x1000, "data", 0}, 0, NULL, 0},
        {{1, 0x82, 0x20F000, 0x1000, "data", 0}, OTAPULT_E_SLOTS_OVERLAP, "app1, data", 0x20F000},
        {{1, 0x82, 0x200000, 0, "data", 0}, 0, NULL, 0}, /* lies nowhere */
        {{1, 0x82, 0xF000, 0x1000, "data", 0}, OTAPULT_E_SLOTS_OVERLAP, "otadata, data", 0xF000},
        {{1, 0x82, 0x8000, 0x1000, "data", 0}, OTAPULT_E_SLOTS_OVERLAP, "partition table, data", 0x8000},
        {{1, 0x82, 0x7000, 0x1000, "data", 0}, OTAPULT_E_SLOTS_OVERLAP, "bootloader, data", 0x7000},
        {{0, 0x12, 0, 0x8000, "app2", 0}, OTAPULT_E_SLOTS_OVERLAP, "bootloader, app2", 0},
        {{0, 0x12, 0x211000, 0x10000, "app2", 0}, OTAPULT_E_SLOT_ALIGNMENT, "app2", 0x211000},
        {{0, 0x12, 0x210000, 0x10000, "app2", 0}, 0, NULL, 0},
        {{0, 0x12, 0x210000, 0, "app2", 0}, OTAPULT_E_SLOT_TOO_SMALL, "app2", 0x210000},
        {{0, 0x12, 0x210000, 0xFFF, "app2", 0}, OTAPULT_E_SLOT_TOO_SMALL, "app2", 0x210000},
        {{0, 0x12, 0x210000, 0x1000, "app2", 0}, 0, NULL, 0},
        {{0, 0x11, 0x210000, 0x10000, "again", 0}, OTAPULT_E_SLOT_TWICE, "app1, again", 0x210000},
        {{1, 0x00, 0x210000, 0x2000, "again", 0}, OTAPULT_E_SLOT_TWICE, "otadata, again", 0x210000},
        {{1, 0x02, 0x210000, 0x2000, "nvs2", 0}, 0, NULL, 0}, /* found by its name */
        {{2, 0x00, 0, 0x8000, "bootloader", 0}, 0, NULL, 0},  /* ESP-IDF's own types for them */
        {{3, 0x00, 0x8000, 0x1000, "table", 0}, 0, NULL, 0},
        {{2, 0x01, 0x10000, 0x8000, "spare", 0}, OTAPULT_E_SLOTS_OVERLAP, "app0, spare", 0x10000},
        {{0x40, 0, UINT32_MAX, UINT32_MAX, "far", 0}, 0, NULL, 0}, /* no sum wraps */
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct list l = {5, {STANDARD, cases[i].part}};
        assert_int_equal(check(&l), cases[i].err);
        if (cases[i].err == 0)
            continue;
        assert_string_equal(why.text, cases[i].text);
        assert_int_equal(why.at, cases[i].at);
    }
}

static void the_table_may_lie_elsewhere(void **state)
{
    (void)state;
    struct list l = {4, {STANDARD}};

    assert_int_equal(check_at(&l, 0x9000), OTAPULT_E_SLOTS_OVERLAP);
    assert_string_equal(why.text, "partition table, nvs");
    assert_int_equal(check_at(&l, 0xD000), OTAPULT_E_SLOTS_OVERLAP);
    assert_string_equal(why.text, "bootloader, nvs");
}

static void long_labels_fit(void **state)
{
    (void)state;
    struct list l = {2,
                     {{1, 0x82, 0x10000, 0x1000, "sixteen_letters_", 0},
                      {1, 0x82, 0x10000, 0x1000, "SIXTEEN_LETTERS_", 0}}};

    assert_int_equal(check(&l), OTAPULT_E_SLOTS_OVERLAP);
    assert_string_equal(why.text, "sixteen_letters_, SIXTEEN_LETTERS_");
}

/* ---- the oracle ---- */

#define PAGES 64u

static uint32_t rng = 12345;

static uint32_t any(uint32_t n)
{
    rng = rng * 1664525u + 1013904223u;
    return (rng >> 16) % n;
}

static bool oracle_overlaps(const struct list *l)
{
    unsigned owners[PAGES] = {0};
    bool twice = false;

    for (unsigned page = 0; page < 9; page++)
        owners[page] = 1;
    for (unsigned n = 0; n < l->count; n++)
        for (uint32_t page = l->part[n].offset / 0x1000; page * 0x1000 < l->part[n].offset + l->part[n].size;
             page++)
            twice |= ++owners[page] > 1;
    return twice;
}

static void overlaps_are_what_an_oracle_says(void **state)
{
    (void)state;
    unsigned bad = 0;

    for (unsigned round = 0; round < 20000; round++) {
        struct list l = {1 + any(4), {{0}}};
        for (unsigned n = 0; n < l.count; n++) {
            uint32_t first = any(PAGES), pages = any(PAGES - first < 12 ? PAGES - first + 1 : 12);
            l.part[n] = (struct otapult_partition){
                .type = 1, .subtype = 0x82, .offset = first * 0x1000, .size = pages * 0x1000, .label = "p"};
        }
        bool overlaps = oracle_overlaps(&l);
        assert_int_equal(check(&l), overlaps ? OTAPULT_E_SLOTS_OVERLAP : 0);
        bad += overlaps;
    }
    assert_in_range(bad, 2000, 18000); /* the search sees both */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_standard_table_is_fit),          cmocka_unit_test(each_fault_by_its_name),
        cmocka_unit_test(the_table_may_lie_elsewhere),      cmocka_unit_test(long_labels_fit),
        cmocka_unit_test(overlaps_are_what_an_oracle_says),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
