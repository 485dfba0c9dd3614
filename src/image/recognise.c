/* SPDX-License-Identifier: Apache-2.0 */
#include "image/recognise.h"

#include <string.h>

#include "base/bytes.h"
#include "base/chip.h"
#include "base/text.h"
#include "flash/ota_data.h"
#include "image/format.h"

/* A file is looked at in few places, its stops: the end of the head, and the beginning of each 4 KB sector up
 * to 128 KB, where merged images have something to see. All between is only counted, so this stage keeps 548
 * bytes of a file and needs no second look. judge_stop() is asked at each stop and only there; that is why
 * any split of the input gives the same answer.
 *
 * Whatever stands here may come from an attacker: every offset below is a constant, no length of the file's
 * own is believed. */

#define STEP           0x1000u /* partition tables lie on such boundaries */
#define TABLE_AT       0x8000u /* where one lies unless a project moves it */
#define APP_AT         0x10000u
#define BLANK_OTA_DATA 8192u /* bytes of ota_data_initial.bin */
#define ERASED         0xFFu
#define BEHIND_HEAD    (OTAPULT_RECOGNISE_HEAD + OTAPULT_RECOGNISE_WINDOW)

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

/* What the file is was seen at `at`; `what` is a word for it, or NULL. */
static void refuse_part(struct otapult_recognise *r, int err, uint32_t at, const char *what)
{
    refuse(r, err, (struct otapult_finding){.at = at, .text = what});
}

/* ---- what a mark alone does not prove ---- */

static uint32_t head_size(const struct otapult_recognise *r)
{
    return r->seen < OTAPULT_RECOGNISE_HEAD ? r->seen : OTAPULT_RECOGNISE_HEAD;
}

/* A record mark and at least 8 digits: no shorter record exists. */
static bool is_hex_record(const struct otapult_recognise *r)
{
    for (int i = 1; i < 10; i++)
        if (otapult_hex_digit((char)r->head[i]) >= 16)
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
    return at == size || (size == OTAPULT_RECOGNISE_HEAD && size - at < 4 && r->head[at] >= 0xC2);
}

/* A page in an encoding of its own: it begins as one, and no byte of it is a control character. */
static bool is_page(const struct otapult_recognise *r)
{
    for (uint32_t at = 0; at < head_size(r); at++)
        if (r->head[at] < ' ' && memchr("\t\n\f\r", r->head[at], 4) == NULL)
            return false;
    return true;
}

/* As programs of Windows save text: a mark, then a character of ASCII. */
static bool is_utf16(const struct otapult_recognise *r)
{
    return otapult_text_printable(r->head + 2, 1) == 1 && r->head[3] == 0;
}

static bool is_zlib(const struct otapult_recognise *r)
{
    return memchr("\x01\x5E\x9C\xDA", r->head[1], 4) != NULL;
}

/* An empty or full page of NVS: its version byte, then 19 reserved bytes (nvs_page.hpp). */
static bool is_nvs(const struct otapult_recognise *r)
{
    return r->head[8] >= 0xFE && otapult_has_only(r->head + 9, 19, ERASED);
}

static bool is_power_of_two(uint32_t n)
{
    return n != 0 && (n & (n - 1)) == 0;
}

/* A BIOS parameter block, the first 22 bytes of it: bytes per sector, sectors per cluster, reserved
 * sectors, number of tables, medium. No image header looks like that: bytes 12 and 13 would be a chip id
 * of 0x102 or more. */
static bool is_fat_boot_sector(const uint8_t *p)
{
    uint16_t sector = otapult_le16(p + 11), reserved = otapult_le16(p + 14);
    uint8_t cluster = p[13], tables = p[16], medium = p[21];
    return ((p[0] == 0xEB && p[2] == 0x90) || p[0] == 0xE9) && sector >= 512 && sector <= 4096 &&
           is_power_of_two(sector) && is_power_of_two(cluster) && reserved != 0 &&
           (tables == 1 || tables == 2) && (medium == 0xF0 || medium >= 0xF8);
}

static bool is_fat(const struct otapult_recognise *r)
{
    return otapult_le16(r->head + 510) == 0xAA55 && is_fat_boot_sector(r->head);
}

static bool is_ota_record(const uint8_t *p)
{
    struct otapult_ota_record record;
    otapult_ota_decode(p, &record);
    return record.crc_ok;
}

