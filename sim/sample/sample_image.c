/* SPDX-License-Identifier: Apache-2.0 */
#include "sample_image.h"

#include <psa/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Makes images that look like firmware to everything that reads images, with segments where the chip has
 * memory, but hold random bytes in the place of code. What the virtual rover does when it "runs" one is told
 * by a mark in its data: the temper. Shares no code with src/image/, so a mistake there is not made here,
 * too.
 *
 * Layout of the file and of the app description: ESP-IDF v6.0.2, esp_app_format.h and esp_app_desc.h. */
#define HEADER_SIZE    24u
#define DESC_SIZE      256u
#define DIGEST_SIZE    32u
#define ELF_SHA_OFFSET 0xB0u
#define SMALLEST       1024u
#define DEFAULT_SIZE   262144u
#define PAGE           0x10000u

#define MARK      "otapult-sample temper="
#define MARK_SIZE 64u

#define TABLE_AT     0x8000u
#define BOOT_APP0_AT 0xE000u
#define APP_AT       0x10000u

/* Where a chip has its memories. */
struct memory_map {
    uint16_t chip_id;
    uint32_t drom, dram, iram, irom, rtc, entry;
};
static const struct memory_map maps[] = {
    {0x0009, 0x3C0B0020, 0x3FC98000, 0x40374000, 0x42000020, 0x600FE000, 0x40377000}, /* ESP32-S3 */
    {0x0002, 0x3F000020, 0x3FFC3000, 0x40024000, 0x40080020, 0x40070000, 0x40026000}, /* ESP32-S2 */
    {0x0000, 0x3F400020, 0x3FFBDB60, 0x40080000, 0x400D0020, 0x400C0000, 0x40082000}, /* ESP32 */
    {0x0005, 0x3C0B0020, 0x3FC98000, 0x40380000, 0x42000020, 0x50000000, 0x40382000}, /* ESP32-C3, others */
};

struct builder {
    uint8_t *bytes;
    uint32_t len;
    uint32_t random;
    uint8_t checksum;
};

static void put32(uint8_t *p, uint32_t v)
{
    for (int i = 0; i < 4; i++)
        p[i] = (uint8_t)(v >> 8 * i);
}

static uint8_t *zeroed(size_t len)
{
    uint8_t *p = calloc(1, len);
    if (!p) {
        fputs("sample image: out of memory\n", stderr);
        abort();
    }
    return p;
}

static void sha256(const uint8_t *data, size_t len, uint8_t digest[DIGEST_SIZE])
{
    size_t n;
    if (psa_crypto_init() != PSA_SUCCESS ||
        psa_hash_compute(PSA_ALG_SHA_256, data, len, digest, DIGEST_SIZE, &n) != PSA_SUCCESS) {
        fputs("sample image: SHA-256 does not work\n", stderr);
        abort();
    }
}

static const struct memory_map *map_of(uint16_t chip_id)
{
    size_t n = sizeof maps / sizeof *maps;
    for (size_t i = 0; i < n; i++)
        if (maps[i].chip_id == chip_id)
            return &maps[i];
    return &maps[n - 1];
}

/* A step of xorshift32. */
static uint32_t next_random(struct builder *b)
{
    b->random ^= b->random << 13;
    b->random ^= b->random >> 17;
    b->random ^= b->random << 5;
    return b->random;
}

static uint32_t text_or(uint8_t *dst, size_t cap, const char *text, const char *otherwise)
{
    const char *s = text ? text : otherwise;
    size_t n = strlen(s) < cap ? strlen(s) : cap - 1;
    memcpy(dst, s, n);
    return (uint32_t)n;
}

static void put_description(uint8_t *p, const struct sample_spec *spec)
{
    memset(p, 0, DESC_SIZE);
    put32(p, 0xABCD5432);
    put32(p + 4, spec->secure_version);
    text_or(p + 16, 32, spec->version, "1.0.0");
    text_or(p + 48, 32, spec->project, "rover");
    text_or(p + 80, 16, spec->time, "12:00:00");
    text_or(p + 96, 16, spec->date, "Jan  1 2026");
    text_or(p + 112, 32, spec->idf, "v5.3.2");
    p[178] = 199; /* max_efuse_blk_rev_full as S3 builds write it */
}

static void put_mark(uint8_t *p, const struct sample_spec *spec)
{
    memset(p, 0, MARK_SIZE);
    snprintf((char *)p, MARK_SIZE, MARK "%s after=%lu", sample_temper_name(spec->temper),
             (unsigned long)spec->after);
}

static void put_boot_description(uint8_t *p, const struct sample_spec *spec)
{
    memset(p, 0, 80);
    p[0] = 0x50;
    p[4] = 1;
    text_or(p + 8, 32, spec->idf, "v5.3.2");
    text_or(p + 40, 24, NULL, "Jan  1 2026 12:00:00");
}

