/* SPDX-License-Identifier: Apache-2.0 */
#include "image/recognise.h"

#include <string.h>

#include "base/bytes.h"
#include "base/text.h"
#include "flash/ota_data.h"
#include "image/format.h"

#define STEP           0x1000u /* partition tables lie on such boundaries */
#define TABLE_AT       0x8000u /* where one lies unless a project moves it */
#define APP_AT         0x10000u
#define BLANK_OTA_DATA 8192u /* bytes of ota_data_initial.bin */
#define ERASED         0xFFu

_Static_assert(sizeof(struct otapult_recognise) <= 768, "the RAM table says 768 bytes");

/* ---- the verdict ---- */

static void refuse(struct otapult_recognise *r, int err, struct otapult_finding why)
{
    r->kind = OTAPULT_KIND_REFUSED;
    r->err = err;
    r->why = why;
}

static void refuse_unknown(struct otapult_recognise *r)
{
    refuse(r, OTAPULT_E_FILE_UNKNOWN,
           (struct otapult_finding){.got = r->head[0], .want = OTAPULT_IMAGE_MAGIC});
}

static void refuse_merged(struct otapult_recognise *r, uint32_t at, const char *what)
{
    refuse(r, OTAPULT_E_IMAGE_MERGED, (struct otapult_finding){.at = at, .text = what});
}

/* ---- what a mark alone does not prove ---- */

static uint32_t head_size(const struct otapult_recognise *r)
{
    return r->seen < OTAPULT_RECOGNISE_HEAD ? r->seen : OTAPULT_RECOGNISE_HEAD;
}

static bool has_only(const uint8_t *p, size_t n, uint8_t value)
{
    for (size_t i = 0; i < n; i++)
        if (p[i] != value)
            return false;
    return true;
}

static bool is_hex_digit(uint8_t c)
{
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'F') || (c >= 'a' && c <= 'f');
}

/* A record mark and at least 8 digits: no shorter record exists. */
static bool is_hex_record(const struct otapult_recognise *r)
{
    if (r->seen < 10)
        return false;
    for (int i = 1; i < 10; i++)
        if (!is_hex_digit(r->head[i]))
            return false;
    return true;
}

static bool is_text(const struct otapult_recognise *r)
{
    uint32_t size = head_size(r), at = 0;
    while (at < size) {
        uint8_t c = r->head[at];
        size_t n = c == '\t' || c == '\r' || c == '\n' ? 1 : otapult_text_printable(r->head + at, size - at);
        if (n == 0)
            break;
        at += (uint32_t)n;
    }
    /* The head may end inside a character. */
    return size > 0 &&
           (at == size || (size == OTAPULT_RECOGNISE_HEAD && size - at < 4 && r->head[at] >= 0xC2));
}

static bool is_zlib(const struct otapult_recognise *r)
{
    return r->seen >= 2 && memchr("\x01\x5E\x9C\xDA", r->head[1], 4) != NULL;
}

/* An empty or full page of NVS: its version byte, then 19 reserved bytes (nvs_page.hpp). */
static bool is_nvs(const struct otapult_recognise *r)
{
    return r->seen >= 32 && (r->head[8] == 0xFE || r->head[8] == 0xFF) && has_only(r->head + 9, 19, ERASED);
}

/* A BIOS parameter block, the first 22 bytes of it: bytes per sector, sectors per cluster, reserved
 * sectors, number of tables, medium. No image header looks like that: bytes 12 and 13 would be a chip id
 * of 0x102 or more. */
static bool is_fat_boot_sector(const uint8_t *p)
{
    uint16_t sector = otapult_le16(p + 11), reserved = otapult_le16(p + 14);
    uint8_t cluster = p[13], tables = p[16], medium = p[21];
    return ((p[0] == 0xEB && p[2] == 0x90) || p[0] == 0xE9) &&
           (sector == 512 || sector == 1024 || sector == 2048 || sector == 4096) && cluster != 0 &&
           (cluster & (cluster - 1)) == 0 && reserved != 0 && (tables == 1 || tables == 2) &&
           (medium == 0xF0 || medium >= 0xF8);
}

