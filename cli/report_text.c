/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/text.h"
#include "key.h"
#include "report.h"
#include "words.h"

/* `otapult info` for people. The words may change at any time; scripts have --json. */

static const char *const proof_words[] = {
    [PROOF_UNREACHED] = "not reached",
    [PROOF_ABSENT] = "none",
    [PROOF_WRONG] = "WRONG",
    [PROOF_RIGHT] = "right",
};

static void line(const char *label, const char *value)
{
    printf("  %-12s %s\n", label, value);
}

static void print_digest(const char *label, const uint8_t digest[32])
{
    char hex[65];
    struct otapult_text t;
    otapult_text_init(&t, hex, sizeof hex);
    otapult_text_digest(&t, digest, 32);
    line(label, hex);
}

static void print_description(const struct otapult_app_desc *d)
{
    char build[OTAPULT_BUILD_ID_CHARS + 1];
    otapult_build_id(d, build);
    if (otapult_is_unnamed(d->project)) {
        line("firmware", OTAPULT_UNNAMED);
    } else {
        line("project", d->project);
        line("version", d->version);
    }
    line("build", build);
    line("ESP-IDF", d->idf);
    printf("  %-12s %s %s\n", "built", d->date, d->time);
    if (d->secure_version != 0)
        printf("  %-12s %u\n", "secure vers.", (unsigned)d->secure_version);
}

static void print_chip(const struct otapult_image_info *info)
{
    unsigned min = info->min_rev, max = info->max_rev;
    printf("  %-12s %s, revision %u.%u ", "chip", otapult_chip_name(info->chip_id), min / 100, min % 100);
    if (max == 0 || max == 0xFFFF)
        printf("and later\n");
    else
        printf("to %u.%u\n", max / 100, max % 100);
}

static void print_segments(const struct anatomy *a)
{
    printf("\n  segment  offset      load address  size                            kind\n");
    for (unsigned i = 0; i < a->info.segment_count; i++) {
        const struct otapult_segment *s = &a->info.segment[i];
        char size[SIZE_TEXT];
        size_text(s->size, size);
        const char *kind = segment_kind(a->info.chip_id, s->load_addr);
        printf("  %-8u 0x%-9x 0x%08x    %-31s %s\n", i, (unsigned)(a->at + s->offset), (unsigned)s->load_addr,
               size, kind[0] != '\0' ? kind : "-");
    }
    if (a->broken != NULL)
        printf("  %u of %u segments found: %s, at 0x%x\n", a->info.segment_count, a->claimed, a->broken,
               (unsigned)(a->at + a->broken_at));
}

static void print_checksum(const struct anatomy *a)
{
    if (a->checksum == PROOF_UNREACHED)
        line("checksum", proof_words[PROOF_UNREACHED]);
    else
        printf("  %-12s %s: 0x%02x at 0x%x, the data gives 0x%02x\n", "checksum", proof_words[a->checksum],
               a->stored, (unsigned)(a->at + a->checksum_at), a->info.checksum);
}

static void print_hash(const struct anatomy *a)
{
    if (a->hash == PROOF_RIGHT || a->hash == PROOF_WRONG)
        printf("  %-12s %s: SHA-256 at 0x%x\n", "hash", proof_words[a->hash],
               (unsigned)(a->at + a->checksum_at + 1));
    else
        line("hash", proof_words[a->hash]);
}

static void print_signatures(const struct anatomy *a)
{
    for (unsigned i = 0; i < a->signatures; i++) {
        const struct anatomy_signature *s = &a->signature[i];
        printf("  %-12s %s, block %u, its digest is %s\n", "signature", key_scheme_word(s->scheme), i,
               proof_words[s->digest]);
        print_digest("  by key", s->key);
    }
}

static void print_image(const struct anatomy *a)
{
    char size[SIZE_TEXT];
    if (a->described)
        print_description(&a->info.desc);
    print_chip(&a->info);
    print_checksum(a);
    print_hash(a);
    if (a->info.size != 0) {
        size_text(a->info.size, size);
        line("image size", size);
        print_digest("sha256", a->info.sha256);
    }
    print_signatures(a);
    print_segments(a);
}

static void print_inner_images(const struct survey *s, bool bootloaders)
{
    for (unsigned i = 0; i < s->image_count; i++) {
        const struct anatomy *a = &s->image[i];
        if (a->bootloader != bootloaders)
            continue;
        printf("\n0x%x: %s\n", (unsigned)a->at, bootloaders ? "a bootloader" : "an app image");
        print_image(a);
    }
}

