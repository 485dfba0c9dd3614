/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "flash/slot_writer.h"
#include "otapult/otapult.h"
#include "ram_flash.h"

#define COUNT(a)  (sizeof(a) / sizeof(a)[0])
#define OLD_IMAGE 0x5A /* what every byte of the slot was before */

struct geometry {
    uint32_t slot, sector, block;
};

static struct ram_flash f;
static struct otapult_slot_writer w;
static uint8_t image[512 * 1024];
static uint32_t dice;

static uint32_t roll(void)
{
    dice = dice * 1664525u + 1013904223u;
    return dice >> 8;
}

static int make_image(void **state)
{
    (void)state;
    dice = 1;
    for (size_t i = 0; i < sizeof image; i++)
        image[i] = (uint8_t)roll();
    image[0] = 0xE9; /* never 0xFF: an unwritten byte must show */
    return 0;
}

static void begin(const struct geometry *g, uint32_t size)
{
    ram_flash_begin(&f, g->slot, g->sector, g->block, OLD_IMAGE);
    otapult_slot_writer_init(&w, &f.flash, size);
    assert_int_equal(f.calls, 0);
}

/* ---- ways to split the input ---- */

enum split { AT_ONCE, BYTEWISE, AT_RANDOM, SPLITS };

static int feed_split(const uint8_t *p, uint32_t len, enum split split)
{
    int err = 0;
    while (len > 0 && err == 0) {
        uint32_t n = split == AT_ONCE ? len : split == BYTEWISE ? 1 : 1 + roll() % (2 * w.flash.sector);
        n = n < len ? n : len;
        err = otapult_slot_writer_feed(&w, p, n);
        p += n;
        len -= n;
    }
    return err;
}

static int write_all(uint32_t len, enum split split)
{
    int err = feed_split(image, len, split);
    if (err == 0)
        err = otapult_slot_writer_flush(&w);
    if (err == 0)
        err = otapult_slot_writer_commit(&w);
    return err;
}

/* ---- the plan: the calls that an image of `len` bytes must cause, worked out ahead ---- */

static size_t add(char *dst, size_t cap, size_t at, char op, uint32_t off, uint32_t len)
{
    int n = snprintf(dst + at, cap - at, "%s%c%u+%u", at > 0 ? " " : "", op, off, len);
    assert_true(n > 0 && (size_t)n < cap - at);
    return at + (size_t)n;
}

static bool whole_block(const struct geometry *g, uint32_t start, uint32_t size)
{
    if (start + g->block > g->slot)
        return false;
    return size == OTAPULT_SIZE_UNKNOWN || (uint64_t)start + g->block / 4 <= size;
}

static void plan(char *dst, size_t cap, const struct geometry *g, uint32_t len, uint32_t size)
{
    size_t at = 0;
    dst[0] = '\0';
    for (uint32_t off = 0; off < len; off += g->sector) {
        uint32_t block = off - off % g->block;
        if (!whole_block(g, block, size))
            at = add(dst, cap, at, 'E', off, g->sector);
        else if (off == block)
            at = add(dst, cap, at, 'E', off, g->block);
        uint32_t from = off == 0 ? 16 : off;
        uint32_t to = len - off < g->sector ? (len + 15) / 16 * 16 : off + g->sector;
        if (to > from)
            at = add(dst, cap, at, 'W', from, to - from);
    }
}

static void assert_calls(const char *want)
{
    static char got[32768];
    ram_flash_text(&f, got, sizeof got);
    assert_string_equal(got, want);
}

/* ---- what must hold at the end ---- */

static void assert_no_header(void)
{
    for (int i = 0; i < 16; i++)
        assert_int_equal(f.data[i], 0xFF);
}

/* The slot holds image[from..len), then padding to 16. */
static void assert_holds_image(uint32_t from, uint32_t len)
{
    assert_memory_equal(f.data + from, image + from, len - from);
    for (uint32_t i = len; i % 16 != 0; i++)
        assert_int_equal(f.data[i], 0xFF);
}