static bool is_fat(const struct otapult_recognise *r)
{
    return r->seen >= 512 && r->head[510] == 0x55 && r->head[511] == 0xAA && is_fat_boot_sector(r->head);
}

static bool is_ota_record(const uint8_t *p)
{
    struct otapult_ota_record record;
    otapult_ota_decode(p, &record);
    return record.crc_ok;
}

static bool is_ota_data(const struct otapult_recognise *r)
{
    return r->seen >= OTAPULT_OTA_RECORD_SIZE && is_ota_record(r->head) &&
           has_only(r->head + OTAPULT_OTA_RECORD_SIZE, head_size(r) - OTAPULT_OTA_RECORD_SIZE, ERASED);
}

/* SPIFFS has no header. Its first page lists, in 16 bits each, whose pages the block holds; the page
 * behind it begins with the same number. An empty one lists nothing but ends in a magic and a count. */
static bool is_spiffs(const struct otapult_recognise *r)
{
    uint16_t first = otapult_le16(r->head);
    if (r->seen < OTAPULT_RECOGNISE_HEAD)
        return false;
    if (first == 0xFFFF)
        return has_only(r->head, 0xFC, ERASED) && otapult_le16(r->head + 0xFC) != 0xFFFF &&
               has_only(r->head + 0x100, 0x100, ERASED);
    return (first & 0x8000) != 0 && otapult_le16(r->head + 0x100) == first &&
           otapult_le16(r->head + 0x102) == 0;
}

static bool is_zeros(const struct otapult_recognise *r)
{
    return has_only(r->head, head_size(r), 0);
}

/* Load addresses of an ESP8266: data RAM, instruction RAM, mapped flash. An ESP32's image has pin settings
 * in the place of the first one. */
static bool is_esp8266_address(uint32_t a)
{
    return (a >= 0x3FFE8000u && a < 0x40000000u) || (a >= 0x40100000u && a < 0x40110000u) ||
           (a >= 0x40200000u && a < 0x40300000u);
}

static bool is_esp8266(const struct otapult_recognise *r)
{
    return r->seen >= 12 && is_esp8266_address(otapult_le32(r->head + 8));
}

static bool is_esp8266_v2(const struct otapult_recognise *r)
{
    return r->seen >= 8 && is_esp8266_address(otapult_le32(r->head + 4));
}

/* ---- files told by their first bytes ---- */

