/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "new_file.h"
#include "sample_image.h"

static const char usage[] =
    "usage: sample-image OUT [options]\n"
    "Makes sample firmware for the virtual rover: a real app image whose code is random bytes.\n"
    "\n"
    "  --version V     version in the app description (1.0.0)\n"
    "  --project P     project name in the app description (rover)\n"
    "  --size N        size of the file in bytes, 1024 to 20971520 (262144)\n"
    "  --seed N        another seed is another build (0)\n"
    "  --temper WORD   what it does when it runs (healthy):\n"
    "                  healthy, crash-at-boot, crash-later, hang, no-network, never-confirms\n"
    "  --after S       seconds until the temper shows (0)\n"
    "  --chip ID       chip id in the header (0x0009, an ESP32-S3)\n"
    "  --merged        a merged image: bootloader, partition table, OTA data and the app\n"
    "  --help          this text\n";

enum { OPT_VERSION = 256, OPT_PROJECT, OPT_SIZE, OPT_SEED, OPT_TEMPER, OPT_AFTER, OPT_CHIP, OPT_MERGED };

static const struct option options[] = {
    {"version", required_argument, NULL, OPT_VERSION},
    {"project", required_argument, NULL, OPT_PROJECT},
    {"size", required_argument, NULL, OPT_SIZE},
    {"seed", required_argument, NULL, OPT_SEED},
    {"temper", required_argument, NULL, OPT_TEMPER},
    {"after", required_argument, NULL, OPT_AFTER},
    {"chip", required_argument, NULL, OPT_CHIP},
    {"merged", no_argument, NULL, OPT_MERGED},
    {"help", no_argument, NULL, 'h'},
    {NULL, 0, NULL, 0},
};

/* Partition table of a 16 MB board with two OTA slots: Arduino's default_16MB.csv, with its MD5 entry. */
static const struct {
    uint8_t type, subtype;
    uint32_t offset, size;
    const char *label;
} partitions[] = {
    {1, 0x02, 0x9000, 0x5000, "nvs"},        {1, 0x00, 0xE000, 0x2000, "otadata"},
    {0, 0x10, 0x10000, 0x640000, "app0"},    {0, 0x11, 0x650000, 0x640000, "app1"},
    {1, 0x82, 0xC90000, 0x360000, "spiffs"}, {1, 0x03, 0xFF0000, 0x10000, "coredump"},
};
static const uint8_t table_md5[16] = {0xB3, 0x2D, 0xCD, 0xB8, 0x3B, 0x16, 0x74, 0xAF,
                                      0x27, 0x76, 0x8C, 0x92, 0xB1, 0xF8, 0x8A, 0x62};
#define TABLE_SIZE 0xC00u

static void make_table(uint8_t table[TABLE_SIZE])
{
    memset(table, 0xFF, TABLE_SIZE);
    for (size_t i = 0; i < sizeof partitions / sizeof *partitions; i++, table += 32) {
        memset(table, 0, 32);
        memcpy(table, (const uint8_t[]){0xAA, 0x50, partitions[i].type, partitions[i].subtype}, 4);
        for (int n = 0; n < 4; n++) {
            table[4 + n] = (uint8_t)(partitions[i].offset >> 8 * n);
            table[8 + n] = (uint8_t)(partitions[i].size >> 8 * n);
        }
        memcpy(table + 12, partitions[i].label, strlen(partitions[i].label));
    }
    memset(table, 0xEB, 2);
    memcpy(table + 16, table_md5, sizeof table_md5);
}

static _Noreturn void refuse(const char *what, const char *word)
{
    fprintf(stderr, "sample-image: %s: %s\nTry: sample-image --help\n", what, word);
    exit(2);
}

static uint32_t number(const char *name, const char *word, uint32_t least, uint32_t most)
{
    char *end;
    errno = 0;
    unsigned long long v = strtoull(word, &end, 0);
    if (word[0] < '0' || word[0] > '9' || *end != '\0' || errno != 0 || v < least || v > most)
        refuse(name, word);
    return (uint32_t)v;
}

static enum sample_temper temper(const char *word)
{
    enum sample_temper t = sample_temper_by_name(word);
    if (t == SAMPLE_TEMPERS)
        refuse("no such temper", word);
    return t;
}

static const char *text(const char *name, const char *word)
{
    if (strlen(word) > 31)
        refuse(name, word);
    return word;
}

static void take_option(int option, struct sample_spec *spec, bool *merged)
{
    switch (option) {
    case OPT_VERSION: spec->version = text("a version has at most 31 bytes", optarg); break;
    case OPT_PROJECT: spec->project = text("a project name has at most 31 bytes", optarg); break;
    case OPT_SIZE: spec->size = number("not a size", optarg, 1024, SAMPLE_SIZE_MAX); break;
    case OPT_SEED: spec->seed = number("not a seed", optarg, 0, UINT32_MAX); break;
    case OPT_TEMPER: spec->temper = temper(optarg); break;
    case OPT_AFTER: spec->after = number("not a number of seconds", optarg, 0, UINT32_MAX); break;
    case OPT_CHIP: spec->chip_id = (uint16_t)number("not a chip id", optarg, 0, 0xFFFE); break;
    case OPT_MERGED: *merged = true; break;
    case 'h': fputs(usage, stdout); exit(0);
    default: fputs("Try: sample-image --help\n", stderr); exit(2);
    }
}

int main(int argc, char **argv)
{
    struct sample_spec spec = {SAMPLE_DEFAULT};
    bool merged = false;
    for (int option; (option = getopt_long(argc, argv, "h", options, NULL)) != -1;)
        take_option(option, &spec, &merged);
    if (optind + 1 != argc)
        refuse("one file name is needed", optind < argc ? argv[optind + 1] : "none given");

    size_t len;
    uint8_t table[TABLE_SIZE];
    make_table(table);
    uint8_t *image = merged ? sample_merged(&spec, table, sizeof table, &len) : sample_image(&spec, &len);
    int err = new_file_save(argv[optind], new_file_usual_mode(), image, len);
    if (err != 0)
        fprintf(stderr, "sample-image: %s: %s\n", argv[optind],
                err == ENOTSUP ? "is no regular file" : strerror(err));
    free(image);
    return err == 0 ? 0 : 1;
}