static void put_header(struct builder *b, const struct sample_spec *spec, uint8_t segments, uint16_t chip_id,
                       uint32_t entry)
{
    uint8_t *p = b->bytes;
    p[0] = 0xE9;
    p[1] = segments;
    p[2] = 2;    /* DIO */
    p[3] = 0x4F; /* 16 MB, 80 MHz */
    put32(p + 4, entry);
    p[8] = 0xEE;
    p[12] = (uint8_t)chip_id;
    p[13] = (uint8_t)(chip_id >> 8);
    p[14] = (uint8_t)(spec->min_rev / 100);
    p[15] = (uint8_t)spec->min_rev;
    p[16] = (uint8_t)(spec->min_rev >> 8);
    p[17] = (uint8_t)spec->max_rev;
    p[18] = (uint8_t)(spec->max_rev >> 8);
    p[23] = spec->no_hash ? 0 : 1;
    b->len = HEADER_SIZE;
}

/* A segment of pseudo-random data; its data is returned for what should stand at its start. */
static uint8_t *put_segment(struct builder *b, uint32_t load_addr, uint32_t size)
{
    put32(b->bytes + b->len, load_addr);
    put32(b->bytes + b->len + 4, size);
    uint8_t *data = b->bytes + b->len + 8;
    for (uint32_t i = 0; i < size; i += 4)
        put32(data + i, next_random(b));
    b->len += 8 + size;
    return data;
}

static void sum_segments(struct builder *b)
{
    b->checksum = 0xEF;
    uint32_t at = HEADER_SIZE;
    for (int i = 0; i < b->bytes[1]; i++) {
        uint32_t size = (uint32_t)b->bytes[at + 4] | (uint32_t)b->bytes[at + 5] << 8 |
                        (uint32_t)b->bytes[at + 6] << 16 | (uint32_t)b->bytes[at + 7] << 24;
        for (at += 8; size > 0; size--)
            b->checksum ^= b->bytes[at++];
    }
}

static size_t put_end(struct builder *b, const struct sample_spec *spec)
{
    sum_segments(b);
    uint32_t end = (b->len + 16) & ~15u;
    b->bytes[end - 1] = b->checksum;
    if (spec->no_hash)
        return end;
    sha256(b->bytes, end, b->bytes + end);
    return end + DIGEST_SIZE;
}

/* As the linker does for a real app, IROM begins 0x20 bytes into a 64 KB page of the file, and what lies
 * before it is stretched to reach that. An image too small for that keeps the page rule the other way
 * round: its IROM load address follows from where its data lies. */
static uint32_t irom_offset(uint32_t end)
{
    if (end < PAGE + PAGE / 2)
        return (end * 5 / 8) & ~3u;
    uint32_t quarter = end / 4 / PAGE * PAGE;
    return (quarter ? quarter : PAGE) + 0x20;
}

static uint32_t share(uint32_t of, uint32_t part, uint32_t most)
{
    uint32_t n = of / part & ~3u;
    return n < most ? n : most;
}

static void put_app_segments(struct builder *b, const struct sample_spec *spec, const struct memory_map *map,
                             uint32_t end)
{
    uint32_t irom_at = irom_offset(end);
    uint32_t dram = share(irom_at, 8, 0x4000), iram = share(irom_at, 8, 0x8000);
    uint32_t iram2 = share(end, 16, 0x1000), rtc = 0x2C;
    uint32_t drom = irom_at - 8 - (8 + iram) - (8 + dram) - (HEADER_SIZE + 8);

    uint8_t *head = put_segment(b, map->drom, drom);
    if (!spec->no_description)
        put_description(head, spec);
    else
        memset(head, 0, DESC_SIZE); /* at random the bootloader finds eFuse block revisions there */
    put_mark(head + DESC_SIZE, spec);
    put_segment(b, map->dram, dram);
    put_segment(b, map->iram, iram);
    put_segment(b, (map->irom & ~(PAGE - 1)) | (irom_at & (PAGE - 1)),
                end - irom_at - (8 + iram2) - (8 + rtc));
    put_segment(b, map->iram + iram, iram2);
    put_segment(b, map->rtc, rtc);
}

/* The build id is the digest of everything before it is known, as an ELF file's is. */
static void put_build_id(struct builder *b)
{
    uint8_t digest[DIGEST_SIZE];
    memset(b->bytes + ELF_SHA_OFFSET, 0, DIGEST_SIZE);
    sha256(b->bytes, b->len, digest);
    memcpy(b->bytes + ELF_SHA_OFFSET, digest, DIGEST_SIZE);
}

static void put_app(struct builder *b, const struct sample_spec *spec, uint32_t end)
{
    uint16_t chip_id = spec->chip_id == 0xFFFF ? maps[0].chip_id : spec->chip_id;
    const struct memory_map *map = map_of(chip_id);
    put_header(b, spec, 6, chip_id, map->entry);
    put_app_segments(b, spec, map, end);
    if (!spec->no_description)
        put_build_id(b);
}

