/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "boot_image.h"
#include "boot_model.h"
#include "document.h"
#include "oracle.h"
#include "sample_image.h"
#include "table_maker.h"

/* A small board: slots of 64 KB each, so that thousands of boots take seconds. */
#define OTA_DATA  0xE000u
#define SLOT_SIZE 0x10000u
#define SLOT(n)   (0x10000u * ((unsigned)(n) + 1))
#define FACTORY   SLOT(3)
#define TEST_APP  SLOT(4)
#define CHIP      SLOT(5)

enum { APPS = 4 }; /* validity bits: slots 0 to 2, then the factory app */

static struct nor_flash nor;
static uint8_t *image;
static size_t image_len;

static int open_board(void **state)
{
    const struct sample_spec spec = {SAMPLE_DEFAULT, .size = 1024, .seed = 1};
    (void)state;
    nor_open_memory(&nor, CHIP);
    image = sample_image(&spec, &image_len);
    return 0;
}

static int close_board(void **state)
{
    (void)state;
    free(image);
    nor_close(&nor);
    return 0;
}

/* ---- laying out flash, behind the emulator's back ---- */

struct board {
    int slots;
    bool factory, test_app;
    uint32_t ota_data_size; /* 0: no otadata partition */
};

static void lay_table(const struct board *b)
{
    struct table_part parts[8];
    unsigned n = 0;
    if (b->ota_data_size != 0)
        parts[n++] = (struct table_part){1, 0, OTA_DATA, b->ota_data_size, "otadata"};
    for (int i = b->slots - 1; i >= 0; i--) /* the order in the table is free */
        parts[n++] = (struct table_part){0, (uint8_t)(0x10 + i), SLOT(i), SLOT_SIZE, "app"};
    if (b->factory)
        parts[n++] = (struct table_part){0, 0, FACTORY, SLOT_SIZE, "factory"};
    if (b->test_app)
        parts[n++] = (struct table_part){0, 0x20, TEST_APP, SLOT_SIZE, "test"};
    if (n == 0)
        parts[n++] = (struct table_part){1, 2, 0x9000, 0x5000, "nvs"};
    memset(nor.data, 0xFF, CHIP);
    table_make(nor.data + OTAPULT_TABLE_OFFSET, parts, n);
}

static void lay_image(uint32_t address, bool whole)
{
    memcpy(nor.data + address, image, image_len);
    if (!whole)
        nor.data[address + image_len - 1] ^= 0x10;
}

/* The least the bootloader loads: no segment at all, for boots that are many. */
static void use_tiny_image(void)
{
    image_len = 64;
    memset(image, 0, image_len);
    image[0] = 0xE9;
    image[12] = 9;
    image[23] = 1;
    image[31] = 0xEF; /* the checksum of nothing */
    oracle_sha256(image, 32, image + 32);
}

static void put32(uint8_t *p, uint32_t v)
{
    for (int i = 0; i < 4; i++)
        p[i] = (uint8_t)(v >> 8 * i);
}

/* ---- records: every kind there is ---- */

#define STATES 7
static const uint32_t states[STATES] = {0, 1, 2, 3, 4, 0xFFFFFFFF, 9};
#define SEQS 3
static const uint32_t seqs[SEQS] = {1, 2, 3};
#define MADE      (STATES * SEQS * 2) /* with a right CRC and with a wrong one */
#define SPECIAL   7
#define RECORDS   (MADE + SPECIAL)
#define REPEATING 0xFFFFFFFEu

static void make_record(uint8_t r[32], uint32_t seq, uint32_t state, bool crc_right)
{
    memset(r, 0xFF, 32);
    memcpy(r + 4, "label of its own", 16);
    put32(r, seq);
    put32(r + 24, state);
    put32(r + 28, oracle_ota_crc(seq) ^ !crc_right);
}

