/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "feed.h"
#include "image/recognise.h"
#include "otapult/otapult.h"
#include "sample_image.h"

#define ROOM 0x22000u

/* ---- files, made by hand ---- */

static void put(uint8_t *f, size_t at, const char *bytes, size_t len)
{
    memcpy(f + at, bytes, len);
}

static void put32(uint8_t *f, size_t at, uint32_t v)
{
    for (int i = 0; i < 4; i++)
        f[at + (size_t)i] = (uint8_t)(v >> 8 * i);
}

static void noise(uint8_t *f, size_t at, size_t len)
{
    uint32_t x = 12345;
    for (size_t i = at; i < at + len; i++) {
        x = x * 1664525u + 1013904223u;
        f[i] = (uint8_t)(x >> 24);
    }
}

static void put_sample(uint8_t *f, size_t at, struct sample_spec spec)
{
    size_t len;
    uint8_t *image = sample_image(&spec, &len);
    memcpy(f + at, image, len < ROOM - at ? len : ROOM - at);
    free(image);
}

static void put_table(uint8_t *f, size_t at)
{
    memset(f + at, 0xFF, 0xC00);
    put(f, at, "\xAA\x50\x01\x02\x00\x90\x00\x00\x00\x50\x00\x00nvs\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 32);
}

static void put_boot_sector(uint8_t *f, size_t at, uint8_t first, uint8_t sector_high)
{
    memset(f + at, 0, 512);
    put(f, at, "\xEB\xFE\x90MSDOS5.0", 11);
    f[at] = first;
    f[at + 12] = sector_high;
    put(f, at + 13, "\x01\x01\x00\x01\x00\x02\x50\x00\xF8\x01\x00", 11);
    put(f, at + 510, "\x55\xAA", 2);
}

static void put_ota_record(uint8_t *f, size_t at)
{
    memset(f + at, 0xFF, 32);
    put32(f, at, 1);
    put32(f, at + 28, 0x4743989A);
}

/* What its first bytes alone tell, with so many bytes of noise behind them. */
#define BEGINS(name, noisy, bytes)          \
    static void name(uint8_t *f)            \
    {                                       \
        noise(f, 0, noisy);                 \
        put(f, 0, bytes, sizeof bytes - 1); \
    }
BEGINS(esp8266, 4096, "\xE9\x02\x02\x40\xAC\xF3\x10\x40\x00\xF0\x10\x40\x74\x05\x00\x00")
BEGINS(esp8266_v2, 4096, "\xEA\x04\x00\x00\x04\x0F\x10\x40\x00\x00\x00\x00\xC0\x51\x04\x00")
BEGINS(littlefs, 4096, "\x02\x00\x00\x00\xF0\x0F\xFF\xF7littlefs\x2F\xE0\x00\x10")
BEGINS(elf, 0, "\177ELF\1\1\1")
BEGINS(uf2, 0, "UF2\nWQ]\236")
BEGINS(gzip, 0, "\x1F\x8B\x08\x08")
BEGINS(zlib, 600, "\x78\x9C")
BEGINS(zip, 0, "PK\3\4\24")
BEGINS(empty_zip, 0, "PK\5\6")
BEGINS(lz4, 0, "\4\42\115\30\144\100")
BEGINS(lzma, 64, "\135\0\0\200\0")
BEGINS(lzip, 0, "LZIP\1")
BEGINS(cab, 0, "MSCF")
BEGINS(ar, 0, "!<arch>\nmain.o/")
BEGINS(pdf, 600, "%PDF-1.7\n%\342\343\317\323\n")
BEGINS(png, 0, "\211PNG\r\n\32\n")
BEGINS(jpeg, 600, "\377\330\377\340\0\20JFIF")
BEGINS(gif, 600, "GIF89a")
BEGINS(windows, 600, "MZ\220\0\3")
BEGINS(mac, 600, "\317\372\355\376")
BEGINS(xz, 0, "\3757zXZ\0")
BEGINS(zstd, 0, "\x28\xB5\x2F\xFD")
BEGINS(bzip2, 0, "BZh91AY&SY")
BEGINS(seven_zip, 0, "7z\274\257'\34")
BEGINS(rar, 0, "Rar!\32\7\1")
BEGINS(sealed, 600, "\xCF\xB6\x88\x07")
BEGINS(delta, 64, "\x10\xDE\xCD\xFC")

static const struct sample_spec app = {SAMPLE_DEFAULT, .size = 0x2000};
static const struct sample_spec loader = {SAMPLE_DEFAULT, .bootloader = true};

static void s3_app(uint8_t *f)
{
    put_sample(f, 0, app);
}
static void s2_app(uint8_t *f)
{
    struct sample_spec spec = app;
    spec.chip_id = 2;
    put_sample(f, 0, spec);
}
static void s3_loader(uint8_t *f)
{
    memset(f, 0xFF, ROOM);
    put_sample(f, 0, loader);
}
static void old_loader(uint8_t *f)
{
    s3_loader(f);
    memset(f + 0x20, 0, 80); /* before ESP-IDF 5.2: no description */
}
static void loader_with_stray_mark(uint8_t *f)
{
    old_loader(f);
    put(f, 0x4000, "\xAA\x50\x01\x02\x34\x12", 6); /* code may hold any bytes */
}
static void esp32_loader(uint8_t *f)
{
    old_loader(f);
    f[12] = 0;
}
static void merged(uint8_t *f)
{
    s3_loader(f);
    put_table(f, 0x8000);
    put_sample(f, 0x10000, app);
}
static void merged_far_table(uint8_t *f)
{
    s3_loader(f);
    put_table(f, 0x12000);
    put_sample(f, 0x20000, app);
}
static void merged_moved_table(uint8_t *f)
{
    s3_loader(f);
    put_table(f, 0xF000);
}
static void merged_without_table(uint8_t *f)
{
    s3_loader(f);
    put_sample(f, 0x10000, app);
}
static void merged_esp32(uint8_t *f)
{
    memset(f, 0xFF, ROOM);
    struct sample_spec spec = loader;
    spec.chip_id = 0;
    put_sample(f, 0x1000, spec);
}
static void merged_p4(uint8_t *f)
{
    memset(f, 0xFF, ROOM);
    struct sample_spec spec = loader;
    spec.chip_id = 0x12;
    put_sample(f, 0x2000, spec);
}
static void merged_only_table(uint8_t *f)
{
    memset(f, 0xFF, ROOM);
    put_table(f, 0x8000);
}
static void no_description(uint8_t *f)
{
    struct sample_spec spec = app;
    spec.no_description = true;
    put_sample(f, 0, spec);
}
static void no_description_esp32(uint8_t *f)
{
    no_description(f);
    f[12] = 0;
}
static void chip_of_the_future(uint8_t *f)
{
    no_description(f);
    f[12] = 0x77;
}
static void image_goes_on(uint8_t *f)
{
    old_loader(f);
    noise(f, 0x5000, ROOM - 0x5000);
}
static void noise_e9(uint8_t *f)
{
    noise(f, 0, ROOM);
    f[0] = 0xE9;
}
static void table(uint8_t *f)
{
    put_table(f, 0);
}
static void blank(uint8_t *f)
{
    memset(f, 0xFF, ROOM);
}
/* What Zephyr's build leaves for MCUboot's header, then a vector table. */
static void zephyr(uint8_t *f)
{
    static const uint8_t vectors[] = {0x00, 0x8E, 0x00, 0x20, 0x71, 0x3D, 0x01, 0x00};
    memset(f, 0, 512);
    memcpy(f + 512, vectors, sizeof vectors);
}
static void mcuboot(uint8_t *f)
{
    memcpy(f, "\x3D\xB8\xF3\x96\0\0\0\0\x20", 9);
}
static void zeros(uint8_t *f)
{
    memset(f, 0, ROOM);
}
static void ota_data(uint8_t *f)
{
    memset(f, 0xFF, ROOM);
    put_ota_record(f, 0);
}
static void boot_app0(uint8_t *f)
{
    ota_data(f);
    put32(f, 0x1000, 0);
}
static void ota_data_second(uint8_t *f)
{
    memset(f, 0xFF, ROOM);
    put_ota_record(f, 0x1000);
}
static void ota_data_seq_0(uint8_t *f)
{
    memset(f, 0xFF, ROOM);
    put32(f, 0, 0);
}
static void littlefs_e9(uint8_t *f)
{
    littlefs(f);
    f[0] = 0xE9; /* revision 233 */
}
static void spiffs(uint8_t *f)
{
    memset(f, 0xFF, ROOM);
    put(f, 0, "\x01\x80\x01\x00", 4);
    put(f, 0xFC, "\x79\x07\x00\x00", 4);
    put(f, 0x100, "\x01\x80\x00\x00\xF8\xFF\xFF\xFF\x10\x00\x00\x00\x01/index.html", 24);
}
static void spiffs_empty(uint8_t *f)
{
    memset(f, 0xFF, ROOM);
    put(f, 0xFC, "\x79\x07\x01\x00", 4);
}
static void fat(uint8_t *f)
{
    put_boot_sector(f, 0, 0xEB, 2);
}
static void fat_e9(uint8_t *f)
{
    put_boot_sector(f, 0, 0xE9, 0x10);
}
static void fat_levelled(uint8_t *f)
{
    memset(f, 0xFF, ROOM);
    put_boot_sector(f, 0x1000, 0xEB, 0x10);
}
static void fat_levelled_e9(uint8_t *f)
{
    memset(f, 0xFF, ROOM);
    put_boot_sector(f, 0x1000, 0xE9, 0x10);
}
static void nvs(uint8_t *f)
{
    memset(f, 0xFF, ROOM);
    put(f, 0, "\xFE\xFF\xFF\xFF\x00\x00\x00\x00\xFE", 9);
    put(f, 28, "\x12\x34\x56\x78", 4);
}
static void nvs_full(uint8_t *f)
{
    nvs(f);
    f[0] = 0xFC;
}
static void hex(uint8_t *f)
{
    for (size_t at = 0; at + 44 < ROOM; at += 44)
        put(f, at, ":10010000214601360121470136007EFE09D2190140\n", 44);
}
static void srecord(uint8_t *f)
{
    for (size_t at = 0; at + 22 < ROOM; at += 22)
        put(f, at, "S00F000068656C6C6F2020\n", 22);
}
static void text(uint8_t *f)
{
    for (size_t at = 0; at + 22 < ROOM; at += 22)
        put(f, at, "<!doctype html>\r\n\t404 ", 22);
}
static void page_1251(uint8_t *f)
{
    for (size_t at = 0; at + 16 < ROOM; at += 16)
        put(f, at, "<p>\xC2\xEE\xE9\xF2\xE8 \xE2</p>\r\n", 16);
}
static void no_page(uint8_t *f)
{
    page_1251(f);
    f[300] = 0x1F;
}
static void page_utf16(uint8_t *f)
{
    put(f, 0, "\xFF\xFE", 2);
    for (size_t at = 2; at + 2 < ROOM; at += 2)
        put(f, at, "<", 2);
}
static void russian(uint8_t *f)
{
    for (size_t at = 0; at + 15 < ROOM; at += 14)
        put(f, at, "\xD0\xBE\xD1\x88\xD0\xB8\xD0\xB1\xD0\xBA\xD0\xB0\n ", 14);
}
static void russian_cut(uint8_t *f)
{
    russian(f + 1);
    f[0] = '#'; /* now the head ends inside a letter */
}
static void tar(uint8_t *f)
{
    put(f, 0, "firmware.bin", 12);
    put(f, 257, "ustar", 5);
}
static void garbage(uint8_t *f)
{
    noise(f, 0, ROOM);
}
static void sameness(uint8_t *f)
{
    memset(f, 0xAA, ROOM);
}
static void behind_512(uint8_t *f)
{
    noise(f, 0, 512);
    put_sample(f, 512, app);
}
static void behind_512_damaged(uint8_t *f)
{
    behind_512(f);
    f[512 + 32] ^= 1;
}
static void ff_then_noise(uint8_t *f)
{
    memset(f, 0xFF, 0x3000);
    noise(f, 0x3000, ROOM - 0x3000);
}

/* ---- what each of them is ---- */

static const struct kind_of_file {
    const char *name;
    void (*make)(uint8_t *f);
    uint32_t len;
    int err;
    uint32_t at;      /* of the finding */
    uint32_t by;      /* the offset by which it must have been told; 0: at the end */
    const char *text; /* of the finding */
} files[] = {
    {"app", s3_app, 0x2000, 0, 0, 288, NULL},
    {"app for another chip", s2_app, 0x2000, 0, 0, 288, NULL}, /* the inspector names the chip */
    {"bootloader", s3_loader, 0x5000, OTAPULT_E_IMAGE_BOOTLOADER, 0, 0, NULL},
    {"bootloader of old", old_loader, 0x5000, OTAPULT_E_IMAGE_BOOTLOADER, 0, 0, NULL},
    {"bootloader, padded", old_loader, 0x7FFF, OTAPULT_E_IMAGE_BOOTLOADER, 0, 0, NULL},
    {"bootloader of old, read back", old_loader, 0x8000, OTAPULT_E_IMAGE_BOOTLOADER, 0, 0, NULL},
    {"bootloader of old, padded more", old_loader, 0xC000, OTAPULT_E_IMAGE_BOOTLOADER, 0, 0, NULL},
    {"bootloader, padded more", s3_loader, 0xC000, OTAPULT_E_IMAGE_BOOTLOADER, 0, 0, NULL},
    {"bootloader, stray mark", loader_with_stray_mark, 0x5000, OTAPULT_E_IMAGE_BOOTLOADER, 0, 0, NULL},
    {"bootloader for ESP32", esp32_loader, 0x5000, OTAPULT_E_IMAGE_BOOTLOADER, 0, 0, NULL},
    {"merged", merged, ROOM, OTAPULT_E_IMAGE_MERGED, 0x8000, 0x8024, "partition table"},
    {"merged, table far behind", merged_far_table, ROOM, OTAPULT_E_IMAGE_MERGED, 0x12000, 0x12024,
     "partition table"},
    {"merged, table moved", merged_moved_table, ROOM, OTAPULT_E_IMAGE_MERGED, 0xF000, 0xF024,
     "partition table"},
    {"merged, no table", merged_without_table, ROOM, OTAPULT_E_IMAGE_MERGED, 0x10000, 0x10024, "app image"},
    {"merged for ESP32", merged_esp32, ROOM, OTAPULT_E_IMAGE_MERGED_CHIP, 0x1000, 0x1024, "bootloader"},
    {"merged for ESP32-P4", merged_p4, ROOM, OTAPULT_E_IMAGE_MERGED_CHIP, 0x2000, 0x2024, "bootloader"},
    {"merged, no bootloader", merged_only_table, ROOM, OTAPULT_E_IMAGE_MERGED, 0x8000, 0x8024,
     "partition table"},
    {"no description", no_description, 0x2000, OTAPULT_E_IMAGE_NO_DESCRIPTION, 0x20, 512, NULL},
    {"no description, ESP32", no_description_esp32, 0x2000, OTAPULT_E_IMAGE_WRONG_CHIP, 12, 512, NULL},
    {"chip of the future", chip_of_the_future, 0x2000, OTAPULT_E_IMAGE_WRONG_CHIP, 12, 512, NULL},
    {"image without an end", image_goes_on, ROOM, OTAPULT_E_IMAGE_NO_DESCRIPTION, 0x20,
     OTAPULT_RECOGNISE_LAST, NULL},
    {"noise behind 0xE9", noise_e9, ROOM, OTAPULT_E_IMAGE_NO_DESCRIPTION, 0x20, 512, NULL},
    {"ESP8266", esp8266, 4096, OTAPULT_E_IMAGE_ESP8266, 0, 512, NULL},
    {"ESP8266, second version", esp8266_v2, 4096, OTAPULT_E_IMAGE_ESP8266, 0, 512, NULL},
    {"head of an app", s3_app, 287, OTAPULT_E_IMAGE_TRUNCATED, 287, 0, NULL},
    {"first byte of an app", s3_app, 1, OTAPULT_E_IMAGE_TRUNCATED, 1, 0, NULL},
    {"nothing", s3_app, 0, OTAPULT_E_FILE_EMPTY, 0, 0, NULL},
    {"partition table", table, 0xC00, OTAPULT_E_FILE_PARTITION_TABLE, 0, 512, NULL},
    {"OTA data", ota_data, 0x2000, OTAPULT_E_FILE_OTA_DATA, 0, 512, NULL},
    {"boot_app0.bin", boot_app0, 0x2000, OTAPULT_E_FILE_OTA_DATA, 0, 512, NULL},
    {"OTA data, second record", ota_data_second, 0x2000, OTAPULT_E_FILE_OTA_DATA, 0x1000, 0x1024, NULL},
    {"OTA data, sequence 0", ota_data_seq_0, 0x2000, OTAPULT_E_FILE_OTA_DATA, 0, 512, NULL},
    {"ota_data_initial.bin", blank, 0x2000, OTAPULT_E_FILE_OTA_DATA, 0, 0, NULL},
    {"erased flash", blank, 0x2001, OTAPULT_E_FILE_BLANK, 0, 0, NULL},
    {"much erased flash", blank, ROOM, OTAPULT_E_FILE_BLANK, 0, OTAPULT_RECOGNISE_LAST, NULL},
    {"one erased byte", blank, 1, OTAPULT_E_FILE_BLANK, 0, 0, NULL},
    {"zeros", zeros, ROOM, OTAPULT_E_FILE_BLANK, 0, OTAPULT_RECOGNISE_LAST, NULL},
    {"Zephyr", zephyr, 0x3000, OTAPULT_E_FILE_MCUBOOT, 0, 548, "zeros where MCUboot's header goes"},
    {"MCUboot", mcuboot, 0x3000, OTAPULT_E_FILE_MCUBOOT, 0, 512, "MCUboot's header"},
    {"one zero", zeros, 1, OTAPULT_E_FILE_BLANK, 0, 0, NULL},
    {"LittleFS", littlefs, 4096, OTAPULT_E_FILE_FILESYSTEM, 0, 512, "LittleFS"},
    {"LittleFS, revision 233", littlefs_e9, 4096, OTAPULT_E_FILE_FILESYSTEM, 0, 512, "LittleFS"},
    {"SPIFFS", spiffs, ROOM, OTAPULT_E_FILE_FILESYSTEM, 0, 512, "SPIFFS"},
    {"SPIFFS, empty", spiffs_empty, ROOM, OTAPULT_E_FILE_FILESYSTEM, 0, 512, "SPIFFS"},
    {"FAT", fat, ROOM, OTAPULT_E_FILE_FILESYSTEM, 0, 512, "FAT"},
    {"FAT, first byte 0xE9", fat_e9, ROOM, OTAPULT_E_FILE_FILESYSTEM, 0, 512, "FAT"},
    {"FAT, wear-levelled", fat_levelled, ROOM, OTAPULT_E_FILE_FILESYSTEM, 0x1000, 0x1024, "FAT"},
    {"the same, 0xE9", fat_levelled_e9, ROOM, OTAPULT_E_FILE_FILESYSTEM, 0x1000, 0x1024, "FAT"},
    {"NVS", nvs, ROOM, OTAPULT_E_FILE_FILESYSTEM, 0, 512, "NVS"},
    {"NVS, full page", nvs_full, ROOM, OTAPULT_E_FILE_FILESYSTEM, 0, 512, "NVS"},
    {"ELF", elf, ROOM, OTAPULT_E_FILE_ELF, 0, 512, NULL},
    {"UF2", uf2, ROOM, OTAPULT_E_FILE_UF2, 0, 512, NULL},
    {"Intel HEX", hex, ROOM, OTAPULT_E_FILE_HEX, 0, 512, NULL},
    {"S-record", srecord, ROOM, OTAPULT_E_FILE_HEX, 0, 512, NULL},
    {"HTML", text, ROOM, OTAPULT_E_FILE_TEXT, 0, 512, NULL},
    {"a short page", text, 60, OTAPULT_E_FILE_TEXT, 0, 0, NULL},
    {"a page in Windows-1251", page_1251, ROOM, OTAPULT_E_FILE_TEXT, 0, 512, NULL},
    {"no page, by one byte", no_page, ROOM, OTAPULT_E_FILE_UNKNOWN, 0, 548, NULL},
    {"text in UTF-16", page_utf16, ROOM, OTAPULT_E_FILE_TEXT, 0, 512, NULL},
    {"Russian text", russian, ROOM, OTAPULT_E_FILE_TEXT, 0, 512, NULL},
    {"Russian text, a letter cut", russian_cut, 2000, OTAPULT_E_FILE_TEXT, 0, 512, NULL},
    {"gzip", gzip, 4096, OTAPULT_E_FILE_GZIP, 0, 512, NULL},
    {"a short gzip", gzip, 20, OTAPULT_E_FILE_GZIP, 0, 0, NULL},
    {"zlib", zlib, 600, OTAPULT_E_FILE_GZIP, 0, 512, NULL},
    {"zip", zip, 4096, OTAPULT_E_FILE_ARCHIVE, 0, 512, "zip"},
    {"zip, empty", empty_zip, 22, OTAPULT_E_FILE_ARCHIVE, 0, 0, "zip"},
    {"lz4", lz4, 4096, OTAPULT_E_FILE_ARCHIVE, 0, 512, "lz4, lzip, lzma, cab, ar"},
    {"lzma", lzma, 4096, OTAPULT_E_FILE_ARCHIVE, 0, 512, "lz4, lzip, lzma, cab, ar"},
    {"lzip", lzip, 4096, OTAPULT_E_FILE_ARCHIVE, 0, 512, "lz4, lzip, lzma, cab, ar"},
    {"cab", cab, 4096, OTAPULT_E_FILE_ARCHIVE, 0, 512, "lz4, lzip, lzma, cab, ar"},
    {"ar", ar, 4096, OTAPULT_E_FILE_ARCHIVE, 0, 512, "lz4, lzip, lzma, cab, ar"},
    {"PDF", pdf, 600, OTAPULT_E_FILE_OTHER, 0, 512, "PDF"},
    {"PNG", png, 600, OTAPULT_E_FILE_OTHER, 0, 512, "PNG, JPEG, GIF"},
    {"JPEG", jpeg, 600, OTAPULT_E_FILE_OTHER, 0, 512, "PNG, JPEG, GIF"},
    {"GIF", gif, 600, OTAPULT_E_FILE_OTHER, 0, 512, "PNG, JPEG, GIF"},
    {"a program for Windows", windows, 600, OTAPULT_E_FILE_OTHER, 0, 512, "EXE, Mach-O"},
    {"a program for macOS", mac, 600, OTAPULT_E_FILE_OTHER, 0, 512, "EXE, Mach-O"},
    {"xz", xz, 4096, OTAPULT_E_FILE_ARCHIVE, 0, 512, "xz"},
    {"zstd", zstd, 4096, OTAPULT_E_FILE_ARCHIVE, 0, 512, "zstd"},
    {"bzip2", bzip2, 4096, OTAPULT_E_FILE_ARCHIVE, 0, 512, "bzip2"},
    {"7z", seven_zip, 4096, OTAPULT_E_FILE_ARCHIVE, 0, 512, "7z"},
    {"rar", rar, 4096, OTAPULT_E_FILE_ARCHIVE, 0, 512, "rar"},
    {"tar", tar, 4096, OTAPULT_E_FILE_ARCHIVE, 0, 512, "tar"},
    {"encrypted", sealed, 600, OTAPULT_E_FILE_SEALED, 0, 512, "an encrypted image of esp_encrypted_img"},
    {"delta patch", delta, 600, OTAPULT_E_FILE_SEALED, 0, 512, "a delta patch of esp_delta_ota"},
    {"noise", garbage, ROOM, OTAPULT_E_FILE_UNKNOWN, 0, 548, NULL},
    {"noise, and an end", garbage, 530, OTAPULT_E_FILE_UNKNOWN, 0, 0, NULL},
    {"one byte again and again", sameness, ROOM, OTAPULT_E_FILE_UNKNOWN, 0, 512, NULL},
    {"512 bytes in front of an app", behind_512, 0x2200, OTAPULT_E_FILE_SEALED, 512, 548,
     "512 bytes of another tool in front of an application"},
    {"512 bytes in front of a damaged one", behind_512_damaged, 0x2200, OTAPULT_E_FILE_UNKNOWN, 0, 548, NULL},
    {"a little noise", garbage, 100, OTAPULT_E_FILE_UNKNOWN, 0, 0, NULL},
    {"erased, then noise", ff_then_noise, ROOM, OTAPULT_E_FILE_UNKNOWN, 0, OTAPULT_RECOGNISE_LAST, NULL},
    {"erased, then an end", ff_then_noise, 0x3010, OTAPULT_E_FILE_UNKNOWN, 0, 0, NULL},
};
enum { FILES = sizeof files / sizeof *files };

static int feed(void *stage, const uint8_t *p, size_t n)
{
    return otapult_recognise_feed(stage, p, n);
}

static struct otapult_recognise recognise(const uint8_t *f, uint32_t len, uint32_t size, unsigned how)
{
    struct otapult_recognise r;
    otapult_recognise_init(&r, OTAPULT_CHIP_ESP32S3, size);
    int fed = feed_split(feed, &r, f, len, how);
    int err = otapult_recognise_finish(&r);
    if (fed != 0)
        assert_int_equal(err, fed); /* the first error stays */
    assert_int_equal(err, r.err);
    return r;
}

static void check(const struct kind_of_file *k, const struct otapult_recognise *r)
{
    const char *text_found = r->why.text ? r->why.text : "", *wanted = k->text ? k->text : "";
    if (r->err != k->err || r->why.at != k->at || strcmp(text_found, wanted) != 0)
        fail_msg("%s: error %s at 0x%x (%s)", k->name, r->err ? otapult_error_row(r->err)->code : "none",
                 (unsigned)r->why.at, text_found);
    assert_int_equal(r->kind, k->err ? OTAPULT_KIND_REFUSED : OTAPULT_KIND_APP);
}

static void every_kind_has_its_own_error(void **state)
{
    (void)state;
    static uint8_t f[ROOM];
    for (int i = 0; i < FILES; i++) {
        memset(f, 0, ROOM);
        files[i].make(f);
        for (unsigned how = 0; how < 6; how++) {
            struct otapult_recognise r = recognise(f, files[i].len, OTAPULT_SIZE_UNKNOWN, how);
            check(&files[i], &r);
        }
    }
}

static void every_kind_is_told_as_early_as_can_be(void **state)
{
    (void)state;
    static uint8_t f[ROOM];
    for (int i = 0; i < FILES; i++) {
        memset(f, 0, ROOM);
        files[i].make(f);
        struct otapult_recognise r;
        uint32_t by = files[i].by ? files[i].by : files[i].len;
        otapult_recognise_init(&r, OTAPULT_CHIP_ESP32S3, OTAPULT_SIZE_UNKNOWN);
        if (by > 0)
            assert_int_equal(otapult_recognise_feed(&r, f, by - 1), 0);
        assert_int_equal(r.kind, OTAPULT_KIND_UNDECIDED);
        if (files[i].by) {
            if (otapult_recognise_feed(&r, f + by - 1, 1) != files[i].err)
                fail_msg("%s: not told at %u", files[i].name, (unsigned)by);
            assert_int_not_equal(r.kind, OTAPULT_KIND_UNDECIDED);
        }
    }
}

/* A known size, or an upper bound of it, makes no difference but to a bootloader, told earlier. */
static void a_known_size_changes_no_verdict(void **state)
{
    (void)state;
    static uint8_t f[ROOM];
    for (int i = 0; i < FILES; i++) {
        memset(f, 0, ROOM);
        files[i].make(f);
        for (uint32_t more = 0; more < 1000; more += 200) {
            struct otapult_recognise r = recognise(f, files[i].len, files[i].len + more, 3);
            check(&files[i], &r);
        }
    }
    memset(f, 0, ROOM);
    s3_loader(f);
    struct otapult_recognise r;
    otapult_recognise_init(&r, OTAPULT_CHIP_ESP32S3, 0x5000);
    assert_int_equal(otapult_recognise_feed(&r, f, 512), OTAPULT_E_IMAGE_BOOTLOADER);
}

static void the_finding_names_the_chip(void **state)
{
    (void)state;
    static uint8_t f[ROOM];
    esp32_loader(f);
    f[12] = 2;
    struct otapult_recognise r = recognise(f, 0x5000, OTAPULT_SIZE_UNKNOWN, FEED_AT_ONCE);
    assert_int_equal(r.why.got, 2);

    memset(f, 0, ROOM);
    no_description_esp32(f);
    otapult_recognise_init(&r, 5, OTAPULT_SIZE_UNKNOWN);
    assert_int_equal(otapult_recognise_feed(&r, f, ROOM), OTAPULT_E_IMAGE_WRONG_CHIP);
    assert_int_equal(r.why.got, 0);
    assert_int_equal(r.why.want, 5);

    f[12] = 5; /* its own chip, but still no description */
    otapult_recognise_init(&r, 5, OTAPULT_SIZE_UNKNOWN);
    assert_int_equal(otapult_recognise_feed(&r, f, ROOM), OTAPULT_E_IMAGE_NO_DESCRIPTION);
}

/* Real images of all sizes, with weak marks of other kinds planted where an image may hold any bytes. */
static void nothing_shadows_an_app(void **state)
{
    (void)state;
    static uint8_t f[ROOM];
    s3_app(f);
    put(f, 510, "\x55\xAA", 2);
    put(f, 257, "ustar", 5);
    memcpy(f + 0x100, f, 2);
    put(f, 0x102, "\0", 2);
    put_table(f, 0x8000);
    struct otapult_recognise r = recognise(f, ROOM, OTAPULT_SIZE_UNKNOWN, FEED_AT_ONCE);
    assert_int_equal(r.kind, OTAPULT_KIND_APP);
    assert_int_equal(r.seen, OTAPULT_HEAD_SIZE);
    assert_memory_equal(r.head, f, OTAPULT_HEAD_SIZE);
}

static void once_decided_it_looks_at_nothing_more(void **state)
{
    (void)state;
    static uint8_t f[ROOM];
    struct otapult_recognise r;
    s3_app(f);
    otapult_recognise_init(&r, OTAPULT_CHIP_ESP32S3, OTAPULT_SIZE_UNKNOWN);
    assert_int_equal(otapult_recognise_feed(&r, f, OTAPULT_HEAD_SIZE), 0);
    struct otapult_recognise decided = r;
    assert_int_equal(otapult_recognise_feed(&r, NULL, 1000), 0);
    assert_memory_equal(&r, &decided, sizeof r);

    otapult_recognise_init(&r, OTAPULT_CHIP_ESP32S3, OTAPULT_SIZE_UNKNOWN);
    assert_int_equal(otapult_recognise_feed(&r, (const uint8_t *)"", 0), 0);
    assert_int_equal(otapult_recognise_finish(&r), OTAPULT_E_FILE_EMPTY);
    assert_int_equal(otapult_recognise_feed(&r, f, ROOM), OTAPULT_E_FILE_EMPTY);
    assert_int_equal(otapult_recognise_finish(&r), OTAPULT_E_FILE_EMPTY);
}

static void it_may_be_copied_at_any_byte(void **state)
{
    (void)state;
    static uint8_t f[ROOM];
    merged(f);
    struct otapult_recognise r, copy;
    otapult_recognise_init(&r, OTAPULT_CHIP_ESP32S3, OTAPULT_SIZE_UNKNOWN);
    for (uint32_t at = 0; at < 0x8023; at++) {
        copy = r;
        memset(&r, 0xA5, sizeof r);
        r = copy;
        assert_int_equal(otapult_recognise_feed(&r, f + at, 1), 0);
    }
    assert_int_equal(otapult_recognise_feed(&r, f + 0x8023, 1), OTAPULT_E_IMAGE_MERGED);
}

/* Whatever ends wherever: never undecided at the end, never an app below the size of a head. */
static void every_length_ends_in_a_verdict(void **state)
{
    (void)state;
    static uint8_t f[ROOM];
    for (int i = 0; i < FILES; i++) {
        memset(f, 0, ROOM);
        files[i].make(f);
        for (uint32_t len = 0; len <= 600 && len <= files[i].len; len++) {
            struct otapult_recognise r = recognise(f, len, OTAPULT_SIZE_UNKNOWN, FEED_AT_ONCE);
            assert_int_not_equal(r.kind, OTAPULT_KIND_UNDECIDED);
            if (len < OTAPULT_HEAD_SIZE)
                assert_int_equal(r.kind, OTAPULT_KIND_REFUSED);
            assert_true(r.err != OTAPULT_E_INTERNAL);
        }
    }
}

static void noise_is_never_an_app(void **state)
{
    (void)state;
    uint8_t f[600];
    uint32_t x = 1;
    for (int round = 0; round < 20000; round++) {
        for (size_t i = 0; i < sizeof f; i++) {
            x = x * 1664525u + 1013904223u;
            f[i] = (uint8_t)(x >> 24);
        }
        struct otapult_recognise r = recognise(f, sizeof f, OTAPULT_SIZE_UNKNOWN, FEED_AT_ONCE);
        assert_int_equal(r.kind, OTAPULT_KIND_REFUSED);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_kind_has_its_own_error),
        cmocka_unit_test(every_kind_is_told_as_early_as_can_be),
        cmocka_unit_test(a_known_size_changes_no_verdict),
        cmocka_unit_test(the_finding_names_the_chip),
        cmocka_unit_test(nothing_shadows_an_app),
        cmocka_unit_test(once_decided_it_looks_at_nothing_more),
        cmocka_unit_test(it_may_be_copied_at_any_byte),
        cmocka_unit_test(every_length_ends_in_a_verdict),
        cmocka_unit_test(noise_is_never_an_app),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