static void assert_reads_image(uint32_t len)
{
    static uint8_t back[sizeof image];
    static const uint32_t offs[] = {0, 1, 15, 16, 17, 100}, lens[] = {0, 1, 15, 16, 17, 4096};
    assert_int_equal(otapult_slot_writer_read(&w, 0, back, len), 0);
    assert_memory_equal(back, image, len);
    for (size_t a = 0; a < COUNT(offs); a++) {
        for (size_t b = 0; b < COUNT(lens); b++) {
            if (offs[a] > len || lens[b] > len - offs[a])
                continue;
            memset(back, 0x77, lens[b] + 1);
            assert_int_equal(otapult_slot_writer_read(&w, offs[a], back, lens[b]), 0);
            assert_memory_equal(back, image + offs[a], lens[b]);
            assert_int_equal(back[lens[b]], 0x77);
        }
    }
}

/* ---- tests: the calls ---- */

static void check_update(const struct geometry *g, uint32_t len, uint32_t size, enum split split)
{
    static char want[32768];
    plan(want, sizeof want, g, len, size);
    begin(g, size);
    assert_int_equal(feed_split(image, len, split), 0);
    assert_int_equal(w.received, len);
    assert_int_equal(otapult_slot_writer_flush(&w), 0);
    assert_int_equal(otapult_slot_writer_flush(&w), 0);
    assert_int_equal(w.written, len);
    assert_calls(want);
    if (len > 0)
        assert_no_header();
    if (len >= 16) {
        assert_holds_image(16, len);
        assert_reads_image(len);
        assert_int_equal(otapult_slot_writer_commit(&w), 0);
        add(want, sizeof want, strlen(want), 'W', 0, 16);
        assert_calls(want);
        assert_holds_image(0, len);
        assert_reads_image(len);
    }
    ram_flash_end(&f);
}

static void check_sizes(const struct geometry *g, uint32_t len)
{
    const uint32_t sizes[] = {len, OTAPULT_SIZE_UNKNOWN, len / 2, 1, len + 200, g->slot, g->slot * 2};
    for (size_t i = 0; i < COUNT(sizes); i++) {
        check_update(g, len, sizes[i], AT_ONCE);
        check_update(g, len, sizes[i], AT_RANDOM);
        if (g->sector < 4096)
            check_update(g, len, sizes[i], BYTEWISE);
    }
}

/* Sizes around 16, a sector, a quarter block, a block, two blocks and the slot. */
static void test_calls_are_the_plan(void **state)
{
    (void)state;
    static const struct geometry geometry[] = {
        {0x30000, 4096, 65536}, {0x34000, 4096, 65536}, {0x3F000, 4096, 65536}, {0x9000, 4096, 65536},
        {0x10000, 4096, 16384}, {0x7000, 4096, 4096},   {0x1300, 256, 1024},    {0x600, 32, 128},
    };
    static const int near[] = {-17, -16, -1, 0, 1, 16, 17};
    for (size_t i = 0; i < COUNT(geometry); i++) {
        const struct geometry *g = &geometry[i];
        const uint32_t edge[] = {0,
                                 16,
                                 g->sector,
                                 2 * g->sector,
                                 g->block / 4,
                                 g->block,
                                 g->block + g->block / 4,
                                 2 * g->block,
                                 g->slot - g->sector,
                                 g->slot};
        for (size_t e = 0; e < COUNT(edge); e++) {
            for (size_t n = 0; n < COUNT(near); n++) {
                int64_t len = (int64_t)edge[e] + near[n];
                if (len >= 0 && len <= g->slot)
                    check_sizes(g, (uint32_t)len);
            }
        }
    }
}