static void make_special_record(uint8_t r[32], int kind)
{
    memset(r, 0xFF, 32);
    switch (kind) {
    case 0: break;                                                      /* erased */
    case 1: put32(r, 0); break;                                         /* boot_app0.bin's second record */
    case 2: make_record(r, 0xFFFFFFFF, 2, true); break;                 /* empty, though its CRC is right */
    case 3: make_record(r, 0xFFFFFFFF, 1, false); break;                /* empty and pending */
    case 4: make_record(r, REPEATING, 0, true); break;                  /* the last number there is */
    case 5: make_record(r, 2, 0, true), memset(r + 8, 0xFF, 24); break; /* torn after 8 bytes */
    case 6: make_record(r, 2, 0, true), r[31] = 0xFF; break;            /* torn before the last byte */
    }
}

static void lay_record(int n, int kind)
{
    uint8_t *r = nor.data + OTA_DATA + 0x1000 * n;
    memset(r, 0xFF, 0x1000);
    if (kind >= MADE)
        make_special_record(r, kind - MADE);
    else
        make_record(r, seqs[kind / 2 / STATES], states[kind / 2 % STATES], kind % 2 == 0);
    r[0x100] = kind % 5 == 0 ? 0x33 : 0xFF; /* a rewritten sector loses what stands behind its record */
}

/* ---- the differential test ---- */

struct tally {
    unsigned long boots, fell_back, nothing, wrote;
    bool row[BOOT_CHOICES];
};

static bool outside_ota_data(void *ctx, enum nor_op op, uint32_t address, uint32_t len)
{
    (void)ctx;
    if (op != NOR_READ && (address < OTA_DATA || address + len > OTA_DATA + 0x2000))
        fail_msg("the bootloader writes at 0x%x", address);
    return false;
}

static void compare(struct tally *t, const char *what, int a, int b)
{
    const struct oracle_result expected = oracle_boot(nor.data, CHIP);
    struct boot_result got;
    uint64_t ops = nor.ops;

    boot_model_run(&nor, &got);
    if (got.ok != expected.boots || got.slot != expected.slot || got.chosen != expected.chosen)
        fail_msg("%s, records %d and %d: boots %d, chosen %d, expected %d, chosen %d", what, a, b, got.slot,
                 got.chosen, expected.slot, expected.chosen);
    if (expected.ota_data_at != 0 && memcmp(nor.data + OTA_DATA, expected.ota_data, 0x2000) != 0)
        fail_msg("%s, records %d and %d: other OTA data than expected", what, a, b);
    assert_int_equal(got.fell_back, got.ok && got.slot != got.chosen);
    t->boots++;
    t->fell_back += got.fell_back;
    t->nothing += !got.ok;
    t->wrote += nor.ops != ops;
    if (got.row < BOOT_CHOICES)
        t->row[got.row] = true;
}

/* All pairs of records over one board with one set of good and bad images. */
static void compare_all_records(struct tally *t, const char *what)
{
    for (int a = 0; a < RECORDS; a++)
        for (int b = 0; b < RECORDS; b++) {
            lay_record(0, a);
            lay_record(1, b);
            compare(t, what, a, b);
        }
}

static void lay_board(const struct board *b, unsigned valid, char what[64])
{
    lay_table(b);
    for (int i = 0; i < b->slots; i++)
        lay_image(SLOT(i), valid >> i & 1);
    if (b->factory)
        lay_image(FACTORY, valid >> 3 & 1);
    if (b->test_app)
        lay_image(TEST_APP, true);
    snprintf(what, 64, "%d slots,%s%s valid 0x%x", b->slots, b->factory ? " factory," : "",
             b->test_app ? " test app," : "", valid);
}

static bool is_new(const struct board *b, unsigned valid)
{
    unsigned absent = ~((1u << b->slots) - 1) & 7;
    return (valid & absent) == 0 && (b->factory || valid < 8);
}