static void put_bootloader(struct builder *b, const struct sample_spec *spec, uint32_t end)
{
    uint32_t rest = end - HEADER_SIZE - 3 * 8;
    uint32_t dram = share(rest, 8, rest), loader = share(rest, 4, rest);
    put_header(b, spec, 3, spec->chip_id == 0xFFFF ? maps[0].chip_id : spec->chip_id, 0x403C8918);
    put_boot_description(put_segment(b, 0x3FCE2820, dram), spec);
    put_segment(b, 0x403C8700, loader);
    put_segment(b, 0x403CB700, rest - dram - loader);
}

/* The size of the finished file: what was asked for, in the format's steps of 16. */
static uint32_t file_size(const struct sample_spec *spec)
{
    uint32_t size = spec->size ? spec->size : DEFAULT_SIZE;
    if (size < SMALLEST)
        size = SMALLEST;
    if (spec->bootloader && size > SAMPLE_BOOTLOADER_MAX)
        size = SAMPLE_BOOTLOADER_MAX;
    if (size > SAMPLE_SIZE_MAX)
        size = SAMPLE_SIZE_MAX;
    return (size + 15) & ~15u;
}

uint8_t *sample_image(const struct sample_spec *spec, size_t *len)
{
    uint32_t size = file_size(spec);
    struct builder b = {.bytes = zeroed(size), .random = spec->seed * 2654435761u ^ 0x9E3779B9u};
    if (b.random == 0)
        b.random = 1;

    uint32_t padded = spec->no_hash ? size : size - DIGEST_SIZE;
    uint32_t end = padded - 4 - 4 * (spec->seed & 3); /* all four lengths of padding occur */
    if (spec->bootloader)
        put_bootloader(&b, spec, end);
    else
        put_app(&b, spec, end);
    *len = put_end(&b, spec);
    return b.bytes;
}

uint8_t *sample_merged(const struct sample_spec *app, const uint8_t *table, size_t table_len, size_t *len)
{
    struct sample_spec loader_spec = {
        .chip_id = app->chip_id, .max_rev = 0xFFFF, .size = SAMPLE_BOOTLOADER_MAX, .bootloader = true};
    size_t loader_len, app_len;
    uint8_t *loader = sample_image(&loader_spec, &loader_len), *image = sample_image(app, &app_len);
    uint8_t *out = zeroed(APP_AT + app_len);

    memset(out, 0xFF, APP_AT);
    memcpy(out, loader, loader_len);
    memcpy(out + TABLE_AT, table, table_len < 0x1000 ? table_len : 0x1000);
    /* boot_app0.bin as Arduino ships it: ota_0 chosen; the second record begins with a zero. */
    put32(out + BOOT_APP0_AT, 1);
    put32(out + BOOT_APP0_AT + 28, 0x4743989A);
    put32(out + BOOT_APP0_AT + 0x1000, 0);
    memcpy(out + APP_AT, image, app_len);
    free(loader);
    free(image);
    *len = APP_AT + app_len;
    return out;
}

static const char *const temper_names[SAMPLE_TEMPERS] = {
    [SAMPLE_HEALTHY] = "healthy",         [SAMPLE_CRASH_AT_BOOT] = "crash-at-boot",
    [SAMPLE_CRASH_LATER] = "crash-later", [SAMPLE_HANG] = "hang",
    [SAMPLE_NO_NETWORK] = "no-network",   [SAMPLE_NEVER_CONFIRMS] = "never-confirms",
};

const char *sample_temper_name(enum sample_temper t)
{
    return (unsigned)t < SAMPLE_TEMPERS ? temper_names[t] : "unknown";
}

enum sample_temper sample_temper_by_name(const char *name)
{
    int t = 0;
    while (t < SAMPLE_TEMPERS && strcmp(temper_names[t], name) != 0)
        t++;
    return (enum sample_temper)t;
}

static const uint8_t *find_mark(const uint8_t *head, size_t len)
{
    for (size_t i = 0; i + MARK_SIZE <= len; i++)
        if (memcmp(head + i, MARK, sizeof MARK - 1) == 0)
            return head + i;
    return NULL;
}

enum sample_temper sample_temper_of(const uint8_t *head, size_t len, uint32_t *after)
{
    char mark[MARK_SIZE + 1] = "", word[24];
    unsigned long seconds;
    *after = 0;

    const uint8_t *at = find_mark(head, len);
    if (!at)
        return SAMPLE_HEALTHY;
    memcpy(mark, at, MARK_SIZE);
    if (sscanf(mark, MARK "%23s after=%10lu", word, &seconds) != 2)
        return SAMPLE_HEALTHY;
    enum sample_temper t = sample_temper_by_name(word);
    if (t == SAMPLE_TEMPERS)
        return SAMPLE_HEALTHY;
    *after = (uint32_t)seconds;
    return t;
}