static bool is_ota_data(const struct otapult_recognise *r)
{
    return is_ota_record(r->head) && otapult_has_only(r->head + OTAPULT_OTA_RECORD_SIZE,
                                                      head_size(r) - OTAPULT_OTA_RECORD_SIZE, ERASED);
}

/* SPIFFS has no header. Its first page lists, in 16 bits each, whose pages the block holds; the page
 * behind it begins with the same number. An empty one lists nothing but ends in a magic and a count. */
static bool is_spiffs(const struct otapult_recognise *r)
{
    uint16_t first = otapult_le16(r->head);
    if (first == 0xFFFF)
        return otapult_has_only(r->head, 0xFC, ERASED) && otapult_le16(r->head + 0xFC) != 0xFFFF &&
               otapult_has_only(r->head + 0x100, 0x100, ERASED);
    return (first & 0x8000) != 0 && otapult_le32(r->head + 0x100) == first;
}

/* Load addresses of an ESP8266: data RAM, instruction RAM, mapped flash. An ESP32's image has pin settings
 * in the place of the first one. */
static bool is_esp8266_address(uint32_t a)
{
    return (a >= 0x3FFE8000u && a < 0x40000000u) || (a >= 0x40100000u && a < 0x40110000u) ||
           (a >= 0x40200000u && a < 0x40300000u);
}

/* Its second header version, 0xEA, has no header of a segment in front of the first load address. */
static bool is_esp8266(const struct otapult_recognise *r)
{
    return is_esp8266_address(otapult_le32(r->head + (r->head[0] == OTAPULT_IMAGE_MAGIC ? 8 : 4)));
}

/* ---- files told by their first bytes ---- */

/* No mark can refuse an app image: one that has its description is accepted at OTAPULT_HEAD_SIZE, before any
 * of these is compared. Bootloaders and the oldest Arduino apps do come here, with 0xE9 in front; that is why
 * the marks of one byte have a second look. */

#define RARE "lz4, lzip, lzma, cab, ar" /* few people send these, so one text serves for all of them */