static void test_every_combination_boots_as_the_oracle_says(void **state)
{
    (void)state;
    struct tally t = {0};
    char what[64];
    use_tiny_image();
    nor.fail = outside_ota_data;
    for (int slots = 0; slots <= 3; slots++)
        for (int factory = 0; factory < 2; factory++)
            for (unsigned valid = 0; valid < 1u << APPS; valid++) {
                struct board b = {slots, factory, .test_app = slots == 1, .ota_data_size = 0x2000};
                if (!is_new(&b, valid))
                    continue;
                lay_board(&b, valid, what);
                compare_all_records(&t, what);
            }
    for (int id = 0; id < BOOT_CHOICES; id++)
        assert_true(t.row[id] || id == BOOT_NO_OTA_DATA || id == BOOT_BAD_OTA_DATA);
    assert_true(t.boots > 50000 && t.fell_back > 1000 && t.nothing > 1000 && t.wrote > 1000);
    print_message("boot model: %lu combinations agree with the oracle; %lu fell back, %lu booted nothing, "
                  "%lu wrote OTA data\n",
                  t.boots, t.fell_back, t.nothing, t.wrote);
}

static void test_without_fit_ota_data(void **state)
{
    (void)state;
    const uint32_t sizes[] = {0, 0x1000};
    struct tally t = {0};
    char what[64];
    use_tiny_image();
    nor.fail = outside_ota_data;
    for (size_t i = 0; i < 2; i++)
        for (int slots = 0; slots <= 3; slots++)
            for (unsigned valid = 0; valid < 1u << APPS; valid++) {
                struct board b = {slots, valid >> 3, .ota_data_size = sizes[i]};
                lay_board(&b, valid, what);
                lay_record(0, 0);
                compare(&t, what, 0, MADE);
            }
    assert_true(t.row[BOOT_NO_OTA_DATA] && t.row[BOOT_BAD_OTA_DATA]);
    assert_int_equal(t.wrote, 0);
}

/* ---- stories, spelled out ---- */

static void boot_two_slots(struct boot_result *out)
{
    boot_model_run(&nor, out);
    assert_true(out->ok);
}

static void test_an_update_that_is_never_confirmed(void **state)
{
    (void)state;
    struct boot_result r;
    uint8_t newer[32];
    lay_table(&(struct board){2, .ota_data_size = 0x2000});
    lay_image(SLOT(0), true);
    lay_image(SLOT(1), true);

    boot_two_slots(&r); /* blank OTA data: the first boot writes down what loaded */
    assert_int_equal(r.row, BOOT_BLANK);
    assert_int_equal(r.slot, 0);
    assert_memory_equal(nor.data + OTA_DATA, "\1\0\0\0", 4);
    assert_memory_equal(nor.data + OTA_DATA + 24, "\2\0\0\0\x9A\x98\x43\x47", 8);

    make_record(newer, 2, OTAPULT_OTA_NEW, true);
    memcpy(nor.data + OTA_DATA + 0x1000, newer, sizeof newer);
    assert_int_equal(boot_model_peek(&nor), 1);
    boot_two_slots(&r);
    assert_int_equal(r.row, BOOT_FIRST_BOOT);
    assert_int_equal(r.slot, 1);
    assert_int_equal(nor.data[OTA_DATA + 0x1000 + 24], OTAPULT_OTA_PENDING);
    assert_int_equal(boot_model_peek(&nor), 1);

    boot_two_slots(&r); /* nobody confirmed it */
    assert_int_equal(r.row, BOOT_ACTIVE);
    assert_int_equal(r.slot, 0);
    assert_false(r.fell_back);
    assert_int_equal(nor.data[OTA_DATA + 0x1000 + 24], OTAPULT_OTA_ABORTED);
    assert_memory_equal(nor.data + OTA_DATA + 0x1000 + 4, "label of its own", 16);
}

static void test_a_damaged_slot_is_passed_over(void **state)
{
    (void)state;
    struct boot_result r;
    lay_table(&(struct board){2, .factory = true, .ota_data_size = 0x2000});
    lay_image(SLOT(0), true);
    lay_image(SLOT(1), false);
    lay_image(FACTORY, true);
    make_record(nor.data + OTA_DATA, 2, OTAPULT_OTA_VALID, true);
    boot_two_slots(&r);
    assert_int_equal(r.chosen, 1);
    assert_int_equal(r.slot, 0);
    assert_true(r.fell_back);
    assert_int_equal(boot_model_peek(&nor), 1); /* OTA data still names the damaged slot */
}

