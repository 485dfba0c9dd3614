/* SPDX-License-Identifier: Apache-2.0 */
#include "options.h"

#include <ctype.h>
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "otapult/image.h"

#define CHIP_IDS 0x100u

static bool set_json(struct options *o, const char *value)
{
    (void)value;
    o->json = true;
    return true;
}

static bool set_help(struct options *o, const char *value)
{
    (void)value;
    o->help = true;
    return true;
}

static const char *skip_dashes(const char *s)
{
    return s + strspn(s, "-_");
}

/* People write esp32s3, ESP32-S3 or esp32_s3. */
static bool same_chip(const char *a, const char *b)
{
    a = skip_dashes(a);
    b = skip_dashes(b);
    while (*a != '\0' && tolower((unsigned char)*a) == tolower((unsigned char)*b)) {
        a = skip_dashes(a + 1);
        b = skip_dashes(b + 1);
    }
    return *a == '\0' && *b == '\0';
}

static bool is_known_chip(uint32_t id)
{
    return strcmp(otapult_chip_name(id), otapult_chip_name(0xFFFF)) != 0;
}

static bool set_chip(struct options *o, const char *value)
{
    for (uint32_t id = 0; id < CHIP_IDS; id++) {
        if (is_known_chip(id) && same_chip(value, otapult_chip_name(id))) {
            o->chip_id = (uint16_t)id;
            return true;
        }
    }
    fprintf(stderr, "otapult: unknown chip; known are");
    for (uint32_t id = 0; id < CHIP_IDS; id++) {
        if (is_known_chip(id))
            fprintf(stderr, " %s", otapult_chip_name(id));
    }
    fputc('\n', stderr);
    return false;
}

static uint32_t unit_of(const char *suffix)
{
    if (*suffix == '\0')
        return 1;
    if (suffix[1] != '\0')
        return 0;
    return *suffix == 'K' ? 1024u : *suffix == 'M' ? 1024u * 1024u : 0;
}

static bool set_slot_size(struct options *o, const char *value)
{
    char *end = NULL;
    errno = 0;
    unsigned long long n = isdigit((unsigned char)*value) ? strtoull(value, &end, 0) : 0;
    uint32_t unit = n > 0 ? unit_of(end) : 0;
    if (errno != 0 || unit == 0 || n > 0x80000000u / unit) {
        fprintf(stderr, "otapult: a slot size is a number of bytes such as 0x640000, 6553600, 6400K or 4M\n");
        return false;
    }
    o->slot_size = (uint32_t)n * unit;
    return true;
}

static const struct {
    struct option option;
    bool (*set)(struct options *o, const char *value);
} table[] = {
    {{"chip", required_argument, NULL, 'c'}, set_chip},
    {{"help", no_argument, NULL, 'h'}, set_help},
    {{"json", no_argument, NULL, 'j'}, set_json},
    {{"slot-size", required_argument, NULL, 's'}, set_slot_size},
};
#define TABLE_ROWS (sizeof table / sizeof table[0])

/* The letter is only how getopt_long names a row: short options are not offered, but for -h. */
static bool set(const struct verb *verb, int letter, struct options *out)
{
    for (size_t i = 0; i < TABLE_ROWS; i++) {
        if (table[i].option.val != letter)
            continue;
        if (letter == 'h' || strchr(verb->accepts, letter) != NULL)
            return table[i].set(out, optarg);
        fprintf(stderr, "otapult %s: takes no --%s\n", verb->name, table[i].option.name);
        return false;
    }
    return false;
}

bool options_parse(const struct verb *verb, int argc, char **argv, struct options *out)
{
    struct option longs[TABLE_ROWS + 1] = {{0}};
    for (size_t i = 0; i < TABLE_ROWS; i++)
        longs[i] = table[i].option;

    int letter;
    bool ok = true;
    while (ok && (letter = getopt_long(argc, argv, "h", longs, NULL)) != -1)
        ok = set(verb, letter, out);
    if (!ok || out->help)
        return ok;
    if (argc - optind != 1) {
        fprintf(stderr, "otapult %s: wants one file, got %d\n", verb->name, argc - optind);
        return false;
    }
    out->file = argv[optind];
    return true;
}