/* A mark, and what else must hold. The order matters: what few files can look like comes first. */
static const struct mark {
    uint16_t at;
    uint8_t len;
    char bytes[9];
    int err;
    const char *word;
    bool (*also)(const struct otapult_recognise *r); /* NULL: the mark is enough */
    uint16_t least;                                  /* bytes that `also` looks at */
} marks[] = {
    {0, 4, "\x7F\x45LF", OTAPULT_E_FILE_ELF, NULL, NULL, 0},
    {0, 8, "UF2\n\x57\x51\x5D\x9E", OTAPULT_E_FILE_UF2, NULL, NULL, 0},
    {8, 8, "littlefs", OTAPULT_E_FILE_FILESYSTEM, "LittleFS", NULL, 0},
    {0, 3, "\x1F\x8B\x08", OTAPULT_E_FILE_GZIP, NULL, NULL, 0},
    {0, 4, "PK\x03\x04", OTAPULT_E_FILE_ARCHIVE, "zip", NULL, 0},
    {0, 4, "PK\x05\x06", OTAPULT_E_FILE_ARCHIVE, "zip", NULL, 0}, /* an empty one */
    {0, 6, "\xFD\x37zXZ", OTAPULT_E_FILE_ARCHIVE, "xz", NULL, 0},
    {0, 4, "\x28\xB5\x2F\xFD", OTAPULT_E_FILE_ARCHIVE, "zstd", NULL, 0},
    {0, 6, "7z\xBC\xAF\x27\x1C", OTAPULT_E_FILE_ARCHIVE, "7z", NULL, 0},
    {0, 6, "Rar!\x1A\x07", OTAPULT_E_FILE_ARCHIVE, "rar", NULL, 0},
    {0, 3, "BZh", OTAPULT_E_FILE_ARCHIVE, "bzip2", NULL, 0},
    {0, 4, "\x04\x22\x4D\x18", OTAPULT_E_FILE_ARCHIVE, RARE, NULL, 0},
    {0, 3, "\x5D\0\0", OTAPULT_E_FILE_ARCHIVE, RARE, NULL, 0},
    {0, 4, "LZIP", OTAPULT_E_FILE_ARCHIVE, RARE, NULL, 0},
    {0, 4, "MSCF", OTAPULT_E_FILE_ARCHIVE, RARE, NULL, 0},
    {0, 7, "!<arch>", OTAPULT_E_FILE_ARCHIVE, RARE, NULL, 0}, /* libfirmware.a, a package of Debian */
    {257, 5, "ustar", OTAPULT_E_FILE_ARCHIVE, "tar", NULL, 0},
    {0, 5, "%PDF-", OTAPULT_E_FILE_OTHER, "PDF", NULL, 0},
    {0, 4, "\x89PNG", OTAPULT_E_FILE_OTHER, "PNG, JPEG, GIF", NULL, 0},
    {0, 3, "\xFF\xD8\xFF", OTAPULT_E_FILE_OTHER, "PNG, JPEG, GIF", NULL, 0},
    {0, 4, "GIF8", OTAPULT_E_FILE_OTHER, "PNG, JPEG, GIF", NULL, 0},
    {0, 3, "MZ\x90", OTAPULT_E_FILE_OTHER, "EXE, Mach-O", NULL, 0},
    {0, 4, "\xCF\xFA\xED\xFE", OTAPULT_E_FILE_OTHER, "EXE, Mach-O", NULL, 0},
    {0, 4, "\xCF\xB6\x88\x07", OTAPULT_E_FILE_SEALED, "an encrypted image of esp_encrypted_img", NULL, 0},
    {0, 4, "\x10\xDE\xCD\xFC", OTAPULT_E_FILE_SEALED, "a delta patch of esp_delta_ota", NULL, 0},
    {0, 2, "\xAA\x50", OTAPULT_E_FILE_PARTITION_TABLE, NULL, NULL, 0},
    {0, 4, "\xFE\xFF\xFF\xFF", OTAPULT_E_FILE_FILESYSTEM, "NVS", is_nvs, 32},
    {0, 4, "\xFC\xFF\xFF\xFF", OTAPULT_E_FILE_FILESYSTEM, "NVS", is_nvs, 32},
    {0, 1, "\xEB", OTAPULT_E_FILE_FILESYSTEM, "FAT", is_fat, 512},
    {0, 1, "\xE9", OTAPULT_E_FILE_FILESYSTEM, "FAT", is_fat, 512},
    {0, 1, "\xE9", OTAPULT_E_IMAGE_ESP8266, NULL, is_esp8266, 12},
    {0, 1, "\xEA", OTAPULT_E_IMAGE_ESP8266, NULL, is_esp8266, 8},
    {0, 1, ":", OTAPULT_E_FILE_HEX, NULL, is_hex_record, 10},
    {0, 1, "S", OTAPULT_E_FILE_HEX, NULL, is_hex_record, 10},
    {0, 4, "\x3D\xB8\xF3\x96", OTAPULT_E_FILE_MCUBOOT, "MCUboot's header", NULL, 0},
    {0, 0, "", OTAPULT_E_FILE_OTA_DATA, NULL, is_ota_data, OTAPULT_OTA_RECORD_SIZE},
    {0, 0, "", OTAPULT_E_FILE_TEXT, NULL, is_text, 1},
    {0, 1, "<", OTAPULT_E_FILE_TEXT, NULL, is_page, 1},
    {0, 2, "\xFF\xFE", OTAPULT_E_FILE_TEXT, NULL, is_utf16, 4},
    {0, 1, "x", OTAPULT_E_FILE_GZIP, NULL, is_zlib, 2},
    {0, 0, "", OTAPULT_E_FILE_FILESYSTEM, "SPIFFS", is_spiffs, OTAPULT_RECOGNISE_HEAD},
};