static void test_nothing_loads(void **state)
{
    (void)state;
    struct boot_result r;
    lay_table(&(struct board){2, .ota_data_size = 0x2000});
    boot_model_run(&nor, &r);
    assert_false(r.ok);
    assert_int_equal(r.slot, OTAPULT_SLOT_NONE);
    assert_int_equal(r.chosen, 0);
    assert_string_equal(r.why, "no app partition holds an image that loads");
    assert_int_equal(nor.ops, 0);
}

static void test_a_wrong_partition_table(void **state)
{
    (void)state;
    struct boot_result r;
    lay_table(&(struct board){2, .ota_data_size = 0x2000});
    lay_image(SLOT(0), true);
    nor.data[OTAPULT_TABLE_OFFSET] = 0;
    boot_model_run(&nor, &r);
    assert_false(r.ok);
    assert_int_equal(r.row, BOOT_CHOICES);
    assert_string_equal(r.why, otapult_table_fault_text(OTAPULT_TABLE_EMPTY));
    assert_false(oracle_boot(nor.data, CHIP).boots);
    assert_int_equal(boot_model_peek(&nor), OTAPULT_SLOT_NONE);
}

static bool refuse_ota_data(void *ctx, enum nor_op op, uint32_t address, uint32_t len)
{
    (void)len;
    return op == *(enum nor_op *)ctx && address >= OTA_DATA && address < OTA_DATA + 0x2000;
}

static void test_flash_that_fails(void **state)
{
    (void)state;
    struct boot_result r;
    enum nor_op op = NOR_READ;
    lay_table(&(struct board){2, .ota_data_size = 0x2000});
    lay_image(SLOT(0), true);
    nor.fail = refuse_ota_data;
    nor.fault_ctx = &op;
    boot_model_run(&nor, &r);
    assert_int_equal(r.row, BOOT_BAD_OTA_DATA);
    assert_false(r.ok);
    for (op = NOR_PROGRAM; op <= NOR_ERASE; op++) { /* it boots all the same */
        boot_model_run(&nor, &r);
        assert_true(r.ok);
        assert_int_equal(r.slot, 0);
    }
}

/* ---- images ---- */

static const char *fault_of(uint32_t size)
{
    struct oracle_result expected;
    const char *fault = boot_image_fault(&nor, SLOT(0), size);
    lay_record(0, MADE);
    lay_record(1, MADE);
    expected = oracle_boot(nor.data, CHIP);
    assert_int_equal(expected.boots, fault == NULL);
    return fault;
}

/* The bootloader takes all of these: the model must, too, or it would hide holes. */
static void test_what_the_bootloader_does_not_mind(void **state)
{
    (void)state;
    struct sample_spec spec = {SAMPLE_DEFAULT, .size = 4096};
    lay_table(&(struct board){1, .ota_data_size = 0x2000});
    for (int kind = 0; kind < 4; kind++) {
        size_t len;
        spec.no_hash = kind == 0;
        spec.no_description = kind == 1;
        uint8_t *sample = sample_image(&spec, &len);
        memset(nor.data + SLOT(0), kind == 2 ? 0xA5 : 0xFF, SLOT_SIZE); /* bytes behind the end */
        memcpy(nor.data + SLOT(0), sample, len);
        assert_null(fault_of(SLOT_SIZE));
        assert_int_equal(oracle_boot(nor.data, CHIP).image_ok, kind >= 2);
        free(sample);
    }
}

/* From 5.1.7, 5.2.3, 5.3.2 and 5.4 on: bytes of whatever stands where an app description would be. */
static void test_a_block_revision_is_read_without_a_description(void **state)
{
    (void)state;
    const struct sample_spec spec = {SAMPLE_DEFAULT, .size = 4096, .no_description = true};
    size_t len;
    uint8_t *sample = sample_image(&spec, &len);
    lay_table(&(struct board){1, .ota_data_size = 0x2000});
    memset(nor.data + SLOT(0), 0xFF, SLOT_SIZE);
    memcpy(nor.data + SLOT(0), sample, len);
    assert_null(fault_of(SLOT_SIZE));
    nor.data[SLOT(0) + 208] = 104;
    assert_string_equal(fault_of(SLOT_SIZE), "built for other eFuse block revisions");
    nor.data[SLOT(0) + 24 + 4] = nor.data[SLOT(0) + 24 + 5] = 0; /* a segment of no data is not looked into */
    assert_string_not_equal(fault_of(SLOT_SIZE), "built for other eFuse block revisions");
    free(sample);
}