/* The same said by hand, so that plan and code cannot be wrong together. */
static void test_calls_by_hand(void **state)
{
    (void)state;
    static const struct {
        struct geometry g;
        uint32_t len, size;
        const char *calls;
    } row[] = {
        /* two whole blocks; of the third a quarter minus one byte, so sectors */
        {{0x40000, 4096, 16384},
         36863,
         36863,
         "E0+16384 W16+4080 W4096+4096 W8192+4096 W12288+4096 "
         "E16384+16384 W16384+4096 W20480+4096 W24576+4096 W28672+4096 E32768+4096 W32768+4096 W0+16"},
        /* exactly a quarter: a block */
        {{0x40000, 4096, 16384},
         20480,
         20480,
         "E0+16384 W16+4080 W4096+4096 W8192+4096 W12288+4096 E16384+16384 W16384+4096 W0+16"},
        /* small: one sector */
        {{0x40000, 4096, 65536}, 100, 100, "E0+4096 W16+96 W0+16"},
        {{0x40000, 4096, 65536}, 100, OTAPULT_SIZE_UNKNOWN, "E0+65536 W16+96 W0+16"},
        /* a quarter of 64 KB is 16 KB */
        {{0x40000, 4096, 65536}, 16, 16383, "E0+4096 W0+16"},
        {{0x40000, 4096, 65536}, 16, 16384, "E0+65536 W0+16"},
        /* more came than was said: sectors from there on */
        {{0x40000, 4096, 16384},
         24600,
         10,
         "E0+4096 W16+4080 E4096+4096 W4096+4096 E8192+4096 W8192+4096 E12288+4096 W12288+4096 "
         "E16384+4096 W16384+4096 E20480+4096 W20480+4096 E24576+4096 W24576+32 W0+16"},
        /* the slot ends inside the second block */
        {{0x6000, 4096, 16384},
         24576,
         OTAPULT_SIZE_UNKNOWN,
         "E0+16384 W16+4080 W4096+4096 W8192+4096 W12288+4096 "
         "E16384+4096 W16384+4096 E20480+4096 W20480+4096 W0+16"},
    };
    for (size_t i = 0; i < COUNT(row); i++) {
        begin(&row[i].g, row[i].size);
        assert_int_equal(write_all(row[i].len, AT_RANDOM), 0);
        assert_calls(row[i].calls);
        ram_flash_end(&f);
    }
}

/* A sector that lies in the input as a whole is not copied. */
static void test_writes_from_the_input(void **state)
{
    (void)state;
    static const struct geometry g = {0x20000, 4096, 65536};
    begin(&g, 20000);
    assert_int_equal(otapult_slot_writer_feed(&w, image, 20000), 0);
    unsigned from_input = 0;
    for (uint32_t i = 0; i < f.calls; i++)
        from_input += f.log[i].op == RAM_WRITE && f.log[i].data == image + f.log[i].off;
    assert_int_equal(from_input, 4);
    ram_flash_end(&f);

    begin(&g, 20000); /* one byte ahead, and the buffer it opened is filled first */
    assert_int_equal(otapult_slot_writer_feed(&w, image, 1), 0);
    assert_int_equal(otapult_slot_writer_feed(&w, image + 1, 19999), 0);
    assert_ptr_equal(f.log[1].data, w.sector + 16);
    assert_ptr_equal(f.log[2].data, image + 4096);
    assert_int_equal(otapult_slot_writer_flush(&w), 0);
    assert_holds_image(16, 20000);
    ram_flash_end(&f);
}

/* No field points into the struct: it may be moved between any two bytes. */
static void test_moved_at_any_byte(void **state)
{
    (void)state;
    static const struct geometry g = {0x1300, 256, 1024};
    static struct otapult_slot_writer other;
    begin(&g, 2500);
    for (uint32_t i = 0; i < 2500; i++) {
        assert_int_equal(otapult_slot_writer_feed(&w, image + i, 1), 0);
        other = w;
        memset(&w, 0xA5, sizeof w);
        w = other;
    }
    assert_int_equal(otapult_slot_writer_flush(&w), 0);
    assert_int_equal(otapult_slot_writer_commit(&w), 0);
    assert_holds_image(0, 2500);
    ram_flash_end(&f);
}

/* ---- tests: an update that ends early ---- */

static void test_abandoned_at_any_byte(void **state)
{
    (void)state;
    static const struct geometry g = {0x1300, 256, 1024};
    for (int flush = 0; flush < 2; flush++) {
        for (uint32_t len = 1; len <= 1400; len++) {
            begin(&g, len % 2 ? OTAPULT_SIZE_UNKNOWN : 1400);
            assert_int_equal(feed_split(image, len, AT_RANDOM), 0);
            if (flush)
                assert_int_equal(otapult_slot_writer_flush(&w), 0);
            assert_no_header();
            ram_flash_end(&f);
        }
    }
    begin(&g, 1400); /* nothing came: nothing is touched */
    assert_int_equal(otapult_slot_writer_feed(&w, image, 0), 0);
    assert_int_equal(otapult_slot_writer_flush(&w), 0);
    assert_int_equal(f.calls, 0);
    ram_flash_end(&f);
}