/* A mark, and what else must hold. The order matters: what few files can look like comes first. */
static const struct mark {
    uint16_t at;
    uint8_t len;
    char bytes[9];
    bool (*also)(const struct otapult_recognise *r); /* NULL: the mark is enough */
    int err;
    const char *word;
} marks[] = {
    {0, 4, "\x7F\x45LF", NULL, OTAPULT_E_FILE_ELF, NULL},
    {0, 8, "UF2\n\x57\x51\x5D\x9E", NULL, OTAPULT_E_FILE_UF2, NULL},
    {8, 8, "littlefs", NULL, OTAPULT_E_FILE_FILESYSTEM, "LittleFS"},
    {0, 3, "\x1F\x8B\x08", NULL, OTAPULT_E_FILE_GZIP, NULL},
    {0, 4, "PK\x03\x04", NULL, OTAPULT_E_FILE_ARCHIVE, "zip"},
    {0, 6, "\xFD\x37zXZ", NULL, OTAPULT_E_FILE_ARCHIVE, "xz"},
    {0, 4, "\x28\xB5\x2F\xFD", NULL, OTAPULT_E_FILE_ARCHIVE, "zstd"},
    {0, 6, "7z\xBC\xAF\x27\x1C", NULL, OTAPULT_E_FILE_ARCHIVE, "7z"},
    {0, 6, "Rar!\x1A\x07", NULL, OTAPULT_E_FILE_ARCHIVE, "rar"},
    {0, 3, "BZh", NULL, OTAPULT_E_FILE_ARCHIVE, "bzip2"},
    {257, 5, "ustar", NULL, OTAPULT_E_FILE_ARCHIVE, "tar"},
    {0, 4, "\xCF\xB6\x88\x07", NULL, OTAPULT_E_FILE_SEALED, "an encrypted image of esp_encrypted_img"},
    {0, 4, "\x10\xDE\xCD\xFC", NULL, OTAPULT_E_FILE_SEALED, "a delta patch of esp_delta_ota"},
    {0, 2, "\xAA\x50", NULL, OTAPULT_E_FILE_PARTITION_TABLE, NULL},
    {0, 4, "\xFE\xFF\xFF\xFF", is_nvs, OTAPULT_E_FILE_FILESYSTEM, "NVS"},
    {0, 4, "\xFC\xFF\xFF\xFF", is_nvs, OTAPULT_E_FILE_FILESYSTEM, "NVS"},
    {0, 1, "\xEB", is_fat, OTAPULT_E_FILE_FILESYSTEM, "FAT"},
    {0, 1, "\xE9", is_fat, OTAPULT_E_FILE_FILESYSTEM, "FAT"},
    {0, 1, "\xE9", is_esp8266, OTAPULT_E_IMAGE_ESP8266, NULL},
    {0, 1, "\xEA", is_esp8266_v2, OTAPULT_E_IMAGE_ESP8266, NULL},
    {0, 1, ":", is_hex_record, OTAPULT_E_FILE_HEX, NULL},
    {0, 1, "S", is_hex_record, OTAPULT_E_FILE_HEX, NULL},
    {0, 1, "\0", is_zeros, OTAPULT_E_FILE_BLANK, NULL},
    {0, 0, "", is_ota_data, OTAPULT_E_FILE_OTA_DATA, NULL},
    {0, 0, "", is_text, OTAPULT_E_FILE_TEXT, NULL},
    {0, 1, "x", is_zlib, OTAPULT_E_FILE_GZIP, NULL},
    {0, 0, "", is_spiffs, OTAPULT_E_FILE_FILESYSTEM, "SPIFFS"},
};

static bool mark_fits(const struct otapult_recognise *r, const struct mark *m)
{
    return r->seen >= m->len && m->at <= r->seen - m->len && memcmp(r->head + m->at, m->bytes, m->len) == 0 &&
           (m->also == NULL || m->also(r));
}

/* ---- files that begin like an image ---- */

static bool begins_app(const uint8_t *p)
{
    return p[0] == OTAPULT_IMAGE_MAGIC && otapult_le32(p + OTAPULT_DESC_OFFSET) == OTAPULT_DESC_MAGIC;
}

/* The first segment of every app is mapped at file offset 0x20, and the page rule makes its load address
 * end so; a bootloader's goes to RAM. */
static bool first_segment_is_mapped(const struct otapult_recognise *r)
{
    return (otapult_le32(r->head + OTAPULT_IMAGE_HEADER) & (OTAPULT_FLASH_PAGE - 1)) == OTAPULT_DESC_OFFSET;
}

/* Since ESP-IDF 5.2 a bootloader's description begins with this byte and holds a version, "v5…" or "5…",
 * 8 bytes further on (esp_bootloader_desc.h). */
static bool has_bootloader_description(const struct otapult_recognise *r)
{
    const uint8_t *p = r->head + OTAPULT_DESC_OFFSET;
    return p[0] == 0x50 && (p[8] == 'v' || (p[8] >= '0' && p[8] <= '9'));
}

static uint16_t head_chip(const struct otapult_recognise *r)
{
    return otapult_le16(r->head + OTAPULT_HEADER_CHIP);
}

/* Segments, reserved bytes and the hash flag as any build tool writes them. */
static bool is_sane_header(const struct otapult_recognise *r)
{
    uint8_t segments = r->head[OTAPULT_HEADER_SEGMENTS];
    return segments >= 1 && segments <= OTAPULT_MAX_SEGMENTS && has_only(r->head + 19, 4, 0) &&
           r->head[OTAPULT_HEADER_HASH] <= 1;
}