static void test_an_image_of_no_segments(void **state)
{
    (void)state;
    use_tiny_image();
    lay_table(&(struct board){1, .ota_data_size = 0x2000});
    lay_image(SLOT(0), true);
    assert_null(fault_of(SLOT_SIZE));
    assert_false(oracle_boot(nor.data, CHIP).image_ok);
}

struct spoil {
    uint32_t at;
    uint8_t value;
    const char *fault;
};

static void test_what_the_bootloader_refuses(void **state)
{
    (void)state;
    static const struct spoil spoils[] = {
        {0, 0xE8, "no image: the first byte is not 0xE9"},
        {12, 5, "built for another chip"},
        {13, 1, "built for another chip"},
        {15, 3, "built for other chip revisions"},
        {17, 1, "built for other chip revisions"}, /* with byte 18 cleared, below */
        {1, 17, "more than 16 segments"},
        {31, 1, "a segment of 16 MB or more"},
        {30, 0xFF, "a segment reaches behind the end of the flash"},
        {28, 0x61, "a segment's length is no multiple of 4"},
        {24, 0x24, "a mapped segment does not fit its 64 KB page"},
        {27, 0x30, "bad load address range"},
        {209, 1, "built for other eFuse block revisions"}, /* at least 2.56 */
        {210, 102, "built for other eFuse block revisions"},
        {700, 0, "the checksum is wrong"},
    };
    lay_table(&(struct board){1, .ota_data_size = 0x2000});
    for (size_t i = 0; i < sizeof spoils / sizeof *spoils; i++) {
        memset(nor.data + SLOT(0), 0xFF, SLOT_SIZE);
        lay_image(SLOT(0), true);
        nor.data[SLOT(0) + 18] = 0;
        nor.data[SLOT(0) + spoils[i].at] = spoils[i].value;
        const char *fault = fault_of(SLOT_SIZE);
        assert_non_null(fault);
        assert_string_equal(fault, spoils[i].fault);
    }
    memset(nor.data + SLOT(0), 0xFF, SLOT_SIZE);
    lay_image(SLOT(0), true);
    nor.data[SLOT(0) + image_len - 1] ^= 1;
    assert_string_equal(fault_of(SLOT_SIZE), "the SHA-256 is wrong");
    nor.data[SLOT(0) + image_len - 1] ^= 1;
    assert_null(fault_of(SLOT_SIZE));
    assert_null(boot_image_fault(&nor, SLOT(0), (uint32_t)image_len));
    assert_string_equal(boot_image_fault(&nor, SLOT(0), (uint32_t)image_len - 1),
                        "the image is longer than its partition");
}

/* A length that reaches into the neighbour is read there, and found too long only afterwards. */
static void test_a_length_into_the_neighbour(void **state)
{
    (void)state;
    const struct sample_spec spec = {SAMPLE_DEFAULT, .size = SLOT_SIZE + 0x8000};
    size_t len;
    uint8_t *sample = sample_image(&spec, &len);
    lay_table(&(struct board){2, .ota_data_size = 0x2000});
    memcpy(nor.data + SLOT(0), sample, len);
    assert_string_equal(fault_of(SLOT_SIZE), "the image is longer than its partition");
    free(sample);
}

static void test_a_bootloader_does_not_load(void **state)
{
    (void)state;
    const struct sample_spec loader = {SAMPLE_DEFAULT, .size = 16384, .bootloader = true};
    const struct sample_spec app = {SAMPLE_DEFAULT, .size = 4096};
    size_t len;
    uint8_t *sample = sample_image(&loader, &len);
    lay_table(&(struct board){1, .ota_data_size = 0x2000});
    memcpy(nor.data + SLOT(0), sample, len);
    assert_string_equal(fault_of(SLOT_SIZE), "bad load address range: over the bootloader itself");
    free(sample);

    sample = sample_merged(&app, nor.data + OTAPULT_TABLE_OFFSET, OTAPULT_TABLE_SIZE, &len);
    memcpy(nor.data + SLOT(0), sample, SLOT_SIZE);
    assert_string_equal(fault_of(SLOT_SIZE), "bad load address range: over the bootloader itself");
    free(sample);
}