static void test_counts_on_the_way(void **state)
{
    (void)state;
    static const struct geometry g = {0x1300, 256, 1024};
    begin(&g, 1000);
    for (uint32_t i = 0; i < 1000; i++) {
        assert_int_equal(w.received, i);
        assert_int_equal(w.written, i / 256 * 256);
        assert_int_equal(otapult_slot_writer_feed(&w, image + i, 1), 0);
    }
    assert_int_equal(otapult_slot_writer_flush(&w), 0);
    assert_int_equal(w.written, 1000);
    ram_flash_end(&f);
}

static void test_too_large(void **state)
{
    (void)state;
    static const struct geometry g = {0x1300, 256, 1024};
    static const uint32_t size[] = {OTAPULT_SIZE_UNKNOWN, 10, 0x1300, 0x1301, 0x9000};
    for (size_t i = 0; i < COUNT(size); i++) {
        for (int split = 0; split < SPLITS; split++) {
            static char want[4096];
            plan(want, sizeof want, &g, g.slot, size[i]);
            begin(&g, size[i]);
            assert_int_equal(feed_split(image, g.slot + 700, (enum split)split), OTAPULT_E_IMAGE_TOO_LARGE);
            assert_int_equal(w.received, g.slot);
            assert_int_equal(w.why.at, g.slot);
            assert_int_equal(w.why.got, i == 4 ? 0x9000 : 0x1301);
            assert_int_equal(w.why.want, g.slot);
            assert_calls(want);
            assert_no_header();
            assert_int_equal(otapult_slot_writer_flush(&w), OTAPULT_E_IMAGE_TOO_LARGE);
            assert_int_equal(otapult_slot_writer_commit(&w), OTAPULT_E_IMAGE_TOO_LARGE);
            assert_int_equal(otapult_slot_writer_feed(&w, image, 1), OTAPULT_E_IMAGE_TOO_LARGE);
            assert_calls(want);
            ram_flash_end(&f);
        }
    }
}

/* ---- tests: going on where an earlier writer ended ---- */

/* That life wrote image[at] and its flash stays; this one knows nothing but the held bytes. */
static void go_on(const struct geometry *g, uint32_t at, uint32_t size)
{
    begin(g, size);
    assert_int_equal(feed_split(image, at, AT_ONCE), 0);
    assert_int_equal(otapult_slot_writer_flush(&w), 0);
    memset(&w, 0xA5, sizeof w);
    ram_flash_reset(&f);
    otapult_slot_writer_init(&w, &f.flash, size);
    otapult_slot_writer_resume(&w, image, at);
    assert_true(w.touched);
    assert_int_equal(f.calls, 0);
}

/* Whatever was erased ahead or not, what is written meets erased flash, and what was written stays. */
static void test_goes_on_at_every_sector(void **state)
{
    (void)state;
    static const struct geometry g = {0x1300, 256, 1024};
    const uint32_t sizes[] = {2600, OTAPULT_SIZE_UNKNOWN};
    for (size_t i = 0; i < COUNT(sizes); i++) {
        for (uint32_t at = 256; at < 2600; at += 256) {
            go_on(&g, at, sizes[i]);
            assert_reads_image(at);
            assert_int_equal(feed_split(image + at, 2600 - at, AT_RANDOM), 0);
            assert_int_equal(otapult_slot_writer_flush(&w), 0);
            assert_no_header();
            assert_int_equal(otapult_slot_writer_commit(&w), 0);
            assert_holds_image(0, 2600);
            ram_flash_end(&f);
        }
    }
}

/* At the end of the file, which may be that of the slot, nothing is left to do but the commit. */
static void test_goes_on_at_the_end_of_the_file(void **state)
{
    (void)state;
    static const struct geometry g = {0x1300, 256, 1024};
    const uint32_t lens[] = {16, 255, 256, 257, 2600, g.slot};
    for (size_t i = 0; i < COUNT(lens); i++) {
        go_on(&g, lens[i], lens[i]);
        assert_int_equal(otapult_slot_writer_flush(&w), 0);
        assert_int_equal(otapult_slot_writer_commit(&w), 0);
        assert_calls("W0+16");
        assert_holds_image(0, lens[i]);
        ram_flash_end(&f);

        go_on(&g, lens[i], lens[i]); /* and nothing may follow in a sector that is written */
        int err = lens[i] == g.slot ? OTAPULT_E_IMAGE_TOO_LARGE : lens[i] % 256 > 0 ? OTAPULT_E_INTERNAL : 0;
        assert_int_equal(otapult_slot_writer_feed(&w, image, 1), err);
        ram_flash_end(&f);
    }
}