static void print_partition(const struct otapult_partition *p)
{
    char type[PARTITION_NAME], subtype[PARTITION_NAME], size[SIZE_TEXT];
    partition_type(p, type);
    partition_subtype(p, subtype);
    size_text(p->size, size);
    printf("  %-16s %-10s %-10s 0x%-9x %s%s%s\n", p->label, type, subtype, (unsigned)p->offset, size,
           (p->flags & 1) != 0 ? ", encrypted" : "", (p->flags & 2) != 0 ? ", read-only" : "");
}

static void print_table(const struct survey *s)
{
    const char *lacks = table_lacks(s);
    printf("\n0x%x: a partition table\n", (unsigned)s->table_at);
    if (s->partitions > 0)
        printf("  label            type       subtype    offset      size\n");
    for (unsigned n = 0; n < s->partitions; n++) {
        struct otapult_partition p;
        otapult_table_entry(s->table, n, &p);
        print_partition(&p);
    }
    printf("  %s%s\n", lacks == NULL ? "fit for updates over the air" : "not fit for updates over the air: ",
           lacks == NULL ? "" : lacks);
}

static const char *state_word(uint32_t state)
{
    static const char *const words[] = {"new", "pending verify", "valid", "invalid", "aborted"};
    if (state == OTAPULT_OTA_UNDEFINED)
        return "undefined";
    return state < sizeof words / sizeof words[0] ? words[state] : "a state that is not known";
}

static void print_ota_data(const struct survey *s)
{
    printf("\n0x%x: OTA data\n", (unsigned)s->ota_data_at);
    for (unsigned i = 0; i < 2; i++) {
        const struct otapult_ota_record *r = &s->ota_data.record[i];
        if (r->seq == UINT32_MAX)
            printf("  record %u     empty\n", i);
        else
            printf("  record %u     sequence %u, %s, CRC %s\n", i, (unsigned)r->seq, state_word(r->state),
                   r->crc_ok ? "right" : "WRONG");
    }
    if (survey_boot_slot(s) >= 0)
        printf("  chooses      ota_%d\n", survey_boot_slot(s));
}

static void print_title(const struct report *r)
{
    char detail[192], size[SIZE_TEXT];
    const struct survey *s = r->survey;
    otapult_detail(r->err, r->why, NULL, detail, sizeof detail);
    size_text((uint32_t)r->in->size, size);
    if (strcmp(survey_kind(r->err), "app") == 0)
        snprintf(detail, sizeof detail, "an app image for %s",
                 s->image_count > 0 ? otapult_chip_name(s->image[0].info.chip_id) : "an unknown chip");
    printf("%s: %s\n", r->in->name, detail);
    if (r->in->packed != NULL) {
        line("unpacked", size);
        size_text((uint32_t)r->in->sent_size, size);
        line("packed as", r->in->packed);
    }
    line("file size", size);
}

static void print_verdict(const struct report *r)
{
    char size[SIZE_TEXT];
    size_text(r->options->slot_size, size);
    printf("\nupdate: an %s with slots of %s %s\n", otapult_chip_name(r->options->chip_id), size,
           r->err == 0 ? "takes it" : "refuses it");
    if (r->err != 0)
        put_error(stdout, r->in->name, r->err, r->why);
}

static void print_behind(const struct anatomy *a, size_t file_size)
{
    char size[SIZE_TEXT];
    if (a->info.size == 0 || file_size <= a->info.size)
        return;
    size_text((uint32_t)file_size - a->info.size, size);
    printf("  behind the image: %s%s\n", size, a->signatures > 0 ? ", with the signature" : "");
}

static bool is_one_image(const struct report *r)
{
    return r->survey->image_count == 1 && r->err != OTAPULT_E_IMAGE_MERGED &&
           r->err != OTAPULT_E_IMAGE_MERGED_CHIP;
}

/* A partition table is no file to send, so there is no verdict on that. Whether it takes updates is said with
 * it. */
static bool is_table(int err)
{
    return err == OTAPULT_E_FILE_PARTITION_TABLE;
}

int report_text(const struct report *r)
{
    const struct survey *s = r->survey;
    print_title(r);
    if (is_one_image(r)) {
        print_image(&s->image[0]);
        print_behind(&s->image[0], r->in->size);
    } else {
        print_inner_images(s, true);
    }
    if (s->table != NULL)
        print_table(s);
    if (s->has_ota_data)
        print_ota_data(s);
    if (!is_one_image(r))
        print_inner_images(s, false);
    if (!is_table(r->err))
        print_verdict(r);
    return STATUS_OK;
}