/* Every bit of a small image: model and oracle agree, and nothing that is changed is whole. */
static void test_every_flipped_bit(void **state)
{
    (void)state;
    unsigned harmless = 0;
    lay_table(&(struct board){1, .ota_data_size = 0x2000});
    memset(nor.data + SLOT(0), 0xFF, SLOT_SIZE);
    lay_image(SLOT(0), true);
    for (size_t bit = 0; bit < image_len * 8; bit++) {
        nor.data[SLOT(0) + bit / 8] ^= (uint8_t)(1u << bit % 8);
        harmless += fault_of(SLOT_SIZE) == NULL;
        assert_false(oracle_boot(nor.data, CHIP).image_ok);
        nor.data[SLOT(0) + bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    assert_null(fault_of(SLOT_SIZE));
    assert_int_equal(harmless, 1); /* hash_appended turned to 0: believed on its checksum alone */
}

/* ---- real firmware ---- */

static uint8_t *read_firmware(const char *name, size_t *len)
{
    char path[512];
    snprintf(path, sizeof path, FIRMWARE_DIR "/%s", name);
    FILE *f = fopen(path, "rb");
    if (!f)
        return NULL;
    uint8_t *bytes = calloc(1, 0x200000);
    assert_non_null(bytes);
    *len = fread(bytes, 1, 0x200000, f);
    fclose(f);
    return bytes;
}

struct real {
    const char *name, *build;
    bool loads;
};

static void check_real(struct nor_flash *big, const struct real *r, const uint8_t *bytes, size_t len)
{
    struct oracle_image seen;
    memset(big->data, 0xFF, big->size);
    memcpy(big->data + 0x10000, bytes, len);
    const char *fault = boot_image_fault(big, 0x10000, 0x640000);
    bool whole = oracle_image_ok(big->data + 0x10000, 0x640000, &seen);
    assert_int_equal(fault == NULL, r->loads);
    assert_int_equal(whole, r->loads);
    if (whole) {
        assert_int_equal(seen.size, len);
        assert_string_equal(seen.build, r->build);
    }
}

static void test_real_firmware(void **state)
{
    (void)state;
    static const struct real files[] = {
        {"s3-build-20.bin", "e9d083da", true},
        {"s3-build-29.bin", "e2786cfb", true},
        {"s3-build-30.bin", "8f17de0e", true},
        {"s3-build-38.bin", "42c8597c", true},
        {"s3-build-39.bin", "222771cb", true},
        {"s3-build-40.bin", "54e0b516", true},
        {"s3-merged-40.bin", "", false},
        {"s3-bootloader.bin", "", false},
        {"s2-app.bin", "", false},
        {"esp32-bootloader.bin", "", false},
    };
    struct nor_flash big;
    unsigned found = 0;
    nor_open_memory(&big, 0x700000);
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        size_t len;
        uint8_t *bytes = read_firmware(files[i].name, &len);
        if (!bytes)
            continue;
        found++;
        check_real(&big, &files[i], bytes, len);
        free(bytes);
    }
    nor_close(&big);
    print_message("boot model: %u real files\n", found);
}

/* ---- the oracle itself ---- */

/* The smallest useful image, built by hand: 336 bytes, and digests that other programs computed. */
static void test_the_oracle_knows_its_vectors(void **state)
{
    (void)state;
    static const uint8_t head[32] = {0xE9, 1,    2,    0x4F, 0, 0, 0x37, 0x40, 0xEE, 0, 0, 0,    9, 0, 0, 0,
                                     0,    0xFF, 0xFF, 0,    0, 0, 0,    1,    0x20, 0, 0, 0x3C, 0, 1, 0, 0};
    static const uint8_t whole_sha[8] = {0xa2, 0x64, 0x95, 0x08, 0x2d, 0x1b, 0x68, 0xd3};
    static const uint8_t inner_sha[8] = {0x5c, 0xda, 0xd9, 0x4c, 0xd9, 0x3b, 0xdd, 0x5a};
    uint8_t p[336] = {0}, digest[32];
    struct oracle_image seen;
    memcpy(p, head, sizeof head);
    memcpy(p + 0x20, "\x32\x54\xCD\xAB", 4);
    memcpy(p + 0x30, "1.0.0", 5);
    memcpy(p + 0x50, "demo", 4);
    p[0x12F] = 0xDD;
    oracle_sha256(p, 0x130, p + 0x130);
    assert_memory_equal(p + 0x130, inner_sha, sizeof inner_sha);
    oracle_sha256(p, sizeof p, digest);
    assert_memory_equal(digest, whole_sha, sizeof whole_sha);
    assert_false(oracle_image_ok(p, sizeof p, &seen)); /* it has no IROM segment */
    assert_string_equal(seen.fault, "no application: DROM or IROM is missing");

    oracle_sha256((const uint8_t *)"abc", 3, digest); /* FIPS 180-4's own example */
    assert_memory_equal(digest, "\xba\x78\x16\xbf\x8f\x01\xcf\xea\x41\x41\x40\xde", 12);
    assert_int_equal(oracle_ota_crc(1), 0x4743989A);
    assert_int_equal(oracle_ota_crc(0), 0xFFFFFFFF);
    assert_int_equal(oracle_ota_crc(0x12345678), 0x71D6A731);
}

static void test_the_oracle_reads_what_the_sample_says(void **state)
{
    (void)state;
    const struct sample_spec spec = {SAMPLE_DEFAULT, .size = 70000, .version = "3.1.4", .project = "probe"};
    struct oracle_image seen;
    size_t len;
    uint8_t *sample = sample_image(&spec, &len);
    assert_true(oracle_image_ok(sample, len, &seen));
    assert_string_equal(seen.version, "3.1.4");
    assert_string_equal(seen.project, "probe");
    assert_int_equal(seen.size, len);
    assert_int_equal(strlen(seen.build), 8);
    for (size_t cut = 0; cut < len; cut += cut < 400 ? 1 : 997)
        assert_false(oracle_image_ok(sample, cut, &seen));
    free(sample);
}

/* ---- the document ---- */

static void test_the_document_has_this_table(void **state)
{
    char *table = document_printed_by(GENERATE_DIR "/generate_boot_table");

    (void)state;
    document_has(OTAPULT_SOURCE_DIR "/docs/boot.md", "docs/generate/boot_table.c", table);
    for (int id = 0; id < BOOT_CHOICES; id++) {
        assert_non_null(strstr(table, boot_row_name((enum boot_choice_id)id)));
        assert_non_null(strstr(table, boot_row_why((enum boot_choice_id)id)));
    }
    free(table);
}

#define ON_BOARD(test) cmocka_unit_test_setup_teardown(test, open_board, close_board)

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_BOARD(test_every_combination_boots_as_the_oracle_says),
        ON_BOARD(test_without_fit_ota_data),
        ON_BOARD(test_an_update_that_is_never_confirmed),
        ON_BOARD(test_a_damaged_slot_is_passed_over),
        ON_BOARD(test_nothing_loads),
        ON_BOARD(test_a_wrong_partition_table),
        ON_BOARD(test_flash_that_fails),
        ON_BOARD(test_what_the_bootloader_does_not_mind),
        ON_BOARD(test_a_block_revision_is_read_without_a_description),
        ON_BOARD(test_an_image_of_no_segments),
        ON_BOARD(test_what_the_bootloader_refuses),
        ON_BOARD(test_a_length_into_the_neighbour),
        ON_BOARD(test_a_bootloader_does_not_load),
        ON_BOARD(test_every_flipped_bit),
        ON_BOARD(test_real_firmware),
        cmocka_unit_test(test_the_oracle_knows_its_vectors),
        cmocka_unit_test(test_the_oracle_reads_what_the_sample_says),
        cmocka_unit_test(test_the_document_has_this_table),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