static bool mark_fits(const struct otapult_recognise *r, const struct mark *m)
{
    return r->seen >= (uint32_t)m->at + m->len && r->seen >= m->least &&
           memcmp(r->head + m->at, m->bytes, m->len) == 0 && (m->also == NULL || m->also(r));
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

static bool has_segments(const uint8_t *p)
{
    uint8_t segments = p[OTAPULT_HEADER_SEGMENTS];
    return segments >= 1 && segments <= OTAPULT_MAX_SEGMENTS;
}

/* Segments, reserved bytes and the hash flag as any build tool writes them. */
static bool is_sane_header(const struct otapult_recognise *r)
{
    return has_segments(r->head) && otapult_has_only(r->head + 19, 4, 0) && r->head[OTAPULT_HEADER_HASH] <= 1;
}

static void refuse_bootloader(struct otapult_recognise *r)
{
    refuse(r, OTAPULT_E_IMAGE_BOOTLOADER, (struct otapult_finding){.got = head_chip(r)});
}

/* An image header, but neither app description nor the shape of a bootloader. */
static void refuse_strange_image(struct otapult_recognise *r)
{
    uint16_t chip = head_chip(r);
    if (chip == r->chip_id || !is_sane_header(r)) {
        refuse_part(r, OTAPULT_E_IMAGE_NO_DESCRIPTION, OTAPULT_DESC_OFFSET, NULL);
        return;
    }
    refuse(r, OTAPULT_E_IMAGE_WRONG_CHIP,
           (struct otapult_finding){.at = OTAPULT_HEADER_CHIP, .got = chip, .want = r->chip_id});
}

/* It has the magic of an image and no description, so it is no app of ours. A bootloader goes on: behind it
 * the partition table of a merged image may come, and the hint is a better one then. */
static void judge_image_head(struct otapult_recognise *r)
{
    if (!otapult_chip_known(head_chip(r)) || first_segment_is_mapped(r))
        refuse_strange_image(r);
    else if (r->size < TABLE_AT)
        refuse_bootloader(r); /* no partition table can follow */
}

static void judge_image_end(struct otapult_recognise *r)
{
    if (r->last <= TABLE_AT || has_bootloader_description(r)) /* the rest is padding */
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
    for (const struct mark *m = marks; m < marks + sizeof marks / sizeof *marks; m++)
        if (mark_fits(r, m)) {
            refuse(r, m->err, (struct otapult_finding){.got = r->head[0], .text = m->word});
            return;
        }
    if (r->head[0] == OTAPULT_IMAGE_MAGIC && r->seen >= OTAPULT_HEAD_SIZE)
        judge_image_head(r);
    else if (r->head[0] == OTAPULT_IMAGE_MAGIC)
        refuse_cut_head(r);
    else if (r->seen < OTAPULT_RECOGNISE_HEAD ? r->mixed
                                              : !r->mixed && r->head[0] != ERASED && r->head[0] != 0)
        refuse_unknown(r);
}

/* An unknown head of 512 bytes may be another tool's, in front of an application. */
static void judge_behind_head(struct otapult_recognise *r)
{
    const bool unknown = r->head[0] != OTAPULT_IMAGE_MAGIC &&
                         !otapult_has_only(r->head, OTAPULT_RECOGNISE_HEAD, r->head[0]);

    if (unknown && begins_app(r->window))
        refuse_part(r, OTAPULT_E_FILE_SEALED, OTAPULT_RECOGNISE_HEAD,
                    "512 bytes of another tool in front of an application");
    else if (unknown)
        refuse_unknown(r);
}

/* The first entry of a partition table: magic, an offset on a sector, a size. */
static bool is_table(const uint8_t *p)
{
    uint32_t offset = otapult_le32(p + 4), size = otapult_le32(p + 8);
    return otapult_le16(p) == 0x50AA && offset != 0 && offset % STEP == 0 && size != 0;
}

static bool is_bootloader_of_known_chip(const uint8_t *p)
{
    return p[0] == OTAPULT_IMAGE_MAGIC && has_segments(p) &&
           otapult_chip_known(otapult_le16(p + OTAPULT_HEADER_CHIP));
}

/* Both at once: that only the application inside is wanted, and that it is another chip's. `header`: of the
 * bootloader; NULL: there is none. */
static void refuse_merged(struct otapult_recognise *r, uint32_t at, const char *what, const uint8_t *header)
{
    const uint16_t chip = header == NULL ? r->chip_id : otapult_le16(header + OTAPULT_HEADER_CHIP);

    if (chip != r->chip_id)
        refuse(r, OTAPULT_E_IMAGE_MERGED_CHIP,
               (struct otapult_finding){.at = at, .got = chip, .want = r->chip_id, .text = what});
    else
        refuse_part(r, OTAPULT_E_IMAGE_MERGED, at, what);
}

/* What begins with erased flash. Other chips boot from 0x1000 or 0x2000 (esptool, BOOTLOADER_FLASH_OFFSET),
 * and ESP-IDF's wear levelling leaves its first sector empty. OTA data has its second record at 0x1000; where
 * only that one is written, the first sector is empty, too. */
static void judge_behind_erased(struct otapult_recognise *r, uint32_t at)
{
    if (at == 0x1000 && is_fat_boot_sector(r->window))
        refuse_part(r, OTAPULT_E_FILE_FILESYSTEM, at, "FAT");
    else if (at == 0x1000 && is_ota_record(r->window))
        refuse_part(r, OTAPULT_E_FILE_OTA_DATA, at, NULL);
    else if ((at == 0x1000 || at == 0x2000) && is_bootloader_of_known_chip(r->window))
        refuse_merged(r, at, "bootloader", r->window);
}

/* The signs of a merged image, the best one first (a table is never found in an app image at 0x8000, in 40
 * real ones). Without a bootloader in front the chip is not known, and only "merged" is said. */
static void judge_boundary(struct otapult_recognise *r, uint32_t at)
{
    const uint8_t *header = r->head[0] == OTAPULT_IMAGE_MAGIC ? r->head : NULL;

    if (at >= TABLE_AT && is_table(r->window))
        refuse_merged(r, at, "partition table", header);
    else if (at == APP_AT && begins_app(r->window))
        refuse_merged(r, at, "app image", header);
    else if (r->head[0] == ERASED)
        judge_behind_erased(r, at);
}

/* All bytes are equal. 8192 of them are the ota_data_initial.bin that a build makes; any other length is a
 * chip or a partition read back empty. */
static void refuse_uniform(struct otapult_recognise *r)
{
    refuse(r, r->seen == BLANK_OTA_DATA ? OTAPULT_E_FILE_OTA_DATA : OTAPULT_E_FILE_BLANK,
           (struct otapult_finding){.got = r->head[0]});
}

/* The end of the file, or of what this stage is ready to look at. */
static void judge_end(struct otapult_recognise *r)
{
    if (r->head[0] == OTAPULT_IMAGE_MAGIC)
        judge_image_end(r);
    else if (r->mixed && r->head[0] == 0)
        refuse_part(r, OTAPULT_E_FILE_MCUBOOT, 0, "zeros where MCUboot's header goes");
    else if (r->mixed)
        refuse_unknown(r);
    else
        refuse_uniform(r);
}

/* ---- the stage ---- */

void otapult_recognise_init(struct otapult_recognise *r, uint16_t chip_id, uint32_t size)
{
    *r = (struct otapult_recognise){.size = size, .chip_id = chip_id};
}

/* Where the next bytes of another kind begin: behind a window, behind a part of the head, on a boundary. */
static uint32_t next_stop(uint32_t seen)
{
    uint32_t into = seen % STEP;
    if (into < OTAPULT_RECOGNISE_WINDOW)
        return seen - into + OTAPULT_RECOGNISE_WINDOW;
    if (seen >= OTAPULT_RECOGNISE_HEAD && seen < BEHIND_HEAD)
        return BEHIND_HEAD;
    if (seen < OTAPULT_HEAD_SIZE)
        return OTAPULT_HEAD_SIZE;
    if (seen < OTAPULT_RECOGNISE_HEAD)
        return OTAPULT_RECOGNISE_HEAD;
    return seen - into + STEP;
}

static void judge_stop(struct otapult_recognise *r)
{
    if (r->seen == OTAPULT_HEAD_SIZE && begins_app(r->head))
        r->kind = OTAPULT_KIND_APP;
    else if (r->seen == OTAPULT_RECOGNISE_HEAD)
        judge_head(r);
    else if (r->seen == BEHIND_HEAD)
        judge_behind_head(r);
    else if (r->seen > OTAPULT_RECOGNISE_HEAD && r->seen % STEP == OTAPULT_RECOGNISE_WINDOW)
        judge_boundary(r, r->seen - OTAPULT_RECOGNISE_WINDOW);
    /* Zeros and then something: no more can be learned, and the sender need not send the rest. */
    const bool zeros_ended = r->seen > OTAPULT_RECOGNISE_HEAD && r->head[0] == 0 && r->mixed;
    if (r->kind == OTAPULT_KIND_UNDECIDED && (zeros_ended || r->seen == OTAPULT_RECOGNISE_LAST))
        judge_end(r);
}

/* Takes n bytes, which end at the next stop at most: they are of one kind. */
static void take(struct otapult_recognise *r, const uint8_t *p, uint32_t n)
{
    uint32_t into = r->seen % STEP;
    if (r->seen < OTAPULT_RECOGNISE_HEAD)
        memcpy(r->head + r->seen, p, n);
    if (into < OTAPULT_RECOGNISE_WINDOW)
        memcpy(r->window + into, p, n);
    else if (r->seen >= OTAPULT_RECOGNISE_HEAD && r->seen < BEHIND_HEAD)
        memcpy(r->window + (r->seen - OTAPULT_RECOGNISE_HEAD), p, n);
    r->mixed = r->mixed || !otapult_has_only(p, n, r->head[0]);
    for (uint32_t i = n; i > 0; i--)
        if (p[i - 1] != ERASED) {
            r->last = r->seen + i;
            break;
        }
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