static void refuse_bootloader(struct otapult_recognise *r)
{
    refuse(r, OTAPULT_E_IMAGE_BOOTLOADER, (struct otapult_finding){.got = head_chip(r)});
}

/* An image header, but neither app description nor the shape of a bootloader. */
static void refuse_strange_image(struct otapult_recognise *r)
{
    struct otapult_finding chips = {.at = OTAPULT_HEADER_CHIP, .got = head_chip(r), .want = r->chip_id};
    if (chips.got != chips.want && is_sane_header(r))
        refuse(r, OTAPULT_E_IMAGE_WRONG_CHIP, chips);
    else
        refuse(r, OTAPULT_E_IMAGE_NO_DESCRIPTION, (struct otapult_finding){.at = OTAPULT_DESC_OFFSET});
}

static void judge_image_head(struct otapult_recognise *r)
{
    if (!otapult_chip_known(head_chip(r)) || first_segment_is_mapped(r))
        refuse_strange_image(r);
    else if (r->size < TABLE_AT)
        refuse_bootloader(r); /* no partition table can follow */
}

static void judge_image_end(struct otapult_recognise *r)
{
    if (r->seen < TABLE_AT || has_bootloader_description(r))
        refuse_bootloader(r);
    else
        refuse_strange_image(r);
}

static void refuse_cut_head(struct otapult_recognise *r)
{
    refuse(r, OTAPULT_E_IMAGE_TRUNCATED,
           (struct otapult_finding){.at = r->seen, .got = OTAPULT_HEAD_SIZE - r->seen});
}

/* ---- the three moments of judgement ---- */

/* Everything that the head tells. Nothing more comes when the file is shorter than it. */
static void judge_head(struct otapult_recognise *r)
{
    for (size_t i = 0; i < sizeof marks / sizeof *marks; i++)
        if (mark_fits(r, &marks[i])) {
            refuse(r, marks[i].err, (struct otapult_finding){.got = r->head[0], .text = marks[i].word});
            return;
        }
    if (r->head[0] == OTAPULT_IMAGE_MAGIC && r->seen >= OTAPULT_HEAD_SIZE)
        judge_image_head(r);
    else if (r->head[0] == OTAPULT_IMAGE_MAGIC)
        refuse_cut_head(r);
    else if (r->head[0] != ERASED || r->uniform < r->seen)
        refuse_unknown(r);
}

/* The first entry of a partition table: magic, an offset on a sector, a size. */
static bool is_table(const uint8_t *p)
{
    uint32_t offset = otapult_le32(p + 4), size = otapult_le32(p + 8);
    return p[0] == 0xAA && p[1] == 0x50 && offset != 0 && offset % STEP == 0 && size != 0;
}

static bool is_bootloader_of_known_chip(const uint8_t *p)
{
    return p[0] == OTAPULT_IMAGE_MAGIC && p[1] >= 1 && p[1] <= OTAPULT_MAX_SEGMENTS &&
           otapult_chip_known(otapult_le16(p + OTAPULT_HEADER_CHIP));
}

/* What begins with erased flash: other chips boot from 0x1000 or 0x2000, and ESP-IDF's wear levelling
 * leaves its first sector empty. */
static void judge_behind_erased(struct otapult_recognise *r, uint32_t at)
{
    if (at == 0x1000 && is_fat_boot_sector(r->window))
        refuse(r, OTAPULT_E_FILE_FILESYSTEM, (struct otapult_finding){.at = at, .text = "FAT"});
    else if (at == 0x1000 && is_ota_record(r->window))
        refuse(r, OTAPULT_E_FILE_OTA_DATA, (struct otapult_finding){.at = at});
    else if ((at == 0x1000 || at == 0x2000) && is_bootloader_of_known_chip(r->window))
        refuse_merged(r, at, "bootloader");
}

static void judge_boundary(struct otapult_recognise *r, uint32_t at)
{
    if (at >= TABLE_AT && is_table(r->window))
        refuse_merged(r, at, "partition table");
    else if (at == APP_AT && begins_app(r->window))
        refuse_merged(r, at, "app image");
    else if (r->head[0] == ERASED)
        judge_behind_erased(r, at);
}