static void test_goes_on_nowhere(void **state)
{
    (void)state;
    static const struct geometry g = {0x1300, 256, 1024}, bad = {0x4000, 4096, 12288};
    begin(&g, 100);
    otapult_slot_writer_resume(&w, image, g.slot + 1);
    assert_int_equal(otapult_slot_writer_commit(&w), OTAPULT_E_SLOT_OPEN);
    assert_int_equal(w.why.got, g.slot + 1);
    assert_int_equal(w.why.want, g.slot);
    assert_int_equal(f.calls, 0);
    ram_flash_end(&f);

    begin(&bad, 100); /* the first error stays, with what it says */
    for (uint32_t at = 4096; at <= 0x5000; at += 0x1000) {
        otapult_slot_writer_resume(&w, image, at);
        assert_int_equal(otapult_slot_writer_commit(&w), OTAPULT_E_SLOT_OPEN);
        assert_int_equal(w.why.got, bad.slot);
        assert_int_equal(w.why.want, bad.sector);
    }
    ram_flash_end(&f);
}

/* ---- tests: calls in a wrong order ---- */

static void test_misuse(void **state)
{
    (void)state;
    static const struct geometry g = {0x1300, 256, 1024};

    begin(&g, 100); /* commit before flush */
    assert_int_equal(otapult_slot_writer_feed(&w, image, 100), 0);
    assert_int_equal(otapult_slot_writer_commit(&w), OTAPULT_E_INTERNAL);
    assert_no_header();
    ram_flash_end(&f);

    begin(&g, 100); /* commit of nothing */
    assert_int_equal(otapult_slot_writer_commit(&w), OTAPULT_E_INTERNAL);
    assert_int_equal(f.calls, 0);
    ram_flash_end(&f);

    begin(&g, 100); /* commit twice */
    assert_int_equal(write_all(100, AT_ONCE), 0);
    assert_int_equal(otapult_slot_writer_commit(&w), OTAPULT_E_INTERNAL);
    assert_holds_image(0, 100);
    ram_flash_end(&f);

    begin(&g, 300); /* more after a sector that flush closed */
    assert_int_equal(otapult_slot_writer_feed(&w, image, 300), 0);
    assert_int_equal(otapult_slot_writer_flush(&w), 0);
    assert_int_equal(otapult_slot_writer_feed(&w, image, 0), 0);
    assert_int_equal(otapult_slot_writer_feed(&w, image, 1), OTAPULT_E_INTERNAL);
    ram_flash_end(&f);

    begin(&g, 256); /* more after commit */
    assert_int_equal(write_all(256, AT_ONCE), 0);
    assert_int_equal(otapult_slot_writer_feed(&w, image, 1), OTAPULT_E_INTERNAL);
    ram_flash_end(&f);
}

static void test_reads_outside_the_slot(void **state)
{
    (void)state;
    static const struct geometry g = {0x1300, 256, 1024};
    uint8_t byte;

    begin(&g, 256);
    assert_int_equal(otapult_slot_writer_read(&w, g.slot, &byte, 0), 0);
    assert_int_equal(otapult_slot_writer_read(&w, UINT32_MAX, &byte, 1), OTAPULT_E_INTERNAL);
    ram_flash_end(&f);
    begin(&g, 256);
    assert_int_equal(otapult_slot_writer_read(&w, g.slot, &byte, 1), OTAPULT_E_INTERNAL);
    ram_flash_end(&f);
}

/* Shorter than what is held back: read() still shows it, commit() refuses. */
static void test_shorter_than_a_header(void **state)
{
    (void)state;
    static const struct geometry g = {0x1300, 256, 1024};
    for (uint32_t len = 1; len < 16; len++) {
        begin(&g, len);
        assert_int_equal(otapult_slot_writer_feed(&w, image, len), 0);
        assert_int_equal(otapult_slot_writer_flush(&w), 0);
        assert_int_equal(w.written, len);
        assert_calls("E0+256");
        assert_reads_image(len);
        assert_int_equal(otapult_slot_writer_commit(&w), OTAPULT_E_INTERNAL);
        assert_no_header();
        ram_flash_end(&f);
    }
}

