/* SPDX-License-Identifier: Apache-2.0 */
#include "options.h"

#include <ctype.h>
#include <errno.h>
#include <getopt.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "key.h"
#include "otapult/image.h"
#include "trust/trust.h"

#define CHIP_IDS 0x100u

static bool set_json(struct options *o, const char *value)
{
    (void)value;
    o->json = true;
    return true;
}

static bool set_first_use(struct options *o, const char *value)
{
    (void)value;
    o->first_use = true;
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

static bool set_append(struct options *o, const char *value)
{
    (void)value;
    o->append = true;
    return true;
}

static bool set_in_place(struct options *o, const char *value)
{
    (void)value;
    o->in_place = true;
    return true;
}

static bool set_scheme(struct options *o, const char *value)
{
    for (unsigned s = 0; s < OTAPULT_SCHEMES; s++) {
        if (strcmp(value, key_scheme_word((enum otapult_signature_scheme)s)) == 0) {
            o->scheme = (enum otapult_signature_scheme)s;
            return true;
        }
    }
    fprintf(stderr, "otapult: schemes are rsa3072, ecdsa256 and ecdsa384\n");
    return false;
}

/* One digest or several with commas between; the option may be given again. */
static bool set_key_digest(struct options *o, const char *value)
{
    if (otapult_read_digests(value, o->key_digest, OPTIONS_KEYS, &o->key_count))
        return true;
    fprintf(stderr, "otapult: a key digest is 64 hex digits, as otapult key-digest prints them; "
                    "at most three, with commas between\n");
    return false;
}

static const struct {
    struct option option;
    bool (*set)(struct options *o, const char *value); /* NULL: the value itself is kept */
    size_t text;                                       /* where */
} table[] = {
    {{"append", no_argument, NULL, 'a'}, set_append, 0},
    {{"chip", required_argument, NULL, 'c'}, set_chip, 0},
    {{"help", no_argument, NULL, 'h'}, set_help, 0},
    {{"in-place", no_argument, NULL, 'i'}, set_in_place, 0},
    {{"insecure-first-use", no_argument, NULL, 'f'}, set_first_use, 0},
    {{"json", no_argument, NULL, 'j'}, set_json, 0},
    {{"key", required_argument, NULL, 'k'}, NULL, offsetof(struct options, key)},
    {{"key-digest", required_argument, NULL, 'd'}, set_key_digest, 0},
    {{"out", required_argument, NULL, 'o'}, NULL, offsetof(struct options, out)},
    {{"pub-key", required_argument, NULL, 'p'}, NULL, offsetof(struct options, public_key)},
    {{"running", required_argument, NULL, 'r'}, NULL, offsetof(struct options, running)},
    {{"scheme", required_argument, NULL, 'S'}, set_scheme, 0},
    {{"sign-command", required_argument, NULL, 'x'}, NULL, offsetof(struct options, sign_command)},
    {{"slot-size", required_argument, NULL, 's'}, set_slot_size, 0},
};
#define TABLE_ROWS (sizeof table / sizeof table[0])

static bool keep(size_t row, struct options *o, const char *value)
{
    if (table[row].set != NULL)
        return table[row].set(o, value);
    memcpy((char *)o + table[row].text, &value, sizeof value);
    return true;
}

/* The letter is only how getopt_long names a row: short options are not offered, but for -h. */
static bool set(const struct verb *verb, int letter, struct options *out)
{
    for (size_t i = 0; i < TABLE_ROWS; i++) {
        if (table[i].option.val != letter)
            continue;
        if (letter == 'h' || strchr(verb->accepts, letter) != NULL)
            return keep(i, out, optarg);
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
        fprintf(stderr, "otapult %s: wants one %.*s, got %d\n", verb->name,
                (int)strcspn(verb->arguments, " "), verb->arguments, argc - optind);
        return false;
    }
    out->file = argv[optind];
    return true;
}