/* The end of the file, or of what this stage is ready to look at. */
static void judge_end(struct otapult_recognise *r)
{
    if (r->head[0] == OTAPULT_IMAGE_MAGIC)
        judge_image_end(r);
    else if (r->uniform < r->seen)
        refuse_unknown(r);
    else if (r->seen == BLANK_OTA_DATA)
        refuse(r, OTAPULT_E_FILE_OTA_DATA, (struct otapult_finding){.got = ERASED});
    else
        refuse(r, OTAPULT_E_FILE_BLANK, (struct otapult_finding){.got = r->head[0]});
}

/* ---- the stage ---- */

void otapult_recognise_init(struct otapult_recognise *r, uint32_t size)
{
    *r = (struct otapult_recognise){.size = size, .chip_id = OTAPULT_CHIP_ESP32S3};
}

/* The next offset at which there is something to judge. */
static uint32_t next_stop(uint32_t seen)
{
    if (seen < OTAPULT_HEAD_SIZE)
        return OTAPULT_HEAD_SIZE;
    if (seen < OTAPULT_RECOGNISE_HEAD)
        return OTAPULT_RECOGNISE_HEAD;
    uint32_t behind = seen % STEP < OTAPULT_RECOGNISE_WINDOW && seen >= STEP ? 0 : STEP;
    return seen / STEP * STEP + behind + OTAPULT_RECOGNISE_WINDOW;
}

static void judge_stop(struct otapult_recognise *r)
{
    if (r->seen == OTAPULT_HEAD_SIZE && begins_app(r->head))
        r->kind = OTAPULT_KIND_APP;
    else if (r->seen == OTAPULT_RECOGNISE_HEAD)
        judge_head(r);
    else if (r->seen > OTAPULT_RECOGNISE_HEAD)
        judge_boundary(r, r->seen - OTAPULT_RECOGNISE_WINDOW);
    if (r->kind == OTAPULT_KIND_UNDECIDED && r->seen == OTAPULT_RECOGNISE_LAST)
        judge_end(r);
}

static void keep(uint8_t *dst, uint32_t cap, uint32_t at, const uint8_t *p, uint32_t n)
{
    if (at < cap)
        memcpy(dst + at, p, n < cap - at ? n : cap - at);
}

/* Takes n bytes, which end at the next stop at most and so cross no boundary unseen. */
static void take(struct otapult_recognise *r, const uint8_t *p, uint32_t n)
{
    uint32_t into = r->seen % STEP, before = into < OTAPULT_RECOGNISE_WINDOW ? 0 : STEP - into;
    keep(r->head, sizeof r->head, r->seen, p, n);
    if (before < n)
        keep(r->window, sizeof r->window, before ? 0 : into, p + before, n - before);
    if (r->uniform == r->seen)
        for (uint32_t i = 0; i < n && p[i] == r->head[0]; i++)
            r->uniform++;
    r->seen += n;
}

int otapult_recognise_feed(struct otapult_recognise *r, const uint8_t *p, size_t n)
{
    while (r->kind == OTAPULT_KIND_UNDECIDED && n > 0) {
        uint32_t room = next_stop(r->seen) - r->seen;
        uint32_t step = n < room ? (uint32_t)n : room;
        take(r, p, step);
        if (step == room)
            judge_stop(r);
        p += step;
        n -= step;
    }
    return r->err;
}

int otapult_recognise_finish(struct otapult_recognise *r)
{
    if (r->kind == OTAPULT_KIND_UNDECIDED && r->seen == 0)
        refuse(r, OTAPULT_E_FILE_EMPTY, (struct otapult_finding){0});
    if (r->kind == OTAPULT_KIND_UNDECIDED && r->seen < OTAPULT_RECOGNISE_HEAD)
        judge_head(r);
    if (r->kind == OTAPULT_KIND_UNDECIDED)
        judge_end(r);
    return r->err;
}