static void test_unfit_geometry(void **state)
{
    (void)state;
    static const struct geometry bad[] = {
        {0x4000, 0, 4096},    {0x4000, 4096, 0},  {0x4000, 8192, 8192}, {0x4000, 4096, 2048},
        {0x4000, 3000, 6000}, {0x4000, 16, 4096}, {0x4100, 4096, 4096}, {0x4000, 4096, 12288},
    };
    for (size_t i = 0; i < COUNT(bad); i++) {
        uint8_t byte;
        begin(&bad[i], 100);
        assert_int_equal(otapult_slot_writer_feed(&w, image, 100), OTAPULT_E_SLOT_OPEN);
        assert_int_equal(otapult_slot_writer_flush(&w), OTAPULT_E_SLOT_OPEN);
        assert_int_equal(otapult_slot_writer_read(&w, 0, &byte, 1), OTAPULT_E_SLOT_OPEN);
        assert_int_equal(otapult_slot_writer_commit(&w), OTAPULT_E_SLOT_OPEN);
        assert_int_equal(f.calls, 0);
        ram_flash_end(&f);
    }
}

/* ---- tests: a flash that fails or lies ---- */

/* Writes, reads all back in pieces, commits: every kind of call. */
static int whole_life(uint32_t len, enum split split)
{
    uint8_t back[512];
    int err = feed_split(image, len, split);
    if (err == 0)
        err = otapult_slot_writer_flush(&w);
    for (uint32_t off = 0; off < len && err == 0; off += (uint32_t)sizeof back)
        err = otapult_slot_writer_read(&w, off, back, len - off < sizeof back ? len - off : sizeof back);
    return err != 0 ? err : otapult_slot_writer_commit(&w);
}

/* After the failing call nothing is touched any more, but for the first sector's erase when it was the
 * commit that failed. */
static void check_after_failure(const struct geometry *g, uint32_t n, bool in_commit)
{
    assert_int_equal(f.calls, n + (in_commit ? 1 : 0));
    if (in_commit) {
        assert_int_equal(f.log[n].op, RAM_ERASE);
        assert_int_equal(f.log[n].off, 0);
        assert_int_equal(f.log[n].len, g->sector);
    }
    const int err = w.err;
    const uint32_t calls = f.calls;
    uint8_t byte;
    assert_int_equal(otapult_slot_writer_feed(&w, image, 1), err);
    assert_int_equal(otapult_slot_writer_flush(&w), err);
    assert_int_equal(otapult_slot_writer_read(&w, 20, &byte, 1), err);
    assert_int_equal(otapult_slot_writer_commit(&w), err);
    assert_int_equal(f.calls, calls);
}

static void fail_every_call(enum split split, bool for_good, uint32_t done)
{
    static const struct geometry g = {0x1700, 256, 1024};
    const uint32_t len = 2900;
    uint32_t total = 0;
    begin(&g, len);
    assert_int_equal(whole_life(len, split), 0);
    total = f.calls;
    ram_flash_end(&f);
    assert_int_equal(total, 3 + 12 + 6 + 2); /* erases, writes, reads, commit */

    for (uint32_t n = 1; n <= total; n++) {
        const int put_in = OTAPULT_E_FLASH_ERASE + (int)(n % 3);
        const bool in_commit = n > total - 2;
        begin(&g, len);
        ram_flash_fail(&f, n, for_good, put_in, done);
        assert_int_equal(whole_life(len, split), put_in);
        assert_int_equal(w.err, put_in);
        assert_int_equal(w.why.at, f.log[n - 1].off);
        check_after_failure(&g, n, in_commit);
        if (n > 1 && !(in_commit && for_good))
            assert_no_header();
        ram_flash_end(&f);
    }
}

static void test_failing_calls(void **state)
{
    (void)state;
    static const uint32_t done[] = {0, 8, 16, 4096};
    for (int split = 0; split < SPLITS; split++) {
        for (size_t i = 0; i < COUNT(done); i++) {
            fail_every_call((enum split)split, false, done[i]);
            fail_every_call((enum split)split, true, done[i]);
        }
    }
}

