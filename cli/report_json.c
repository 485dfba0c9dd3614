/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "key.h"
#include "report.h"
#include "say.h"
#include "words.h"

/* `otapult info --json`. Its members may grow in number; none may go or change its meaning, because scripts
 * read them. */

/* 95 partitions and 20 images of 16 segments, the most a file can hold, are less than half of it. */
#define JSON_SIZE (128u * 1024u)

static const char *const proof_words[] = {
    [PROOF_UNREACHED] = "unreached",
    [PROOF_ABSENT] = "absent",
    [PROOF_WRONG] = "wrong",
    [PROOF_RIGHT] = "right",
};

static void put_description(struct otapult_json *j, const struct otapult_app_desc *d)
{
    char build[OTAPULT_BUILD_ID_CHARS + 1];
    otapult_build_id(d, build);
    otapult_json_str(j, "project", d->project);
    otapult_json_str(j, "version", d->version);
    otapult_json_str(j, "build", build);
    otapult_json_str(j, "idf", d->idf);
    otapult_json_str(j, "date", d->date);
    otapult_json_str(j, "time", d->time);
    otapult_json_num(j, "secure_version", d->secure_version);
    otapult_json_hex(j, "elf_sha256", d->elf_sha256, sizeof d->elf_sha256);
}

static void put_segments(struct otapult_json *j, const struct anatomy *a)
{
    otapult_json_open(j, "segments", '[');
    for (unsigned i = 0; i < a->info.segment_count; i++) {
        const struct otapult_segment *s = &a->info.segment[i];
        otapult_json_open(j, NULL, '{');
        otapult_json_num(j, "offset", a->at + s->offset);
        otapult_json_num(j, "load_address", s->load_addr);
        otapult_json_num(j, "size", s->size);
        otapult_json_str(j, "kind", segment_kind(a->info.chip_id, s->load_addr));
        otapult_json_close(j, '}');
    }
    otapult_json_close(j, ']');
}

static void put_proofs(struct otapult_json *j, const struct anatomy *a)
{
    otapult_json_str(j, "checksum", proof_words[a->checksum]);
    otapult_json_str(j, "hash", proof_words[a->hash]);
    otapult_json_str(j, "broken", a->broken);
    if (a->info.size == 0) {
        otapult_json_null(j, "size");
        otapult_json_null(j, "sha256");
        return;
    }
    otapult_json_num(j, "size", a->info.size);
    otapult_json_hex(j, "sha256", a->info.sha256, sizeof a->info.sha256);
}

static void put_signatures(struct otapult_json *j, const struct anatomy *a)
{
    otapult_json_open(j, "signatures", '[');
    for (unsigned i = 0; i < a->signatures; i++) {
        otapult_json_open(j, NULL, '{');
        otapult_json_str(j, "scheme", key_scheme_word(a->signature[i].scheme));
        otapult_json_hex(j, "key", a->signature[i].key, OTAPULT_KEY_DIGEST);
        otapult_json_str(j, "digest", proof_words[a->signature[i].digest]);
        otapult_json_close(j, '}');
    }
    otapult_json_close(j, ']');
}

static void put_image(struct otapult_json *j, const struct anatomy *a)
{
    otapult_json_open(j, NULL, '{');
    otapult_json_num(j, "at", a->at);
    otapult_json_str(j, "kind", a->bootloader ? "bootloader" : "app");
    otapult_json_str(j, "chip", otapult_chip_name(a->info.chip_id));
    otapult_json_num(j, "chip_id", a->info.chip_id);
    otapult_json_num(j, "min_rev", a->info.min_rev);
    otapult_json_num(j, "max_rev", a->info.max_rev);
    otapult_json_num(j, "entry", a->info.entry);
    if (a->described)
        put_description(j, &a->info.desc);
    put_proofs(j, a);
    put_signatures(j, a);
    otapult_json_num(j, "segment_count", a->claimed);
    put_segments(j, a);
    otapult_json_close(j, '}');
}

static void put_partition(struct otapult_json *j, const struct otapult_partition *p)
{
    char type[PARTITION_NAME], subtype[PARTITION_NAME];
    partition_type(p, type);
    partition_subtype(p, subtype);
    otapult_json_open(j, NULL, '{');
    otapult_json_str(j, "label", p->label);
    otapult_json_str(j, "type", type);
    otapult_json_str(j, "subtype", subtype);
    otapult_json_num(j, "offset", p->offset);
    otapult_json_num(j, "size", p->size);
    otapult_json_num(j, "flags", p->flags);
    otapult_json_close(j, '}');
}

static void put_table(struct otapult_json *j, const struct survey *s)
{
    const char *lacks = table_lacks(s);
    otapult_json_open(j, "table", '{');
    otapult_json_num(j, "at", s->table_at);
    otapult_json_bool(j, "fit", lacks == NULL);
    otapult_json_str(j, "lacks", lacks);
    otapult_json_open(j, "partitions", '[');
    for (unsigned n = 0; n < s->partitions; n++) {
        struct otapult_partition p;
        otapult_table_entry(s->table, n, &p);
        put_partition(j, &p);
    }
    otapult_json_close(j, ']');
    otapult_json_close(j, '}');
}

static void put_ota_data(struct otapult_json *j, const struct survey *s)
{
    otapult_json_open(j, "ota_data", '{');
    otapult_json_num(j, "at", s->ota_data_at);
    otapult_json_open(j, "records", '[');
    for (unsigned i = 0; i < 2; i++) {
        const struct otapult_ota_record *r = &s->ota_data.record[i];
        otapult_json_open(j, NULL, '{');
        otapult_json_num(j, "sequence", r->seq);
        otapult_json_num(j, "state", r->state);
        otapult_json_bool(j, "crc", r->crc_ok);
        otapult_json_close(j, '}');
    }
    otapult_json_close(j, ']');
    otapult_json_int(j, "slot", survey_boot_slot(s));
    otapult_json_close(j, '}');
}

static void put_refusal(struct otapult_json *j, const struct report *r)
{
    if (r->err == 0) {
        otapult_json_null(j, "refusal");
        return;
    }
    otapult_json_open(j, "refusal", '{');
    json_error(j, r->err, r->why);
    otapult_json_close(j, '}');
}

static void put_contents(struct otapult_json *j, const struct survey *s)
{
    otapult_json_open(j, "images", '[');
    for (unsigned i = 0; i < s->image_count; i++)
        put_image(j, &s->image[i]);
    otapult_json_close(j, ']');
    if (s->table != NULL)
        put_table(j, s);
    else
        otapult_json_null(j, "table");
    if (s->has_ota_data)
        put_ota_data(j, s);
    else
        otapult_json_null(j, "ota_data");
}

int report_json(const struct report *r)
{
    static char text[JSON_SIZE];
    struct otapult_json j;
    otapult_json_init(&j, text, sizeof text);
    otapult_json_open(&j, NULL, '{');
    otapult_json_str(&j, "file", r->in->name);
    otapult_json_num(&j, "file_size", (uint32_t)(r->in->packed != NULL ? r->in->sent_size : r->in->size));
    otapult_json_str(&j, "packed", r->in->packed);
    otapult_json_str(&j, "kind", survey_kind(r->err));
    otapult_json_bool(&j, "fit", r->err == 0);
    put_refusal(&j, r);
    put_contents(&j, r->survey);
    otapult_json_close(&j, '}');
    return json_print(&j);
}