/* A failing first erase that did nothing leaves the older image as it was: nothing was promised yet. */
static void test_failing_first_erase(void **state)
{
    (void)state;
    static const struct geometry g = {0x1700, 256, 1024};
    begin(&g, 2900);
    ram_flash_fail(&f, 1, false, OTAPULT_E_FLASH_ERASE, 0);
    assert_int_equal(otapult_slot_writer_feed(&w, image, 2900), OTAPULT_E_FLASH_ERASE);
    assert_int_equal(w.received, 0);
    assert_true(w.touched); /* what a failing erase leaves nobody knows */
    for (uint32_t i = 0; i < g.slot; i++)
        assert_int_equal(f.data[i], OLD_IMAGE);
    ram_flash_end(&f);
}

/* Each header byte is stored, or read back, with one bit wrong. */
static void test_header_reads_differently(void **state)
{
    (void)state;
    static const struct geometry g = {0x1700, 256, 1024};
    for (uint32_t call = 1; call <= 2; call++) {
        for (uint32_t byte = 0; byte < 16; byte++) {
            begin(&g, 600);
            assert_int_equal(feed_split(image, 600, AT_ONCE), 0);
            assert_int_equal(otapult_slot_writer_flush(&w), 0);
            ram_flash_reset(&f);
            ram_flash_spoil(&f, call, byte, 0x40);
            assert_int_equal(otapult_slot_writer_commit(&w), OTAPULT_E_FLASH_READBACK);
            assert_int_equal(w.why.at, 0);
            assert_calls("W0+16 E0+256");
            assert_no_header();
            ram_flash_end(&f);
        }
    }
}

/* ---- the flash of these tests keeps its own promises ---- */

static void test_ram_flash_sees_violations(void **state)
{
    (void)state;
    static const struct {
        enum ram_op op;
        uint32_t off, len;
    } row[] = {
        {RAM_READ, 0x1000, 1},    {RAM_READ, 0xFFFFFFFF, 2}, {RAM_WRITE, 0, 0},       {RAM_WRITE, 8, 16},
        {RAM_WRITE, 0, 17},       {RAM_WRITE, 240, 32},      {RAM_WRITE, 0x1000, 16}, {RAM_WRITE, 512, 16},
        {RAM_ERASE, 128, 256},    {RAM_ERASE, 0, 512},       {RAM_ERASE, 256, 1024},  {RAM_ERASE, 0, 2048},
        {RAM_ERASE, 0x1000, 256}, {RAM_ERASE, 0, 0},
    };
    static uint8_t buf[512];
    for (size_t i = 0; i < COUNT(row); i++) {
        const struct otapult_flash *p = &f.flash;
        ram_flash_begin(&f, 0x1000, 256, 1024, 0xFF);
        f.data[527] = 0xFE;
        int err = row[i].op == RAM_READ    ? p->read(p->ctx, row[i].off, buf, row[i].len)
                  : row[i].op == RAM_WRITE ? p->write(p->ctx, row[i].off, buf, row[i].len)
                                           : p->erase(p->ctx, row[i].off, row[i].len);
        assert_int_equal(err, OTAPULT_E_INTERNAL);
        assert_non_null(f.violation);
        f.violation = NULL;
        assert_int_equal(p->erase(p->ctx, 512, 256), 0);
        assert_int_equal(p->write(p->ctx, 512, buf, 256), 0);
        assert_int_equal(p->read(p->ctx, 512, buf, 512), 0);
        assert_int_equal(buf[256], 0xFF);
        memset(buf, 0, sizeof buf);
        ram_flash_end(&f);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_calls_are_the_plan),
        cmocka_unit_test(test_calls_by_hand),
        cmocka_unit_test(test_writes_from_the_input),
        cmocka_unit_test(test_moved_at_any_byte),
        cmocka_unit_test(test_abandoned_at_any_byte),
        cmocka_unit_test(test_counts_on_the_way),
        cmocka_unit_test(test_too_large),
        cmocka_unit_test(test_goes_on_at_every_sector),
        cmocka_unit_test(test_goes_on_at_the_end_of_the_file),
        cmocka_unit_test(test_goes_on_nowhere),
        cmocka_unit_test(test_misuse),
        cmocka_unit_test(test_reads_outside_the_slot),
        cmocka_unit_test(test_shorter_than_a_header),
        cmocka_unit_test(test_unfit_geometry),
        cmocka_unit_test(test_failing_calls),
        cmocka_unit_test(test_failing_first_erase),
        cmocka_unit_test(test_header_reads_differently),
        cmocka_unit_test(test_ram_flash_sees_violations),
    };
    return cmocka_run_group_tests(tests, make_image, NULL);
}
